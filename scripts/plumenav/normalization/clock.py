"""The movie's clock: time stamps of its frames, their faults, and other frame rates."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np

from plumenav.errors import UserError, nearest

# An interval is a gap if it exceeds the median interval by this factor.
GAP = 1.5
SLACK_S = 1e-9


class Intervals(NamedTuple):
    """What the time stamps of a movie look like.

    Attributes
    ----------
    seconds : float
        From the first to the last stamp.
    median_s : float
        Median interval.
    measured_rate_hz : float
        Intervals per second, over the whole movie.
    gaps, duplicates : int
        Intervals longer than 1.5 times the median, and of 0 s.
    longest_s : float
        The longest interval.
    """

    seconds: float
    median_s: float
    measured_rate_hz: float
    gaps: int
    duplicates: int
    longest_s: float


def read_stamps(path: Path, column: str | None, where: str) -> np.ndarray:
    """Time stamps of a text file: one line per frame, seconds.

    Parameters
    ----------
    path : Path
        CSV with or without a heading, or plain numbers.
    column : str or None
        Heading of the column; None: the only one.
    where : str
        Config key of the reader's section, for messages.

    Returns
    -------
    ndarray, shape (n,), float64

    Raises
    ------
    UserError
        If there is no such column, or a stamp is not a number.
    """
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            lines = [line for line in csv.reader(file) if line]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(
            f"{where}.time_file", f"{path.name} cannot be read ({error})", "a CSV or text file"
        ) from None
    heading = [] if not lines or all(_is_number(cell) for cell in lines[0]) else lines.pop(0)
    names = [name.strip() for name in heading]
    if column is not None:
        if column not in names:
            raise UserError(
                f"{where}.time_column",
                f"{path.name} has no column {column!r}",
                ", ".join(names) or "none: the file has no heading",
                nearest(column, names),
            )
        k = names.index(column)
    elif lines and len(lines[0]) == 1:
        k = 0
    else:
        raise UserError(
            f"{where}.time_column",
            f"not given, and {path.name} has {len(lines[0]) if lines else 0} columns",
            ", ".join(names) or "a file with one column",
            "Say which column holds the seconds.",
        )
    first = 2 if heading else 1
    for number, line in enumerate(lines, first):
        if len(line) <= k or not _is_number(line[k]):
            raise UserError(
                f"{where}.time_file",
                f"{path.name}, line {number}: {','.join(line)!r} has no time stamp",
                "a number of seconds in every line",
            )
    return np.array([float(line[k]) for line in lines])


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


class Clock:
    """Time stamps of frames as they pass, relative to the first one.

    Parameters
    ----------
    rate_hz : float or None
        The config's own frame rate: overrides whatever the file says.
    nominal_hz : float or None
        The file's nominal rate: used where it has no stamps.
    where : str
        Config key of the recording, for messages.
    own_s : ndarray, shape (frames of the file,), or None
        Stamps from a file beside the recording: they win over the recording's own.
    """

    def __init__(
        self,
        rate_hz: float | None,
        nominal_hz: float | None,
        where: str,
        own_s: np.ndarray | None = None,
    ) -> None:
        self.rate_hz, self.nominal_hz, self._where = rate_hz, nominal_hz, where
        self._own_s = own_s
        self._first_frame: int | None = None
        self._origin_s = 0.0
        self._last_s = -math.inf
        self.stamps: list[np.ndarray] = []

    def fresh(self) -> Clock:
        """A clock with the same settings that has seen no frame."""
        return Clock(self.rate_hz, self.nominal_hz, self._where, self._own_s)

    def stamp(self, first: int, n: int, file_s: np.ndarray | None) -> np.ndarray:
        """Times of the next `n` frames, s since the first frame.

        Parameters
        ----------
        first : int
            Number of the first of them in the file.
        n : int
        file_s : ndarray, shape (n,), or None
            The file's own stamps.

        Returns
        -------
        ndarray, shape (n,), float64

        Raises
        ------
        UserError
            If time runs backwards, or nothing is known of time.
        """
        if self._own_s is not None:
            file_s = self._own_s[first : first + n]
            if len(file_s) < n:
                raise UserError(
                    f"{self._where}.reader.time_file",
                    f"has {len(self._own_s)} time stamps, and frame {len(self._own_s)} arrived",
                    "one time stamp for every frame of the recording",
                    "Count lines and frames: one of the files is not complete.",
                )
        if self._first_frame is None:
            self._first_frame = first
            self._origin_s = float(file_s[0]) if file_s is not None else 0.0
        if self.rate_hz is None and file_s is not None:
            times = file_s - self._origin_s
            self._check(first, times)
        else:
            rate = self.rate_hz or self.nominal_hz
            if rate is None:
                raise UserError(
                    f"{self._where}.frame_rate_hz",
                    "not given, and the file holds neither time stamps nor a frame rate",
                    "frames per second",
                    "Set frame_rate_hz, or reader.time_dataset for HDF5.",
                )
            times = (np.arange(first, first + n) - self._first_frame) / rate
        self._last_s = float(times[-1])
        self.stamps.append(times)
        return times

    def _check(self, first: int, times: np.ndarray) -> None:
        steps = np.diff(times, prepend=max(self._last_s, -1e300))
        bad = np.flatnonzero(~(steps >= 0))
        if len(bad):
            i = int(bad[0])
            before = float(times[i - 1]) if i else self._last_s
            raise UserError(
                f"{self._where}",
                f"time runs backwards at frame {first + i}:"
                f" {before + self._origin_s:.6f} s, then {times[i] + self._origin_s:.6f} s",
                "time stamps that never fall (equal ones are counted)",
                "Set frame_rate_hz to ignore the file's time stamps.",
            )

    def check_own(self, n_frames: int, slack: int = 0) -> None:
        """Refuse a file of time stamps that has not as many as the recording has frames.

        Parameters
        ----------
        n_frames : int
        slack : int
            Difference that is allowed: headers of healthy videos may be off by one.

        Raises
        ------
        UserError
        """
        if self._own_s is not None and abs(len(self._own_s) - n_frames) > slack:
            raise UserError(
                f"{self._where}.reader.time_file",
                f"has {len(self._own_s)} time stamps for {n_frames} frames",
                "one time stamp for every frame of the recording",
                "Count lines and frames: one of the files is not complete.",
            )

    def intervals(self) -> Intervals:
        """Summary of all stamps so far.

        Raises
        ------
        UserError
            If there are fewer than two frames, or time stands still.
        """
        times = np.concatenate(self.stamps) if self.stamps else np.empty(0)
        if len(times) < 2:
            raise UserError(
                self._where, f"holds {len(times)} frame", "a movie of at least 2 frames"
            )
        steps = np.diff(times)
        seconds = float(times[-1] - times[0])
        if seconds <= 0:
            raise UserError(
                self._where,
                f"all {len(times)} time stamps are equal",
                "stamps that advance",
                "Set frame_rate_hz to ignore the file's time stamps.",
            )
        median = float(np.median(steps))
        return Intervals(
            seconds=seconds,
            median_s=median,
            measured_rate_hz=len(steps) / seconds,
            gaps=int(np.count_nonzero(steps > GAP * median + SLACK_S)),
            duplicates=int(np.count_nonzero(steps == 0)),
            longest_s=float(steps.max()),
        )


T = TypeVar("T")
Timed = tuple[float, T]


def _ticks(
    stream: Iterator[Timed[T]], rate_hz: float
) -> Iterator[tuple[float, Timed[T], Timed[T]]]:
    """For each output time: it, the last frame at or before it, and the frame after that."""
    before = next(stream, None)
    k = 0
    for after in stream:
        assert before is not None
        while (tick := k / rate_hz) < after[0] - SLACK_S:
            yield tick, before, after
            k += 1
        before = after
    if before is not None and k / rate_hz <= before[0] + SLACK_S:
        yield k / rate_hz, before, before


def nearest_frames(stream: Iterator[Timed[T]], rate_hz: float) -> Iterator[Timed[T]]:
    """Frames at a regular rate: each time takes the frame whose stamp is nearest.

    Of two equally near ones the earlier; of several with one stamp, the last (as in the hold
    convention of the engine) if it is at or before the time.

    Parameters
    ----------
    stream : iterator of (time_s, frame)
        Times from 0, never falling.
    rate_hz : float

    Yields
    ------
    (time_s, frame)
        At k / rate_hz up to the last stamp.
    """
    for tick, before, after in _ticks(stream, rate_hz):
        near = before if tick - before[0] <= after[0] - tick + SLACK_S else after
        yield tick, near[1]


def linear_frames(
    stream: Iterator[Timed[T]], rate_hz: float, mix: Callable[[T, T, float], T]
) -> Iterator[Timed[T]]:
    """Frames at a regular rate, interpolated linearly between the true time stamps.

    Parameters
    ----------
    stream : iterator of (time_s, frame)
        Times from 0, never falling.
    rate_hz : float
    mix : callable
        (early, late, share of the late one, 0 to 1) -> frame; a new one even where the share is 0.

    Yields
    ------
    (time_s, frame)
        At k / rate_hz up to the last stamp.
    """
    for tick, before, after in _ticks(stream, rate_hz):
        span = after[0] - before[0]
        share = min(1.0, max(0.0, (tick - before[0]) / span)) if span > 0 else 0.0
        yield tick, mix(before[1], after[1], share)


def mixed(early: np.ndarray, late: np.ndarray, share: float) -> np.ndarray:
    """A new image between two, of their type; exactly the early one where the share is 0."""
    kind = early.dtype.type
    if share == 0:
        return early.copy()
    return np.asarray(early * kind(1.0 - share) + late * kind(share))
