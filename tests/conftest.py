"""Shared by all tests: where the code is, and where kernels are kept."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from plumenav import registry
from plumenav.errors import UserError

# a shared machine is sometimes slow; speed is measured by the benchmark, not by tests
hypothesis.settings.register_profile("shared_machine", deadline=None)
hypothesis.settings.load_profile("shared_machine")

ROOT = Path(__file__).resolve().parent.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    """A user's own plug-in takes part in the contract tests."""
    parser.addoption(
        "--plumenav-plugin",
        action="append",
        default=[],
        metavar="FILE",
        help="hold your own plug-in file to the contract of its kind; may be given several times",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the user's plug-ins before the tests that iterate over the registry are read."""
    for file in config.getoption("--plumenav-plugin"):
        try:
            registry.register_file(Path(file).resolve())
        except UserError as error:
            raise pytest.UsageError(f"plumenav: {error}") from None


@pytest.fixture(scope="session", autouse=True)
def history_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep the user's history of runs out of the tests, and the tests out of it."""
    folder = tmp_path_factory.mktemp("history")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PLUMENAV_HISTORY", str(folder))
        yield folder


def data_folder() -> Path:
    """Folder of real recordings; tests that need it skip where it is missing."""
    return Path(os.environ.get("PLUMENAV_DATA") or ROOT.parent / "shared" / "data")


@pytest.fixture(scope="session")
def recordings_folder() -> Path:
    folder = data_folder()
    if not (folder / "stromboli").is_dir():
        pytest.skip(f"no real recordings at {folder} (set PLUMENAV_DATA)")
    return folder
