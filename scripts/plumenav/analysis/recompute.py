"""The sample of one agent in one recording, by the independent reference.

reference/{recording}/{agent}.parquet    every step; outcomes in its metadata
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from plumenav import registry
from plumenav.analysis.check_rows import read_all, sample_of
from plumenav.batch.prepare import read_prepared
from plumenav.batch.settings import engine_settings
from plumenav.models._binding import parts
from plumenav.references._run import run_sample
from plumenav.tables import PLAN, REFERENCE, SIMULATIONS, PlumeReader, read_table, write_table


def reference_agent(
    job: dict[str, Any],
    sample_size: int,
    plume: str,
    plan_file: str,
    prepared: str,
    wind: str | None,
    simulation_files: list[str],
    output: str,
) -> int:
    """Recompute the sample with the independent reference.

    Returns
    -------
    int
        Agent-steps computed.
    """
    plan = read_table(plan_file, PLAN)
    with PlumeReader(plume) as reader:
        settings = engine_settings(job, reader.frame_interval_s, read_prepared(prepared))
        sample = sample_of(read_all(simulation_files, SIMULATIONS), sample_size, reader.metadata)
    rows = plan.filter(pa.array(np.isin(plan.column("simulation").to_numpy(), sample)))
    # a reference that is made of others finds users' own ones here; it knows no plug-ins
    names = parts(job["agent"]["model"], job["agent"]["parameters"])
    settings["references"] = {name: registry.get("reference", name) for name in names}
    simulate = None
    if registry.module_name("reference", job["agent"]["model"]).startswith("plumenav_plugin"):
        simulate = registry.get("reference", job["agent"]["model"]).simulate
    steps, outcomes = run_sample(rows, settings, plume, simulate, wind, plan)
    write_table(output, steps, REFERENCE, {"outcomes": outcomes})
    return int(steps.num_rows)
