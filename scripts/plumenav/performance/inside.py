"""What jobs say of their own work: phases, caches, memory that became short."""

from __future__ import annotations

from collections.abc import Sequence

from plumenav.performance.usage import Job

COUNTS = ("hits", "misses", "mb")


def phases(jobs: Sequence[Job]) -> dict[str, dict[str, float]]:
    """Seconds by rule and phase, over all jobs that tell their phases.

    Returns
    -------
    dict
        {rule: {phase: s}}, in the order in which the jobs tell them; `not told` is the rest of
        their wall time.
    """
    result: dict[str, dict[str, float]] = {}
    for job in jobs:
        told = job["details"].get("phases")
        if not told:
            continue
        own = result.setdefault(job["rule"], {})
        rest = max(0.0, job["wall_s"] - sum(told.values()))
        for phase, seconds in (*told.items(), ("not told", rest)):
            own[phase] = own.get(phase, 0.0) + seconds
    return {
        rule: {
            **{phase: s for phase, s in own.items() if phase != "not told"},
            "not told": own["not told"],
        }
        for rule, own in sorted(result.items())
    }


def caches(jobs: Sequence[Job]) -> dict[str, dict[str, float | None]]:
    """Hits, misses and MB by level of the cache.

    Returns
    -------
    dict
        {level: {hits, misses, mb, evicted, hit_rate}}; hit_rate is None if nothing was asked for.
    """
    totals: dict[str, dict[str, float]] = {}
    for job in jobs:
        for level, counted in job["details"].get("cache", {}).items():
            own = totals.setdefault(level, dict.fromkeys((*COUNTS, "evicted"), 0.0))
            for key in own:
                own[key] += counted.get(key, 0) or 0
    result: dict[str, dict[str, float | None]] = {}
    for level, own in sorted(totals.items()):
        asked = own["hits"] + own["misses"]
        result[level] = {**own, "hit_rate": own["hits"] / asked if asked else None}
    return result


def memory_events(jobs: Sequence[Job]) -> dict[str, dict[str, int]]:
    """How often jobs met a shortage of memory: {kind: {rule: number}}."""
    result: dict[str, dict[str, int]] = {}
    for job in jobs:
        for event in job["details"].get("memory_events", []):
            rules = result.setdefault(event["kind"], {})
            rules[job["rule"]] = rules.get(job["rule"], 0) + 1
    return {kind: dict(sorted(rules.items())) for kind, rules in sorted(result.items())}
