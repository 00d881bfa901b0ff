"""Read a config file, check it, and fill in every default: one message for each kind of mistake."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from plumenav import registry
from plumenav.config.conditions import expand_seeds
from plumenav.config.explain import explain
from plumenav.config.presets import with_preset
from plumenav.config.resolve_agent import resolve_agent
from plumenav.config.resolve_recording import resolve_recording
from plumenav.config.schema import Config
from plumenav.config.yaml_file import read_yaml
from plumenav.errors import UserError
from plumenav.models._binding import bound


def check_together(config: Config) -> None:
    """Checks that concern several sections at once."""
    simulation = config.simulation
    start, radius = simulation.start, simulation.success_radius_mm
    closest = min(abs(x) for x in start.x_mm) if start.x_mm[0] * start.x_mm[1] > 0 else 0.0
    sideways = min(abs(y) for y in start.y_mm) if start.y_mm[0] * start.y_mm[1] > 0 else 0.0
    if closest**2 + sideways**2 <= radius**2:
        raise UserError(
            "simulation.start",
            f"the region x_mm {list(start.x_mm)}, y_mm {list(start.y_mm)} reaches inside the "
            f"success radius of {radius:g} mm",
            "a region whose closest corner is farther from the source than the radius",
            "Move simulation.start or lower simulation.success_radius_mm.",
        )
    for label, recording in config.recordings.items():
        if recording.analytic:
            for axis in ("x_mm", "y_mm"):
                low, high = getattr(recording.analytic, axis)
                first, last = getattr(start, axis)
                if first < low or last > high:
                    raise UserError(
                        f"simulation.start.{axis}",
                        f"{[first, last]} is not inside the arena of recording {label!r}",
                        f"from {low:g} to {high:g} mm",
                    )
        for name, agent in config.agents.items():
            if agent.control == "blank_region" and recording.kind != "movie":
                raise UserError(
                    f"agents.{name}.control",
                    f"'blank_region' has no meaning in recording {label!r} ({recording.kind})",
                    "none, blind",
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
    check_together(config)
    check_winds(config, agents)
    data = Path(os.environ.get("PLUMENAV_DATA") or folder / Path(config.data_folder).expanduser())
    resolved = config.model_dump(mode="json")
    resolved["plugins"] = plugins
    resolved["agents"] = agents
    resolved["recordings"] = expand_seeds(
        {k: resolve_recording(k, v, data.resolve()) for k, v in config.recordings.items()}
    )
    return resolved


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
