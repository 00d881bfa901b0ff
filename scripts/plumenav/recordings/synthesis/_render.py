"""Puffs to pixels.

A Gaussian is separable, so a puff costs one small table per axis and one multiply-add per pixel.
Wide puffs, where nearly all pixels are, are summed on a grid four times coarser and interpolated.
The sum runs puff after puff in one thread: no matrix library, whose order of summation may depend
on its number of threads, is involved.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

# No kernel here is compiled with cache=True: several jobs compiling one cached kernel at once have
# crashed, and compiling takes about a second.

COARSE = 4  # pixels between nodes of the coarse grid
# Puffs at least this wide (pixels) go there: the largest error of the cubic interpolation is then
# 3/128 * COARSE**4 * 12 / WIDE_PX**4 = 0.1 % of the puff's centre concentration, along each axis.
WIDE_PX = 16.0


def render(
    shape: tuple[int, int],
    row: np.ndarray,
    column: np.ndarray,
    radius_px: np.ndarray,
    concentration: np.ndarray,
    cut: float,
) -> np.ndarray:
    """Image of a sum of round Gaussian puffs.

    Parameters
    ----------
    shape : tuple of int
        Height and width of the image.
    row, column, radius_px, concentration : ndarray, shape (n,), float64
        Centres, 1/e radii and centre concentrations.
    cut : float
        A puff ends at the square of `cut` radii about its centre.

    Returns
    -------
    ndarray, shape (height, width), float32
    """
    image = np.zeros(shape, np.float32)
    wide = radius_px >= WIDE_PX
    fine = ~wide
    add_puffs(image, row[fine], column[fine], radius_px[fine], concentration[fine], cut)
    if wide.any():
        # node (g, h) of the coarse grid lies at pixel (COARSE * (g - 1), COARSE * (h - 1))
        nodes = np.zeros([(n - 1) // COARSE + 4 for n in shape], np.float32)
        node_row, node_column = row[wide] / COARSE + 1, column[wide] / COARSE + 1
        radius = radius_px[wide] / COARSE
        add_puffs(nodes, node_row, node_column, radius, concentration[wide], cut)
        add_interpolated(image, nodes, cubic_weights())
    return image


def cubic_weights() -> np.ndarray:
    """Weights of the nodes at -1, 0, 1, 2 for the pixels between 0 and 1, shape (COARSE, 4)."""
    t = np.arange(COARSE)[:, None] / COARSE
    weights = [
        -t * (t - 1) * (t - 2) / 6,
        (t + 1) * (t - 1) * (t - 2) / 2,
        -(t + 1) * t * (t - 2) / 2,
        (t + 1) * t * (t - 1) / 6,
    ]
    return np.concatenate(weights, axis=1).astype(np.float32)


@njit(nogil=True)
def add_interpolated(image: np.ndarray, nodes: np.ndarray, weights: np.ndarray) -> None:
    """Add a coarse image, interpolated by cubic polynomials along both axes.

    Parameters
    ----------
    image : ndarray, shape (height, width), float32
        Changed in place.
    nodes : ndarray, shape ((height - 1) // COARSE + 4, (width - 1) // COARSE + 4), float32
    weights : ndarray, shape (COARSE, 4), float32
    """
    height, width = image.shape
    lines = np.empty((nodes.shape[0], width), np.float32)
    for g in range(nodes.shape[0]):
        for j in range(width):
            h, w = j // COARSE, weights[j % COARSE]
            lines[g, j] = (
                w[0] * nodes[g, h]
                + w[1] * nodes[g, h + 1]
                + w[2] * nodes[g, h + 2]
                + w[3] * nodes[g, h + 3]
            )
    for i in range(height):
        g, w = i // COARSE, weights[i % COARSE]
        line, a, b, c, d = image[i], lines[g], lines[g + 1], lines[g + 2], lines[g + 3]
        for j in range(width):
            line[j] += w[0] * a[j] + w[1] * b[j] + w[2] * c[j] + w[3] * d[j]


@njit(nogil=True)
def gaussian(
    table: np.ndarray, start: int, stop: int, centre: float, radius: float, height: float
) -> None:
    """Write height * exp(-((j - centre) / radius)**2) to table[j] for start <= j < stop."""
    # g(j + 1) = g(j) ratio(j), ratio(j + 1) = ratio(j) step: three exponentials for all entries
    d = (start - centre) / radius
    value = height * math.exp(-d * d)
    ratio = math.exp(-(2 * d + 1 / radius) / radius)
    step = math.exp(-2 / (radius * radius))
    for j in range(start, stop):
        table[j] = value
        value *= ratio
        ratio *= step


@njit(nogil=True)
def add_scaled(line: np.ndarray, profile: np.ndarray, weight: np.float32) -> None:
    """Add weight * profile to a line of the same length; the loop that compiles to vectors."""
    for j in range(line.size):
        line[j] += weight * profile[j]


@njit(nogil=True)
def add_puffs(
    image: np.ndarray,
    row: np.ndarray,
    column: np.ndarray,
    radius_px: np.ndarray,
    concentration: np.ndarray,
    cut: float,
) -> None:
    """Add round Gaussian puffs to an image.

    Parameters
    ----------
    image : ndarray, shape (height, width), float32
        Changed in place.
    row, column, radius_px, concentration : ndarray, shape (n,), float64
        Centres, 1/e radii and centre concentrations.
    cut : float
        A puff ends at the square of `cut` radii about its centre.
    """
    height, width = image.shape
    across, down = np.empty(width, np.float32), np.empty(height, np.float32)
    for k in range(row.size):
        radius = radius_px[k]
        top = max(0, math.ceil(row[k] - cut * radius))
        bottom = min(height, math.floor(row[k] + cut * radius) + 1)
        left = max(0, math.ceil(column[k] - cut * radius))
        right = min(width, math.floor(column[k] + cut * radius) + 1)
        if top >= bottom or left >= right:
            continue
        gaussian(across, left, right, column[k], radius, 1.0)
        gaussian(down, top, bottom, row[k], radius, concentration[k])
        for i in range(top, bottom):
            add_scaled(image[i, left:right], across[left:right], down[i])


@njit(nogil=True)
def expose(
    image: np.ndarray,
    background: np.ndarray,
    noise: np.ndarray,
    offset: np.ndarray,
    gain: float,
    picture: np.ndarray,
) -> int:
    """One 8-bit picture: background + gain * concentration + noise, rounded and clipped.

    Parameters
    ----------
    image, background : ndarray, shape (height, width), float32
        Concentration, and gray levels without plume.
    noise : ndarray, shape (m,), float32
        Pool of noise in gray levels.
    offset : ndarray, shape (height,), int64
        Where in the pool each row's noise begins.
    gain : float
        Gray levels at concentration 1.
    picture : ndarray, shape (height, width), uint8
        Written.

    Returns
    -------
    int
        Number of clipped pixels.
    """
    height, width = image.shape
    factor = np.float32(gain)
    clipped = 0
    for i in range(height):
        pool = noise[offset[i] : offset[i] + width]
        for j in range(width):
            gray = background[i, j] + factor * image[i, j] + pool[j] + np.float32(0.5)
            if gray < np.float32(0):
                gray = np.float32(0)
                clipped += 1
            elif gray >= np.float32(256):
                gray = np.float32(255)
                clipped += 1
            picture[i, j] = np.uint8(gray)
    return clipped
