"""How often a sensor is hit at each place of a movie: a map of whiff onsets.

The sensor is held still at a few places in each cell of a coarse grid. A hit is the frame in which
it comes into odour, if the last hit is longer ago than the refractory time. What happens in the
first frame is not known to be an onset and does not count.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from plumenav import registry
from plumenav.errors import UserError
from plumenav.rng import noise_key
from plumenav.tables import PlumeReader
from plumenav.world import column_of_x, extent_mm, grid_of, row_of_y

SIDE = 2  # places along each edge of a cell
SEGMENTS = 12  # stretches of the movie between which standard errors are measured
SLACK_S = 1e-9
FEWEST_CELLS, MOST_CELLS = 24, 40_000
CHUNK_VALUES = 1_500_000  # numbers that are read at once; bounds memory, changes no result


class HitMap(NamedTuple):
    """Hits per cell and stretch of time.

    Attributes
    ----------
    x_mm, y_mm : ndarray, shape (columns,) and (rows,)
        Centres of the cells, from the source; y falls, as in an image.
    hits : ndarray of int, shape (segments, rows, columns)
        Of all places in a cell.
    exposure_s : ndarray, shape (segments,)
        Time that each place was watched.
    place_x_mm, place_y_mm : ndarray, shape (rows, columns, places)
        Where the sensor was held.
    """

    x_mm: np.ndarray
    y_mm: np.ndarray
    hits: np.ndarray
    exposure_s: np.ndarray
    place_x_mm: np.ndarray
    place_y_mm: np.ndarray

    @property
    def place_seconds(self) -> float:
        """Time that a cell was watched: that of all its places together, s."""
        return float(self.exposure_s.sum() * self.place_x_mm.shape[-1])

    @property
    def rate_hz(self) -> np.ndarray:
        """Hits per second of a sensor in each cell, shape (rows, columns)."""
        return np.asarray(self.hits.sum(axis=0) / self.place_seconds)


def cell_centres(low_mm: float, high_mm: float, cell_mm: float) -> np.ndarray:
    """Centres of the cells that lie wholly in an interval; one of them is at 0, the source.

    Examples
    --------
    >>> cell_centres(-6.0, 11.0, 4.0)
    array([-4.,  0.,  4.,  8.])
    """
    first = np.ceil(low_mm / cell_mm + 0.5 - 1e-9)
    last = np.floor(high_mm / cell_mm - 0.5 + 1e-9)
    return np.arange(first, last + 1) * cell_mm


class _Places:
    """Pixels and weights with which a sensor reads at a number of places."""

    def __init__(
        self, reader: PlumeReader, sensor: dict[str, Any], x_mm: np.ndarray, y_mm: np.ndarray
    ) -> None:
        plugin = registry.get("sensor", sensor["shape"])
        points = np.asarray(plugin.points(plugin.Params(**sensor["parameters"])), float)
        grid = grid_of(reader.metadata)
        # any heading: an agent comes along in all of them
        rng = np.random.Generator(np.random.Philox(key=noise_key("hit map")))
        heading = rng.uniform(0, 2 * np.pi, len(x_mm))[:, None]
        cos, sin = np.cos(heading), np.sin(heading)
        x = x_mm[:, None] + points[:, 0] * cos - points[:, 1] * sin
        y = y_mm[:, None] + points[:, 0] * sin + points[:, 1] * cos
        row, column = np.asarray(row_of_y(y, grid)), np.asarray(column_of_x(x, grid))
        inside = (row >= -0.5) & (row < grid.height - 0.5)
        inside &= (column >= -0.5) & (column < grid.width - 0.5)
        self.outside = ~inside.all(axis=1)  # the reading is 0 if any point is outside
        bilinear = sensor["interpolation"] == "bilinear"
        self.pixels, weights = _corners(row, column, grid.height, grid.width, bilinear)
        scale, self.offset = float(reader.metadata["scale"]), float(reader.metadata["offset"])
        self.weights = weights * scale / len(points)

    def read(self, frames: np.ndarray) -> np.ndarray:
        """Readings without dead zone, concentration, shape (frames, places)."""
        flat = frames.reshape(len(frames), -1)
        reading = np.full((len(frames), self.pixels.shape[1]), self.offset)
        for pixel, weight in zip(self.pixels, self.weights, strict=True):
            reading += flat[:, pixel] * weight
        reading[:, self.outside] = 0.0
        return reading


def _corners(
    row: np.ndarray, column: np.ndarray, height: int, width: int, bilinear: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Flat pixel numbers and weights, shape (corners * points, places)."""
    if not bilinear:
        rows = np.clip(np.floor(row + 0.5), 0, height - 1).astype(np.intp)
        columns = np.clip(np.floor(column + 0.5), 0, width - 1).astype(np.intp)
        return (rows * width + columns).T, np.ones(row.T.shape)
    above, left = np.floor(row), np.floor(column)
    pixels, weights = [], []
    for down in (0, 1):
        for right in (0, 1):
            rows = np.clip(above + down, 0, height - 1).astype(np.intp)
            columns = np.clip(left + right, 0, width - 1).astype(np.intp)
            vertical = row - above if down else 1 - (row - above)
            horizontal = column - left if right else 1 - (column - left)
            pixels.append((rows * width + columns).T)
            weights.append((vertical * horizontal).T)
    return np.concatenate(pixels), np.concatenate(weights)


def in_odour(reading: np.ndarray, threshold: float, dead_zone: float | None) -> np.ndarray:
    """Whether an agent with these readings is in odour: as docs/conventions.md says."""
    if dead_zone is not None:
        reading = np.where(reading < dead_zone, 0.0, reading)
    return np.asarray(reading >= threshold)


def hit_map(
    reader: PlumeReader,
    sensor: dict[str, Any],
    levels: dict[str, Any],
    frames: tuple[int, int],
    refractory_s: float,
    cell_mm: float,
    where: str,
) -> HitMap:
    """Measure the hits of a sensor in a window of a movie, streaming over its blocks.

    Parameters
    ----------
    reader : PlumeReader
        Of a movie.
    sensor : dict
        shape, parameters, interpolation.
    levels : dict
        `threshold` and `dead_zone` (or None) as concentrations.
    frames : tuple of int
        First frame and one past the last.
    refractory_s : float
        A hit needs that the last one is longer ago than this.
    cell_mm : float
        Edge of a cell. Memory is one block and some numbers per place and stretch.
    where : str
        Section of the config, for messages.

    Raises
    ------
    UserError
        If the arena has too few or too many cells, or the window too few frames.
    """
    first, stop = frames
    if stop - first < 2 * SEGMENTS:
        raise UserError(
            f"{where}.fit.part",
            f"is {stop - first} frames of {reader.path}",
            f"at least {2 * SEGMENTS} frames",
            "Fit on a longer recording (fit.recording), or on the whole of it.",
        )
    x, y = _grid(reader, cell_mm, where)
    inner = (np.arange(SIDE) + 0.5) / SIDE - 0.5
    step_x, step_y = (a.ravel() * cell_mm for a in np.meshgrid(inner, inner))
    shape = (len(y), len(x), SIDE * SIDE)
    place_x = np.broadcast_to(x[None, :, None] + step_x, shape)
    place_y = np.broadcast_to(y[:, None, None] + step_y, shape)
    places = _Places(reader, sensor, place_x.ravel(), place_y.ravel())

    counts = np.zeros((SEGMENTS, place_x.size), np.int32)
    exposure = np.zeros(SEGMENTS)
    before: np.ndarray | None = None
    before_s = 0.0
    last_hit_s = np.full(place_x.size, -np.inf)
    n = max(1, CHUNK_VALUES // place_x.size)
    for i, (begin, size) in enumerate(zip(reader.block_first, reader.block_sizes, strict=True)):
        if begin + size <= first or begin >= stop:
            continue
        block = reader.block(i)
        window = range(max(first - begin, 0), min(stop - begin, size))
        for k in range(window.start, window.stop, n):
            part = slice(k, min(k + n, window.stop))
            above = in_odour(
                places.read(block.frames[part]), levels["threshold"], levels["dead_zone"]
            )
            for j, now in enumerate(above):
                time_s = float(block.time_s[k + j])
                segment = (begin + k + j - first) * SEGMENTS // (stop - first)
                if before is not None:
                    onset = now & ~before
                    onset &= time_s - last_hit_s > refractory_s + SLACK_S
                    counts[segment] += onset
                    last_hit_s[onset] = time_s
                    exposure[segment] += time_s - before_s
                before, before_s = now, time_s
    hits = counts.reshape(SEGMENTS, *shape).sum(axis=-1, dtype=np.int64)
    return HitMap(x, y, hits, exposure, place_x, place_y)


def _grid(reader: PlumeReader, cell_mm: float, where: str) -> tuple[np.ndarray, np.ndarray]:
    """Centres of columns and rows of cells (y falls)."""
    x_min, x_max, y_min, y_max = extent_mm(grid_of(reader.metadata))
    x = cell_centres(x_min, x_max, cell_mm)
    y = cell_centres(y_min, y_max, cell_mm)[::-1]
    cells = len(x) * len(y)
    if not FEWEST_CELLS <= cells <= MOST_CELLS:
        area = (x_max - x_min) * (y_max - y_min)
        low, high = (area / MOST_CELLS) ** 0.5, (area / FEWEST_CELLS) ** 0.5
        raise UserError(
            f"{where}.cell_mm",
            f"found {cell_mm:g}, which makes {cells} cells of {reader.path}",
            f"{FEWEST_CELLS} to {MOST_CELLS} cells, here about {low:.2g} to {high:.2g} mm",
        )
    return x, y
