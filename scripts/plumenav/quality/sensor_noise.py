"""What noise in blank air does to the fly ON/OFF model: it may steer upwind without any odour.

The ON channel of the model (Alvarez-Salvado et al. 2018) compresses odour by a Hill function and
filters it; above ON = 0.1 a fly turns upwind. Noise that is not compressed away keeps ON up. The
equations are written here from the publication, for a whole patch of air at once:

    A <- A + (C - A) dt / 9.80 s,  ON <- ON + (C / (C + 0.01 + A) - ON) dt / 0.72 s

with C the larger of the reading and 0, explicit Euler with the old A, dt = 1/50 s.
"""

from __future__ import annotations

import numpy as np

BETA = 0.01
TAU_A_S, TAU_ON_S = 9.80, 0.72
DT_S = 0.02
# the filter starts empty: this long is not counted
SETTLE_S = 5.0
SECONDS = 20.0


def held(series: np.ndarray, time_s: np.ndarray, seconds: float = SECONDS) -> np.ndarray:
    """Frames as the model sees them: every step the last frame, the series repeated to its length.

    Parameters
    ----------
    series : ndarray, shape (frames, places)
    time_s : ndarray, shape (frames,)
    seconds : float
        Length of the result.

    Returns
    -------
    ndarray, shape (steps, places)
    """
    since = time_s - time_s[0]
    interval = float(np.median(np.diff(since))) if len(since) > 1 else DT_S
    period = max(float(since[-1]) + interval, DT_S)
    steps = np.arange(round(seconds / DT_S)) * DT_S
    frame = np.searchsorted(since, np.mod(steps, period) + 1e-7, side="right") - 1
    return np.asarray(series[np.maximum(frame, 0)])


def on_response(readings: np.ndarray, dead_zone: float | None = None) -> np.ndarray:
    """ON over time, averaged over places.

    Parameters
    ----------
    readings : ndarray, shape (steps, places)
        Concentration every 1/50 s.
    dead_zone : float, optional
        Readings below it are 0.

    Returns
    -------
    ndarray, shape (steps,)
    """
    odor = np.maximum(readings, 0.0)
    if dead_zone is not None:
        odor = np.where(readings < dead_zone, 0.0, odor)
    adapted = np.zeros(readings.shape[1])
    on = np.zeros(readings.shape[1])
    trace = np.empty(len(readings))
    for i, c in enumerate(odor):
        trace[i] = on.mean()
        compressed = c / (c + BETA + adapted)
        adapted += (c - adapted) * (DT_S / TAU_A_S)
        on += (compressed - on) * (DT_S / TAU_ON_S)
    return trace


def mean_on(trace: np.ndarray) -> float:
    """Mean of ON after the filter has filled."""
    return float(trace[round(SETTLE_S / DT_S) :].mean())
