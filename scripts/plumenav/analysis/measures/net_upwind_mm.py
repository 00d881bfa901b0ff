"""Net upwind progress."""

from __future__ import annotations

import numpy as np

from plumenav.analysis.measures._contract import Rows

UNIT = "mm"
DESCRIPTION = "start x minus final x"
SOURCE = "progress against the wind, as Alvarez-Salvado et al. (2018) eLife 7:e37815 plot it"


def values(rows: Rows) -> np.ndarray:
    """One number per simulation."""
    return rows["net_upwind_mm"].astype(float)
