"""Resampling in space: area means, so that the total concentration is conserved.

Output pixel (i, j) covers rows i * ratio .. (i + 1) * ratio of the input, counted from the outer
edge of its first row, and columns likewise; its value is the mean over that square. Only whole
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


def plain(frames: np.ndarray, ratio: float) -> np.ndarray:
    """Area means of images, shape (n, height, width), as two matrix products; float64."""
    values = np.asarray(frames, np.float64)
    rows, columns = weights(values.shape[1], ratio), weights(values.shape[2], ratio)
    return np.asarray(np.einsum("ih,nhw,jw->nij", rows, values, columns, optimize=True))


def shrinker(
    height: int, width: int, ratio: float, work: np.dtype
) -> Callable[[np.ndarray], np.ndarray]:
    """The fast form of :func:`plain` for single float images of one size.

    Parameters
    ----------
    height, width : int
        Of the input.
    ratio : float
        Output pixel edge in input pixels. Below 1, pixels are repeated (with area weights).
    work : dtype
        float32 or float64: type of the images.

    Returns
    -------
    callable
        (height, width) float image -> (whole_pixels(height), whole_pixels(width)), same type.
    """
    out_height, out_width = whole_pixels(height, ratio), whole_pixels(width, ratio)
    whole = integer_ratio(ratio)
    if whole == 1:
        return lambda image: image
    if whole is not None:

        def shrink_whole(image: np.ndarray) -> np.ndarray:
            covered = image[: out_height * whole, : out_width * whole]
            size = (out_width, out_height)
            return np.asarray(cv2.resize(covered, size, interpolation=cv2.INTER_AREA))

        return shrink_whole
    # A sparse product touches only the few pixels that an output pixel covers. cv2's INTER_AREA is
    # four times slower at fractional ratios, and drops shares below a thousandth of a pixel.
    from scipy import sparse

    rows = sparse.csr_array(weights(height, ratio).astype(work))
    columns = sparse.csr_array(weights(width, ratio).astype(work))

    def shrink(image: np.ndarray) -> np.ndarray:
        return np.asarray(cv2.transpose(columns @ cv2.transpose(rows @ image)))

    return shrink
