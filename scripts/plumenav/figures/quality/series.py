"""The movie over time: mean of each frame, intervals, and frames that are missing or repeated."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes

from plumenav.figures import _style as style
from plumenav.figures.quality.contents import Contents, Plotted
from plumenav.figures.quality.placing import SMALL_PT, Sheet, wrapped

# more points than this become the range of their bins
MOST_POINTS = 1500
# an interval is a gap, or two stamps are the same, where it differs so much from the median
GAP, TWICE = 1.5, 0.5
GAP_COLOUR, MISSING_COLOUR, REPEATED_COLOUR = "#bdbdbd", style.PALETTE[1], style.PALETTE[0]
# the lost part of a recording takes at least and at most this share of the axis
LEAST_LOST, MOST_LOST = 0.17, 0.3
LEFT_MM, LABEL_MM = 13.0, 8.5  # of the panel's frame from its cell, and of its label from the frame


class Binned(NamedTuple):
    """A long series as the range of its bins: low and high are the same for single points."""

    x: np.ndarray
    low: np.ndarray
    high: np.ndarray


def binned(x: np.ndarray, y: np.ndarray, most: int = MOST_POINTS) -> Binned:
    """Lowest and highest value in at most so many bins of neighbours.

    Examples
    --------
    >>> binned(np.arange(4.0), np.array([1.0, 3.0, 2.0, 0.0]), 2)
    Binned(x=array([0., 2.]), low=array([1., 0.]), high=array([3., 2.]))
    """
    k = -(-len(x) // most)
    if k <= 1:
        return Binned(x, y, y)
    starts = np.arange(0, len(x), k)
    low, high = np.minimum.reduceat(y, starts), np.maximum.reduceat(y, starts)
    return Binned(x[starts], low, high)


def gaps_of(time_s: np.ndarray) -> np.ndarray:
    """Frames before which there is a gap in time."""
    interval = np.diff(time_s)
    if not len(interval):
        return np.empty(0, int)
    return np.flatnonzero(interval > GAP * np.median(interval)) + 1


def lost_span_s(c: Contents, length_s: float) -> float:
    """Length of axis that the lost part of a recording takes; 0 if nothing was lost."""
    lost, why = c.record.get("frames_lost"), c.record.get("loss")
    if not lost and not why:
        return 0.0
    wanted_s = (lost or 0) * float(np.median(np.diff(c.time_s)))
    return float(np.clip(wanted_s, LEAST_LOST * length_s, MOST_LOST * length_s))


def draw_series(
    sheet: Sheet, c: Contents, left: float, top: float, width: float, plotted: Plotted
) -> None:
    """Mean of each frame above, intervals between frames below; the same times on both."""
    sheet.title(left - LEFT_MM, top, "g", "mean of each frame, and intervals between frames")
    upper = sheet.axes(left, top + 6.0, width, 14.5)
    lower = sheet.axes(left, top + 22.5, width, 9.5)
    time_s = c.time_s - c.time_s[0]
    length_s = float(time_s[-1])
    lost_s = lost_span_s(c, length_s)
    gaps = gaps_of(time_s)
    _means(upper, time_s, c.arrays["frame_mean"].astype(float), gaps, plotted)
    _intervals(lower, time_s, plotted)
    for axes in (upper, lower):
        axes.set_xlim(-0.01 * length_s, 1.01 * length_s + lost_s)
        for k in gaps.tolist() if len(gaps) <= 200 else []:
            axes.axvspan(time_s[k - 1], time_s[k], color=GAP_COLOUR, lw=0, alpha=0.6, zorder=0)
        if lost_s:
            end = 1.01 * length_s + lost_s
            axes.axvspan(length_s, end, fc="none", ec=style.GREY, hatch="/////", lw=0)
    _marks(sheet, upper, c, time_s, gaps, left, top, width, plotted)
    upper.tick_params(labelbottom=False)
    upper.set_ylabel("mean", labelpad=2)
    lower.set_ylabel("interval\n(ms)", labelpad=2, linespacing=1.0)
    lower.set_xlabel("time (s)", labelpad=1)
    for axes in (upper, lower):
        axes.yaxis.set_label_coords(-LABEL_MM / width, 0.5)


def _means(
    axes: Axes, time_s: np.ndarray, mean: np.ndarray, gaps: np.ndarray, plotted: Plotted
) -> None:
    drawn = binned(time_s, mean)
    if len(drawn.x) == len(time_s):
        # the line is broken where frames are missing
        axes.plot(
            np.insert(time_s, gaps, np.nan), np.insert(mean, gaps, np.nan), color=style.DARK, lw=0.6
        )
        plotted.add("g", "mean of frame", x=time_s, value=mean, units=("s", "", "concentration"))
    else:
        axes.fill_between(drawn.x, drawn.low, drawn.high, color=style.DARK, lw=0.4)
        _plot_range("mean of frame", drawn, "concentration", plotted)
    axes.margins(y=0.12)
    axes.locator_params(axis="y", nbins=4)


def _intervals(axes: Axes, time_s: np.ndarray, plotted: Plotted) -> None:
    interval_ms = 1000 * np.diff(time_s)
    drawn = binned(time_s[1:], interval_ms)
    if len(drawn.x) == len(interval_ms):
        axes.plot(time_s[1:], interval_ms, ".", color=style.DARK, ms=1.6, mew=0)
        plotted.add("g", "interval", x=time_s[1:], value=interval_ms, units=("s", "", "ms"))
    else:
        axes.vlines(drawn.x, drawn.low, drawn.high, color=style.DARK, lw=0.5)
        axes.plot(drawn.x, drawn.high, ".", color=style.DARK, ms=1.6, mew=0)
        _plot_range("interval", drawn, "ms", plotted)
    top = float(interval_ms.max())
    axes.set_ylim(min(0.0, 1.15 * float(interval_ms.min())) - 0.06 * top, 1.18 * top)
    axes.locator_params(axis="y", nbins=3)


def _plot_range(series: str, drawn: Binned, unit: str, plotted: Plotted) -> None:
    for name, values in (("lowest", drawn.low), ("highest", drawn.high)):
        plotted.add("g", f"{series}, {name} of bin", x=drawn.x, value=values, units=("s", "", unit))


def _marks(
    sheet: Sheet,
    axes: Axes,
    c: Contents,
    time_s: np.ndarray,
    gaps: np.ndarray,
    left: float,
    top: float,
    width: float,
    plotted: Plotted,
) -> None:
    """Ticks above the panel, and what they are in words."""
    words = []
    kinds = (
        ("frames missing before", "missing_before", "v", MISSING_COLOUR, "missing"),
        ("frame repeats the last", "repeated", "^", REPEATED_COLOUR, "repeated"),
    )
    for series, array, marker, colour, word in kinds:
        frames = c.arrays[array]
        if not len(frames):
            continue
        axes.plot(
            time_s[frames],
            np.full(len(frames), 1.04 if marker == "v" else 0.03),
            marker,
            color=colour,
            ms=3.2,
            mew=0,
            transform=axes.get_xaxis_transform(),
            clip_on=False,
            zorder=6,
        )
        plotted.add("g", series, x=time_s[frames], value=frames, units=("s", "", "frame"))
        words.append((marker, colour, f"{word} ({len(frames)})"))
    if len(gaps):
        words.append(("s", GAP_COLOUR, f"gap in time ({len(gaps)})"))
        plotted.add("g", "gap before", x=time_s[gaps], value=gaps, units=("s", "", "frame"))
    if words:
        handles = [
            axes.plot([], [], marker, color=colour, ms=3.5, mew=0, label=text)[0]
            for marker, colour, text in words
        ]
        axes.legend(
            handles=handles,
            loc="lower right",
            bbox_to_anchor=(1.0, 1.08),
            ncols=3,
            fontsize=SMALL_PT,
            borderaxespad=0,
            handletextpad=0.1,
            columnspacing=1.0,
        )
    if lost_span_s(c, float(time_s[-1])):
        n = c.record.get("frames_lost")
        text = f"{n} frames lost" if n else "unknown number of frames lost"
        plotted.add("g", "lost frames", value=n, units=("", "", "frames"), says=text)
        at = float(time_s[-1])
        share = (at - axes.get_xlim()[0]) / np.diff(axes.get_xlim())[0]
        axes.annotate(
            "\n".join(wrapped(text, max(width * (1 - share) - 1, 13.0), SMALL_PT)),
            (1.0, 0.92),
            xycoords="axes fraction",
            ha="right",
            va="top",
            fontsize=SMALL_PT,
            bbox={"fc": "white", "ec": "none", "pad": 0.8},
        )
