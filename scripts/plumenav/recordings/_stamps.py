"""Time stamps of a video's frames as a decoder gives them: mended where they are missing."""

from __future__ import annotations

import math

import numpy as np

# A stamp outside is no time: about 30 years.
LARGEST_S = 1e9


class Stamps:
    """Time stamps as they pass: what they say, and what is wrong with them.

    Parameters
    ----------
    rate_hz : float or None
        Nominal rate: continues where a stamp is missing.

    Attributes
    ----------
    first_s, before_last_s, last_s : float
        The first stamp and the last two, s.
    longest_s : float
        The longest interval, s.
    """

    def __init__(self, rate_hz: float | None) -> None:
        self._step_s = 1.0 / rate_hz if rate_hz else 0.0
        self.first_s = self.before_last_s = self.last_s = self.longest_s = 0.0
        self._missing = self._backwards = self._seen = 0

    def mended(self, time_s: np.ndarray) -> np.ndarray:
        """Stamps of the next frames.

        Some containers give the last frames the stamp 0: they continue at the nominal rate.
        """
        for i, stamp in enumerate(time_s.tolist()):
            lost = stamp == 0.0 and self.last_s > 0.0
            if lost or not math.fabs(stamp) < LARGEST_S:
                stamp = time_s[i] = self.last_s + self._step_s if self._seen else 0.0
                self._missing += 1
            if self._seen:
                self._backwards += stamp < self.last_s
                self.longest_s = max(self.longest_s, stamp - self.last_s)
            else:
                self.first_s = stamp
            self.before_last_s, self.last_s = self.last_s, stamp
            self._seen += 1
        return time_s

    def notes(self) -> list[str]:
        """What was wrong."""
        said = []
        if self._missing:
            said.append(f"{self._missing} time stamps were missing; continued at the nominal rate")
        if self._backwards:
            said.append(f"{self._backwards} time stamps are before the one of the frame before")
        return said
