"""The detection model of infotaxis: mean rate of hits around a source.

    rate(dx, dy) = scale * exp(drift dx) * K0(max(r, radius) / length),  r = sqrt(dx^2 + dy^2)

dx downwind, dy crosswind of the source (Vergassola, Villermaux & Shraiman 2007, Nature 445:406-409,
supplement; there scale = R / ln(length / radius), drift = V / (2 D)). drift <= 1 / length: at
equality particles live for ever, and the rate falls as 1 / sqrt(dx) along the wind.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Parameters(NamedTuple):
    """Numbers of the formula.

    Attributes
    ----------
    scale_hz : float
    length_mm : float
    drift_per_mm : float
        At most 1 / length_mm.
    radius_mm : float
        Of the searcher: closer than this the rate does not rise any more.
    """

    scale_hz: float
    length_mm: float
    drift_per_mm: float
    radius_mm: float


def shape(downwind_mm: np.ndarray, distance_mm: np.ndarray, p: Parameters) -> np.ndarray:
    """Rate for a scale of 1; `distance_mm` is already at least the radius."""
    from scipy.special import k0e

    z = distance_mm / p.length_mm
    # one exponential for both: each alone would leave the range of numbers far downwind
    return np.asarray(np.exp(p.drift_per_mm * downwind_mm - z) * k0e(z))


def rate_hz(downwind_mm: np.ndarray, crosswind_mm: np.ndarray, p: Parameters) -> np.ndarray:
    """Mean hits per second at places downwind and crosswind of the source, any shape."""
    distance = np.maximum(np.hypot(downwind_mm, crosswind_mm), p.radius_mm)
    return p.scale_hz * shape(downwind_mm, distance, p)


def log_gradient(
    downwind_mm: np.ndarray, distance_mm: np.ndarray, p: Parameters
) -> tuple[np.ndarray, np.ndarray]:
    """Derivatives of the logarithm of the rate by log(length), and by drift.

    Since K0' = -K1, d log K0(r / length) / d log length = z K1(z) / K0(z) with z = r / length.
    """
    from scipy.special import k0e, k1e

    z = distance_mm / p.length_mm
    return np.asarray(z * k1e(z) / k0e(z)), np.asarray(downwind_mm, float)
