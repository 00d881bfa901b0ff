"""What a run cost, from the record that each of its jobs wrote, against its budget."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from plumenav.tables import Schema, read_json, write_json, write_table

SECONDS_PER_SIMULATION = 7.2  # 4000 simulations in 8 hours
SIMULATIONS_PROMISED = 4000
HOURS_PROMISED = 8.0

RULES = Schema(
    "performance_rules",
    2,
    pa.schema(
        [
            ("rule", pa.string()),
            ("jobs", pa.int64()),
            ("wall_s", pa.float64()),  # sum over jobs
            ("wall_s_max", pa.float64()),
            ("cpu_s", pa.float64()),
            ("max_rss_mb", pa.float64()),  # largest job
            ("declared_mb", pa.float64()),  # of the largest declaration
            ("exceeded", pa.int64()),  # jobs above their own declaration
            ("read_mb", pa.float64()),  # sum over jobs; null where nobody counts
            ("written_mb", pa.float64()),
        ]
    ),
    "performance",
)

Job = dict[str, Any]


def read_jobs(files: Iterable[Path]) -> list[Job]:
    """Records of jobs, sorted by start and rule."""
    jobs = [read_json(path) for path in sorted(files)]
    return sorted(jobs, key=lambda job: (job["start_s"], job["rule"]))


def busy_s(intervals: Sequence[tuple[float, float]]) -> float:
    """Length of the union of intervals (start, end), s.

    Pauses between two calls of the workflow count for nothing, and jobs at the same time once.

    Examples
    --------
    >>> busy_s([(0, 2), (1, 3), (10, 11)])
    4.0
    """
    total, until = 0.0, float("-inf")
    for start, end in sorted(intervals):
        total += max(0.0, end - max(start, until))
        until = max(until, end)
    return total


def concurrent_peak(loads: Sequence[tuple[float, float, float]]) -> float:
    """Largest sum of loads at any moment.

    Parameters
    ----------
    loads : sequence of (start, end, load)
        Half-open in time: a job that starts when another ends does not overlap it.

    Examples
    --------
    >>> concurrent_peak([(0, 2, 100), (1, 3, 50), (2, 4, 80)])
    150.0
    """
    # ends sort before starts at the same time
    moments = sorted(
        moment for start, end, load in loads for moment in ((start, 1, load), (end, 0, -load))
    )
    now = peak = 0.0
    for _, _, change in moments:
        now += change
        peak = max(peak, now)
    return peak


def known_sum(values: Iterable[float | None]) -> float | None:
    """Sum of the values that are known; None if none is.

    Examples
    --------
    >>> known_sum([1.5, None, 2.0]), known_sum([None])
    (3.5, None)
    """
    known = [value for value in values if value is not None]
    return float(sum(known)) if known else None


def rule_summary(jobs: Sequence[Job]) -> dict[str, dict[str, Any]]:
    """Costs by rule.

    Returns
    -------
    dict
        {rule: {jobs, wall_s, wall_s_max, cpu_s, max_rss_mb, declared_mb, exceeded, read_mb,
        written_mb}}.
    """
    rules: dict[str, list[Job]] = {}
    for job in jobs:
        rules.setdefault(job["rule"], []).append(job)
    return {
        rule: {
            "jobs": len(own),
            "wall_s": sum(job["wall_s"] for job in own),
            "wall_s_max": max(job["wall_s"] for job in own),
            "cpu_s": sum(job["cpu_s"] for job in own),
            "max_rss_mb": max(job["max_rss_mb"] for job in own),
            "declared_mb": max(job["declared_mb"] for job in own),
            "exceeded": sum(job["max_rss_mb"] > job["declared_mb"] for job in own),
            "read_mb": known_sum(job.get("read_mb") for job in own),
            "written_mb": known_sum(job.get("written_mb") for job in own),
        }
        for rule, own in sorted(rules.items())
    }


def exceeded_jobs(jobs: Sequence[Job]) -> list[dict[str, Any]]:
    """Jobs whose memory exceeded what their rule declared."""
    keys = ("rule", "wildcards", "max_rss_mb", "declared_mb")
    return [{k: job[k] for k in keys} for job in jobs if job["max_rss_mb"] > job["declared_mb"]]


def busiest(jobs: Sequence[Job]) -> int:
    """Largest number of threads at work at once."""
    loads = [
        (job["start_s"], job["start_s"] + job["wall_s"], float(job["threads"])) for job in jobs
    ]
    return int(concurrent_peak(loads))


def summarize(
    jobs: Sequence[Job], completed: int, memory_mb: float, cores: int | None = None
) -> dict[str, Any]:
    """Cost of a run against its budget.

    Parameters
    ----------
    jobs : sequence of dict
        As of :func:`read_jobs`.
    completed : int
        Simulations that ran through.
    memory_mb : float
        What all jobs together may use.
    cores : int, optional
        Cores of the run; the largest number of threads at work at once if not given.

    Returns
    -------
    dict
        Keys wall_s, cpu_s, cores, completed, seconds_per_simulation, core_seconds_per_simulation,
        simulations_per_hour, projected_hours_for_4000, peak_rss_mb (all jobs at any one moment),
        largest_job_mb, memory_mb, floor_s, wall_over_floor, within_budget, budget (its terms),
        rules, exceeded.

    Notes
    -----
    `within_budget`: wall time per completed simulation at most 7.2 s, and 4000 simulations at this
    rate in at most 8 h, and the sum of the peaks of jobs that ran at the same time within
    `memory_mb`. Adding peaks that need not coincide errs on the safe side.

    `floor_s` is a bound that no schedule of these jobs on these cores can beat: the larger of
    CPU time over cores and the longest single job.
    """
    ends = [(job["start_s"], job["start_s"] + job["wall_s"]) for job in jobs]
    wall_s = busy_s(ends)
    cpu_s = float(sum(job["cpu_s"] for job in jobs))
    n_cores = int(cores or busiest(jobs) or 1)
    peak = concurrent_peak([(*e, job["max_rss_mb"]) for e, job in zip(ends, jobs, strict=True)])
    floor_s = max(cpu_s / n_cores, max((job["wall_s"] for job in jobs), default=0.0))
    # nothing completed: the whole time was spent on less than one simulation
    per_simulation = wall_s / max(completed, 1)
    hours = per_simulation * SIMULATIONS_PROMISED / 3600
    budget = {
        "seconds_per_simulation": per_simulation <= SECONDS_PER_SIMULATION and completed > 0,
        "hours_for_4000": hours <= HOURS_PROMISED and completed > 0,
        "memory": peak <= memory_mb,
    }
    return {
        "wall_s": wall_s,
        "cpu_s": cpu_s,
        "cores": n_cores,
        "completed": completed,
        "seconds_per_simulation": per_simulation,
        "core_seconds_per_simulation": cpu_s / max(completed, 1),
        "simulations_per_hour": 3600 / per_simulation if per_simulation and completed else 0.0,
        "projected_hours_for_4000": hours,
        "peak_rss_mb": peak,
        "largest_job_mb": max((job["max_rss_mb"] for job in jobs), default=0.0),
        "memory_mb": float(memory_mb),
        "floor_s": floor_s,
        "wall_over_floor": wall_s / floor_s if floor_s else 1.0,
        "within_budget": all(budget.values()),
        "budget": budget,
        "rules": rule_summary(jobs),
        "exceeded": exceeded_jobs(jobs),
    }


def job_files(root: Path) -> list[Path]:
    """Records of all jobs of a run, results/<run>/performance/jobs/**.json."""
    return sorted((root / "performance" / "jobs").rglob("*.json"))


def write_summary(
    root: Path,
    completed: int,
    memory_mb: float,
    cores: int | None = None,
    files: Iterable[Path] | None = None,
) -> dict[str, Any]:
    """Write performance/summary.json and (by rule) performance/summary.parquet of a run.

    Parameters
    ----------
    root : Path
        results/<run>.
    completed, memory_mb, cores
        As of :func:`summarize`.
    files : iterable of Path, optional
        Records of the jobs that count; all below performance/jobs/ if not given.

    Returns
    -------
    dict
        The summary.
    """
    jobs = read_jobs(job_files(root) if files is None else files)
    summary = summarize(jobs, completed, memory_mb, cores)
    rows = [{"rule": rule, **values} for rule, values in summary["rules"].items()]
    columns = {
        field.name: pa.array([row[field.name] for row in rows], field.type) for field in RULES.arrow
    }
    write_table(root / "performance" / "summary.parquet", pa.table(columns, RULES.arrow), RULES)
    write_json(root / "performance" / "summary.json", summary)
    return summary
