"""Which reader a file needs, by its content: names of files lie, their first bytes do not."""

from __future__ import annotations

import ast
import logging
from collections import Counter
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from plumenav import registry
from plumenav.errors import UserError
from plumenav.recordings._contract import Recording, Settings
from plumenav.recordings._files import frame_files as files_of
from plumenav.recordings._gray import no_colour

logger = logging.getLogger(__name__)

# Settings that only some formats have.
OF_FORMATS = ("dataset", "time_dataset", "axes", "channel")
MEANING = {
    "axes": "Pictures have rows and columns: use wind_toward and mirrored.",
    "time_dataset": "Give the time stamps as reader.time_file.",
}

Signature = tuple[tuple[int, bytes], ...]
# HDF5 may start behind a user block of 512 * 2**k bytes; MATLAB 7.3 uses 512.
HEAD_BYTES = 4096


TABLES = ("SIGNATURES", "FOLDERS", "FRAME_FILES")


@lru_cache(maxsize=256)
def _tables(file: Path, changed_ns: int) -> dict[str, dict[str, Any]]:
    """The tables that a reader states, from its source, as of its last change."""
    found: dict[str, dict[str, Any]] = {}
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign):
            targets, value = node.targets, node.value
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            targets, value = [node.target], node.value
        else:
            continue
        for target in targets:
            if isinstance(target, ast.Name) and target.id in TABLES:
                found[target.id] = ast.literal_eval(value)
    return found


def _literal(reader: str, name: str) -> dict[str, Any]:
    """A table that a reader states, read from its source without importing it."""
    file = registry.file_of("reader", reader)
    return dict(_tables(file, file.stat().st_mtime_ns).get(name, {}))


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
    return cast(dict[str, Signature], _literal(reader, "SIGNATURES"))


def folders(reader: str) -> dict[str, tuple[str, ...]]:
    """Formats that are a folder, with the names of files by which each is known."""
    return cast(dict[str, tuple[str, ...]], _literal(reader, "FOLDERS"))


def frame_files(reader: str) -> dict[str, Signature]:
    """Formats of files that are one frame each, in a folder."""
    return cast(dict[str, Signature], _literal(reader, "FRAME_FILES"))


def matching_bytes(head: bytes, signature: Signature) -> int:
    """Number of bytes that match, or 0 if any part does not.

    Zeros are what many files hold in many places: they have to match, and count for nothing.

    Examples
    --------
    >>> matching_bytes(b"RIFF....AVI ", ((0, b"RIFF"), (8, b"AVI ")))
    8
    >>> matching_bytes(b"RIFF....WAVE", ((0, b"RIFF"), (8, b"AVI ")))
    0
    >>> matching_bytes(b"........", ((0, b"...."),)), matching_bytes(bytes(8), ((0, bytes(4)),))
    (4, 1)
    """
    if all(head[offset : offset + len(part)] == part for offset, part in signature):
        return max(1, sum(len(part) - part.count(0) for _, part in signature))
    return 0


def known_formats() -> str:
    """All formats of all readers, for messages."""
    said = []
    for reader in registry.names("reader"):
        formats = [*signatures(reader), *folders(reader)]
        if frame_files(reader):
            said.append(f"{reader}: folders of {_families(frame_files(reader))}")
        if formats:
            said.append(f"{reader}: {_families(formats)}")
    return "; ".join(said)


def _families(formats: Iterable[str]) -> str:
    """Formats without their variants ("TIFF, big-endian" is TIFF)."""
    return ", ".join(dict.fromkeys(form.split(",")[0] for form in formats))


Entry = tuple[str, str, Signature]


def _entries(table: Callable[[str], dict[str, Signature]]) -> list[Entry]:
    """(reader, format, signature) of all readers."""
    names = registry.names("reader")
    return [(name, form, signature) for name in names for form, signature in table(name).items()]


def _best(head: bytes, entries: list[Entry]) -> tuple[int, str, str]:
    """(matching bytes, reader, format) of the content; no bytes if nothing matches."""
    found = [(matching_bytes(head, sign), reader, form) for reader, form, sign in entries]
    return max((match for match in found if match[0]), default=(0, "", ""))


def _cannot_be_opened(path: Path, error: OSError) -> UserError:
    return UserError(
        str(path),
        f"cannot be opened ({error.strerror})",
        "a recording that exists and may be read",
        "Check `path` and `data_folder` in the config.",
    )


def head_of(path: Path) -> bytes:
    """First bytes of a file; none of a folder.

    Raises
    ------
    UserError
        If there is no such file or folder, or it is empty.
    """
    try:
        if path.is_dir():
            head, empty = b"", next(path.iterdir(), None) is None
        else:
            with open(path, "rb") as file:
                head = file.read(HEAD_BYTES)
            empty = not head
    except OSError as error:
        raise _cannot_be_opened(path, error) from None
    if empty:
        raise UserError(
            str(path),
            f"the {'folder' if path.is_dir() else 'file'} is empty: 0 frames (0 s) are readable",
            known_formats(),
            "Copy it again from where it was recorded.",
        )
    return head


def _of_folder(path: Path, pattern: str | None) -> str:
    """Reader of a folder: a store that is known by a file in it, or one file per frame."""
    for reader in registry.names("reader"):
        for form, marks in folders(reader).items():
            if pattern is None and any((path / mark).is_file() for mark in marks):
                logger.info("%s is %s: reader %s", path.name, form, reader)
                return reader
    entries = _entries(frame_files)
    found: Counter[str] = Counter()
    for file in files_of(path, pattern):
        try:
            with open(file, "rb") as opened:
                head = opened.read(HEAD_BYTES)
        except OSError as error:
            raise _cannot_be_opened(file, error) from None
        found[_best(head, entries)[1]] += 1
    unknown = found.pop("", 0)
    if len(found) == 1:
        return next(iter(found))
    several = f" ({', '.join(f'{n} for {reader}' for reader, n in found.items())})"
    kinds = f"of several kinds{several}" if found else f"{unknown} files, none of them a frame"
    raise UserError(
        str(path if pattern is None else path / Path(pattern).name),
        f"the folder holds {kinds}",
        known_formats(),
        "Give a file, or name the frames by a pattern: folder/frame_*.png.",
    )


def recognize(path: Path, pattern: str | None = None) -> str:
    """Name of the reader for a file or a folder.

    Parameters
    ----------
    path : Path
    pattern : str, optional
        Which files of a folder count.

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
    if path.is_dir():
        return _of_folder(path, pattern)
    matching, reader, form = _best(head, _entries(signatures))
    if matching == 0:
        raise UserError(
            str(path),
            f"the content is of no known format (it begins with {head[:16]!r}): 0 frames (0 s) are"
            " readable",
            known_formats(),
            "Give the recording in one of these, or write a reader (recordings/_template.py).",
        )
    logger.info("%s is %s: reader %s", path.name, form, reader)
    return reader


def _refuse_meaningless(path: Path, reader: str, uses: tuple[str, ...], settings: Settings) -> None:
    """Refuse settings that the reader would not look at."""
    for key, default in Settings._field_defaults.items():
        if key not in OF_FORMATS or key in uses or getattr(settings, key) == default:
            continue
        raise UserError(
            f"{path}: reader.{key}",
            f"{getattr(settings, key)!r} has no meaning for the reader {reader!r}",
            ", ".join(f"reader.{name}" for name in uses) or "none of the reader's own settings",
            MEANING.get(key, f"Leave reader.{key} out."),
        )


def open_recording(path: Path, settings: Settings) -> Recording:
    """Open a recording with the named reader, or the one that its content asks for.

    Parameters
    ----------
    path : Path
        A file, or a folder.
    settings : Settings

    Returns
    -------
    Recording
        Close it after use.

    Raises
    ------
    UserError
        If no reader knows the content, a setting has no meaning for its format, or colour is asked
        for and there is none.
    """
    name = settings.name
    if name == "auto":
        name = recognize(path, settings.pattern)
    else:
        head_of(path)
    module = registry.get("reader", name)
    if path.is_dir() and not (folders(name) or frame_files(name)):
        raise UserError(
            f"{path}: reader.name",
            f"the reader {name!r} reads files, and this is a folder",
            ", ".join(r for r in registry.names("reader") if folders(r) or frame_files(r)),
            "Give the file, or another reader.",
        )
    _refuse_meaningless(path, name, getattr(module, "USES", OF_FORMATS), settings)
    opened = cast(Recording, module.open(path, settings))
    if settings.colour and opened.facts.channels != 3:
        opened.close()
        raise no_colour(path)
    return opened
