"""Fingerprints of code: what a result depends on besides its inputs and settings.

Snakemake sees neither changes inside imported modules nor in a command called from the shell, so
every rule carries the fingerprint of its script and of everything the script imports statically.
Standard library only; nothing is imported, the files are parsed.
"""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parent
ROOT = PACKAGE.parent
# imported everywhere for their messages or bookkeeping only: a change cannot change a result
NEUTRAL = {PACKAGE / "errors.py", PACKAGE / "guard.py", PACKAGE / "jobs.py"}
# `import ... # [model]`: a placeholder that is replaced before the code is used
PLACEHOLDER = re.compile(r"# \[\w+\]$")


def _module_file(name: str) -> Path | None:
    """File of a dotted module of this package, or None."""
    base = ROOT.joinpath(*name.split("."))
    for candidate in (base.with_suffix(".py"), base / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None


@cache
def imports_of(path: Path) -> frozenset[Path]:
    """Files of this package that a file imports anywhere in its text, directly."""
    found: set[Path] = set()
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    for node in ast.walk(ast.parse(text)):
        names: list[str] = []
        if isinstance(node, ast.stmt) and PLACEHOLDER.search(lines[node.lineno - 1]):
            continue
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            # `from package import thing`: the thing may be a module or a name inside one
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            if name.split(".")[0] != "plumenav":
                continue
            parts = name.split(".")
            for depth in range(1, len(parts) + 1):
                file = _module_file(".".join(parts[:depth]))
                if file:
                    found.add(file)
    return frozenset(found)


def closure(paths: Iterable[Path]) -> set[Path]:
    """The files and all files of this package that they import, directly or not."""
    seen: set[Path] = set()
    todo = [Path(path).resolve() for path in paths]
    while todo:
        path = todo.pop()
        if path in seen or path in NEUTRAL:
            continue
        seen.add(path)
        todo += [file for file in imports_of(path) if file not in seen]
    return seen


@cache
def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def data_beside(files: Iterable[Path]) -> set[Path]:
    """Files that are not Python in the folders of this package that the code comes from.

    Templates, style sheets and tables of published values lie beside the code that reads them.
    """
    folders = {path.parent for path in files if path.is_relative_to(PACKAGE)} - {PACKAGE}
    return {
        path
        for folder in folders
        for path in folder.iterdir()
        if path.is_file() and path.suffix not in (".py", ".pyc")
    }


def of_files(paths: Iterable[Path]) -> str:
    """One fingerprint of files, their imports and their data, wherever the checkout lies."""
    lines = []
    code = closure(paths)
    for path in code | data_beside(code):
        name = path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name
        lines.append(f"{name} {_digest(path)}")
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()[:16]


@cache
def of_package() -> str:
    """One fingerprint of all Python files of this package and its scripts, wherever they lie."""
    files = sorted({*PACKAGE.rglob("*.py"), *ROOT.glob("*.py")})
    lines = [f"{path.relative_to(ROOT).as_posix()} {_digest(path)}" for path in files]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
