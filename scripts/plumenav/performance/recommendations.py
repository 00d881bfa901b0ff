"""Which setting to change, and the measurement that says so.

A rule looks at what was measured and says one thing or nothing. None speaks without cause: each has
a threshold, and what it says holds the number that passed it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from plumenav import history
from plumenav.performance.idle import end_s, segments, waited_for_memory
from plumenav.performance.inside import memory_events
from plumenav.performance.runs import STORES, cached, compiled
from plumenav.performance.targets import START_UP_SHARE, start_up_share
from plumenav.performance.usage import Job

WAITED_SHARE = 0.05  # of the run's core-seconds
TAIL_SHARE = 0.05
FULL_SHARE = 0.85  # of the cores' time: more cores would help
LOST_SHARE = 0.1  # of the jobs that asked a store
FEWEST_JOBS = 2


@dataclass(frozen=True)
class Measured:
    """What the rules look at.

    Attributes
    ----------
    jobs : sequence of dict
        Usage records, sorted by start.
    config : dict
        Resolved config.
    cores, machine_cores : int
        Of the run; of the machine.
    utilization : dict
        As of :func:`plumenav.performance.idle.utilization`.
    earlier : sequence of dict
        Records of earlier runs on this machine, newest first.
    config_sha256 : str
    versions : dict
        Of packages and code, now.
    """

    jobs: Sequence[Job]
    config: dict[str, Any]
    cores: int
    machine_cores: int
    utilization: dict[str, Any]
    earlier: Sequence[history.Record]
    config_sha256: str
    versions: dict[str, str]

    @property
    def core_s(self) -> float:
        """Core-seconds of the run."""
        return float(self.utilization["wall_s"] * self.cores)

    @property
    def simulate(self) -> list[Job]:
        """Simulate jobs that did their work."""
        return [job for job in self.jobs if job["rule"] == "simulate" and not cached(job)]


@dataclass(frozen=True)
class Recommendation:
    """One thing to change.

    Attributes
    ----------
    setting : str
        Key of the config, flag or variable.
    change : str
        What to do with it.
    because : str
        What was measured.
    """

    setting: str
    change: str
    because: str


Rule = Callable[[Measured], Iterator[Recommendation]]


def jobs_that_waited_for_memory(m: Measured) -> Iterator[Recommendation]:
    """Cores stood idle because what jobs declare did not fit into the memory of the run."""
    limit = m.config["resources"]["memory_mb"]
    waited, needed, rule = waited_for_memory(m.jobs, m.cores, limit)
    if waited > WAITED_SHARE * m.core_s:
        yield Recommendation(
            "resources.memory_mb",
            f"raise it to {needed:.0f}, if the machine has that",
            f"cores stood idle for {waited:.1f} s ({100 * waited / m.core_s:.0f} % of their time) "
            f"while {rule} jobs did not fit into {limit:.0f} MB",
        )


def memory_of_a_job_ran_short(m: Measured) -> Iterator[Recommendation]:
    """Jobs came near to what they declared, and worked with less, or gave up."""
    events = memory_events(m.jobs)
    by_rule: dict[str, int] = {}
    for rules in events.values():
        for rule, n in rules.items():
            by_rule[rule] = by_rule.get(rule, 0) + n
    for rule, n in by_rule.items():
        own = [job for job in m.jobs if job["rule"] == rule]
        gave_up = events.get("gave_up", {}).get(rule, 0)
        declared = max(job["declared_mb"] for job in own)
        yield Recommendation(
            "resources.job_memory_mb",
            f"raise it above {declared:.0f}",
            f"{rule} jobs ran short of memory {n} times"
            f"{f' and gave up {gave_up} times' if gave_up else ''}: the largest used "
            f"{max(job['max_rss_mb'] for job in own):.0f} of {declared:.0f} MB",
        )


def _chunk_size(m: Measured) -> tuple[str, float, str]:
    """The setting that decides how long a chunk is: name, value, unit."""
    batch = m.config["batch"]
    if batch["chunk_simulations"] == "auto":
        return "batch.chunk_s", float(batch["chunk_s"]), " s"
    return "batch.chunk_simulations", float(batch["chunk_simulations"]), ""


def _whole(value: float, unit: str) -> str:
    """A size of chunks that one would write into a config: tens of simulations, or seconds."""
    return f"{math.ceil(value)}{unit}" if unit else f"{10 * math.ceil(value / 10)}"


def chunks_that_mostly_start(m: Measured) -> Iterator[Recommendation]:
    """Starting took a large part of the simulate jobs, and there are several to an agent."""
    share = start_up_share(m.simulate)
    agents = {
        (job["wildcards"].get("recording"), job["wildcards"].get("agent")) for job in m.simulate
    }
    if share is not None and share > START_UP_SHARE and len(m.simulate) > len(agents):
        setting, size, unit = _chunk_size(m)
        # start-up is the same for a larger chunk, and work grows with it
        factor = (1 - START_UP_SHARE) / START_UP_SHARE * share / max(1 - share, 0.01)
        yield Recommendation(
            setting,
            f"raise it from {size:g}{unit} to {_whole(size * factor, unit)}",
            f"starting takes {100 * share:.0f} % of a simulate job; {100 * START_UP_SHARE:.0f} % "
            "is the most that a chunk should spend on it",
        )


def a_long_chunk_at_the_end(m: Measured) -> Iterator[Recommendation]:
    """The last simulate job held the others up while a core had nothing to do."""
    alone: dict[int, float] = {}
    for since, until, running in segments(m.jobs):
        rules = {m.jobs[i]["rule"] for i in running}
        idle = m.cores - sum(m.jobs[i]["threads"] for i in running)
        if rules == {"simulate"} and len(running) == 1 and idle > 0:
            alone[running[0]] = alone.get(running[0], 0.0) + idle * (until - since)
    if not alone or list(jobs_that_waited_for_memory(m)):
        return  # the others did not wait for more chunks
    last = max(m.simulate, key=end_s, default=None)
    longest = max(alone, key=lambda i: alone[i])
    simulations = m.jobs[longest]["details"].get("simulations", 0)
    if m.jobs[longest] is last and alone[longest] > TAIL_SHARE * m.core_s and simulations > 1:
        setting, size, unit = _chunk_size(m)
        # a size above what the job had would change nothing
        size = size if unit else min(size, simulations)
        wildcards = m.jobs[longest]["wildcards"]
        yield Recommendation(
            setting,
            f"lower it to {size / 2:.3g}{unit}, so that other cores can share the last work; or "
            "use several threads (batch.threads)",
            f"the last simulate job ({wildcards.get('agent')} in {wildcards.get('recording')}) "
            f"left other cores idle for {alone[longest]:.1f} s "
            f"({100 * alone[longest] / m.core_s:.0f} % of their time)",
        )


def _done_before(
    m: Measured, since_s: float = float("-inf"), compiled_only: bool = False
) -> set[tuple[Any, ...]]:
    """Jobs that earlier runs of the same code and configuration did (or compiled for)."""
    return {
        _place(job)
        for record in m.earlier
        if record["versions"] == m.versions
        and record["config_sha256"] == m.config_sha256
        and record["started_s"] >= since_s
        for job in record["jobs"]
        if not job["cached"] and (job["compiled"] or not compiled_only)
    }


def stores_that_lose_what_they_need(m: Measured) -> Iterator[Recommendation]:
    """Work was done again though an earlier run of the same had kept it, and not too long ago."""
    first_s = min((job["start_s"] for job in m.jobs), default=0.0)
    for level in STORES:
        limits = m.config.get("cache", {}).get(level, {})
        if not limits.get("enabled", True):
            continue
        asked = [job for job in m.jobs if level in job["details"].get("cache", {})]
        missed = [job for job in asked if job["details"]["cache"][level]["misses"] > 0]
        kept = _done_before(m, first_s - 3600.0 * limits.get("max_age_h", float("inf")))
        lost = [job for job in missed if _place(job) in kept]
        if len(lost) > LOST_SHARE * len(asked):
            lost_s = sum(job["wall_s"] for job in lost)
            yield Recommendation(
                f"cache.{level}.limit_mb",
                "raise it, or let $PLUMENAV_CACHE name a folder that is kept",
                f"{len(lost)} of {len(asked)} jobs that asked the store of {level} did again, in "
                f"{lost_s:.1f} s, what an earlier run had kept in it",
            )


def kernels_compiled_again(m: Measured) -> Iterator[Recommendation]:
    """Kernels were compiled though an earlier run of the same code had compiled them."""
    before = _done_before(m, compiled_only=True)
    again = [job for job in m.simulate if compiled(job) and _place(job) in before]
    if len(again) >= FEWEST_JOBS:
        yield Recommendation(
            "$PLUMENAV_CACHE",
            "let it name a folder that is kept between runs",
            f"{len(again)} of {len(m.simulate)} simulate jobs compiled their model's kernel "
            "first, as an earlier run of the same code had done",
        )


def _place(job: dict[str, Any]) -> tuple[Any, ...]:
    return (job["rule"], *sorted(job["wildcards"].items()))


def workers_that_are_not_allowed(m: Measured) -> Iterator[Recommendation]:
    """The jobs at once that the config allows were busy, and the run has more cores."""
    allowed = m.config["resources"].get("max_workers")
    if allowed is None:
        return
    usable = allowed * m.config["batch"]["threads"]
    busy = m.utilization["share"] * m.cores / usable
    if usable < m.cores and busy >= FULL_SHARE:
        yield Recommendation(
            "resources.max_workers",
            f"raise it from {allowed} up to {m.cores // m.config['batch']['threads']}",
            f"{usable} of the run's {m.cores} cores may work at once, and those were busy "
            f"{100 * busy:.0f} % of the time",
        )


def cores_that_are_not_used(m: Measured) -> Iterator[Recommendation]:
    """All cores of the run were busy, and the machine has more."""
    share = m.utilization["share"]
    if m.cores < m.machine_cores and share >= FULL_SHARE and len(m.jobs) > m.cores:
        yield Recommendation(
            "--cores",
            f"raise it from {m.cores} up to {m.machine_cores}",
            f"the run's {m.cores} core{'s were' if m.cores > 1 else ' was'} busy "
            f"{100 * share:.0f} % of the time; this machine has {m.machine_cores}",
        )


RULES: tuple[Rule, ...] = (
    jobs_that_waited_for_memory,
    memory_of_a_job_ran_short,
    chunks_that_mostly_start,
    a_long_chunk_at_the_end,
    stores_that_lose_what_they_need,
    kernels_compiled_again,
    workers_that_are_not_allowed,
    cores_that_are_not_used,
)


def recommendations(measured: Measured) -> list[Recommendation]:
    """What to change, in the order of the rules; often nothing."""
    return [said for rule in RULES for said in rule(measured)]
