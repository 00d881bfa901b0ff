"""The plume as the references see it: all frames in memory, own pixel arithmetic, own clock.

Written from docs/conventions.md (World, Time, Sensor), independently of the engine's fields, so
that a mistake in either shows as a disagreement.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np

from plumenav.tables import PlumeReader

TIME_SLACK_S = 1e-7  # absorbs rounding of time stamps, nothing else
MOVIE_ENDS = ("loop", "hold", "stop")


class Chance(NamedTuple):
    """What decides the number of hits in one step: a uniform number, and the step's length."""

    uniform: float
    dt_s: float


class Sampler(Protocol):
    """Concentration at (frame, row, column), for a point inside the arena."""

    def __call__(
        self, frame: int, row: float, column: float, chance: Chance | None = None
    ) -> float:
        """Concentration, or hits in the step that `chance` belongs to."""
        ...


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
    winds : ndarray, shape (n or 1, 2, height, width), optional
        Recorded wind, mm/s.
    """

    metadata: dict[str, Any]
    arena: Arena
    time_s: np.ndarray
    frames: np.ndarray
    winds: np.ndarray | None = None

    def wind(self, frame: int, x_mm: float, y_mm: float) -> tuple[float, float]:
        """Recorded wind (x, y) at a place, mm/s, linear between the centres of pixels.

        Beyond the outermost centres their wind goes on. A single frame is a steady wind.
        """
        if self.winds is None:
            raise ValueError("this plume has no recorded wind")
        field = self.winds[min(frame, len(self.winds) - 1)]
        row, column = self.arena.row_column(x_mm, y_mm)
        row = min(max(row, 0.0), field.shape[1] - 1.0)
        column = min(max(column, 0.0), field.shape[2] - 1.0)
        above, left = int(row), int(column)
        below = min(above + 1, field.shape[1] - 1)
        right = min(left + 1, field.shape[2] - 1)
        down, over = row - above, column - left
        corners = field[:, [above, above, below, below], [left, right, left, right]]
        weights = [
            (1.0 - down) * (1.0 - over),
            (1.0 - down) * over,
            down * (1.0 - over),
            down * over,
        ]
        x, y = corners.astype(np.float64) @ weights
        return float(x), float(y)


def read_plume(
    path: str | os.PathLike[str], wind_path: str | os.PathLike[str] | None = None
) -> Plume:
    """Read a plume file, and its recorded wind, into memory once, in the stored dtype.

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
        return Plume(facts, arena, reader.time_s.copy(), frames, read_wind(wind_path))


def read_wind(path: str | os.PathLike[str] | None) -> np.ndarray | None:
    """Recorded wind, mm/s, shape (n, 2, height, width): downwind and crosswind component."""
    if path is None:
        return None
    with PlumeReader(path) as reader:
        both = np.concatenate([block.frames for block in reader.blocks()])
    return both.reshape(len(both), 2, both.shape[1] // 2, both.shape[2])


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


def part_of(plume: Plume, movie_part: str) -> tuple[int, int, float]:
    """Frames [first, last) of a part of a movie, and how long one pass through them lasts, s.

    Raises
    ------
    ValueError
        If there is no such part.
    """
    n = len(plume.time_s)
    parts = {"whole": (0, n), "first_half": (0, n // 2), "second_half": (n // 2, n)}
    if movie_part not in parts:
        raise ValueError(f"movie_part is {movie_part!r}; allowed: {', '.join(parts)}")
    first, last = parts[movie_part]
    begin, end_s = float(plume.time_s[first]), float(plume.metadata["period_s"])
    end_s += float(plume.time_s[0])  # where the whole movie ends
    if last < n:
        end_s = float(plume.time_s[last])
    return first, last, end_s - begin


def clock(
    plume: Plume,
    start_frame: int,
    n_steps: int,
    dt_s: float,
    movie_end: str,
    movie_part: str = "whole",
) -> Clock:
    """Frames seen by the steps i = 0 .. n_steps - 1, at start time stamp + i * dt_s.

    Parameters
    ----------
    plume : Plume
    start_frame, n_steps : int
    dt_s : float
    movie_end : {"loop", "hold", "stop"}
    movie_part : {"whole", "first_half", "second_half"}
        Where agents live: nothing outside of it is ever seen.

    Returns
    -------
    Clock
    """
    if movie_end not in MOVIE_ENDS:
        raise ValueError(f"movie_end is {movie_end!r}; allowed: {', '.join(MOVIE_ENDS)}")
    wraps = np.zeros(n_steps, np.int64)
    if plume.metadata["kind"] == "analytic":  # does not change in time
        return Clock(np.zeros(n_steps, np.int64), wraps, False)
    first, last, period_s = part_of(plume, movie_part)
    stamps = plume.time_s[first:last] - plume.time_s[first]
    elapsed = stamps[start_frame - first] + np.arange(n_steps) * dt_s
    ended = False
    if movie_end == "loop":
        wraps = np.floor((elapsed + TIME_SLACK_S) / period_s).astype(np.int64)
        elapsed = elapsed - wraps * period_s
    elif movie_end == "stop":
        over = np.flatnonzero(elapsed + TIME_SLACK_S >= period_s)
        if over.size:
            ended, elapsed, wraps = True, elapsed[: over[0]], wraps[: over[0]]
    frame = np.searchsorted(stamps, elapsed + TIME_SLACK_S, side="right") - 1
    return Clock(first + frame.astype(np.int64), wraps, ended)


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


def bessel_k0(z: float) -> float:
    """Modified Bessel function K0 for z > 0: the integral of exp(-z cosh t) over t from 0.

    The trapezoidal rule converges geometrically here: with steps well below the width of the
    integrand, about 1 / sqrt(z), its error is below rounding.
    """
    step = 0.5 / math.sqrt(max(z, 16.0))
    last = math.acosh(1.0 + 745.0 / z)  # beyond it exp gives 0
    inner = (math.exp(-z * math.cosh(i * step)) for i in range(1, math.ceil(last / step) + 1))
    return step * (0.5 * math.exp(-z) + math.fsum(inner))


def _isotropic_hz(constants: Mapping[str, float], x_mm: float, y_mm: float) -> float:
    length, radius = constants["length_mm"], constants["radius_mm"]
    distance = max(math.hypot(x_mm, y_mm), radius)
    return constants["emission_hz"] * bessel_k0(distance / length) / math.log(length / radius)


def _windy_hz(constants: Mapping[str, float], x_mm: float, y_mm: float) -> float:
    wind, diffusivity = constants["wind_mm_s"], constants["diffusivity_mm2_s"]
    life, radius = constants["lifetime_s"], constants["radius_mm"]
    length = math.sqrt(diffusivity * life / (1.0 + wind**2 * life / (4.0 * diffusivity)))
    distance = max(math.hypot(x_mm, y_mm), radius)
    z, lift = distance / length, wind * x_mm / (2.0 * diffusivity)
    if z < 600.0 and lift < 600.0:
        shape = math.exp(lift) * bessel_k0(z)
    else:  # both would leave the range of numbers: K0(z) ~ sqrt(pi / (2 z)) exp(-z) (1 - 1/(8 z))
        series = 1.0 - 1.0 / (8.0 * z) + 9.0 / (128.0 * z**2) - 75.0 / (1024.0 * z**3)
        shape = math.sqrt(math.pi / (2.0 * z)) * series * math.exp(lift - z)
    return constants["emission_hz"] / math.log(length / radius) * shape


DETECTIONS = {"isotropic_detections": _isotropic_hz, "windy_detections": _windy_hz}
MOST_HITS_PER_STEP = 500.0  # mean, from docs/conventions.md


def hits(mean: float, uniform: float) -> int:
    """Smallest n whose Poisson probability of at most n hits exceeds `uniform`."""
    mean = min(mean, MOST_HITS_PER_STEP)
    if mean <= 0.0:
        return 0
    n, at_most = 0, math.exp(-mean)
    while at_most <= uniform:
        n += 1
        more = math.exp(n * math.log(mean) - mean - math.lgamma(n + 1.0))
        if n > mean and at_most + more == at_most:
            break
        at_most += more
    return n


def counts_hits(plume: Plume) -> bool:
    """Whether a plume is a field of detections, where each step needs a Chance."""
    return plume.metadata["kind"] == "analytic" and plume.metadata["field"] in DETECTIONS


def detection_sampler(plume: Plume) -> Sampler:
    """Sampler of a field of detections: hits in the step."""
    rate_hz = DETECTIONS[plume.metadata["field"]]
    constants, arena = plume.metadata["field_constants"], plume.arena

    def sample(frame: int, row: float, column: float, chance: Chance | None = None) -> float:
        if chance is None:
            raise ValueError("a field of detections needs the step's uniform number")
        x_mm = (column - arena.source_column) * arena.mm_per_px
        y_mm = (arena.source_row - row) * arena.mm_per_px
        return float(hits(rate_hz(constants, x_mm, y_mm) * chance.dt_s, chance.uniform))

    return sample


def formula_sampler(plume: Plume) -> Sampler:
    """Sampler of an analytic field: the formula named in the metadata."""
    name, constants = plume.metadata["field"], plume.metadata["field_constants"]
    if counts_hits(plume):
        return detection_sampler(plume)
    if name not in FORMULAS:
        known = ", ".join([*FORMULAS, *DETECTIONS])
        raise ValueError(f"no reference for the field {name!r}; known: {known}")
    formula, arena = FORMULAS[name], plume.arena

    def sample(frame: int, row: float, column: float, chance: Chance | None = None) -> float:
        x_mm = (column - arena.source_column) * arena.mm_per_px
        y_mm = (arena.source_row - row) * arena.mm_per_px
        return formula(constants, x_mm, y_mm)

    return sample


def signal_sampler(plume: Plume) -> Sampler:
    """Sampler of a time series: the frame's single number, wherever the agent is."""
    scale, offset = float(plume.metadata["scale"]), float(plume.metadata["offset"])
    stored = plume.frames.item

    def sample(frame: int, row: float, column: float, chance: Chance | None = None) -> float:
        return float(stored(frame, 0, 0)) * scale + offset

    return sample


def nearest_sampler(plume: Plume) -> Sampler:
    """Sampler of a movie: the pixel whose centre is nearest."""
    scale, offset = float(plume.metadata["scale"]), float(plume.metadata["offset"])
    stored = plume.frames.item

    def sample(frame: int, row: float, column: float, chance: Chance | None = None) -> float:
        pixel = stored(frame, math.floor(row + 0.5), math.floor(column + 0.5))
        return float(pixel) * scale + offset

    return sample


def bilinear_sampler(plume: Plume) -> Sampler:
    """Sampler of a movie: between the four surrounding pixel centres, continued at the edges."""
    scale, offset = float(plume.metadata["scale"]), float(plume.metadata["offset"])
    height, width = plume.arena.height, plume.arena.width
    stored = plume.frames.reshape(-1).item  # one number is looked up faster than three

    def sample(frame: int, row: float, column: float, chance: Chance | None = None) -> float:
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
    kinds: dict[str, Callable[[Plume], Sampler]] = {
        "analytic": formula_sampler,
        "signal": signal_sampler,
    }
    return kinds.get(plume.metadata["kind"], MOVIE_SAMPLERS[interpolation])(plume)
