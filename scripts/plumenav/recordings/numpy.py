"""NumPy files: npy (read in place) and npz (read member by member). Nothing is ever unpickled."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np

from plumenav.errors import UserError, nearest
from plumenav.recordings._axes import find_layout
from plumenav.recordings._contract import Facts, Settings
from plumenav.recordings._movie import (
    BrokenPartError,
    as_stamps,
    check_stamps,
    damage,
    reason,
    refuse_absurd,
)
from plumenav.recordings._stored import (
    STREAM_ERRORS,
    StoredArray,
    StoredMovie,
    Stream,
    load,
)

USES = ("dataset", "time_dataset", "axes")
SIGNATURES = {
    "npy": ((0, b"\x93NUMPY"),),
    "npz": ((0, b"PK\x03\x04"),),
}

HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
# deflate packs 1032 : 1 at best
EXPANSION = 1100
MAX_MEMBERS = 10_000


def _header(file: BinaryIO) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, Fortran order and type; raises ValueError, naming what is wrong."""
    version = np.lib.format.read_magic(file)
    if version not in HEADERS:
        raise ValueError(f"npy of version {version[0]}.{version[1]} holds records, not a movie")
    try:
        shape, fortran, dtype = HEADERS[version](file)
    except Exception as error:  # the header is a Python literal: whatever its parser makes of it
        raise ValueError(f"the header makes no sense ({reason(error)})") from None
    if not all(isinstance(n, int) and n >= 0 for n in shape):
        raise ValueError(f"the header claims the shape {shape}")
    return tuple(shape), bool(fortran), dtype


def _npy(path: Path) -> dict[str, StoredArray]:
    with path.open("rb") as file:
        shape, fortran, dtype = _header(file)
        offset = file.tell()

    def stream() -> Stream:
        opened = path.open("rb")
        opened.seek(offset)
        return opened

    native = dtype.newbyteorder("=")
    return {"": StoredArray(shape, dtype, native, fortran, stream, offset)}


def _member(path: Path, name: str) -> StoredArray:
    def stream() -> Stream:
        with zipfile.ZipFile(path) as archive:
            opened = archive.open(name)
        try:
            _header(cast(BinaryIO, opened))
        except BaseException:
            opened.close()
            raise
        return opened

    with zipfile.ZipFile(path) as archive, archive.open(name) as opened:
        shape, fortran, dtype = _header(cast(BinaryIO, opened))
    return StoredArray(shape, dtype, dtype.newbyteorder("="), fortran, stream, None)


def _npz(path: Path) -> dict[str, StoredArray]:
    with zipfile.ZipFile(path) as archive:
        names = [n for n in archive.namelist()[:MAX_MEMBERS] if n.endswith(".npy")]
        if not names:
            others = ", ".join(archive.namelist()[:5]) or "nothing"
            raise UserError(
                str(path),
                f"is a zip archive without npy files (it holds {others})",
                "an npz file",
                "Unpack it, and give the recording that is in it.",
            )
    return {name.removesuffix(".npy"): _member(path, name) for name in names}


def _arrays(path: Path) -> dict[str, StoredArray]:
    """Arrays of the file by name; the one of an npy file is called by an empty name."""
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"PK"
        return _npz(path) if packed else _npy(path)
    except (EOFError, RuntimeError, *STREAM_ERRORS) as error:
        raise damage(path, reason(error), 0) from None


def _is_numeric(array: StoredArray) -> bool:
    return array.dtype.kind in "uif" and array.dtype.itemsize <= 8


def _listing(arrays: dict[str, StoredArray]) -> str:
    return ", ".join(f"{k or '(the file)'} {a.shape} {a.dtype}" for k, a in arrays.items())


def _look_up(path: Path, key: str, name: str, arrays: dict[str, StoredArray]) -> StoredArray:
    found = arrays.get(name)
    if found is None:
        hint = nearest(name, arrays) or f"Set reader.{key} to one of these."
        raise UserError(f"{path}: reader.{key}", f"no array {name!r}", _listing(arrays), hint)
    return found


def _find_movie(path: Path, name: str | None, arrays: dict[str, StoredArray]) -> str:
    where = f"{path}: reader.dataset"
    if name is None or list(arrays) == [""]:
        movies = [k for k, a in arrays.items() if len(a.shape) == 3 and _is_numeric(a)]
        if len(movies) != 1 and len(arrays) > 1:
            raise UserError(
                where,
                f"not given, and the file has {len(movies)} movies (3 axes of numbers)",
                _listing(arrays),
                "Set reader.dataset to one of these.",
            )
        name = movies[0] if movies else next(iter(arrays))
    array = _look_up(path, "dataset", name, arrays)
    if array.dtype.hasobject:
        raise UserError(
            f"{path}: {name}" if name else str(path),
            "holds Python objects: opening them would run code",
            "an array of integers or floats",
            "Save the numbers: numpy.save(path, numpy.asarray(movie, float)).",
        )
    if len(array.shape) != 3 or not _is_numeric(array) or 0 in array.shape:
        raise UserError(
            where if name else str(path),
            f"{name + ' ' if name else ''}has shape {array.shape} of {array.dtype}",
            "three axes of integers or floats, none of length 0",
            f"The file holds {_listing(arrays)}.",
        )
    return name


def _stamps(
    path: Path, name: str | None, arrays: dict[str, StoredArray], frames: int
) -> np.ndarray | None:
    if name is None:
        return None
    array = _look_up(path, "time_dataset", name, arrays)
    check_stamps(path, name, array.shape, array.dtype, frames)
    try:
        return as_stamps(path, name, load(array))
    except BrokenPartError as broken:
        raise damage(path, f"{name}: {broken.why}", 0) from None


def open(path: Path, settings: Settings) -> StoredMovie:
    """Open a movie in an npy or npz file.

    Parameters
    ----------
    path : Path
    settings : Settings
        Used: `dataset` (npz; default: the only array with three axes), `time_dataset` (npz),
        `axes`, `shape`.

    Returns
    -------
    StoredMovie

    Raises
    ------
    UserError
        If the file is damaged or holds objects, or an array is missing or of the wrong shape;
        lists those there.
    """
    arrays = _arrays(path)
    name = _find_movie(path, settings.dataset, arrays)
    array = arrays[name]
    layout = find_layout(str(path), array.shape, settings)
    frames, height, width = (array.shape[axis] for axis in layout.order)
    size, itemsize = path.stat().st_size, array.dtype.itemsize
    if array.offset is None:
        refuse_absurd(path, array.shape, (height, width), itemsize, size, EXPANSION)
    else:
        # a file that was cut off may claim far more than it holds: what is there is read
        refuse_absurd(path, (1,), (height, width), itemsize, size)
    extra: dict[str, Any] = {"shape": list(array.shape), "fortran_order": array.fortran}
    if name:
        extra["dataset"] = name
    facts = Facts(
        reader="numpy",
        decoder="numpy",
        decoder_version=np.__version__,
        frames_header=frames,
        rate_hz=None,
        height=height,
        width=width,
        dtype=str(array.dtype),
        bits=8 * itemsize,
        format=f"{'npz' if name else 'npy'}, {array.dtype} ({', '.join(layout.axes)})",
        extra=extra,
    )
    time_s = _stamps(path, settings.time_dataset, arrays, frames)
    movie = StoredMovie(path, array, layout, facts, time_s)
    if settings.dataset is None and name:
        movie.notes.insert(0, f"array {name!r}, the only movie in the file")
    return movie
