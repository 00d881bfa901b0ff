"""Wind from the movie itself: how far the moving concentration shifts from frame to frame.

Space-time correlation (as in particle-image velocimetry; Adrian & Westerweel 2011, Particle Image
Velocimetry, ch. 8): fluctuations about the mean field, each pixel in units of its own standard
deviation, are correlated with those some frames later at every displacement. Three things would
pull the peak, and are taken away: the mean field, which stands still; everything larger than a few
pixels (the plume as a whole swings, but does not pass by); and the plume's outline, by dividing by
the overlap of the plume with its displaced self. Noise does not shift the peak, because the noise
of two frames is independent. The wind is the slope of displacement over lag, through the origin.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

LAGS = (1, 2, 3, 4)
# what is larger than this (standard deviation of a Gaussian, pixels of the sample) is taken away
LARGE_PX = 8.0
# displacements at which less of the plume overlaps with itself than this share are not looked at
LEAST_OVERLAP = 0.2
# a peak lower than this is not a peak
LEAST_CORRELATION = 0.15
# a lag counts if its peak is at least this share of the first lag's, and lies within so much of
# where the shorter lags say
LEAST_SHARE = 0.4
MOST_SURPRISE_PX = 1.0
MOST_SURPRISE = 0.25
# at the longest lag, less than this is no motion
LEAST_PX = 0.3
# fit of the peak: displacements where correlation is at least this share of the highest
PEAK_SHARE = 0.7
PEAK_REACH_PX = 6
# a lag of a burst counts if its time is that of the others within this share
REGULAR = 0.2
LEAST_PAIRS = 5


class Surface(NamedTuple):
    """Correlation at every displacement, for one lag.

    Attributes
    ----------
    lag : int
        Frames.
    lag_s : float
        Mean time between the frames of a pair.
    pairs : int
    correlation : ndarray, shape (2 * reach_row + 1, 2 * reach_column + 1)
        The middle is no displacement; NaN where too little overlaps.
    """

    lag: int
    lag_s: float
    pairs: int
    correlation: np.ndarray


class Peak(NamedTuple):
    """Displacement of one lag, rows and columns, and the correlation there."""

    row: float
    column: float
    correlation: float


class Motion(NamedTuple):
    """Motion of a movie's pattern.

    Attributes
    ----------
    row_px_s, column_px_s : float or None
        Velocity; None if the movie gives none.
    confidence : float
        0 to 1: the correlation at the shortest lag used, times how well displacement is
        proportional to lag.
    reason : str
        Why there is none; empty if there is.
    lags_s, rows_px, columns_px, correlations : list of float
        Points of the fit.
    surfaces : tuple of Surface
    """

    row_px_s: float | None
    column_px_s: float | None
    confidence: float
    reason: str
    lags_s: list[float]
    rows_px: list[float]
    columns_px: list[float]
    correlations: list[float]
    surfaces: tuple[Surface, ...]


def pairs_of(burst: np.ndarray, time_s: np.ndarray, lag: int, interval_s: float) -> np.ndarray:
    """First frames of the pairs `lag` frames apart in one burst, at a regular interval."""
    first = np.arange(len(burst) - lag)
    together = burst[first] == burst[first + lag]
    spacing = time_s[first + lag] - time_s[first]
    regular = np.abs(spacing - lag * interval_s) <= REGULAR * interval_s
    return np.asarray(first[together & regular])


def correlation_surfaces(
    frames: np.ndarray,
    sd: np.ndarray,
    plume: np.ndarray,
    burst: np.ndarray,
    time_s: np.ndarray,
    lags: Sequence[int] = LAGS,
) -> list[Surface]:
    """Correlation of the moving concentration with itself some frames later.

    Parameters
    ----------
    frames : ndarray, shape (n, height, width), float32
    sd : ndarray, shape (height, width)
        Over time.
    plume : ndarray of bool, shape (height, width)
        Pixels that are looked at.
    burst : ndarray of int, shape (n,)
        Frames of one burst follow each other.
    time_s : ndarray, shape (n,)
    lags : sequence of int
        Frames.

    Returns
    -------
    list of Surface
        Those lags that have pairs.
    """
    from scipy import fft

    n, height, width = frames.shape
    shape = (
        fft.next_fast_len(2 * height - 1, real=True),
        fft.next_fast_len(2 * width - 1, real=True),
    )
    weight = np.where(plume, 1.0 / np.maximum(smooth_sd(sd), 1e-12), 0.0).astype(np.float32)
    interval_s = _interval_s(burst, time_s)
    if interval_s <= 0:
        return []
    firsts = {lag: pairs_of(burst, time_s, lag, interval_s) for lag in lags if lag < n}
    firsts = {lag: first for lag, first in firsts.items() if len(first) >= LEAST_PAIRS}
    if not firsts:
        return []
    partners: dict[int, list[tuple[int, int]]] = {}
    for lag, first in firsts.items():
        for i in first.tolist():
            partners.setdefault(i + lag, []).append((lag, i))
    power = {lag: np.zeros((shape[0], shape[1] // 2 + 1), np.complex64) for lag in firsts}
    kept: dict[int, np.ndarray] = {}
    reach = max(firsts)
    held, first_mean, second_mean = -1, None, None
    means = other_means(frames, burst)
    for k in range(n):
        if int(burst[k]) != held:
            held = int(burst[k])
            first_mean, second_mean = (fft.rfft2(m * weight, shape) for m in means(held))
        kept[k] = fft.rfft2(frames[k] * weight, shape)
        kept.pop(k - reach - 1, None)
        for lag, i in partners.get(k, []):
            power[lag] += np.conj(kept[i] - first_mean) * (kept[k] - second_mean)
    spectrum = fft.rfft2(plume.astype(np.float32), shape)
    overlap = _centred(fft.irfft2(np.abs(spectrum) ** 2, shape), height, width)
    enough = overlap >= LEAST_OVERLAP * plume.sum()
    surfaces = []
    for lag, first in firsts.items():
        product = _centred(fft.irfft2(power[lag], shape), height, width) / len(first)
        correlation = np.where(enough, product / np.maximum(overlap, 1.0), np.nan)
        lag_s = float((time_s[first + lag] - time_s[first]).mean())
        surfaces.append(Surface(lag, lag_s, len(first), correlation))
    return surfaces


def other_means(
    frames: np.ndarray, burst: np.ndarray
) -> Callable[[int], tuple[np.ndarray, np.ndarray]]:
    """Two mean fields for a burst: over one half of the other bursts, and over the other half.

    A mean that holds the burst's own slow pattern would push its peak away from no displacement,
    and one that is the same for both frames of a pair would pull it there. (With fewer than three
    bursts it is one mean, with a single one its own.)
    """
    numbers, at = np.unique(burst, return_inverse=True)
    sums = np.stack([frames[at == i].sum(axis=0, dtype=np.float32) for i in range(len(numbers))])
    counts = np.bincount(at)
    halves = np.arange(len(numbers)) % 2
    totals = [(sums[halves == h].sum(axis=0), int(counts[halves == h].sum())) for h in (0, 1)]

    def means(number: int) -> tuple[np.ndarray, np.ndarray]:
        i = int(np.searchsorted(numbers, number))
        parts = []
        for half in (0, 1):
            own = halves[i] == half
            total = totals[half][0] - (sums[i] if own else 0.0)
            parts.append((total, totals[half][1] - (int(counts[i]) if own else 0)))
        if len(numbers) == 1:
            parts = [(sums[0], int(counts[0]))] * 2
        elif len(numbers) == 2:
            parts = [part for part in parts if part[1]] * 2
        return parts[0][0] / parts[0][1], parts[1][0] / parts[1][1]

    return means


def _interval_s(burst: np.ndarray, time_s: np.ndarray) -> float:
    """Median time between consecutive frames of a burst."""
    inside = burst[1:] == burst[:-1]
    return float(np.median(np.diff(time_s)[inside])) if inside.any() else 0.0


def _centred(surface: np.ndarray, height: int, width: int) -> np.ndarray:
    """Displacements -(height - 1) .. height - 1, -(width - 1) .. width - 1 of a cyclic one."""
    rows = np.arange(-(height - 1), height)
    columns = np.arange(-(width - 1), width)
    return np.asarray(surface[np.ix_(rows, columns)], np.float64)


def peak_of(correlation: np.ndarray, near: tuple[float, float] | None = None) -> Peak | None:
    """Highest point of a correlation surface, between pixels.

    A Gaussian is fitted to the neighbourhood of the highest pixel where correlation is a large
    share of it: a wide peak is found by all of its top, a narrow one by 3 x 3 pixels. (A parabola
    would pull the peak towards whole pixels.)

    Parameters
    ----------
    correlation : ndarray
        NaN where not known; the middle is no displacement.
    near : tuple of float, optional
        Only displacements within half this length around it (and at least 5 pixels).

    Returns
    -------
    Peak or None
        None if there is no peak inside the surface.
    """
    middle = (correlation.shape[0] // 2, correlation.shape[1] // 2)
    rows, columns = np.ogrid[: correlation.shape[0], : correlation.shape[1]]
    looked_at = np.where(np.isnan(correlation), -np.inf, correlation)
    if near is not None:
        distance = np.hypot(rows - middle[0] - near[0], columns - middle[1] - near[1])
        looked_at = np.where(distance <= max(5.0, 0.5 * np.hypot(*near)), looked_at, -np.inf)
    row, column = divmod(int(np.argmax(looked_at)), correlation.shape[1])
    top = looked_at[row, column]
    if not np.isfinite(top) or top <= 0:
        return None
    reach = PEAK_REACH_PX
    r0, c0 = max(row - reach, 0), max(column - reach, 0)
    part = correlation[r0 : row + reach + 1, c0 : column + reach + 1]
    r, c = np.mgrid[: part.shape[0], : part.shape[1]]
    r, c = r + r0 - row, c + c0 - column
    chosen = np.isfinite(part) & ((part >= PEAK_SHARE * top) | (np.maximum(abs(r), abs(c)) <= 1))
    if chosen.sum() < 6:
        return None
    r, c, z = r[chosen], c[chosen], np.maximum(part[chosen] / top, 1e-3)
    terms = np.stack([np.ones(len(z)), r, c, r * r, r * c, c * c], axis=1)
    # weighted by height, so that the logarithm does not make the foot important
    _, br, bc, arr, arc, acc = np.linalg.lstsq(terms * z[:, None], np.log(z) * z, rcond=None)[0]
    curvature = np.array([[2 * arr, arc], [arc, 2 * acc]])
    if np.linalg.det(curvature) <= 0 or arr >= 0:
        return None
    dr, dc = np.linalg.solve(curvature, [-br, -bc])
    if max(abs(dr), abs(dc)) > 2.0:
        dr, dc = 0.0, 0.0
    return Peak(float(row + dr - middle[0]), float(column + dc - middle[1]), float(top))


def small_scales(frames: np.ndarray, large_px: float = LARGE_PX) -> np.ndarray:
    """Frames without what is larger than a few pixels, shape (n, height, width), float32."""
    import cv2

    result = np.empty(frames.shape, np.float32)
    for k, frame in enumerate(frames):
        np.subtract(frame, cv2.GaussianBlur(frame, (0, 0), large_px), out=result[k])
    return result


def smooth_sd(sd: np.ndarray, large_px: float = LARGE_PX) -> np.ndarray:
    """Standard deviations over a neighbourhood.

    Those of single pixels hold the very whiffs that passed there, and would hold the peak back.
    """
    import cv2

    variance = cv2.GaussianBlur(sd * sd, (0, 0), large_px)
    return np.asarray(np.sqrt(np.maximum(variance, 0.0)))


def nothing(reason: str, surfaces: Sequence[Surface] = ()) -> Motion:
    """No motion was found, and why."""
    return Motion(None, None, 0.0, reason, [], [], [], [], tuple(surfaces))


def motion_of(surfaces: Sequence[Surface]) -> Motion:
    """Velocity from the peaks of correlation surfaces.

    Each lag is looked for where the shorter ones say; displacements are fitted to lags through the
    origin, weighted by the square of their correlation.

    Parameters
    ----------
    surfaces : sequence of Surface
        From :func:`correlation_surfaces`, lags rising.
    """
    if not surfaces:
        return nothing("too few frames follow each other at a regular interval")
    points: list[tuple[float, Peak]] = []
    for surface in surfaces:
        expected = _expected(points, surface.lag_s)
        peak = peak_of(surface.correlation, expected if points else None)
        if peak is None:
            continue
        if points:
            surprise = np.hypot(peak.row - expected[0], peak.column - expected[1])
            limit = max(MOST_SURPRISE_PX, MOST_SURPRISE * float(np.hypot(*expected)))
            if surprise > limit or peak.correlation < LEAST_SHARE * points[0][1].correlation:
                continue
        elif peak.correlation < LEAST_CORRELATION:
            found = f"{peak.correlation:.2f}, at least {LEAST_CORRELATION:g} is needed"
            return nothing(f"no pattern keeps its shape from frame to frame ({found})", surfaces)
        points.append((surface.lag_s, peak))
    if not points:
        return nothing("the correlation of neighbouring frames has no peak", surfaces)
    lag_s = np.array([lag for lag, _ in points])
    moved = np.array([(peak.row, peak.column) for _, peak in points])
    correlation = np.array([peak.correlation for _, peak in points])
    if np.hypot(*moved[-1]) < LEAST_PX:
        longest = f"{np.hypot(*moved[-1]):.2f} pixels in {lag_s[-1]:.3g} s"
        return nothing(f"what fluctuates does not move ({longest})", surfaces)
    weight = correlation**2
    velocity = (weight * lag_s) @ moved / (weight @ lag_s**2)
    missed = weight @ ((moved - lag_s[:, None] * velocity) ** 2).sum(axis=1)
    straight = 1.0 - missed / (weight @ (moved**2).sum(axis=1))
    confidence = float(np.clip(correlation[0] * straight, 0.0, 1.0))
    return Motion(
        float(velocity[0]),
        float(velocity[1]),
        confidence,
        "",
        lag_s.tolist(),
        moved[:, 0].tolist(),
        moved[:, 1].tolist(),
        correlation.tolist(),
        tuple(surfaces),
    )


def _expected(points: Sequence[tuple[float, Peak]], lag_s: float) -> tuple[float, float]:
    """Displacement at a lag as the last shorter lag says; none before the first."""
    if not points:
        return (0.0, 0.0)
    last_s, peak = points[-1]
    return peak.row * lag_s / last_s, peak.column * lag_s / last_s
