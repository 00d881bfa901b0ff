"""One agent's way through a plume: the order inside a step, written out once for all references.

Sense, record, decide, move, bound, test arrival, set heading (docs/conventions.md). The models'
equations are in their own files; a model is an object that decides.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np

from plumenav.references import _ties
from plumenav.references._arena import entry, halt, reflect, turn_away
from plumenav.references._plume import Chance, Plume, clock, counts_hits
from plumenav.references._sensor import NOTHING, Nose, Reading
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


class Donated(NamedTuple):
    """What an intact agent of another row of the plan smelled until its end, step by step."""

    readings: list[Reading]
    margin: np.ndarray


def donated(
    start: Mapping[str, Any],
    settings: Mapping[str, Any],
    plume: Plume,
    make_model: MakeModel,
    draws: tuple[str, ...],
) -> Donated:
    """Let the intact agent of another row of the plan smell."""
    intact = {**settings, "control": "none", "arrival": "continue"}
    whole = run(start, intact, plume, make_model, draws)
    columns = (whole[name].tolist() for name in ("odor", "odor_left", "odor_right"))
    return Donated(list(zip(*columns, strict=True)), whole["margin"])


def padded(margin: np.ndarray, n: int) -> np.ndarray:
    """The first n margins, and inf where there are fewer: nothing is decided there."""
    return np.concatenate([margin, np.full(max(0, n - len(margin)), math.inf)])[:n]


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
        the sensor (none), `variables` (True): whether the model's variables are kept.
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
    key, n_steps = int(start["key"]), len(ticks.frame)
    noise = uniform_draws(key, n_steps, len(draws)).tolist()
    chances: list[Chance | None] = [None] * n_steps
    if counts_hits(plume):
        drawn = uniform_draws(key, n_steps, 1, FIELD_BLOCK)[:, 0].tolist()
        chances = [Chance(u, dt_s) for u in drawn]
    jitters = [(0.0, 0.0)] * n_steps
    if settings["sensor"].get("noise"):
        uniforms = uniform_draws(key, n_steps, 4, SENSOR_BLOCK).tolist()
        jitters = [(normal(a, b), normal(c, d)) for a, b, c, d in uniforms]
    wall_mm, turns = 0.0, [0.0] * n_steps
    if boundary == "turn":
        wall_mm = float(settings["boundary_margin_mm"])
        turns = uniform_draws(key, n_steps, 1, ENGINE_BLOCK)[:, 0].tolist()
    given = None
    if settings["control"] == "shuffled":
        given = donated(start["donor"], settings, plume, make_model, draws)
        n_given = len(given.readings)
    wind = Wind(float(settings["wind_speed_mm_s"]), float(settings["wind_toward_rad"]))
    model = make_model(settings["parameters"], wind, dt_s)
    nose = Nose(settings, plume, getattr(model, "bilateral", False))
    arena = plume.arena
    wind_x = wind.speed_mm_s * math.cos(wind.toward_rad)
    wind_y = wind.speed_mm_s * math.sin(wind.toward_rad)
    local_wind = plume.winds is not None and settings.get("feels_wind", True)

    x, y, heading = float(start["x_mm"]), float(start["y_mm"]), float(start["heading_rad"])
    x1, y1 = x, y
    code, end, time_to_source_s = model.code, "movie" if ticks.ended else "horizon", None
    to_arrival, encounters, was_in_odor = n_steps, 0, False
    rows: list[tuple[float, ...]] = []
    keeps_variables = settings.get("variables", True)
    variables: list[dict[str, float]] = []
    duration_s = n_steps * dt_s

    for i, frame in enumerate(ticks.frame.tolist()):
        # sense
        if local_wind:
            wind_x, wind_y = plume.wind(frame, x, y)
        if given is None:
            odor, left, right = nose.read(frame, x, y, heading, chances[i], jitters[i])
        else:
            odor, left, right = given.readings[i] if i < n_given else NOTHING
        in_odor = odor >= threshold
        if in_odor and not was_in_odor:
            encounters += 1
        was_in_odor = in_odor
        if keeps_variables:
            variables.append(model.variables())
        # decide; in the order of Sensed: naming a dozen arguments costs more than some models do
        vx, vy, heading1, code1, margin = model.decide(
            Sensed(
                i * dt_s,
                heading,
                odor,
                in_odor,
                noise[i],
                left,
                right,
                wind_x,
                wind_y,
                x,
                y,
                threshold,
            )
        )
        # move
        x1, y1 = x + vx * dt_s, y + vy * dt_s
        # bound
        lost = False
        if boundary == "reflect":
            x1, y1, heading1 = reflect(arena, x1, y1, heading1)
        elif boundary == "absorb":
            lost = not arena.contains(*arena.row_column(x1, y1))
        elif boundary == "stop":
            x1, y1 = halt(arena, x, y, x1, y1)
        elif boundary == "turn":
            away, close = turn_away(arena, x, y, x1, y1, wall_mm, turns[i])
            margin = min(margin, close)
            if away is not None:
                x1, y1, heading1 = x, y, away
        # record: what was sensed, at the start of the step, with the code of the step before
        rows.append((x, y, heading, odor, left, right, code, margin))
        # arrival, along the way and not only at its end
        if time_to_source_s is None:
            s = entry(x, y, x1, y1, radius_mm)
            if s is not None:
                to_arrival, time_to_source_s = i + 1, (i + s) * dt_s
                if arrival == "stop":
                    end, duration_s = "source", time_to_source_s
                    x, y = x + s * (x1 - x), y + s * (y1 - y)
                    break
        # set heading
        x, y, heading, code = x1, y1, heading1, code1
        if lost:
            end, duration_s = "left", (i + 1) * dt_s
            break
    n = len(rows)
    columns = np.array(rows, np.float64).reshape(n, 8).T
    x0, y0, headings, odors, *_, own_margin = columns
    x_after, y_after = np.append(x0[1:], x1)[:n], np.append(y0[1:], y1)[:n]
    close_to_source = _ties.to_source(x0, y0, x_after, y_after, radius_mm)[:to_arrival]
    margins = [own_margin, padded(close_to_source, n)]
    if given is not None:
        margins.append(padded(given.margin, n))
    elif not nose.blind:
        margins += [_ties.of_places(nose, x0, y0, headings), _ties.of_dead_zone(nose, n)]
    if model.events and not nose.blind:
        margins.append(np.abs(odors - threshold))
    if boundary == "absorb":
        margins.append(np.abs(arena.inward(*arena.row_column(x_after, y_after))))
    names = variables[0] if variables else model.variables()
    return {
        "step": np.arange(n, dtype=np.int32),
        "x_mm": x0,
        "y_mm": y0,
        "heading_rad": headings,
        "odor": odors,
        "odor_left": columns[4],
        "odor_right": columns[5],
        "state": columns[6].astype(np.int8),
        "margin": np.minimum.reduce(margins),
        **{name: np.array([v[name] for v in variables], np.float64) for name in names},
        "end": end,
        "time_to_source_s": time_to_source_s,
        "final_x_mm": x,
        "final_y_mm": y,
        "duration_s": duration_s,
        "encounters": encounters,
        "wraps": int(ticks.wraps[n - 1]) if n else 0,
        "clipped_rates": model.clipped,
    }
