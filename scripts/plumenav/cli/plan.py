"""`plumenav plan`: how a run would be carried out on this machine, and why."""

from __future__ import annotations

import dataclasses
import math
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from plumenav.cli._output import Json, print_json, user_errors


def command(
    config: Annotated[Path, typer.Option(help="config file of a run")] = Path("config/config.yaml"),
    cores: Annotated[
        int | None, typer.Option(min=1, help="cores of the run; all", show_default=False)
    ] = None,
    as_json: Json = False,
) -> None:
    """Say how a run would be carried out: jobs at once, memory, time, and the reason for each."""
    from plumenav.batch.planner import plan_here
    from plumenav.config import load

    with user_errors():
        resolved = load(config)
    plan = plan_here(resolved, cores)
    jobs = list(plan.simulate_jobs())
    if as_json:
        print_json(
            {
                "run": resolved["run"],
                "machine": plan.machine._asdict(),
                "records": len(plan.records),
                "workers": plan.workers,
                "limit_mb": plan.limit_mb,
                "jobs_at_once": plan.jobs_at_once(),
                "expected_simulate_wall_s": plan.busiest_s(),
                "chunk_simulations": plan.layout,
                "reasons": plan.reasons(),
                "simulate": [w | dataclasses.asdict(job) for w, job in jobs],
            }
        )
        return
    console = Console(soft_wrap=True)
    console.print(_table(jobs, plan.layout, resolved["simulation"]["simulations"]))
    for line in _lines(plan, jobs):
        console.print(line, highlight=False, markup=False)


def _table(jobs: list[Any], layout: dict[str, int], n: int) -> Table:
    """Simulate jobs, one line for all chunks of an agent in a recording."""
    heads = ("recording", "agent", "jobs", "simulations", "s", "expected MB", "declared MB")
    table = Table(*heads, "blocks MB", "agents at once")
    for (recording, agent), group in groupby(
        jobs, key=lambda one: (one[0]["recording"], one[0]["agent"])
    ):
        first = next(iter(group))[1]
        size = layout[agent]
        numbers = (math.ceil(n / size), min(size, n))
        expected = (f"{first.expected_wall_s:.1f}", f"{first.expected_peak_mb:.0f}")
        how = (first.mem_mb, first.block_mb, first.agents_per_pass)
        table.add_row(recording, agent, *map(str, (*numbers, *expected, *how)))
    return table


def _lines(plan: Any, jobs: list[Any]) -> list[str]:
    """What the table's numbers are, each with its reason."""
    why = plan.reasons()
    lines = [
        f"Jobs at once: {plan.jobs_at_once()}: {why['jobs_at_once']}.",
        f"Workers: {plan.workers}: {why['workers']}.",
        f"Memory of all jobs together: {plan.limit_mb:.0f} MB: {why['limit_mb']}.",
        f"Simulations per job: {why['chunk_simulations']}.",
    ]
    names = {
        "expected_wall_s": "Time",
        "expected_peak_mb": "Expected memory",
        "mem_mb": "Declared memory",
        "runtime_min": "Time limit",
        "block_mb": "Decoded blocks that are kept",
        "agents_per_pass": "Agents at once",
    }
    for key, name in names.items():
        said = dict.fromkeys(job.reasons[key] for _, job in jobs)
        more = (
            f" (or, for other jobs, {len(said) - 1} more reasons: --json)"
            if said and len(said) > 1
            else ""
        )
        lines.append(f"{name}: {next(iter(said))}{more}.")
    lines.append(
        f"All simulations: about {plan.busiest_s():.0f} s"
        + (
            f", from {len(plan.records)} earlier runs of this name on this machine."
            if plan.records
            else "; no earlier run of this name on this machine is known."
        )
    )
    return lines


command.__name__ = "plan"
