"""What a measure is: one number per simulation, from the row that the engine wrote of it.

A measure file defines
    UNIT        : str, "1" if it has none
    DESCRIPTION : str, one line
    SOURCE      : str, a citation, or why it is defined like this
    values(rows) -> ndarray of float, shape (n,)
where `rows` holds the columns of the SIMULATIONS schema as NumPy arrays (completed simulations
only; missing numbers are NaN). NaN in the result means: not defined for this simulation. The group
statistics (mean, sd, quartiles, in the plume and in blank air) are the same for all measures.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

Rows = Mapping[str, np.ndarray]


def ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Quotient, NaN where the denominator is 0."""
    safe = np.where(denominator == 0, np.nan, denominator)
    return np.asarray(numerator / safe, dtype=float)
