"""Fingerprints of code follow imports; the environment's files agree."""

import ast
import re
import sys
from pathlib import Path

import pytest

from plumenav import fingerprint, registry

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "scripts" / "plumenav"


def followed(*names):
    return {
        path.relative_to(PACKAGE).as_posix()
        for path in fingerprint.closure([ROOT / "scripts" / name for name in names])
        if path.is_relative_to(PACKAGE)
    }


def test_a_script_is_followed_to_what_it_imports_indirectly():
    found = followed("simulate.py")
    assert {"batch/chunk.py", "engine/run.py", "engine/kernel.py", "engine/philox.py"} <= found
    assert {"tables/schemas.py", "registry.py", "world.py"} <= found


def test_plugins_are_followed_only_when_named():
    found = followed("simulate.py")
    assert not {name for name in found if re.match(r"(models|sensors|references)/[a-z]", name)}
    assert not {name for name in found if name.startswith(("figures/", "report/", "recordings/"))}
    with_model = fingerprint.closure(
        [ROOT / "scripts/simulate.py", registry.file_of("model", "on_off")]
    )
    assert PACKAGE / "models/on_off.py" in with_model
    assert PACKAGE / "models/_math.py" in with_model


def test_the_template_of_kernels_does_not_bring_its_example_along():
    assert "models/correlated_random_walk.py" not in followed("simulate.py")


def test_messages_and_bookkeeping_are_not_part_of_a_result():
    assert not {"errors.py", "jobs.py"} & followed("simulate.py", "normalize.py", "report.py")


def whole(path):
    """Imports as the parser finds them in a whole file."""
    names = set()
    text = re.sub(r"^( *).*# \[\w+\]$", r"\1pass", path.read_text(), flags=re.MULTILINE)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    files = {PACKAGE.parent.joinpath(*name.split(".")) for name in names}
    files = {path.with_suffix(".py") for path in files} | {path / "__init__.py" for path in files}
    return {path for path in files if path.is_file() and path.is_relative_to(PACKAGE)}


def test_reading_import_statements_only_misses_none():
    files = list(PACKAGE.rglob("*.py"))
    assert len(files) > 300
    for path in files:
        assert whole(path) <= fingerprint.imports_of(path), path


@pytest.mark.parametrize(
    "text",
    [
        "import plumenav.errors",
        "import os, plumenav.errors as e",
        "def f():\n\tfrom plumenav.errors import UserError",
        "if True: from plumenav import errors",
        "x = 1; import plumenav.errors",
        "import os, \\\n  plumenav.errors",
        "from plumenav \\\n import errors",
        "from plumenav.errors import (  # not (all) of it\n    UserError,\n)",
        "from plumenav import (\n    world,\n    errors,  # last\n)",
        '"""import plumenav is\nimport all of it (\n"""\nfrom plumenav import errors',
    ],
)
def test_imports_are_found_however_they_are_written(tmp_path, text):
    path = tmp_path / "plugin.py"
    path.write_text(text + "\n")
    assert PACKAGE / "errors.py" in fingerprint.imports_of(path)


def test_a_change_in_an_import_changes_the_fingerprint(tmp_path, monkeypatch):
    package = tmp_path / "plumenav"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "deep.py").write_text("VALUE = 1\n")
    (package / "middle.py").write_text("def f():\n    from plumenav import deep\n")
    script = tmp_path / "script.py"
    script.write_text("from plumenav.middle import f\n")
    monkeypatch.setattr(fingerprint, "ROOT", tmp_path)
    monkeypatch.setattr(fingerprint, "NEUTRAL", set())

    def now():
        fingerprint.imports_of.cache_clear()
        fingerprint._digest.cache_clear()
        return fingerprint.of_files([script])

    before = now()
    assert now() == before
    (package / "deep.py").write_text("VALUE = 2\n")
    assert now() != before
    fingerprint.imports_of.cache_clear()
    fingerprint._digest.cache_clear()


def test_the_fingerprint_does_not_depend_on_where_the_checkout_lies(tmp_path):
    import os
    import shutil
    import subprocess

    copy = tmp_path / "elsewhere" / "scripts"
    shutil.copytree(ROOT / "scripts", copy, ignore=shutil.ignore_patterns("__pycache__"))
    program = (
        "import pathlib; from plumenav import fingerprint; "
        "print(fingerprint.of_files([fingerprint.ROOT / 'simulate.py']))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONPATH": str(folder)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for folder in (ROOT / "scripts", copy)
    }
    assert len(outputs) == 1


@pytest.fixture
def mirror(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "envs"))
    import mirror

    return mirror


def test_conda_files_mirror_the_lock(mirror):
    for path, text in mirror.mirrors().items():
        assert path.read_text() == text, "run: python envs/mirror.py"


def test_every_direct_dependency_is_locked_with_hashes_and_no_addresses(mirror):
    text = (ROOT / "envs/requirements.lock").read_text()
    versions = mirror.locked()
    for package in mirror.direct("dev", "slurm"):
        assert package in versions
    assert "http" not in text
    assert "index" not in text
    blocks = re.split(r"\n(?=[a-z0-9])", text)
    assert all("--hash=sha256:" in block for block in blocks if "==" in block)


def test_what_is_installed_is_what_is_locked(mirror):
    from importlib.metadata import version

    locked = mirror.locked()
    for package in mirror.direct("dev", "slurm"):
        assert version(package) == locked[package]


def test_the_container_recipe_installs_the_lock():
    recipe = (ROOT / "envs/Containerfile").read_text()
    assert "envs/install.sh" in recipe
    assert "requirements.lock" in (ROOT / "envs/install.sh").read_text()
    assert "--require-hashes" in (ROOT / "envs/install.sh").read_text()
