"""Whiffs and blanks: how long a place is in odour, and how long between.

A whiff begins with the first frame above the threshold and ends with the first one that is not; a
blank the other way round; both are timed by the frames' own stamps. What was already going on at
the first frame, or still at the last, has no known duration: it is left out, and counted.
"""

from __future__ import annotations

import numpy as np

# edges of the histograms of durations: 10 bins per decade from 1 ms to 1000 s
EDGES_S = np.logspace(-3, 3, 61)


class Durations:
    """Durations of whiffs and blanks at a number of places, frame by frame.

    Parameters
    ----------
    places : int

    Attributes
    ----------
    whiffs, blanks : ndarray of int, shape (60,)
        Histograms over EDGES_S (what is outside counts in the outermost bins).
    censored_whiffs, censored_blanks : int
        Cut off by the beginning or the end of the movie.
    """

    def __init__(self, places: int) -> None:
        self._above: np.ndarray | None = None
        self._since_s = np.full(places, np.nan)  # NaN: since before the movie began
        self.whiffs = np.zeros(len(EDGES_S) - 1, np.int64)
        self.blanks = np.zeros(len(EDGES_S) - 1, np.int64)
        self.censored_whiffs = self.censored_blanks = 0
        self._sums = {"whiff": 0.0, "blank": 0.0}

    def update(self, above: np.ndarray, time_s: float) -> None:
        """Next frame: which places are above the threshold, shape (places,)."""
        if self._above is not None:
            changed = above != self._above
            if changed.any():
                self._end(changed & self._above, time_s, "whiff")
                self._end(changed & ~self._above, time_s, "blank")
                self._since_s[changed] = time_s
        self._above = above

    def _end(self, ended: np.ndarray, time_s: float, kind: str) -> None:
        lasted = time_s - self._since_s[ended]
        known = lasted[np.isfinite(lasted)]
        self._censor(kind, len(lasted) - len(known))
        counts = self.whiffs if kind == "whiff" else self.blanks
        bins = np.searchsorted(EDGES_S, known, side="right") - 1
        np.add.at(counts, np.clip(bins, 0, len(counts) - 1), 1)
        self._sums[kind] += float(known.sum())

    def _censor(self, kind: str, n: int) -> None:
        if kind == "whiff":
            self.censored_whiffs += n
        else:
            self.censored_blanks += n

    def finish(self) -> None:
        """The movie is over: what still goes on is censored."""
        if self._above is not None:
            self._censor("whiff", int(self._above.sum()))
            self._censor("blank", int((~self._above).sum()))

    def summary(self) -> dict[str, float | int | None]:
        """Numbers of whiffs and blanks, mean and median durations in s."""
        n_whiffs, n_blanks = int(self.whiffs.sum()), int(self.blanks.sum())
        return {
            "whiffs": n_whiffs,
            "blanks": n_blanks,
            "censored_whiffs": self.censored_whiffs,
            "censored_blanks": self.censored_blanks,
            "whiff_mean_s": self._sums["whiff"] / n_whiffs if n_whiffs else None,
            "blank_mean_s": self._sums["blank"] / n_blanks if n_blanks else None,
            "whiff_median_s": median_of(self.whiffs),
            "blank_median_s": median_of(self.blanks),
        }


def median_of(counts: np.ndarray) -> float | None:
    """Median of a histogram over EDGES_S: logarithmic middle of the bin that holds it, s."""
    if not counts.sum():
        return None
    k = int(np.searchsorted(np.cumsum(counts), counts.sum() / 2))
    return float(np.sqrt(EDGES_S[k] * EDGES_S[k + 1]))


def correlation_time_s(
    series: np.ndarray, interval_s: float, noise_sd: float, mean: np.ndarray
) -> float | None:
    """Time after which the autocorrelation of concentration has fallen to 1/e.

    Parameters
    ----------
    series : ndarray, shape (segments, frames, places)
        Stretches of consecutive frames.
    interval_s : float
    noise_sd : float
        Its variance is not that of concentration and is taken off at lag 0.
    mean : ndarray, shape (places,)
        Over the whole movie.

    Returns
    -------
    float or None
        None if it does not fall so far within half a stretch.
    """
    segments, frames, _ = series.shape
    d = series - mean
    size = 2 * frames
    power = (np.abs(np.fft.rfft(d, size, axis=1)) ** 2).sum(axis=(0, 2))
    lagged = np.fft.irfft(power, size)[:frames] / np.arange(frames, 0, -1)
    variance = lagged[0] - segments * series.shape[2] * noise_sd**2
    if variance <= 0:
        return None
    correlation = lagged[: max(2, frames // 2)] / variance
    correlation[0] = 1.0
    below = np.flatnonzero(correlation < np.exp(-1))
    if not below.size:
        return None
    k = int(below[0])
    above, under = correlation[k - 1], correlation[k]
    return float((k - 1 + (above - np.exp(-1)) / (above - under)) * interval_s)
