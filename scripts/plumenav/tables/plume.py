"""The plume file: one row per frame, pixels as fixed-size binary, facts in the metadata.

Several kinds share the file: `movie` (frames), `signal` (frames of one pixel: an odour time series
that does not depend on position) and `analytic` (no frames; the field's constants are in the
metadata), `wind` (recorded wind: its downwind component on top of its crosswind one, mm/s).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from plumenav.errors import UserError
from plumenav.tables.files import atomic, check_schema, file_metadata, readable
from plumenav.tables.schemas import PLUME

ROW_GROUP_BYTES = 16 * 2**20
DTYPES = ("uint8", "uint16", "int16", "float32")
# What every plume says of itself; `normalize` adds provenance and quality under further keys.
REQUIRED_METADATA = (
    "kind",  # movie, analytic, signal, wind
    "height",
    "width",
    "dtype",
    "scale",  # concentration = stored * scale + offset
    "offset",
    "mm_per_px",
    "source_row",
    "source_column",
    "period_s",  # duration of one pass: last time stamp + one frame interval - first time stamp
    "field",  # name of the engine's field: movie, signal, gaussian, ...
    "field_constants",  # {name: number} for the field
    "blank",  # null or {row_start, row_stop, column_start, column_stop, frame_start, frame_stop}
)


class Block(NamedTuple):
    """Consecutive frames of a plume.

    Attributes
    ----------
    first : int
        Number of the first frame.
    time_s : ndarray, shape (n,), float64
    frames : ndarray, shape (n, height, width)
        Stored numbers; concentration = frames * scale + offset.
    """

    first: int
    time_s: np.ndarray
    frames: np.ndarray


def frames_per_row_group(height: int, width: int, itemsize: int) -> int:
    """Frames that fit in one row group (at least one)."""
    return max(1, ROW_GROUP_BYTES // (height * width * itemsize))


class PlumeWriter:
    """Write a plume block by block; the metadata may grow until the file is closed.

    Use as a context manager: the file appears under its name only when the block succeeds.

    Parameters
    ----------
    path : path
    height, width : int
    dtype : {"uint8", "uint16", "int16", "float32"}
    scale, offset : float
        concentration = stored * scale + offset; used here for the columns `mean` and `max`.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        height: int,
        width: int,
        dtype: str,
        scale: float,
        offset: float,
    ) -> None:
        if dtype not in DTYPES:
            raise UserError("storage.dtype", f"{dtype!r}", ", ".join(DTYPES))
        self.shape = (height, width)
        self.dtype = np.dtype(dtype)
        self.scale, self.offset = scale, offset
        self.metadata: dict[str, Any] = {}
        self._atomic = atomic(path)
        self._frame_bytes = height * width * self.dtype.itemsize
        self._schema = pa.schema(
            [*PLUME.arrow, pa.field("concentration", pa.binary(self._frame_bytes), nullable=False)]
        )
        self._per_group = frames_per_row_group(height, width, self.dtype.itemsize)
        # one row group is collected here, and used again: fresh memory costs more than the copy
        self._group = np.empty((self._per_group, height * width), self.dtype)
        self._rows: list[tuple[float, float, float]] = []  # time, mean, max of each frame in it
        self.n_frames = 0
        self.time_s: list[float] = []

    def __enter__(self) -> PlumeWriter:
        temporary = self._atomic.__enter__()
        self._writer = pq.ParquetWriter(
            temporary,
            self._schema,
            # recorded noise hardly compresses: zstd saves a sixth and reads at a fifth of the speed
            compression="lz4",
            use_dictionary=False,
            write_statistics=False,
        )
        return self

    def __exit__(self, *exc: Any) -> None:
        try:
            if exc[0] is None:
                self._flush()
                missing = [key for key in REQUIRED_METADATA if key not in self.metadata]
                if missing:
                    raise KeyError(f"plume metadata lacks {missing}")
                self._writer.add_key_value_metadata(
                    {k.decode(): v.decode() for k, v in file_metadata(PLUME, self.metadata).items()}
                )
        except BaseException as error:
            self._writer.close()
            self._atomic.__exit__(type(error), error, error.__traceback__)
            raise
        self._writer.close()
        self._atomic.__exit__(*exc)

    def write(self, time_s: np.ndarray, frames: np.ndarray) -> None:
        """Append frames, shape (n, height, width), in the stored dtype; they are copied."""
        if frames.shape[1:] != self.shape or frames.dtype != self.dtype:
            raise ValueError(f"got {frames.shape} {frames.dtype}, want {self.shape} {self.dtype}")
        flat = np.ascontiguousarray(frames).reshape(len(frames), -1)
        means = flat.mean(axis=1, dtype=np.float64) * self.scale + self.offset
        extreme = flat.max(axis=1) if self.scale >= 0 else flat.min(axis=1)
        maxima = extreme.astype(np.float64) * self.scale + self.offset
        self.time_s += [float(t) for t in time_s]
        rows = list(zip(self.time_s[-len(flat) :], means, maxima, strict=True))
        done = 0
        while done < len(flat):
            held = len(self._rows)
            taken = slice(done, done + self._per_group - held)
            self._group[held : held + len(flat[taken])] = flat[taken]
            self._rows += rows[taken]
            done += self._per_group - held
            if len(self._rows) == self._per_group:
                self._flush()

    def _flush(self) -> None:
        rows, self._rows = self._rows, []
        if not rows:
            return
        pixels = self._group[: len(rows)]
        column = pa.Array.from_buffers(
            pa.binary(self._frame_bytes), len(rows), [None, pa.py_buffer(pixels)]
        )
        first = self.n_frames
        arrays = [
            pa.array(np.arange(first, first + len(rows), dtype=np.int32)),
            pa.array([row[0] for row in rows], pa.float64()),
            pa.array([row[1] for row in rows], pa.float32()),
            pa.array([row[2] for row in rows], pa.float32()),
            column,
        ]
        batch = pa.Table.from_arrays(arrays, schema=self._schema)
        self._writer.write_table(batch, row_group_size=len(rows))
        self.n_frames += len(rows)


class PlumeReader:
    """Read a plume: facts at once, frames in blocks (row groups).

    Attributes
    ----------
    metadata : dict
    time_s : ndarray, shape (n_frames,), float64
    block_sizes : list of int
        Frames in each block.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = path
        with readable(path, PLUME):
            self._file = pq.ParquetFile(path)  # mapped, the whole file would count as memory
            self.metadata = check_schema(path, self._file, PLUME)
            self.time_s = (
                self._file.read(columns=["time_s"]).column("time_s").to_numpy().astype(np.float64)
            )
        self.block_sizes = [
            self._file.metadata.row_group(i).num_rows for i in range(self._file.num_row_groups)
        ]
        self.block_first = [int(first) for first in np.cumsum([0, *self.block_sizes])[:-1]]
        self.shape = (int(self.metadata["height"]), int(self.metadata["width"]))
        self.dtype = np.dtype(self.metadata["dtype"])
        if self.metadata["kind"] == "analytic":
            # one pretended frame, so that all kinds pass through the same engine
            self.time_s = np.zeros(1)
            self.block_sizes, self.block_first, self.shape = [1], [0], (1, 1)

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return sum(self.block_sizes)

    @property
    def frame_interval_s(self) -> float:
        """Median time between frames, s; 0 where there is only one."""
        if len(self.time_s) < 2:
            return 0.0
        # as np.median, which takes 10 ms to load masked arrays
        ordered = np.sort(np.diff(self.time_s))
        return float((ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2)

    def block(self, i: int) -> Block:
        """Block `i`; the pixels are a read-only view of the decoded column, not a copy."""
        first, n = self.block_first[i], self.block_sizes[i]
        time_s = self.time_s[first : first + n]
        if self.metadata["kind"] == "analytic":
            pretended = np.zeros((1, 1, 1), self.dtype)
            pretended.flags.writeable = False
            return Block(first, time_s, pretended)
        with readable(self.path, PLUME):
            group = self._file.read_row_group(i, columns=["concentration"], use_threads=False)
            column = group.column(0)
        chunk = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
        pixels = np.frombuffer(chunk.buffers()[1], self.dtype, n * self.shape[0] * self.shape[1])
        pixels.flags.writeable = False  # one kind of array, so that one compiled kernel serves
        return Block(first, time_s, pixels.reshape(n, *self.shape))

    def blocks(self) -> Iterator[Block]:
        """All blocks in order."""
        for i in range(len(self.block_sizes)):
            yield self.block(i)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> PlumeReader:
        return self

    def __exit__(self, *exc: Any) -> None:
        self.close()
