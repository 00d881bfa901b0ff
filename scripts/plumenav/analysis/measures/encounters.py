"""Odour encounters."""

from __future__ import annotations

import numpy as np

from plumenav.analysis.measures._contract import Rows

UNIT = "count"
DESCRIPTION = "rises of the sensor above its threshold"
SOURCE = "Demir, Kadakia et al. (2020) eLife 9:e57524"


def values(rows: Rows) -> np.ndarray:
    """One number per simulation."""
    return rows["encounters"].astype(float)
