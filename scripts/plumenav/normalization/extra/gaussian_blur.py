"""A Gaussian blur, as some studies of odour motion apply before they compare frames.

It changes gradients, motion and noise: state it wherever results are shown.
"""

from __future__ import annotations

import cv2
import numpy as np
from pydantic import Field

from plumenav.normalization.extra._contract import ExtraParams

CITATION = "none: a convolution with a normal density"

# The kernel ends where a ten-thousandth of its height is left.
REACH_SD = 4.3


class Params(ExtraParams):
    """Width of the blur."""

    sigma_px: float = Field(
        1.5,
        gt=0,
        le=200,
        description="standard deviation, pixels of the file",
        json_schema_extra={"unit": "px"},
    )


def apply(signal: np.ndarray, params: Params) -> np.ndarray:
    """The blurred signal; beyond the rim, the image is mirrored."""
    size = 2 * int(np.ceil(REACH_SD * params.sigma_px)) + 1
    return np.asarray(
        cv2.GaussianBlur(signal, (size, size), params.sigma_px, borderType=cv2.BORDER_REFLECT)
    )
