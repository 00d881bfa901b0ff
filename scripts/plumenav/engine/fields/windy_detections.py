"""Hits of an odour that spreads and is carried by wind, drawn from a Poisson distribution.

The detection model of infotaxis (Vergassola, Villermaux & Shraiman 2007, supplement) in the plane:
rate = emission / ln(length / radius) * exp(V x / (2 D)) * K0(r / length), with
length = sqrt(D tau / (1 + V^2 tau / (4 D))).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from plumenav.engine.fields._detections import detection_of, hit_rate_hz, hits, problem_of

BOUNDED = True
DRAWS = True
CITATION = "Vergassola, Villermaux & Shraiman 2007, Nature 445:406-409"


class Constants(NamedTuple):
    """Particles per second, wind V (mm/s), diffusivity D (mm2/s), life tau (s), radius (mm)."""

    emission_hz: float = 5.0
    wind_mm_s: float = 100.0
    diffusivity_mm2_s: float = 1000.0
    lifetime_s: float = 10.0
    radius_mm: float = 1.0


def length_mm(c: Constants) -> float:
    """Typical distance that a particle covers in its life, mm."""
    spread = c.diffusivity_mm2_s * c.lifetime_s
    carried = c.wind_mm_s * c.wind_mm_s * c.lifetime_s / (4.0 * c.diffusivity_mm2_s)
    return math.sqrt(spread / (1.0 + carried))


def problem(c: Constants) -> str | None:
    """What is wrong with the constants; None if nothing."""
    if not c.diffusivity_mm2_s > 0.0:
        return f"diffusivity_mm2_s is {c.diffusivity_mm2_s:g}; it must be above 0"
    if not c.lifetime_s > 0.0:
        return f"lifetime_s is {c.lifetime_s:g}; it must be above 0"
    if not c.wind_mm_s >= 0.0:
        return f"wind_mm_s is {c.wind_mm_s:g}; it must not be negative (it blows towards +x)"
    return problem_of(c.emission_hz, length_mm(c), c.radius_mm)


def mean(x_mm: float, y_mm: float, c: Constants) -> float:
    """Mean hits per second at (x_mm, y_mm)."""
    drift_per_mm = c.wind_mm_s / (2.0 * c.diffusivity_mm2_s)
    return hit_rate_hz(x_mm, y_mm, c.emission_hz, drift_per_mm, length_mm(c), c.radius_mm)


def detection(c: Constants) -> tuple[float, float, float, float]:
    """Scale (1/s), length (mm), drift (1/mm) and radius (mm) of the detection model."""
    drift_per_mm = c.wind_mm_s / (2.0 * c.diffusivity_mm2_s)
    return detection_of(c.emission_hz, length_mm(c), drift_per_mm, c.radius_mm)


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
