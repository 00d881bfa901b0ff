"""Checkouts for tests that run the workflow."""

from __future__ import annotations

from pathlib import Path

import pytest

from workflow_helpers import Checkout


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A fresh checkout."""
    return Checkout(tmp_path)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout in which the small run was made. Tests that change it must put it back."""
    made = Checkout(tmp_path_factory.mktemp("checkout"))
    done = made.run("config/small.yaml")
    logs = "\n".join(
        f"{path}:\n{path.read_text()}"
        for path in sorted((made.folder / "results/small/logs").rglob("*.log"))
        if path.stat().st_size
    )
    assert done.returncode == 0, done.stdout + done.stderr + logs
    return made
