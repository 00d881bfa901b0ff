"""What the engine gives: the rows of a block as columns, and a row per simulation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from plumenav.engine import settings as codes
from plumenav.engine.compiling import load_compiled
from plumenav.engine.layout import COUNT_NAMES, NUMBER_NAMES, Agents, Rows, count, number
from plumenav.tables import PLAN, SIMULATIONS

if TYPE_CHECKING:
    # loaded by its path; said here so that fingerprints of code follow it
    from plumenav.engine import packing as _packing  # noqa: F401

Columns = dict[str, np.ndarray]


class Outcome(NamedTuple):
    """What a chunk gave.

    Attributes
    ----------
    simulations : pyarrow.Table
        One row per simulation (schema SIMULATIONS).
    kernel : dict
        Cache hits and misses of the compiled kernel.
    blocks_decoded : int
        How many blocks were read from disk.
    """

    simulations: pa.Table
    kernel: dict[str, int]
    blocks_decoded: int


def make_rows(n: int, capacity: int, n_variables: int) -> Rows:
    """Room for the rows of one block."""
    return Rows(
        codes=np.empty((n, capacity, 3), np.int32),
        numbers=np.empty((n, capacity, 4 + n_variables)),
        first=0,
    )


def recorded(
    rows: Rows, filled: np.ndarray, simulations: np.ndarray, dt_s: float, variables: list[str]
) -> Columns:
    """Rows of all agents, one after the other, as columns of a trajectory table."""
    n = int(filled.sum())
    n_wide = 6 + len(variables)
    # one piece of memory: the system hands it over in large pages, not in thousands of small ones
    memory = np.empty(n * (8 * n_wide + 4 * 2 + 1), np.uint8)
    wide = memory[: 8 * n * n_wide].view(np.float64).reshape(n_wide, n)
    rest = memory[8 * n * n_wide :]
    narrow = rest[: 8 * n].view(np.int32).reshape(2, n)
    columns = {
        "simulation": wide[5].view(np.int64),
        **dict(zip(("step", "frame"), narrow, strict=True)),
        **dict(zip(("x_mm", "y_mm", "heading_rad", "odor"), wide, strict=False)),
        "state": rest[8 * n :].view(np.int8),
        "time_s": wide[4],
    }
    packing = load_compiled(Path(__file__).with_name("packing.py"))
    packing.pack(
        rows.codes,
        rows.numbers,
        filled,
        simulations.astype(np.int64),
        dt_s,
        *columns.values(),
        wide[6:],
    )
    return {**columns, **dict(zip(variables, wide[6:], strict=True))}


def summarized(plan: Columns, agents: Agents, w: codes.World, movie_time: np.ndarray) -> pa.Table:
    """One row per simulation."""
    # a copy in one piece of each: one kind of array, and the rest can be given back
    of = {name: number(agents, name).copy() for name in NUMBER_NAMES}
    of |= {name: count(agents, name).copy() for name in COUNT_NAMES}
    ok = of["status"] == codes.OK
    arrived = (of["arrived"] == 1) & ok
    duration = np.where(of["end"] == codes.END_SOURCE, of["time_to_source"], of["step"] * w.dt_s)
    start_distance = np.hypot(plan["x_mm"], plan["y_mm"])
    with np.errstate(divide="ignore", invalid="ignore"):
        efficiency = (start_distance - w.success_radius) / of["path"]
        speed = of["path"] / duration
        rate = of["encounters"] / duration
    single = arrived & (of["end"] == codes.END_SOURCE) & (of["path"] > 0)
    columns: dict[str, Any] = {
        **{name: plan[name] for name in PLAN.arrow.names},
        "status": [codes.STATUS_NAMES[s] for s in of["status"]],
        "success": arrived,
        "time_to_source_s": pa.array(of["time_to_source"], mask=~arrived),
        "end": [codes.END_NAMES[e] for e in of["end"]],
        "duration_s": duration,
        "wraps": of["wraps"],
        "path_mm": of["path"],
        "net_upwind_mm": plan["x_mm"] - of["x"],
        "path_efficiency": pa.array(efficiency, mask=~single),
        "mean_speed_mm_s": pa.array(speed, mask=~(duration > 0)),
        "closest_mm": np.sqrt(of["closest2"]),
        "encounters": of["encounters"],
        "encounter_rate_hz": pa.array(rate, mask=~(duration > 0)),
        "time_in_plume_s": of["steps_in_plume"] * w.dt_s,
        "time_outside_s": of["steps_outside"] * w.dt_s,
        "final_x_mm": of["x"],
        "final_y_mm": of["y"],
        "clipped_rates": of["clipped"],
    }
    return pa.table(
        {field.name: pa.array(columns[field.name]).cast(field.type) for field in SIMULATIONS.arrow}
    )
