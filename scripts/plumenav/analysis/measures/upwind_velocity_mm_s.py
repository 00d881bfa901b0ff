"""Mean velocity against the wind."""

from __future__ import annotations

import numpy as np

from plumenav.analysis.measures._contract import Rows, ratio

UNIT = "mm/s"
DESCRIPTION = "net upwind progress over the time simulated"
SOURCE = "mean upwind velocity, Alvarez-Salvado et al. (2018) eLife 7:e37815"


def values(rows: Rows) -> np.ndarray:
    """One number per simulation."""
    return ratio(rows["net_upwind_mm"], rows["duration_s"])
