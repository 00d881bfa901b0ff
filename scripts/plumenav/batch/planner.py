"""How a run is to be carried out on this machine: said before it starts, with the reason for each.

Jobs at once, and for every job its memory, time, the decoded blocks that it keeps and how many of
its agents move together. The machine and the history of earlier runs decide these and nothing else:
they are resources, no rule's params or inputs, and no result depends on them. Which simulations a
job has is decided by the config alone (batch/layout.py).
"""

from __future__ import annotations

import importlib
import json
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from plumenav.batch import typical
from plumenav.batch.layout import START_UP_S, cost_of, layout, steps_of
from plumenav.batch.machine import Machine, here
from plumenav.batch.memory import Shape, Split, movie_mb, split, weights_of, work_of
from plumenav.models._binding import bound

Record = dict[str, Any]
MOST_CORES = 4096  # what Snakemake calls unlimited is a number, too
NEWEST = 10  # runs of the history that are looked at

# of what a job declares: below the share from which on it keeps less (engine.pressure)
EXPECTED_SHARE = 0.74
# a kernel that is not found on disk is compiled in the job
COMPILE_MB, COMPILE_S = 100.0, 12.0
# with less than this, no job begins
LEAST_MB = 300
GRAIN_MB = 50
# other programs want some, too
AVAILABLE_SHARE = 0.9
# a retried job gets so much more memory and time, and moves half as many agents at a time
AGAIN = 1.5
# a run time is a limit for queues, not a forecast: slow disks, busy nodes
PATIENCE, LEAST_MIN = 20.0, 5
# decoded frames that a simulate job keeps, MB
KEEPS_MB = {"conservative": 0.0, "balanced": 64.0, "aggressive": math.inf}
# what a job declares at least whose run has no history: it may be larger than the demonstration
FIRST_TIME_MB = 1000
# a rule that was never measured
UNKNOWN = {"wall_s": 5.0, "peak_mb": 600.0}


@dataclass(frozen=True)
class JobPlan:
    """How one job is to be carried out.

    Attributes
    ----------
    mem_mb : int
        Memory that it declares, MB.
    runtime_min : int
        Time after which a queue may end it, minutes.
    expected_wall_s : float
    expected_peak_mb : float
    block_mb : float
        Decoded blocks that it keeps, MB; 0 for jobs that do not simulate.
    agents_per_pass : int
        Agents that move through a block together; 0 for jobs that do not simulate.
    reasons : dict of str
        A sentence for each of these numbers.
    """

    mem_mb: int
    runtime_min: int
    expected_wall_s: float
    expected_peak_mb: float
    block_mb: int
    agents_per_pass: int
    reasons: Mapping[str, str]

    def again(self, attempt: int) -> JobPlan:
        """The same job at its first, second, ... attempt."""
        if attempt == 1:
            return self
        factor = AGAIN ** (attempt - 1)
        return replace(
            self,
            mem_mb=_grained(self.mem_mb * factor),
            runtime_min=math.ceil(self.runtime_min * factor),
            agents_per_pass=math.ceil(self.agents_per_pass / 2 ** (attempt - 1)),
        )


def _grained(mb: float) -> int:
    return max(LEAST_MB, math.ceil(mb / GRAIN_MB) * GRAIN_MB)


def past_records(newest: int = NEWEST) -> list[Record]:
    """Records of earlier runs on this machine, newest first; none if they cannot be read."""
    history = importlib.import_module("plumenav.history")
    records: list[Record] = history.read(machine=history.fingerprint(), newest=newest)
    return records


class RunPlan:
    """The plan of a run.

    Parameters
    ----------
    config : dict
        Resolved.
    machine : Machine
    records : sequence of dict
        Of earlier runs on this machine (plumenav.history), newest first.
    movies : mapping, optional
        {recording: {frames, height, width, itemsize}} of plumes that are there already.
    given_mb : float, optional
        Memory of all jobs together, where a profile or the command line says so.

    Attributes
    ----------
    layout : dict of int
        Simulations per job, by agent.
    """

    def __init__(
        self,
        config: dict[str, Any],
        machine: Machine,
        records: Sequence[Record] = (),
        movies: Mapping[str, Record] | None = None,
        given_mb: float | None = None,
    ) -> None:
        self.config, self.machine, self.given_mb = config, machine, given_mb
        self.records = [record for record in records if record["run"] == config["run"]]
        self.layout = layout(config)
        self._typical = typical.read()
        self._weights = weights_of(self._typical)
        self._jobs: dict[tuple[str, str, str, int], JobPlan] = {}
        # {(rule, recording, agent)}: jobs that did their work; chunks of an agent are alike
        self._past: dict[tuple[str, str, str], list[Record]] = {}
        self._shapes: dict[str, Record] = dict(movies or {})
        for job in (job for record in self.records for job in record["jobs"]):
            if job.get("cached"):
                continue
            wildcards = job["wildcards"]
            recording, agent = wildcards.get("recording", ""), wildcards.get("agent", "")
            self._past.setdefault((job["rule"], recording, agent), []).append(job)
            if job["rule"] in ("simulate", "normalize") and job.get("shape"):
                self._shapes.setdefault(recording, job["shape"])

    @cached_property
    def limit_mb(self) -> float:
        """Memory of all jobs together: as told, or what the machine has left."""
        told = float(self.config["resources"]["memory_mb"])
        return min(
            min(told, self.given_mb or told),
            max(LEAST_MB, AVAILABLE_SHARE * self.machine.available_mb),
        )

    @cached_property
    def workers(self) -> int:
        """Cores that jobs may use at the same time."""
        resources: dict[str, Any] = self.config["resources"]
        cores = self.machine.cores
        most, least = resources["max_workers"] or cores, resources["min_workers"]
        return int(max(min(least, cores), min(most, cores)))

    @cached_property
    def job_limit_mb(self) -> float:
        """Memory that a simulate job may declare, so that all workers have some."""
        at_once = max(1, self.workers // self.config["batch"]["threads"])
        own = float(self.config["resources"]["job_memory_mb"])
        return float(max(LEAST_MB, min(own, self.limit_mb / at_once)))

    def jobs_at_once(self) -> int:
        """Simulate jobs that fit beside each other, by cores and by memory."""
        by_cores = max(1, self.workers // self.config["batch"]["threads"])
        largest = max(job.mem_mb for _, job in self.simulate_jobs())
        return int(max(1, min(by_cores, self.limit_mb // largest)))

    def shape(self, recording: str, agent: str, simulations: int) -> Shape:
        """Size of a simulate job; without frames where nobody has measured the movie yet."""
        seen = self._shapes.get(recording, {})
        entry = self.config["agents"][agent]
        return Shape(
            frames=seen.get("frames", 0),
            height=seen.get("height", 0),
            width=seen.get("width", 0),
            itemsize=seen.get("itemsize", 0),
            simulations=simulations,
            steps=steps_of(self.config["simulation"], entry),
            model=entry["model"],
        )

    def job(self, rule: str, **wildcards: str) -> JobPlan:
        """How a job is to be carried out.

        Parameters
        ----------
        rule : str
            As in usage records.
        **wildcards
            `recording`, `agent`, `chunk`; others do not matter.
        """
        recording, agent = wildcards.get("recording", ""), wildcards.get("agent", "")
        simulations = 0
        if rule == "simulate":
            size, n = self.layout[agent], self.config["simulation"]["simulations"]
            simulations = min(size, n - int(wildcards.get("chunk", "0")) * size)
        key = (rule, recording, agent, simulations)
        if key not in self._jobs:
            made = self._simulate(*key[1:]) if simulations else self._other(*key[:3])
            self._jobs[key] = made
        return self._jobs[key]

    def simulate_jobs(self) -> Iterable[tuple[dict[str, str], JobPlan]]:
        """Wildcards and plan of every simulate job."""
        n = self.config["simulation"]["simulations"]
        for recording in self.config["recordings"]:
            for agent, size in self.layout.items():
                for i in range(math.ceil(n / size)):
                    wildcards = {"recording": recording, "agent": agent, "chunk": f"{i:04d}"}
                    yield wildcards, self.job("simulate", **wildcards)

    def _simulate(self, recording: str, agent: str, simulations: int) -> JobPlan:
        config, shape = self.config, self.shape(recording, agent, simulations)
        entry, record = config["agents"][agent], config["simulation"]["record"]
        model = bound(entry["model"], entry["parameters"])
        cost = cost_of(entry)
        dt_s = config["simulation"]["duration_s"] / shape.steps
        work = work_of(
            shape,
            dt_s,
            record["every_s"],
            config["recordings"][recording].get("frame_rate_hz"),
            cost,
            len(model.State._fields) if record["variables"] else 0,
            config["recordings"][recording]["wind"]["field"] is not None,
        )
        wish = KEEPS_MB[config["resources"]["memory_use"]]
        room = EXPECTED_SHARE * self.job_limit_mb - COMPILE_MB
        found = split(shape, work, wish, room, self._weights)
        past = self._past.get(("simulate", recording, agent), [])
        peak_mb, why_peak = self._peak(found, past)
        mem_mb = _grained(min(self.job_limit_mb, (peak_mb + COMPILE_MB) / EXPECTED_SHARE))
        wall_s, why_wall = self._simulate_wall(shape, cost.step_us, past)
        runtime_min, why_runtime = _runtime(wall_s + COMPILE_S)
        reasons = {
            "mem_mb": f"{peak_mb:.0f} MB are expected and {COMPILE_MB:.0f} MB more if a kernel must"
            f" be compiled; a job that uses {EXPECTED_SHARE:.0%} of what it declares begins to keep"
            " less",
            "expected_peak_mb": why_peak,
            "expected_wall_s": why_wall,
            "runtime_min": why_runtime,
            "block_mb": self._why_kept(shape, found, wish),
            "agents_per_pass": f"all {simulations}, which fit"
            if found.agents_per_pass == simulations
            else f"with all {simulations}, rows would not fit into {self.job_limit_mb:.0f} MB",
        }
        return JobPlan(
            mem_mb, runtime_min, wall_s, peak_mb, int(found.keep_mb), found.agents_per_pass, reasons
        )

    def _why_kept(self, shape: Shape, found: Split, wish: float) -> str:
        use = self.config["resources"]["memory_use"]
        if not wish:
            return f"resources.memory_use is {use}"
        if not found.keep_mb:
            return f"nothing is left of {self.job_limit_mb:.0f} MB for blocks that are kept"
        if not shape.frames:
            return f"resources.memory_use is {use}; the movie's size is not known yet"
        if found.keep_mb < min(wish, movie_mb(shape)):
            return f"resources.memory_use is {use}, and a job may have {self.job_limit_mb:.0f} MB"
        return f"resources.memory_use is {use}"

    def _peak(self, found: Split, past: Sequence[Record]) -> tuple[float, str]:
        """Expected peak, not below what such jobs had with the same limits."""
        peaks = [job["max_rss_mb"] for job in past if not job.get("compiled")]
        if peaks and max(peaks) > found.expected_mb:
            return max(peaks), f"the most of {len(peaks)} such jobs before"
        kept = f", {found.keep_mb:.0f} MB of them decoded blocks" if found.keep_mb else ""
        return found.expected_mb, f"the sum of what is held{kept} (batch/memory.py)"

    def _simulate_wall(
        self, shape: Shape, step_us: float, past: Sequence[Record]
    ) -> tuple[float, str]:
        steps = shape.simulations * shape.steps
        rates = [
            max(job["wall_s"] - START_UP_S, 0.0)
            / (job["shape"]["simulations"] * job["shape"]["steps"])
            for job in past
            if job.get("shape") and not job.get("compiled")
        ]
        threads = self.config["batch"]["threads"]
        if rates:
            return (
                START_UP_S + statistics.median(rates) * steps,
                f"as {len(rates)} such jobs took before",
            )
        return (
            START_UP_S + steps * step_us / 1e6 / threads,
            f"{START_UP_S:g} s to start, {step_us:g} us per step of each agent; no earlier run"
            " says better",
        )

    def _other(self, rule: str, recording: str, agent: str) -> JobPlan:
        usual = self._typical["rules"].get(rule, UNKNOWN)
        past = self._past.get((rule, recording, agent), [])
        peaks = [job["max_rss_mb"] for job in past]
        walls = [job["wall_s"] for job in past]
        peak_mb = max([usual["peak_mb"], *peaks])
        wall_s = statistics.median(walls) if walls else usual["wall_s"]
        runtime_min, why_runtime = _runtime(max(wall_s, usual["wall_s"]))
        told = "what such a job takes in the demonstration"
        reasons = {
            "mem_mb": f"{peak_mb:.0f} MB are expected, and a third more in case"
            + ("" if past else f"; at least {FIRST_TIME_MB} MB the first time"),
            "expected_peak_mb": f"the most of {len(peaks)} such jobs before"
            if peaks and max(peaks) >= usual["peak_mb"]
            else told,
            "expected_wall_s": f"the median of {len(walls)} such jobs before" if walls else told,
            "runtime_min": why_runtime,
        }
        mem_mb = _grained(max(peak_mb / EXPECTED_SHARE, 0 if past else FIRST_TIME_MB))
        return JobPlan(mem_mb, runtime_min, wall_s, peak_mb, 0, 0, reasons)

    def reasons(self) -> dict[str, str]:
        """Why so many workers, jobs at once and MB."""
        resources, machine = self.config["resources"], self.machine
        cores = f"{machine.cores} cores"
        bound_by = {
            machine.cores: f"the machine has {cores}",
            resources["max_workers"]: f"resources.max_workers; the machine has {cores}",
        }
        load = (
            f"; the load of {machine.load:.1f} makes jobs slower, and does not change their number,"
            " because it may be that of a run that has just ended"
            if machine.load > 0.5 * machine.cores
            else ""
        )
        fits = self.jobs_at_once() * self.config["batch"]["threads"] < self.workers
        return {
            "workers": bound_by.get(self.workers, "resources.min_workers") + load,
            "limit_mb": "resources.memory_mb"
            if self.limit_mb == resources["memory_mb"]
            else "as the profile or the command line says"
            if self.limit_mb == self.given_mb
            else f"{machine.available_mb:.0f} MB of the machine's {machine.memory_mb:.0f} MB are"
            f" available, and {1 - AVAILABLE_SHARE:.0%} of them stay free",
            "jobs_at_once": f"the largest of them do not fit more often into {self.limit_mb:.0f} MB"
            if fits
            else f"one per core, of {self.config['batch']['threads']} threads each",
            "chunk_simulations": "batch.chunk_simulations"
            if self.config["batch"]["chunk_simulations"] != "auto"
            else f"what takes {self.config['batch']['chunk_s']:g} s, so that starting is a small"
            " part of it, in equal parts; by the config alone, so that a run can move between"
            " machines",
        }

    def in_short(self) -> str:
        """The plan in a sentence, for the start of a run."""
        jobs = [job for _, job in self.simulate_jobs()]
        return (
            f"{len(jobs)} jobs simulate, {self.jobs_at_once()} at once, each with up to"
            f" {max(job.mem_mb for job in jobs)} MB of {self.limit_mb:.0f} MB; about"
            f" {self.busiest_s():.0f} s in all ({len(self.records)} earlier runs known;"
            " `plumenav plan` has the reasons)"
        )

    def busiest_s(self) -> float:
        """Time of all simulate jobs on the workers, longest first, s."""
        ends = [0.0] * self.jobs_at_once()
        jobs = sorted((job.expected_wall_s for _, job in self.simulate_jobs()), reverse=True)
        for wall_s in jobs:
            ends[ends.index(min(ends))] += wall_s
        return max(ends)


def _runtime(wall_s: float) -> tuple[int, str]:
    minutes = max(LEAST_MIN, math.ceil(PATIENCE * wall_s / 60))
    return (
        minutes,
        f"a limit for queues: {PATIENCE:g} times what is expected, at least {LEAST_MIN} minutes",
    )


def plan(
    config: dict[str, Any],
    machine: Machine,
    records: Sequence[Record] = (),
    movies: Mapping[str, Record] | None = None,
) -> RunPlan:
    """The plan of a run; see :class:`RunPlan`."""
    return RunPlan(config, machine, records, movies)


def measured_movies(root: Path, recordings: Iterable[str]) -> dict[str, Record]:
    """Sizes of the plumes of a run that are there already, from the records of their jobs."""
    found = {}
    for recording in recordings:
        try:
            text = (root / "performance" / "jobs" / "normalize" / f"{recording}.json").read_text()
            shape = json.loads(text)["details"].get("shape")
        except (OSError, ValueError, KeyError):
            continue
        if shape:
            found[recording] = shape
    return found


def plan_here(
    config: dict[str, Any], cores: float | None = None, given_mb: float | None = None
) -> RunPlan:
    """The plan of a run on the machine at hand, with what is known of it in this folder.

    Parameters
    ----------
    config : dict
        Resolved.
    cores : int, optional
        Cores that the run may use; all if not given.
    given_mb : float, optional
        Memory of all jobs together, where a profile or the command line says so.
    """
    machine = here()
    if cores:
        # more than the machine has is no mistake: jobs of a queue run elsewhere
        machine = machine._replace(cores=min(int(cores), MOST_CORES))
    movies = measured_movies(Path("results") / config["run"], config["recordings"])
    return RunPlan(config, machine, past_records(), movies, given_mb)
