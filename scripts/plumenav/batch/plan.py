"""The simulation table: where, when and with which noise each simulation starts.

Starts depend on (seed, recording, start settings, replicate) only, so all agents start from the
same places at the same frames; the noise key also depends on the agent. Adding an agent, a
recording or a replicate leaves every other row as it was.
"""

from __future__ import annotations

import math
from typing import Any

import pyarrow as pa

from plumenav import world
from plumenav.errors import UserError
from plumenav.rng import noise_key, uniform_draws
from plumenav.tables import PLAN


def check_start(label: str, start: dict[str, Any], metadata: dict[str, Any], frames: int) -> None:
    """Refuse a start region that is not inside the recorded arena.

    Raises
    ------
    UserError
        Naming the region, the arena and what to change.
    """
    if metadata["kind"] == "signal":
        return
    grid = world.grid_of(metadata)
    x_min, x_max, y_min, y_max = world.extent_mm(grid)
    for axis, low, high in (("x_mm", x_min, x_max), ("y_mm", y_min, y_max)):
        if start[axis][0] < low or start[axis][1] > high:
            raise UserError(
                f"simulation.start.{axis}",
                f"{list(start[axis])} is not inside the arena of recording {label!r}",
                f"from {low:.1f} to {high:.1f} mm from the source",
                "Shrink the start region, or check mm_per_px, source_px and wind_toward.",
            )
    if start["frame"] != "uniform" and start["frame"] >= frames:
        raise UserError(
            "simulation.start.frame",
            f"found {start['frame']}, but recording {label!r} has {frames} frames",
            f"uniform, or 0 to {frames - 1}",
        )


def make_plan(
    seed: int, recording: str, agent: str, start: dict[str, Any], simulations: int, frames: int
) -> pa.Table:
    """Rows of the plan of one agent in one recording.

    Parameters
    ----------
    seed : int
    recording, agent : str
        Labels.
    start : dict
        x_mm, y_mm, heading_deg: (low, high); frame: "uniform" or a number.
    simulations : int
    frames : int
        Frames of the movie.

    Returns
    -------
    pyarrow.Table
        Schema PLAN.
    """
    columns: dict[str, list[Any]] = {name: [] for name in PLAN.arrow.names}
    for replicate in range(simulations):
        u = uniform_draws(noise_key(seed, recording, "start", replicate), 1, 4)[0]

        def within(interval: tuple[float, float], fraction: float) -> float:
            return float(interval[0] + (interval[1] - interval[0]) * fraction)

        columns["simulation"].append(replicate)
        columns["replicate"].append(replicate)
        columns["key"].append(noise_key(seed, recording, agent, replicate))
        columns["x_mm"].append(within(start["x_mm"], u[0]))
        columns["y_mm"].append(within(start["y_mm"], u[1]))
        columns["heading_rad"].append(math.radians(within(start["heading_deg"], u[2])))
        frame = int(u[3] * frames) if start["frame"] == "uniform" else start["frame"]
        columns["start_frame"].append(frame)
    return pa.table(columns, schema=PLAN.arrow)
