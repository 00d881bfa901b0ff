"""One agent's way through a plume: the order inside a step, written out once for all references.

Sense, record, decide, move, bound, test arrival, set heading (docs/conventions.md). The models'
equations are in their own files; a model is an object that decides.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np

from plumenav.references._arena import closest_mm, entry, halt, reflect, turn_away
from plumenav.references._plume import Chance, Plume, clock, counts_hits
from plumenav.references._sensor import Nose, Reading
from plumenav.rng import ENGINE_BLOCK, FIELD_BLOCK, SENSOR_BLOCK, uniform_draws

DURATION_SLACK_S = 1e-9  # durations are compared with this much slack against rounding
BOUNDARIES = ("open", "reflect", "stop", "turn", "absorb")
ARRIVALS = ("stop", "continue")


class Wind(NamedTuple):
    """Uniform wind: speed, and the direction phi it blows to (0: +x, counter-clockwise)."""

    speed_mm_s: float
    toward_rad: float


class Sensed(NamedTuple):
    """What a model is told in one step.

    Attributes
    ----------
    t_s : float
        Start of the step, i * dt_s.
    heading_rad : float
        Heading at the start of the step.
    odor : float
        Reading after the dead zone.
    in_odor : bool
        Reading at or above the threshold.
    u : list of float
        The step's uniform draws, in the model's order.
    odor_left, odor_right : float
        Readings of the two sides, for models that say `bilateral = True`.
    wind_x_mm_s, wind_y_mm_s : float
        Wind at the agent.
    x_mm, y_mm : float
        Where the agent is.
    threshold : float
    """

    t_s: float
    heading_rad: float
    odor: float
    in_odor: bool
    u: list[float]
    odor_left: float = 0.0
    odor_right: float = 0.0
    wind_x_mm_s: float = 0.0
    wind_y_mm_s: float = 0.0
    x_mm: float = 0.0
    y_mm: float = 0.0
    threshold: float = 0.0

    @property
    def phi(self) -> float:
        """Direction that the wind at the agent blows to; 0 in still air."""
        return math.atan2(self.wind_y_mm_s, self.wind_x_mm_s)


class Action(NamedTuple):
    """What a model decides in one step.

    Attributes
    ----------
    vx_mm_s, vy_mm_s : float
        Velocity over [t, t + dt].
    heading_rad : float
        Heading at t + dt.
    code : int
        Behaviour code from t + dt on.
    margin : float
        Distance of the closest decision from its threshold; inf if there was none. Timers do not
        count: they run on i * dt_s and are compared with slack, so rounding cannot turn them.
    """

    vx_mm_s: float
    vy_mm_s: float
    heading_rad: float
    code: int
    margin: float


class Model(Protocol):
    """A navigation model with its state.

    Attributes
    ----------
    code : int
        Behaviour code before the first step.
    events : bool
        Whether the model asks if it is in odour.
    clipped : int
        Steps so far in which an event probability exceeded 1.

    A model that compares the sides of a paired sensor also has `bilateral = True`.
    """

    code: int
    events: bool
    clipped: int

    def decide(self, now: Sensed) -> Action:
        """Decide one step and update the state."""
        ...

    def variables(self) -> dict[str, float]:
        """State variables by name, at the start of the step to come."""
        ...


MakeModel = Callable[[Mapping[str, Any], Wind, float], Model]


def normal(a: float, b: float) -> float:
    """Standard normal number from two uniforms (Box & Muller 1958)."""
    return math.sqrt(-2.0 * math.log(1.0 - a)) * math.cos(2.0 * math.pi * b)


def exceeds(a_s: float, b_s: float) -> bool:
    """a > b for durations, with slack against rounding."""
    return a_s > b_s + DURATION_SLACK_S


def reaches(a_s: float, b_s: float) -> bool:
    """a >= b for durations, with slack against rounding."""
    return a_s >= b_s - DURATION_SLACK_S


NOTHING = Reading(0.0, 0.0, 0.0, math.inf)  # what a donor gives after its end


def donor_readings(
    start: Mapping[str, Any],
    settings: Mapping[str, Any],
    plume: Plume,
    make_model: MakeModel,
    draws: tuple[str, ...],
) -> list[Reading]:
    """What the intact agent of another row of the plan smells until its end, step by step."""
    intact = {**settings, "control": "none", "arrival": "continue"}
    whole = run(start, intact, plume, make_model, draws)
    columns = (whole[name].tolist() for name in ("odor", "odor_left", "odor_right", "margin"))
    return [Reading(*row) for row in zip(*columns, strict=True)]


def run(
    start: Mapping[str, Any],
    settings: Mapping[str, Any],
    plume: Plume,
    make_model: MakeModel,
    draws: tuple[str, ...],
) -> dict[str, Any]:
    """Simulate one agent, keeping every step.

    Parameters
    ----------
    start : dict
        `x_mm`, `y_mm`, `heading_rad`, `start_frame`, `key` (a row of the plan). For a shuffled
        agent also `donor`: the row of the plan whose odour it gets.
    settings : dict
        Resolved numbers: `parameters`, `dt_s`, `duration_s`, `success_radius_mm`, `arrival`,
        `boundary`, `movie_end`, `wind_speed_mm_s`, `wind_toward_rad`, `sensor` {`shape`,
        `parameters`, `interpolation`, `threshold`, `dead_zone`}, `control`. These may be missing:
        `movie_part` (whole), `boundary_margin_mm` (needed by `turn`), `noise` and `adaptation` of
        the sensor (none).
    plume : Plume
    make_model : callable
        (parameters, wind, dt_s) -> model.
    draws : tuple of str
        Names of the model's draws, in order.

    Returns
    -------
    dict
        Arrays, one entry per step (row i: start of step i): `step`, `x_mm`, `y_mm`,
        `heading_rad`, `odor`, `odor_left`, `odor_right`, `state`, `margin`, and the model's
        variables. Outcome: `end` (source, horizon, left, movie), `time_to_source_s` (None: not
        reached), `final_x_mm`, `final_y_mm`, `duration_s`, `encounters`, `wraps`, `clipped_rates`.
    """
    boundary, arrival = settings["boundary"], settings["arrival"]
    if boundary not in BOUNDARIES or arrival not in ARRIVALS:
        raise ValueError(f"boundary {boundary!r} of {BOUNDARIES}, arrival {arrival!r}, {ARRIVALS}")
    dt_s, radius_mm = float(settings["dt_s"]), float(settings["success_radius_mm"])
    threshold = float(settings["sensor"]["threshold"])
    horizon = round(settings["duration_s"] / dt_s)
    part = settings.get("movie_part", "whole")
    ticks = clock(plume, int(start["start_frame"]), horizon, dt_s, settings["movie_end"], part)
    key = int(start["key"])
    noise = uniform_draws(key, horizon, len(draws)).tolist()
    chances: list[Chance | None] = [None] * horizon
    if counts_hits(plume):
        drawn = uniform_draws(key, horizon, 1, FIELD_BLOCK)[:, 0].tolist()
        chances = [Chance(u, dt_s) for u in drawn]
    jitters = [(0.0, 0.0)] * horizon
    if settings["sensor"].get("noise"):
        uniforms = uniform_draws(key, horizon, 4, SENSOR_BLOCK).tolist()
        jitters = [(normal(a, b), normal(c, d)) for a, b, c, d in uniforms]
    turns = uniform_draws(key, horizon, 1, ENGINE_BLOCK)[:, 0].tolist()
    given = None
    if settings["control"] == "shuffled":
        given = donor_readings(start["donor"], settings, plume, make_model, draws)
    wind = Wind(float(settings["wind_speed_mm_s"]), float(settings["wind_toward_rad"]))
    model = make_model(settings["parameters"], wind, dt_s)
    nose = Nose(settings, plume, getattr(model, "bilateral", False))
    arena = plume.arena
    wind_x = wind.speed_mm_s * math.cos(wind.toward_rad)
    wind_y = wind.speed_mm_s * math.sin(wind.toward_rad)

    x, y, heading = float(start["x_mm"]), float(start["y_mm"]), float(start["heading_rad"])
    code, end, time_to_source_s = model.code, "movie" if ticks.ended else "horizon", None
    encounters, was_in_odor = 0, False
    rows: list[tuple[float, ...]] = []
    variables: list[dict[str, float]] = []
    duration_s = len(ticks.frame) * dt_s

    for i, frame in enumerate(ticks.frame.tolist()):
        # sense
        if plume.winds is not None and settings.get("feels_wind", True):
            wind_x, wind_y = plume.wind(frame, x, y)
        if given is not None:
            smell = given[i] if i < len(given) else NOTHING
        else:
            smell = nose.read(frame, x, y, heading, chances[i], jitters[i])
        odor, margin = smell.odor, smell.margin
        in_odor = odor >= threshold
        if model.events and not nose.blind:
            margin = min(margin, abs(odor - threshold))
        encounters += in_odor and not was_in_odor
        was_in_odor = in_odor
        # record (the margin joins when the step has been decided)
        here = (x, y, heading, odor, smell.left, smell.right, code)
        variables.append(model.variables())
        # decide
        action = model.decide(
            Sensed(
                t_s=i * dt_s,
                heading_rad=heading,
                odor=odor,
                in_odor=in_odor,
                u=noise[i],
                odor_left=smell.left,
                odor_right=smell.right,
                wind_x_mm_s=wind_x,
                wind_y_mm_s=wind_y,
                x_mm=x,
                y_mm=y,
                threshold=threshold,
            )
        )
        margin = min(margin, action.margin)
        # move
        x1, y1 = x + action.vx_mm_s * dt_s, y + action.vy_mm_s * dt_s
        heading1 = action.heading_rad
        # bound
        left = False
        if boundary == "reflect":
            x1, y1, heading1 = reflect(arena, x1, y1, heading1)
        elif boundary == "absorb":
            pixel = arena.row_column(x1, y1)
            left = not arena.contains(*pixel)
            margin = min(margin, abs(arena.inward(*pixel)))
        elif boundary == "stop":
            x1, y1 = halt(arena, x, y, x1, y1)
        elif boundary == "turn":
            wall_mm = float(settings["boundary_margin_mm"])
            away, close = turn_away(arena, x, y, x1, y1, wall_mm, turns[i])
            margin = min(margin, close)
            if away is not None:
                x1, y1, heading1 = x, y, away
        # arrival, along the way and not only at its end
        s = None
        if time_to_source_s is None:
            s = entry(x, y, x1, y1, radius_mm)
            margin = min(margin, abs(closest_mm(x, y, x1, y1) - radius_mm))
        rows.append((*here, margin))
        if s is not None:
            time_to_source_s = (i + s) * dt_s
            if arrival == "stop":
                end, duration_s = "source", time_to_source_s
                x, y = x + s * (x1 - x), y + s * (y1 - y)
                break
        # set heading
        x, y, heading, code = x1, y1, heading1, action.code
        if left:
            end, duration_s = "left", (i + 1) * dt_s
            break

    columns = np.array(rows, np.float64).reshape(len(rows), 8).T
    names = variables[0] if variables else model.variables()
    return {
        "step": np.arange(len(rows), dtype=np.int32),
        "x_mm": columns[0],
        "y_mm": columns[1],
        "heading_rad": columns[2],
        "odor": columns[3],
        "odor_left": columns[4],
        "odor_right": columns[5],
        "state": columns[6].astype(np.int8),
        "margin": columns[7],
        **{name: np.array([v[name] for v in variables], np.float64) for name in names},
        "end": end,
        "time_to_source_s": time_to_source_s,
        "final_x_mm": x,
        "final_y_mm": y,
        "duration_s": duration_s,
        "encounters": encounters,
        "wraps": int(ticks.wraps[len(rows) - 1]) if rows else 0,
        "clipped_rates": model.clipped,
    }
