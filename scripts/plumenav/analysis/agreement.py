"""Does the engine do, step by step, what the independent reference does?

Correlating positions proves little: any two agents that drift upwind correlate at 0.9997. So the
gate (verdict.py) asks for positions equal to 1e-6 mm with equal behaviour codes, for correlated
*increments* in every single simulation, and for a pairing of engine and reference runs that chance
would not find (a permutation test; Edgington & Onghena 2007, Randomization Tests). This file
measures them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from plumenav.analysis.agreement_sample import Edges, sample_counts
from plumenav.tables import AGREEMENT

TIE = 1e-9  # a decision this close to its threshold may fall either way by rounding alone
MAX_ODOR_ERROR = 1e-6  # relative to max(1, |odor|)
CANCELLED = 1e-4  # of a sum of squares: less is left of it where most was the mean's
CONSTANT = 1e-9  # a series that varies less has no correlation (mm, rad)
# written where there is no number to compare (missing rows, NaN), because JSON and gates need one
UNDEFINED_ERROR = 1e12
CHANNELS = ("x_mm", "y_mm", "heading_rad")


class Steps(NamedTuple):
    """Every step of one simulation; arrays of shape (n,).

    Attributes
    ----------
    step : ndarray of int
    track : ndarray, shape (3, n), float64
        x in mm, y in mm, heading in rad.
    odor : ndarray, float64
    state : ndarray of int
    margin : ndarray, float64
    """

    step: np.ndarray
    track: np.ndarray
    odor: np.ndarray
    state: np.ndarray
    margin: np.ndarray


class Agreement(NamedTuple):
    """Agreement of one agent in one recording.

    Attributes
    ----------
    rows : pyarrow.Table
        One row per simulation, AGREEMENT schema.
    summary : dict
        JSON-able: `recording`, `agent`, `n`, `p_value`, `sample` {reached, left, smelled,
        missing}.
    """

    rows: pa.Table
    summary: dict[str, Any]


def split(table: pa.Table) -> dict[int, Steps]:
    """Steps of each simulation of a REFERENCE table, in the order of their step numbers."""
    column = {
        name: table.column(name).to_numpy()
        for name in ("simulation", "step", *CHANNELS, "odor", "state", "margin")
    }
    order = np.lexsort((column["step"], column["simulation"]))
    simulation = column["simulation"][order]
    numbers, firsts = np.unique(simulation, return_index=True)
    result = {}
    for number, rows in zip(numbers.tolist(), np.split(order, firsts[1:]), strict=True):
        result[int(number)] = Steps(
            column["step"][rows],
            np.stack([column[name][rows] for name in CHANNELS]).astype(np.float64),
            column["odor"][rows].astype(np.float64),
            column["state"][rows],
            column["margin"][rows].astype(np.float64),
        )
    return result


# ----------------------------------------------------------------------------- correlation


def correlation(a: np.ndarray, b: np.ndarray) -> tuple[float, bool]:
    """Pearson correlation that always has a value.

    Parameters
    ----------
    a, b : ndarray, shape (n,)

    Returns
    -------
    r : float
        In [-1, 1]. If a series has no variance (range <= 1e-9): 1 if both agree to 1e-9, else 0.
    constant : bool
        Whether that was so.
    """
    if len(a) == 0 or np.ptp(a) <= CONSTANT or np.ptp(b) <= CONSTANT:
        return float(len(a) == 0 or bool(np.max(np.abs(a - b)) <= CONSTANT)), True
    u, v = a - a.mean(), b - b.mean()
    # scaled first, so that the squares of small series do not vanish
    u, v = u / np.max(np.abs(u)), v / np.max(np.abs(v))
    # sums, not products of the linear algebra library: its bits depend on its threads
    r = float(np.sum(u * v)) / math.sqrt(float(np.sum(u * u)) * float(np.sum(v * v)))
    return (min(1.0, max(-1.0, r)), False) if math.isfinite(r) else (0.0, False)


def increment_correlations(
    engine: np.ndarray, reference: np.ndarray
) -> tuple[list[float], list[bool]]:
    """Correlation of increments (dx, dy, dheading), each of shape (3, n_i), over common steps."""
    n = min(engine.shape[1], reference.shape[1])
    pairs = [correlation(engine[k, :n], reference[k, :n]) for k in range(len(CHANNELS))]
    return [r for r, _ in pairs], [constant for _, constant in pairs]


class _Beginnings(NamedTuple):
    """What correlation needs of every beginning of some series.

    Attributes
    ----------
    scaled : ndarray, shape (n, longest)
        The series, centred, scaled to at most 1, and zero beyond their ends.
    scale : ndarray, shape (n, 1)
        By which they were divided; 0 where a number is not finite.
    sums, squares : ndarray, shape (n, longest + 1)
        Of the first 0, 1, ... scaled numbers.
    """

    scaled: np.ndarray
    scale: np.ndarray
    sums: np.ndarray
    squares: np.ndarray


def _beginnings(series: list[np.ndarray]) -> _Beginnings:
    scaled = np.zeros((len(series), max(len(one) for one in series)))
    scale = np.zeros((len(series), 1))
    for i, one in enumerate(series):
        if one.size and np.isfinite(one).all():
            centred = one - one.mean()
            scale[i] = np.max(np.abs(centred))
            scaled[i, : len(one)] = centred / (scale[i] or 1.0)
    zero = np.zeros((len(series), 1))
    sums, squares = (
        np.concatenate([zero, np.cumsum(values, axis=1)], axis=1) for values in (scaled, scaled**2)
    )
    return _Beginnings(scaled, scale, sums, squares)


def cross_correlations(ours: list[np.ndarray], theirs: list[np.ndarray]) -> np.ndarray:
    """:func:`correlation` of all pairs of series, each over its common part, shape (n, n).

    By sums over beginnings of the series, which all pairs share. What may be constant in the common
    part, is nearly so, or is not finite, goes the long way.
    """
    lengths = np.minimum.outer([len(a) for a in ours], [len(b) for b in theirs])
    a, b = _beginnings(ours), _beginnings(theirs)
    common = min(a.scaled.shape[1], b.scaled.shape[1])
    # zeros beyond the shorter one add nothing; einsum, because a library's bits depend on threads
    products = np.einsum("ik,jk->ij", a.scaled[:, :common], b.scaled[:, :common])
    i, j = np.indices(lengths.shape)
    n = np.maximum(lengths, 1)
    a_sum, b_sum = a.sums[i, lengths], b.sums[j, lengths]
    a_square, b_square = a.squares[i, lengths], b.squares[j, lengths]
    a_spread, b_spread = a_square - a_sum**2 / n, b_square - b_sum**2 / n
    easy = (a_spread > CANCELLED * a_square) & (b_spread > CANCELLED * b_square)
    # a range of at most CONSTANT has no larger variance than its square
    easy &= (a_spread * a.scale**2 > n * CONSTANT**2) & (b_spread * b.scale.T**2 > n * CONSTANT**2)
    size = np.sqrt(np.where(easy, a_spread * b_spread, 1.0))
    r: np.ndarray = np.clip((products - a_sum * b_sum / n) / size, -1.0, 1.0)
    for row, column in np.argwhere(~easy).tolist():
        m = lengths[row, column]
        r[row, column] = correlation(ours[row][:m], theirs[column][:m])[0]
    return r


def pairing_p_value(
    engine: list[np.ndarray], reference: list[np.ndarray], permutations: int, seed: int = 0
) -> float:
    """Chance that the pairs agree as well when references are dealt out at random.

    The statistic is the mean over simulations of the mean correlation of dx, dy and dheading; pairs
    of unequal length are compared over their common part.

    Parameters
    ----------
    engine, reference : list of ndarray, each of shape (3, n_i)
        Tracks; entry i of both is simulation i.
    permutations : int
        Number of random pairings.
    seed : int

    Returns
    -------
    float
        (1 + number of pairings at least as good as the true one) / (1 + permutations); 1 if there
        is nothing to deal out.
    """
    n = len(engine)
    if n == 0 or permutations == 0:
        return 1.0
    ours, theirs = ([np.diff(track, axis=1) for track in tracks] for tracks in (engine, reference))
    channels = range(len(CHANNELS))
    r = np.mean(
        [cross_correlations([a[k] for a in ours], [b[k] for b in theirs]) for k in channels],
        axis=0,
    )
    generator = np.random.Generator(np.random.Philox(key=seed))
    dealt = generator.permuted(np.tile(np.arange(n), (permutations, 1)), axis=1)
    observed = np.trace(r)
    # summed in another order, the true pairing may differ from itself in the last bits
    as_good = int(np.sum(r[np.arange(n), dealt].sum(axis=1) >= observed - 1e-9))
    return (1 + as_good) / (1 + permutations)


# --------------------------------------------------------------------- one simulation's row


def _largest(errors: np.ndarray) -> float:
    """Largest error; what cannot be compared counts as a huge one."""
    if errors.size == 0:
        return 0.0
    return float(np.max(np.where(np.isfinite(errors), errors, UNDEFINED_ERROR)))


def _ends_differ(
    engine: Mapping[str, Any], reference: Mapping[str, Any] | None, limit_mm: float
) -> bool:
    """Whether the two simulations ended otherwise: how, where, or when they reached the source."""
    if reference is None:
        return False
    if engine["end"] != reference["end"]:
        return True
    times = engine["time_to_source_s"], reference["time_to_source_s"]
    if (times[0] is None) != (times[1] is None):
        return True
    gaps = [engine[name] - reference[name] for name in ("final_x_mm", "final_y_mm")]
    if times[0] is not None:
        gaps.append(times[0] - times[1])
    return not all(abs(gap) <= limit_mm for gap in gaps)


def compare_one(
    engine: Steps | None,
    reference: Steps | None,
    simulation: Mapping[str, Any],
    outcome: Mapping[str, Any] | None,
    limits: Mapping[str, float],
) -> dict[str, Any]:
    """Compare one simulation with its reference.

    If they diverge after a tie (a decision of the reference within 1e-9 of its threshold), only the
    steps up to the first tie count, and `tie_step` says so. At the tie itself the reading may
    already differ (nearest pixel, dead zone), position and code may not.

    Parameters
    ----------
    engine, reference : Steps or None
        None: there are no rows.
    simulation : dict
        Row of the SIMULATIONS table.
    outcome : dict or None
        The reference's own end, `final_x_mm`, `final_y_mm`, `time_to_source_s`; None: not compared.
    limits : dict
        `max_error_mm`, `min_correlation`.

    Returns
    -------
    dict
        The AGREEMENT columns but `recording` and `agent`. `lengths_equal` means: as many steps,
        numbered 0, 1, ..., and the same end (kind, place, time of arrival).
    """
    row: dict[str, Any] = {
        "simulation": int(simulation["simulation"]),
        "steps": 0,
        "steps_recorded": 0 if engine is None else len(engine.step),
        "max_error_mm": UNDEFINED_ERROR,
        "max_odor_error": UNDEFINED_ERROR,
        "states_equal": False,
        "lengths_equal": False,
        **dict.fromkeys(("r_dx", "r_dy", "r_dheading", "r_x", "r_y"), 0.0),
        "constant_series": 0,
        "tie_step": None,
        "encounters": int(simulation["encounters"] or 0),
        "end": simulation["end"],
        "passed": False,
    }
    if engine is None or reference is None:
        return row
    n = min(len(engine.step), len(reference.step))
    position = np.abs(engine.track[:2, :n] - reference.track[:2, :n]).max(axis=0)
    size = np.maximum(1.0, np.abs(reference.odor[:n]))
    odor = np.abs(engine.odor[:n] - reference.odor[:n]) / size
    same_state = engine.state[:n] == reference.state[:n]
    numbered = all(
        np.array_equal(one.step, np.arange(len(one.step))) for one in (engine, reference)
    )
    differ = _ends_differ(simulation, outcome, limits["max_error_mm"])
    alike = len(engine.step) == len(reference.step) and numbered and not differ

    # written so that NaN counts as a difference
    fits = (position <= limits["max_error_mm"]) & (odor <= MAX_ODOR_ERROR) & same_state
    diverged = int(np.argmin(fits)) if not fits.all() else (None if alike else n - 1)
    tie = None
    if diverged is not None and numbered:
        ties = np.flatnonzero(reference.margin[: diverged + 1] < TIE)
        tie = int(ties[0]) if ties.size else None
    stop = n if tie is None else tie + 1

    r, constant = increment_correlations(
        np.diff(engine.track[:, :stop], axis=1), np.diff(reference.track[:, :stop], axis=1)
    )
    row |= {
        "steps": stop,
        "max_error_mm": _largest(position[:stop]),
        "max_odor_error": _largest(odor[: n if tie is None else tie]),
        "states_equal": bool(same_state[:stop].all()),
        "lengths_equal": alike,
        **dict(zip(("r_dx", "r_dy", "r_dheading"), r, strict=True)),
        "r_x": correlation(engine.track[0, :stop], reference.track[0, :stop])[0],
        "r_y": correlation(engine.track[1, :stop], reference.track[1, :stop])[0],
        "constant_series": sum(constant),
        "tie_step": tie,
    }
    row["passed"] = bool(
        row["max_error_mm"] <= limits["max_error_mm"]
        and row["max_odor_error"] <= MAX_ODOR_ERROR
        and row["states_equal"]
        and (alike or tie is not None)
        and min(r) >= limits["min_correlation"]
    )
    return row


# ------------------------------------------------------------------ one agent, one recording


def compare(
    engine: pa.Table,
    reference: pa.Table,
    simulations: pa.Table,
    *,
    recording: str,
    agent: str,
    limits: Mapping[str, float],
    permutations: int = 999,
    outcomes: Iterable[Mapping[str, Any]] | None = None,
    arena_mm: Edges | None = None,
    wanted: int | None = None,
) -> Agreement:
    """Compare a sample of simulations with the reference's.

    Parameters
    ----------
    engine, reference : pyarrow.Table
        Every step, REFERENCE schema (the engine's `margin` is not used).
    simulations : pyarrow.Table
        The engine's SIMULATIONS rows of the sample, and no others.
    recording, agent : str
        Labels.
    limits : dict
        `max_error_mm`, `min_correlation`.
    permutations : int
        Random pairings for the p-value.
    outcomes : iterable of dict, optional
        The reference's outcomes (see plumenav.references._run.run_sample): ends are compared too.
    arena_mm : tuple of float, optional
        x low, x high, y low, y high: what counts as having ended outside.
    wanted : int, optional
        Size of sample that was asked for.

    Returns
    -------
    Agreement

    Raises
    ------
    ValueError
        If a table holds a simulation that `simulations` does not.
    """
    by_engine, by_reference = split(engine), split(reference)
    by_outcome = {int(one["simulation"]): one for one in outcomes or ()}
    rows = sorted(simulations.to_pylist(), key=lambda one: int(one["simulation"]))
    numbers = [int(row["simulation"]) for row in rows]
    strangers = sorted((set(by_engine) | set(by_reference)) - set(numbers))
    if strangers:
        raise ValueError(f"{agent} in {recording}: steps of unknown simulations {strangers[:5]}")
    compared = [
        compare_one(
            by_engine.get(number), by_reference.get(number), row, by_outcome.get(number), limits
        )
        for number, row in zip(numbers, rows, strict=True)
    ]
    both = [number for number in numbers if number in by_engine and number in by_reference]
    p_value = pairing_p_value(
        [by_engine[number].track for number in both],
        [by_reference[number].track for number in both],
        permutations,
    )
    labelled = [{"recording": recording, "agent": agent, **row} for row in compared]
    summary = {
        "recording": recording,
        "agent": agent,
        "n": len(numbers),
        "p_value": p_value,
        "sample": sample_counts(rows, wanted or len(rows), arena_mm),
    }
    return Agreement(pa.Table.from_pylist(labelled, schema=AGREEMENT.arrow), summary)
