"""The plume as the references see it: frames by number, own pixel arithmetic, own clock.

Written from docs/conventions.md (World, Time, Sensor), independently of the engine's fields, so
that a mistake in either shows as a disagreement.
"""

from __future__ import annotations

import math
import os
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple, Protocol

import numpy as np

from plumenav.tables import Block, PlumeReader

TIME_SLACK_S = 1e-7  # absorbs rounding of time stamps, nothing else
MOVIE_ENDS = ("loop", "hold", "stop")
KEPT_MB = 100.0  # of decoded frames, by default


class Chance(NamedTuple):
    """What decides the number of hits in one step: a uniform number, and the step's length."""

    uniform: float
    dt_s: float


Places = list[tuple[float, float]]  # (row, column)


class Sampler(Protocol):
    """Concentration in a frame, at places inside the arena."""

    def __call__(self, frame: int, places: Places, chance: Chance | None = None) -> list[float]:
        """Concentrations, or hits in the step that `chance` belongs to."""
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

    def row_column(self, x_mm: Any, y_mm: Any) -> tuple[Any, Any]:
        """Pixel (row, column) of a world position in mm; integers are pixel centres."""
        return (
            self.source_row - y_mm / self.mm_per_px,
            x_mm / self.mm_per_px + self.source_column,
        )

    def x_y_mm(self, row: float, column: float) -> tuple[float, float]:
        """World position of a pixel (row, column)."""
        return (
            (column - self.source_column) * self.mm_per_px,
            (self.source_row - row) * self.mm_per_px,
        )

    def inward(self, row: Any, column: Any) -> Any:
        """Distance to the nearest outer edge, pixels; negative outside. Numbers or arrays."""
        if self.endless:
            return np.full_like(row, math.inf)
        along = np.minimum(column + 0.5, self.width - 0.5 - column)
        return np.minimum(along, np.minimum(row + 0.5, self.height - 0.5 - row))

    def contains(self, row: Any, column: Any) -> Any:
        """Whether a pixel position is inside: the upper edges are outside. Numbers or arrays."""
        return self.endless or (
            (row >= -0.5)
            & (row < self.height - 0.5)
            & (column >= -0.5)
            & (column < self.width - 0.5)
        )

    def edges_mm(self) -> tuple[float, float, float, float]:
        """Outer edges (x low, x high, y low, y high), mm."""
        x_low = (-0.5 - self.source_column) * self.mm_per_px
        x_high = (self.width - 0.5 - self.source_column) * self.mm_per_px
        y_low = (self.source_row - (self.height - 0.5)) * self.mm_per_px
        y_high = (self.source_row + 0.5) * self.mm_per_px
        return x_low, x_high, y_low, y_high


class Frames(Protocol):
    """Frames by their number; an array of them will do."""

    def __len__(self) -> int:
        """Number of frames."""
        ...

    def __getitem__(self, frame: int) -> np.ndarray:
        """One frame, shape (height, width)."""
        ...


class FramesOfFile:
    """Frames of a plume file. They are decoded in blocks, and those used last are kept.

    Parameters
    ----------
    reader : PlumeReader
    kept_mb : float
        Memory for decoded blocks; one is always kept. It changes no result.
    block : callable, optional
        Where a block is had from, by its number, instead of from the reader.
    """

    def __init__(
        self,
        reader: PlumeReader,
        kept_mb: float = KEPT_MB,
        block: Callable[[int], Block] | None = None,
    ) -> None:
        self.reader = reader
        self.block = block or reader.block
        self.room = kept_mb * 1e6
        self.kept: dict[
            int, np.ndarray
        ] = {}  # by number of the block, the last one used at the end
        self.decoded = 0

    def __len__(self) -> int:
        return self.reader.n_frames

    def __getitem__(self, frame: int) -> np.ndarray:
        number = bisect_right(self.reader.block_first, frame) - 1
        block = self.kept.pop(number, None)
        if block is None:
            block = self.decode(number)
        self.kept[number] = block
        found: np.ndarray = block[frame - self.reader.block_first[number]]
        return found

    def decode(self, number: int) -> np.ndarray:
        """Frames of a block, after others have made room for them."""
        n_bytes = self.reader.block_sizes[number] * math.prod(self.reader.shape)
        self.room -= n_bytes * self.reader.dtype.itemsize
        while self.room < 0.0 and self.kept:
            self.room += self.kept.pop(next(iter(self.kept))).nbytes
        self.decoded += 1
        return self.block(number).frames


class Plume(NamedTuple):
    """A plume that is open for reading.

    Attributes
    ----------
    metadata : dict
        As stored in the file.
    arena : Arena
    time_s : ndarray, shape (n,), float64
        Time stamps of the frames.
    frames : Frames
        Of (height, width), in the stored dtype; concentration = frames * scale + offset, in double
        precision.
    winds : Frames, optional
        Recorded wind, mm/s, one frame for each of the plume's, or a single one: of
        (2 height, width), the downwind component above the crosswind one.
    """

    metadata: dict[str, Any]
    arena: Arena
    time_s: np.ndarray
    frames: Frames
    winds: Frames | None = None

    def wind(self, frame: int, x_mm: float, y_mm: float) -> tuple[float, float]:
        """Recorded wind (x, y) at a place, mm/s, linear between the centres of pixels.

        Beyond the outermost centres their wind goes on. A single frame is a steady wind.
        """
        if self.winds is None:
            raise ValueError("this plume has no recorded wind")
        both = self.winds[min(frame, len(self.winds) - 1)]
        height, width = len(both) // 2, both.shape[1]
        row, column = self.arena.row_column(x_mm, y_mm)
        row = min(max(row, 0.0), height - 1.0)
        column = min(max(column, 0.0), width - 1.0)
        above, left = int(row), int(column)
        below = min(above + 1, height - 1)
        right = min(left + 1, width - 1)
        down, over = row - above, column - left
        corners = both.reshape(2, height, width)[
            :, [above, above, below, below], [left, right, left, right]
        ]
        weights = [
            (1.0 - down) * (1.0 - over),
            (1.0 - down) * over,
            down * (1.0 - over),
            down * over,
        ]
        x, y = corners.astype(np.float64) @ weights
        return float(x), float(y)


@contextmanager
def opened_plume(
    path: str | os.PathLike[str], wind_path: str | os.PathLike[str] | None = None
) -> Iterator[Plume]:
    """A plume file, and its recorded wind, open for reading.

    Parameters
    ----------
    path, wind_path : path

    Raises
    ------
    UserError
        If a file is damaged or not a plume.
    """
    with ExitStack() as files:
        reader = files.enter_context(PlumeReader(path))
        winds = None
        if wind_path is not None:
            winds = FramesOfFile(files.enter_context(PlumeReader(wind_path)))
        facts = reader.metadata
        arena = Arena(
            int(facts["height"]),
            int(facts["width"]),
            float(facts["mm_per_px"]),
            float(facts["source_row"]),
            float(facts["source_column"]),
            facts["kind"] == "signal",
        )
        yield Plume(facts, arena, reader.time_s, FramesOfFile(reader), winds)


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

    def sample(frame: int, places: Places, chance: Chance | None = None) -> list[float]:
        if chance is None:
            raise ValueError("a field of detections needs the step's uniform number")
        rates = (rate_hz(constants, *arena.x_y_mm(row, column)) for row, column in places)
        return [float(hits(rate * chance.dt_s, chance.uniform)) for rate in rates]

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

    def sample(frame: int, places: Places, chance: Chance | None = None) -> list[float]:
        return [formula(constants, *arena.x_y_mm(row, column)) for row, column in places]

    return sample


def look_up(frames: Frames) -> Callable[[int], Callable[[int], float]]:
    """How to look up a number of a frame, by the frame's number and then by row * width + column.

    The frame of the step before is at hand: agents look at each several times.
    """
    shown, numbers = -1, None

    def numbers_of(frame: int) -> Any:
        nonlocal shown, numbers
        if frame != shown:
            shown, numbers = frame, frames[frame].reshape(-1).item
        return numbers

    return numbers_of


def signal_sampler(plume: Plume) -> Sampler:
    """Sampler of a time series: the frame's single number, wherever the agent is."""
    scale, offset = float(plume.metadata["scale"]), float(plume.metadata["offset"])
    numbers_of = look_up(plume.frames)

    def sample(frame: int, places: Places, chance: Chance | None = None) -> list[float]:
        return [numbers_of(frame)(0) * scale + offset] * len(places)

    return sample


def nearest_sampler(plume: Plume) -> Sampler:
    """Sampler of a movie: the pixel whose centre is nearest."""
    scale, offset = float(plume.metadata["scale"]), float(plume.metadata["offset"])
    width, floor = plume.arena.width, math.floor
    numbers_of = look_up(plume.frames)

    def sample(frame: int, places: Places, chance: Chance | None = None) -> list[float]:
        stored = numbers_of(frame)
        return [
            stored(floor(row + 0.5) * width + floor(column + 0.5)) * scale + offset
            for row, column in places
        ]

    return sample


def bilinear_sampler(plume: Plume) -> Sampler:
    """Sampler of a movie: between the four surrounding pixel centres, continued at the edges."""
    scale, offset = float(plume.metadata["scale"]), float(plume.metadata["offset"])
    height, width, floor = plume.arena.height, plume.arena.width, math.floor
    numbers_of = look_up(plume.frames)

    def sample(frame: int, places: Places, chance: Chance | None = None) -> list[float]:
        stored = numbers_of(frame)
        values = []
        for row, column in places:
            above, left = floor(row), floor(column)
            down, right = row - above, column - left
            below = above + 1 if above + 1 < height else above
            above = above if above >= 0 else 0
            c1 = left + 1 if left + 1 < width else left
            c0 = left if left >= 0 else 0
            upper_row, lower_row = above * width, below * width
            upper = (1.0 - right) * stored(upper_row + c0) + right * stored(upper_row + c1)
            lower = (1.0 - right) * stored(lower_row + c0) + right * stored(lower_row + c1)
            values.append(((1.0 - down) * upper + down * lower) * scale + offset)
        return values

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
