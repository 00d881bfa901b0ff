"""Maps of a recording in the world frame, with what is declared of it and what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from plumenav.figures import _style as style
from plumenav.figures.quality.contents import Contents, Plotted
from plumenav.figures.quality.placing import SMALL_PT, WIDTH_MM, Sheet, plain, short, wrapped
from plumenav.world import Grid, extent_mm, x_of_column, y_of_row

# a map is drawn with at most so many pixels a side, and these are the numbers in the CSV
MOST_PX = 136
LEFT_MM, BAR_MM = 10.0, 12.5  # for tick labels of y, and for the colour bar
HIGHEST_MM = 26.0
CELL_MM = WIDTH_MM / 3
ARROW_MM = 8.0
MEASURED = style.PALETTE[4]
# an edge of the drawn area, at most so many image sides away from the image
FARTHEST = 0.35

Limits = tuple[float, float, float, float]


class Map(NamedTuple):
    """One map and how it is drawn."""

    letter: str
    series: str
    title: str
    image: np.ndarray | None
    grid: Grid
    unit: str
    colours: str
    norm: Normalize | None
    why: str  # there is none


def sample_grid(grid: Grid, factor: int, shape: Sequence[int]) -> Grid:
    """Grid of an image averaged over `factor` x `factor` pixels.

    Examples
    --------
    >>> sample_grid(Grid(4, 6, 1.0, 1.5, 0.5), 2, (2, 3))
    Grid(height=2, width=3, mm_per_px=2.0, source_row=0.5, source_column=0.0)
    """
    return Grid(
        int(shape[0]),
        int(shape[1]),
        grid.mm_per_px * factor,
        (grid.source_row + 0.5) / factor - 0.5,
        (grid.source_column + 0.5) / factor - 0.5,
    )


def drawn_of(image: np.ndarray, grid: Grid) -> tuple[np.ndarray, Grid]:
    """An image small enough to draw, and its grid; a rim that fills no block is left out."""
    k = -(-max(image.shape) // MOST_PX)
    if k <= 1:
        return image, grid
    height, width = image.shape[0] // k, image.shape[1] // k
    blocks = image[: height * k, : width * k].reshape(height, k, width, k)
    small = blocks.mean(axis=(1, 3), dtype=np.float64)
    return small, sample_grid(grid, k, small.shape)


def maps_of(c: Contents) -> list[Map]:
    """The five maps of a page."""
    unit = c.metadata.get("unit")
    concentration = "concentration"
    if unit:
        concentration = f"1 = {unit.replace('fraction of source', 'source')}"
    factor = int(c.arrays["factor"])
    small = sample_grid(c.grid, factor, c.arrays["mean"].shape)
    time_s = float(c.time_s[c.frame_number] - c.time_s[0])
    threshold = c.measures.get("threshold")
    no_threshold = (
        "no intermittency and no whiffs: the noise of blank air is not known (normalize.blank), and"
        " quality.whiff_threshold is not given"
    )
    above = "intermittency"
    if threshold is not None:
        above = f"share of frames above {short(threshold, 2)}"

    def of(letter: str, name: str, title: str, image: Any, grid: Grid, what: str, how: str) -> Map:
        colours = style.MAP_COLOURS if how == "root" else style.SHARE_COLOURS
        if image is None:
            return Map(letter, name, title, None, grid, what, colours, None, no_threshold)
        norm = (
            style.concentration_norm([image])
            if how == "root"
            else Normalize(0.0, 1.0 if how == "share" else _top(image), clip=True)
        )
        return Map(letter, name, title, image, grid, what, colours, norm, "")

    at = f"frame {c.frame_number}, at {time_s:.4g} s"
    return [
        of("a", "frame", at, c.frame, c.grid, concentration, "root"),
        of("b", "mean", "mean", c.arrays["mean"], small, concentration, "root"),
        of("c", "sd", "standard deviation", c.arrays["sd"], small, concentration, "root"),
        of("d", "intermittency", above, c.arrays.get("intermittency"), c.grid, "share", "share"),
        of(
            "e",
            "whiff_rate",
            "whiffs that begin",
            c.arrays.get("whiff_rate_hz"),
            c.grid,
            "per second",
            "rate",
        ),
    ]


def _top(image: np.ndarray) -> float:
    top = float(np.quantile(image, 0.998))
    return top if top > 0 else 1.0


def limits_of(c: Contents) -> Limits:
    """Axis limits in mm: the image, and the declared and estimated sources if they are near."""
    x0, x1, y0, y1 = extent_mm(c.grid)
    reach_x, reach_y = FARTHEST * (x1 - x0), FARTHEST * (y1 - y0)
    for x, y in sources_mm(c).values():
        if x0 - reach_x <= x <= x1 + reach_x and y0 - reach_y <= y <= y1 + reach_y:
            x0, x1, y0, y1 = min(x0, x), max(x1, x), min(y0, y), max(y1, y)
    margin = 0.02 * max(x1 - x0, y1 - y0)
    return x0 - margin, x1 + margin, y0 - margin, y1 + margin


def sources_mm(c: Contents) -> dict[str, tuple[float, float]]:
    """Declared source, and the estimated one where there is one."""
    found = (c.measures.get("source_x_mm"), c.measures.get("source_y_mm"))
    declared = {"declared": (0.0, 0.0)}
    if found[0] is None or found[1] is None:
        return declared
    return {**declared, "estimated": (float(found[0]), float(found[1]))}


def map_size_mm(limits: Limits) -> tuple[float, float]:
    """Width and height of a map on paper."""
    x0, x1, y0, y1 = limits
    width = CELL_MM - LEFT_MM - BAR_MM
    scale = min(width / (x1 - x0), HIGHEST_MM / (y1 - y0))
    return scale * (x1 - x0), scale * (y1 - y0)


def draw_map(
    sheet: Sheet, c: Contents, one: Map, left: float, top: float, plotted: Plotted, limits: Limits
) -> None:
    """One map in a cell; `top` is that of its title."""
    size = map_size_mm(limits)
    sheet.title(left, top, one.letter, one.title)
    if one.image is None or one.norm is None:
        plain(sheet.axes(left + 4.0, top + 4.0, CELL_MM - 8.0, size[1]), one.why)
        plotted.add(one.letter, one.series, says=one.why)
        return
    axes = sheet.axes(left + LEFT_MM, top + 4.0, *size)
    image, grid = drawn_of(one.image, one.grid)
    drawn = axes.imshow(
        image,
        extent=extent_mm(grid),
        origin="upper",
        interpolation="nearest",
        cmap=one.colours,
        norm=one.norm,
    )
    row, column = np.mgrid[: grid.height, : grid.width]
    x, y = x_of_column(column.ravel(), grid), y_of_row(row.ravel(), grid)
    plotted.add(one.letter, one.series, x=x, y=y, value=image, units=("mm", "mm", one.unit))
    x0, x1, y0, y1 = limits
    axes.set(xlim=(x0, x1), ylim=(y0, y1), facecolor="#e6e6e6")
    axes.set_aspect("equal")
    axes.locator_params(nbins=5)
    axes.set_xlabel("x (mm)", labelpad=1)
    axes.set_ylabel("y (mm)", labelpad=0)
    mark_sources(axes, c)
    if one.letter == "a":
        mark_blank(axes, c)
        mark_scale(axes, c, limits)
        mark_winds(axes, c, limits, size[0])
        _plot_marks(c, plotted)
    bar = sheet.axes(left + LEFT_MM + size[0] + 1.2, top + 4.0, 1.8, size[1])
    figure = axes.get_figure(root=True)
    assert figure is not None
    top_value = float(one.norm.vmax or 1.0)
    root = one.colours == style.MAP_COLOURS
    how: dict[str, Any] = {"ticks": style.share_ticks(top_value)} if root else {}
    extend = "neither" if one.series == "intermittency" else "max"
    colour_bar = figure.colorbar(drawn, cax=bar, extend=extend, extendfrac=0.03, **how)
    label = "\n".join(wrapped(one.unit, max(size[1], 12.0), SMALL_PT, lines=2))
    colour_bar.set_label(label, fontsize=SMALL_PT, labelpad=2, linespacing=1.0)
    bar.tick_params(labelsize=5.5, width=0.4, size=1.5, pad=1)
    colour_bar.outline.set_linewidth(0.4)


def mark_sources(axes: Axes, c: Contents) -> None:
    """Cross of the declared source, ring around the estimated one, to be seen on any ground."""
    for name, (x, y) in sources_mm(c).items():
        marker, size = ("+", 6.0) if name == "declared" else ("o", 5.5)
        for colour, width in (("white", 1.9), ("black", 0.8)):
            axes.plot(x, y, marker, color=colour, ms=size, mew=width, mfc="none", zorder=5)


def scale_on_the_right(c: Contents, limits: Limits) -> bool:
    """True if blank air takes the lower left corner, where the scale bar usually is."""
    blank = c.metadata.get("blank")
    if not blank:
        return False
    x0, x1, y0, y1 = limits
    x, y, width, height = blank_mm(blank, c.grid)
    right, top = x0 + 0.06 * (x1 - x0) + style.nice_length_mm(x1 - x0), y0 + 0.25 * (y1 - y0)
    return x < right and x + width > x0 and y < top and y + height > y0


def mark_scale(axes: Axes, c: Contents, limits: Limits) -> None:
    """Scale bar in a lower corner."""
    x0, x1, y0, y1 = limits
    length = style.nice_length_mm(x1 - x0)
    left, low = x0 + 0.06 * (x1 - x0), y0 + 0.09 * (y1 - y0)
    if scale_on_the_right(c, limits):
        left = x1 - 0.06 * (x1 - x0) - length
    bar = ([left, left + length], [low, low])
    axes.plot(*bar, color="white", lw=1.6, solid_capstyle="butt", path_effects=style.OUTLINE)
    axes.annotate(
        f"{length:g} mm",
        (left, low),
        xytext=(0, 2),
        textcoords="offset points",
        color="white",
        fontsize=6,
        path_effects=style.OUTLINE,
    )


def mark_blank(axes: Axes, c: Contents) -> None:
    """Dashed rectangle of blank air."""
    blank = c.metadata.get("blank")
    if not blank:
        return
    x, y, width, height = blank_mm(blank, c.grid)
    for colour, lw in (("white", 1.4), ("black", 0.6)):
        axes.add_patch(
            Rectangle((x, y), width, height, fill=False, ec=colour, lw=lw, ls=(0, (4, 2)), zorder=4)
        )


def blank_mm(blank: dict[str, int], grid: Grid) -> tuple[float, float, float, float]:
    """Lower left corner, width and height of blank air, mm."""
    x = float(x_of_column(blank["column_start"] - 0.5, grid))
    y = float(y_of_row(blank["row_stop"] - 0.5, grid))
    width = (blank["column_stop"] - blank["column_start"]) * grid.mm_per_px
    return x, y, width, (blank["row_stop"] - blank["row_start"]) * grid.mm_per_px


def winds(c: Contents) -> dict[str, tuple[float, float]]:
    """Declared and measured wind by name, mm/s; those that are not 0."""
    found = {"declared": c.declared_mm_s, "measured": c.measured_mm_s}
    return {name: v for name, v in found.items() if v is not None and np.hypot(*v) > 0}


def mark_winds(axes: Axes, c: Contents, limits: Limits, width_mm: float) -> None:
    """Arrows of one length in the directions of the declared and the measured wind."""
    x0, x1, y0, y1 = limits
    per_mm = (x1 - x0) / width_mm
    arrows = {name: np.array(v) / np.hypot(*v) * ARROW_MM * per_mm for name, v in winds(c).items()}
    if not arrows:
        return
    tips = np.array([[0.0, 0.0], *arrows.values()])
    margin = 3.0 * per_mm
    lefts = {"left": x0 + margin - tips[:, 0].min(), "right": x1 - margin - tips[:, 0].max()}
    tops = {"top": y1 - margin - tips[:, 1].max(), "bottom": y0 + margin - tips[:, 1].min()}
    corners = [(lefts["left"], tops["top"]), (lefts["right"], tops["top"])]
    if not scale_on_the_right(c, limits):
        corners.append((lefts["right"], tops["bottom"]))

    def room(corner: tuple[float, float]) -> float:
        return min(_room((corner[0] + dx, corner[1] + dy), c, ARROW_MM * per_mm) for dx, dy in tips)

    x, y = max(corners, key=room)
    for name, arrow in arrows.items():
        axes.annotate(
            "",
            xy=(x + arrow[0], y + arrow[1]),
            xytext=(x, y),
            arrowprops={
                "arrowstyle": "-|>,head_width=0.18,head_length=0.35",
                "lw": 1.0,
                "color": "white" if name == "declared" else MEASURED,
                "ls": "-" if name == "declared" else (0, (2.5, 1)),
                "shrinkA": 0,
                "shrinkB": 0,
                "path_effects": style.OUTLINE,
            },
            zorder=6,
        )


def _room(place: tuple[float, float], c: Contents, enough: float) -> float:
    """Distance of a place from the sources and blank air, mm; no more than is enough."""
    distances = [np.hypot(place[0] - x, place[1] - y) for x, y in sources_mm(c).values()]
    blank = c.metadata.get("blank")
    if blank:
        x, y, width, height = blank_mm(blank, c.grid)
        beside = max(x - place[0], 0.0, place[0] - x - width)
        above = max(y - place[1], 0.0, place[1] - y - height)
        distances.append(np.hypot(beside, above))
    return float(min([enough, *distances]))


def _plot_marks(c: Contents, plotted: Plotted) -> None:
    for name, (x, y) in sources_mm(c).items():
        plotted.add("a", f"{name} source", x=x, y=y, units=("mm", "mm", ""))
    for name, (vx, vy) in winds(c).items():
        plotted.add("a", f"{name} wind", x=vx, y=vy, units=("mm/s", "mm/s", ""))
    blank = c.metadata.get("blank")
    if blank:
        x, y, width, height = blank_mm(blank, c.grid)
        corners = ((x, y), (x + width, y + height))
        for corner in corners:
            plotted.add("a", "blank air, corner", x=corner[0], y=corner[1], units=("mm", "mm", ""))


def legend_handles(c: Contents) -> list[Line2D]:
    """Handles that explain the marks, with the numbers behind them."""
    bare: dict[str, Any] = {"color": "black", "ls": "none"}
    x0, x1, y0, y1 = limits_of(c)
    away = "" if x0 <= 0 <= x1 and y0 <= 0 <= y1 else " (not in view)"
    label = f"declared source{away}"
    handles = [Line2D([], [], marker="+", ms=6, mew=0.8, label=label, **bare)]
    if "estimated" in sources_mm(c):
        edge = ", or upstream of it" if c.measures.get("source_at_edge") else ""
        label = f"source as found{edge}"
        handles.append(Line2D([], [], marker="o", ms=5.5, mew=0.8, mfc="none", label=label, **bare))
    looks: dict[str, dict[str, Any]] = {
        "declared": {"color": "white"},
        "measured": {"color": MEASURED, "ls": (0, (2.5, 1))},
    }
    for name, (vx, vy) in winds(c).items():
        angle = np.degrees(np.arctan2(vy, vx)) + 0.0
        kind = "nominal" if c.nominal and name == "declared" else name
        label = f"{kind} wind, {np.hypot(vx, vy):.3g} mm/s to {angle:.1f}°".replace("-", "−")
        handles.append(
            Line2D(
                [],
                [],
                marker=">",
                ms=3.5,
                lw=1.2,
                mew=0,
                path_effects=style.OUTLINE,
                label=label,
                **looks[name],
            )
        )
    if c.metadata.get("blank"):
        blank = c.metadata["blank"]
        frames = f"frames {blank['frame_start']} to {blank['frame_stop'] - 1}"
        handles.append(
            Line2D([], [], color="black", lw=0.7, ls=(0, (4, 2)), label=f"blank air, {frames}")
        )
    return handles
