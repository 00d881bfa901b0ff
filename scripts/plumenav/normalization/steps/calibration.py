"""Calibration: two points make linear intensity a concentration."""

from __future__ import annotations

import numpy as np

from plumenav.config.normalization import Calibration


def plain(intensity: np.ndarray, calibration: Calibration) -> np.ndarray:
    """Concentration of intensities (after background): 0 at `zero`, 1 at `one`; float64."""
    values = np.asarray(intensity, np.float64)
    return (values - calibration.zero) / (calibration.one - calibration.zero)
