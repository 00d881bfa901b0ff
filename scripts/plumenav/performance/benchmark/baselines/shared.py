"""What the baselines share: the movie that agents sense in, and which columns are recorded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

Columns = dict[str, np.ndarray]
# number of a step -> its uniform numbers: shape (draws, agents), or a list for one agent
Draw = Callable[[int], np.ndarray]
DrawOne = Callable[[int], list[float]]
SENSED = ("frame", "x_mm", "y_mm", "heading_rad", "odor", "state")
NAMES = ("simulation", "step", "time_s", *SENSED)
SUMMARY = (
    *("path_mm", "closest_mm", "time_to_source_s"),
    *("encounters", "steps_in_plume", "steps_outside"),
)
NEVER = -1.0e9
SLACK_S = 1.0e-9


class Plume(NamedTuple):
    """A movie in memory.

    Attributes
    ----------
    frames : ndarray, shape (n, height, width)
    rate_hz, scale, offset, mm_per_px, source_row, source_column : float
    points : ndarray, shape (points, 2)
        The sensor, mm ahead and to the left.
    bilinear : bool
    threshold : float
    radius_mm : float
        Nearer to the origin is arrived.
    """

    frames: np.ndarray
    rate_hz: float
    scale: float
    offset: float
    mm_per_px: float
    source_row: float
    source_column: float
    points: np.ndarray
    bilinear: bool
    threshold: float
    radius_mm: float

    @property
    def extent_mm(self) -> tuple[float, float, float, float]:
        """Outer edges of the image: x from, to, y from, to."""
        _, height, width = self.frames.shape
        return (
            (-0.5 - self.source_column) * self.mm_per_px,
            (width - 0.5 - self.source_column) * self.mm_per_px,
            (self.source_row - height + 0.5) * self.mm_per_px,
            (self.source_row + 0.5) * self.mm_per_px,
        )

    def shown(self, start: Any, t_s: float) -> Any:
        """Number of the frame at a time, for start frames."""
        return (start + int(t_s * self.rate_hz + 1e-7)) % len(self.frames)
