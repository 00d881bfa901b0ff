"""A run as the history keeps it: what its jobs cost, by rule and by model, each job once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from plumenav import history
from plumenav.performance.usage import Job, busy_s, rule_summary

RULE_KEYS = ("jobs", "wall_s", "cpu_s", "max_rss_mb", "read_mb", "written_mb")
# levels of the cache whose hit means that a job's work was not done
STORES = ("plumes", "results")
# recordings are given: a synthetic one is made once, and found by the runs after it
MADE_BEFORE = "synthesize"


def cached(job: Job) -> bool:
    """Whether a job took finished work out of a store instead of doing it."""
    levels = job["details"].get("cache", {})
    return any(levels.get(store, {}).get("hits", 0) > 0 for store in STORES)


def compiled(job: Job) -> bool:
    """Whether a job had to compile a kernel first."""
    return bool(job["details"].get("kernel", {}).get("cache_misses", 0) > 0)


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def job_entry(job: Job) -> dict[str, Any]:
    """A job as the history keeps it; times to the ms, memory to 0.1 MB."""
    return {
        "rule": job["rule"],
        "wildcards": job["wildcards"],
        "start_s": round(job["start_s"], 3),
        "wall_s": round(job["wall_s"], 3),
        "cpu_s": round(job["cpu_s"], 3),
        "max_rss_mb": round(job["max_rss_mb"], 1),
        "declared_mb": job["declared_mb"],
        "shape": job["details"].get("shape"),
        "cached": cached(job),
        "compiled": compiled(job),
    }


def models_of(jobs: Sequence[Job], config: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Cost of a simulation by model, from the simulate jobs that did their work.

    Returns
    -------
    dict
        {model: {simulations, core_seconds_per_simulation}}; start-up and compilation count.
    """
    totals: dict[str, list[float]] = {}
    for job in jobs:
        simulations = job["details"].get("simulations", 0)
        agent = config["agents"].get(job["wildcards"].get("agent"))
        if job["rule"] != "simulate" or agent is None or cached(job) or not simulations:
            continue
        total = totals.setdefault(agent["model"], [0, 0.0])
        total[0] += simulations
        total[1] += job["cpu_s"]
    return {
        model: {"simulations": int(n), "core_seconds_per_simulation": cpu_s / n}
        for model, (n, cpu_s) in sorted(totals.items())
    }


def record_of(
    jobs: Sequence[Job],
    config: dict[str, Any],
    *,
    config_sha256: str,
    versions: dict[str, str],
    cores: int,
    known: Collection[str] = (),
) -> history.Record | None:
    """The record of a run for :func:`plumenav.history.append`.

    Parameters
    ----------
    jobs : sequence of dict
        All usage records of the run.
    config : dict
        Resolved config.
    config_sha256 : str
        Its hash.
    versions : dict
        Of Python, packages and, as `code`, of the workflow's own files.
    cores : int
        Cores of the run.
    known : collection of str
        Keys (:func:`plumenav.history.job_key`) of jobs that the history has already: a run that was
        partly done before adds only what it did now, and is not `complete`. Making a synthetic
        recording is in `jobs` and `rules`, but not part of the run: neither of its wall and CPU
        time nor of what makes it complete.

    Returns
    -------
    dict or None
        None if every job is known.
    """
    new = [job for job in jobs if history.job_key(job) not in known]
    if not new:
        return None
    rules = rule_summary(new)
    own = [job for job in new if job["rule"] != MADE_BEFORE]
    asked = [job for job in jobs if job["rule"] != MADE_BEFORE]
    return {
        "machine": history.machine(),
        "versions": versions,
        "run": config["run"],
        "config_sha256": config_sha256,
        "complete": len(own) == len(asked),
        "started_s": round(min(job["start_s"] for job in own or new), 3),
        "wall_s": round(busy_s([(j["start_s"], j["start_s"] + j["wall_s"]) for j in own]), 3),
        "cpu_s": round(sum(job["cpu_s"] for job in own), 3),
        "cores": cores,
        "settings": {**config["batch"], **config["resources"]},
        "simulations": sum(
            job["details"].get("simulations", 0) for job in new if job["rule"] == "simulate"
        ),
        "rules": {
            rule: {k: _rounded(values[k], 3) for k in RULE_KEYS} for rule, values in rules.items()
        },
        "models": models_of(new, config),
        "jobs": [job_entry(job) for job in new],
    }


def remember(
    jobs: Sequence[Job],
    config: dict[str, Any],
    *,
    config_sha256: str,
    versions: dict[str, str],
    cores: int,
) -> history.Record | None:
    """Add a run to the history, without the jobs that are in it already.

    Parameters
    ----------
    jobs, config, config_sha256, versions, cores
        As of :func:`record_of`.

    Returns
    -------
    dict or None
        What was added; None if nothing was new.
    """
    record = record_of(
        jobs,
        config,
        config_sha256=config_sha256,
        versions=versions,
        cores=cores,
        known=history.recorded(jobs),
    )
    if record is not None:
        history.append(record)
    return record
