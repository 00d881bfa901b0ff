"""A step to copy: a high-pass in space, the signal minus its own local mean.

Copy this file to ``normalization/extra/<name>.py``, or next to your config and list it under
``plugins:``. The file's name is the step's name:

    normalize:
      extra: [{step: my_step, parameters: {size_px: 31}}]

Source: none; a moving average.
"""

from __future__ import annotations

import cv2
import numpy as np
from pydantic import Field

from plumenav.normalization.extra._contract import ExtraParams

# Only for a file outside the repository: says what kind of plug-in this is.
PLUGIN_KIND = "step"
CITATION = "none: a moving average"


class Params(ExtraParams):
    """Each with its range, unit and meaning: they appear in the reference of the configuration."""

    size_px: int = Field(
        31,
        ge=3,
        description="edge of the square that is averaged, pixels of the file",
        json_schema_extra={"unit": "px"},
    )


def apply(signal: np.ndarray, params: Params) -> np.ndarray:
    """The signal minus its local mean: same shape, one frame at a time, no memory of others."""
    return np.asarray(signal - cv2.blur(signal, (params.size_px, params.size_px)))
