"""MATLAB files: levels 4, 5 (versions 5 to 7.2) and 7.3 (HDF5); one movie, or a frame per file.

MATLAB counts axes in the reverse order of h5py: what `size` calls (rows, columns, frames) in MATLAB
is (frame, column, row) in a 7.3 file as h5py gives it, and (row, column, frame) in a level-5 file.
"""

from __future__ import annotations

from glob import escape
from pathlib import Path
from typing import NamedTuple

import numpy as np

from plumenav.errors import UserError, nearest
from plumenav.recordings import _mat4, _mat5, hdf5
from plumenav.recordings._axes import find_layout
from plumenav.recordings._contract import Facts, Settings
from plumenav.recordings._files import FileSequence, at_least_two, frames_in, kind_of
from plumenav.recordings._mat5 import Variable
from plumenav.recordings._movie import (
    BrokenPartError,
    Movie,
    as_stamps,
    check_stamps,
    damage,
    reason,
    refuse_absurd,
)
from plumenav.recordings._stored import StoredArray, StoredMovie, load

# Level 4 has no mark: a code of the type, no imaginary part, and a short name are all there is.
USES = ("dataset", "time_dataset", "axes")
SIGNATURES = FRAME_FILES = {  # a file is a movie, or one frame of a folder
    "MATLAB 5": ((0, b"MATLAB 5.0 MAT-file"),),
    "MATLAB 7.3": ((0, b"MATLAB 7.3 MAT-file"), (512, b"\x89HDF\r\n\x1a\n")),
    "MATLAB 4": ((0, b"\x00\x00\x00\x00"), (12, b"\x00\x00\x00\x00"), (17, b"\x00\x00\x00")),
    "MATLAB 4, single": (
        (0, b"\x0a\x00\x00\x00"),
        (12, b"\x00\x00\x00\x00"),
        (17, b"\x00\x00\x00"),
    ),
    "MATLAB 4, int32": ((0, b"\x14\x00\x00\x00"), (12, b"\x00\x00\x00\x00"), (17, b"\x00\x00\x00")),
    "MATLAB 4, int16": ((0, b"\x1e\x00\x00\x00"), (12, b"\x00\x00\x00\x00"), (17, b"\x00\x00\x00")),
    "MATLAB 4, uint16": (
        (0, b"\x28\x00\x00\x00"),
        (12, b"\x00\x00\x00\x00"),
        (17, b"\x00\x00\x00"),
    ),
    "MATLAB 4, uint8": ((0, b"\x32\x00\x00\x00"), (12, b"\x00\x00\x00\x00"), (17, b"\x00\x00\x00")),
    "MATLAB 4, big-endian": ((0, b"\x00\x00\x03\xe8"), (12, b"\x00\x00\x00\x00\x00\x00\x00")),
}
# deflate packs 1032 : 1 at best
EXPANSION = 1100
REVERSED = (
    "taken as (frame, row, column) in the order of {library}; MATLAB's own order"
    " (rows, columns, frames) would be reader.axes: [{own}]"
)


class _Found(NamedTuple):
    """Variables of a file of level 4 or 5, for messages."""

    path: Path
    variables: dict[str, Variable]
    fault: str

    def listing(self) -> str:
        said = [f"{v.name} {v.shape} {v.kind}" for v in self.variables.values()]
        return ", ".join(said[:30]) or "none"

    def array(self, key: str, name: str) -> StoredArray:
        """A numeric variable by name."""
        where = f"{self.path}: reader.{key}"
        found = self.variables.get(name)
        if found is None:
            if self.fault:
                raise damage(self.path, self.fault, 0)
            hint = nearest(name, self.variables) or f"Set reader.{key} to one of these."
            raise UserError(where, f"no variable {name!r}", self.listing(), hint)
        if found.array is None:
            raise UserError(
                where,
                f"{name!r} is {found.shape} of {found.kind}",
                "an array of real numbers",
                "Save the numbers alone: objects, cells, structures and function handles are not"
                f" opened. The file holds {self.listing()}.",
            )
        return found.array

    def only(self, axes: int) -> str:
        """Name of the only numeric variable with so many axes (2: more than a row or column)."""
        names = [
            name
            for name, v in self.variables.items()
            if v.array is not None and len(v.shape) == axes and min(v.shape[:2]) > 1
        ]
        if len(names) == 1:
            return names[0]
        if not names and self.fault:
            raise damage(self.path, self.fault, 0)
        raise UserError(
            f"{self.path}: reader.dataset",
            f"not given, and the file has {len(names)} variables of {axes} axes of numbers",
            self.listing(),
            "Set reader.dataset to one of these; if the file is one frame of many, give the"
            " folder, or a pattern (*.mat).",
        )


def _level_of(path: Path) -> str:
    """Level of a file by its content: 4, 5 or 7.3."""
    form = kind_of(path, FRAME_FILES) or "MATLAB 5"
    return form.split(",")[0].removeprefix("MATLAB ")


def _look_through(path: Path) -> _Found:
    """Variables of a file of level 4 or 5."""
    room = _mat4 if _level_of(path) == "4" else _mat5
    try:
        return _Found(path, *room.variables(path))
    except BrokenPartError as broken:
        raise damage(path, broken.why, broken.readable) from None


def _decoder(level: str) -> tuple[str, str]:
    if level == "7.3":
        return hdf5.DECODER
    return "plumenav", f"1 (MAT-file level {level})"


def _one_file(path: Path, settings: Settings) -> Movie:
    """A movie in one file of level 5 (4 has no arrays of three axes)."""
    found = _look_through(path)
    name = settings.dataset or found.only(3)
    array = found.array("dataset", name)
    if len(array.shape) != 3:
        raise UserError(
            f"{path}: reader.dataset",
            f"{name!r} has shape {array.shape}",
            "three axes of numbers",
            "If it is one frame of many, give the folder, or a pattern (*.mat)."
            f" The file holds {found.listing()}.",
        )
    layout = find_layout(str(path), array.shape, settings)
    frames, height, width = (array.shape[axis] for axis in layout.order)
    size, expansion = path.stat().st_size, EXPANSION if array.offset is None else 2
    if array.offset is None:
        refuse_absurd(path, array.shape, (height, width), 8, size, expansion)
    else:
        # a file that was cut off may claim far more than it holds: what is there is read
        refuse_absurd(path, (1,), (height, width), 8, size)
    time_s = None
    if settings.time_dataset is not None:
        stamps = found.array("time_dataset", settings.time_dataset)
        check_stamps(path, settings.time_dataset, stamps.shape, stamps.dtype, frames)
        try:
            time_s = as_stamps(path, settings.time_dataset, load(stamps))
        except BrokenPartError as broken:
            raise damage(path, f"{settings.time_dataset}: {broken.why}", 0) from None
    decoder, version = _decoder("5")
    packed = "deflate" if array.offset is None else "uncompressed"
    facts = Facts(
        reader="mat",
        decoder=decoder,
        decoder_version=version,
        frames_header=frames,
        rate_hz=None,
        height=height,
        width=width,
        dtype=str(array.dtype),
        bits=8 * array.dtype.itemsize,
        format=f"MATLAB 5, {array.dtype} ({', '.join(layout.axes)}), {packed}",
        extra={"dataset": name, "shape": list(array.shape)},
    )
    movie = StoredMovie(path, array, layout, facts, time_s)
    if settings.dataset is None:
        movie.notes.insert(0, f"variable {name!r}, the only movie in the file")
    if settings.axes is None and not any(settings.shape):
        movie.notes.append(REVERSED.format(library="the file", own="row, column, frame"))
    return movie


class _Folder(FileSequence):
    """A folder of MATLAB files with one frame each."""

    def __init__(self, path: Path, settings: Settings) -> None:
        files = list(frames_in(path, settings.pattern, FRAME_FILES)[0])
        at_least_two(path, files, settings.shape[0])
        self._settings = settings
        self._level = _level_of(files[0])
        self._name = settings.dataset or self._only(files[0])
        try:
            image = self._load(files[0])
        except BrokenPartError as broken:
            raise damage(path, f"{files[0].name}: {broken.why}", 0, len(files)) from None
        decoder, version = _decoder(self._level)
        facts = Facts(
            reader="mat",
            decoder=decoder,
            decoder_version=version,
            frames_header=len(files),
            rate_hz=None,
            height=image.shape[0],
            width=image.shape[1],
            dtype=str(image.dtype),
            bits=8 * image.dtype.itemsize,
            format=f"MATLAB {self._level} sequence, {image.dtype}",
            extra={
                "dataset": self._name,
                "first_file": files[0].name,
                "last_file": files[-1].name,
            },
        )
        super().__init__(path, files, facts)
        if settings.dataset is None:
            self.notes.append(f"variable {self._name!r}, the only image in the first file")

    def _only(self, file: Path) -> str:
        if self._level != "7.3":
            return _look_through(file).only(2)
        with hdf5.open_file(file) as opened:
            there = hdf5.datasets_in(opened, file)
            names = [k for k, d in there.items() if d.ndim == 2 and min(d.shape) > 1]
            names = [k for k in names if hdf5.is_numeric(there[k].dtype)]
            if len(names) == 1:
                return names[0]
            raise UserError(
                f"{file}: reader.dataset",
                f"not given, and the file has {len(names)} variables of 2 axes of numbers",
                hdf5.listing(there),
                "Set reader.dataset to one of these.",
            )

    def _load(self, file: Path) -> np.ndarray:
        if _level_of(file) == "7.3":
            return self._load_73(file)
        found = _look_through(file)
        array = found.array("dataset", self._name)
        self._check(file, array.shape, array.dtype)
        image = load(array)
        return np.ascontiguousarray(image.T if self._turned(("row", "column")) else image)

    def _load_73(self, file: Path) -> np.ndarray:
        with hdf5.open_file(file) as opened:
            there = hdf5.datasets_in(opened, file)
            dataset = hdf5.look_up(opened, file, "dataset", self._name, there)
            self._check(file, dataset.shape, dataset.dtype)
            try:
                image = np.asarray(dataset[()]).astype(dataset.dtype.newbyteorder("="))
            except hdf5.ERRORS as error:
                raise BrokenPartError(0, reason(error)) from None
        return np.ascontiguousarray(image.T if self._turned(("column", "row")) else image)

    def _turned(self, own: tuple[str, str]) -> bool:
        """True if columns come first; `own`: what MATLAB's order is in this library."""
        declared = self._settings.axes
        axes = own if declared is None else tuple(a for a in declared if a != "frame")
        return axes == ("column", "row")

    def _check(self, file: Path, shape: tuple[int, ...], dtype: np.dtype) -> None:
        if len(shape) != 2 or not hdf5.is_numeric(dtype):
            raise UserError(
                f"{file}: reader.dataset",
                f"{self._name!r} has shape {shape} of {dtype}",
                "two axes of numbers, where every file is a frame",
                "If the file is the whole movie, give it as `path`.",
            )
        refuse_absurd(file, shape, shape, dtype.itemsize, file.stat().st_size, EXPANSION)


def open(path: Path, settings: Settings) -> Movie:
    """Open a movie in a MATLAB file, or in a folder of files with one frame each.

    Parameters
    ----------
    path : Path
    settings : Settings
        Used: `dataset` (the variable; default: the only movie, or the only image of each file),
        `time_dataset`, `axes` (in the order of the file as numpy or h5py gives it), `shape`,
        `pattern` (which files of a folder).

    Returns
    -------
    Movie

    Raises
    ------
    UserError
        If the file is damaged, or a variable is missing or is no array of numbers; lists those
        there.
    """
    if path.is_dir():
        return _Folder(path, settings)
    if settings.shape[0] == 1:
        return _Folder(path.parent, settings._replace(pattern=escape(path.name)))
    if _level_of(path) != "7.3":
        return _one_file(path, settings)
    movie = hdf5.Hdf5(path, settings, "mat", "MATLAB 7.3")
    if settings.axes is None and not any(settings.shape):
        movie.notes.append(REVERSED.format(library="h5py", own="frame, column, row"))
    return movie
