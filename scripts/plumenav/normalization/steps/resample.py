"""Resampling in space: area means, so that the total concentration is conserved.

Output pixel (i, j) covers rows i * ratio .. (i + 1) * ratio of the input, counted from the outer
edge of its first row, and columns likewise with their own ratio (input pixels need not be square);
its value is the mean over that rectangle. Only whole
output pixels are made: the strip of less than one output pixel that may remain at the far edges is
left out, because a pixel that is partly outside the recording would hold a made-up number.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np

# A ratio this near to an integer is that integer.
RATIO_SLACK = 1e-9


def whole_pixels(size: int, ratio: float) -> int:
    """Output pixels that fit in `size` input pixels.

    Examples
    --------
    >>> whole_pixels(406, 1.5)
    270
    """
    return math.floor(size / ratio + RATIO_SLACK)


def integer_ratio(ratio: float) -> int | None:
    """The ratio as an integer, or None if it is not one (within 1e-9)."""
    nearest = round(ratio)
    return nearest if nearest >= 1 and abs(ratio - nearest) <= RATIO_SLACK * nearest else None


def follow(coordinate: float, ratio: float) -> float:
    """A pixel coordinate of the input in the output; integers are pixel centres.

    Examples
    --------
    The centre of the first two pixels becomes the centre of the first pixel.

    >>> follow(0.5, 2)
    0.0
    """
    return (coordinate + 0.5) / ratio - 0.5


def weights(size: int, ratio: float) -> np.ndarray:
    """Share of each input pixel in the mean of each output pixel.

    Returns
    -------
    ndarray, shape (whole_pixels(size, ratio), size), float64
        Rows sum to 1; columns of covered pixels to 1 / ratio.
    """
    edges = np.arange(whole_pixels(size, ratio) + 1) * ratio
    edges[-1] = min(edges[-1], size)
    low = np.maximum(edges[:-1, None], np.arange(size))
    high = np.minimum(edges[1:, None], np.arange(1, size + 1))
    return np.asarray(np.maximum(0.0, high - low) / ratio)


def plain(frames: np.ndarray, ratios: tuple[float, float]) -> np.ndarray:
    """Area means of images, shape (n, height, width), as two matrix products; float64."""
    values = np.asarray(frames, np.float64)
    rows, columns = (weights(size, k) for size, k in zip(values.shape[1:], ratios, strict=True))
    return np.asarray(np.einsum("ih,nhw,jw->nij", rows, values, columns, optimize=True))


def shrinker(
    height: int, width: int, ratios: tuple[float, float], work: np.dtype
) -> Callable[[np.ndarray], np.ndarray]:
    """The fast form of :func:`plain` for single float images of one size.

    Parameters
    ----------
    height, width : int
        Of the input.
    ratios : tuple of float
        Height and width of an output pixel in input pixels. Below 1, pixels are repeated (with
        area weights).
    work : dtype
        float32 or float64: type of the images.

    Returns
    -------
    callable
        (height, width) float image -> (whole_pixels(height), whole_pixels(width)), same type.
    """
    size = (whole_pixels(width, ratios[1]), whole_pixels(height, ratios[0]))
    down, across = integer_ratio(ratios[0]), integer_ratio(ratios[1])
    if down == across == 1:
        return lambda image: image
    if down is not None and across is not None:
        covered = (slice(size[1] * down), slice(size[0] * across))

        def shrink_whole(image: np.ndarray) -> np.ndarray:
            return np.asarray(cv2.resize(image[covered], size, interpolation=cv2.INTER_AREA))

        return shrink_whole
    # A sparse product touches only the few pixels that an output pixel covers. cv2's INTER_AREA is
    # four times slower at fractional ratios, and drops shares below a thousandth of a pixel.
    from scipy import sparse

    rows = sparse.csr_array(weights(height, ratios[0]).astype(work))
    columns = sparse.csr_array(weights(width, ratios[1]).astype(work))

    def shrink(image: np.ndarray) -> np.ndarray:
        return np.asarray(cv2.transpose(columns @ cv2.transpose(rows @ image)))

    return shrink
