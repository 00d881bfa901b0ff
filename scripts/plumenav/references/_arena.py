"""Edges of the arena and arrival at the source, as the references see them.

Written from docs/conventions.md (Order inside a step, 5 and 6).
"""

from __future__ import annotations

import math

from plumenav.references._plume import Arena

STAND_MM = 1e-3  # agents that stop at the edge stand this far inside


def reflect(
    arena: Arena, x_mm: float, y_mm: float, heading_rad: float
) -> tuple[float, float, float]:
    """Fold a position back at the outer edges, turning the heading with each fold.

    Folds in x come first; each turns the heading h into pi - h, each fold in y into -h.

    Returns
    -------
    tuple of float
        x_mm, y_mm, heading_rad.
    """
    if arena.endless:
        return x_mm, y_mm, heading_rad
    x_low, x_high, y_low, y_high = arena.edges_mm()
    while x_mm < x_low or x_mm > x_high:
        x_mm = 2.0 * (x_low if x_mm < x_low else x_high) - x_mm
        heading_rad = math.pi - heading_rad
    while y_mm < y_low or y_mm > y_high:
        y_mm = 2.0 * (y_low if y_mm < y_low else y_high) - y_mm
        heading_rad = -heading_rad
    return x_mm, y_mm, heading_rad


def _depths(
    arena: Arena, x_mm: float, y_mm: float, inset_mm: float
) -> tuple[float, float, float, float]:
    """How far a place is inside of lines parallel to the four edges, mm; negative beyond.

    In the order low x, high x, low y, high y; the lines lie `inset_mm` inside the edges.
    """
    x_low, x_high, y_low, y_high = arena.edges_mm()
    return (
        x_mm - x_low - inset_mm,
        x_high - x_mm - inset_mm,
        y_mm - y_low - inset_mm,
        y_high - y_mm - inset_mm,
    )


def halt(arena: Arena, x0: float, y0: float, x1: float, y1: float) -> tuple[float, float]:
    """Where a step ends, mm: at the edge, if it would cross it. This has no ties."""
    if arena.endless:
        return x1, y1
    before, after = (_depths(arena, *place, STAND_MM) for place in ((x0, y0), (x1, y1)))
    share = 1.0
    for depth0, depth1 in zip(before, after, strict=True):
        if depth1 < 0.0 and depth1 < depth0:
            share = min(share, max(0.0, depth0) / (depth0 - depth1))
    if share < 1.0:
        return x0 + share * (x1 - x0), y0 + share * (y1 - y0)
    return x1, y1


INWARD = ((1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0))  # at low x, high x, low y, high y


def turn_away(
    arena: Arena, x0: float, y0: float, x1: float, y1: float, margin_mm: float, u: float
) -> tuple[float | None, float]:
    """Heading drawn at a wall (Jayaram et al. 2022), where a step meets one.

    Parameters
    ----------
    arena : Arena
    x0, y0, x1, y1 : float
        Ends of the step, mm.
    margin_mm : float
        How near to an edge the wall is met.
    u : float
        Uniform number of the step.

    Returns
    -------
    heading_rad : float or None
        None: no wall is met.
    margin : float
        How near it was to being otherwise, mm.
    """
    if arena.endless:
        return None, math.inf
    before, after = (_depths(arena, *place, margin_mm) for place in ((x0, y0), (x1, y1)))
    met, margin = [], math.inf
    for normal, depth0, depth1 in zip(INWARD, before, after, strict=True):
        if depth1 < depth0:  # it came nearer
            margin = min(margin, abs(depth1))
            if depth1 < 0.0:
                met.append(normal)
                margin = min(margin, depth0 - depth1)
        elif depth1 < 0.0 and depth1 > depth0:
            margin = min(margin, depth1 - depth0)
    if not met:
        return None, margin
    away = math.atan2(sum(y for _, y in met), sum(x for x, _ in met))
    return away + (u - 0.5) * math.pi / len(met), margin


def entry(x0: float, y0: float, x1: float, y1: float, radius_mm: float) -> float | None:
    """Fraction of the segment at which it first is within the circle around the origin.

    Parameters
    ----------
    x0, y0, x1, y1 : float
        Ends of the segment, mm.
    radius_mm : float

    Returns
    -------
    float or None
        In [0, 1]; None if the segment stays outside.
    """
    excess = x0 * x0 + y0 * y0 - radius_mm * radius_mm
    if excess <= 0.0:
        return 0.0
    dx, dy = x1 - x0, y1 - y0
    length2 = dx * dx + dy * dy
    towards = x0 * dx + y0 * dy  # negative while the agent comes closer
    # |p0 + s d|^2 = R^2, solved for the smaller s
    discriminant = towards * towards - length2 * excess
    if towards >= 0.0 or discriminant < 0.0:
        return None
    s = (-towards - math.sqrt(discriminant)) / length2
    return s if s <= 1.0 else None
