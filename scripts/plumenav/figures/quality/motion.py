"""The wind from the movie itself: correlation of the moving pattern, and how far it moves."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from plumenav.figures import _style as style
from plumenav.figures.quality.contents import Contents, Plotted
from plumenav.figures.quality.maps import LEFT_MM
from plumenav.figures.quality.placing import NOTE_PT, SMALL_PT, Sheet, plain, short

LEAST_REACH_PX = 5
ALONG, ACROSS = style.PALETTE[0], style.PALETTE[1]


def no_surface(c: Contents) -> str:
    """Why there is no correlation surface."""
    return f"no correlation: {c.measures.get('wind_reason') or 'too few neighbouring frames'}"


def draw_surface(
    sheet: Sheet,
    c: Contents,
    left: float,
    top: float,
    width: float,
    height: float,
    plotted: Plotted,
) -> None:
    """Space-time correlation against displacement, at the shortest lag."""
    axes = sheet.axes(left, top + 4.0, width, height)
    if "wind_correlation" not in c.arrays:
        sheet.title(left - LEFT_MM, top, "f", "space-time correlation")
        plain(axes, no_surface(c))
        plotted.add("f", "correlation", says=no_surface(c))
        return
    lag_s = float(c.arrays["wind_correlation_lag_s"])
    sheet.title(left - LEFT_MM, top, "f", f"correlation after {1000 * lag_s:.4g} ms")
    surface = c.arrays["wind_correlation"]
    px_mm = float(c.arrays["factor"]) * c.grid.mm_per_px
    measured = _measured_mm(c, lag_s, px_mm)
    declared = (c.declared_mm_s[0] * lag_s, c.declared_mm_s[1] * lag_s)
    part, reach_x, reach_y = window(surface, measured, declared, px_mm, width / height)
    rows, columns = part.shape[0] // 2, part.shape[1] // 2
    edges = ((columns + 0.5) * px_mm, (rows + 0.5) * px_mm)
    top_value = float(np.nanmax(part)) if np.isfinite(part).any() else 1.0
    drawn = axes.imshow(
        part,
        extent=(-edges[0], edges[0], -edges[1], edges[1]),
        interpolation="nearest",
        cmap=style.MAP_COLOURS,
        vmin=0.0,
        vmax=max(top_value, 0.05),
        aspect="equal",
    )
    axes.set(xlim=(-reach_x, reach_x), ylim=(-reach_y, reach_y), facecolor="#e6e6e6")
    axes.set_xlabel("moved along x (mm)", labelpad=1)
    axes.set_ylabel("along y (mm)", labelpad=0)
    axes.locator_params(nbins=5)
    i, j = np.mgrid[-rows : rows + 1, -columns : columns + 1]
    units = ("mm", "mm", "correlation")
    plotted.add("f", "correlation", x=j * px_mm, y=-i * px_mm, value=part, units=units)
    marks = {"declared": ("x", declared), "measured": ("o", measured), "none": ("+", (0.0, 0.0))}
    for name, (marker, place) in marks.items():
        if place is None:
            continue
        for colour, lw in (("white", 1.9), ("black", 0.8)):
            axes.plot(
                *place, marker, color=colour, ms=5, mew=lw, mfc="none", zorder=5, clip_on=True
            )
        plotted.add("f", f"{name} displacement", x=place[0], y=place[1], units=("mm", "mm", ""))
    box = axes.get_position()
    bar = sheet.axes(left + width + 1.2, top + 4.0, 1.8, height)
    colour_bar = axes.figure.colorbar(drawn, cax=bar, extend="min", extendfrac=0.03)
    colour_bar.set_label("r", fontsize=SMALL_PT, labelpad=2)
    bar.tick_params(labelsize=5.5, width=0.4, size=1.5, pad=1)
    colour_bar.outline.set_linewidth(0.4)
    axes.set_position(box)


def _measured_mm(c: Contents, lag_s: float, px_mm: float) -> tuple[float, float] | None:
    """Displacement found at a lag; None if none was."""
    found = np.flatnonzero(np.isclose(c.arrays["wind_lags_s"], lag_s))
    if not found.size or c.measured_mm_s is None:
        return None
    k = int(found[0])
    columns, rows = c.arrays["wind_columns_px"][k], c.arrays["wind_rows_px"][k]
    return float(columns * px_mm), float(-rows * px_mm)


def window(
    surface: np.ndarray,
    measured: tuple[float, float] | None,
    declared: tuple[float, float],
    px_mm: float,
    aspect: float,
) -> tuple[np.ndarray, float, float]:
    """The middle of a correlation surface, wide enough for what is marked in it.

    Returns
    -------
    ndarray
        Odd sides, no displacement in the middle.
    float, float
        Half width and half height of the panel, mm, in the panel's proportions.
    """
    moved = max(np.hypot(*measured) if measured else 0.0, 1e-9)
    # a declared wind that is far off does not make the peak too small to see
    shown = min(float(np.hypot(*declared)), 4 * moved) if measured else 0.0
    reach_y = max(LEAST_REACH_PX * px_mm, 2.2 * moved, 1.25 * shown)
    middle = (surface.shape[0] // 2, surface.shape[1] // 2)
    rows = min(int(np.ceil(reach_y / px_mm)), middle[0])
    columns = min(int(np.ceil(reach_y * aspect / px_mm)), middle[1])
    reach_y = min(reach_y, (rows + 0.5) * px_mm, (columns + 0.5) * px_mm / aspect)
    part = surface[
        middle[0] - rows : middle[0] + rows + 1, middle[1] - columns : middle[1] + columns + 1
    ]
    return part, reach_y * aspect, reach_y


def draw_displacements(
    sheet: Sheet,
    c: Contents,
    left: float,
    top: float,
    width: float,
    height: float,
    plotted: Plotted,
) -> None:
    """Displacement against lag: what was found, the fitted wind, and the declared one."""
    sheet.title(left - LEFT_MM, top, "h", "displacement against lag")
    axes = sheet.axes(left, top + 4.0, width, height)
    wind = c.measured_mm_s
    if wind is None:
        why = f"no wind: {c.measures.get('wind_reason') or 'too few neighbouring frames'}"
        plain(axes, why)
        plotted.add("h", "displacement", says=why)
        return
    lag_s = c.arrays["wind_lags_s"]
    px_mm = float(c.arrays["factor"]) * c.grid.mm_per_px
    found = {
        "x": c.arrays["wind_columns_px"] * px_mm,
        "y": -c.arrays["wind_rows_px"] * px_mm,
    }
    end_s = 1.12 * float(lag_s[-1])
    low = min(0.0, *(float(v.min()) for v in found.values()))
    high = max(0.0, *(float(v.max()) for v in found.values()))
    looks = {"x": (ALONG, "o", wind[0]), "y": (ACROSS, "s", wind[1])}
    for k, (name, (colour, marker, speed)) in enumerate(looks.items()):
        declared = c.declared_mm_s[k]
        axes.plot([0, 1000 * end_s], [0, end_s * speed], color=colour, lw=0.9)
        axes.plot([0, 1000 * end_s], [0, end_s * declared], color=colour, lw=0.9, ls=(0, (4, 2)))
        axes.plot(1000 * lag_s, found[name], marker, color=colour, ms=3.5, label=f"along {name}")
        units = ("s", "mm", "")
        plotted.add("h", f"found, along {name}", x=lag_s, y=found[name], units=units)
        for which, slope in (("fitted", speed), ("declared", declared)):
            line = [0.0, end_s]
            moved = [0.0, end_s * slope]
            plotted.add("h", f"{which}, along {name}", x=line, y=moved, units=units)
    axes.plot([], [], color=style.DARK, lw=0.9, label="fitted")
    axes.plot([], [], color=style.DARK, lw=0.9, ls=(0, (4, 2)), label="declared")
    span = max(high - low, 1e-9)
    # declared lines may leave the panel: what was found fills it
    axes.set(xlim=(0, 1000 * end_s), ylim=(low - 0.12 * span, high + 0.75 * span))
    axes.set_xlabel("lag (ms)", labelpad=1)
    axes.set_ylabel("displacement (mm)", labelpad=1)
    axes.legend(
        loc="upper left", ncols=2, fontsize=SMALL_PT, handlelength=2.2, columnspacing=1.0,
        borderaxespad=0.1, labelspacing=0.3, handletextpad=0.5,
    )  # fmt: skip
    _note(axes, f"confidence {short(c.measures.get('wind_confidence'), 2)}")


def _note(axes: Axes, text: str) -> None:
    axes.text(
        0.98, 0.76, text, transform=axes.transAxes, ha="right", va="top", fontsize=NOTE_PT,
        color=style.DARK,
    )  # fmt: skip
