"""One agent in one recording: all settings as plain numbers, the same for engine and reference."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from plumenav.errors import UserError
from plumenav.models._binding import bound
from plumenav.models._contract import declared
from plumenav.models._time_step import check_adaptation, check_step

if TYPE_CHECKING:
    from plumenav.batch.prepare import Prepared

# the part of a config that decides how an agent moves in a plume
SIMULATION_KEYS = (
    "duration_s",
    "dt_s",
    "success_radius_mm",
    "arrival",
    "boundary",
    "boundary_margin_mm",
    "movie_end",
    "movie_part",
    "record",
)


def job_settings(config: dict[str, Any], recording: str, agent: str) -> dict[str, Any]:
    """What a simulate job needs to know of a resolved config, and nothing else."""
    return {
        "agent": config["agents"][agent],
        "simulation": {key: config["simulation"][key] for key in SIMULATION_KEYS},
        "wind": config["recordings"][recording]["wind"],
    }


def prepare_job(config: dict[str, Any], agent: str) -> dict[str, Any]:
    """What a prepare job needs to know of a resolved config, and nothing else.

    `sides`: whether the agent's model compares the sides of its sensor; `wall_mm`: how near to the
    edge agents turn, None if they do not.
    """
    entry, simulation = config["agents"][agent], config["simulation"]
    return {
        "sensor": entry["sensor"],
        "sides": declared(bound(entry["model"], entry["parameters"]), "BILATERAL"),
        "wall_mm": simulation["boundary_margin_mm"] if simulation["boundary"] == "turn" else None,
    }


def on_off_dead_zones(agents: Mapping[str, Any]) -> list[dict[str, Any] | None]:
    """Dead zones of a run's agents of the fly ON/OFF model, each once; None: one has none.

    Parameters
    ----------
    agents : mapping
        The resolved config's section. Agents that smell nothing do not count.
    """
    zones = [
        agent["sensor"].get("dead_zone")
        for agent in agents.values()
        if agent["model"] == "on_off" and agent["control"] != "blind"
    ]
    return [zone for i, zone in enumerate(zones) if zone not in zones[:i]]


def time_step_s(
    dt_s: str | float,
    model_name: str,
    frame_interval_s: float,
    parameters: Mapping[str, Any] | None = None,
) -> float:
    """Time step in seconds.

    Parameters
    ----------
    dt_s : "publication", "frame" or float
    model_name : str
    frame_interval_s : float
        Of the plume; what "frame" means.
    parameters : mapping, optional
        Resolved parameters, for a model that is made of others.

    Raises
    ------
    UserError
        If "frame" is asked of a plume without frames.
    """
    if dt_s == "publication":
        return float(bound(model_name, parameters or {}).PUBLICATION_DT_S)
    if dt_s == "frame":
        if frame_interval_s <= 0:
            raise UserError(
                "simulation.dt_s", "found 'frame', but the plume has no frames", "publication, s"
            )
        return frame_interval_s
    return float(dt_s)


def engine_settings(
    job: dict[str, Any], frame_interval_s: float, prepared: Prepared
) -> dict[str, Any]:
    """Resolve a job's settings into numbers.

    Parameters
    ----------
    job : dict
        From :func:`job_settings`.
    frame_interval_s : float
        Of the plume.
    prepared : Prepared
        Content of the prepared file.

    Returns
    -------
    dict
        What plumenav.engine.run.simulate and the references take.

    Raises
    ------
    UserError
        If the model cannot run at this time step.
    """
    agent, simulation = job["agent"], job["simulation"]
    dt_s = time_step_s(simulation["dt_s"], agent["model"], frame_interval_s, agent["parameters"])
    # the movie's own step is known only here
    check_step("agents", agent["model"], agent["parameters"], dt_s)
    check_adaptation("agents", agent["sensor"], dt_s)
    return {
        "model": agent["model"],
        "parameters": agent["parameters"],
        "control": agent["control"],
        "sensor": {
            "shape": agent["sensor"]["shape"],
            "parameters": agent["sensor"]["parameters"],
            "interpolation": agent["sensor"]["interpolation"],
            "adaptation": agent["sensor"]["adaptation"],
            **prepared.levels,
        },
        "prepared": prepared.arrays,
        "dt_s": dt_s,
        "duration_s": simulation["duration_s"],
        "success_radius_mm": simulation["success_radius_mm"],
        "arrival": simulation["arrival"],
        "boundary": simulation["boundary"],
        "boundary_margin_mm": simulation["boundary_margin_mm"],
        "movie_end": simulation["movie_end"],
        "movie_part": simulation["movie_part"],
        "wind_speed_mm_s": job["wind"]["speed_mm_s"] if agent["wind"] == "felt" else 0.0,
        "feels_wind": agent["wind"] == "felt",
        "wind_toward_rad": math.radians(job["wind"]["toward_deg"]),
        "record_every": max(1, round(simulation["record"]["every_s"] / dt_s)),
        "record_variables": simulation["record"]["variables"],
    }


def chunk_names(simulations: int, chunk_simulations: int) -> list[str]:
    """Names of the chunks of one agent in one recording."""
    return [f"{i:04d}" for i in range(-(-simulations // chunk_simulations))]


def chunk_rows(chunk: str, simulations: int, chunk_simulations: int) -> slice:
    """Rows of the plan that belong to a chunk."""
    first = int(chunk) * chunk_simulations
    return slice(first, min(first + chunk_simulations, simulations))


def take(plan: dict[str, np.ndarray], rows: Any) -> dict[str, np.ndarray]:
    """Some rows of a plan."""
    return {name: column[rows] for name, column in plan.items()}
