"""Ten times the simulations: what they cost in the simulate stage, compared with once as many.

The simulate jobs of the default config, and of the same with ten times its simulations, by
Snakemake in the folder of `whole_run`; CPU time as the jobs record it, start-up included. Kernels
are compiled before, and no cache keeps results.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import yaml

from plumenav import config
from plumenav.performance.benchmark import checkout, whole_run
from plumenav.performance.benchmark._contract import Judged, Ratio, Scope, Seen, Timed, Variant
from plumenav.tables import write_text

QUICK = False
REQUIRED = 10.5
TIMES = 10
OUTPUTS = ("simulations", "trajectories", "performance/jobs/simulate")


def repetitions(scope: Scope) -> int:
    """How often the larger run is made; the smaller one before and after each."""
    return 3 if scope.full else 1


def prepare(scope: Scope) -> list[Variant]:
    """The config's simulations before and after ten times as many."""
    folder = whole_run.folder_of(scope)
    run = scope.config["run"]
    if not (folder / "results" / run / "simulations").exists():
        made = checkout.Checkout(folder)
        made.make()
        whole_run.lay_down(whole_run.recordings(scope), made)
        made.snakemake(whole_run.CORES, "simulate")
    return [
        Variant(name, "cost:stage", {"folder": str(folder), "times": times})
        for name, times in (("before", 1), ("ten", TIMES), ("after", 1))
    ]


def judge(seen: Seen) -> Judged:
    """CPU time of ten times as many simulations over that of once as many."""
    once = (seen.values("before", "jobs_cpu_s") + seen.values("after", "jobs_cpu_s")) / 2.0
    ten = seen.values("ten", "jobs_cpu_s")
    n = seen.values("ten", "simulations")
    return {
        "ten_times_cost": Ratio(ten / once, "1", REQUIRED),
        "simulation_cpu_ms": Ratio(1e3 * ten / n, "ms"),
    }


# ------------------------------------------------------------------------------------- tasks


def stage(folder: str, times: int) -> Timed:
    """Task: the simulate stage, with so many times the config's simulations."""
    made = checkout.Checkout(Path(folder))
    content = yaml.safe_load((made.folder / "config" / "config.yaml").read_text())
    content["simulation"]["simulations"] *= times
    path = made.folder / "config" / "cost.yaml"
    write_text(path, yaml.safe_dump(content, sort_keys=False))
    name: str = config.load(path)["run"]
    for output in OUTPUTS:
        shutil.rmtree(made.folder / "results" / name / output, ignore_errors=True)
    made.forget()

    def run() -> dict[str, float]:
        words = ("simulate", "--configfile", str(path.relative_to(made.folder)))
        made.snakemake(whole_run.CORES, *words)
        return summed([job for job in made.usage(name) if job["rule"] == "simulate"])

    return run


def summed(jobs: list[dict[str, Any]]) -> dict[str, float]:
    """Jobs, their CPU time, and how many simulations they made."""
    return {
        "jobs": float(len(jobs)),
        "jobs_cpu_s": float(sum(job["cpu_s"] for job in jobs)),
        "simulations": float(sum(job["details"]["simulations"] for job in jobs)),
    }
