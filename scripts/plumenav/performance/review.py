"""What a run's costs mean: goals, idle cores, caches, trend, regressions, what to change."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict
from itertools import dropwhile
from pathlib import Path
from typing import Any

from plumenav import fingerprint, history
from plumenav.performance.idle import PAUSE_S, lanes, segments, utilization
from plumenav.performance.inside import caches, memory_events, phases
from plumenav.performance.recommendations import Measured, recommendations
from plumenav.performance.regression import against_earlier
from plumenav.performance.runs import models_of, remember
from plumenav.performance.targets import benchmark_goals, run_goals
from plumenav.performance.usage import SIMULATIONS_PROMISED, Job, read_jobs
from plumenav.tables import read_json, write_json

log = logging.getLogger(__name__)

TREND_RUNS = 30


def projection(
    jobs: Sequence[Job], config: dict[str, Any], cores: int
) -> dict[str, dict[str, float]]:
    """What 4,000 simulations of each model would take, at the rate of this run.

    Returns
    -------
    dict
        {model: {simulations, core_seconds_per_simulation, wall_s_for_4000}}; the simulate stage
        alone, on all cores of the run.
    """
    return {
        model: {
            **cost,
            "wall_s_for_4000": cost["core_seconds_per_simulation"] * SIMULATIONS_PROMISED / cores,
        }
        for model, cost in models_of(jobs, config).items()
    }


def trend(records: Sequence[history.Record], config_sha256: str) -> list[dict[str, Any]]:
    """Complete runs of one configuration, oldest first.

    Parameters
    ----------
    records : sequence of dict
        Of one machine, newest first.
    config_sha256 : str

    Returns
    -------
    list of dict
        {started_s, wall_s, cpu_s, cores, code (a number that grows with each change)}.
    """
    runs = [r for r in records if r["complete"] and r["config_sha256"] == config_sha256]
    result: list[dict[str, Any]] = []
    code, before = 0, None
    for record in runs[:TREND_RUNS][::-1]:
        code += before is not None and record["versions"] != before
        before = record["versions"]
        kept = {key: record[key] for key in ("started_s", "wall_s", "cpu_s", "cores")}
        result.append({**kept, "code": code})
    return result


def without_pauses(jobs: Sequence[Job]) -> list[float]:
    """When each job started, s since the first, with pauses between calls taken out.

    A recording may have been made the day before, and a run be continued after an interruption.
    """
    pauses = [
        (until, until - since)
        for since, until, running in segments(jobs)
        if not running and until - since > PAUSE_S
    ]
    first_s = min((job["start_s"] for job in jobs), default=0.0)
    return [
        job["start_s"]
        - first_s
        - sum(length for until, length in pauses if until <= job["start_s"])
        for job in jobs
    ]


def timeline(jobs: Sequence[Job]) -> list[dict[str, Any]]:
    """Jobs as bars: {rule, core, threads, start_s (without pauses), wall_s, memory}."""
    return [
        {
            "rule": job["rule"],
            "core": core,
            "threads": job["threads"],
            "start_s": start_s,
            "wall_s": job["wall_s"],
            "max_rss_mb": job["max_rss_mb"],
            "declared_mb": job["declared_mb"],
        }
        for job, core, start_s in zip(jobs, lanes(jobs), without_pauses(jobs), strict=True)
    ]


def review(
    jobs: Sequence[Job],
    config: dict[str, Any],
    completed: int,
    cores: int,
    *,
    config_sha256: str,
    versions: dict[str, str],
    records: Sequence[history.Record],
    benchmark: dict[str, Any] | None,
) -> dict[str, Any]:
    """What a run's costs mean.

    Parameters
    ----------
    jobs : sequence of dict
        Usage records, sorted by start.
    config : dict
        Resolved config.
    completed : int
        Simulations that ran through.
    cores : int
        Of the run.
    config_sha256 : str
    versions : dict
        Of Python, packages and (as `code`) the workflow's own files.
    records : sequence of dict
        The history of this machine, newest first, this run included.
    benchmark : dict or None
        Content of benchmark.json, if there is one.

    Returns
    -------
    dict
        goals, projection, utilization, phases, caches, memory_events, trend, regressions (of all
        quantities, with their verdicts), recommendations, timeline.
    """
    used = utilization(jobs, cores)
    measured = Measured(
        jobs=jobs,
        config=config,
        cores=cores,
        machine_cores=history.machine()["cores"],
        utilization=used,
        earlier=records[1:],
        config_sha256=config_sha256,
        versions=versions,
    )
    return {
        "goals": [
            *run_goals(jobs, completed, cores),
            *benchmark_goals(benchmark, versions["code"]),
        ],
        "projection": projection(jobs, config, cores),
        "utilization": used,
        "phases": phases(jobs),
        "caches": caches(jobs),
        "memory_events": memory_events(jobs),
        "trend": trend(records, config_sha256),
        "regressions": [asdict(row) for row in against_earlier(records)],
        "recommendations": [asdict(said) for said in recommendations(measured)],
        "timeline": timeline(jobs),
    }


def up_to_this_run(records: Sequence[history.Record], jobs: Sequence[Job]) -> list[history.Record]:
    """The history without what came after the newest record of these jobs."""
    own = {history.job_key(job) for job in jobs}
    return list(
        dropwhile(lambda r: own.isdisjoint(history.job_key(job) for job in r["jobs"]), records)
    )


def benchmark_at_hand(root: Path) -> dict[str, Any] | None:
    """The benchmark's results beside the run's; None if there are none that can be read."""
    path = root.parent / "benchmark" / "benchmark.json"
    try:
        content: dict[str, Any] = read_json(path)
    except (OSError, ValueError):
        return None
    return content


def write_review(
    root: Path,
    config: dict[str, Any],
    files: Sequence[Path],
    completed: int,
    cores: int,
    *,
    config_sha256: str,
    versions: dict[str, str],
) -> dict[str, Any]:
    """Add the run to the history, and write performance/review.json.

    Parameters
    ----------
    root : Path
        results/<run>.
    config : dict
        Resolved config.
    files : sequence of Path
        Usage records of the jobs that count.
    completed : int
        Simulations that ran through.
    cores : int
        Of the run.
    config_sha256 : str
    versions : dict
        Of Python and packages.

    Returns
    -------
    dict
        As of :func:`review`.
    """
    jobs = read_jobs(files)
    versions = {**versions, "code": fingerprint.of_package()}
    facts: dict[str, Any] = {"config_sha256": config_sha256, "versions": versions}
    added = remember(jobs, config, cores=cores, **facts)
    records = history.read(history.fingerprint())
    if added is None:
        log.info("the history of runs knows this run already")
    records = up_to_this_run(history.read(history.fingerprint()), jobs)
    if added is not None and not records:
        records = [added]  # the history cannot be written
    content = review(
        jobs,
        config,
        completed,
        cores,
        records=records,
        benchmark=benchmark_at_hand(root),
        **facts,
    )
    write_json(root / "performance" / "review.json", content)
    return content
