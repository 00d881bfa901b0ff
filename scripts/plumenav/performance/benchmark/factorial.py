"""Which settings are worth it: numbers of simulations x workers x memory x cache.

A cell is the simulate stage of two agents in the demonstration's `smooth` recording, as processes
of scripts/simulate.py, with these settings:

* workers: how many jobs run at once;
* memory: decoded blocks that a job may keep, and agents that it moves at a time (--block-mb,
  --agents-per-pass);
* cache: `off` keeps no decoded block; `blocks` (level 1) keeps what memory allows; `all` has the
  stores on, too, as after a run whose parameters of one agent were changed: the other agent's
  result is there, that one's is not.

The baseline is one worker, conservative, no cache. Every setting is compared with it at the same
number of simulations. By default: baseline and production setting at all numbers, each factor alone
at the least and the largest number. FULL: everything. Cells that are equal on this machine (two
workers where there are two cores) are measured once.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from plumenav import config, registry, store
from plumenav.batch.settings import job_settings
from plumenav.performance.benchmark import improvements, measure, normalization, recordings
from plumenav.performance.benchmark._contract import Judged, Ratio, Scope, Seen, Timed, Variant
from plumenav.performance.benchmark.checkout import at_once
from plumenav.performance.usage import concurrent_peak
from plumenav.tables import read_json

SIMULATIONS = (10, 50, 100, 500)
WORKERS = ("1", "2", "all")
CACHES = ("off", "blocks", "all")
RECORDING, AGENTS = "smooth", ("on_off", "walk_stop_turn")
MEMORY_MB = 8000.0
SECONDS, PER_HOUR = 7.2, 500.0
DEMONSTRATION = Path("config/config.yaml")


class Memory(NamedTuple):
    """What a level of memory means to a simulate job; 0 agents: all at a time."""

    block_mb: float
    agents_per_pass: int


MEMORY = {
    "conservative": Memory(0.0, 25),
    "balanced": Memory(64.0, 0),  # the flags' defaults
    "aggressive": Memory(1000.0, 0),
}


class Setting(NamedTuple):
    """How a stage is run."""

    workers: str
    memory: str
    cache: str

    @property
    def name(self) -> str:
        """As it stands in benchmark.json."""
        return f"{self.workers}.{self.memory}.{self.cache}"


BASELINE = Setting("1", "conservative", "off")
PRODUCTION = Setting("all", "balanced", "all")


def repetitions(scope: Scope) -> int:
    """How often each cell is measured."""
    return 3 if scope.quick else 5


def workers_of(name: str) -> int:
    """How many jobs at once."""
    return (os.cpu_count() or 1) if name == "all" else int(name)


def design(form: str, cores: int) -> list[tuple[int, Setting]]:
    """Cells to be measured: numbers of simulations and settings, the baseline of each first.

    Parameters
    ----------
    form : {"quick", "default", "full"}
    cores : int
        Of this machine: settings that are equal on it are measured once, by their first name.
    """
    if form == "full":
        settings = [Setting(*one) for one in product(WORKERS, MEMORY, CACHES)]
        wanted = {n: [BASELINE, *settings] for n in SIMULATIONS}
    elif form == "quick":
        wanted = {SIMULATIONS[1]: [BASELINE, BASELINE._replace(cache="blocks"), PRODUCTION]}
    else:
        alone = [BASELINE._replace(workers=name) for name in WORKERS]
        alone += [BASELINE._replace(memory=name) for name in MEMORY]
        alone += [BASELINE._replace(cache=name) for name in CACHES]
        ends = (min(SIMULATIONS), max(SIMULATIONS))
        wanted = {n: [BASELINE, *(alone if n in ends else []), PRODUCTION] for n in SIMULATIONS}
    found = []
    for n, some in wanted.items():
        seen = set()
        for setting in some:
            same = (cores if setting.workers == "all" else int(setting.workers), *setting[1:])
            if same not in seen:
                seen.add(same)
                found.append((n, setting))
    return found


def prepare(scope: Scope) -> list[Variant]:
    """All cells."""
    plume = recordings.plume(scope, RECORDING)
    if not plume.exists():
        made = next(v for v in normalization.plumes(scope) if v.name == RECORDING)
        measure.in_process(made)
    folder = scope.folder / "factorial"
    form = "quick" if scope.quick else "full" if scope.full else "default"
    cells = design(form, os.cpu_count() or 1)
    common = {"folder": str(folder), "plume": str(plume)}
    # kernels, plans and prepared files are there before anything counts
    for n in dict.fromkeys(n for n, _ in cells):
        arguments = {**common, "simulations": n, "setting": list(BASELINE)}
        measure.in_process(Variant("first", "factorial:cell", arguments))
    return [
        Variant(
            f"{n}.{setting.name}",
            "factorial:cell",
            {**common, "simulations": n, "setting": list(setting)},
        )
        for n, setting in cells
    ]


def cells_of(seen: Seen) -> dict[tuple[int, Setting], dict[str, np.ndarray]]:
    """Measurements of each cell: wall_s and memory_mb."""
    found = {}
    for variant in seen.variants:
        n, *setting = variant.split(".")
        values = {key: seen.values(variant, key) for key in ("wall_s", "memory_mb")}
        found[int(n), Setting(*setting)] = values
    return found


def judge(seen: Seen) -> Judged:
    """The requirement list, by the best that was measured."""
    cells = cells_of(seen)
    n, setting = best(seen)
    wall_s, memory_mb = (cells[n, setting][key] for key in ("wall_s", "memory_mb"))
    return {
        "seconds_per_simulation": Ratio(wall_s / n, "s", SECONDS),
        "simulations_per_hour": Ratio(3600.0 * n / wall_s, "1/h", PER_HOUR, "at least"),
        "simulate_memory_mb": Ratio(memory_mb, "MB", MEMORY_MB),
    }


def best(seen: Seen) -> tuple[int, Setting]:
    """The cell with the least median time per simulation among those within the memory."""
    cells = cells_of(seen)
    fitting = {k: v for k, v in cells.items() if v["memory_mb"].max() <= MEMORY_MB} or cells
    return min(fitting, key=lambda key: float(np.median(fitting[key]["wall_s"])) / key[0])


def comparisons(seen: Seen) -> list[improvements.Row]:
    """Every cell against the baseline with as many simulations."""
    cells = cells_of(seen)
    rows = [
        {
            "setting": setting.name,
            "simulations": n,
            "fits": bool(values["memory_mb"].max() <= MEMORY_MB),
            "seconds_per_simulation": float(np.median(values["wall_s"])) / n,
            "simulations_per_hour": 3600.0 * n / float(np.median(values["wall_s"])),
            "memory_mb": float(np.median(values["memory_mb"])),
            **improvements.compare(cells[n, BASELINE], values),
        }
        for (n, setting), values in cells.items()
        if setting != BASELINE
    ]
    return improvements.corrected(rows)


def sections(seen: Seen) -> dict[str, Any]:
    """`comparisons`, `recommended` and `validation` of benchmark.json."""
    rows = comparisons(seen)
    n, setting = best(seen)
    return {
        "comparisons": rows,
        "recommended": {
            **improvements.recommended(rows, BASELINE.name),
            "baseline": BASELINE.name,
        },
        "validation": {
            "by": f"{n} simulations, {setting.name}",
            "ratios": list(judge(seen)),
        },
    }


# ------------------------------------------------------------------------------------- tasks


def cell(folder: str, plume: str, simulations: int, setting: Sequence[str]) -> Timed:
    """Task: the simulate stage with these settings."""
    how = Setting(*setting)
    root = Path(folder)
    os.environ["PLUMENAV_CACHE"] = str((root / "cache").resolve())
    share = {AGENTS[0]: simulations - simulations // 2, AGENTS[1]: simulations // 2}
    orders = [order(root, Path(plume), agent, n, how) for agent, n in share.items()]
    if how.cache == "all":
        resolved = config.load(DEMONSTRATION)
        store.hand_over(resolved["cache"])
        for level in ("plumes", "results"):
            shutil.rmtree(root / "cache" / level, ignore_errors=True)
        at_once(orders[1:], 1)
    else:
        os.environ.pop("PLUMENAV_STORE", None)
    files = [Path(one[one.index("--usage") + 1]) for one in orders]

    def run() -> dict[str, float]:
        at_once(orders, workers_of(how.workers))
        jobs = [read_json(file) for file in files]
        loads = [(j["start_s"], j["start_s"] + j["wall_s"], j["max_rss_mb"]) for j in jobs]
        return {
            "jobs_cpu_s": float(sum(job["cpu_s"] for job in jobs)),
            "memory_mb": concurrent_peak(loads),
        }

    return run


def order(root: Path, plume: Path, agent: str, simulations: int, how: Setting) -> list[str]:
    """Words of a simulate job; its plan and prepared file are made if they are not there."""
    resolved = config.load(DEMONSTRATION)
    made = root / f"{agent}.{simulations}"
    if not (made / "prepared.npz").exists():
        prepare_files(made, plume, resolved, agent, simulations)
    memory = MEMORY[how.memory]
    own = made / how.name
    own.mkdir(exist_ok=True)
    flags: dict[str, Any] = {
        "rule": "simulate",
        "recording": RECORDING,
        "agent": agent,
        "chunk": "0000",
        "chunk-simulations": simulations,
        "settings": json.dumps(job_settings(resolved, RECORDING, agent), sort_keys=True),
        "plume": plume,
        "plan": made / "plan.parquet",
        "prepared": made / "prepared.npz",
        "trajectories": own / "trajectories.parquet",
        "simulations": own / "simulations.parquet",
        "usage": own / "usage.json",
        "block-mb": 0.0 if how.cache == "off" else memory.block_mb,
        "agents-per-pass": memory.agents_per_pass,
    }
    if how.cache == "all":
        flags["code"] = "benchmark"
    words = [str(word) for key, value in flags.items() for word in (f"--{key}", value)]
    return [sys.executable, str(registry.PACKAGE.parent / "simulate.py"), *words]


def prepare_files(
    made: Path, plume: Path, resolved: dict[str, Any], agent: str, simulations: int
) -> None:
    """Plan and prepared file of an agent."""
    from plumenav.batch.plan import make_plan
    from plumenav.batch.prepare import write_prepared
    from plumenav.tables import PLAN, PlumeReader, write_table

    made.mkdir(parents=True, exist_ok=True)
    start, part = (resolved["simulation"][key] for key in ("start", "movie_part"))
    with PlumeReader(plume) as reader:
        plan = make_plan(resolved["seed"], RECORDING, agent, start, simulations, reader, part)
    write_table(made / "plan.parquet", plan, PLAN)
    write_prepared(str(made / "prepared.npz"), {"threshold": 0.1, "dead_zone": None}, {})
