"""Group statistics of a run: success, arrival, measures, each with its uncertainty.

Intervals over simulations in one recording are conditional on that recording: they say how well
the rate in *this* movie is known, not how it would vary between movies.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from plumenav import registry
from plumenav.analysis import arrival
from plumenav.analysis.measures._contract import Rows
from plumenav.analysis.proportions import mcnemar_exact, wilson_interval
from plumenav.analysis.run_files import columns_of

CURVE_POINTS = 1000  # of an arrival curve in the tables

# Models that smell nothing; the first agent with one of them is the null of the run.
NULL_MODELS = ("correlated_random_walk",)


def completed_rows(simulations: pa.Table) -> dict[str, np.ndarray]:
    """Columns of the simulations that ran through (status ok)."""
    rows = columns_of(simulations)
    ok = rows["status"] == "ok"
    return {name: column[ok] for name, column in rows.items()}


def null_agent(agents: dict[str, dict[str, Any]]) -> str | None:
    """Label of the run's null agent: the first null model, else the first blind agent.

    Parameters
    ----------
    agents : dict
        The `agents` section of the resolved config.
    """
    for test in (
        lambda agent: agent["model"] in NULL_MODELS,
        lambda agent: agent.get("control") == "blind",
    ):
        for label, agent in agents.items():
            if test(agent):
                return label
    return None


def describe(values: np.ndarray) -> dict[str, float | int | None]:
    """Count, mean, sd (n - 1), extremes and quartiles of the numbers that are defined.

    Quartiles interpolate linearly (Hyndman & Fan 1996, type 7). None where nothing is defined.
    """
    defined = np.asarray(values, float)
    defined = defined[np.isfinite(defined)]
    if not len(defined):
        names = ("mean", "sd", "minimum", "q25", "median", "q75", "maximum")
        return {"n": 0, **dict.fromkeys(names)}
    low, q25, median, q75, high = (
        float(q) for q in np.quantile(defined, [0.0, 0.25, 0.5, 0.75, 1.0])
    )
    # fsum: the mean must not depend on how an array happens to be summed
    n = len(defined)
    mean = math.fsum(defined) / n
    sd = math.sqrt(math.fsum((defined - mean) ** 2) / (n - 1)) if n > 1 else None
    return {
        "n": n,
        "mean": mean,
        "sd": sd,
        "minimum": low,
        "q25": q25,
        "median": median,
        "q75": q75,
        "maximum": high,
    }


def measure_rows(rows: Rows, names: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """Every registered measure of a group of completed simulations, sorted by name.

    Parameters
    ----------
    rows : mapping of ndarray
        As of :func:`completed_rows`.
    names : sequence of str, optional
        Measures; all registered ones if not given.

    Returns
    -------
    list of dict
        Keys `measure`, `unit` and those of :func:`describe`.
    """
    result = []
    for name in sorted(registry.names("measure") if names is None else names):
        measure = registry.get("measure", name)
        result.append({"measure": name, "unit": measure.UNIT, **describe(measure.values(rows))})
    return result


def arrival_curve(rows: Rows, horizon_s: float) -> arrival.Incidence:
    """Cumulative incidence of arrival of a group of completed simulations."""
    time_s, event = arrival.outcomes(
        rows["success"], rows["time_to_source_s"], rows["end"], rows["duration_s"], horizon_s
    )
    return arrival.cumulative_incidence(time_s, event, horizon_s)


def success_of(rows: Rows) -> dict[str, Any]:
    """Successes among completed simulations: count, rate, Wilson interval.

    Returns
    -------
    dict
        `n`, `successes`, `success_rate` (None if n is 0), `ci_low`, `ci_high`.
    """
    n, successes = len(rows["success"]), int(np.sum(rows["success"]))
    low, high = wilson_interval(successes, n)
    rate = successes / n if n else None
    return {"n": n, "successes": successes, "success_rate": rate, "ci_low": low, "ci_high": high}


def summary_row(simulations: pa.Table, blank: pa.Table | None, horizon_s: float) -> dict[str, Any]:
    """Everything that is said of one agent in one recording (columns of SUMMARY).

    Parameters
    ----------
    simulations : pyarrow.Table
        SIMULATIONS schema.
    blank : pyarrow.Table or None
        The same agent in plume-free air.
    horizon_s : float
        Common horizon.
    """
    rows = completed_rows(simulations)
    success = success_of(rows)
    curve = arrival_curve(rows, horizon_s)
    restricted_mean_s, restricted_to_s = arrival.restricted_mean_s(curve)
    times = describe(np.where(rows["success"], rows["time_to_source_s"], np.nan))
    efficiency = describe(rows["path_efficiency"])
    upwind = describe(rows["net_upwind_mm"])
    any_completed = success["n"] > 0
    not_arrived = ~rows["success"]
    return {
        "n": simulations.num_rows,
        "completed": success["n"],
        "failed": simulations.num_rows - success["n"],
        **{key: success[key] for key in ("successes", "success_rate", "ci_low", "ci_high")},
        "median_time_s": times["median"],
        "incidence": float(curve.incidence[-1]) if any_completed else None,
        "incidence_ci_low": float(curve.ci_low[-1]),
        "incidence_ci_high": float(curve.ci_high[-1]),
        "restricted_mean_time_s": restricted_mean_s if any_completed else None,
        "restricted_to_s": restricted_to_s if any_completed else None,
        "left": int(np.sum(not_arrived & (rows["end"] == "left"))),
        "censored": int(np.sum(not_arrived & (rows["end"] == "movie"))),
        "path_efficiency_median": efficiency["median"],
        "path_efficiency_q25": efficiency["q25"],
        "path_efficiency_q75": efficiency["q75"],
        "encounters_mean": describe(rows["encounters"])["mean"],
        "smelled_nothing": int(np.sum(rows["encounters"] == 0)),
        "net_upwind_mm_mean": upwind["mean"],
        "net_upwind_mm_median": upwind["median"],
        "upwind_velocity_mm_s_mean": _upwind_velocity(rows),
        "clipped_simulations": int(np.sum(rows["clipped_rates"] > 0)),
        **_blank_columns(blank),
    }


def _upwind_velocity(rows: Rows) -> Any:
    measure = registry.get("measure", "upwind_velocity_mm_s")
    return describe(measure.values(rows))["mean"]


def _blank_columns(blank: pa.Table | None) -> dict[str, Any]:
    """Columns of the blank control; counts are 0 and rates None where it was not run."""
    if blank is None:
        empty = dict.fromkeys(
            ("success_rate", "ci_low", "ci_high", "net_upwind_mm_mean", "upwind_velocity_mm_s_mean")
        )
        return {f"blank_{key}": value for key, value in {"n": 0, "successes": 0, **empty}.items()}
    rows = completed_rows(blank)
    content = {
        **success_of(rows),
        "net_upwind_mm_mean": describe(rows["net_upwind_mm"])["mean"],
        "upwind_velocity_mm_s_mean": _upwind_velocity(rows),
    }
    return {f"blank_{key}": value for key, value in content.items()}


def against_null_row(simulations: pa.Table, null: pa.Table) -> dict[str, Any]:
    """Success of an agent against the null agent, paired by simulation number.

    Both start at the same places, headings and frames, so pairs are the right unit: the exact
    McNemar test uses only the simulations in which exactly one of the two arrived.

    Returns
    -------
    dict
        Columns of AGAINST_NULL from `pairs` on; `difference` is None without pairs.
    """
    mine, other = completed_rows(simulations), completed_rows(null)
    _, i, j = np.intersect1d(
        mine["simulation"], other["simulation"], assume_unique=True, return_indices=True
    )
    a, b = mine["success"][i], other["success"][j]
    agent_only, null_only = int(np.sum(a & ~b)), int(np.sum(b & ~a))
    return {
        "pairs": len(i),
        "both": int(np.sum(a & b)),
        "agent_only": agent_only,
        "null_only": null_only,
        "neither": int(np.sum(~a & ~b)),
        "difference": (agent_only - null_only) / len(i) if len(i) else None,
        "p_value": mcnemar_exact(agent_only, null_only),
    }


def arrival_rows(simulations: pa.Table, horizon_s: float) -> list[dict[str, Any]]:
    """Points of the arrival curve (columns of ARRIVAL from `time_s` on)."""
    rows = completed_rows(simulations)
    if not len(rows["success"]):
        return []
    curve = arrival.thinned(arrival_curve(rows, horizon_s), CURVE_POINTS)
    return [
        dict(zip(arrival.Incidence._fields, (t, p, low, high, int(n)), strict=True))
        for t, p, low, high, n in zip(*(column.tolist() for column in curve), strict=True)
    ]
