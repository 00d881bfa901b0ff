"""Plug-ins by kind and name: one file in the kind's folder is one plug-in, named like the file.

A user's own file joins a kind by stating it (``PLUGIN_KIND = "model"``) and being listed under
``plugins:`` in the config. Looking up a name never imports the other plug-ins of its kind.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from plumenav.errors import UserError, nearest

PACKAGE = Path(__file__).parent

# kind -> folder below the package
FOLDERS = {
    "reader": "recordings",
    "synthesis": "recordings/synthesis",
    "step": "normalization/extra",
    "model": "models",
    "reference": "references",
    "sensor": "sensors",
    "start": "starts",
    "field": "engine/fields",
    "figure": "figures",
    "measure": "analysis/measures",
}

_user_files: dict[tuple[str, str], Path] = {}


def names(kind: str) -> list[str]:
    """Names of all plug-ins of a kind, sorted, user files included."""
    builtin = (path.stem for path in (PACKAGE / FOLDERS[kind]).glob("*.py"))
    own = (name for k, name in _user_files if k == kind)
    return sorted({*(stem for stem in builtin if not stem.startswith("_")), *own})


def file_of(kind: str, name: str) -> Path:
    """Source file of a plug-in.

    Raises
    ------
    UserError
        If there is no such plug-in; names the nearest one.
    """
    if (kind, name) in _user_files:
        return _user_files[kind, name]
    path = PACKAGE / FOLDERS[kind] / f"{name}.py"
    if name not in names(kind):
        raise UserError(
            f"{kind} {name!r}",
            "no such plug-in",
            ", ".join(names(kind)),
            nearest(name, names(kind)),
        )
    return path


def module_name(kind: str, name: str) -> str:
    """Import name of a plug-in's module."""
    if (kind, name) in _user_files:
        return f"plumenav_plugin_{kind}_{name}"
    return ".".join(["plumenav", *FOLDERS[kind].split("/"), name])


def get(kind: str, name: str) -> ModuleType:
    """Import one plug-in and return its module."""
    path = file_of(kind, name)
    full = module_name(kind, name)
    if (kind, name) not in _user_files:
        return importlib.import_module(full)
    if full not in sys.modules:
        spec = importlib.util.spec_from_file_location(full, path)
        if spec is None or spec.loader is None:
            raise UserError(f"plugins: {path}", "not a Python file", "a .py file")
        module = importlib.util.module_from_spec(spec)
        sys.modules[full] = module
        spec.loader.exec_module(module)
    return sys.modules[full]


def _literal(tree: ast.Module, name: str) -> Any:
    """The constant that a file assigns to a name; None if it does not."""
    return next(
        (
            node.value.value
            for node in tree.body
            if isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Constant)
            and any(isinstance(t, ast.Name) and t.id == name for t in node.targets)
        ),
        None,
    )


def stated(kind: str, name: str, key: str) -> Any:
    """The constant that a plug-in's file assigns to a name, read without running the file.

    Returns
    -------
    object or None
        None if the file assigns no constant to it.
    """
    return _literal(ast.parse(file_of(kind, name).read_text(encoding="utf-8")), key)


def register_file(path: Path) -> tuple[str, str]:
    """Let a user's own Python file take part as a plug-in.

    The file is read, not run: its kind is the literal it assigns to PLUGIN_KIND.

    Returns
    -------
    tuple of str
        (kind, name).
    """
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, UnicodeDecodeError) as error:
        raise UserError(f"plugins: {path}", f"cannot be read ({error})", "a Python file") from None
    kind = _literal(tree, "PLUGIN_KIND")
    if kind not in FOLDERS:
        raise UserError(
            f"plugins: {path}",
            f"PLUGIN_KIND is {kind!r}",
            ", ".join(sorted(FOLDERS)),
            'Write PLUGIN_KIND = "model" (or another kind) at the top of the file.',
        )
    if not path.stem.isidentifier():
        raise UserError(f"plugins: {path}", "the file's name is not a Python name", "a-z, 0-9, _")
    _user_files[kind, path.stem] = path.resolve()
    return kind, path.stem
