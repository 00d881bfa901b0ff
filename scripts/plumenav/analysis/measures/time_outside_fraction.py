"""Share of time outside the recording."""

from __future__ import annotations

import numpy as np

from plumenav.analysis.measures._contract import Rows, ratio

UNIT = "1"
DESCRIPTION = "share of the time outside the recorded arena"
SOURCE = "ours: with an open boundary it says how much of a result was walked in the unknown"


def values(rows: Rows) -> np.ndarray:
    """One number per simulation."""
    return ratio(rows["time_outside_s"], rows["duration_s"])
