"""How busy the cores were, and what they waited for, from the records of the jobs.

Every core-second of a run is one of four things: CPU time of jobs; time of jobs that were not
computing (waiting for a disk, for each other); cores without a job while others had one; and time
between jobs, when the workflow itself was at work. The four add up to the run.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from plumenav.performance.usage import Job

UTILIZATION = 0.85
PAUSE_S = 10.0  # longer without any job: two calls of the workflow
# a job that starts so soon after another has ended was started because that one ended
REACTION_S = 1.0

Segment = tuple[float, float, list[int]]


def end_s(job: Job) -> float:
    """When a job ended, seconds since the epoch."""
    return float(job["start_s"] + job["wall_s"])


def segments(jobs: Sequence[Job]) -> Iterator[Segment]:
    """Stretches of time with the same jobs at work: (start, end, indices of jobs)."""
    moments = sorted({moment for job in jobs for moment in (job["start_s"], end_s(job))})
    starts = sorted(range(len(jobs)), key=lambda i: jobs[i]["start_s"])
    running: set[int] = set()
    following = iter([*starts, None])
    coming = next(following)
    for since, until in pairwise(moments):
        running = {i for i in running if end_s(jobs[i]) > since}
        while coming is not None and jobs[coming]["start_s"] <= since:
            if end_s(jobs[coming]) > since:
                running.add(coming)
            coming = next(following)
        yield since, until, sorted(running)


def lanes(jobs: Sequence[Job]) -> list[int]:
    """A core for every job, as far as records can tell: the lowest that is free when it starts.

    Parameters
    ----------
    jobs : sequence of dict
        Sorted by start.

    Returns
    -------
    list of int
        First of the cores of each job; a job of n threads takes n.

    Examples
    --------
    >>> job = {"start_s": 0.0, "wall_s": 2.0, "threads": 1}
    >>> lanes([job, job, {**job, "start_s": 2.0}])
    [0, 1, 0]
    """
    free_s: list[float] = []
    result = []
    for job in jobs:
        wanted = max(1, job["threads"])
        lane = 0
        while any(until > job["start_s"] for until in free_s[lane : lane + wanted]):
            lane += 1
        free_s += [float("-inf")] * (lane + wanted - len(free_s))
        free_s[lane : lane + wanted] = [end_s(job)] * wanted
        result.append(lane)
    return result


def utilization(jobs: Sequence[Job], cores: int) -> dict[str, Any]:
    """CPU utilization of a run against its target, and where the rest of the cores' time went.

    Parameters
    ----------
    jobs : sequence of dict
        Usage records, sorted by start.
    cores : int
        Cores of the run.

    Returns
    -------
    dict
        share (of the core-seconds of the run), required, passed, wall_s (without pauses between
        calls of the workflow), busy_s (by core: seconds with a job, fullest first), and of the
        core-seconds that were not used: between_jobs_s, inside_jobs_s, beside_s ({rule: while
        jobs of this rule left other cores without one}; largest first), reasons (those above a
        hundredth, if the target is missed: {where, core_s, share}).
    """
    between = 0.0
    beside: dict[str, float] = {}
    for since, until, running in segments(jobs):
        if not running:
            between += cores * (until - since) if until - since <= PAUSE_S else 0.0
            continue
        idle = max(0, cores - sum(jobs[i]["threads"] for i in running)) * (until - since)
        for i in running:
            rule = jobs[i]["rule"]
            beside[rule] = beside.get(rule, 0.0) + idle / len(running)
    held = sum(job["wall_s"] * job["threads"] for job in jobs)
    cpu = float(sum(job["cpu_s"] for job in jobs))
    total = held + between + sum(beside.values())
    busy = [0.0] * cores
    for job, lane in zip(jobs, lanes(jobs), strict=True):
        for core in range(lane, lane + job["threads"]):
            busy += [0.0] * (core + 1 - len(busy))
            busy[core] += job["wall_s"]
    beside = dict(sorted(beside.items(), key=lambda item: -item[1]))
    share = cpu / total if total else 0.0
    found = {
        "share": share,
        "required": UTILIZATION,
        "passed": share >= UTILIZATION,
        "wall_s": total / cores,
        "busy_s": busy,
        "between_jobs_s": between,
        "inside_jobs_s": max(0.0, held - cpu),
        "beside_s": {rule: idle for rule, idle in beside.items() if idle > 0},
    }
    return {**found, "reasons": [] if found["passed"] else _reasons(found, total)}


def _reasons(found: dict[str, Any], total: float) -> list[dict[str, Any]]:
    """Where the cores' time went, largest first, down to a hundredth of it."""
    said = [
        *((idle, f"beside {rule}") for rule, idle in found["beside_s"].items()),
        (found["between_jobs_s"], "between jobs"),
        (found["inside_jobs_s"], "inside jobs"),
    ]
    return [
        {"where": where, "core_s": idle, "share": idle / total}
        for idle, where in sorted(said, reverse=True)
        if idle > 0.01 * total
    ]


def waited_for_memory(
    jobs: Sequence[Job], cores: int, memory_mb: float
) -> tuple[float, float, str | None]:
    """Core-seconds without a job because the next one's declared memory did not fit.

    A job that starts as soon as another ends was waiting for that. If until then there was a core
    for it, and its declared memory and that of the jobs at work were above the limit together, it
    was waiting for memory. (Records do not tell whether it was waiting for the other's result, too:
    the sum is an upper bound.)

    Parameters
    ----------
    jobs : sequence of dict
        Sorted by start.
    cores : int
    memory_mb : float
        What all jobs together may declare.

    Returns
    -------
    core_s, needed_mb, rule
        `needed_mb`: memory with which none of them had waited; `rule`: whose jobs waited longest.
    """
    stretches = list(segments(jobs))
    ends = [until for _, until, _ in stretches]
    waits: dict[str, float] = {}
    needed, seen = 0.0, set()
    for job in jobs:
        k = bisect.bisect_right(ends, job["start_s"]) - 1
        if k >= 0 and stretches[k][2] == [] and ends[k] - stretches[k][0] <= REACTION_S:
            k -= 1  # the moment that the workflow needed to start it
        while k >= 0:
            since, until, running = stretches[k]
            idle = cores - sum(jobs[i]["threads"] for i in running)
            together = job["declared_mb"] + sum(jobs[i]["declared_mb"] for i in running)
            if not running or idle < job["threads"] or together <= memory_mb:
                break
            if k not in seen:
                waits[job["rule"]] = waits.get(job["rule"], 0.0) + idle * (until - since)
            seen.add(k)
            needed = max(needed, together)
            k -= 1
    longest = max(waits, key=lambda rule: waits[rule], default=None)
    return float(sum(waits.values())), needed, longest
