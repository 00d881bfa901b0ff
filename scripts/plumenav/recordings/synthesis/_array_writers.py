"""Recordings as arrays of numbers: HDF5, MATLAB 7.3, NumPy, TIFF."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

import numpy as np

from plumenav.errors import UserError
from plumenav.recordings.synthesis._contract import WHERE
from plumenav.recordings.synthesis._file_writer import FileWriter
from plumenav.recordings.synthesis._params import FileParams

LARGEST_TIFF = 2**32 - 2**25  # bytes of pixels; above, offsets need 64 bits: BigTIFF


class Hdf5Writer(FileWriter):
    """One float32 dataset (frame, row, column), contiguous, without attributes or time stamps."""

    dtype = np.dtype(np.float32)
    suffixes: ClassVar[tuple[str, ...]] = (".h5", ".hdf5")
    batch = 8  # frames per write: fewer are slower, more leave the processor's cache

    def __init__(self, path: Path, settings: FileParams) -> None:
        super().__init__(path, settings)
        self._block = np.empty((self.batch, *self._shape[1:]), np.float32)
        self._done = self._waiting = 0

    def _open(self, temporary: Path) -> None:
        import h5py

        self._file = h5py.File(temporary, "w")
        self._data = self._file.create_dataset(self._settings.dataset, self._shape, np.float32)

    def write(self, frame: np.ndarray) -> None:
        """Append one frame, shape (height, width), float32."""
        self._block[self._waiting] = frame
        self._waiting += 1
        if self._waiting == self.batch:
            self._flush()

    def _flush(self) -> None:
        if self._waiting:
            last = self._done + self._waiting
            self._store(self._done, last, self._block[: self._waiting])
            self._done, self._waiting = last, 0

    def _store(self, first: int, last: int, frames: np.ndarray) -> None:
        self._data[first:last] = frames

    def _finish(self) -> None:
        self._flush()

    def _close(self) -> None:
        self._file.close()


class MatWriter(Hdf5Writer):
    """MATLAB 7.3: a variable (row, column, frame) of class single.

    Such a file is HDF5 behind a block of 512 bytes that says so. MATLAB counts axes from the
    fastest, HDF5 from the slowest: (row, column, frame) in MATLAB is (frame, column, row) here.
    """

    suffixes = (".mat",)

    def __init__(self, path: Path, settings: FileParams) -> None:
        super().__init__(path, settings)
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,62}", settings.dataset):
            raise UserError(
                f"{WHERE}.dataset",
                f"{settings.dataset!r} is not a name that MATLAB allows",
                "a letter, then up to 62 letters, digits or underscores",
            )

    def _open(self, temporary: Path) -> None:
        import h5py

        self._temporary = temporary
        self._file = h5py.File(temporary, "w", userblock_size=512)
        n, height, width = self._shape
        self._data = self._file.create_dataset(
            self._settings.dataset, (n, width, height), np.float32
        )
        self._data.attrs["MATLAB_class"] = np.bytes_("single")

    def _store(self, first: int, last: int, frames: np.ndarray) -> None:
        self._data[first:last] = frames.transpose(0, 2, 1)

    def _finish(self) -> None:
        super()._finish()
        self._file.close()
        # MATLAB writes a date there; the same recording must be the same bytes
        text = b"MATLAB 7.3 MAT-file, HDF5 schema 1.00 ."
        version, byte_order = b"\x00\x02", b"IM"
        with open(self._temporary, "r+b") as file:
            file.write(text.ljust(116) + bytes(8) + version + byte_order)


class NpyWriter(FileWriter):
    """NumPy's format 1.0: float32 (frame, row, column), C order."""

    dtype = np.dtype(np.float32)
    suffixes = (".npy",)

    def _open(self, temporary: Path) -> None:
        self._file: BinaryIO = open(temporary, "wb")  # noqa: SIM115 - _close does
        descr = np.lib.format.dtype_to_descr(self.dtype)
        header = {"descr": descr, "fortran_order": False, "shape": self._shape}
        np.lib.format.write_array_header_1_0(self._file, header)

    def write(self, frame: np.ndarray) -> None:
        """Append one frame, shape (height, width), float32."""
        self._file.write(frame.tobytes())

    def _close(self) -> None:
        self._file.close()


class TiffWriter(FileWriter):
    """Uncompressed 16-bit gray pages, one per frame; BigTIFF where 32-bit offsets do not reach.

    No description, date or resolution: a microscope's tags would be guesses here.
    """

    dtype = np.dtype(np.uint16)
    suffixes = (".tif", ".tiff")

    def _open(self, temporary: Path) -> None:
        import tifffile

        size = int(np.prod(self._shape, dtype=np.int64)) * self.dtype.itemsize
        self._file: Any = tifffile.TiffWriter(temporary, bigtiff=size > LARGEST_TIFF)

    def write(self, frame: np.ndarray) -> None:
        """Append one frame, shape (height, width), uint16."""
        self._file.write(
            frame, contiguous=False, photometric="minisblack", metadata=None, software=False
        )

    def _close(self) -> None:
        self._file.close()
