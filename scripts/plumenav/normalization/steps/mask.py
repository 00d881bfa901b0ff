"""Mask: pixels of the file's own image that do not count become clean air."""

from __future__ import annotations

import numpy as np

from plumenav.errors import UserError

ON_EDGE = 1e-9


def weights(
    polygon: tuple[tuple[float, float], ...],
    image: np.ndarray | None,
    window: tuple[int, ...],
    where: str,
) -> np.ndarray | None:
    """1 where pixels of the window count, 0 elsewhere; None if all count.

    Parameters
    ----------
    polygon : tuple of (row, column)
        Corners in the file's image; a pixel counts if its centre is inside or on the edge.
    image : ndarray, shape of the window, or None
        Pixels count where it is not 0.
    window : tuple of int
        (row_start, row_stop, column_start, column_stop).
    where : str
        Config key, for the message.

    Raises
    ------
    UserError
        If no pixel counts.
    """
    if not polygon and image is None:
        return None
    r0, r1, c0, c1 = window
    keep = np.ones((r1 - r0, c1 - c0), bool)
    if polygon:
        keep &= inside(np.array(polygon) - (r0, c0), keep.shape)
    if image is not None:
        keep &= image != 0
    if not keep.any():
        raise UserError(where, "no pixel of the part used counts", "at least one")
    return keep.astype(np.float32)


def inside(corners: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Pixels whose centres are inside a polygon, or on its edge (even-odd rule).

    Parameters
    ----------
    corners : ndarray, shape (n, 2)
        (row, column).
    shape : tuple of int

    Examples
    --------
    >>> inside(np.array([[0, 0], [0, 2], [2, 0]]), (3, 3)).astype(int)
    array([[1, 1, 1],
           [1, 1, 0],
           [1, 0, 0]])
    """
    row, column = np.arange(shape[0])[:, None], np.arange(shape[1])[None, :]
    odd, edge = np.zeros(shape, bool), np.zeros(shape, bool)
    for (r0, c0), (r1, c1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        across = (c1 - c0) * (row - r0) - (r1 - r0) * (column - c0)
        on_line = np.abs(across) <= ON_EDGE * max(1.0, abs(c1 - c0) + abs(r1 - r0))
        rows = (row >= min(r0, r1) - ON_EDGE) & (row <= max(r0, r1) + ON_EDGE)
        columns = (column >= min(c0, c1) - ON_EDGE) & (column <= max(c0, c1) + ON_EDGE)
        edge |= on_line & rows & columns
        # a ray to the right crosses an edge that spans its row and lies to its right
        spans = (row < r0) != (row < r1)
        odd ^= spans & ((across < 0) if r1 > r0 else (across > 0))
    return odd | edge


def plain(signal: np.ndarray, keep: np.ndarray | None, clean: float) -> np.ndarray:
    """Signals, shape (..., height, width), with that of clean air where pixels do not count."""
    if keep is None:
        return signal
    return np.asarray(np.where(keep > 0, signal, signal.dtype.type(clean)))
