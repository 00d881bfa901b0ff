"""What cannot run at a time step is refused, wherever the step becomes known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plumenav.errors import UserError
from plumenav.models._binding import bound
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
    model = bound(name, parameters)
    problem = declared(model, "problem")(model.Params(**parameters), dt_s)
    if problem:
        raise UserError(
            where,
            f"cannot run with steps of {dt_s:g} s: {problem}",
            f"parameters of {name} that fit the step; its publication's is "
            f"{model.PUBLICATION_DT_S:g} s",
            "Change its parameters or simulation.dt_s.",
        )


def check_adaptation(where: str, sensor: Mapping[str, Any], dt_s: float) -> None:
    """Refuse a sensor that adapts faster than a step.

    Parameters
    ----------
    where : str
        The agent's key in the config, for messages.
    sensor : mapping
        Of a resolved agent.
    dt_s : float

    Raises
    ------
    UserError
    """
    adaptation = sensor["adaptation"]
    if adaptation and adaptation["tau_s"] < dt_s:
        raise UserError(
            f"{where}.sensor.adaptation.tau_s",
            f"found {adaptation['tau_s']:g}, shorter than the time step of {dt_s:g} s",
            f"at least {dt_s:g}",
            "Lengthen it, or shorten simulation.dt_s.",
        )
