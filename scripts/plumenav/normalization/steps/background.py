"""Background: the image without plume, subtracted after the transfer.

It comes from declared frames, from an image, or from a window of frames that rolls along. The
combined image is built from gain-free values (see :mod:`.transfer`): mean and percentiles of
gain * v + bias are those of v, times gain, plus bias (with a negative gain, the percentile counts
from the other end).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

import cv2
import numpy as np

from plumenav.config.normalization import Background

# Raw frames that may be held at once; beyond it, the recording is read again strip by strip.
HELD_BYTES = 256 * 2**20


def percentile_of(background: Background) -> float | None:
    """Which percentile the frames are combined by; None for the mean."""
    return {"mean": None, "median": 50.0}.get(background.method, background.percentile)


def plain(intensity: np.ndarray, background: Background) -> np.ndarray:
    """The background made of the declared frames of a movie, shape (height, width), float64."""
    part = np.asarray(intensity, np.float64)[slice(*(background.frames or (0, None)))]
    q = percentile_of(background)
    return part.mean(axis=0) if q is None else np.percentile(part, q, axis=0)


def mean_image(
    frames: Iterable[np.ndarray], shape: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    """Mean of images in one pass.

    Parameters
    ----------
    frames : iterable of ndarray, shape (height, width)
        Raw numbers; at least one.
    shape : callable
        From raw numbers to what is averaged.

    Returns
    -------
    ndarray, shape (height, width), float64
    """
    total: np.ndarray | None = None
    n = 0
    for frame in frames:
        values = shape(frame)
        if total is None:
            total = np.zeros(values.shape, np.float64)
        cv2.accumulate(values, total)
        n += 1
    if total is None:
        raise ValueError("no frames")
    return total / n


def percentile_image(
    read: Callable[[slice], Iterable[np.ndarray]],
    shape: Callable[[np.ndarray], np.ndarray],
    height: int,
    frame_bytes: int,
    n_frames: int,
    q: float,
    limit: int = HELD_BYTES,
) -> np.ndarray:
    """Percentile of images in bounded memory: as many passes as `limit` makes necessary.

    Parameters
    ----------
    read : callable
        (rows) -> these rows of all frames, in order, as raw numbers.
    shape : callable
        From raw numbers to what the percentile is taken of.
    height : int
        Rows of a frame.
    frame_bytes, n_frames : int
        Raw bytes of one frame, and the number of frames.
    q : float
        Percentile, 0 to 100.
    limit : int
        Raw bytes that may be held.

    Returns
    -------
    ndarray, shape (height, width), float64
    """
    rows = max(1, min(height, limit * height // max(1, frame_bytes * n_frames)))
    strips = []
    for start in range(0, height, rows):
        raw = np.stack([np.array(part) for part in read(slice(start, start + rows))])
        # row by row: the floats are larger than the raw numbers that the limit counts
        strips += [np.percentile(shape(raw[:, i]), q, axis=0) for i in range(raw.shape[1])]
    return np.stack(strips).astype(np.float64)


class Rolling:
    """Percentile of evenly spaced frames in a window of time that ends at the current frame.

    In the first window, which has no past, the background is that of the whole first window.

    Parameters
    ----------
    window_s : float
        Length of the window, s.
    samples : int
        Frames in it, `window_s / samples` apart.
    q : float
        Percentile, 0 to 100.
    check : callable
        Looks at every new background, and raises if it will not do.
    """

    def __init__(
        self, window_s: float, samples: int, q: float, check: Callable[[np.ndarray], None]
    ) -> None:
        self._interval_s, self._samples, self._q = window_s / samples, samples, q
        self._frames: deque[np.ndarray] = deque(maxlen=samples)
        self._taken, self._check = 0, check
        self._image: np.ndarray | None = None

    def _due(self, time_s: float) -> bool:
        # a slack against rounding of k / rate
        return time_s >= self._taken * self._interval_s - 1e-9

    def _take(self, time_s: float, values: np.ndarray) -> None:
        self._frames.append(values)
        # frames that came late (gaps) do not make others come early
        self._taken = int(np.floor(time_s / self._interval_s + 1e-9)) + 1

    def prepare(self, frames: Iterable[tuple[float, np.ndarray]]) -> None:
        """Look at the first window: (time in s from the first frame, values to combine)."""
        for time_s, values in frames:
            if time_s > self._interval_s * self._samples:
                break
            if self._due(time_s):
                self._take(time_s, values.copy())
        self._combine()

    def _combine(self) -> None:
        # row by row: np.percentile works in doubles, several times the frames
        strips = [np.percentile(row, self._q, axis=0) for row in zip(*self._frames, strict=True)]
        self._image = np.stack(strips).astype(np.float64)
        self._check(self._image)

    def background(self, time_s: float, values: Callable[[], np.ndarray]) -> np.ndarray:
        """Background at a frame; `values` gives the frame's own if it is time to look at it."""
        if self._due(time_s):
            self._take(time_s, values().copy())
            self._combine()
        assert self._image is not None
        return self._image
