"""The plume as the references see it: all frames in memory, own pixel arithmetic, own clock.

Written from docs/conventions.md (World, Time, Sensor), independently of the engine's fields, so
that a mistake in either shows as a disagreement.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from plumenav.tables import PlumeReader

TIME_SLACK_S = 1e-7  # absorbs rounding of time stamps, nothing else
MOVIE_ENDS = ("loop", "hold", "stop")

# (frame, row, column) -> concentration, for a point inside the arena
Sampler = Callable[[int, float, float], float]


class Arena(NamedTuple):
    """Where the recorded image lies in the world.

    Attributes
    ----------
    height, width : int
        Pixels.
    mm_per_px : float
    source_row, source_column : float
        Pixel of the odour source; integers are pixel centres.
    endless : bool
        True: nothing is ever outside (a signal does not depend on position).
    """

    height: int
    width: int
    mm_per_px: float
    source_row: float
    source_column: float
    endless: bool

    def row_column(self, x_mm: float, y_mm: float) -> tuple[float, float]:
        """Pixel (row, column) of a world position in mm; integers are pixel centres."""
        return (
            self.source_row - y_mm / self.mm_per_px,
            x_mm / self.mm_per_px + self.source_column,
        )

    def inward(self, row: float, column: float) -> float:
        """Distance to the nearest outer edge, pixels; negative outside."""
        if self.endless:
            return math.inf
        return min(row + 0.5, self.height - 0.5 - row, column + 0.5, self.width - 0.5 - column)

    def contains(self, row: float, column: float) -> bool:
        """Whether a pixel position is inside: the upper edges are outside."""
        return self.endless or (
            -0.5 <= row < self.height - 0.5 and -0.5 <= column < self.width - 0.5
        )

    def edges_mm(self) -> tuple[float, float, float, float]:
        """Outer edges (x low, x high, y low, y high), mm."""
        x_low = (-0.5 - self.source_column) * self.mm_per_px
        x_high = (self.width - 0.5 - self.source_column) * self.mm_per_px
        y_low = (self.source_row - (self.height - 0.5)) * self.mm_per_px
        y_high = (self.source_row + 0.5) * self.mm_per_px
        return x_low, x_high, y_low, y_high


class Plume(NamedTuple):
    """A plume in memory.

    Attributes
    ----------
    metadata : dict
        As stored in the file.
    arena : Arena
    time_s : ndarray, shape (n,), float64
        Time stamps of the frames.
    frames : ndarray, shape (n, height, width), stored dtype
        Concentration = frames * scale + offset, in double precision.
    """

    metadata: dict[str, Any]
    arena: Arena
    time_s: np.ndarray
    frames: np.ndarray


def read_plume(path: str | os.PathLike[str]) -> Plume:
    """Read a plume file into memory once, in its stored dtype.

    Raises
    ------
    UserError
        If the file is damaged or not a plume.
    """
    with PlumeReader(path) as reader:
        facts = reader.metadata
        frames = np.empty((reader.n_frames, *reader.shape), reader.dtype)
        for block in reader.blocks():
            frames[block.first : block.first + len(block.frames)] = block.frames
        arena = Arena(
            int(facts["height"]),
            int(facts["width"]),
            float(facts["mm_per_px"]),
            float(facts["source_row"]),
            float(facts["source_column"]),
            facts["kind"] == "signal",
        )
        return Plume(facts, arena, reader.time_s.copy(), frames)


# ------------------------------------------------------------------------------------ clock


class Clock(NamedTuple):
    """Which frame each step of a simulation sees.

    Attributes
    ----------
    frame : ndarray, shape (n_steps,), int64
    wraps : ndarray, shape (n_steps,), int64
        How often the movie had started again by then.
    ended : bool
        True: the movie ended (`stop`) before the horizon.
    """

    frame: np.ndarray
    wraps: np.ndarray
    ended: bool


def clock(plume: Plume, start_frame: int, n_steps: int, dt_s: float, movie_end: str) -> Clock:
    """Frames seen by the steps i = 0 .. n_steps - 1, at start time stamp + i * dt_s.

    Parameters
    ----------
    plume : Plume
    start_frame, n_steps : int
    dt_s : float
    movie_end : {"loop", "hold", "stop"}

    Returns
    -------
    Clock
    """
    if movie_end not in MOVIE_ENDS:
        raise ValueError(f"movie_end is {movie_end!r}; allowed: {', '.join(MOVIE_ENDS)}")
    wraps = np.zeros(n_steps, np.int64)
    if plume.metadata["kind"] == "analytic":  # does not change in time
        return Clock(np.zeros(n_steps, np.int64), wraps, False)
    stamps = plume.time_s - plume.time_s[0]
    period_s = float(plume.metadata["period_s"])
    elapsed = stamps[start_frame] + np.arange(n_steps) * dt_s
    ended = False
    if movie_end == "loop":
        wraps = np.floor((elapsed + TIME_SLACK_S) / period_s).astype(np.int64)
        elapsed = elapsed - wraps * period_s
    elif movie_end == "stop":
        over = np.flatnonzero(elapsed + TIME_SLACK_S >= period_s)
        if over.size:
            ended, elapsed, wraps = True, elapsed[: over[0]], wraps[: over[0]]
    frame = np.searchsorted(stamps, elapsed + TIME_SLACK_S, side="right") - 1
    return Clock(frame.astype(np.int64), wraps, ended)


# --------------------------------------------------------------------------------- sampling


def _uniform(constants: Mapping[str, float], x_mm: float, y_mm: float) -> float:
    return constants["level"]


def _gradient(constants: Mapping[str, float], x_mm: float, y_mm: float) -> float:
    fall = constants["slope_per_mm"] * math.hypot(x_mm, y_mm)
    return max(0.0, constants["level_at_source"] - fall)


def _gaussian(constants: Mapping[str, float], x_mm: float, y_mm: float) -> float:
    variance = constants["sigma_mm"] ** 2
    return constants["peak"] * math.exp(-(x_mm**2 + y_mm**2) / (2.0 * variance))


FORMULAS = {"uniform": _uniform, "gradient": _gradient, "gaussian": _gaussian}


def formula_sampler(plume: Plume) -> Sampler:
    """Sampler of an analytic field: the formula named in the metadata."""
    name, constants = plume.metadata["field"], plume.metadata["field_constants"]
    if name not in FORMULAS:
        raise ValueError(f"no reference for the field {name!r}; known: {', '.join(FORMULAS)}")
    formula, arena = FORMULAS[name], plume.arena

    def sample(frame: int, row: float, column: float) -> float:
        x_mm = (column - arena.source_column) * arena.mm_per_px
        y_mm = (arena.source_row - row) * arena.mm_per_px
        return formula(constants, x_mm, y_mm)

    return sample


def signal_sampler(plume: Plume) -> Sampler:
    """Sampler of a time series: the frame's single number, wherever the agent is."""
    scale, offset = float(plume.metadata["scale"]), float(plume.metadata["offset"])
    stored = plume.frames.item

    def sample(frame: int, row: float, column: float) -> float:
        return float(stored(frame, 0, 0)) * scale + offset

    return sample


def nearest_sampler(plume: Plume) -> Sampler:
    """Sampler of a movie: the pixel whose centre is nearest."""
    scale, offset = float(plume.metadata["scale"]), float(plume.metadata["offset"])
    stored = plume.frames.item

    def sample(frame: int, row: float, column: float) -> float:
        pixel = stored(frame, math.floor(row + 0.5), math.floor(column + 0.5))
        return float(pixel) * scale + offset

    return sample


def bilinear_sampler(plume: Plume) -> Sampler:
    """Sampler of a movie: between the four surrounding pixel centres, continued at the edges."""
    scale, offset = float(plume.metadata["scale"]), float(plume.metadata["offset"])
    height, width = plume.arena.height, plume.arena.width
    stored = plume.frames.reshape(-1).item  # one number is looked up faster than three

    def sample(frame: int, row: float, column: float) -> float:
        above, left = math.floor(row), math.floor(column)
        down, right = row - above, column - left
        below = above + 1 if above + 1 < height else above
        above = above if above >= 0 else 0
        c1 = left + 1 if left + 1 < width else left
        c0 = left if left >= 0 else 0
        upper_row = (frame * height + above) * width
        lower_row = (frame * height + below) * width
        upper = (1.0 - right) * stored(upper_row + c0) + right * stored(upper_row + c1)
        lower = (1.0 - right) * stored(lower_row + c0) + right * stored(lower_row + c1)
        return float((1.0 - down) * upper + down * lower) * scale + offset

    return sample


MOVIE_SAMPLERS = {"nearest": nearest_sampler, "bilinear": bilinear_sampler}


def sampler(plume: Plume, interpolation: str) -> Sampler:
    """Sampler for a plume of any kind; `interpolation` matters to movies only."""
    if interpolation not in MOVIE_SAMPLERS:
        raise ValueError(f"interpolation {interpolation!r}; known: {', '.join(MOVIE_SAMPLERS)}")
    kinds = {"analytic": formula_sampler, "signal": signal_sampler}
    return kinds.get(plume.metadata["kind"], MOVIE_SAMPLERS[interpolation])(plume)
