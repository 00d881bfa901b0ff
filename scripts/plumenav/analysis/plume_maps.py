"""Maps of a plume over time: mean, intermittency, and one frame as it was.

Computed once per recording and shared by the figures: reading a whole movie costs about a second,
reading its maps a millisecond.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from plumenav import registry
from plumenav.tables import PlumeReader, atomic
from plumenav.world import Grid, x_of_column, y_of_row

MAX_FRAMES = 1200  # evenly spaced frames that the maps are means over
NOISE_SDS = 5.0  # odour: above the mean of blank air by this many of its standard deviations


class Maps(NamedTuple):
    """Time-averaged maps of a plume.

    Attributes
    ----------
    mean : ndarray of float32, shape (height, width)
        Mean concentration.
    intermittency : ndarray of float32, shape (height, width)
        Share of frames above `threshold`; NaN if the noise is not known.
    frame : ndarray of float32, shape (height, width)
        One frame, the middle one.
    frame_time_s : float
        Its time since the first frame.
    threshold : float
        Concentration; NaN if the noise is not known.
    frames_used, n_frames : int
        Frames in the means, and in the movie.
    """

    mean: np.ndarray
    intermittency: np.ndarray
    frame: np.ndarray
    frame_time_s: float
    threshold: float
    frames_used: int
    n_frames: int


def stored_above(frames: np.ndarray, level: float) -> np.ndarray:
    """Where stored numbers exceed a level, compared in their own type.

    Integers are compared with the level rounded down, which is the same and needs no floating
    copy of the movie.
    """
    if frames.dtype.kind == "f":
        return np.asarray(frames > level)
    limits = np.iinfo(frames.dtype)
    whole = int(np.floor(level))
    if whole < limits.min:
        return np.ones(frames.shape, bool)
    if whole >= limits.max:
        return np.zeros(frames.shape, bool)
    return np.asarray(frames > frames.dtype.type(whole))


def movie_maps(reader: PlumeReader, noise: dict[str, float] | None, max_frames: int) -> Maps:
    """Maps of a movie, streaming over its blocks.

    Parameters
    ----------
    reader : PlumeReader
    noise : dict or None
        `mean` and `sd` of a pixel in blank air.
    max_frames : int
        At most about so many evenly spaced frames are used.
    """
    scale, offset = float(reader.metadata["scale"]), float(reader.metadata["offset"])
    threshold = noise["mean"] + NOISE_SDS * noise["sd"] if noise else float("nan")
    stride = max(1, -(-reader.n_frames // max_frames))
    middle = (reader.n_frames - 1) // 2
    wide = np.float64 if reader.dtype.kind == "f" else np.int64
    total = np.zeros(reader.shape, wide)
    above = np.zeros(reader.shape, np.int64)
    picture = np.zeros(reader.shape)
    used = 0
    for block in reader.blocks():
        frames = block.frames[-block.first % stride :: stride]
        total += frames.sum(axis=0, dtype=wide)
        used += len(frames)
        if noise:
            level = (threshold - offset) / scale  # scale is positive in every plume we write
            over = stored_above(frames, level)
            above += np.count_nonzero(over, axis=0)
        if block.first <= middle < block.first + len(block.frames):
            picture = block.frames[middle - block.first] * scale + offset
    mean = total / max(used, 1) * scale + offset
    share = above / max(used, 1) if noise else np.full(reader.shape, np.nan)
    return Maps(
        mean.astype(np.float32),
        share.astype(np.float32),
        picture.astype(np.float32),
        float(reader.time_s[middle] - reader.time_s[0]),
        threshold,
        used,
        reader.n_frames,
    )


def counts_hits(recording: dict[str, Any]) -> bool:
    """Whether a recording's section of the config is a field whose value is drawn: hits."""
    analytic = recording.get("analytic")
    if not analytic:
        return False
    draws: bool = registry.get("field", analytic["field"]).DRAWS
    return draws


def analytic_map(metadata: dict[str, Any]) -> np.ndarray:
    """Concentration of an analytic field at the pixel centres of its arena.

    Of a field of detections, whose value is drawn: mean hits per second.

    Parameters
    ----------
    metadata : dict
        Of a plume of kind analytic.

    Returns
    -------
    ndarray of float32, shape (height, width)
    """
    field = registry.get("field", metadata["field"])
    constants = field.Constants(**metadata["field_constants"])
    grid = Grid(
        int(metadata["height"]),
        int(metadata["width"]),
        float(metadata["mm_per_px"]),
        float(metadata["source_row"]),
        float(metadata["source_column"]),
    )
    scale, offset = float(metadata["scale"]), float(metadata["offset"])
    no_frames = np.zeros((1, 1, 1))

    def concentration(row: int, column: int) -> float:
        x_mm, y_mm = x_of_column(column, grid), y_of_row(row, grid)
        if field.DRAWS:
            return float(field.mean(x_mm, y_mm, constants))
        stored = field.value(no_frames, 0, row, column, x_mm, y_mm, False, constants, 0.0, 0.0)
        return float(stored) * scale + offset

    values = [
        [concentration(row, column) for column in range(grid.width)] for row in range(grid.height)
    ]
    return np.array(values, np.float32)


def plume_maps(path: Path, max_frames: int = MAX_FRAMES) -> Maps | None:
    """Maps of a plume file.

    Parameters
    ----------
    path : Path
        Normalized plume.
    max_frames : int
        A longer movie is sampled evenly: the means of 1200 of 3600 frames, which are correlated in
        time anyway, differ from those of all by less than a colour step.

    Returns
    -------
    Maps or None
        None for a signal, which has no place. An analytic field is constant: its mean and its
        frame are the field, its intermittency is not defined.
    """
    with PlumeReader(path) as reader:
        kind = reader.metadata["kind"]
        if kind == "signal":
            return None
        if kind == "analytic":
            field = analytic_map(reader.metadata)
            nothing = np.full(field.shape, np.nan, np.float32)
            return Maps(field, nothing, field, 0.0, float("nan"), 0, 0)
        noise = reader.metadata.get("noise")
        known = noise and noise.get("sd") is not None and noise.get("mean") is not None
        return movie_maps(reader, noise if known else None, max_frames)


def write_maps(path: Path, maps: Maps | None) -> None:
    """Write maps as .npz, atomically; no maps (a signal) make a file without arrays."""
    with atomic(path) as temporary:
        np.savez(temporary, **(maps._asdict() if maps else {}))


def read_maps(path: Path) -> Maps | None:
    """Read maps written by :func:`write_maps`."""
    with np.load(path) as file:
        if not file.files:
            return None
        content = {name: file[name] for name in Maps._fields}
    scalars = {"frame_time_s": float, "threshold": float, "frames_used": int, "n_frames": int}
    for name, kind in scalars.items():
        content[name] = kind(content[name])
    return Maps(**content)
