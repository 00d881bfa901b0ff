"""Mean ground speed."""

from __future__ import annotations

import numpy as np

from plumenav.analysis.measures._contract import Rows

UNIT = "mm/s"
DESCRIPTION = "path over the time simulated"
SOURCE = "ground speed"


def values(rows: Rows) -> np.ndarray:
    """One number per simulation."""
    return rows["mean_speed_mm_s"].astype(float)
