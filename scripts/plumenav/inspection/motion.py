"""Where the pattern in a recording moves, in pixels: a guess at the wind, before anything is known.

The method is that of the quality check (:mod:`plumenav.quality.wind`), here on raw intensities.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from plumenav.quality.maps import moments, noise_sd_of, plume_mask
from plumenav.quality.wind import correlation_surfaces, motion_of, small_scales

LEAST_PIXELS = 50
LEAST_CONFIDENCE = 0.3
ALONG_DEG = 15.0  # a direction within this angle of an image axis is called by the axis's name
DIRECTIONS = {"+column": 0.0, "-row": 90.0, "-column": 180.0, "+row": -90.0}


class Drift(NamedTuple):
    """Motion of the pattern.

    Attributes
    ----------
    px_s : float
        Speed, pixels of the file per second.
    angle_deg : float
        Direction, counter-clockwise from +column as the image is seen.
    toward : str
        The same in words.
    confidence : float
        0 to 1.
    """

    px_s: float
    angle_deg: float
    toward: str
    confidence: float


def in_words(angle_deg: float) -> str:
    """Direction in the image, as a config names it.

    Examples
    --------
    >>> in_words(-92.0), in_words(178.0), in_words(40.0)
    ('+row', '-column', '40 degrees')
    """
    for name, axis in DIRECTIONS.items():
        if abs((angle_deg - axis + 180.0) % 360.0 - 180.0) <= ALONG_DEG:
            return name
    return f"{angle_deg:.0f} degrees"


def drift(frames: np.ndarray, time_s: np.ndarray, shrink: int) -> Drift | None:
    """Motion of what changes in consecutive frames.

    Parameters
    ----------
    frames : ndarray, shape (n, height, width), float32
        Small frames.
    time_s : ndarray, shape (n,)
    shrink : int
        Edge of a small pixel in pixels of the file.

    Returns
    -------
    Drift or None
        None if no pattern moves clearly.
    """
    fine = small_scales(frames)
    moment = moments(fine)
    plume = plume_mask(moment.sd, noise_sd_of(moment.sd, None), 1e-3 * float(np.ptp(frames)))
    if plume.sum() < LEAST_PIXELS:
        return None
    one_burst = np.zeros(len(frames), int)
    surfaces = correlation_surfaces(fine, moment.sd, plume, one_burst, time_s)
    motion = motion_of(surfaces)
    if motion.row_px_s is None or motion.column_px_s is None:
        return None
    if motion.confidence < LEAST_CONFIDENCE:
        return None
    angle = float(np.degrees(np.arctan2(-motion.row_px_s, motion.column_px_s)))
    speed = float(np.hypot(motion.row_px_s, motion.column_px_s)) * shrink
    return Drift(speed, angle, in_words(angle), motion.confidence)
