"""The detection model that describes a hit-rate map best: Poisson likelihood of the counts.

What the formula (detection/formula.py) can say of a plume: a rate that is largest at the source and
falls from there, slowly downwind and steeply upwind, in a plume whose width grows as the square
root of distance. What it cannot: a plume that meanders as a cone, one that leans to a side, and
above all a place that is in odour nearly all the time and therefore has few onsets, as there are
next to the source of a smooth plume (a higher threshold makes whiffs of it). Places upwind are part
of the map and of the fit: there the formula says small numbers, not nothing, and the counts hold it
to that. How much of a map is described is measured and shown, in the frames of the fit and in
others.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from plumenav.detection.formula import Parameters, log_gradient, rate_hz, shape
from plumenav.detection.hit_map import HitMap
from plumenav.errors import UserError

FEWEST_CELLS_HIT = 6  # twice the number of parameters
LONGEST = 20.0  # times the extent of the map: there, a length is not told from infinity
SHORTEST = 1.05  # times the radius
LIMIT = 1e-3  # of sqrt(1 - drift * length): closer is at the limit


class Fit(NamedTuple):
    """A fitted detection model.

    Attributes
    ----------
    parameters : Parameters
    scale_se_hz, length_se_mm, drift_se_per_mm : float
        Standard errors, from the spread between stretches of the movie. NaN for a drift of 0, which
        is a limit and was not fitted.
    hits : int
        Hits that were counted, at all places.
    eternal : bool
        True if drift = 1 / length, the limit in which particles live for ever.
    """

    parameters: Parameters
    scale_se_hz: float
    length_se_mm: float
    drift_se_per_mm: float
    hits: int
    eternal: bool


class Goodness(NamedTuple):
    """How well a detection model describes a map.

    Attributes
    ----------
    hits, predicted : float
        Number of hits in the map, and by the model.
    deviance_explained : float
        1 - D(model) / D(constant rate), D the Poisson deviance and the constant rate that of this
        very map: 1 is perfect, 0 no better than to know the mean, negative worse.
    correlation : float
        Pearson correlation of the measured and the modelled rates of the cells.
    """

    hits: float
    predicted: float
    deviance_explained: float
    correlation: float

    @property
    def ratio(self) -> float:
        """Predicted hits over counted ones."""
        return self.predicted / self.hits if self.hits else float("nan")


class _Places(NamedTuple):
    """Places of a map along and across the wind, shape (rows, columns, places)."""

    downwind: np.ndarray
    crosswind: np.ndarray
    distance: np.ndarray  # at least the radius


def _places(hits: HitMap, wind_toward_rad: float, radius_mm: float) -> _Places:
    cos, sin = np.cos(wind_toward_rad), np.sin(wind_toward_rad)
    downwind = hits.place_x_mm * cos + hits.place_y_mm * sin
    crosswind = hits.place_y_mm * cos - hits.place_x_mm * sin
    distance = np.maximum(np.hypot(downwind, crosswind), radius_mm)
    return _Places(downwind, crosswind, distance)


def modelled_hz(hits: HitMap, p: Parameters, wind_toward_rad: float) -> np.ndarray:
    """Rate of the model in each cell of a map (mean over its places), shape (rows, columns)."""
    at = _places(hits, wind_toward_rad, p.radius_mm)
    return np.asarray(rate_hz(at.downwind, at.crosswind, p).mean(axis=-1))


def deviance(counts: np.ndarray, expected: np.ndarray) -> float:
    """Poisson deviance, 2 sum(n log(n / m) - n + m); infinite if a hit was not expected at all."""
    from scipy.special import rel_entr

    return float(2 * (rel_entr(counts, expected) - counts + expected).sum())


def goodness(hits: HitMap, p: Parameters, wind_toward_rad: float) -> Goodness:
    """How well a detection model describes a map that it was, or was not, fitted to."""
    counts = hits.hits.sum(axis=0)
    expected = modelled_hz(hits, p, wind_toward_rad) * hits.place_seconds
    total = float(counts.sum())
    explained = correlation = float("nan")
    if total and counts.std() > 0:
        null = deviance(counts, np.full(counts.shape, counts.mean()))
        explained = 1 - deviance(counts, expected) / null
        if expected.std() > 0:
            correlation = float(np.corrcoef(counts.ravel(), expected.ravel())[0, 1])
    return Goodness(total, float(expected.sum()), explained, correlation)


def _parameters(theta: np.ndarray, scale: float, radius: float) -> Parameters:
    """Parameters from (log length, sqrt(1 - drift * length))."""
    length = float(np.exp(theta[0]))
    return Parameters(scale, length, (1.0 - float(theta[1]) ** 2) / length, radius)


def fit(hits: HitMap, wind_toward_rad: float, radius_mm: float, where: str, file: str) -> Fit:
    """Fit scale, length and drift to a map.

    Parameters
    ----------
    hits : HitMap
    wind_toward_rad : float
        Direction the wind blows to.
    radius_mm : float
        Of the searcher; not fitted.
    where, file : str
        Section of the config and plume, for messages.

    Raises
    ------
    UserError
        If there are no hits or too few cells with any, if nothing converges, or if the length ends
        at a limit.
    """
    from scipy import optimize

    counts = hits.hits.sum(axis=0)
    _check_counts(counts, where, file)
    at = _places(hits, wind_toward_rad, radius_mm)
    total, seconds = float(counts.sum()), hits.exposure_s.sum()

    def unit_shape(theta: np.ndarray) -> np.ndarray:
        p = _parameters(theta, 1.0, radius_mm)
        return np.asarray(shape(at.downwind, at.distance, p).sum(axis=-1) * seconds)

    def loss(theta: np.ndarray) -> float:
        """Negative log likelihood with the best scale, up to a constant, per hit."""
        expected = unit_shape(theta)
        with np.errstate(divide="ignore"):
            return float(np.log(expected.sum()) - (counts * np.log(expected)).sum() / total)

    shortest = float(np.log(SHORTEST * radius_mm))
    longest = float(np.log(LONGEST * max(np.ptp(hits.x_mm), np.ptp(hits.y_mm))))
    tries = [
        np.array([log_length, root])
        for log_length in np.linspace(shortest, longest, 24)[1:-1]
        for root in (0.0, 0.1, 0.2, 0.4, 0.7, 1.0)
    ]
    minimize: Any = optimize.minimize  # its stubs know no bounds beside a simplex
    bounds = [(shortest, longest), (0.0, 1.0)]
    with np.errstate(over="ignore", invalid="ignore"):
        start = min(tries, key=lambda theta: _finite(loss(theta)))
        toward = np.where(start > [longest - 0.3, 0.9], -1.0, 1.0)
        options = {
            "initial_simplex": start + np.array([[0, 0], [0.3, 0], [0, 0.08]]) * toward,
            "xatol": 1e-6,
            "fatol": 1e-12,
            "maxiter": 1000,
        }
        found = minimize(
            lambda theta: _finite(loss(theta)),
            start,
            method="Nelder-Mead",
            bounds=bounds,
            options=options,
        )
    if not found.success or not np.isfinite(found.fun):
        raise UserError(
            f"{where}.fit", f"the fit to {file} does not converge ({found.message})", "", _ADVICE
        )
    theta = np.array(found.x)
    _check_length(float(theta[0]), shortest, longest, where, file)
    eternal = theta[1] < LIMIT
    still = theta[1] > 1.0 - LIMIT**2
    theta[1] = 0.0 if eternal else 1.0 if still else theta[1]
    parameters = _parameters(theta, total / float(unit_shape(theta).sum()), radius_mm)
    errors = _standard_errors(hits, at, parameters, bool(eternal), bool(still))
    return Fit(parameters, *errors, int(total), bool(eternal))


_ADVICE = (
    "Look at the plume and at where its source is said to be; choose another sensor.threshold,"
    " detection.cell_mm or fit.part, or fit on another recording (fit.recording)."
)


def _check_length(
    log_length: float, shortest: float, longest: float, where: str, file: str
) -> None:
    """Refuse a length at one of its limits."""
    length = np.exp(log_length)
    if log_length - shortest < 1e-3:
        raise UserError(
            f"{where}.fit",
            f"the length ends at its lower limit, {length:.3g} mm, near the radius of the searcher:"
            f" the plume in {file} is thinner than that, or hit close to the source only",
            "a plume that spreads over several cells",
            "Make detection.cell_mm or detection.radius_mm smaller, or lower sensor.threshold.",
        )
    if longest - log_length < 1e-3:
        raise UserError(
            f"{where}.fit",
            f"the length ends at its upper limit, {length:.3g} mm: hits in {file} do not get rarer"
            " away from the source",
            "a plume whose hits get rarer away from the source",
            "Raise sensor.threshold: a place that is nearly always in odour has few onsets, and"
            " edges and noise have many. Or check where the source is said to be.",
        )


def _finite(value: float) -> float:
    return value if np.isfinite(value) else 1e300


def _check_counts(counts: np.ndarray, where: str, file: str) -> None:
    """Refuse a map that no model could be fitted to."""
    cells = int(np.count_nonzero(counts))
    if cells >= FEWEST_CELLS_HIT:
        return
    found = f"in {cells} of {counts.size} cells" if cells else "nowhere"
    raise UserError(
        f"{where}.fit",
        f"the sensor is hit {found} of {file} ({int(counts.sum())} hits)",
        f"hits in at least {FEWEST_CELLS_HIT} cells",
        "Lower sensor.threshold, make detection.cell_mm smaller, or fit on a longer part or another"
        " recording (fit.part, fit.recording). What is always above the threshold is never hit.",
    )


def _standard_errors(
    hits: HitMap, at: _Places, p: Parameters, eternal: bool, still: bool
) -> tuple[float, float, float]:
    """Standard errors of scale, length and drift.

    Counts of neighbouring places are of the same whiffs, so that Poisson's own errors would be far
    too small. The sandwich estimator takes the spread of the score between stretches of the movie
    instead, which are taken as independent of each other (White 1982, Econometrica 50:1-25).
    """
    rates = rate_hz(at.downwind, at.crosswind, p)
    by_log_length, by_drift = log_gradient(at.downwind, at.distance, p)
    if eternal:  # drift = 1 / length follows the length
        by_log_length = by_log_length - at.downwind / p.length_mm
    directions = [np.ones(rates.shape), by_log_length]
    if not eternal and not still:
        directions.append(by_drift)
    cell = rates.sum(axis=-1)
    slopes = np.stack([(rates * d).sum(axis=-1) / cell for d in directions])  # (k, rows, columns)
    information = np.einsum("irc,jrc,rc->ij", slopes, slopes, cell * hits.exposure_s.sum())
    residuals = hits.hits - cell * hits.exposure_s[:, None, None]
    scores = np.einsum("irc,src->si", slopes, residuals)
    segments = len(scores)
    meat = scores.T @ scores * segments / (segments - 1)
    inverse = np.linalg.inv(information)
    errors = np.sqrt(np.diag(inverse @ meat @ inverse))
    length_se = float(errors[1] * p.length_mm)
    drift_se = float("nan") if still else length_se / p.length_mm**2
    if len(errors) == 3:
        drift_se = float(errors[2])
    return float(errors[0] * p.scale_hz), length_se, drift_se
