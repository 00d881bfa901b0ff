"""Rate of odour encounters."""

from __future__ import annotations

import numpy as np

from plumenav.analysis.measures._contract import Rows

UNIT = "Hz"
DESCRIPTION = "encounters over the time simulated"
SOURCE = "Demir, Kadakia et al. (2020) eLife 9:e57524"


def values(rows: Rows) -> np.ndarray:
    """One number per simulation."""
    return rows["encounter_rate_hz"].astype(float)
