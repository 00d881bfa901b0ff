"""One picture of a recording to draw on, and where in it something changes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from plumenav.errors import UserError
from plumenav.inspection import DEFAULT_FRAMES
from plumenav.inspection.measure import SMALL_PX, small
from plumenav.recordings._contract import Recording

SLACK_S = 1e-7  # rounding of time stamps, as in the engine


class Wanted(NamedTuple):
    """Which picture: a frame's number, a time, or the mean; none of them: the liveliest frame.

    Attributes
    ----------
    frame : int or None
        Counted in the file from 0.
    time_s : float or None
        Since the first frame that is used.
    mean : bool
    """

    frame: int | None = None
    time_s: float | None = None
    mean: bool = False


class Look(NamedTuple):
    """A picture, and what surrounds it.

    Attributes
    ----------
    image : ndarray, shape (height, width), float32
        As in the file.
    what : str
        Which picture it is, in words.
    activity : ndarray, shape (height // shrink, width // shrink), float64
        Mean change of small pixels from the first frame that was looked at.
    shrink : int
    """

    image: np.ndarray
    what: str
    activity: np.ndarray
    shrink: int


def _frames(
    opened: Recording,
    used: tuple[int, int] | None,
    rate_hz: float | None,
    own_s: np.ndarray | None,
) -> Iterator[tuple[int, float | None, np.ndarray]]:
    """Number, time since the first, and pixels of the frames that are used."""
    first, end = used or (0, None)
    rate = rate_hz or opened.facts.rate_hz
    origin_s: float | None = None
    for block in opened.blocks(first, end):
        stamps = block.time_s
        if own_s is not None:
            stamps = own_s[block.first : block.first + len(block.frames)]
        if rate_hz is not None:
            stamps = None
        for i, frame in enumerate(block.frames):
            number = block.first + i
            time_s = (number - first) / rate if rate else None
            if stamps is not None and i < len(stamps):
                origin_s = float(stamps[0]) if origin_s is None else origin_s
                time_s = float(stamps[i]) - origin_s
            yield number, time_s, frame


def _said(number: int, time_s: float | None) -> str:
    return f"frame {number}" + ("" if time_s is None else f", {time_s:.3f} s")


def look_at(
    opened: Recording,
    wanted: Wanted,
    used: tuple[int, int] | None,
    rate_hz: float | None,
    where: str,
    n_frames: int = DEFAULT_FRAMES,
    own_s: np.ndarray | None = None,
) -> Look:
    """Read a recording from its start and keep one picture.

    Parameters
    ----------
    opened : Recording
    wanted : Wanted
    used : tuple of int or None
        [first, end) of the frames that are used; None: all.
    rate_hz : float or None
        The config's own frame rate: overrides the file's clock.
    where : str
        Names the recording in messages.
    n_frames : int
        Frames among which the liveliest is chosen, and over which a mean is taken; a frame or time
        that is asked for is read on to.
    own_s : ndarray, shape (frames of the file,), or None
        Stamps from a file beside the recording: they win over the recording's own.

    Returns
    -------
    Look

    Raises
    ------
    UserError
        If the frame or time that is asked for is not in the recording.
    """
    facts = opened.facts
    shrink = min(-(-max(facts.height, facts.width) // SMALL_PX), facts.height, facts.width)
    first: np.ndarray | None = None
    total = np.zeros((facts.height, facts.width))
    activity = np.zeros((facts.height // shrink, facts.width // shrink))
    chosen, best = None, -1.0
    n, number, time_s = 0, -1, None
    for number, time_s, frame in _frames(opened, used, rate_hz, own_s):
        if wanted.time_s is not None and time_s is None:
            raise UserError(
                "--time",
                "the recording has no clock",
                "a recording with a frame rate",
                "Use --frame.",
            )
        little = small(frame, shrink)
        first = little if first is None else first
        change = np.abs(little - first)
        n += 1
        if n <= n_frames:
            activity += change
            total += frame
        if wanted.frame is not None:
            hit = number == wanted.frame
            done = number >= wanted.frame
        elif wanted.time_s is not None:
            assert time_s is not None
            hit = time_s <= wanted.time_s + SLACK_S
            done = not hit
        else:
            hit, done = bool(change.mean() > best), True
        if hit:
            best = float(change.mean())
            chosen = (number, time_s, frame.copy())
        if done and n >= n_frames:
            break
    looked_at = min(n, n_frames)
    if wanted.time_s is not None and time_s is not None and not _reaches(time_s, wanted.time_s, n):
        raise UserError(
            "--time", f"found {wanted.time_s:g} s", f"0 to {time_s:.3f} s, where {where} ends"
        )
    if chosen is None:
        raise UserError(
            "--frame", f"found {wanted.frame}", f"a frame of {where} that is used, up to {number}"
        )
    activity /= looked_at
    if wanted.mean:
        mean = (total / looked_at).astype(np.float32)
        return Look(mean, f"mean of {looked_at} frames", activity, shrink)
    return Look(chosen[2].astype(np.float32), _said(*chosen[:2]), activity, shrink)


def _reaches(last_s: float, wanted_s: float, n: int) -> bool:
    """True if a time is not after the end of a movie; its last frame stays as long as others."""
    stays_s = last_s / (n - 1) if n > 1 else 0.0
    return wanted_s <= last_s + stays_s + SLACK_S
