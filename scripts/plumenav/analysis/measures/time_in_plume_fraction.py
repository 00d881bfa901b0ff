"""Share of time in odour."""

from __future__ import annotations

import numpy as np

from plumenav.analysis.measures._contract import Rows, ratio

UNIT = "1"
DESCRIPTION = "share of the time with the sensor at or above its threshold"
SOURCE = "intermittency as the animal meets it, Celani et al. (2014) Phys Rev X 4:041015"


def values(rows: Rows) -> np.ndarray:
    """One number per simulation."""
    return ratio(rows["time_in_plume_s"], rows["duration_s"])
