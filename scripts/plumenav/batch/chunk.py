"""One simulate job: rows of a plan in, trajectories and simulations out."""

from __future__ import annotations

from typing import Any

import numpy as np

from plumenav.batch.prepare import read_prepared
from plumenav.batch.settings import chunk_rows, engine_settings, take
from plumenav.batch.wind import opened
from plumenav.engine.donors import with_donors
from plumenav.engine.outcome import Columns
from plumenav.engine.run import Blocks, simulate
from plumenav.models._binding import bound
from plumenav.tables import (
    PLAN,
    SIMULATIONS,
    TRAJECTORIES,
    TableStream,
    read_table,
    write_table,
)


def agent_plan(path: str, job: dict[str, Any]) -> Columns:
    """Columns of a plan file; of an agent that smells what others did, with theirs."""
    table = read_table(path, PLAN)
    columns = {name: table.column(name).to_numpy() for name in table.column_names}
    return with_donors(columns) if job["agent"]["control"] == "shuffled" else columns


def trajectory_metadata(settings: dict[str, Any]) -> dict[str, Any]:
    """Facts stored in a trajectory file."""
    model = bound(settings["model"], settings["parameters"])
    return {
        "model": settings["model"],
        "behaviours": list(model.BEHAVIOURS),
        "dt_s": settings["dt_s"],
        "record_every_steps": settings["record_every"],
        "variables": list(model.State._fields) if settings["record_variables"] else [],
    }


def counted(blocks: Blocks) -> dict[str, Any]:
    """How often decoded blocks were shared (hits) or decoded (misses), and MB of those kept."""
    kept = sum(block.frames.nbytes for block in blocks.kept.values())
    return {"hits": blocks.shared, "misses": blocks.decoded, "mb": kept / 1e6}


def simulate_chunk(
    job: dict[str, Any],
    chunk: str,
    chunk_simulations: int,
    plume: str,
    plan: str,
    prepared: str,
    wind: str | None,
    trajectories: str,
    simulations: str,
    threads: int,
) -> dict[str, Any]:
    """Simulate one chunk and write its two tables.

    Returns
    -------
    dict
        Details for the usage record: simulations, agent_steps, rows, kernel cache, decoded blocks.
    """
    rows = agent_plan(plan, job)
    rows = take(rows, chunk_rows(chunk, len(rows["simulation"]), chunk_simulations))
    with opened(plume, wind) as blocks:
        settings = engine_settings(job, blocks.reader.frame_interval_s, read_prepared(prepared))
        with TableStream(trajectories, TRAJECTORIES, trajectory_metadata(settings)) as stream:
            outcome = simulate(blocks, rows, settings, stream.write, threads)
    write_table(simulations, outcome.simulations, SIMULATIONS)
    duration = outcome.simulations.column("duration_s").to_numpy()
    return {
        "simulations": len(rows["simulation"]),
        "agent_steps": int(np.ceil(duration / settings["dt_s"]).sum()),
        "rows": stream.rows,
        "kernel": outcome.kernel,
        "blocks_decoded": outcome.blocks_decoded,
        "cache": {"blocks": counted(blocks)},
    }
