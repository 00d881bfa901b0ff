"""How an agent's entry becomes complete: preset, parameters and sensor spelled out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from plumenav import registry
from plumenav.config.detection import resolve_detection
from plumenav.config.explain import checked
from plumenav.config.schema import Agent
from plumenav.errors import UserError, nearest
from plumenav.models._binding import bound
from plumenav.models._contract import declared
from plumenav.references._run import model_class
from plumenav.sensors._contract import is_paired

# of a sensor's keys, those that may be null: there is none
MAY_BE_NONE = ("dead_zone", "noise", "adaptation")


def resolve_model(
    where: str, name: str, preset: str | None, given: dict[str, Any], folder: Path
) -> dict[str, Any]:
    """A model, its preset, and all its parameters: those of the models it is made of, too.

    Parameters
    ----------
    where : str
        What the keys begin with in messages, with its dot.
    name : str
        The model.
    preset : str or None
        The model's first if None.
    given : dict
        Parameters that differ from the preset.
    folder : Path
        What files that parameters name are relative to.

    Returns
    -------
    dict
        {"model", "preset", "parameters"}, plain data.
    """
    try:
        model = registry.get("model", name)
    except UserError as error:
        hint = error.hint
        if name.endswith(".py"):
            hint = f"List the file under plugins, and write model: {Path(name).stem}."
        raise UserError(f"{where}model", f"found {name!r}", error.allowed, hint) from None
    preset = preset or next(iter(model.PRESETS))
    if preset not in model.PRESETS:
        raise UserError(
            f"{where}preset",
            f"found {preset!r}",
            ", ".join(model.PRESETS),
            nearest(preset, model.PRESETS),
        )
    inside = f"{where}parameters."
    parameters = checked(model.Params, {**model.PRESETS[preset], **given}, inside)
    for key in declared(model, "PARTS"):
        parameters[key] = resolve_part(f"{inside}{key}.", parameters[key], folder)
    parameters = declared(model, "resolve_parameters")(parameters, folder, inside)
    return {"model": name, "preset": preset, "parameters": parameters}


def check_reference(where: str, name: str) -> None:
    """Refuse a model that nothing independent could be compared with."""
    if name not in registry.names("reference"):
        raise UserError(
            f"{where}model",
            f"model {name!r} has no independent reference, so nothing could be validated",
            ", ".join(registry.names("reference")),
            'Add a file of the same name with PLUGIN_KIND = "reference" under plugins.',
        )


def resolve_part(where: str, part: dict[str, Any], folder: Path) -> dict[str, Any]:
    """A model inside of another one (see :func:`resolve_model`)."""
    resolved = resolve_model(where, part["model"], part["preset"], part["parameters"], folder)
    check_reference(where, part["model"])
    reason = None
    if declared(registry.get("model", part["model"]), "PARTS"):
        reason = "is made of other models itself"
    elif not model_class(registry.get("reference", part["model"])):
        reason = "cannot be a part of another one: its reference has no single class that decides"
    if reason:
        raise UserError(
            f"{where}model",
            f"model {part['model']!r} {reason}",
            "a model of its own",
            "A reference names its class in MODEL." if "class" in reason else "",
        )
    return resolved


def resolve_agent(label: str, agent: Agent, folder: Path) -> dict[str, Any]:
    """An agent with its preset, parameters and sensor spelled out and checked."""
    where = f"agents.{label}."
    resolved = resolve_model(where, agent.model, agent.preset, agent.parameters, folder)
    model = bound(agent.model, resolved["parameters"])
    if model.NEEDS_WIND and agent.wind == "off":
        raise UserError(f"{where}wind", f"found 'off', but {agent.model} needs wind", "felt")
    dumped = agent.sensor.model_dump(mode="json")
    given = {
        key: dumped[key]
        for key in agent.sensor.model_fields_set
        if dumped[key] is not None or key in MAY_BE_NONE
    }
    published = {**model.SENSOR, **declared(model, "PRESET_SENSORS").get(resolved["preset"], {})}
    sensor = {"noise": None, "adaptation": None, **published, **given}
    sensor.setdefault("parameters", {})
    if "shape" in given and given["shape"] != published["shape"]:
        sensor["parameters"] = given.get("parameters", {})
    try:
        shape = registry.get("sensor", sensor["shape"])
    except UserError as error:
        raise UserError(
            f"{where}sensor.shape", f"found {sensor['shape']!r}", error.allowed, error.hint
        ) from None
    if declared(model, "BILATERAL") and not is_paired(shape):
        names = registry.names("sensor")
        raise UserError(
            f"{where}sensor.shape",
            f"found {sensor['shape']!r}, but {agent.model} compares a left and a right side",
            ", ".join(name for name in names if is_paired(registry.get("sensor", name))),
        )
    sensor["parameters"] = checked(shape.Params, sensor["parameters"], f"{where}sensor.parameters.")
    return {
        **resolved,
        "sensor": sensor,
        "wind": agent.wind,
        "control": agent.control,
        **resolve_detection(
            label, agent.detection, declared(model, "DETECTION"), resolved["parameters"]
        ),
    }
