"""What a navigation model is: parameters, constants, state, named draws, and one pure step.

A model file defines
    CITATION            : str
    FAMILY              : "fly", "casting", "gradient", "belief", "controller" or "null"
    Params              : a ModelParams; defaults are those of the first preset
    PRESETS             : {name: {parameter: value}}; the first one is the default
    PUBLICATION_DT_S    : the time step of the publication, s
    SENSOR              : the published sensor, as keys of the config's `sensor` section
    NEEDS_WIND          : True if the model cannot run in still air
    BEHAVIOURS          : names of the behaviour codes, by number
    Constants, State, Noise : NamedTuples of floats; Noise names the draws of one step
    constants(params, wind_speed_mm_s) -> Constants : physical parameters, once per run
    initial_state(constants) -> State, initial_behaviour(constants) -> int
    step(observation, state, constants, noise, dt_s) -> (Action, State)
    mirrored(noise) -> Noise : draws with which the mirror image of a track is walked
and, where the defaults in OPTIONAL are not true of it,
    BILATERAL           : True if it compares the two sides of a paired sensor
    PRIVILEGED          : what it knows that an animal does not ("" if nothing)
    DETECTION           : True if it believes in a detection model, to be fitted to the plume
    BEHAVIOURS_WITHOUT_ODOR : names of the behaviours that can occur where there is no odour
    broken_symmetries(params) -> {"mirror" | "rotation" | "dt": reason}
    problem(params, dt_s) -> str | None : why these parameters cannot run at this step
    PRESET_SENSORS      : {preset: keys of `sensor` in which its source differs from SENSOR}
    COST                : a Cost, if a step of it is much slower than others', or it remembers a lot
    resolve_parameters(parameters, folder, where) -> dict : what a config's parameters stand for, if
                          they name files (relative to `folder`); `where` begins keys in messages
A model made of others (a user's plug-ins, too) names in PARTS its parameters of type Part, and has
    compose(*names) -> module : itself, made of these models (models/_binding.py)
A model that looks things up, or remembers more than some numbers, also defines
    Tables              : NamedTuple of read-only arrays, the same for all agents of a run
    tables(params, constants, surroundings) -> Tables
    initial_memory(tables) -> ndarray, shape (size,), float64 : each agent gets a copy
and its step takes two more arguments, step(..., dt_s, memory, tables), and changes `memory`.

`step` is plain Python on scalars (and those arrays): the engine compiles it. No allocation, no
exceptions, no globals but constants and plain functions of the same file or of models/.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

FAMILIES = ("fly", "casting", "gradient", "belief", "controller", "null")


class Observation(NamedTuple):
    """What an agent perceives at the start of a step.

    Attributes
    ----------
    odor : float
        Sensor reading after the dead zone (concentration, 1 = source).
    odor_left, odor_right : float
        The same of the two sides of a paired sensor; equal to `odor` in models that do not declare
        BILATERAL.
    threshold : float
        Reading at or above which the agent is in odour.
    wind_x_mm_s, wind_y_mm_s : float
        Wind at the agent.
    heading_rad : float
        Body heading at the start of the step.
    time_s : float
        Time since the start of the simulation.
    x_mm, y_mm : float
        Where the agent is, from the source: a model that uses it is PRIVILEGED, unless it only uses
        differences to where it was.
    """

    odor: float
    odor_left: float
    odor_right: float
    threshold: float
    wind_x_mm_s: float
    wind_y_mm_s: float
    heading_rad: float
    time_s: float
    x_mm: float
    y_mm: float


class Action(NamedTuple):
    """What an agent does in a step.

    Attributes
    ----------
    velocity_x_mm_s, velocity_y_mm_s : float
        Velocity over [t, t + dt].
    heading_rad : float
        Heading at t + dt.
    behaviour : int
        Behaviour code after the step.
    clipped : int
        How many event probabilities exceeded 1 in this step.
    """

    velocity_x_mm_s: float
    velocity_y_mm_s: float
    heading_rad: float
    behaviour: int
    clipped: int


class Surroundings(NamedTuple):
    """What the tables of a model may depend on besides its parameters.

    Attributes
    ----------
    x_min_mm, x_max_mm, y_min_mm, y_max_mm : float
        Outer edges of the recorded arena, from the source.
    wind_speed_mm_s, wind_toward_rad : float
        The (mean) wind.
    dt_s : float
        Time step.
    prepared : Mapping
        Arrays that were prepared from the plume for this agent (batch/prepare.py), by name.
    """

    x_min_mm: float
    x_max_mm: float
    y_min_mm: float
    y_max_mm: float
    wind_speed_mm_s: float
    wind_toward_rad: float
    dt_s: float
    prepared: Mapping[str, np.ndarray]


class NoTables(NamedTuple):
    """Tables of a model that has none."""

    unused: float = 0.0


class Cost(NamedTuple):
    """What a model costs, roughly: jobs are cut and memory is planned by it. No result depends on it.

    Attributes
    ----------
    step_us : float
        Time of one core for one step of one agent, recording included, microseconds.
    agent_kb : float
        What an agent remembers, besides its numbers.
    tables_mb : float
        What all agents look up.
    """

    step_us: float = 0.15
    agent_kb: float = 0.0
    tables_mb: float = 0.0


# What a model that does not say otherwise is.
OPTIONAL: dict[str, Any] = {
    "BILATERAL": False,
    "PRIVILEGED": "",
    "DETECTION": False,
    "BEHAVIOURS_WITHOUT_ODOR": None,
    "broken_symmetries": lambda params: {},
    "problem": lambda params, dt_s: None,
    "PRESET_SENSORS": {},
    "COST": Cost(),
    "resolve_parameters": lambda parameters, folder, where: parameters,
    "PARTS": (),
    "Tables": NoTables,
    "tables": lambda params, constants, surroundings: NoTables(),
    "initial_memory": lambda tables: np.zeros(0),
}


def declared(model: ModuleType, name: str) -> Any:
    """What a model declares, or the default of what it need not declare."""
    return getattr(model, name, OPTIONAL[name])


class ModelParams(BaseModel):
    """Base of all parameter sets: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Part(BaseModel):
    """A model inside of another one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = Field(description="navigation model (models/)")
    preset: str | None = Field(None, description="a published parameter set; the model's first")
    parameters: dict[str, Any] = Field({}, description="parameters that differ from the preset")


def parameter(default: Any, unit: str, description: str, source: str, **limits: Any) -> Any:
    """Declare one parameter of a model.

    Parameters
    ----------
    default : object
        Published value.
    unit : str
        Unit, "1" if it has none.
    description, source : str
        Meaning, and where the default is from.
    **limits
        ge, gt, le, lt as of pydantic's Field.
    """
    return Field(
        default,
        description=description,
        json_schema_extra={"unit": unit, "source": source},
        validate_default=True,
        **limits,
    )
