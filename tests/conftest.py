"""Shared by all tests: where the code is, and where kernels are kept."""

from __future__ import annotations

import os
from pathlib import Path

import hypothesis
import pytest

# a shared machine is sometimes slow; speed is measured by the benchmark, not by tests
hypothesis.settings.register_profile("shared_machine", deadline=None)
hypothesis.settings.load_profile("shared_machine")

ROOT = Path(__file__).resolve().parent.parent


def data_folder() -> Path:
    """Folder of real recordings; tests that need it skip where it is missing."""
    return Path(os.environ.get("PLUMENAV_DATA") or ROOT.parent / "shared" / "data")


@pytest.fixture(scope="session")
def recordings_folder() -> Path:
    folder = data_folder()
    if not (folder / "stromboli").is_dir():
        pytest.skip(f"no real recordings at {folder} (set PLUMENAV_DATA)")
    return folder
