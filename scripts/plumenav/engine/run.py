"""Run the simulations of a chunk through a plume that streams by, block after block.

Memory is one block, or as many decoded blocks as the budget allows to keep, plus the agents:
whatever the movie's length. Results do not depend on the chunk, its order, the block size, the
number of threads or the budget.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any

import numpy as np
import pyarrow as pa

from plumenav import registry, world
from plumenav.engine import settings as codes
from plumenav.engine.compiling import load_kernel, warm
from plumenav.engine.donors import donors_of, trace_parts, trace_room
from plumenav.engine.field_calls import FieldCall
from plumenav.engine.layout import (
    COUNT_NAMES,
    NUMBER_NAMES,
    Agents,
    count,
    make_lanes,
    number,
)
from plumenav.engine.outcome import Columns, Outcome, make_rows, recorded, summarized
from plumenav.engine.pressure import Cache, Pressure, relieve
from plumenav.engine.stepping import Stepper
from plumenav.engine.winds import UNIFORM, RecordedWind
from plumenav.models import _binding as binding
from plumenav.models._contract import Surroundings, declared
from plumenav.tables import Block, PlumeReader

# rows each agent may record before the kernel hands them over; bounds memory, changes no result
CAPACITY = 2048
# decoded blocks that are kept where nobody says how many
KEEP_MB = 64.0


class Blocks:
    """Decoded blocks of a plume, kept while they fit in a budget, for all who ask.

    Parameters
    ----------
    reader : PlumeReader
    budget_mb : float
        Memory for decoded blocks; changes no result.
    wind : PlumeReader, optional
        Recorded wind of this plume; without it, wind is uniform.
    pressure : Pressure, optional
        Of the job's memory; without it there is none.
    agents_at_once : int
        Agents that move through a block together, 0: all; bounds memory for rows, changes no
        result.
    """

    def __init__(
        self,
        reader: PlumeReader,
        budget_mb: float = KEEP_MB,
        wind: PlumeReader | None = None,
        pressure: Pressure | None = None,
        agents_at_once: int = 0,
    ) -> None:
        self.reader = reader
        self.wind = RecordedWind(wind) if wind else None
        self.metadata = reader.metadata
        self.time_s = reader.time_s
        self.extents = list(zip(reader.block_first, reader.block_sizes, strict=True))
        self.pressure = pressure or Pressure(0.0)
        self.cache = Cache(budget_mb, self.pressure)
        self.agents_at_once = agents_at_once

    def wind_of(self, block: Block) -> np.ndarray:
        """Wind in the frames of a block, shape (n, 2, height, width), mm/s; n is 0 if uniform."""
        return self.wind.frames(block.first, len(block.frames)) if self.wind else UNIFORM

    @property
    def decoded(self) -> int:
        """Blocks read from disk so far."""
        return self.cache.misses

    def relieved(self, agents: int) -> int:
        """Agents to be moved at a time now, of so many; keeps less where memory gets short."""
        at_once = min(self.agents_at_once or agents, agents)
        lower = relieve(self.pressure, self.cache, at_once)
        if lower < at_once:
            self.agents_at_once = lower
        return lower

    def __getitem__(self, i: int) -> Block:
        block: Block = self.cache.get(i, self.reader.block, lambda b: b.frames.nbytes / 2**20)
        return block


def make_world(
    settings: dict[str, Any],
    metadata: dict[str, Any],
    field: ModuleType,
    bilateral: bool,
    time_s: np.ndarray,
) -> codes.World:
    """Numbers of a run, from its resolved settings and the plume's metadata and time stamps."""
    part = settings.get("movie_part", "whole") if metadata["kind"] == "movie" else "whole"
    first, end = world.movie_window(len(time_s), part)
    last_s = time_s[end] - time_s[0] if end < len(time_s) else float(metadata["period_s"])
    grid = world.grid_of(metadata)
    x_min, x_max, y_min, y_max = world.extent_mm(grid)
    blank = metadata["blank"] or {
        "row_start": 0,
        "row_stop": 1,
        "column_start": 0,
        "column_stop": 1,
    }
    sensor = settings["sensor"]
    dead_zone = sensor["dead_zone"]
    adaptation = sensor.get("adaptation") or {"tau_s": 0.0, "half_level": 1.0}
    speed, toward = settings["wind_speed_mm_s"], settings["wind_toward_rad"]
    return codes.World(
        mm_per_px=float(grid.mm_per_px),
        source_row=float(grid.source_row),
        source_column=float(grid.source_column),
        height=float(grid.height),
        width=float(grid.width),
        x_min=x_min,
        x_max=x_max,
        y_min=y_min,
        y_max=y_max,
        bounded=field.BOUNDED,
        field_draws=field.DRAWS,
        scale=float(metadata["scale"]),
        offset=float(metadata["offset"]),
        first_frame=first,
        end_frame=end,
        period_s=float(last_s - (time_s[first] - time_s[0])),
        bilinear=sensor["interpolation"] == "bilinear",
        threshold=float(sensor["threshold"]),
        dead_zone=-math.inf if dead_zone is None else float(dead_zone),
        bilateral=bilateral,
        noise=float(sensor.get("noise") or 0.0),
        adaptation_tau_s=float(adaptation["tau_s"]),
        adaptation_half=float(adaptation["half_level"]),
        control=codes.CONTROLS[settings["control"]],
        keeps_trace=False,
        blank_row_low=float(blank["row_start"]),
        blank_row_high=float(blank["row_stop"] - 1),
        blank_column_low=float(blank["column_start"]),
        blank_column_high=float(blank["column_stop"] - 1),
        # a wind that blows exactly downwind has no crosswind part, not 1e-17 of one
        wind_x=speed * math.cos(toward),
        wind_y=speed * math.sin(toward) if toward else 0.0,
        dt_s=float(settings["dt_s"]),
        n_steps=round(settings["duration_s"] / settings["dt_s"]),
        record_every=int(settings["record_every"]),
        success_radius=float(settings["success_radius_mm"]),
        stop_at_source=settings["arrival"] == "stop",
        boundary=codes.BOUNDARIES[settings["boundary"]],
        boundary_margin=float(settings.get("boundary_margin_mm", 0.0)),
        movie_end=codes.MOVIE_ENDS[settings["movie_end"]],
    )


def surroundings(settings: dict[str, Any], w: codes.World) -> Surroundings:
    """What the tables of a model may depend on."""
    return Surroundings(
        x_min_mm=w.x_min,
        x_max_mm=w.x_max,
        y_min_mm=w.y_min,
        y_max_mm=w.y_max,
        wind_speed_mm_s=settings["wind_speed_mm_s"],
        wind_toward_rad=settings["wind_toward_rad"],
        dt_s=w.dt_s,
        prepared=settings.get("prepared", {}),
    )


def make_agents(
    plan: Columns,
    initial_state: tuple[float, ...],
    initial_memory: np.ndarray,
    behaviour: int,
    trace: np.ndarray,
    movie_time: np.ndarray,
) -> Agents:
    """Agents at their starts."""
    n = len(plan["simulation"])
    agents = Agents(
        # a copy: one kind of array, so that one compiled kernel serves
        key=np.array(plan["key"], np.uint64),
        numbers=np.zeros((n, len(NUMBER_NAMES))),
        counts=np.zeros((n, len(COUNT_NAMES)), np.int64),
        state=np.tile(np.array(initial_state, np.float64), (n, 1)),
        memory=np.tile(np.array(initial_memory, np.float64), (n, 1)),
        trace=trace,
    )
    for name, column in (("x", "x_mm"), ("y", "y_mm"), ("heading", "heading_rad")):
        number(agents, name)[:] = plan[column]
    number(agents, "offset_s")[:] = movie_time[plan["start_frame"]]
    number(agents, "closest2")[:] = number(agents, "x") ** 2 + number(agents, "y") ** 2
    number(agents, "time_to_source")[:] = np.nan
    count(agents, "behaviour")[:] = behaviour
    count(agents, "frame")[:] = plan["start_frame"]
    return agents


def most_rows(blocks: Blocks, w: codes.World) -> int:
    """Rows that an agent can have at most in a block, or somewhat more: room beyond is wasted."""
    seconds = w.n_steps * w.dt_s
    if w.movie_end == codes.LOOP:
        begins = np.append(blocks.time_s[[first for first, _ in blocks.extents]], np.inf)
        begins[-1] = blocks.time_s[0] + blocks.metadata["period_s"]
        seconds = min(seconds, float(np.diff(begins).max()))
    return int(seconds / (w.dt_s * w.record_every)) + 2


def simulate(
    blocks: Blocks,
    plan: Columns,
    settings: dict[str, Any],
    emit: Callable[[Columns], None] | None = None,
    threads: int = 1,
    capacity: int = CAPACITY,
) -> Outcome:
    """Simulate the rows of a plan.

    Parameters
    ----------
    blocks : Blocks
        The plume.
    plan : dict of ndarray
        Columns of the PLAN schema; for shuffled agents also those of
        :func:`plumenav.engine.donors.with_donors`.
    settings : dict
        Resolved settings (batch.settings.resolve).
    emit : callable, optional
        Receives the recorded rows, block by block; without it nothing is recorded.
    threads : int
        Threads that share the agents.
    capacity : int
        Rows per agent and hand-over.

    Returns
    -------
    Outcome
    """
    if settings["control"] != "shuffled":
        return _simulate(blocks, plan, settings, emit, threads, capacity)
    intact = {**settings, "control": "none", "arrival": "continue", "record_variables": False}
    sides = declared(binding.bound(settings["model"], settings["parameters"]), "BILATERAL")
    steps = round(settings["duration_s"] / settings["dt_s"])
    outcomes = []
    for part in trace_parts(plan, steps, sides):
        trace = trace_room(part, steps, sides)
        _simulate(blocks, donors_of(part), intact, None, threads, capacity, trace)
        outcomes.append(_simulate(blocks, part, settings, emit, threads, capacity, trace))
    return Outcome(
        pa.concat_tables([one.simulations for one in outcomes]),
        outcomes[0].kernel,
        blocks.decoded,
    )


def _simulate(
    blocks: Blocks,
    plan: Columns,
    settings: dict[str, Any],
    emit: Callable[[Columns], None] | None,
    threads: int,
    capacity: int,
    trace: np.ndarray | None = None,
) -> Outcome:
    """Simulate rows; `trace` is read by shuffled agents and filled by all others."""
    made_of = binding.parts(settings["model"], settings["parameters"])
    model = binding.composed(settings["model"], *made_of)
    field = registry.get("field", blocks.metadata["field"])
    params = model.Params(**settings["parameters"])
    constants = model.constants(params, settings["wind_speed_mm_s"])
    sensor = registry.get("sensor", settings["sensor"]["shape"])
    points = sensor.points(sensor.Params(**settings["sensor"]["parameters"]))
    bilateral = declared(model, "BILATERAL")
    w = make_world(settings, blocks.metadata, field, bilateral, blocks.time_s)
    if trace is not None and w.control != codes.SHUFFLED:
        w = w._replace(keeps_trace=True)
    field_call = FieldCall(blocks.metadata)
    movie_time = blocks.time_s - blocks.time_s[w.first_frame]
    tables = declared(model, "tables")(params, constants, surroundings(settings, w))
    agents = make_agents(
        plan,
        model.initial_state(constants),
        declared(model, "initial_memory")(tables),
        model.initial_behaviour(constants),
        np.zeros((len(plan["simulation"]), 0, 1)) if trace is None else trace,
        movie_time,
    )
    n = len(agents.key)
    variables = list(model.State._fields) if settings["record_variables"] else []
    capacity = min(capacity, most_rows(blocks, w))
    at_once = blocks.relieved(n)
    rows = make_rows(at_once, capacity, len(variables))
    if emit is None:
        w = w._replace(record_every=w.n_steps + 1)
        emit = _ignore

    lanes = [make_lanes() for _ in range(threads)]
    # the kernel first: jobs of other models, too, wait for it
    kernel = load_kernel(field_call.called)
    sample = field_call.images(np.empty((0, 1, 1), blocks.metadata["dtype"]))
    sample.flags.writeable = False
    cache = warm(
        kernel,
        (
            *(0, 0, sample, UNIFORM, 0, movie_time, 0, points, w, field_call.constants),
            *(0, 0, agents, lanes[0], rows),
        ),
    )
    stepper = Stepper(settings["model"], made_of, constants, tables, agents, w.threshold, w.dt_s)
    given = [stepper.arguments(one) for one in lanes]
    cache = {name: n + stepper.cache[name] + field_call.cache[name] for name, n in cache.items()}
    ends, wraps, at, filled = (count(agents, name) for name in ("end", "wraps", "frame", "filled"))
    with ThreadPoolExecutor(threads) as pool:
        shown = 0
        while (ends == codes.RUNNING).any():
            for b, (first, size) in enumerate(blocks.extents):
                here = (ends == codes.RUNNING) & (wraps == shown)
                if not (here & (at >= first) & (at < first + size)).any():
                    continue
                lower = blocks.relieved(n)
                if lower < at_once:
                    at_once, rows = lower, make_rows(lower, capacity, len(variables))
                block = blocks[b]
                winds = blocks.wind_of(block) if settings.get("feels_wind", True) else UNIFORM
                images = field_call.images(block.frames)
                shown_now = (images, winds, block.first, movie_time, shown, points, w)
                waiting = True
                while waiting:
                    waiting = False
                    for low in range(0, n, at_once):
                        some = slice(low, min(low + at_once, n))
                        bounds = np.linspace(low, some.stop, threads + 1).astype(int).tolist()
                        here_rows = rows._replace(first=low)
                        parts = pool.map(
                            lambda i, bounds=bounds, shown_now=shown_now, room=here_rows: (
                                kernel.advance(
                                    bounds[i],
                                    bounds[i + 1],
                                    *shown_now,
                                    field_call.constants,
                                    stepper.function,
                                    given[i].ctypes.data,
                                    agents,
                                    lanes[i],
                                    room,
                                )
                            ),
                            range(threads),
                        )
                        waiting = sum(parts) > 0 or waiting
                        if filled[some].any():
                            who = plan["simulation"][some]
                            emit(recorded(rows, filled[some], who, w.dt_s, variables))
                            filled[some] = 0
            shown += 1
    return Outcome(summarized(plan, agents, w, movie_time), cache, blocks.decoded)


def _ignore(columns: Columns) -> None:
    """Record nothing."""
