"""The simulation table: where, when and with which noise each simulation starts.

Starts depend on (seed, recording, start settings, replicate) only, so all agents start from the
same places at the same frames; the noise key also depends on the agent. Adding an agent, a
recording or a replicate leaves every other row as it was.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from plumenav import world
from plumenav.errors import UserError
from plumenav.rng import noise_key, uniform_draws
from plumenav.starts._contract import Asked, Starts, start_plugin
from plumenav.tables import PLAN, PlumeReader

DRAWS = 4  # of every attempt: two for the place, heading, frame


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
    """Refuse starts that are not inside the recorded arena, and a frame that is not there.

    Parameters
    ----------
    label : str
        Of the recording.
    start : dict
        Resolved `simulation.start`.
    metadata : dict
        Of the plume.
    frames : int
        Its frames.
    part : str
        The part of the movie in which agents live.

    Raises
    ------
    UserError
        Naming the region, the arena and what to change.
    """
    if metadata["kind"] == "signal":
        return
    plugin, params = start_plugin(start)
    x_min, x_max, y_min, y_max = world.extent_mm(world.grid_of(metadata))
    x, y = plugin.outline(params).T
    for axis, values, low, high in (("x_mm", x, x_min, x_max), ("y_mm", y, y_min, y_max)):
        if values.min() < low or values.max() > high:
            raise UserError(
                f"simulation.start.{axis}" if axis in start else "simulation.start",
                f"{plugin.words(params)} is not inside the arena of recording {label!r}",
                f"{axis} from {low:.1f} to {high:.1f} mm from the source",
                "Move or shrink the starts, or check mm_per_px, source_px and wind_toward.",
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


class PlumeScene:
    """The plume as starts see it; see :class:`plumenav.starts._contract.Scene`."""

    def __init__(self, label: str, reader: PlumeReader, draws: Draws) -> None:
        self.label, self.reader, self.draws = label, reader, draws
        self.grid = world.grid_of(reader.metadata)

    def images(self, frames: Sequence[int]) -> Iterator[tuple[int, np.ndarray]]:
        """(frame, concentration) of some frames, in rising order."""
        scale, offset = self.reader.metadata["scale"], self.reader.metadata["offset"]
        firsts = np.array(self.reader.block_first)
        which = np.searchsorted(firsts, frames, side="right") - 1
        for b in np.unique(which):
            block = self.reader.block(int(b))
            for number in np.asarray(frames)[which == b].tolist():
                yield number, block.frames[number - block.first] * scale + offset

    def place(self, row: np.ndarray, column: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """World position of pixel coordinates."""
        return self._x(column), self._y(row)

    def pixels(self, x_mm: tuple[float, float], y_mm: tuple[float, float]) -> tuple[slice, slice]:
        """Rows and columns whose centres lie in a region."""
        columns, rows = np.arange(self.grid.width), np.arange(self.grid.height)
        return _within(self._y(rows), y_mm), _within(self._x(columns), x_mm)

    def _x(self, column: Any) -> np.ndarray:
        return np.asarray(world.x_of_column(column, self.grid))

    def _y(self, row: Any) -> np.ndarray:
        return np.asarray(world.y_of_row(row, self.grid))

    def again(self, attempt: int) -> tuple[np.ndarray, np.ndarray]:
        """Frames and uniform numbers of a further attempt."""
        return self.draws.frames(attempt), self.draws.u(attempt)[:, :2]


def _within(values: np.ndarray, limits: tuple[float, float]) -> slice:
    inside = np.flatnonzero((values >= limits[0]) & (values <= limits[1]))
    return slice(int(inside[0]), int(inside[-1]) + 1) if len(inside) else slice(0, 0)


class Draws:
    """Uniform numbers of the starts of some simulations, attempt by attempt.

    Parameters
    ----------
    seed : int
    recording : str
    simulations : int
    frames : (int, int)
        Frames [first, end) at which they may start.
    first_frame : int or "uniform"
    """

    def __init__(
        self,
        seed: int,
        recording: str,
        simulations: int,
        frames: tuple[int, int],
        first_frame: int | str,
    ) -> None:
        self.keys = [noise_key(seed, recording, "start", r) for r in range(simulations)]
        self.window, self.first_frame = frames, first_frame

    def u(self, attempt: int) -> np.ndarray:
        """Uniform numbers of an attempt, shape (simulations, DRAWS)."""
        return np.array([uniform_draws(key, attempt + 1, DRAWS)[attempt] for key in self.keys])

    def frames(self, attempt: int) -> np.ndarray:
        """Start frames of an attempt."""
        first, end = self.window
        if self.first_frame == "uniform":
            return first + (self.u(attempt)[:, 3] * (end - first)).astype(np.int64)
        return np.full(len(self.keys), int(self.first_frame), np.int64)


def make_starts(
    seed: int,
    recording: str,
    start: dict[str, Any],
    simulations: int,
    reader: PlumeReader,
    part: str = "whole",
) -> Starts:
    """Where and when simulations start in a recording, whatever the agent.

    Parameters
    ----------
    seed : int
    recording : str
        Label.
    start : dict
        Resolved `simulation.start`.
    simulations : int
    reader : PlumeReader
        The plume.
    part : str
        The part of the movie in which agents live.

    Raises
    ------
    UserError
        If there is no such place, or a frame is not in the movie.
    """
    plugin, params = start_plugin(start)
    first, end = start_frames(reader.metadata, reader.n_frames, part)
    draws = Draws(seed, recording, simulations, (first, end), start["frame"])
    u = draws.u(0)
    low, high = start["heading_deg"]
    heading = np.array([math.radians(low + (high - low) * one) for one in u[:, 2]])
    asked = Asked(np.arange(simulations), u[:, :2], heading, draws.frames(0))
    if hasattr(plugin, "chosen"):
        starts: Starts = plugin.chosen(params, asked, PlumeScene(recording, reader, draws))
    else:
        x, y = plugin.places(params, asked.replicate, asked.u)
        starts = Starts(x, y, heading, asked.frame)
    wrong = np.flatnonzero((starts.frame < first) | (starts.frame >= end))
    if len(wrong):
        raise UserError(
            "simulation.start",
            f"simulation {wrong[0]} starts at frame {starts.frame[wrong[0]]}, but recording"
            f" {recording!r} has {reader.n_frames} frames, {part} of them",
            f"{first} to {end - 1}",
        )
    return starts


def make_plan(
    seed: int,
    recording: str,
    agent: str,
    start: dict[str, Any],
    simulations: int,
    reader: PlumeReader,
    part: str = "whole",
) -> pa.Table:
    """Rows of the plan of one agent in one recording.

    Parameters
    ----------
    seed : int
    recording, agent : str
        Labels.
    start : dict
        Resolved `simulation.start`.
    simulations : int
    reader : PlumeReader
        The plume.
    part : str
        The part of the movie in which agents live.

    Returns
    -------
    pyarrow.Table
        Schema PLAN.
    """
    starts = make_starts(seed, recording, start, simulations, reader, part)
    replicates = range(simulations)
    columns = {
        "simulation": replicates,
        "replicate": replicates,
        "key": [noise_key(seed, recording, agent, r) for r in replicates],
        "x_mm": starts.x_mm,
        "y_mm": starts.y_mm,
        "heading_rad": starts.heading_rad,
        "start_frame": starts.frame,
    }
    return pa.table(
        {field.name: pa.array(columns[field.name], field.type) for field in PLAN.arrow},
        schema=PLAN.arrow,
    )
