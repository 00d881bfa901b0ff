"""Copy this file, rename it (the name is the measure's name), and replace the four definitions."""

from __future__ import annotations

import numpy as np

from plumenav.analysis.measures._contract import Rows

# your own file outside the repository also needs: PLUGIN_KIND = "measure"
UNIT = "mm"  # "1" if it has none
DESCRIPTION = "distance from the source at the end"
SOURCE = "who measured this, or why it is defined like this"


def values(rows: Rows) -> np.ndarray:
    """One number per simulation; NaN where it is not defined."""
    return np.hypot(rows["final_x_mm"], rows["final_y_mm"])
