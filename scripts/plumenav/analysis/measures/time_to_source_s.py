"""Time of arrival."""

from __future__ import annotations

import numpy as np

from plumenav.analysis.measures._contract import Rows

UNIT = "s"
DESCRIPTION = "time of arrival; not defined without arrival"
SOURCE = "time of those that arrive only: biased where few do, compare restricted means instead"


def values(rows: Rows) -> np.ndarray:
    """One number per simulation."""
    return rows["time_to_source_s"].astype(float)
