"""One look for all figures: sizes of a journal column, fonts, colours."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.colors import PowerNorm
from matplotlib.patheffects import withStroke

MM = 1 / 25.4  # mm to inch
DPI = 300  # of the PNG
COLUMN_MM, PAGE_MM = 85.0, 174.0

RC: dict[str, Any] = {
    "font.family": "DejaVu Sans",  # shipped with matplotlib: the same on every machine
    "font.size": 7.0,
    "axes.titlesize": 7.0,
    "axes.labelsize": 7.0,
    "xtick.labelsize": 6.0,
    "ytick.labelsize": 6.0,
    "legend.fontsize": 6.5,
    "legend.frameon": False,
    "axes.linewidth": 0.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.unicode_minus": True,
    "xtick.major.width": 0.5,
    "ytick.major.width": 0.5,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "xtick.major.size": 2.0,
    "ytick.major.size": 2.0,
    "xtick.minor.size": 1.2,
    "ytick.minor.size": 1.2,
    "lines.linewidth": 1.0,
    "lines.markersize": 3.5,
    "patch.linewidth": 0.6,
    "grid.color": "#d9d9d9",
    "grid.linewidth": 0.4,
    "axes.axisbelow": True,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "pdf.fonttype": 42,  # text stays text in the PDF
    "svg.fonttype": "path",  # looks the same without the font
    "svg.hashsalt": "plumenav",  # ids in the SVG do not change from run to run
    "figure.constrained_layout.h_pad": 0.03,
    "figure.constrained_layout.w_pad": 0.03,
    "figure.constrained_layout.hspace": 0.04,
}

# Okabe & Ito (2008), distinguishable with every common colour vision; their yellow, too faint for
# lines on white, is darkened.
PALETTE = (
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#cc79a7",
    "#e69f00",
    "#56b4e9",
    "#000000",
    "#9a8700",
)
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
LINES = ("-", "--", "-.", ":")
GREY, DARK = "#7f7f7f", "#333333"
MAP_COLOURS = "cividis"  # even in lightness, made for colour-blind readers
SHARE_COLOURS = "magma"
# light marks on a map that is light in places
OUTLINE = [withStroke(linewidth=1.4, foreground="black")]


def colour(i: int) -> str:
    """Colour of the i-th agent."""
    return PALETTE[i % len(PALETTE)]


def line(i: int) -> str:
    """Line style of the i-th agent: solid until the colours are used up."""
    return LINES[(i // len(PALETTE)) % len(LINES)]


def marker(i: int) -> str:
    """Marker of the i-th thing."""
    return MARKERS[i % len(MARKERS)]


def concentration_norm(images: list[np.ndarray]) -> PowerNorm:
    """Square-root colour scale from 0 to the 99.8 % point of the images, common to them."""
    values = np.concatenate([image[np.isfinite(image)].ravel() for image in images])
    top = float(np.quantile(values, 0.998)) if len(values) else 1.0
    return PowerNorm(0.5, vmin=0.0, vmax=top if top > 0 else 1.0, clip=True)


def shrink(image: np.ndarray, limit: int = 480) -> np.ndarray:
    """Image averaged over square blocks of pixels so that no side exceeds `limit`.

    The rim that does not fill a block is averaged over what there is.
    """
    k = -(-max(image.shape) // limit)
    if k <= 1:
        return image
    rows = np.arange(0, image.shape[0], k)
    columns = np.arange(0, image.shape[1], k)
    total = np.add.reduceat(np.add.reduceat(image, rows, axis=0), columns, axis=1)
    ones = np.add.reduceat(np.add.reduceat(np.ones(image.shape), rows, axis=0), columns, axis=1)
    return np.asarray(total / ones)


def share_ticks(top: float) -> list[float]:
    """Ticks of a square-root colour scale from 0 to `top` that stay apart.

    Examples
    --------
    >>> share_ticks(0.8)
    [0.0, 0.05, 0.2, 0.5]
    """
    steps = [m * 10.0**power for power in range(-6, 6) for m in (1, 2, 5)]
    ticks = [0.0]
    for value in sorted((v for v in steps if v <= top), reverse=True):
        # at least a sixth of the bar's length between neighbours
        above = min((t for t in ticks if t > value), default=np.inf)
        if (above / top) ** 0.5 - (value / top) ** 0.5 > 0.22 and (value / top) ** 0.5 > 0.2:
            ticks.append(round(value, 9))
    return sorted(ticks)


def nice_length_mm(width_mm: float) -> float:
    """Length of a scale bar: 1, 2 or 5 times a power of ten, at most a quarter of the width."""
    power = 10.0 ** np.floor(np.log10(width_mm / 4))
    return float(max(m * power for m in (1, 2, 5) if m * power <= width_mm / 4))
