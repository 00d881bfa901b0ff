"""How an agent's entry becomes complete: preset, parameters and sensor spelled out."""

from __future__ import annotations

from typing import Any

from plumenav import registry
from plumenav.config.explain import checked
from plumenav.config.schema import Agent
from plumenav.errors import UserError, nearest
from plumenav.models._contract import declared


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
    if agent.model not in registry.names("reference"):
        raise UserError(
            f"{where}model",
            f"model {agent.model!r} has no independent reference, so nothing could be validated",
            ", ".join(registry.names("reference")),
            'Add a file of the same name with PLUGIN_KIND = "reference" under plugins.',
        )
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
