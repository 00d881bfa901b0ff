"""YAML files as plain data; a key that is given twice is a mistake."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from plumenav.errors import UserError


class _UniqueKeyLoader(yaml.SafeLoader):
    """Safe YAML that refuses a key given twice (the later one would win silently)."""


def _mapping(loader: _UniqueKeyLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    keys = [loader.construct_object(key) for key, _ in node.value]
    for i, key in enumerate(keys):
        if key in keys[:i]:
            raise yaml.constructor.ConstructorError(
                None, None, f"key {key!r} is given twice", node.value[i][0].start_mark
            )
    return yaml.SafeLoader.construct_mapping(loader, node, deep=True)


_UniqueKeyLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def read_yaml(path: Path, what: str = "config file") -> dict[str, Any]:
    """Parse a YAML file into plain data.

    Parameters
    ----------
    path : Path
    what : str
        What the file is, for messages.

    Raises
    ------
    UserError
        If there is no such file, it is not YAML, or it is not a mapping.
    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_UniqueKeyLoader)
    except OSError as error:
        raise UserError(
            f"{what} {path}", f"cannot be read ({error.strerror})", "a YAML file"
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise UserError(f"{what} {path}{where}", f"not valid YAML: {problem}") from None
    if not isinstance(content, dict):
        raise UserError(f"{what} {path}", "holds no keys", "a mapping, see config/README.md")
    return content
