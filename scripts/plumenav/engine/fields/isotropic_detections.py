"""Hits of an odour that spreads without wind, drawn from a Poisson distribution in each step.

The detection model of OTTO (Loisy & Eloy 2022, Proc. R. Soc. A 478:20220118) in the plane: in a
step, mean = emission * dt * K0(r / length) / ln(length / radius). OTTO counts in cells of edge dx:
its R * dt is emission_hz * dt, its lambda is length_mm, and its searcher has the radius dx / 2.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from plumenav.engine.fields._detections import detection_of, hit_rate_hz, hits, problem_of

BOUNDED = True
DRAWS = True
CITATION = "Vergassola et al. 2007, Nature 445:406-409; Loisy & Eloy 2022, Proc. R. Soc. A 478"


class Constants(NamedTuple):
    """Particles emitted per second, how far they get (mm), and the radius of the searcher (mm)."""

    emission_hz: float = 2.0
    length_mm: float = 20.0
    radius_mm: float = 5.0


def problem(c: Constants) -> str | None:
    """What is wrong with the constants; None if nothing."""
    return problem_of(c.emission_hz, c.length_mm, c.radius_mm)


def mean(x_mm: float, y_mm: float, c: Constants) -> float:
    """Mean hits per second at (x_mm, y_mm)."""
    return hit_rate_hz(x_mm, y_mm, c.emission_hz, 0.0, c.length_mm, c.radius_mm)


def detection(c: Constants) -> tuple[float, float, float, float]:
    """Scale (1/s), length (mm), drift (1/mm) and radius (mm) of the detection model."""
    return detection_of(c.emission_hz, c.length_mm, 0.0, c.radius_mm)


def value(
    frames: Any,
    k: int,
    row: float,
    column: float,
    x_mm: float,
    y_mm: float,
    bilinear: bool,
    c: Constants,
    chance: float,
    dt_s: float,
) -> float:
    """Hits in a step at (x_mm, y_mm): a whole number."""
    return hits(mean(x_mm, y_mm, c) * dt_s, chance)
