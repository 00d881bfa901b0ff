"""HDF5 files (MATLAB 7.3 files are HDF5 too): any dataset, any order of its axes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from plumenav.errors import UserError, nearest
from plumenav.recordings._contract import (
    AXES,
    BLOCK_BYTES,
    Facts,
    Frames,
    Settings,
    frames_per_block,
)

SIGNATURES = {
    "HDF5": ((0, b"\x89HDF\r\n\x1a\n"),),
    "MATLAB 7.3": ((512, b"\x89HDF\r\n\x1a\n"),),
    "HDF5 behind 1024 bytes": ((1024, b"\x89HDF\r\n\x1a\n"),),
    "HDF5 behind 2048 bytes": ((2048, b"\x89HDF\r\n\x1a\n"),),
}

# Where frames are not the slowest axis, each slab touches the whole file: fewer, larger slabs.
STRIDED_BLOCK_BYTES = 8 * BLOCK_BYTES
CHUNK_CACHE_BYTES = 64 * 2**20


def _datasets(file: h5py.File) -> dict[str, h5py.Dataset]:
    """All datasets by their path."""
    found: dict[str, h5py.Dataset] = {}

    def visit(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            found[name] = item

    file.visititems(visit)
    return found


def _listing(datasets: dict[str, h5py.Dataset]) -> str:
    """Datasets with shape and type, for messages."""
    return ", ".join(f"{name} {d.shape} {d.dtype}" for name, d in datasets.items()) or "none"


def _is_movie(dataset: h5py.Dataset) -> bool:
    return dataset.ndim == 3 and dataset.dtype.kind in "uif" and dataset.size > 0


class Hdf5:
    """An open HDF5 movie; see :class:`plumenav.recordings._contract.Recording`."""

    def __init__(self, path: Path, settings: Settings) -> None:
        self.path = path
        self.notes: list[str] = []
        try:
            self._file = h5py.File(path, "r", rdcc_nbytes=CHUNK_CACHE_BYTES)
        except OSError as error:
            raise self._unreadable(0, error) from None
        try:
            self._movie = self._find_movie(settings.dataset)
            self._order = [(settings.axes or AXES).index(axis) for axis in AXES]
            self.n_frames, height, width = (self._movie.shape[axis] for axis in self._order)
            self._time_s = self._find_time(settings.time_dataset)
        except BaseException:
            self._file.close()
            raise
        dtype = self._movie.dtype.newbyteorder("=")
        self.facts = Facts(
            reader="hdf5",
            decoder="h5py",
            decoder_version=f"{h5py.__version__} (HDF5 {h5py.version.hdf5_version})",
            frames_header=int(self.n_frames),
            rate_hz=None,
            height=int(height),
            width=int(width),
            dtype=str(dtype),
            bits=8 * dtype.itemsize,
        )

    def _find_movie(self, name: str | None) -> h5py.Dataset:
        datasets = _datasets(self._file)
        if name is None:
            movies = [key for key, dataset in datasets.items() if _is_movie(dataset)]
            if len(movies) != 1:
                raise UserError(
                    f"{self.path}: reader.dataset",
                    f"not given, and the file has {len(movies)} movies (3 axes of numbers)",
                    _listing(datasets),
                    "Set reader.dataset to one of these.",
                )
            self.notes.append(f"dataset {movies[0]!r}, the only movie in the file")
            return datasets[movies[0]]
        dataset = self._look_up("dataset", name, datasets)
        if not _is_movie(dataset):
            raise UserError(
                f"{self.path}: reader.dataset",
                f"{name!r} has shape {dataset.shape} of {dataset.dtype}",
                "three axes of integers or floats, none of length 0",
                f"The file holds {_listing(datasets)}.",
            )
        return dataset

    def _look_up(self, key: str, name: str, datasets: dict[str, h5py.Dataset]) -> h5py.Dataset:
        found = datasets.get(name.strip("/"))
        if found is None:
            hint = nearest(name.strip("/"), datasets) or f"Set reader.{key} to one of these."
            where = f"{self.path}: reader.{key}"
            raise UserError(where, f"no dataset {name!r}", _listing(datasets), hint)
        return found

    def _find_time(self, name: str | None) -> np.ndarray | None:
        if name is None:
            return None
        dataset = self._look_up("time_dataset", name, _datasets(self._file))
        if dataset.dtype.kind not in "uif" or dataset.size != self.n_frames:
            raise UserError(
                f"{self.path}: reader.time_dataset",
                f"{name!r} has shape {dataset.shape} of {dataset.dtype}",
                f"{self.n_frames} numbers, one per frame, in seconds",
                "Check reader.time_dataset, and reader.axes: which axis counts frames?",
            )
        stamps = np.asarray(dataset[()], np.float64).reshape(-1)
        if not np.isfinite(stamps).all():
            bad = int(np.flatnonzero(~np.isfinite(stamps))[0])
            where = f"{self.path}: reader.time_dataset"
            raise UserError(where, f"the stamp of frame {bad} is {stamps[bad]}", "finite seconds")
        return stamps

    def _unreadable(self, frames: int, error: Exception) -> UserError:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        return UserError(
            str(self.path),
            f"cannot be read ({reason}): {frames} frames are readable",
            "a complete HDF5 file",
            "Copy it again from where it was recorded"
            + (f", or set reader.frames: [0, {frames}]." if frames > 1 else "."),
        )

    def _frames_per_slab(self) -> int:
        height, width = self.facts.height, self.facts.width
        slowest = self._order[0] == 0
        limit = BLOCK_BYTES if slowest else STRIDED_BLOCK_BYTES
        n = frames_per_block(height, width, self._movie.dtype.itemsize, limit)
        chunk = self._movie.chunks[self._order[0]] if self._movie.chunks else 1
        # whole chunks where they fit, so that none is decompressed twice
        return max(1, n // chunk * chunk) if chunk <= n else n

    def blocks(self, first: int = 0, end: int | None = None) -> Iterator[Frames]:
        """Frames in order; see the contract."""
        stop = self.n_frames if end is None else end
        if not first < stop <= self.n_frames:
            raise UserError(
                str(self.path),
                f"holds {self.n_frames} frames",
                f"the frames [{first}, {'end' if end is None else end}) that are asked for",
                "Correct the range of frames in the config, or reader.axes.",
            )
        slab = self._frames_per_slab()
        start = first
        while start < stop:
            after = min(stop, (start // slab + 1) * slab)
            where: list[slice] = [slice(None)] * 3
            where[self._order[0]] = slice(start, after)
            try:
                raw = self._movie[tuple(where)]
            except OSError as error:
                raise self._unreadable(start, error) from None
            frames = raw.transpose(self._order).astype(self.facts.dtype, copy=False)
            stamps = None if self._time_s is None else self._time_s[start:after].copy()
            yield Frames(start, stamps, frames)
            start = after

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
        none), `axes` (their meaning in the order of the file).

    Returns
    -------
    Hdf5

    Raises
    ------
    UserError
        If the file is damaged, or a dataset is missing or of the wrong shape; lists those there.
    """
    return Hdf5(path, settings)
