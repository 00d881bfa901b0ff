"""Read a config file, check it, and fill in every default: one message for each kind of mistake."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from plumenav import registry
from plumenav.config.conditions import expand_seeds
from plumenav.config.detection import check_detections
from plumenav.config.explain import explain
from plumenav.config.presets import with_preset
from plumenav.config.resolve_agent import resolve_agent
from plumenav.config.resolve_recording import resolve_recording
from plumenav.config.resolve_start import resolve_start
from plumenav.config.schema import Config
from plumenav.config.wind_fields import COMPONENTS
from plumenav.config.yaml_file import read_yaml
from plumenav.errors import UserError, nearest
from plumenav.models._binding import bound
from plumenav.models._time_step import check_adaptation, check_step
from plumenav.starts._contract import start_plugin


def check_together(config: Config, start: dict[str, Any]) -> None:
    """Checks that concern several sections at once."""
    simulation = config.simulation
    plugin, params = start_plugin(start)
    if plugin.closest_mm(params) <= simulation.success_radius_mm:
        raise UserError(
            "simulation.start",
            f"{plugin.words(params)} reaches inside the success radius of "
            f"{simulation.success_radius_mm:g} mm",
            "starts that are all farther from the source than the radius",
            "Move simulation.start or lower simulation.success_radius_mm.",
        )
    for name, agent in config.agents.items():
        if agent.control == "shuffled" and simulation.simulations % 2:
            raise UserError(
                "simulation.simulations",
                f"found {simulation.simulations}, but agent {name!r} smells what another of its "
                "simulations smelled, so that they come in pairs",
                "an even number",
            )
    for label, recording in config.recordings.items():
        if recording.kind == "signal" and simulation.movie_part != "whole":
            raise UserError(
                "simulation.movie_part",
                f"found {simulation.movie_part!r}, but recording {label!r} is a signal: it has an "
                "order of events and no halves that are alike",
                "whole",
                "Signals and halves of movies belong into runs of their own.",
            )
        if recording.analytic:
            for axis, values in zip(("x_mm", "y_mm"), plugin.outline(params).T, strict=True):
                low, high = getattr(recording.analytic, axis)
                if values.min() < low or values.max() > high:
                    raise UserError(
                        f"simulation.start.{axis}" if axis in start else "simulation.start",
                        f"{plugin.words(params)} is not inside the arena of recording {label!r}",
                        f"{axis} from {low:g} to {high:g} mm",
                    )
        field = recording.wind.field
        if field is not None and field not in config.wind_fields:
            raise UserError(
                f"recordings.{label}.wind.field",
                f"found {field!r}",
                ", ".join(config.wind_fields) or "a label of wind_fields, which is empty",
                nearest(field, list(config.wind_fields)),
            )
        if field is not None and recording.kind != "movie":
            raise UserError(
                f"recordings.{label}.wind.field",
                f"has no meaning in a recording of kind {recording.kind}",
                "a movie with the wind's own pixels and frames, or no field",
            )
        if recording.kind != "movie" and start["kind"] == "in_plume":
            raise UserError(
                "simulation.start.kind",
                f"'in_plume' has no meaning in recording {label!r} ({recording.kind})",
                ", ".join(name for name in registry.names("start") if name != "in_plume"),
            )
        for name, agent in config.agents.items():
            if agent.control == "blank_region" and recording.kind != "movie":
                raise UserError(
                    f"agents.{name}.control",
                    f"'blank_region' has no meaning in recording {label!r} ({recording.kind})",
                    "none, blind, shuffled",
                )
    sample = config.validation.sample
    if sample > simulation.simulations:
        raise UserError(
            "validation.sample",
            f"found {sample}, but there are only {simulation.simulations} simulations",
            f"2 to {simulation.simulations}",
        )


def resolve(content: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Check a config and fill in every default.

    Parameters
    ----------
    content : dict
        The parsed file.
    folder : Path
        Folder that relative paths in it (data_folder, plugins) refer to.

    Returns
    -------
    dict
        Plain data; the only thing that the workflow works with.
    """
    recordings = content.get("recordings")
    if isinstance(recordings, dict):
        filled = {label: with_preset(label, entry) for label, entry in recordings.items()}
        content = {**content, "recordings": filled}
    try:
        config = Config.model_validate(content)
    except ValidationError as error:
        raise explain(error, Config) from None
    plugins = []
    for name in config.plugins:
        kind, stem = registry.register_file((folder / name).resolve())
        plugins.append({"file": str((folder / name).resolve()), "kind": kind, "name": stem})
    agents = {k: resolve_agent(k, v, folder) for k, v in config.agents.items()}
    start = resolve_start(config.simulation.start, folder)
    check_together(config, start)
    check_winds(config, agents)
    data = Path(os.environ.get("PLUMENAV_DATA") or folder / Path(config.data_folder).expanduser())
    resolved = config.model_dump(mode="json")
    resolved["plugins"] = plugins
    resolved["simulation"]["start"] = start
    resolved["agents"] = agents
    check_steps(resolved)
    resolved["recordings"] = expand_seeds(
        {k: resolve_recording(k, v, data.resolve()) for k, v in config.recordings.items()}
    )
    resolved["wind_fields"] = {
        label: {
            **resolved["wind_fields"][label],
            **{
                name: resolve_recording(
                    f"{label}.{name}", getattr(one, name), data.resolve(), "wind_fields"
                )
                for name in COMPONENTS
            },
        }
        for label, one in config.wind_fields.items()
    }
    check_detections(resolved)
    return resolved


def check_steps(resolved: dict[str, Any]) -> None:
    """Refuse parameters that do not fit the time step, where the config alone says what it is."""
    for label, agent in resolved["agents"].items():
        dt_s = resolved["simulation"]["dt_s"]
        if dt_s == "publication":
            dt_s = bound(agent["model"], agent["parameters"]).PUBLICATION_DT_S
        if dt_s != "frame":
            check_step(f"agents.{label}", agent["model"], agent["parameters"], dt_s)
            check_adaptation(f"agents.{label}", agent["sensor"], dt_s)


def check_winds(config: Config, agents: dict[str, dict[str, Any]]) -> None:
    """Refuse still air for agents that need wind."""
    for label, recording in config.recordings.items():
        for name, agent in agents.items():
            model = bound(agent["model"], agent["parameters"])
            if model.NEEDS_WIND and recording.wind.speed_mm_s == 0:
                raise UserError(
                    f"recordings.{label}.wind.speed_mm_s",
                    f"found 0, but agent {name!r} ({agent['model']}) needs wind",
                    "a speed above 0",
                )


def load(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read, check and resolve a config file (see :func:`resolve`)."""
    return resolve(read_yaml(Path(path)), Path(path).resolve().parent)
