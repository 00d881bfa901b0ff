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


def start_frames(metadata: dict[str, Any], frames: int, part: str) -> tuple[int, int]:
    """Frames [first, end) at which agents may start: those of the part they live in."""
    return world.movie_window(frames, part if metadata["kind"] == "movie" else "whole")


def check_start(
    label: str,
    start: dict[str, Any],
    metadata: dict[str, Any],
    frames: int,
    part: str = "whole",
) -> None:
    """Refuse a start region that is not inside the recorded arena, and a frame that is not there.

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
    first, end = start_frames(metadata, frames, part)
    if first == end:
        raise UserError(
            "simulation.movie_part",
            f"found {part!r}, but recording {label!r} has {frames} frames",
            "whole",
        )
    if start["frame"] != "uniform" and not first <= start["frame"] < end:
        has = f"has {frames} frames" if part == "whole" else f"has {frames} frames, {part} of them"
        raise UserError(
            "simulation.start.frame",
            f"found {start['frame']}, but recording {label!r} {has}",
            f"uniform, or {first} to {end - 1}",
        )


def make_plan(
    seed: int,
    recording: str,
    agent: str,
    start: dict[str, Any],
    simulations: int,
    frames: int | tuple[int, int],
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
    frames : int or (int, int)
        Frames of the movie, or those [first, end) at which agents may start.

    Returns
    -------
    pyarrow.Table
        Schema PLAN.
    """
    first, end = (0, frames) if isinstance(frames, int) else frames
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
        drawn = first + int(u[3] * (end - first))
        frame = drawn if start["frame"] == "uniform" else start["frame"]
        columns["start_frame"].append(frame)
    return pa.table(columns, schema=PLAN.arrow)
