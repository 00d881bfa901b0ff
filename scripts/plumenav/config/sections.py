"""What the sections of a configuration are made of: the base class and the types of values."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

LABEL = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")


def _label(value: str) -> str:
    if not LABEL.fullmatch(value):
        raise ValueError(
            "a label becomes a file name: a letter, then up to 39 letters, digits or underscores"
        )
    return value


def _rising(value: tuple[float, float]) -> tuple[float, float]:
    if value[0] > value[1]:
        raise ValueError("the first number must not exceed the second")
    return value


def _half_open(value: tuple[int, int]) -> tuple[int, int]:
    if not 0 <= value[0] < value[1]:
        raise ValueError("a range [first, end) needs 0 <= first < end")
    return value


Label = Annotated[str, AfterValidator(_label)]
Interval = Annotated[tuple[float, float], AfterValidator(_rising)]
IndexRange = Annotated[tuple[int, int], AfterValidator(_half_open)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Percent = Annotated[float, Field(ge=0, le=100)]


class Section(BaseModel):
    """Base of all sections: unknown keys are errors, values are not coerced from other types."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)
