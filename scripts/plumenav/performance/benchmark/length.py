"""Peak memory of normalizing a movie, and one ten times longer: it must not grow.

The movies are real HDF5 files of 1200 x 2048 pixels. A blob drifts downwind through clean air; its
few distinct frames are stored compressed, again and again, so that 49 GB of pixels take little room
while every frame is decompressed, normalized and written.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from plumenav.performance.benchmark import measure
from plumenav.performance.benchmark._contract import Judged, Ratio, Scope, Seen, Timed, Variant
from plumenav.performance.benchmark.normalization import normalize as _normalize
from plumenav.tables import atomic

HEIGHT, WIDTH = 1200, 2048
FRAMES = {False: (2_000, 20_000), True: (100, 1_000)}  # by `quick`
DISTINCT = 32
AIR, SOURCE = 10, 200  # gray levels
GROWTH, MEMORY_MB = 1.10, 500.0


def repetitions(scope: Scope) -> int:
    """How often each movie is normalized: peaks hardly vary, and the long movie takes minutes."""
    return 2 if scope.full else 1


def prepare(scope: Scope) -> list[Variant]:
    """The short movie and the long one."""
    variants = []
    for name, frames in zip(("short", "long"), FRAMES[scope.quick], strict=True):
        path = scope.folder / "recordings" / f"length_{frames}.h5"
        if not path.exists():
            arguments = {"path": str(path), "frames": frames}
            measure.in_process(Variant(name, "length:make", arguments))
        arguments = {"source": str(path), "plume": str(scope.folder / "plumes" / f"{name}.parquet")}
        variants.append(Variant(name, "length:normalize", arguments))
    return variants


def judge(seen: Seen) -> Judged:
    """Peak of the long movie over that of the short one, and the larger of the two."""
    short, long = seen.values("short", "peak_mb"), seen.values("long", "peak_mb")
    return {
        "length_memory_ratio": Ratio(long / short, "1", GROWTH),
        "length_memory_peak_mb": Ratio(np.maximum(long, short), "MB", MEMORY_MB),
    }


# ------------------------------------------------------------------------------------- tasks


def image(number: int) -> np.ndarray:
    """One of the distinct frames, shape (1200, 2048), uint8."""
    row, column = np.arange(HEIGHT)[:, None], np.arange(WIDTH)
    centre = 100 + (WIDTH - 200) * number / DISTINCT
    blob = np.exp(-(((row - HEIGHT / 2) / 90) ** 2 + ((column - centre) / 120) ** 2))
    # steps of 8 gray levels leave long runs, which compress
    return np.asarray(AIR + np.round((SOURCE - AIR) * blob / 8) * 8).astype(np.uint8)


def make(path: str, frames: int) -> Timed:
    """Task: write a movie of that many frames."""
    import h5py

    def write() -> dict[str, float]:
        with (
            h5py.File("distinct", "w", driver="core", backing_store=False) as memory,
            atomic(path) as unnamed,
            h5py.File(unnamed, "w", libver="latest") as file,
        ):
            how: dict[str, Any] = {
                "chunks": (1, HEIGHT, WIDTH),
                "dtype": "u1",
                "compression": "lzf",
            }
            distinct = memory.create_dataset("movie", (DISTINCT, HEIGHT, WIDTH), **how)
            for number in range(DISTINCT):
                distinct[number] = image(number)
            chunks = [distinct.id.read_direct_chunk((n, 0, 0)) for n in range(DISTINCT)]
            movie = file.create_dataset("movie", (frames, HEIGHT, WIDTH), **how)
            for number in range(frames):
                skipped, chunk = chunks[number % DISTINCT]
                movie.id.write_direct_chunk((number, 0, 0), chunk, skipped)
        return {"file_bytes": Path(path).stat().st_size}

    return write


def settings(path: Path) -> dict[str, Any]:
    """What normalization is told of such a movie."""
    return {
        "path": path.name,
        "reader": {"name": "hdf5", "dataset": "movie", "axes": ["frame", "row", "column"]},
        "frame_rate_hz": 60.0,
        "mm_per_px": 0.2,
        "source_px": {"row": HEIGHT / 2, "column": 100},
        "wind_toward": "+column",
        "normalize": {"calibration": {"zero": AIR, "one": SOURCE}},
    }


def normalize(source: str, plume: str) -> Timed:
    """Task: such a movie becomes a plume, which is removed in the end."""
    timed = _normalize(settings(Path(source)), source, plume)

    def run() -> dict[str, float]:
        details = dict(timed())
        details["file_bytes"] = Path(plume).stat().st_size
        Path(plume).unlink()
        return details

    return run
