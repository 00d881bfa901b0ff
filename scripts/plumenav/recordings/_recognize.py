"""Which reader a file needs, by its content: names of files lie, their first bytes do not."""

from __future__ import annotations

import ast
import logging
from pathlib import Path
from typing import cast

from plumenav import registry
from plumenav.errors import UserError
from plumenav.recordings._contract import Recording, Settings

logger = logging.getLogger(__name__)

Signature = tuple[tuple[int, bytes], ...]
# HDF5 may start behind a user block of 512 * 2**k bytes; MATLAB 7.3 uses 512.
HEAD_BYTES = 4096


def signatures(reader: str) -> dict[str, Signature]:
    """The formats of one reader, read from its source without importing it.

    Parameters
    ----------
    reader : str
        Registered name.

    Returns
    -------
    dict
        {format: ((offset, bytes), ...)}; empty if the reader states none.
    """
    tree = ast.parse(registry.file_of("reader", reader).read_text(encoding="utf-8"))
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if any(isinstance(t, ast.Name) and t.id == "SIGNATURES" for t in targets):
            return cast(dict[str, Signature], ast.literal_eval(cast(ast.Assign, node).value))
    return {}


def matching_bytes(head: bytes, signature: Signature) -> int:
    """Number of bytes that match, or 0 if any part does not.

    Examples
    --------
    >>> matching_bytes(b"RIFF....AVI ", ((0, b"RIFF"), (8, b"AVI ")))
    8
    >>> matching_bytes(b"RIFF....WAVE", ((0, b"RIFF"), (8, b"AVI ")))
    0
    """
    if all(head[offset : offset + len(part)] == part for offset, part in signature):
        return sum(len(part) for _, part in signature)
    return 0


def known_formats() -> str:
    """All formats of all readers, for messages."""
    found = {name: signatures(name) for name in registry.names("reader")}
    return "; ".join(f"{name}: {', '.join(formats)}" for name, formats in found.items() if formats)


def head_of(path: Path) -> bytes:
    """First bytes of a file.

    Raises
    ------
    UserError
        If there is no such file, or it is empty.
    """
    try:
        with open(path, "rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        raise UserError(
            str(path),
            f"cannot be opened ({error.strerror})",
            "a recording that exists and may be read",
            "Check `path` and `data_folder` in the config.",
        ) from None
    if not head:
        raise UserError(
            str(path),
            "the file is empty: 0 frames (0 s) are readable",
            known_formats(),
            "Copy it again from where it was recorded.",
        )
    return head


def recognize(path: Path) -> str:
    """Name of the reader for a file.

    Parameters
    ----------
    path : Path

    Returns
    -------
    str
        A registered reader.

    Raises
    ------
    UserError
        If no reader knows the content; lists what is known.
    """
    head = head_of(path)
    best = max(
        (
            (matching_bytes(head, signature), reader, form)
            for reader in registry.names("reader")
            for form, signature in signatures(reader).items()
        ),
        default=(0, "", ""),
    )
    if best[0] == 0:
        raise UserError(
            str(path),
            f"the content is of no known format (it begins with {head[:16]!r}): 0 frames (0 s) are"
            " readable",
            known_formats(),
            "Give the recording in one of these, or write a reader (recordings/_template.py).",
        )
    logger.info("%s is %s: reader %s", path.name, best[2], best[1])
    return best[1]


def open_recording(path: Path, settings: Settings) -> Recording:
    """Open a recording with the named reader, or the one that its content asks for.

    Parameters
    ----------
    path : Path
    settings : Settings

    Returns
    -------
    Recording
        Close it after use.
    """
    name = settings.name
    if name == "auto":
        name = recognize(path)
    else:
        head_of(path)
    return cast(Recording, registry.get("reader", name).open(path, settings))
