"""Decisions of searchers that hold a belief about where the source is, and the belief's update.

Pure functions on a rectangular grid of cells, compiled by the engine with the models that use them.
A belief p(x) is an array of shape (rows, stride): row 0 is at the smallest y, columns run along x,
and columns beyond the grid's last one are padding that holds 0. The searcher is in one cell and
considers five moves: 0 to -x, 1 to +x, 2 to -y, 3 to +y, 4 to stay. After a move to x' it does or
does not find the source; if not, it counts h hits, of which L_h(x - x') is the probability if the
source is at x. L_h is 0 where the source would have been found.

Planes hold such functions of x - x', shape (2 rows + 1, columns + 1 + stride), with x = x' in
the middle, at [rows, columns]; the part that belongs to a searcher's place is a slice.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from plumenav.models._math import reassociated

N_MOVES = 5
MOVE_ROW = (0, 0, -1, 1, 0)
MOVE_COLUMN = (-1, 1, 0, 0, 0)
# moves upwind, downwind, and crosswind to the right and left of downwind, by the quarter turns from
# +x to the direction nearest to the wind's
BY_WIND = ((0, 1, 2, 3), (2, 3, 1, 0), (1, 0, 3, 2), (3, 2, 0, 1))
# a belief whose total is below this was contradicted by a hit
EXHAUSTED = 1e-290
LANES = 8


def stride_of(columns: int) -> int:
    """Columns of a belief with its padding: whole vectors of 8 numbers."""
    return -(-columns // LANES) * LANES


def offsets(rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Offsets x - x' in cells, of every place of a plane: (rows, columns), both float64."""
    width = columns + 1 + stride_of(columns)
    dy, dx = np.mgrid[-rows : rows + 1, -columns : width - columns]
    return dy.astype(np.float64), dx.astype(np.float64)


def likelihood(mean: np.ndarray, hit_values: int, found: np.ndarray) -> np.ndarray:
    """Planes L_h: probability of h hits, h = 0 .. hit_values - 1, the last one "or more".

    Parameters
    ----------
    mean : ndarray, shape of a plane
        Mean number of hits (Poisson).
    hit_values : int
        At least 2.
    found : ndarray of bool, shape of a plane
        Where the source would have been found.

    Returns
    -------
    ndarray, shape (hit_values, *plane)
    """
    planes = np.zeros((hit_values, *mean.shape))
    term = np.exp(-mean)
    for h in range(hit_values - 1):
        planes[h] = term
        term = term * mean / (h + 1)
    # one or more: without the rounding of 1 - exp(-mean) where hits are rare
    rest = -np.expm1(-mean) - planes[1:].sum(axis=0)
    planes[-1] = np.maximum(rest, 0.0)
    planes[:, found] = 0.0
    return planes


def log2_where_positive(values: np.ndarray) -> np.ndarray:
    """Binary logarithm, 0 where the value is 0 (it is only used times that value)."""
    return np.asarray(np.log2(values, where=values > 0.0, out=np.zeros_like(values)))


def infotaxis_planes(planes: np.ndarray) -> np.ndarray:
    """What :func:`infotaxis_values` looks up: L_h, then the sum over h of L_h log2 L_h."""
    information = (planes * log2_where_positive(planes)).sum(axis=0)
    return np.concatenate([planes, information[None]])


def space_aware_planes(planes: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """What :func:`space_aware_values` looks up: L_h, L_h log2 L_h and L_h * distance, all h each.

    Parameters
    ----------
    planes : ndarray, shape (hit_values, *plane)
    distance : ndarray, shape of a plane
        Manhattan distance in cells.
    """
    return np.concatenate([planes, planes * log2_where_positive(planes), planes * distance])


@reassociated
def moved_sums(belief: Any, plane: Any, row: int, column: int, sums: Any) -> None:
    """Sum of belief * plane for the five moves from a cell.

    The five slices of the plane overlap but for a row or a column, so they are summed together.

    Parameters
    ----------
    belief : ndarray, shape (rows, stride)
    plane : ndarray, shape (2 rows + 1, columns + 1 + stride)
    row, column : int
        Where the searcher is, on the grid.
    sums : ndarray, shape (5,)
        Receives the sums. Those of moves off the grid have no meaning.
    """
    n_rows, n = belief.shape
    middle = plane.shape[1] - 1 - n - column
    at_left = at_right = at_below = at_above = at_stay = 0.0
    for r in range(n_rows):
        p = belief[r]
        same = plane[n_rows + r - row]
        left = same[middle + 1 : middle + 1 + n]
        right = same[middle - 1 : middle - 1 + n]
        stay = same[middle : middle + n]
        below = plane[n_rows + r - row + 1, middle : middle + n]
        above = plane[n_rows + r - row - 1, middle : middle + n]
        for j in range(n):
            at_left += p[j] * left[j]
            at_right += p[j] * right[j]
            at_below += p[j] * below[j]
            at_above += p[j] * above[j]
            at_stay += p[j] * stay[j]
    sums[0] = at_left
    sums[1] = at_right
    sums[2] = at_below
    sums[3] = at_above
    sums[4] = at_stay


def infotaxis_values(
    belief: Any, planes: Any, found: Any, row: int, column: int, work: Any
) -> None:
    """Expected change of entropy (bits) of the five moves; the best one is the smallest.

    With Z_h the sum of L_h p, the expected entropy after a move, finding the source counted as 0,
    is sum_h Z_h H(L_h p / Z_h). Written out, with sum_h L_h = 1 where the source is not found, the
    entropy before the move cancels all logarithms of p but those of the cells that the move tests:

        value = sum_h Z_h log2 Z_h - sum_x p sum_h L_h log2 L_h + sum_tested p log2 p

    and the last Z_h is what the others leave of the untested belief.

    Parameters
    ----------
    belief : ndarray, shape (rows, stride)
        Normalized.
    planes : ndarray
        From :func:`infotaxis_planes`.
    found : ndarray of int, shape (n, 2)
        Offsets (rows, columns) of the cells in which a source would be found.
    row, column : int
    work : ndarray, shape (3, 5)
        The first row receives the values; the others are scratch.
    """
    n_rows, n = belief.shape
    last = planes.shape[0] - 2
    values, sums, rest = work[0], work[1], work[2]
    for m in range(N_MOVES):
        values[m] = 0.0
        rest[m] = 1.0
        for f in range(found.shape[0]):
            r = row + MOVE_ROW[m] + found[f, 0]
            c = column + MOVE_COLUMN[m] + found[f, 1]
            if r >= 0 and r < n_rows and c >= 0 and c < n and belief[r, c] > 0.0:
                rest[m] -= belief[r, c]
                values[m] += belief[r, c] * math.log2(belief[r, c])
    for h in range(last):
        moved_sums(belief, planes[h], row, column, sums)
        for m in range(N_MOVES):
            rest[m] -= sums[m]
            if sums[m] > 0.0:
                values[m] += sums[m] * math.log2(sums[m])
    moved_sums(belief, planes[last + 1], row, column, sums)
    for m in range(N_MOVES):
        values[m] -= sums[m]
        if rest[m] > 0.0:
            values[m] += rest[m] * math.log2(rest[m])


def surprise(belief: Any, out: Any) -> None:
    """Write p log2 p, 0 where p is 0."""
    for r in range(belief.shape[0]):
        for j in range(belief.shape[1]):
            p = belief[r, j]
            out[r, j] = p * math.log2(p) if p > 0.0 else 0.0


def space_aware_values(
    belief: Any, surprises: Any, planes: Any, row: int, column: int, work: Any
) -> None:
    """What space-aware infotaxis minimizes (Loisy & Eloy 2022), of the five moves.

    sum_h Z_h log2(D_h + 2^(H_h - 1) - 1/2), with Z_h the sum of L_h p, H_h the entropy (bits) and
    D_h the mean Manhattan distance (cells) of the belief L_h p / Z_h; a bracket that is not
    positive is used as it is. H_h = log2 Z_h - (sum L_h p log2 p + sum p L_h log2 L_h) / Z_h, so
    that logarithms are of p, once, and of Z_h.

    Parameters
    ----------
    belief, surprises : ndarray, shape (rows, stride)
        p, normalized, and p log2 p.
    planes : ndarray
        From :func:`space_aware_planes`.
    row, column : int
    work : ndarray, shape (5, 5)
        The first row receives the values; the others are scratch.
    """
    hit_values = planes.shape[0] // 3
    values, z, by_p, by_l, far = work[0], work[1], work[2], work[3], work[4]
    for m in range(N_MOVES):
        values[m] = 0.0
    for h in range(hit_values):
        moved_sums(belief, planes[h], row, column, z)
        moved_sums(surprises, planes[h], row, column, by_p)
        moved_sums(belief, planes[hit_values + h], row, column, by_l)
        moved_sums(belief, planes[2 * hit_values + h], row, column, far)
        for m in range(N_MOVES):
            if z[m] > 0.0:
                # rounding must not make an entropy of a certain belief negative
                entropy = max(0.0, math.log2(z[m]) - (by_p[m] + by_l[m]) / z[m])
                bracket = far[m] / z[m] + 2.0 ** (entropy - 1.0) - 0.5
                values[m] += z[m] * (math.log2(bracket) if bracket > 0.0 else bracket)


@reassociated
def weigh(belief: Any, plane: Any, row: int, column: int) -> float:
    """Multiply a belief by a plane as seen from a cell; return the sum of the result."""
    n_rows, n = belief.shape
    middle = plane.shape[1] - 1 - n - column
    total = 0.0
    for r in range(n_rows):
        p = belief[r]
        seen = plane[n_rows + r - row, middle : middle + n]
        for j in range(n):
            p[j] *= seen[j]
            total += p[j]
    return total


def divide(belief: Any, total: float) -> None:
    """Divide a belief by its total."""
    for r in range(belief.shape[0]):
        p = belief[r]
        for j in range(p.shape[0]):
            p[j] /= total


def learn(
    belief: Any, planes: Any, found: Any, hits: int, row: int, column: int, rows: int, columns: int
) -> int:
    """Update a belief by Bayes' rule with the hits counted in a cell.

    A belief that is contradicted (nothing is left of it) starts again flat: equal in the first
    `rows` and `columns`, 0 where the source would have been found.

    Returns
    -------
    int
        1 if it was contradicted.
    """
    total = weigh(belief, planes[hits], row, column)
    if total > EXHAUSTED:
        divide(belief, total)
        return 0
    for r in range(belief.shape[0]):
        for j in range(belief.shape[1]):
            belief[r, j] = 1.0 if r < rows and j < columns else 0.0
    left = float(rows * columns)
    for f in range(found.shape[0]):
        r = row + found[f, 0]
        j = column + found[f, 1]
        if r >= 0 and r < rows and j >= 0 and j < columns:
            belief[r, j] = 0.0
            left -= 1.0
    if left > 0.0:
        divide(belief, left)
    return 1


def forbid(values: Any, row: int, column: int, rows: int, columns: int, may_stay: bool) -> None:
    """Give moves that leave the grid, or that are not wanted, an infinite value."""
    for m in range(N_MOVES):
        r = row + MOVE_ROW[m]
        c = column + MOVE_COLUMN[m]
        if r < 0 or r >= rows or c < 0 or c >= columns or (m == 4 and not may_stay):
            values[m] = math.inf


def lowest(values: Any, tie: float) -> int:
    """First move that is within `tie` of the best; staying if there is no move."""
    best = math.inf
    for m in range(N_MOVES):
        best = min(best, values[m])
    for m in range(N_MOVES):
        if values[m] < math.inf and values[m] <= best + tie:
            return m
    return 4


def drawn(values: Any, tie: float, which: float, side: float, quarter: int) -> int:
    """One of the moves within `tie` of the best, by two uniform numbers; staying if there is none.

    Each is as likely as the others. They are numbered by the wind, whose direction is nearest to
    that many quarter turns from +x, so that what is drawn turns with it. If both crosswind moves
    are among them, `side` decides between the two (below 0.5: to the left of downwind), so that a
    mirror image is drawn by the other side.
    """
    upwind, downwind, right, left = BY_WIND[quarter]
    best = math.inf
    for m in range(N_MOVES):
        best = min(best, values[m])
    if best == math.inf:
        return 4
    n = 0
    for m in range(N_MOVES):
        if values[m] <= best + tie:
            n += 1
    before = math.floor(which * n)
    for m in (upwind, downwind, 4):
        if values[m] <= best + tie:
            if before == 0:
                return m
            before -= 1
    if values[right] <= best + tie and values[left] <= best + tie:
        return left if side < 0.5 else right
    return right if values[right] <= best + tie else left
