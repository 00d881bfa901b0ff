"""What a navigation model is: parameters, constants, state, named draws, and one pure step.

A model file defines
    CITATION            : str
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
`step` is plain Python on scalars: the engine compiles it. No allocation, no exceptions, no globals
but constants and functions of :mod:`plumenav.models._math`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field


class Observation(NamedTuple):
    """What an agent perceives at the start of a step.

    Attributes
    ----------
    odor : float
        Sensor reading after the dead zone (concentration, 1 = source).
    threshold : float
        Reading at or above which the agent is in odour.
    wind_x_mm_s, wind_y_mm_s : float
        Wind at the agent.
    heading_rad : float
        Body heading at the start of the step.
    time_s : float
        Time since the start of the simulation.
    """

    odor: float
    threshold: float
    wind_x_mm_s: float
    wind_y_mm_s: float
    heading_rad: float
    time_s: float


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


class ModelParams(BaseModel):
    """Base of all parameter sets: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


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
