"""Frames that are missing or repeated, from how much the picture changes from frame to frame.

Across a missing frame the picture changes as much as otherwise in two frames; a repeated frame does
not change at all. Both are compared with their surroundings, because a plume is not equally lively
all the time.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

WINDOW = 10  # frames on either side
# change over two frames must exceed that over one by this factor, or a jump cannot be told
LEAST_GROWTH = 1.15
# a jump: at least this share of the way from the change over one frame to that over two,
JUMP = 0.45
# and so many times its usual scatter
SCATTERS = 7.0
# a repeated frame changes by less than this share of what is usual
REPEAT = 0.1
LEAST_FRAMES = 20
# time stamps show a gap where an interval is so many times the median
GAP = 1.5


class Continuity(NamedTuple):
    """Missing and repeated frames.

    Attributes
    ----------
    missing, repeated : ndarray of int
        Frames before which frames are missing; frames that repeat the one before.
    can_tell_missing, can_tell_repeated : bool
        False: the movie changes too fast, or not at all.
    """

    missing: np.ndarray
    repeated: np.ndarray
    can_tell_missing: bool
    can_tell_repeated: bool


def sides(series: np.ndarray, window: int = WINDOW) -> tuple[np.ndarray, np.ndarray]:
    """Medians of the `window` values before and after each; at an end, both are the other side's.

    Examples
    --------
    >>> before, after = sides(np.arange(5.0), 2)
    >>> before, after
    (array([1.5, 0. , 0.5, 1.5, 2.5]), array([1.5, 2.5, 3.5, 4. , 2.5]))
    """
    nothing = np.full(window, np.nan)
    padded = np.concatenate([nothing, series.astype(float), nothing])
    windows = np.lib.stride_tricks.sliding_window_view(padded, window)
    medians = _median(windows)
    before, after = medians[: len(series)], medians[window + 1 : window + 1 + len(series)]
    return np.where(np.isnan(before), after, before), np.where(np.isnan(after), before, after)


def _median(windows: np.ndarray) -> np.ndarray:
    """Median of each row, without NaN; NaN for a row of nothing else."""
    known = (~np.isnan(windows)).sum(axis=1)
    ordered = np.sort(windows, axis=1)  # NaN comes last
    rows = np.arange(len(windows))
    low, high = np.maximum(known - 1, 0) // 2, known // 2
    return np.asarray(
        (ordered[rows, low] + ordered[rows, np.minimum(high, len(ordered[0]) - 1)]) / 2
    )


def unexplained(missing: np.ndarray, time_s: np.ndarray) -> np.ndarray:
    """Jumps where the time stamps do not show a gap: there, the stamps are wrong, too.

    Parameters
    ----------
    missing : ndarray of int
        Frames before which frames are missing.
    time_s : ndarray, shape (n,)
        Time stamps.

    Examples
    --------
    >>> unexplained(np.array([2, 4]), np.array([0.0, 0.1, 0.3, 0.4, 0.5, 0.6]))
    array([4])
    """
    intervals = np.diff(time_s)
    gap = intervals > GAP * np.median(intervals)
    return np.asarray(missing[~gap[missing - 1]])


def continuity(one: np.ndarray, two: np.ndarray) -> Continuity:
    """Find missing and repeated frames.

    Parameters
    ----------
    one : ndarray, shape (n - 1, ways)
        Mean squared change from frame k to k + 1, measured in several ways; a jump has to be one in
        all of them.
    two : ndarray, shape (n - 2, ways)
        The same from frame k to k + 2.
    """
    none = np.empty(0, int)
    if len(one) < LEAST_FRAMES:
        return Continuity(none, none, False, False)
    ways = [_way(one[:, k], two[:, k]) for k in range(one.shape[1])]
    repeats = np.logical_and.reduce([way.repeats for way in ways])
    repeated = np.flatnonzero(repeats) + 1
    moving = bool((one > 0).any())
    grows = np.logical_and.reduce([way.grows for way in ways])
    ordinary = grows & ~repeats
    if not ordinary.any():
        return Continuity(none, repeated, False, moving)
    share = np.minimum.reduce([way.share for way in ways])
    scatter = 1.4826 * min(float(np.median(np.abs(way.off[ordinary]))) for way in ways)
    can_tell = SCATTERS * scatter < 1.0
    jumps = grows & (share > max(JUMP, SCATTERS * scatter))
    # a lively moment is lively for several frames; a gap is not
    neighbours = np.maximum(np.append(share[1:], 0.0), np.append(0.0, share[:-1]))
    jumps &= neighbours < 0.5 * share
    # after a repeat the picture catches up
    jumps &= ~(repeats | np.append(repeats[1:], False) | np.append(False, repeats[:-1]))
    return Continuity(np.flatnonzero(jumps) + 1 if can_tell else none, repeated, can_tell, moving)


class _Way(NamedTuple):
    """Changes measured in one way, against their surroundings."""

    repeats: np.ndarray
    grows: np.ndarray  # two frames change more than one, before and after
    share: np.ndarray  # 1: as much as two frames, beyond the livelier side
    off: np.ndarray  # the same, beyond the mean of both sides


def _way(one: np.ndarray, two: np.ndarray) -> _Way:
    before, after = sides(one)
    before_two, after_two = (np.append(side, side[-1]) for side in sides(two))
    usual, usual_two = np.maximum(before, after), np.maximum(before_two, after_two)
    repeats = (one < REPEAT * np.minimum(before, after)) & (before > 0) & (after > 0)
    # where nothing moves before or after, a jump is something that appears or goes
    grows = (before_two > LEAST_GROWTH * before) & (after_two > LEAST_GROWTH * after)
    growth = np.where(grows, usual_two - usual, np.inf)
    return _Way(repeats, grows, (one - usual) / growth, (one - (before + after) / 2) / growth)
