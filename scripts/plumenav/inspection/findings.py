"""What small images of a recording say of its plume: where nothing is, where most is, which way.

Everything here is a guess to look at, made from pictures alone; the words of the page say so.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

REFERENCE_FRAMES = 5
SHORTEST_LEAD_IN = 10
# A frame is quiet while its largest differences stay below this many times those of the first
# frames, or below this share of the largest of all (a sky drifts, a lamp warms up).
QUIET_FACTOR, QUIET_SHARE = 2.0, 0.05
# The plume is there from the start if the first frames differ among themselves as much as later
# ones do, and some pixels far more than most.
MOVES_SHARE, MOVES_FACTOR = 0.25, 6.0
MARGIN = 0.9  # of the quiet frames that are suggested: smoke is thin when it begins
CLEAR_TAIL = 1.5  # polarity is clear if one tail is this many times the other
CLEAR_SKEWNESS = 0.1
BUSY = 3.0  # pixels whose deviation over time is this many times that of the quietest tenth


HUE_SHARE = 2e-3  # of the coloured pixels: a plume is small in its picture


class LeadIn(NamedTuple):
    """Plume-free frames at the start.

    Attributes
    ----------
    frames : int
        How many of the first frames stay quiet.
    suggested : tuple of int or None
        [first, end) for `background.frames`; None if there are too few.
    all_quiet : bool
        True if no plume came in what was looked at.
    """

    frames: int
    suggested: tuple[int, int] | None
    all_quiet: bool


class Background(NamedTuple):
    """What stands still.

    Attributes
    ----------
    level : float
        Median over pixels of the image without plume.
    share : float
        The same, as a share of the bright end of the movie.
    texture_sd : float
        Its standard deviation over pixels.
    """

    level: float
    share: float
    texture_sd: float


class Peak(NamedTuple):
    """Where the mean field is largest, in pixels of the file."""

    row: int
    column: int


def quiet_start(early: np.ndarray, step: float = 0.0) -> LeadIn:
    """Frames at the start that show no plume yet.

    The largest differences of each frame (99.8 % point over pixels) to the mean of the first five
    are compared with those among the five.

    Parameters
    ----------
    early : ndarray, shape (n, height, width), float32
        The first frames.
    step : float
        Smallest step of the stored numbers, which can hide the noise of most pixels.
    """
    n = len(early)
    if n < SHORTEST_LEAD_IN:
        return LeadIn(0, None, False)
    reference = early[:REFERENCE_FRAMES].mean(axis=0)
    distance = np.array([np.percentile(np.abs(frame - reference), 99.8) for frame in early])
    first, largest = float(distance[:REFERENCE_FRAMES].max()), float(distance.max())
    changes = np.diff(early[: REFERENCE_FRAMES + 1], axis=0)
    sd = np.sqrt(np.mean(np.square(changes), axis=0) / 2)
    busy, most = np.percentile(sd, [99.8, 50.0])
    if first > MOVES_SHARE * largest and busy > MOVES_FACTOR * max(float(most), step / 4):
        return LeadIn(0, None, False)
    loud = np.flatnonzero(distance > max(QUIET_FACTOR * first, QUIET_SHARE * largest))
    frames = int(loud[0]) if len(loud) else n
    if frames < SHORTEST_LEAD_IN:
        return LeadIn(frames, None, False)
    return LeadIn(frames, (0, int(frames * MARGIN)), frames == n)


def background(empty: np.ndarray, top: float) -> Background:
    """The image without plume, in three numbers.

    Parameters
    ----------
    empty : ndarray, shape (height, width)
    top : float
        The bright end of the movie (its 99.9 % point, say), for `share`.
    """
    level = float(np.median(empty))
    return Background(level, level / top if top > 0 else 0.0, float(empty.std()))


def _quiet_image(early: np.ndarray, lead_in: LeadIn) -> np.ndarray | None:
    """Mean of the plume-free frames at the start, if there are any."""
    if lead_in.suggested is None:
        return None
    first, end = lead_in.suggested
    return np.asarray(early[first:end].mean(axis=0))


def empty_image(
    early: np.ndarray, spread: np.ndarray, lead_in: LeadIn, kind: str = "bright"
) -> np.ndarray:
    """Mean of the plume-free frames; without them, the clear end of each pixel over time.

    (The smallest value of many noisy ones lies below the background; the tenth percentile of at
    most 64 hardly does. Where the plume is dark, it is the ninetieth.)

    Parameters
    ----------
    early, spread : ndarray, shape (n, height, width)
    lead_in : LeadIn
    kind : str
        Polarity.
    """
    quiet = _quiet_image(early, lead_in)
    if quiet is not None:
        return quiet
    return np.asarray(np.percentile(spread, 90.0 if kind == "dark" else 10.0, axis=0))


def polarity(early: np.ndarray, spread: np.ndarray, lead_in: LeadIn) -> str:
    """Whether the plume is bright or dark: bright, dark or unclear.

    Against plume-free frames, the larger tail of the differences decides; without them, the
    skewness over time of the pixels that change: odour comes in bursts.

    Parameters
    ----------
    early, spread : ndarray, shape (n, height, width)
    lead_in : LeadIn
    """
    quiet = _quiet_image(early, lead_in)
    if quiet is not None:
        low, high = np.percentile(spread - quiet, [0.2, 99.8])
        if high > CLEAR_TAIL * -low:
            return "bright"
        return "dark" if -low > CLEAR_TAIL * high else "unclear"
    off = spread - spread.mean(axis=0)
    sd = off.std(axis=0)
    busy = sd > max(BUSY * float(np.percentile(sd, 10.0)), 1e-9)
    if not busy.any():
        return "unclear"
    skewness = float((off[:, busy] ** 3).mean(axis=0).sum() / (sd[busy] ** 3).sum())
    if abs(skewness) < CLEAR_SKEWNESS:
        return "unclear"
    return "bright" if skewness > 0 else "dark"


def peak_of_mean(spread: np.ndarray, empty: np.ndarray, kind: str, shrink: int) -> Peak | None:
    """Pixel of the file where the plume is strongest on average: a candidate for the source.

    Parameters
    ----------
    spread : ndarray, shape (n, height, width)
    empty : ndarray, shape (height, width)
        The image without plume.
    kind : str
        Polarity.
    shrink : int
        Edge of a small pixel in pixels of the file.

    Returns
    -------
    Peak or None
        None if polarity is unclear: then there is no telling.
    """
    if kind == "unclear":
        return None
    excess = (spread.mean(axis=0) - empty) * (-1.0 if kind == "dark" else 1.0)
    smooth = cv2.blur(excess.astype(np.float32), (3, 3), borderType=cv2.BORDER_REPLICATE)
    row, column = divmod(int(np.argmax(smooth)), smooth.shape[1])
    middle = (shrink - 1) / 2
    return Peak(round(row * shrink + middle), round(column * shrink + middle))


class Colour(NamedTuple):
    """What the three channels of a recording look like.

    Attributes
    ----------
    largest_difference : int
        Between channels of one pixel.
    coloured : float
        Share of pixels whose channels differ by more than an eighth of the largest.
    hues : int
        Twelfths of the colour circle that each hold at least 0.2 % of the coloured pixels.
    """

    largest_difference: int
    coloured: float
    hues: int

    @property
    def equal(self) -> bool:
        """True if all channels are the same."""
        return self.largest_difference == 0

    @property
    def false_colour(self) -> bool:
        """True if it looks like a map of colours rather than like light of one colour."""
        return self.coloured > 0.2 and self.hues >= 3


def colour_of(frames: np.ndarray) -> Colour:
    """Colour of frames, shape (n, height, width, 3), blue, green and red."""
    pixels = frames.reshape(-1, 3)
    pixels = pixels[:: max(1, len(pixels) // 500_000)].astype(np.float32)
    high, low = pixels.max(axis=1), pixels.min(axis=1)
    spread = high - low
    vivid = (spread > high / 8) & (spread > 0.05 * max(float(high.max()), 1e-9))
    hues = 0
    if vivid.any():
        image = np.ascontiguousarray(pixels[vivid][None] / max(float(high.max()), 1e-9))
        degrees = cv2.cvtColor(image, cv2.COLOR_BGR2HSV)[0, :, 0]
        shares = np.histogram(degrees, bins=12, range=(0.0, 360.0))[0] / vivid.sum()
        hues = int(np.count_nonzero(shares >= HUE_SHARE))
    return Colour(int(np.ceil(spread.max())), float(vivid.mean()), hues)
