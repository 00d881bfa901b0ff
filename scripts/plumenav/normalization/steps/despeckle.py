"""Despeckle: single wrong pixels (hot pixels, snow) become the median of their neighbourhood."""

from __future__ import annotations

import cv2
import numpy as np


def plain(frames: np.ndarray, size_px: int) -> np.ndarray:
    """Median of the square of `size_px` pixels about each pixel, edges repeated outwards.

    Parameters
    ----------
    frames : ndarray, shape (n, height, width)
    size_px : {0, 3, 5}
    """
    if not size_px:
        return frames
    reach = size_px // 2
    padded = np.pad(frames, ((0, 0), (reach, reach), (reach, reach)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (size_px, size_px), axis=(1, 2))
    return np.asarray(np.median(windows, axis=(-2, -1)))


def despeckled(image: np.ndarray, size_px: int) -> np.ndarray:
    """The fast form for one float image; computed in float32."""
    if not size_px:
        return image
    clean = cv2.medianBlur(np.ascontiguousarray(image, np.float32), size_px)
    return np.asarray(clean).astype(image.dtype, copy=False)
