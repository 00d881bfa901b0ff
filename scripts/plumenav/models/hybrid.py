"""A gate between two models: one acts while odour was met lately, the other one else.

A leaky memory of whiffs opens the gate to the inside model; below it the outside model acts. Any
two models can be named; this file is real code for the default two, and the template for all others
(models/_binding.py). Specification of one step: docs/conventions.md.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, NamedTuple

import numpy as np

from plumenav.errors import UserError
from plumenav.models import surge_cast as outside  # [outside]
from plumenav.models import walk_stop_turn as inside  # [inside]
from plumenav.models._binding import rewritten
from plumenav.models._contract import (
    Action,
    ModelParams,
    Observation,
    Part,
    Surroundings,
    declared,
    parameter,
)

CITATION = "Two models behind a gate (this program); for each of the two see its own citation"
NEVER = -1.0e9
SLACK_S = 1.0e-9
INSIDE = Part(model="walk_stop_turn")
OUTSIDE = Part(model="surge_cast", parameters={"speeds": "matched"})

inside_step, outside_step = inside.step, outside.step


class Params(ModelParams):
    """Parameters of the gate, and the two models with theirs."""

    inside: Part = parameter(
        INSIDE,
        "1",
        "{model, preset, parameters} of what acts while the gate is open; if not given: "
        "walk_stop_turn",
        "ours",
    )
    outside: Part = parameter(
        OUTSIDE,
        "1",
        "{model, preset, parameters} of what acts while it is closed; if not given: surge_cast at "
        "the speeds of a walking fly",
        "ours",
    )
    memory_s: float = parameter(2.0, "s", "decay of the memory of whiffs", "ours", gt=0)
    w_open: float = parameter(
        0.1, "1", "remembered whiffs above which the gate opens", "ours", ge=0
    )
    w_close: float | None = parameter(
        None, "1", "remembered whiffs at or below which it closes; none: w_open", "ours", ge=0
    )
    refractory_s: float = parameter(
        0.1, "s", "shortest time between whiffs", "Demir et al. 2020 (refractory_s)", ge=0
    )
    idle: Literal["updates", "frozen"] = parameter(
        "updates",
        "1",
        "updates: the model that does not act perceives and decides all the same; frozen: its "
        "state and its clock stand still",
        "ours",
    )


PRESETS: dict[str, dict[str, Any]] = {
    "walk_and_cast": {},
    "growing_casts": {"outside": {"model": "finite_state", "preset": "cast_clock"}},
}
PARTS = ("inside", "outside")
FAMILY = "controller"
PUBLICATION_DT_S = min(inside.PUBLICATION_DT_S, outside.PUBLICATION_DT_S)
two_sided = [part for part in (inside, outside) if declared(part, "BILATERAL")]
# a model that compares two sides needs them, one that does not takes their mean
SENSOR: dict[str, Any] = (two_sided or [inside])[0].SENSOR
NEEDS_WIND = inside.NEEDS_WIND or outside.NEEDS_WIND
BILATERAL = bool(two_sided)
PRIVILEGED = "; ".join(filter(None, (declared(part, "PRIVILEGED") for part in (inside, outside))))
# even codes are those of the inside model, odd ones those of the outside model
BEHAVIOURS = tuple(
    f"{side} {model.BEHAVIOURS[code]}" if code < len(model.BEHAVIOURS) else f"unused {side} {code}"
    for code in range(max(len(inside.BEHAVIOURS), len(outside.BEHAVIOURS)))
    for side, model in (("inside", inside), ("outside", outside))
)
# where there is no odour, the gate is closed
BEHAVIOURS_WITHOUT_ODOR = tuple(
    f"outside {name}" for name in declared(outside, "BEHAVIOURS_WITHOUT_ODOR") or outside.BEHAVIOURS
)


class Constants(NamedTuple):
    """Of the gate, and of the two models."""

    memory: float
    w_open: float
    w_close: float
    refractory: float
    frozen: float
    inside: Any
    outside: Any


class Tables(NamedTuple):
    """Of the two models; the first numbers of the memory are the inside model's."""

    inside: Any
    outside: Any
    inside_memory: int


# [generated]
class State(NamedTuple):
    """The gate at the start of a step, and the states of the two models."""

    open: float
    in_odor: float  # in the previous step
    last_whiff_s: float
    w: float  # remembered whiffs
    inside_steps: float  # in which the inside model acted
    outside_steps: float
    inside_walking: float
    inside_in_odor: float
    inside_last_whiff_s: float
    inside_w: float
    inside_evidence: float
    inside_turn_end_s: float
    inside_turn_size: float
    outside_surging: float
    outside_side: float
    outside_surge_pending_s: float
    outside_cast_pending_s: float
    outside_last_contact_s: float
    outside_reversal_s: float


class Noise(NamedTuple):
    """Draws of one step: the inside model's, then the outside model's."""

    inside_stop: float
    inside_turn: float
    inside_start: float
    inside_direction: float
    inside_size_a: float
    inside_size_b: float
    inside_drift_a: float
    inside_drift_b: float
    outside_first_side: float


def inside_state(s: State) -> inside.State:
    """State of the inside model."""
    return inside.State(s[6], s[7], s[8], s[9], s[10], s[11], s[12])


def outside_state(s: State) -> outside.State:
    """State of the outside model."""
    return outside.State(s[13], s[14], s[15], s[16], s[17], s[18])


def inside_noise(n: Noise) -> inside.Noise:
    """Draws of the inside model."""
    return inside.Noise(n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7])


def outside_noise(n: Noise) -> outside.Noise:
    """Draws of the outside model."""
    return outside.Noise(n[8])


def joined(g: Any, a: inside.State, b: outside.State) -> State:
    """State of the gate and of both models."""
    # fmt: off
    return State(g[0], g[1], g[2], g[3], g[4], g[5], a[0], a[1], a[2], a[3], a[4], a[5],
                 a[6], b[0], b[1], b[2], b[3], b[4], b[5])
    # fmt: on


def step_inside(
    o: Observation, s: Any, c: Any, n: Any, dt_s: float, memory: Any, tables: Any
) -> tuple[Action, Any]:
    """One step of the inside model."""
    return inside_step(o, s, c.inside, n, dt_s)


def step_outside(
    o: Observation, s: Any, c: Any, n: Any, dt_s: float, memory: Any, tables: Any
) -> tuple[Action, Any]:
    """One step of the outside model."""
    return outside_step(o, s, c.outside, n, dt_s)


# [/generated]


def generated(inside: ModuleType, outside: ModuleType) -> list[str]:
    """Lines of the part of this file that depends on how many numbers the two models have."""
    sides = {"inside": inside, "outside": outside}
    states = ["open", "in_odor", "last_whiff_s", "w", "inside_steps", "outside_steps"]
    noises: list[str] = []
    functions: list[str] = []
    for side, model in sides.items():
        for letter, kind, names in (("s", "State", states), ("n", "Noise", noises)):
            fields = getattr(model, kind)._fields
            picked = ", ".join(f"{letter}[{len(names) + v}]" for v in range(len(fields)))
            names += [f"{side}_{field}" for field in fields]
            functions += [
                f"def {side}_{kind.lower()}({letter}):",
                f"    return {side}.{kind}({picked})",
            ]
        own = (
            "memory[: tables.inside_memory]"
            if side == "inside"
            else "memory[tables.inside_memory :]"
        )
        more = f", {own}, tables.{side}" if hasattr(model, "Tables") else ""
        functions += [
            f"def step_{side}(o, s, c, n, dt_s, memory, tables):",
            f"    return {side}_step(o, s, c.{side}, n, dt_s{more})",
        ]
    a, b = (
        [f"{letter}[{v}]" for v in range(len(model.State._fields))]
        for letter, model in (("a", inside), ("b", outside))
    )
    return [
        "class State(NamedTuple):",
        *(f"    {name}: float" for name in states),
        "class Noise(NamedTuple):",
        *(f"    {name}: float" for name in noises),
        *functions,
        "def joined(g, a, b):",
        f"    return State({', '.join([f'g[{v}]' for v in range(6)] + a + b)})",
    ]


def compose(inside_name: str, outside_name: str) -> ModuleType:
    """The gate with these two models behind it."""
    if (inside_name, outside_name) == (INSIDE.model, OUTSIDE.model):
        return sys.modules[__name__]
    return rewritten(
        Path(__file__),
        f"plumenav_hybrid_of_{inside_name}_and_{outside_name}",
        {"inside": inside_name, "outside": outside_name},
        generated,
    )


def _inner(params: Params) -> tuple[Any, Any]:
    """Parameters of the two models."""
    pairs = ((inside, params.inside), (outside, params.outside))
    first, second = (
        model.Params(
            **{**model.PRESETS[part.preset or next(iter(model.PRESETS))], **part.parameters}
        )
        for model, part in pairs
    )
    return first, second


def resolve_parameters(parameters: dict[str, Any], folder: Path, where: str) -> dict[str, Any]:
    """Parameters as they are, if the gate can close.

    Raises
    ------
    UserError
        If it closes above where it opens.
    """
    w_close, w_open = parameters["w_close"], parameters["w_open"]
    if w_close is not None and w_close > w_open:
        raise UserError(
            f"{where}w_close",
            f"found {w_close:g}, above w_open ({w_open:g})",
            f"0 to {w_open:g}, or none",
        )
    return parameters


def mirrored(noise: Noise) -> Noise:
    """Draws of the mirror image: those of both models."""
    return Noise(
        *inside.mirrored(inside_noise(noise)),
        *outside.mirrored(outside_noise(noise)),
    )


def broken_symmetries(params: Params) -> dict[str, str]:
    """What either of the two models breaks."""
    reasons: dict[str, str] = {}
    pairs = zip(PARTS, (inside, outside), _inner(params), strict=True)
    for side, model, own in pairs:
        for symmetry, reason in declared(model, "broken_symmetries")(own).items():
            before = f"{reasons[symmetry]}; " if symmetry in reasons else ""
            reasons[symmetry] = f"{before}{side}: {reason}"
    return reasons


def problem(params: Params, dt_s: float) -> str | None:
    """Why either of the two models cannot run."""
    pairs = zip(PARTS, (inside, outside), _inner(params), strict=True)
    for side, model, own in pairs:
        reason = declared(model, "problem")(own, dt_s)
        if reason:
            return f"{side}: {reason}"
    return None


def constants(params: Params, wind_speed_mm_s: float) -> Constants:
    """Physical constants of the step."""
    inside_params, outside_params = _inner(params)
    return Constants(
        memory=params.memory_s,
        w_open=params.w_open,
        w_close=params.w_open if params.w_close is None else params.w_close,
        refractory=params.refractory_s,
        frozen=1.0 if params.idle == "frozen" else 0.0,
        inside=inside.constants(inside_params, wind_speed_mm_s),
        outside=outside.constants(outside_params, wind_speed_mm_s),
    )


def tables(params: Params, constants: Constants, surroundings: Surroundings) -> Tables:
    """Tables of both models."""
    inside_params, outside_params = _inner(params)
    of_inside = declared(inside, "tables")(inside_params, constants.inside, surroundings)
    of_outside = declared(outside, "tables")(outside_params, constants.outside, surroundings)
    return Tables(of_inside, of_outside, len(declared(inside, "initial_memory")(of_inside)))


def initial_memory(tables: Tables) -> np.ndarray:
    """Memories of both models, one after the other."""
    return np.concatenate(
        [
            declared(inside, "initial_memory")(tables.inside),
            declared(outside, "initial_memory")(tables.outside),
        ]
    )


def initial_state(constants: Constants) -> State:
    """The gate is closed."""
    first = inside.initial_state(constants.inside)
    gate = (0.0, 0.0, NEVER, 0.0, 0.0, 0.0)
    return joined(gate, first, outside.initial_state(constants.outside))


def initial_behaviour(constants: Constants) -> int:
    """Behaviour code at the start: the outside model's."""
    return 2 * int(outside.initial_behaviour(constants.outside)) + 1


def at(o: Observation, time_s: float) -> Observation:
    """The same perception by another clock."""
    return Observation(
        o.odor,
        o.odor_left,
        o.odor_right,
        o.threshold,
        o.wind_x_mm_s,
        o.wind_y_mm_s,
        o.heading_rad,
        time_s,
        o.x_mm,
        o.y_mm,
    )


def step(
    observation: Observation,
    state: State,
    c: Constants,
    noise: Noise,
    dt_s: float,
    memory: np.ndarray,
    tables: Tables,
) -> tuple[Action, State]:
    """One step: whiff, memory, gate, then the model that acts, and the idle one if it updates."""
    t = observation.time_s
    in_odor = observation.odor >= observation.threshold
    last_whiff = state.last_whiff_s
    w = state.w * math.exp(-dt_s / c.memory)
    if in_odor and state.in_odor < 0.5 and t - last_whiff > c.refractory + SLACK_S:
        w += 1.0
        last_whiff = t
    is_open = w > (c.w_close if state.open > 0.5 else c.w_open)

    a = inside_state(state)
    b = outside_state(state)
    vx = 0.0
    vy = 0.0
    heading = observation.heading_rad
    behaviour = 0
    clipped = 0
    gate = 1.0 if is_open else 0.0
    if is_open or c.frozen < 0.5:
        seen = at(observation, state.inside_steps * dt_s if c.frozen > 0.5 else t)
        action, a = step_inside(seen, a, c, inside_noise(noise), dt_s, memory, tables)
        if is_open:
            vx = action.velocity_x_mm_s
            vy = action.velocity_y_mm_s
            heading = action.heading_rad
            behaviour = 2 * action.behaviour
            clipped = action.clipped
    if not is_open or c.frozen < 0.5:
        seen = at(observation, state.outside_steps * dt_s if c.frozen > 0.5 else t)
        other, b = step_outside(seen, b, c, outside_noise(noise), dt_s, memory, tables)
        if not is_open:
            vx = other.velocity_x_mm_s
            vy = other.velocity_y_mm_s
            heading = other.heading_rad
            behaviour = 2 * other.behaviour + 1
            clipped = other.clipped
    smelled = 1.0 if in_odor else 0.0
    inside_steps = state.inside_steps + gate
    outside_steps = state.outside_steps + 1.0 - gate
    return (
        Action(vx, vy, heading, behaviour, clipped),
        joined((gate, smelled, last_whiff, w, inside_steps, outside_steps), a, b),
    )
