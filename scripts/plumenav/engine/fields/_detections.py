"""What the fields of detections share: their formula, and how a number of hits is drawn.

A searcher does not smell a concentration there; it counts hits, which arrive at random at a rate
that depends on the place. The rate is that of particles which are emitted by the source, diffuse,
drift with the wind and live for some time, on a small sphere in the plane (Vergassola,
Villermaux & Shraiman 2007, Nature 445:406-409, supplement).
"""

from __future__ import annotations

import math

EULER_GAMMA = 0.5772156649015329
SERIES_TERMS = 40  # never reached: 20 suffice at z = 2
FRACTION_TERMS = 200  # never reached: 75 suffice at z = 2
MOST_HITS = 1000.0  # ends the loop; at MOST_MEAN it is passed once in 1e26 draws
MOST_MEAN = 500.0  # hits per step


def scaled_k0(z: float) -> float:
    """Modified Bessel function of the second kind of order 0, times exp(z), for z > 0.

    Up to 2 by its power series (Abramowitz & Stegun 9.6.13), above by Steed's continued fraction
    (Temme 1975, J. Comput. Phys. 19:324-337; Thompson & Barnett 1987, Comput. Phys. Commun.
    47:245-257). Relative error below 1e-13.
    """
    if z <= 2.0:
        quarter = 0.25 * z * z
        power = 1.0  # (z^2 / 4)^k / (k!)^2
        harmonic = 0.0
        i0 = 1.0
        rest = 0.0
        for k in range(1, SERIES_TERMS):
            power *= quarter / (k * k)
            harmonic += 1.0 / k
            i0 += power
            rest += power * harmonic
            if power * harmonic < 1e-17 * rest:
                break
        return (rest - (math.log(0.5 * z) + EULER_GAMMA) * i0) * math.exp(z)
    # K0 = sqrt(pi / (2 z)) exp(-z) / total, total a sum along the fraction's convergents
    numerator = -0.25
    denominator = 2.0 * (1.0 + z)
    inverse = 1.0 / denominator
    change = inverse
    older = 0.0
    newer = 1.0
    weight = 0.25
    sum_q = 0.25
    total = 1.0 + sum_q * change
    for n in range(2, FRACTION_TERMS):
        numerator -= 2.0 * (n - 1)
        weight = -numerator * weight / n
        newest = (older - denominator * newer) / numerator
        older = newer
        newer = newest
        sum_q += weight * newest
        denominator += 2.0
        inverse = 1.0 / (denominator + numerator * inverse)
        change = (denominator * inverse - 1.0) * change
        total += sum_q * change
        if abs(sum_q * change) < 1e-16 * abs(total):
            break
    return math.sqrt(0.5 * math.pi / z) / total


def hit_rate_hz(
    x_mm: float,
    y_mm: float,
    emission_hz: float,
    drift_per_mm: float,
    length_mm: float,
    radius_mm: float,
) -> float:
    """Mean hits per second at a place.

    emission / ln(length / radius) * exp(drift * x) * K0(r / length), with r at least the
    searcher's radius, inside which the formula has no meaning.

    Parameters
    ----------
    x_mm, y_mm : float
    emission_hz : float
        Particles emitted per second.
    drift_per_mm : float
        Wind speed / (2 * diffusivity); at most 1 / length_mm.
    length_mm : float
        Typical distance that a particle covers in its life.
    radius_mm : float
        Of the searcher; below length_mm.
    """
    r = max(math.sqrt(x_mm * x_mm + y_mm * y_mm), radius_mm)
    z = r / length_mm
    # one exponential for both: each alone would leave the range of numbers far downwind
    spread = math.exp(drift_per_mm * x_mm - z) * scaled_k0(z)
    return emission_hz / math.log(length_mm / radius_mm) * spread


def detection_of(
    emission_hz: float, length_mm: float, drift_per_mm: float, radius_mm: float
) -> tuple[float, float, float, float]:
    """What an agent that knows the field believes: scale (1/s), length, drift, radius."""
    scale_hz = emission_hz / math.log(length_mm / radius_mm)
    return scale_hz, length_mm, drift_per_mm, radius_mm


def hits(mean: float, chance: float) -> float:
    """Number of hits that a uniform number stands for: the inverse of Poisson's distribution.

    The smallest n at which the probability of at most n hits exceeds `chance`; the sum also ends
    where a further term no longer changes it. A mean above MOST_MEAN counts as MOST_MEAN.
    """
    mean = min(mean, MOST_MEAN)
    probability = math.exp(-mean)
    below = probability
    n = 0.0
    while chance >= below and n < MOST_HITS:
        n += 1.0
        probability *= mean / n
        if n > mean and below + probability == below:
            break
        below += probability
    return n


def problem_of(emission_hz: float, length_mm: float, radius_mm: float) -> str | None:
    """What is wrong with the constants that all detection models have; None if nothing."""
    if not emission_hz >= 0.0:
        return f"emission_hz is {emission_hz:g}; it must not be negative"
    if not radius_mm > 0.0:
        return f"radius_mm is {radius_mm:g}; it must be above 0"
    if not length_mm > radius_mm:
        return (
            f"particles get {length_mm:g} mm far; that must be more than radius_mm ({radius_mm:g})"
        )
    return None
