"""Closest approach."""

from __future__ import annotations

import numpy as np

from plumenav.analysis.measures._contract import Rows

UNIT = "mm"
DESCRIPTION = "smallest distance to the source"
SOURCE = "ours: tells near misses from drifting away"


def values(rows: Rows) -> np.ndarray:
    """One number per simulation."""
    return rows["closest_mm"].astype(float)
