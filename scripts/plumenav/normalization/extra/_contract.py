"""What an extra step is: a change of the odour signal of one frame, at the size of the file.

A file defines

    CITATION : str
    Params   : an :class:`ExtraParams`
    apply(signal, params) -> ndarray
        `signal` is what is left after background, polarity and despeckling: (height, width) of the
        used part of the image, float. The result has the same shape. It must be a function of this
        frame alone, so that blocks and interruptions cannot change it.

Such a step has no inverse: what it changes counts against the fidelity of the normalization.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from plumenav import registry
from plumenav.errors import UserError, nearest


class ExtraParams(BaseModel):
    """Base of all parameters: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


def checked(name: str, parameters: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Parameters of a step, complete.

    Parameters
    ----------
    name : str
        Registered name of the step.
    parameters : mapping
        As in the config.
    where : str
        Config key, for messages.

    Raises
    ------
    UserError
        If there is no such step or parameter, or a value is out of range.
    """
    try:
        step = registry.get("step", name)
    except UserError as error:
        raise UserError(f"{where}.step", f"found {name!r}", error.allowed, error.hint) from None
    try:
        complete: dict[str, Any] = step.Params.model_validate(dict(parameters)).model_dump()
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        known = list(step.Params.model_fields)
        raise UserError(
            f"{where}.parameters.{key}",
            f"found {first['input']!r}: {first['msg']}",
            ", ".join(known),
            nearest(key, known) if key not in known else "",
        ) from None
    return complete


class Steps:
    """Steps in their order, ready to be applied.

    Parameters
    ----------
    wanted : sequence of (name, parameters)
    where : str
        Config key, for messages.
    """

    def __init__(self, wanted: Sequence[tuple[str, Mapping[str, Any]]], where: str) -> None:
        self._steps = []
        for i, (name, parameters) in enumerate(wanted):
            complete = checked(name, parameters, f"{where}.{i}")
            step = registry.get("step", name)
            self._steps.append((name, step.apply, step.Params(**complete)))

    def __bool__(self) -> bool:
        return bool(self._steps)

    def __call__(self, signal: np.ndarray) -> np.ndarray:
        """The signal after all steps, of its own type.

        Raises
        ------
        UserError
            If a step changes the shape.
        """
        for name, apply, params in self._steps:
            changed = np.asarray(apply(signal, params))
            if changed.shape != signal.shape:
                raise UserError(
                    f"step {name}",
                    f"makes {changed.shape} of a signal of {signal.shape}",
                    "the same shape (pixel size is normalize.resample's business)",
                )
            signal = changed.astype(signal.dtype, copy=False)
        return signal
