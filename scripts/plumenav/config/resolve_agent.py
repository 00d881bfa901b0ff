"""How an agent's entry becomes complete: preset, parameters and sensor spelled out."""

from __future__ import annotations

from typing import Any

from plumenav import registry
from plumenav.config.explain import checked
from plumenav.config.schema import Agent
from plumenav.errors import UserError, nearest
from plumenav.models._contract import declared


def check_step(where: str, name: str, parameters: dict[str, Any], dt_s: float) -> None:
    """Refuse parameters that a model cannot run with at a time step.

    Parameters
    ----------
    where : str
        The agent's key in the config, for messages.
    name : str
        Of the model.
    parameters : dict
    dt_s : float

    Raises
    ------
    UserError
        With the model's own reason.
    """
    model = registry.get("model", name)
    problem = declared(model, "problem")(model.Params(**parameters), dt_s)
    if problem:
        raise UserError(
            where,
            f"cannot run with steps of {dt_s:g} s: {problem}",
            f"parameters of {name} that fit the step; its publication's is "
            f"{model.PUBLICATION_DT_S:g} s",
            "Change its parameters or simulation.dt_s.",
        )


def resolve_agent(label: str, agent: Agent) -> dict[str, Any]:
    """An agent with its preset, parameters and sensor spelled out and checked."""
    where = f"agents.{label}."
    try:
        model = registry.get("model", agent.model)
    except UserError as error:
        raise UserError(
            f"{where}model", f"found {agent.model!r}", error.allowed, error.hint
        ) from None
    preset = agent.preset or next(iter(model.PRESETS))
    if preset not in model.PRESETS:
        raise UserError(
            f"{where}preset",
            f"found {preset!r}",
            ", ".join(model.PRESETS),
            nearest(preset, model.PRESETS),
        )
    parameters = checked(
        model.Params, {**model.PRESETS[preset], **agent.parameters}, f"{where}parameters."
    )
    dumped = agent.sensor.model_dump(mode="json")
    given = {
        key: dumped[key]
        for key in agent.sensor.model_fields_set
        if dumped[key] is not None or key == "dead_zone"
    }
    published = {**model.SENSOR, **declared(model, "PRESET_SENSORS").get(preset, {})}
    sensor = {**published, **given}
    sensor.setdefault("parameters", {})
    if "shape" in given and given["shape"] != published["shape"]:
        sensor["parameters"] = given.get("parameters", {})
    try:
        shape = registry.get("sensor", sensor["shape"])
    except UserError as error:
        raise UserError(
            f"{where}sensor.shape", f"found {sensor['shape']!r}", error.allowed, error.hint
        ) from None
    sensor["parameters"] = checked(shape.Params, sensor["parameters"], f"{where}sensor.parameters.")
    return {
        "model": agent.model,
        "preset": preset,
        "parameters": parameters,
        "sensor": sensor,
        "control": agent.control,
    }
