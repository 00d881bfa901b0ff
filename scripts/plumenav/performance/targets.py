"""Required, measured, met: time and memory of a run, and the goals that its code is held to.

*Targets* are requirements of every run: one that is missed fails it. *Goals* are shown, and fail
nothing: they are about one certain run (the 4,000 simulations of the demonstration on two cores),
about how well a machine was used, or can be measured by the benchmark only. A measurement of the
benchmark is shown for this run if it was made on this machine with this code, else what is shown is
how to get it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from plumenav import history
from plumenav.performance.idle import utilization
from plumenav.performance.inside import phases
from plumenav.performance.runs import MADE_BEFORE, cached
from plumenav.performance.usage import (
    HOURS_PROMISED,
    SECONDS_PER_SIMULATION,
    SIMULATIONS_PROMISED,
    Job,
)

PER_HOUR = SIMULATIONS_PROMISED / HOURS_PROMISED
# of fewer simulations the time is that of starting up, not of simulating
FEWEST_TO_TIME = 100

WALL_S, CORES = 60.0, 2  # of the default run, recordings given
CHUNK_S = 120.0
START_UP_SHARE = 0.2
START_UP = "start_up"  # the phase of a job
BENCH = "make bench"
# the goals that the benchmark measures: name of the ratio, what it says, what is required
BENCHMARKED = (
    ("run_vs_floor", "default run against its floor", "<= 1.5"),
    ("engine_vs_python_loop", "engine against a loop over agents in plain Python", ">= 80"),
    ("engine_vs_numpy", "engine against vectorized NumPy", ">= 3.5"),
    ("engine_vs_numba", "engine against a plain numba loop", ">= 1.4"),
    ("engine_vs_roofline", "engine against its roofline", "within 1.8 times"),
    ("infotaxis_vs_numpy", "infotaxis against vectorized NumPy", ">= 15"),
    ("normalization_vs_decode", "normalization against decoding and writing alone", "<= 1.5"),
    ("ten_times_cost", "simulating 40,000 against 4,000", "<= 10.5"),
    ("second_core_speedup", "speed-up by a second core, of what arithmetic gets", ">= 0.93"),
    ("length_memory_ratio", "memory for a movie ten times longer", "<= 1.1"),
    ("prediction_error", "predicted against measured memory, error", "<= 0.2"),
)

Target = dict[str, Any]
Goal = dict[str, Any]


def target(name: str, required: str, measured: Any, passed: bool) -> Target:
    """One requirement: `required` in words, `measured` a number, a truth value or text."""
    return {"name": name, "required": required, "measured": measured, "passed": bool(passed)}


def cost_targets(performance: dict[str, Any]) -> list[Target]:
    """Time and memory; `performance` is performance/summary.json."""
    seconds = performance["seconds_per_simulation"]
    hours = performance["projected_hours_for_4000"]
    peak, promised = performance["peak_rss_mb"], performance["memory_mb"]
    completed = performance["completed"]
    few = 0 < completed < FEWEST_TO_TIME
    exceeded = len(performance["exceeded"])
    per_hour = performance["simulations_per_hour"]
    return [
        target(
            "seconds per simulation",
            f"<= {SECONDS_PER_SIMULATION}",
            seconds,
            few or (completed > 0 and seconds <= SECONDS_PER_SIMULATION),
        ),
        target("simulations per hour", f">= {PER_HOUR:g}", per_hour, few or per_hour >= PER_HOUR),
        target(
            "hours for 4000 simulations",
            f"<= {HOURS_PROMISED:g}",
            hours,
            few or (completed > 0 and hours <= HOURS_PROMISED),
        ),
        target("memory of all jobs at once, MB", f"<= {promised:g}", peak, peak <= promised),
        target("jobs above their declared memory", "0", exceeded, exceeded == 0),
    ]


def goal(
    name: str, required: str, measured: float | None, passed: bool | None, note: str = ""
) -> Goal:
    """One goal; `passed` is None where it does not apply or was not measured, and `note` why."""
    return {
        "name": name,
        "required": required,
        "measured": measured,
        "passed": passed,
        "note": note,
    }


def run_goals(jobs: Sequence[Job], completed: int, cores: int) -> list[Goal]:
    """Goals that the records of a run can tell.

    Parameters
    ----------
    jobs : sequence of dict
        Usage records, sorted by start.
    completed : int
        Simulations that ran through.
    cores : int
        Of the run.

    Returns
    -------
    list of dict
        {name, required, measured, passed, note}.
    """
    return [
        _wall_goal(jobs, completed, cores),
        _utilization_goal(utilization(jobs, cores)),
        *_chunk_goals([job for job in jobs if job["rule"] == "simulate" and not cached(job)]),
    ]


def _wall_goal(jobs: Sequence[Job], completed: int, cores: int) -> Goal:
    given = [job for job in jobs if job["rule"] != MADE_BEFORE]
    wall_s = utilization(given, cores)["wall_s"]
    stored = sum(map(cached, jobs))
    unlike = [
        text
        for text, applies in (
            (f"{completed} simulations", completed < SIMULATIONS_PROMISED),
            (f"{cores} core{'s' if cores > 1 else ''}", cores != CORES),
            (f"{stored} jobs took their result from a store", stored > 0),
        )
        if applies
    ]
    note = f"does not apply: {', '.join(unlike)}" if unlike else "from the first job to the last"
    return goal(
        "wall time, recordings given, s",
        f"<= {WALL_S:g} for 4,000 simulations on {CORES} cores, nothing stored",
        wall_s,
        None if unlike else wall_s <= WALL_S,
        note,
    )


def _utilization_goal(found: dict[str, Any]) -> Goal:
    lost = found["reasons"][:3]
    why = ", ".join(f"{100 * reason['share']:.0f} % {reason['where']}" for reason in lost)
    return goal(
        "CPU utilization",
        f">= {found['required']:g}",
        found["share"],
        found["passed"],
        f"lost: {why}" if why else "",
    )


def _chunk_goals(simulate: Sequence[Job]) -> Iterator[Goal]:
    if not simulate:
        return
    longest = max(job["wall_s"] for job in simulate)
    yield goal("longest simulate job, s", f"<= {CHUNK_S:g}", longest, longest <= CHUNK_S)
    share = start_up_share(simulate)
    yield goal(
        "start-up of simulate jobs, share of their time",
        f"<= {START_UP_SHARE:g}",
        share,
        None if share is None else share <= START_UP_SHARE,
        "not measured: the jobs do not tell" if share is None else "",
    )


def start_up_share(jobs: Sequence[Job]) -> float | None:
    """Share of jobs' wall time before their work began; None if none of them tells."""
    told = [job for job in jobs if START_UP in job["details"].get("phases", {})]
    if not told:
        return None
    start_up = sum(rule[START_UP] for rule in phases(told).values())
    return float(start_up / sum(job["wall_s"] for job in told))


def unusable(benchmark: dict[str, Any] | None, code: str) -> str:
    """Why a benchmark.json says nothing about this machine and this code; empty if it does."""
    if benchmark is None:
        return f"measured by {BENCH}"
    measured_on = benchmark.get("machine", {})
    if measured_on.get("fingerprint") != history.fingerprint():
        return f"measured by {BENCH}; the one at hand is of another machine"
    if measured_on.get("code") != code:
        return f"measured by {BENCH}; the one at hand is of other code"
    return ""


def benchmark_goals(benchmark: dict[str, Any] | None, code: str) -> list[Goal]:
    """Goals that only the benchmark can measure.

    Parameters
    ----------
    benchmark : dict or None
        Content of results/benchmark/benchmark.json, if there is one.
    code : str
        Fingerprint of the workflow's code.

    Returns
    -------
    list of dict
        As of :func:`run_goals`; without `measured` where the benchmark is missing, of another
        machine or of other code, or did not measure this.
    """
    why = unusable(benchmark, code)
    ratios = {} if why or benchmark is None else benchmark["ratios"]
    size = " (quick form)" if ratios and benchmark and benchmark.get("quick") else ""
    result = []
    for key, name, required in BENCHMARKED:
        found = ratios.get(key)
        if found is None:
            note = why or f"measured by {BENCH}; not by the one at hand"
            result.append(goal(name, required, None, None, note))
            continue
        note = f"{BENCH}{size}: {found['ci_low']:.3g} to {found['ci_high']:.3g}"
        result.append(goal(name, required, found["median"], found["passed"], note))
    return result
