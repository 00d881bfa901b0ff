"""One simulate job of a chosen size, in a process of its own: what it costs, measured.

For the tests and the benchmark of what the planner expects. The movie is made of a few distinct
frames; what they show does not matter to memory.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from plumenav import config, registry
from plumenav.batch.memory import Shape
from plumenav.batch.plan import make_plan
from plumenav.batch.prepare import write_prepared
from plumenav.batch.settings import job_settings
from plumenav.models._binding import bound
from plumenav.tables import PLAN, PlumeReader, PlumeWriter, read_json, write_table

ARENA_MM = 300.0
RATE_HZ = 15.0  # of batch.typical, too
DISTINCT = 16  # frames
DTYPES = {1: "uint8", 2: "uint16", 4: "float32"}
# what a fit of hits to a plume gives; only belief-based models read it
DETECTIONS = {
    "detection_rate_hz_scale": np.array(1.5),
    "detection_length_mm": np.array(60.0),
    "detection_drift_per_mm": np.array(0.014),
    "detection_radius_mm": np.array(2.0),
}


def write_plume(path: Path, shape: Shape) -> None:
    """A movie of this size: a narrow plume in noise, the source in the middle of its left edge."""
    rng = np.random.default_rng(0)
    row, column = np.mgrid[: shape.height, : shape.width]
    centre, sd = 0.5 * shape.height, 0.06 * shape.height + 1
    plume = np.exp(-(((row - centre) / sd) ** 2) - column / shape.width)
    dtype = DTYPES[shape.itemsize]
    scale, offset = (1.0, 0.0) if dtype == "float32" else (2.0 / np.iinfo(dtype).max, -0.5)
    distinct = [plume + rng.normal(0, 0.02, plume.shape) for _ in range(DISTINCT)]
    stored = ((np.array(distinct) - offset) / scale).astype(dtype)
    with PlumeWriter(path, shape.height, shape.width, dtype, scale, offset) as writer:
        for first in range(0, shape.frames, DISTINCT):
            n = min(DISTINCT, shape.frames - first)
            writer.write(np.arange(first, first + n) / RATE_HZ, stored[:n])
        writer.metadata.update(
            {
                "kind": "movie",
                "height": shape.height,
                "width": shape.width,
                "dtype": dtype,
                "scale": scale,
                "offset": offset,
                "mm_per_px": ARENA_MM / shape.width,
                "source_row": centre,
                "source_column": 0.0,
                "period_s": shape.frames / RATE_HZ,
                "field": "movie",
                "field_constants": {},
                "blank": None,
            }
        )


def settings_of(shape: Shape) -> dict[str, Any]:
    """A resolved config of one agent that moves for this many steps in a movie of this size."""
    half_mm = 0.4 * ARENA_MM * shape.height / shape.width
    dt_s = bound(shape.model, {}).PUBLICATION_DT_S
    return config.resolve(
        {
            "run": "trial",
            # only its wind counts: the movie is written by write_plume
            "recordings": {"movie": {"analytic": {"field": "windy_detections"}}},
            "agents": {"agent": {"model": shape.model, "sensor": {"threshold": {"value": 0.1}}}},
            "simulation": {
                "simulations": max(shape.simulations, 6),
                "duration_s": shape.steps * dt_s,
                "arrival": "continue",
                "start": {"x_mm": [100, 200], "y_mm": [-min(40.0, half_mm), min(40.0, half_mm)]},
            },
            "validation": {"sample": 6},
        },
        Path.cwd(),
    )


def run(
    folder: Path,
    shape: Shape,
    declared_mb: float = 0.0,
    block_mb: float = 0.0,
    agents_per_pass: int = 0,
    simulations: int | None = None,
) -> dict[str, Any]:
    """Run scripts/simulate.py on a job of this size.

    Parameters
    ----------
    folder : Path
        Its files; a movie or plan of an earlier call with the same shape is used again.
    shape : Shape
    declared_mb : float
        Budget of the job; 0: no limit.
    block_mb : float
        Decoded blocks that it may keep.
    agents_per_pass : int
        0: all.
    simulations : int, optional
        How many of the shape's simulations are run; all if not given.

    Returns
    -------
    dict
        The job's usage record.

    Raises
    ------
    subprocess.CalledProcessError
        If the job fails; its message is in `stderr`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    resolved = settings_of(shape)
    movie = "x".join(str(n) for n in shape[:4])
    plume, usage = folder / f"{movie}.parquet", folder / "usage.json"
    plan = folder / f"{movie}.{shape.model}.{shape.simulations}.plan.parquet"
    if not plume.exists():
        write_plume(plume, shape)
    if not plan.exists():
        start = resolved["simulation"]["start"]
        with PlumeReader(plume) as reader:
            table = make_plan(1, "movie", "agent", start, shape.simulations, reader)
        write_table(plan, table, PLAN)
    prepared = folder / "prepared.npz"
    write_prepared(str(prepared), {"threshold": 0.1, "dead_zone": None}, DETECTIONS)
    flags: dict[str, Any] = {
        "rule": "simulate",
        "recording": "movie",
        "agent": "agent",
        "chunk": "0000",
        "chunk-simulations": simulations or shape.simulations,
        "settings": json.dumps(job_settings(resolved, "movie", "agent")),
        "plume": plume,
        "plan": plan,
        "prepared": prepared,
        "trajectories": folder / "trajectories.parquet",
        "simulations": folder / "simulations.parquet",
        "usage": usage,
        "declared-mb": declared_mb,
        "block-mb": block_mb,
        "agents-per-pass": agents_per_pass,
    }
    words = [str(word) for key, value in flags.items() for word in (f"--{key}", value)]
    script = registry.PACKAGE.parent / "simulate.py"
    subprocess.run([sys.executable, script, *words], check=True, capture_output=True, text=True)
    record: dict[str, Any] = read_json(usage)
    return record
