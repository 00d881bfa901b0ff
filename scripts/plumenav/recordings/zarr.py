"""Zarr stores, versions 2 and 3, in a folder (needs the package zarr, an extra).

A chunk that is not there is legal in Zarr and stands for the fill value; it is counted and noted,
because a copy that lost files looks the same.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from plumenav.errors import UserError, nearest
from plumenav.recordings._axes import find_layout
from plumenav.recordings._contract import BLOCK_BYTES, Facts, Settings
from plumenav.recordings._movie import (
    STRIDED_BLOCK_BYTES,
    BrokenPartError,
    ChunkedMovie,
    as_stamps,
    check_stamps,
    damage,
    reason,
    refuse_absurd,
    slab_frames,
)

USES = ("dataset", "time_dataset", "axes")
SIGNATURES: dict[str, tuple] = {}
# Files by which a folder is known to be a store.
FOLDERS = {"Zarr 3": ("zarr.json",), "Zarr 2": (".zarray", ".zgroup")}

MAX_ARRAYS = 1000


def _package(path: Path) -> Any:
    try:
        import zarr
    except ImportError:
        raise UserError(
            str(path),
            "is a Zarr store, and the package zarr is not installed",
            "an environment with zarr 3 or newer",
            "Install it: pip install 'plumenav[zarr]'.",
        ) from None
    return zarr


def _arrays(path: Path) -> dict[str, Any]:
    """All arrays of the store by name; the store's own array is called by an empty name."""
    zarr = _package(path)
    try:
        root = zarr.open(str(path), mode="r")
        if isinstance(root, zarr.Array):
            return {"": root}
        found: dict[str, Any] = {}
        for name, member in root.members(max_depth=None):
            if isinstance(member, zarr.Array):
                found[name] = member
            if len(found) > MAX_ARRAYS:
                raise UserError(str(path), f"holds more than {MAX_ARRAYS} arrays", "a movie")
        return found
    except UserError:
        raise
    except Exception as error:  # metadata are JSON by anybody: whatever the package makes of them
        raise damage(path, reason(error), 0) from None


def _listing(arrays: dict[str, Any]) -> str:
    said = ", ".join(f"{name or '(the store)'} {a.shape} {a.dtype}" for name, a in arrays.items())
    return said or "none"


def _is_numeric(array: Any) -> bool:
    dtype = np.dtype(array.dtype)
    return dtype.kind in "uif" and dtype.itemsize <= 8


def _is_movie(array: Any) -> bool:
    return array.ndim == 3 and _is_numeric(array) and math.prod(array.shape) > 0


def _look_up(path: Path, key: str, name: str, arrays: dict[str, Any]) -> Any:
    found = arrays.get(name.strip("/"))
    if found is None:
        hint = nearest(name.strip("/"), arrays) or f"Set reader.{key} to one of these."
        where = f"{path}: reader.{key}"
        raise UserError(where, f"no array {name!r}", _listing(arrays), hint)
    return found


def _find_movie(path: Path, name: str | None, arrays: dict[str, Any]) -> tuple[str, Any]:
    movies = [key for key, array in arrays.items() if _is_movie(array)]
    where = f"{path}: reader.dataset"
    if name is None:
        if len(movies) != 1:
            raise UserError(
                where,
                f"not given, and the store has {len(movies)} movies (3 axes of numbers)",
                _listing(arrays),
                "Set reader.dataset to one of these.",
            )
        return movies[0], arrays[movies[0]]
    array = _look_up(path, "dataset", name, arrays)
    if not _is_movie(array):
        raise UserError(
            where,
            f"{name!r} has shape {array.shape} of {array.dtype}",
            "three axes of integers or floats, none of length 0",
            f"The store holds {_listing(arrays)}.",
        )
    return name.strip("/"), array


def _stamps(path: Path, name: str | None, arrays: dict[str, Any], n: int) -> np.ndarray | None:
    if name is None:
        return None
    array = _look_up(path, "time_dataset", name, arrays)
    check_stamps(path, name, array.shape, np.dtype(array.dtype), n)
    try:
        values = np.asarray(array[...])
    except Exception as error:  # any codec's complaint
        raise damage(path, f"{name}: {reason(error)}", 0) from None
    return as_stamps(path, name, values)


def _stored_bytes(path: Path) -> int:
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


class ZarrMovie(ChunkedMovie):
    """An open Zarr movie; see :class:`plumenav.recordings._contract.Recording`."""

    def __init__(self, path: Path, settings: Settings) -> None:
        arrays = _arrays(path)
        name, array = _find_movie(path, settings.dataset, arrays)
        self._array = array
        layout = find_layout(str(path), array.shape, settings)
        frames, height, width = (int(array.shape[axis]) for axis in layout.order)
        stored, dtype = _stored_bytes(path), np.dtype(array.dtype)
        unit = getattr(array, "shards", None) or array.chunks
        for part in (unit, (height, width)):
            refuse_absurd(path, array.shape, part, dtype.itemsize, stored)
        time_s = _stamps(path, settings.time_dataset, arrays, frames)
        native = dtype.newbyteorder("=")
        codecs = "; ".join(type(c).__name__ for c in array.compressors) or "uncompressed"
        facts = Facts(
            reader="zarr",
            decoder="zarr",
            decoder_version=str(_package(path).__version__),
            frames_header=frames,
            rate_hz=None,
            height=height,
            width=width,
            dtype=str(native),
            bits=8 * native.itemsize,
            format=f"Zarr {array.metadata.zarr_format}, {native} ({', '.join(layout.axes)}),"
            f" {codecs}",
            extra={
                "dataset": name,
                "shape": list(array.shape),
                "chunks": [int(n) for n in array.chunks],
            },
        )
        slab = slab_frames(
            array.shape, layout.order, unit, dtype.itemsize, BLOCK_BYTES, STRIDED_BLOCK_BYTES
        )
        super().__init__(path, facts, time_s, layout.order, slab)
        if settings.dataset is None and name:
            self.notes.append(f"array {name!r}, the only movie in the store")
        self.notes += layout.notes
        self._count_missing()

    def _count_missing(self) -> None:
        missing = int(self._array.nchunks - self._array.nchunks_initialized)
        if missing == self._array.nchunks:
            raise damage(self.path, "the store holds no chunk of the movie", 0)
        if missing > 0:
            self.facts.extra["missing_chunks"] = missing
            self.notes.append(
                f"{missing} of {self._array.nchunks} chunks are not in the store:"
                f" {self._array.fill_value} there"
            )

    def _slab(self, where: tuple[slice, ...]) -> np.ndarray:
        try:
            return np.asarray(self._array[where])
        except Exception as error:  # any codec's complaint about its bytes
            raise BrokenPartError(0, reason(error)) from None


def open(path: Path, settings: Settings) -> ZarrMovie:
    """Open a movie in a Zarr store.

    Parameters
    ----------
    path : Path
        Folder of the store.
    settings : Settings
        Used: `dataset` (default: the only array with three axes), `time_dataset`, `axes`, `shape`.

    Returns
    -------
    ZarrMovie

    Raises
    ------
    UserError
        If the package zarr is missing, the store is damaged, or an array is missing or of the
        wrong shape; lists those there.
    """
    if not path.is_dir():
        raise UserError(
            str(path),
            "is one file",
            "the folder of a Zarr store",
            "Unpack it, and give the folder that holds zarr.json, .zarray or .zgroup.",
        )
    return ZarrMovie(path, settings)
