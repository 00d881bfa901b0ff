"""Reference for space_aware_infotaxis: the move that leaves the shortest search to be expected.

Source: Loisy & Eloy (2022) "Searching for a source without gradients: how good is infotaxis and how
to beat it", Proc. R. Soc. A 478:20220118, https://doi.org/10.1098/rspa.2022.0118.

    J = (1 - P(found)) sum_h P(h) log2(D_h + 2^(H_h - 1) - 1/2)
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from plumenav.references import _belief
from plumenav.references._plume import Plume

SOURCE = "Loisy & Eloy 2022, Proc. R. Soc. A 478:20220118"
DRAWS = _belief.DRAWS
EXAMPLE_PARAMETERS = _belief.EXAMPLE_PARAMETERS


def price(after: _belief.Outlook) -> float:
    """Expected logarithm of the time still to come, bits."""
    rows, columns = np.indices(after.beliefs.shape[1:])
    cells_away = np.abs(rows - after.row) + np.abs(columns - after.column)
    total = 0.0
    for chance, posterior in zip(after.chances.tolist(), after.beliefs, strict=True):
        distance = float(np.sum(posterior * cells_away))
        bracket = distance + 2.0 ** (_belief.entropy(posterior) - 1.0) - 0.5
        if chance > 0.0:
            total += chance * (math.log2(bracket) if bracket > 0.0 else bracket)
    return total


def simulate(start: Mapping[str, Any], settings: Mapping[str, Any], plume: Plume) -> dict[str, Any]:
    """Simulate one agent; see :func:`plumenav.references._loop.run`."""
    return _belief.simulate_with(price, start, settings, plume)
