"""What is true of a recording, gathered while it is made."""

from __future__ import annotations

from typing import Any

import numpy as np

from plumenav import world

BLOCK_PX = 4  # clean air is looked for in blocks of 4 x 4 pixels
SAMPLED_FRAMES = 120
SAMPLED_VALUES = 4_000_000
PERCENTILES = {"p05": 5, "p25": 25, "median": 50, "p75": 75, "p95": 95, "p99": 99}


def summary(values: np.ndarray) -> dict[str, float]:
    """Mean, standard deviation, percentiles and extremes of numbers of any shape.

    Returns
    -------
    dict
        mean, sd, p05, p25, median, p75, p95, p99, min, max.
    """
    levels = np.percentile(values, list(PERCENTILES.values()))
    result = {
        "mean": float(values.mean(dtype=np.float64)),
        "sd": float(values.std(dtype=np.float64)),
        "min": float(values.min()),
        "max": float(values.max()),
    }
    return result | {name: float(v) for name, v in zip(PERCENTILES, levels, strict=True)}


def largest_rectangle(free: np.ndarray) -> tuple[int, int, int, int]:
    """Largest all-true rectangle of a mask.

    Parameters
    ----------
    free : ndarray, shape (height, width), bool

    Returns
    -------
    tuple of int
        row_start, row_stop, column_start, column_stop; all 0 if nothing is true.
    """
    best, best_area = (0, 0, 0, 0), 0
    depth = np.zeros(free.shape[1], int)
    for row, line in enumerate(free):
        depth = np.where(line, depth + 1, 0)
        stack: list[tuple[int, int]] = []  # (first column, depth), depth rising
        for column, d in enumerate([*depth.tolist(), 0]):
            first = column
            while stack and stack[-1][1] >= d:
                first, tall = stack.pop()
                if tall * (column - first) > best_area:
                    best_area = tall * (column - first)
                    best = (row + 1 - tall, row + 1, first, column)
            stack.append((first, d))
    return best


def clean_rectangle(highest: np.ndarray, limit: float) -> dict[str, int] | None:
    """Largest rectangle of pixels (whole blocks) whose highest concentration is below a limit.

    Parameters
    ----------
    highest : ndarray, shape (height, width)
        Largest concentration of each pixel over the movie.
    limit : float

    Returns
    -------
    dict or None
        row_start, row_stop, column_start, column_stop in the image's pixels.
    """
    b = BLOCK_PX
    height, width = (n // b * b for n in highest.shape)
    blocks = highest[:height, :width].reshape(height // b, b, width // b, b).max(axis=(1, 3))
    found = largest_rectangle(blocks < limit)
    if found[1] == 0:
        return None
    names = ("row_start", "row_stop", "column_start", "column_stop")
    return {name: b * value for name, value in zip(names, found, strict=True)}


class Truth:
    """Gathers statistics frame by frame.

    Parameters
    ----------
    n_frames, lead_in_frames : int
        Frames of the movie; those before `lead_in_frames` are left out of the statistics.
    shape : tuple of int
        Height and width of the file's image.
    whiff_level : float
        Concentration from which a pixel counts as in odour.
    centreline_px : list of (x_mm, row, column)
        Pixels whose time in odour is counted, with their distance from the source.
    """

    def __init__(
        self,
        n_frames: int,
        lead_in_frames: int,
        shape: tuple[int, int],
        whiff_level: float,
        centreline_px: list[tuple[float, int, int]],
    ) -> None:
        n_plume = n_frames - lead_in_frames
        self.every = max(1, n_plume // SAMPLED_FRAMES)
        per_frame = SAMPLED_VALUES * self.every // n_plume
        self.stride = max(1, round((shape[0] * shape[1] / max(per_frame, 1)) ** 0.5))
        self.lead_in_frames = lead_in_frames
        self.whiff_level, self.centreline_px = whiff_level, centreline_px
        self.highest = np.zeros(shape, np.float32)
        self.in_odor = np.zeros(len(centreline_px), int)
        self.n_frames = 0
        self._true: list[np.ndarray] = []
        self._stored: list[np.ndarray] = []

    def add(self, concentration: np.ndarray, stored: np.ndarray) -> None:
        """Take in the next frame: true concentration and stored numbers, (height, width)."""
        i = self.n_frames - self.lead_in_frames
        self.n_frames += 1
        if i < 0:
            return
        np.maximum(self.highest, concentration, out=self.highest)
        for k, (_, row, column) in enumerate(self.centreline_px):
            self.in_odor[k] += concentration[row, column] >= self.whiff_level
        if i % self.every == 0:
            self._true.append(concentration[:: self.stride, :: self.stride].copy())
            self._stored.append(stored[:: self.stride, :: self.stride].copy())

    def facts(self, clean_limit: float) -> dict[str, Any]:
        """Statistics of the frames so far, JSON-able; clean air is below `clean_limit`."""
        n_plume = self.n_frames - self.lead_in_frames
        return {
            "sampling": {"every_frames": self.every, "every_pixels": self.stride},
            "concentration": summary(np.stack(self._true)),
            "stored_before_compression": summary(np.stack(self._stored)),
            "highest_concentration": float(self.highest.max()),
            "whiff_level": self.whiff_level,
            "centreline": [
                {"x_mm": x_mm, "fraction_in_odor": int(count) / n_plume}
                for (x_mm, _, _), count in zip(self.centreline_px, self.in_odor, strict=True)
            ],
            "clean_air_limit": clean_limit,
            "clean_air_px": clean_rectangle(self.highest, clean_limit),
        }


def centreline(grid: world.Grid, step_mm: float) -> list[float]:
    """Distances from the source, every `step_mm`, that lie inside the image, mm."""
    _, x_max, _, _ = world.extent_mm(grid)
    return [float(x) for x in np.arange(step_mm, x_max - grid.mm_per_px, step_mm)]
