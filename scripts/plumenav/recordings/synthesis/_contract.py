"""What a generator of synthetic recordings is.

A generator file defines
    CITATION   : str, the publications behind it
    Params     : a MovieParams (_params.py); its defaults are those of the first preset
    PRESETS    : {name: {parameter: value}}; the first one is the default
    concentration_frames(params, seed, every=1) -> iterator of ndarray
        the truth: concentration as the file's image sees it, without camera, float32, for frames
        0, every, 2 * every, ...; a frame does not depend on `every`
    synthesize(path, file_format, seed, parameters) -> dict
        write one recording and return its truth (_movie.write_movie), JSON-able, the same for the
        same arguments
The parameters of a config are those of Params and the key `preset`. A recording is a function of
(file_format, seed, parameters) alone: the same bytes every time, whatever the number of threads.
"""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from plumenav.errors import UserError, nearest
from plumenav.rng import noise_key

WHERE = "synthetic.parameters"


class SynthesisParams(BaseModel):
    """Base of all parameter sets: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


Params = TypeVar("Params", bound=SynthesisParams)


def parameter(default: Any, unit: str, description: str, **limits: Any) -> Any:
    """Declare one parameter of a generator.

    Parameters
    ----------
    default : object
        Value in the first preset.
    unit : str
        Unit, "1" if it has none.
    description : str
        Meaning.
    **limits
        ge, gt, le, lt as of pydantic's Field.
    """
    return Field(default, description=description, json_schema_extra={"unit": unit}, **limits)


def resolve(
    params: type[Params], presets: dict[str, dict[str, Any]], parameters: dict[str, Any]
) -> Params:
    """Parameters of a config with its preset filled in, checked.

    Parameters
    ----------
    params : type
        The generator's Params.
    presets : dict
        The generator's PRESETS.
    parameters : dict
        As in the config; the key `preset` names a preset, other keys replace its values.

    Raises
    ------
    UserError
        For an unknown preset or parameter (with the nearest name), or a value out of range.
    """
    rest = dict(parameters)
    preset = rest.pop("preset", next(iter(presets)))
    if preset not in presets:
        raise UserError(
            f"{WHERE}.preset",
            f"{preset!r} is not a preset",
            ", ".join(presets),
            nearest(str(preset), presets),
        )
    try:
        return params.model_validate({**presets[preset], **rest})
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            known = sorted(params.model_fields)
            raise UserError(
                f"{WHERE}.{key}", "no such parameter", ", ".join(known), nearest(key, known)
            ) from None
        where = f"{WHERE}.{key}" if key else WHERE
        found = f"{first['input']!r}: {first['msg']}" if key else first["msg"]
        field = params.model_fields.get(key)
        raise UserError(where, found, (field and field.description) or "") from None


def generator(seed: int, *labels: object) -> np.random.Generator:
    """Random generator of one named stream of a recording.

    Streams are independent, so that, for example, another camera noise leaves the plume unchanged.

    Parameters
    ----------
    seed : int
        Seed of the recording.
    *labels : object
        Name of the stream.
    """
    return np.random.Generator(np.random.Philox(key=noise_key(seed, *labels)))
