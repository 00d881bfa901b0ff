"""Colour images become one number per pixel: BT.601 luma, or one channel.

Source: ITU-R Recommendation BT.601-7, section 2.5.1 (luma of red, green and blue).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from plumenav.errors import UserError

# weights of blue, green and red
BT601 = (0.114, 0.587, 0.299)
CHANNELS = {"blue": 0, "green": 1, "red": 2}
# what OpenCV converts itself, in integers (its floats depend on how a block is cut)
CONVERTED_BY_OPENCV = ("uint8", "uint16")


def bgr_to_gray(images: np.ndarray, channel: str = "gray") -> np.ndarray:
    """One gray level per pixel of colour images.

    Parameters
    ----------
    images : ndarray, shape (..., height, width, 3)
        Blue, green and red.
    channel : {"gray", "red", "green", "blue"}
        Luma (0.299 red + 0.587 green + 0.114 blue, rounded for integers), or one channel.

    Returns
    -------
    ndarray, shape (..., height, width)
        Of the same type.

    Examples
    --------
    >>> bgr_to_gray(np.array([[[0, 0, 200]]], np.uint8)).tolist()
    [[60]]
    >>> bgr_to_gray(np.array([[[1, 2, 3]]], np.int32), "red").tolist()
    [[3]]
    """
    if channel != "gray":
        return np.ascontiguousarray(images[..., CHANNELS[channel]])
    if str(images.dtype) in CONVERTED_BY_OPENCV:
        import cv2  # only where it is needed: readers of gray numbers do without

        tall = np.ascontiguousarray(images).reshape(-1, images.shape[-2], 3)
        gray = np.asarray(cv2.cvtColor(tall, cv2.COLOR_BGR2GRAY))
        return np.reshape(gray, images.shape[:-1])
    blue, green, red = (images[..., k].astype(np.float64) for k in range(3))
    luma = BT601[0] * blue + BT601[1] * green + BT601[2] * red
    if images.dtype.kind in "ui":
        luma = np.rint(luma)
    return np.asarray(luma, images.dtype)


def gray_note(bits: int, channel: str) -> str:
    """What was done to colour, for the notes of a recording."""
    if channel != "gray":
        return f"{channel} channel of a colour recording"
    return f"{bits}-bit BGR to gray by BT.601 weights"


def no_colour(path: Path) -> UserError:
    """The error of a gray recording whose colours are asked for."""
    return UserError(
        str(path),
        "is gray, and its colours are asked for",
        "a recording in colour, where normalize.false_colour is set",
        "Remove normalize.false_colour, or give the recording in colour.",
    )
