"""Reference for infotaxis: the move after which the expected entropy is lowest.

Source: Vergassola, Villermaux & Shraiman (2007) "'Infotaxis' as a strategy for searching without
gradients", Nature 445:406-409, https://doi.org/10.1038/nature05464, and supplement.

    expected change = P(found) (0 - H) + (1 - P(found)) (sum_h P(h) H_h - H)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plumenav.references import _belief
from plumenav.references._plume import Plume

SOURCE = "Vergassola, Villermaux & Shraiman 2007, Nature 445:406-409"
DRAWS = _belief.DRAWS
EXAMPLE_PARAMETERS = _belief.EXAMPLE_PARAMETERS


def price(after: _belief.Outlook) -> float:
    """Expected change of entropy, bits; certainty (found) has none."""
    expected = sum(
        chance * _belief.entropy(posterior)
        for chance, posterior in zip(after.chances.tolist(), after.beliefs, strict=True)
    )
    return float(expected) - after.entropy_before


def simulate(start: Mapping[str, Any], settings: Mapping[str, Any], plume: Plume) -> dict[str, Any]:
    """Simulate one agent; see :func:`plumenav.references._loop.run`."""
    return _belief.simulate_with(price, start, settings, plume)
