"""Pieces that several figures share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, Polygon

from plumenav.figures import _style as style
from plumenav.figures._contract import RunData
from plumenav.starts._contract import start_plugin
from plumenav.world import Grid, extent_mm


def new_figure(width_mm: float, height_mm: float) -> Figure:
    """An empty figure of a size in mm."""
    size = (width_mm * style.MM, height_mm * style.MM)
    # laid out at the resolution it is saved with: text has another width at another one
    return Figure(figsize=size, layout="constrained", dpi=style.DPI)


def say(axes: Axes, text: str) -> None:
    """An empty panel that says why it is empty."""
    axes.set_axis_off()
    axes.text(
        0.5,
        0.5,
        text,
        transform=axes.transAxes,
        ha="center",
        va="center",
        color=style.GREY,
        wrap=True,
    )


def say_inside(axes: Axes, text: str) -> None:
    """An empty panel that says why, with its frame: its neighbours share the axis."""
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color=style.GREY)
    axes.tick_params(bottom=False, labelbottom=False)


def nothing(text: str) -> Figure:
    """A whole figure that says why it is empty."""
    figure = new_figure(style.COLUMN_MM, 30)
    say(figure.add_subplot(), text)
    return figure


def arena_limits(run: RunData, grid: Grid) -> tuple[float, float, float, float]:
    """Axis limits in mm: the recorded image, the start region and the success circle."""
    x0, x1, y0, y1 = extent_mm(grid)
    radius = float(run.simulation["success_radius_mm"])
    x, y = start_outline(run).T
    return (
        min(x0, x.min(), -radius),
        max(x1, x.max(), radius),
        min(y0, y.min(), -radius),
        max(y1, y.max(), radius),
    )


def start_outline(run: RunData) -> np.ndarray:
    """Corners of the start region, mm, shape (n, 2), closed."""
    plugin, params = start_plugin(run.simulation["start"])
    corners: np.ndarray = plugin.outline(params)
    return corners


def set_limits(axes: Axes, limits: tuple[float, float, float, float]) -> None:
    """Limits with a small margin, equal axes."""
    x0, x1, y0, y1 = limits
    margin = 0.02 * (x1 - x0)
    axes.set_xlim(x0 - margin, x1 + margin)
    axes.set_ylim(y0 - margin, y1 + margin)
    axes.set_aspect("equal")


def show_map(axes: Axes, image: np.ndarray, grid: Grid, **how: Any) -> Any:
    """A plume map in mm: row 0 on top is the largest y."""
    return axes.imshow(
        style.shrink(image), extent=extent_mm(grid), origin="upper", interpolation="nearest", **how
    )


def mark_arena(axes: Axes, run: RunData, light: str = "white", dark: str = "black") -> None:
    """Source, success circle and start region, in two colours so that they show on any ground."""
    radius = float(run.simulation["success_radius_mm"])
    corners = start_outline(run)
    for line_colour, width in ((light, 1.3), (dark, 0.6)):
        axes.add_patch(Circle((0, 0), radius, fill=False, ec=line_colour, lw=width, zorder=4))
        axes.add_patch(
            Polygon(corners, fill=False, ec=line_colour, lw=width, ls=(0, (4, 2)), zorder=4)
        )
    axes.plot(0, 0, "+", color=light, ms=4.5, mew=1.6, zorder=5)
    axes.plot(0, 0, "+", color=dark, ms=4, mew=0.7, zorder=5)


def arena_legend() -> list[Line2D]:
    """Handles that explain :func:`mark_arena`."""
    plain: dict[str, Any] = {"color": "black", "ls": "none", "lw": 0.6}
    return [
        Line2D([], [], marker="+", ms=4, mew=0.7, label="source", **plain),
        Line2D([], [], marker="o", ms=5, mfc="none", mew=0.6, label="success circle", **plain),
        Line2D([], [], color="black", lw=0.6, ls=(0, (4, 2)), label="start region"),
    ]


OUTLINE = style.OUTLINE


def mark_wind(axes: Axes, wind: dict[str, Any]) -> None:
    """Arrow along the wind in the upper left corner, with its speed."""
    toward = np.radians(wind["toward_deg"])
    tip = (14 * np.cos(toward), 14 * np.sin(toward))
    axes.annotate(
        "",
        xy=(0.04, 0.86),
        xycoords="axes fraction",
        xytext=tip,
        textcoords="offset points",
        arrowprops={"arrowstyle": "<|-", "lw": 0.8, "color": "white", "path_effects": OUTLINE},
    )
    axes.annotate(
        f"{wind['speed_mm_s']:g} mm/s",
        xy=(0.04, 0.86),
        xycoords="axes fraction",
        xytext=(18, 0),
        textcoords="offset points",
        ha="left",
        va="center",
        color="white",
        fontsize=6,
        path_effects=OUTLINE,
    )


def mark_scale(axes: Axes, limits: tuple[float, float, float, float]) -> None:
    """Scale bar in the lower left corner."""
    x0, x1, y0, y1 = limits
    length = style.nice_length_mm(x1 - x0)
    left, low = x0 + 0.03 * (x1 - x0), y0 + 0.07 * (y1 - y0)
    bar = [left, left + length], [low, low]
    axes.plot(*bar, color="white", lw=1.6, solid_capstyle="butt", path_effects=OUTLINE)
    axes.text(
        left + length / 2,
        low + 0.03 * (y1 - y0),
        f"{length:g} mm",
        ha="center",
        va="bottom",
        color="white",
        fontsize=6,
        path_effects=OUTLINE,
    )


def legend_columns(labels: Sequence[str], width_mm: float, most: int = 5) -> int:
    """Columns of a legend below a figure, so that its longest label fits.

    A letter of the legend's font is about 1.4 mm wide; handle and gaps take 12 mm.

    Examples
    --------
    >>> legend_columns(["fly", "moth"], 85.0), legend_columns(["infotaxis_misfit*"] * 9, 85.0)
    (2, 2)
    """
    widest_mm = 12.0 + 1.4 * max(map(len, labels), default=0)
    return max(1, min(most, len(labels), int(width_mm // widest_mm)))


def colour_bar(figure: Figure, image: Any, axes: Any, label: str, **how: Any) -> None:
    """A thin colour bar with a label that includes the unit."""
    bar = figure.colorbar(image, ax=axes, pad=0.02, aspect=12, shrink=0.85, **how)
    bar.set_label(label, fontsize=6)
    bar.ax.tick_params(labelsize=5.5, width=0.4, size=1.5)
    bar.outline.set_linewidth(0.4)
