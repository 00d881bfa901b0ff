"""Path efficiency: how straight the way to the source was."""

from __future__ import annotations

import numpy as np

from plumenav.analysis.measures._contract import Rows

UNIT = "1"
DESCRIPTION = "shortest way to the success circle over the path walked"
SOURCE = "straightness index towards the goal, Batschelet (1981) Circular Statistics in Biology"


def values(rows: Rows) -> np.ndarray:
    """One number per simulation."""
    return rows["path_efficiency"].astype(float)
