"""The least that a simulation has to do: noise, pixels, a sine and a cosine, and a row.

Not a model: it walks along tracks that the engine has recorded. For every step it draws the same
keyed numbers as the engine, gathers the same pixels, takes sine and cosine of the heading, and
writes the columns of a row. What a simulation does beyond is deciding, moving and summing up.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from plumenav.engine.philox import philox_block, uniform
from plumenav.engine.trigonometry import cos, sin
from plumenav.performance.benchmark.baselines.compiled import Rows
from plumenav.performance.benchmark.baselines.shared import Columns


class Scene(NamedTuple):
    """Where pixels are gathered.

    Attributes
    ----------
    frames : ndarray, shape (n, height, width)
    first_frame : int
        Number of the first of them in the movie.
    scale, offset, px_per_mm, source_row, source_column : float
    points : ndarray, shape (points, 2)
        The sensor, mm ahead and to the left.
    bilinear : bool
    """

    frames: np.ndarray
    first_frame: int
    scale: float
    offset: float
    px_per_mm: float
    source_row: float
    source_column: float
    points: np.ndarray
    bilinear: bool


def scene_of(
    metadata: dict[str, Any], frames: np.ndarray, first: int, points: np.ndarray, bilinear: bool
) -> Scene:
    """Scene of frames of a plume, which begin at number `first`."""
    return Scene(
        frames,
        first,
        float(metadata["scale"]),
        float(metadata["offset"]),
        1.0 / metadata["mm_per_px"],
        float(metadata["source_row"]),
        float(metadata["source_column"]),
        points,
        bilinear,
    )


@njit(nogil=True)
def walk(
    scene: Any, keys: Any, blocks: int, dt: float, every: int, tracks: Any, rows: Any
) -> tuple[int, float]:
    """Walk along tracks.

    Parameters
    ----------
    scene : Scene
    keys : ndarray of uint64, shape (simulations,)
        Noise keys by number of simulation.
    blocks : int
        Blocks of four numbers that a step draws.
    dt : float
    every : int
        Every how many steps a row is written.
    tracks, rows : Rows
        All steps as recorded; where to write.

    Returns
    -------
    tuple of int and float
        Rows written, and a sum over everything: so that nothing is left out as unused.
    """
    height, width = scene.frames.shape[1:]
    last_row, last_column = float(height - 1), float(width - 1)
    n_points = scene.points.shape[0]
    gain = scene.scale / n_points
    place = 0
    total = 0.0
    for i in range(len(tracks.step)):
        simulation = tracks.simulation[i]
        step = tracks.step[i]
        for b in range(blocks):
            a0, a1, a2, a3 = philox_block(keys[simulation], np.uint64(step), np.uint64(b))
            total += (uniform(a0) + uniform(a1)) + (uniform(a2) + uniform(a3))
        heading = tracks.heading_rad[i]
        cos_h, sin_h = cos(heading), sin(heading)
        total += cos_h * sin_h
        x, y = tracks.x_mm[i], tracks.y_mm[i]
        frame = tracks.frame[i]
        k = frame - scene.first_frame
        gathered = 0.0
        for j in range(n_points):
            forward, left = scene.points[j, 0], scene.points[j, 1]
            column = (x + forward * cos_h - left * sin_h) * scene.px_per_mm + scene.source_column
            row = scene.source_row - (y + forward * sin_h + left * cos_h) * scene.px_per_mm
            if not (row >= -0.5 and row < height - 0.5 and column >= -0.5 and column < width - 0.5):
                continue
            if not scene.bilinear:
                gathered += scene.frames[k, int(row + 0.5), int(column + 0.5)]
                continue
            r = int(min(max(row, 0.0), last_row))
            c = int(min(max(column, 0.0), last_column))
            r1, c1 = min(r + 1, height - 1), min(c + 1, width - 1)
            gathered += (float(scene.frames[k, r, c]) + float(scene.frames[k, r, c1])) + (
                float(scene.frames[k, r1, c]) + float(scene.frames[k, r1, c1])
            )
        odor = gathered * gain + scene.offset
        total += odor
        if step % every == 0:
            rows.simulation[place] = simulation
            rows.step[place] = step
            rows.time_s[place] = step * dt
            rows.frame[place] = frame
            rows.x_mm[place] = x
            rows.y_mm[place] = y
            rows.heading_rad[place] = heading
            rows.odor[place] = odor
            rows.state[place] = tracks.state[i]
            place += 1
    return place, total


def tracks_of(columns: Columns) -> Rows:
    """Recorded columns as the roofline takes them."""
    return Rows(*(columns[name] for name in Rows._fields))


def written(tracks: Rows, every: int) -> int:
    """How many rows are written of these tracks."""
    return int(np.count_nonzero(tracks.step % every == 0))
