"""One simulate job: rows of a plan in, trajectories and simulations out."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from plumenav import jobs
from plumenav.batch.prepare import read_prepared
from plumenav.batch.settings import chunk_rows, engine_settings, take
from plumenav.batch.wind import opened
from plumenav.engine.donors import with_donors
from plumenav.engine.outcome import Columns
from plumenav.engine.pressure import Pressure
from plumenav.engine.run import KEEP_MB, simulate
from plumenav.models._binding import bound
from plumenav.tables import (
    PLAN,
    SIMULATIONS,
    TRAJECTORIES,
    PlumeReader,
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
    pressure: Pressure | None = None,
    keep_mb: float = KEEP_MB,
    agents_per_pass: int = 0,
) -> dict[str, Any]:
    """Simulate one chunk and write its two tables.

    Parameters
    ----------
    job : dict
        From :func:`plumenav.batch.settings.job_settings`.
    chunk, chunk_simulations
        Which rows of the plan.
    plume, plan, prepared, wind, trajectories, simulations : str
        Files.
    threads : int
    pressure : Pressure, optional
        Of this job's memory.
    keep_mb : float
        Decoded blocks that may be kept.
    agents_per_pass : int
        Agents that move through a block together; 0: all.

    Returns
    -------
    dict
        Details for the usage record: simulations, agent_steps, rows, kernel cache, decoded blocks,
        shape, phases, caches, events of memory.
    """
    began_s = time.time()
    pressure = pressure or Pressure(0.0)
    how = {"budget_mb": keep_mb, "pressure": pressure, "agents_at_once": agents_per_pass}
    rows = agent_plan(plan, job)
    rows = take(rows, chunk_rows(chunk, len(rows["simulation"]), chunk_simulations))
    with opened(plume, wind, **how) as blocks:
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
        "shape": shape_of(blocks.reader, settings, len(rows["simulation"])),
        "phases": {
            "start_up": began_s - jobs.started_s(),
            "simulate": time.time() - began_s,
        },
        "cache": {"blocks": blocks.cache.figures()},
        "memory_events": pressure.events,
    }


def shape_of(reader: PlumeReader, settings: dict[str, Any], simulations: int) -> dict[str, Any]:
    """How large a job is, for its usage record.

    Parameters
    ----------
    reader : PlumeReader
    settings : dict
        Engine settings.
    simulations : int
        Of this job.

    Returns
    -------
    dict
        frames, height, width, itemsize (bytes of a pixel), simulations, steps (of each), model.
    """
    height, width = reader.shape
    return {
        "frames": reader.n_frames,
        "height": height,
        "width": width,
        "itemsize": reader.dtype.itemsize,
        "simulations": simulations,
        "steps": round(settings["duration_s"] / settings["dt_s"]),
        "model": settings["model"],
    }
