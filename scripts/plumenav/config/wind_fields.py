"""The part of a configuration that describes recorded wind: two components, each a movie."""

from __future__ import annotations

from pydantic import Field, model_validator

from plumenav.config.recordings import Recording
from plumenav.config.sections import Number, Section

COMPONENTS = ("downwind", "crosswind")


class WindField(Section):
    """Recorded wind (velocimetry, or a simulation of the flow): one movie per component.

    A component is described like a recording, with the same scale and source, and is normalized to
    the same pixels and frames as the plume whose `wind.field` names it.
    """

    downwind: Recording = Field(description="component along +x, away from the source")
    crosswind: Recording = Field(description="component along +y, to the left of downwind")
    downwind_mm_s: Number = Field(
        1000.0, description="mm/s that 1 in the normalized downwind movie means; negative flips it"
    )
    crosswind_mm_s: Number = Field(
        1000.0, description="mm/s that 1 in the normalized crosswind movie means"
    )
    steady: bool = Field(False, description="true: its mean over time is used, at all times")

    @model_validator(mode="after")
    def _files(self) -> WindField:
        for name in COMPONENTS:
            if getattr(self, name).path is None:
                raise ValueError(f"{name} needs a path: wind is not synthesized")
        return self
