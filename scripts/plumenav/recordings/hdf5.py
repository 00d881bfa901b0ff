"""HDF5 files (MATLAB 7.3 files are HDF5 too): any dataset, any order of its axes.

A file is data: what would make another file be read (external links, external storage, virtual
datasets) is refused.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from plumenav.errors import UserError, nearest
from plumenav.recordings._axes import Layout, find_layout
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
SIGNATURES = {
    "HDF5": ((0, b"\x89HDF\r\n\x1a\n"),),
    "HDF5 behind 512 bytes": ((512, b"\x89HDF\r\n\x1a\n"),),
    "HDF5 behind 1024 bytes": ((1024, b"\x89HDF\r\n\x1a\n"),),
    "HDF5 behind 2048 bytes": ((2048, b"\x89HDF\r\n\x1a\n"),),
}

DECODER = "h5py", f"{h5py.__version__} (HDF5 {h5py.version.hdf5_version})"
CHUNK_CACHE_BYTES = 64 * 2**20
# Objects that are looked at, and named in a message.
MAX_OBJECTS, MAX_NAMED = 10_000, 30
# What the library raises on a damaged file.
ERRORS = (OSError, RuntimeError, ValueError, KeyError, TypeError, MemoryError, OverflowError)


def open_file(path: Path) -> h5py.File:
    """Open an HDF5 file for reading.

    Raises
    ------
    DamageError
        If it cannot be opened.
    """
    try:
        return h5py.File(path, "r", rdcc_nbytes=CHUNK_CACHE_BYTES)
    except ERRORS as error:
        raise damage(path, reason(error), 0) from None


def datasets_in(file: h5py.File, path: Path) -> dict[str, h5py.Dataset]:
    """All datasets by their path, without following links; MATLAB's own (#refs#) are left out.

    Raises
    ------
    UserError
        If there are more than 10,000 objects, or the file is damaged.
    """
    found: dict[str, h5py.Dataset] = {}
    seen = 0

    def visit(name: str, item: Any) -> bool | None:
        nonlocal seen
        seen += 1
        if isinstance(item, h5py.Dataset) and not name.startswith("#"):
            found[name] = item
        return True if seen > MAX_OBJECTS else None

    try:
        stopped = file.visititems(visit)
    except ERRORS as error:
        raise damage(path, reason(error), 0) from None
    if stopped:
        raise UserError(str(path), f"holds more than {MAX_OBJECTS} objects", "a movie and a few")
    return found


def listing(datasets: dict[str, h5py.Dataset]) -> str:
    """Datasets with shape and type, for messages."""
    named = [f"{name} {d.shape} {d.dtype}" for name, d in datasets.items()]
    more = f", and {len(named) - MAX_NAMED} more" if len(named) > MAX_NAMED else ""
    return ", ".join(named[:MAX_NAMED]) + more or "none"


def is_numeric(dtype: np.dtype) -> bool:
    """True for the integers and floats that a movie can consist of."""
    return dtype.kind in "uif" and dtype.itemsize <= 8


def _link_elsewhere(file: h5py.File, name: str) -> str | None:
    """What a name passes through that leads out of its place, if anything."""
    parts = name.strip("/").split("/")
    for depth in range(1, len(parts) + 1):
        link = file.get("/".join(parts[:depth]), getlink=True)
        if isinstance(link, h5py.ExternalLink):
            return f"a link to another file, {link.filename!r}"
        if isinstance(link, h5py.SoftLink):
            return f"a link to {link.path!r}"
        if link is None:
            return None
    return None


def look_up(
    file: h5py.File, path: Path, key: str, name: str, datasets: dict[str, h5py.Dataset]
) -> h5py.Dataset:
    """A dataset by its name.

    Raises
    ------
    UserError
        If there is none, or it lies elsewhere; lists those there.
    """
    where = f"{path}: reader.{key}"
    found = datasets.get(name.strip("/"))
    if found is None:
        link = _link_elsewhere(file, name)
        if link is not None:
            raise UserError(
                where,
                f"{name!r} is {link}",
                "datasets inside this file: " + listing(datasets),
                "Give the file and the dataset that it points to.",
            )
        hint = nearest(name.strip("/"), datasets) or f"Set reader.{key} to one of these."
        raise UserError(where, f"no dataset {name!r}", listing(datasets), hint)
    if found.external or found.is_virtual:
        raise UserError(
            where,
            f"the numbers of {name!r} are in other files",
            "a dataset whose numbers are inside this file",
            "Copy it into one file (h5repack).",
        )
    return found


def is_movie(dataset: h5py.Dataset) -> bool:
    """True for three axes of numbers."""
    return dataset.ndim == 3 and is_numeric(dataset.dtype) and dataset.size > 0


def bits_of(dataset: h5py.Dataset) -> int:
    """Bits that the file declares significant (an HDF5 type may be 12 bits of 16)."""
    if dataset.dtype.kind == "f":
        return 8 * int(dataset.dtype.itemsize)
    return int(dataset.id.get_type().get_precision())


def _check_filters(dataset: h5py.Dataset, path: Path) -> None:
    """Refuse a compression that this library lacks: the file itself may be sound."""
    plan = dataset.id.get_create_plist()
    for k in range(plan.get_nfilters()):
        code, _, _, name = plan.get_filter(k)
        if not h5py.h5z.filter_avail(code):
            said = name.decode("ascii", "replace") or "unnamed"
            raise UserError(
                f"{path}: {dataset.name}",
                f"is packed by the filter {code} ({said}), which is not installed",
                "gzip, lzf, szip, or uncompressed",
                "Repack it where it was written: h5repack -f GZIP=4 old.h5 new.h5.",
            )


class Hdf5(ChunkedMovie):
    """An open HDF5 movie; see :class:`plumenav.recordings._contract.Recording`.

    Parameters
    ----------
    path : Path
    settings : Settings
    reader, container : str
        How the facts name it: MATLAB 7.3 files come through here, too.
    """

    def __init__(
        self, path: Path, settings: Settings, reader: str = "hdf5", container: str = "HDF5"
    ) -> None:
        self.path = path
        notes: list[str] = []
        self._file = open_file(path)
        try:
            datasets = datasets_in(self._file, path)
            movie = self._movie = self._find_movie(settings.dataset, datasets, notes)
            stored = self._check_storage(movie, notes)
            layout = find_layout(str(path), movie.shape, settings)
            order = layout.order
            slab = slab_frames(
                movie.shape,
                order,
                movie.chunks,
                movie.dtype.itemsize,
                BLOCK_BYTES,
                STRIDED_BLOCK_BYTES,
            )
            facts = self._facts(movie, layout, reader, container)
            facts.extra.update(stored)
            facts.extra["one_number_per_frame"] = [
                key
                for key, dataset in datasets.items()
                if dataset.dtype.kind in "uif" and dataset.size == facts.frames_header
            ]
            time_s = self._stamps(settings.time_dataset, datasets, movie.shape[order[0]])
        except ERRORS as error:
            self._file.close()
            raise damage(path, reason(error), 0) from None
        except BaseException:
            self._file.close()
            raise
        super().__init__(path, facts, time_s, order, slab)
        self.notes += notes + layout.notes

    def _find_movie(
        self, name: str | None, datasets: dict[str, h5py.Dataset], notes: list[str]
    ) -> h5py.Dataset:
        where = f"{self.path}: reader.dataset"
        if name is None:
            movies = [key for key, dataset in datasets.items() if is_movie(dataset)]
            if len(movies) != 1:
                raise UserError(
                    where,
                    f"not given, and the file has {len(movies)} movies (3 axes of numbers)",
                    listing(datasets),
                    "Set reader.dataset to one of these.",
                )
            name = movies[0]
            notes.append(f"dataset {name!r}, the only movie in the file")
        dataset = look_up(self._file, self.path, "dataset", name, datasets)
        if not is_movie(dataset):
            raise UserError(
                where,
                f"{name!r} has shape {dataset.shape} of {dataset.dtype}",
                "three axes of integers or floats, none of length 0",
                f"The file holds {listing(datasets)}.",
            )
        return dataset

    def _check_storage(self, movie: h5py.Dataset, notes: list[str]) -> dict[str, int]:
        """Refuse what cannot be true; count what was never written."""
        _check_filters(movie, self.path)
        unit = movie.chunks or tuple(min(1, n) for n in movie.shape)
        file_bytes = self.path.stat().st_size
        refuse_absurd(self.path, movie.shape, unit, movie.dtype.itemsize, file_bytes)
        if not movie.chunks:
            if movie.id.get_storage_size() == 0:
                raise damage(self.path, f"{movie.name!r} was never written", 0)
            return {}
        chunks = math.prod(-(-n // c) for n, c in zip(movie.shape, movie.chunks, strict=True))
        written = int(movie.id.get_num_chunks())
        if written == 0:
            raise damage(self.path, f"{movie.name!r} was never written", 0)
        if written == chunks:
            return {}
        notes.append(
            f"{chunks - written} of {chunks} chunks were never written: {movie.fillvalue} there"
        )
        return {"missing_chunks": chunks - written}

    def _facts(self, movie: h5py.Dataset, layout: Layout, reader: str, container: str) -> Facts:
        frames, height, width = (int(movie.shape[axis]) for axis in layout.order)
        refuse_absurd(
            self.path, movie.shape, (height, width), movie.dtype.itemsize, self.path.stat().st_size
        )
        dtype = movie.dtype.newbyteorder("=")
        packed = f", {movie.compression}" if movie.compression else ""
        return Facts(
            reader=reader,
            decoder=DECODER[0],
            decoder_version=DECODER[1],
            frames_header=frames,
            rate_hz=None,
            height=height,
            width=width,
            dtype=str(dtype),
            bits=bits_of(movie),
            format=f"{container}, {dtype} ({', '.join(layout.axes)}){packed}",
            extra={
                "dataset": str(movie.name).strip("/"),
                "shape": [int(n) for n in movie.shape],
                "chunks": [int(n) for n in movie.chunks] if movie.chunks else None,
            },
        )

    def _stamps(
        self, name: str | None, datasets: dict[str, h5py.Dataset], n_frames: int
    ) -> np.ndarray | None:
        if name is None:
            return None
        dataset = look_up(self._file, self.path, "time_dataset", name, datasets)
        check_stamps(self.path, name, dataset.shape, dataset.dtype, n_frames)
        return as_stamps(self.path, name, np.asarray(dataset[()]))

    def _slab(self, where: tuple[slice, ...]) -> np.ndarray:
        try:
            return np.asarray(self._movie[where])
        except ERRORS as error:
            raise BrokenPartError(where[0].start or 0, reason(error)) from None

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def open(path: Path, settings: Settings) -> Hdf5:
    """Open a movie in an HDF5 file.

    Parameters
    ----------
    path : Path
    settings : Settings
        Used: `dataset` (default: the only one with three axes), `time_dataset` (seconds; default
        none), `axes` (their meaning in the order of the file), `shape`.

    Returns
    -------
    Hdf5

    Raises
    ------
    UserError
        If the file is damaged, or a dataset is missing or of the wrong shape; lists those there.
    """
    return Hdf5(path, settings)
