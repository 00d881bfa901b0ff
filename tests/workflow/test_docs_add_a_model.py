"""docs/add_a_model.md does what it says: its files are written, its commands run."""

import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from plumenav.tables import read_json
from workflow_helpers import ROOT

PAGE = ROOT / "docs" / "add_a_model.md"
BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks():
    return BLOCK.findall(PAGE.read_text(encoding="utf-8"))


def command(checkout, text):
    own = str(Path(sys.executable).parent)
    path = os.pathsep.join([own, os.environ["PATH"]])
    done = checkout.call("env", f"PATH={path}", "bash", "-e", "-c", text)
    assert done.returncode == 0, text + done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def page(checkout):
    """A checkout with its tests."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "tests", checkout.folder / "tests", ignore=ignored)
    return checkout


def test_the_page_holds_files_and_commands_and_nothing_else():
    kinds = [(kind, bool(path)) for kind, path, _ in blocks()]
    assert set(kinds) == {("python", True), ("yaml", True), ("sh", False)}
    assert kinds.count(("sh", False)) == 3


def test_the_page_works(page):
    said = []
    for _, path, text in blocks():
        if path:
            file = page.folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
            continue
        said.append(command(page, text))
        numbers = page.folder / "results/klinokinesis/numbers.json"
        if len(said) == 2:
            before = read_json(numbers)
    contract, _, referenced = said
    assert re.search(r"\d+ passed, 1 skipped", contract), contract
    assert " skipped" not in referenced

    # without a reference: named, not failing, and not called validated
    validation = before["validation"]
    assert validation["not_validated"] == ["mine"]
    assert set(validation["agents"]) == {"null_walk"}
    assert before["passed"]
    # with one: compared
    validation = read_json(numbers)["validation"]
    assert validation["not_validated"] == []
    assert set(validation["agents"]) == {"mine", "null_walk"}
    assert validation["agents"]["mine"]["passed"]
    assert validation["agents"]["mine"]["n"] == 10
