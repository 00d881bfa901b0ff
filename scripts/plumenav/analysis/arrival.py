"""Arrival at the source over time: what share of agents has arrived by when.

Three things can end a simulation. It can **arrive**; it can **leave** the arena or be cut by the
horizon, and then it will not arrive within the horizon; or its **movie ends** before the horizon,
and then nobody knows. Only the last is censoring. Leaving is a competing event: treating it as
censoring (one minus Kaplan-Meier) would answer how many *would* arrive if nobody could leave.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from plumenav.analysis.proportions import wilson_interval

CENSORED, ARRIVED, LEFT = 0, 1, 2


class Incidence(NamedTuple):
    """Cumulative incidence of arrival, a right-continuous step function.

    Attributes
    ----------
    time_s : ndarray, shape (m,)
        0, the times at which someone arrived, and the end of observation; rising.
    incidence : ndarray, shape (m,)
        Share of agents that have arrived by then.
    ci_low, ci_high : ndarray, shape (m,)
        Pointwise 95 % interval.
    at_risk : ndarray of int, shape (m,)
        Agents that had neither arrived nor left nor been cut just before.
    """

    time_s: np.ndarray
    incidence: np.ndarray
    ci_low: np.ndarray
    ci_high: np.ndarray
    at_risk: np.ndarray


def outcomes(
    success: np.ndarray,
    time_to_source_s: np.ndarray,
    end: np.ndarray,
    duration_s: np.ndarray,
    horizon_s: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Time and kind of what ended each simulation's search.

    Parameters
    ----------
    success : ndarray of bool, shape (n,)
    time_to_source_s : ndarray of float, shape (n,)
        NaN where there is no arrival.
    end : ndarray of str, shape (n,)
        source, horizon, left or movie.
    duration_s : ndarray of float, shape (n,)
        Simulated time.
    horizon_s : float
        Common horizon.

    Returns
    -------
    time_s : ndarray of float, shape (n,)
    event : ndarray of int, shape (n,)
        ARRIVED, LEFT or CENSORED (by the end of the movie or, for all at once, the horizon).
    """
    arrived = success & (time_to_source_s <= horizon_s)
    left = ~arrived & (end == "left")
    event = np.where(arrived, ARRIVED, np.where(left, LEFT, CENSORED))
    cut = np.where(end == "horizon", horizon_s, np.minimum(duration_s, horizon_s))
    return np.where(arrived, time_to_source_s, cut), event


def cumulative_incidence(time_s: np.ndarray, event: np.ndarray, horizon_s: float) -> Incidence:
    """Aalen-Johansen estimate of the cumulative incidence of arrival.

    Parameters
    ----------
    time_s, event : ndarray, shape (n,)
        As of :func:`outcomes`.
    horizon_s : float
        Common horizon.

    Returns
    -------
    Incidence
        Until the horizon or, if every agent was cut before, until the last agent was.

    Notes
    -----
    Aalen OO, Johansen S (1978) Scand J Stat 5:141. Without censoring it is the plain count divided
    by n. The variance is the Greenwood-type estimate (Marubini & Valsecchi 1995, Analysing Survival
    Data, 10.3), which then is p(1-p)/n. The interval is Wilson's at the effective sample size
    p(1-p)/variance (Dorey & Korn 1987, Stat Med 6:679), so without censoring it is Wilson's.
    """
    n = len(time_s)
    if n == 0:
        zero = np.zeros(1)
        return Incidence(zero, zero, zero, np.ones(1), np.zeros(1, int))
    times, index = np.unique(time_s, return_inverse=True)
    arrivals = np.bincount(index, event == ARRIVED).astype(float)
    events = np.bincount(index, event != CENSORED).astype(float)
    gone = np.bincount(index).astype(float)
    at_risk = n - np.concatenate([[0.0], np.cumsum(gone)[:-1]])
    # ties: whoever is cut at the moment of an event was at risk for it
    surviving = np.cumprod(1 - events / at_risk)
    before = np.concatenate([[1.0], surviving[:-1]])
    censored_before = np.concatenate([[0.0], np.cumsum(gone - events)[:-1]])
    # as long as nobody was censored the estimate is the count, which needs no rounding
    incidence = np.where(
        censored_before == 0, np.cumsum(arrivals) / n, np.cumsum(before * arrivals / at_risk)
    )
    variance = _variance(incidence, before, arrivals, events, at_risk)
    bounds = [
        _interval(p, v, n, c) for p, v, c in zip(incidence, variance, censored_before, strict=True)
    ]
    # after the last agent was cut nobody is watched; if it arrived or left, all is known
    end_s = float(times[-1]) if gone[-1] > events[-1] else horizon_s
    keep = arrivals > 0
    low, high = np.array(bounds).T
    rows = [
        np.array([0.0, 0.0, 0.0, _interval(0.0, 0.0, n, 0.0)[1], n])[:, None],
        np.stack([times, incidence, low, high, at_risk])[:, keep],
    ]
    if not keep[-1] or times[-1] < end_s:
        left_at_end = at_risk[-1] if times[-1] >= end_s else 0.0
        last = [end_s, incidence[-1], low[-1], high[-1], left_at_end]
        rows.append(np.array(last)[:, None])
    table = np.concatenate(rows, axis=1)
    if keep.any() and times[keep][0] == 0:
        table = table[:, 1:]  # someone starts inside the circle: the curve begins there
    return Incidence(table[0], table[1], table[2], table[3], table[4].astype(int))


def _variance(
    incidence: np.ndarray,
    before: np.ndarray,
    arrivals: np.ndarray,
    events: np.ndarray,
    at_risk: np.ndarray,
) -> np.ndarray:
    """Greenwood-type variance of the incidence at every time, as cumulative sums."""
    staying = at_risk - events
    # nobody is left afterwards where staying is 0: the term's factor is 0 from there on
    hazard = np.where(staying > 0, events / (at_risk * np.maximum(staying, 1)), 0.0)
    step = before * arrivals / at_risk**2
    squares = np.cumsum(before**2 * (at_risk - arrivals) * arrivals / at_risk**3)
    quadratic = (
        incidence**2 * np.cumsum(hazard)
        - 2 * incidence * np.cumsum(incidence * hazard)
        + np.cumsum(incidence**2 * hazard)
    )
    cross = incidence * np.cumsum(step) - np.cumsum(incidence * step)
    return np.asarray(np.maximum(quadratic + squares - 2 * cross, 0.0))


def _interval(p: float, variance: float, n: int, censored: float) -> tuple[float, float]:
    """Wilson interval at the effective sample size."""
    known = max(float(n) - censored, 1.0)
    inside = 1e-12 < p < 1 - 1e-12 and variance > 0
    effective = p * (1 - p) / variance if inside else known
    effective = min(effective, float(n))
    return wilson_interval(min(max(p, 0.0), 1.0) * effective, effective)


def incidence_at(curve: Incidence, time_s: float) -> tuple[float, float, float]:
    """Incidence and its interval (low, high) at a time; the last value after the end."""
    i = int(np.searchsorted(curve.time_s, time_s, side="right")) - 1
    return float(curve.incidence[i]), float(curve.ci_low[i]), float(curve.ci_high[i])


def restricted_mean_s(curve: Incidence) -> tuple[float, float]:
    """Mean time to the source, counting who does not arrive as the restriction time.

    Returns
    -------
    mean_s : float
        Area above the incidence curve from 0 to `restricted_to_s`.
    restricted_to_s : float
        End of the curve: the horizon, or the end of observation if that was earlier.

    Notes
    -----
    Royston & Parmar (2013) BMC Med Res Methodol 13:152; with a competing event it is the horizon
    minus the time "lost" to arrival (Andersen 2013, Stat Med 32:5278).
    """
    widths = np.diff(curve.time_s)
    area = float(np.sum(curve.incidence[:-1] * widths))
    end_s = float(curve.time_s[-1])
    return end_s - area, end_s


def thinned(curve: Incidence, limit: int) -> Incidence:
    """At most `limit` points of a curve, first and last kept."""
    m = len(curve.time_s)
    if m <= limit:
        return curve
    keep = np.unique(np.linspace(0, m - 1, limit).round().astype(int))
    return Incidence(*(column[keep] for column in curve))
