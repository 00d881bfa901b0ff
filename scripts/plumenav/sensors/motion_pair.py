"""Nothing but a `pair`, by default as far apart as a fly's antennae (Kadakia et al. 2022)."""

from __future__ import annotations

from pydantic import Field

from plumenav.sensors import pair
from plumenav.sensors.pair import points

__all__ = ["PAIRED", "Params", "points"]

PAIRED = True


class Params(pair.Params):
    """Geometry of the pair."""

    separation_mm: float = Field(0.3, gt=0, description="distance of the two points, mm")
