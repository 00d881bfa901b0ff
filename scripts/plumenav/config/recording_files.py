"""Which files a recording is made of: itself, its parts, and the files that its settings name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

from plumenav.config.recordings import Recording
from plumenav.errors import UserError, nearest

WILDCARD = re.compile(r"[*?\[]")
# What marks a folder as one array of many small files.
ZARR_MARKS = ("zarr.json", ".zarray", ".zgroup")
DATA_FOLDER_HINT = (
    "Set data_folder in the config, or the environment variable PLUMENAV_DATA, which wins."
)


class Files(NamedTuple):
    """Where a recording lies.

    Attributes
    ----------
    file : Path
        The file, or the folder that holds its parts.
    parts : list of Path
        The files in the folder that belong to the recording, sorted; none for a plain file.
    """

    file: Path
    parts: list[Path]


@contextmanager
def _looking(where: str, text: str) -> Iterator[None]:
    """Word what the file system refuses (no permission, too long a name, no such home)."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UserError(
            where, f"{text!r} cannot be looked at ({reason})", "a place that may be read"
        ) from None


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def _own_files(folder: Path) -> Iterator[Path]:
    """Files of a folder recording; those of the operating system (hidden) are not part of it."""
    store = any((folder / mark).is_file() for mark in ZARR_MARKS)
    for path in folder.rglob("*") if store else folder.iterdir():
        if path.is_file() and (store or not path.name.startswith(".")):
            yield path


def parts_of(folder: Path, pattern: str | None) -> list[Path]:
    """Files of a folder that are a recording: all of them, or those whose names fit a pattern."""
    return sorted(
        path for path in _own_files(folder) if pattern is None or fnmatchcase(path.name, pattern)
    )


def find(text: str, data: Path, where: str) -> Files:
    """Find a recording by the `path` of a config.

    Parameters
    ----------
    text : str
        A file, a folder, or a folder and a pattern of names (frames/img_*.png); absolute or
        relative to `data`.
    data : Path
        The data folder.
    where : str
        Config key, for messages.

    Returns
    -------
    Files

    Raises
    ------
    UserError
        If there is nothing of that name, with the nearest one that exists; if the folder is empty
        or nothing in it matches the pattern.
    """
    with _looking(where, text):
        return _find((data / Path(text).expanduser()).absolute(), text, where)


def _find(path: Path, text: str, where: str) -> Files:
    if path.is_file():
        return Files(path, [])
    if path.is_dir():
        parts = parts_of(path, None)
        if not parts:
            raise UserError(where, f"the folder {path} holds no files", "a folder of frames")
        return Files(path, parts)
    folder, pattern = path.parent, path.name
    if WILDCARD.search(pattern) and folder.is_dir():
        parts = parts_of(folder, pattern)
        if not parts:
            there = _names(folder)
            shown = ", ".join(there[:3]) + (", ..." if len(there) > 3 else "")
            raise UserError(
                where,
                f"no file in {folder} matches {pattern!r}",
                "a pattern in which * is any text, ? one character, [0-9] one of these",
                f"The folder holds {shown}." if there else "The folder is empty.",
            )
        return Files(folder, parts)
    if WILDCARD.search(str(Path(text).parent)) and not folder.is_dir():
        raise UserError(
            where,
            f"there is no folder {folder}",
            "wildcards in the last part of the path only (frames/img_*.png)",
            "Give each folder as a recording of its own.",
        )
    hint = f"{nearest(path.name, _names(path.parent))} {DATA_FOLDER_HINT}".strip()
    raise UserError(
        where,
        f"there is no file {path}",
        "a file, a folder or a pattern, absolute or relative to data_folder",
        hint,
    )


def companions_named(recording: Recording) -> dict[str, str]:
    """The files that a recording's settings name, by the dotted key that names them.

    Values are as in the config: a file, or file.mat:name for one variable in it.
    """
    steps = recording.normalize
    map_file = steps.false_colour.map
    named = {
        "reader.time_file": recording.reader.time_file,
        "signal.file": recording.signal and recording.signal.file,
        "normalize.false_colour.map": (
            map_file if map_file is not None and map_file.lower().endswith(".csv") else None
        ),
        "normalize.flat_field.dark": steps.flat_field.dark,
        "normalize.flat_field.flat": steps.flat_field.flat,
        # a preset's file is not asked of somebody who replaced the method
        "normalize.background.image": (
            steps.background.image if steps.background.method == "image" else None
        ),
        "normalize.mask.image": steps.mask.image,
    }
    return {key: value for key, value in sorted(named.items()) if isinstance(value, str)}


def split_variable(text: str) -> tuple[str, str | None]:
    """A file and the variable in it.

    Examples
    --------
    >>> split_variable("movie.mat:p/mask")
    ('movie.mat', 'p/mask')
    >>> split_variable("dark.png")
    ('dark.png', None)
    >>> split_variable("2018-09-12T15:35.png")
    ('2018-09-12T15:35.png', None)
    """
    file, _, variable = text.rpartition(":")
    return (file, variable) if Path(file).suffix and variable else (text, None)


def _companion(text: str, folders: list[Path], where: str) -> Path:
    name = Path(split_variable(text)[0]).expanduser()
    candidates = [folder / name for folder in folders]
    existing = next((path for path in candidates if path.exists()), None)
    if existing is not None:
        return existing.absolute()
    near = [nearest(name.name, _names(path.parent)) for path in candidates]
    raise UserError(
        where,
        f"there is no file {name}",
        "a file in " + " or ".join(dict.fromkeys(str(path.parent) for path in candidates)),
        next(filter(None, near), "") or "Put it beside the recording, or give its whole path.",
    )


def find_companions(named: dict[str, str], folders: Iterable[Path], where: str) -> dict[str, str]:
    """Find the files that a recording's settings name.

    Parameters
    ----------
    named : dict
        From :func:`companions_named`.
    folders : iterable of Path
        Where relative names are looked for, in this order.
    where : str
        Config key of the recording, for messages.

    Returns
    -------
    dict
        {dotted key: absolute path}, sorted by key, without the variables.

    Raises
    ------
    UserError
        If there is no such file, with the nearest one that exists.
    """
    places = list(dict.fromkeys(folders))
    found = {}
    for key, text in named.items():
        with _looking(f"{where}.{key}", text):
            found[key] = str(_companion(text, places, f"{where}.{key}"))
    return found


def _named_only(text: str) -> str:
    """A companion as a config names it, without its folder."""
    file, variable = split_variable(text)
    return Path(file).name if variable is None else f"{Path(file).name}:{variable}"


def portable(entry: dict[str, Any]) -> dict[str, Any]:
    """A resolved recording with the names of its files, and without where they lie.

    Two machines that keep the same recording in different folders do not differ, and a recording
    that is moved is still the same.

    Parameters
    ----------
    entry : dict
        One of the recordings of a resolved config.

    Returns
    -------
    dict
        Without `file` and `parts`; `companions` is the sorted list of the keys that name one.
    """
    kept = {key: value for key, value in entry.items() if key not in ("file", "parts")}
    kept["path"] = entry["path"] and (Path(entry["path"]).name or Path(entry["file"]).name)
    kept["companions"] = sorted(entry["companions"])
    for key in kept["companions"]:
        kept = _with(kept, key.split("."), _named_only)
    return kept


def _with(section: dict[str, Any], keys: list[str], change: Any) -> dict[str, Any]:
    """A copy of nested mappings with one value changed."""
    first, *rest = keys
    inner = section[first]
    return {**section, first: _with(inner, rest, change) if rest else change(inner)}


# What concerns only simulations, or only how a synthetic recording is made.
NOT_NORMALIZATION = {"wind", "condition", "nominal", "synthetic", "kind"}


def normalization_settings(entry: dict[str, Any], file_name: str | None = None) -> dict[str, Any]:
    """What normalization is told of a resolved recording: nothing that differs between machines.

    Parameters
    ----------
    entry : dict
        From :func:`plumenav.config.resolve_recording.resolve_recording`.
    file_name : str, optional
        Of a synthetic recording, whose entry names no file.

    Returns
    -------
    dict
        Of :class:`plumenav.config.recordings.Recording`, and `companions`: the keys that name
        other files.
    """
    settings = {k: v for k, v in portable(entry).items() if k not in NOT_NORMALIZATION}
    return settings if file_name is None else {**settings, "path": file_name}
