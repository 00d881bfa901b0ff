"""The plumes: one frame, the mean and the intermittency of every recording."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plumenav.analysis.plume_maps import NOISE_SDS, Maps, counts_hits
from plumenav.analysis.run_files import plume_path
from plumenav.analysis.time_courses import signal_of
from plumenav.config.normalization import Calibration
from plumenav.figures import _panels as panels
from plumenav.figures import _style as style
from plumenav.figures._contract import RunData
from plumenav.world import Grid, x_of_column, y_of_row

AFTER = "statistics"
TITLE = "The plumes in which the agents navigate"
CAPTION = """
{% for plume in plumes %}{{ plume }} {% endfor %}
Colour scales are square-root; their labels say what concentration 1 is. Intermittency is the
share of frames in which a pixel exceeds the mean of blank air by {{ noise_sds }} of its standard
deviations. Cross: source; circle: success circle of {{ success_radius_mm }} mm; dashed box: where
agents start ({{ start }}); arrow: wind; x downwind and y crosswind from the source.{{ nominal }}
"""


def draw(run: RunData) -> tuple[Figure, pd.DataFrame]:
    """One row per recording."""
    heights = [_row_height_mm(run, recording) for recording in run.recordings]
    # above each row a title, below it an axis label
    figure = panels.new_figure(style.PAGE_MM, sum(heights) + 14 * len(heights) + 6)
    rows = figure.add_gridspec(len(heights), 3, height_ratios=heights)
    plotted = []
    mapped = False
    for i, recording in enumerate(run.recordings):
        maps, grid = run.maps(recording), run.grid(recording)
        if run.kind(recording) == "signal" and run.plume(recording):
            plotted.append(_draw_signal(figure.add_subplot(rows[i, :]), run, recording))
        elif maps is None or grid is None:
            panels.say(figure.add_subplot(rows[i, :]), f"{recording}: no plume was written")
        else:
            mapped = True
            axes = [figure.add_subplot(rows[i, k]) for k in range(3)]
            plotted.append(_draw_maps(axes, run, recording, maps, grid))
    if mapped:
        figure.legend(handles=panels.arena_legend(), loc="outside lower center", ncols=3)
    columns = ["recording", "map", "x_mm", "y_mm", "value"]
    return figure, pd.concat(plotted) if plotted else pd.DataFrame(columns=columns)


def numbers(run: RunData, data: pd.DataFrame) -> dict[str, Any]:
    """One sentence per recording."""
    return {
        "plumes": [_sentence(run, recording) for recording in run.recordings],
        "noise_sds": f"{NOISE_SDS:g}",
    }


def _sentence(run: RunData, recording: str) -> str:
    plume, maps = run.plume(recording), run.maps(recording)
    if plume is None:
        return f"{recording}: not available."
    if plume["kind"] == "signal":
        return f"{recording}: an odour signal in time, the same everywhere."
    if counts_hits(run.config["recordings"][recording]):
        return f"{recording}: mean rate of the hits of {plume['field']}, drawn in each step."
    if maps is None or plume["kind"] == "analytic":
        return f"{recording}: the field {plume['field']}, constant in time."
    used = (
        f"all {maps.n_frames} frames"
        if maps.frames_used == maps.n_frames
        else f"{maps.frames_used} evenly spaced ones of {maps.n_frames} frames"
    )
    where = f"{plume['mm_per_px']:g} mm per pixel"
    return f"{recording}: {where}; mean and intermittency over {used}."


def _row_height_mm(run: RunData, recording: str) -> float:
    grid = run.grid(recording)
    if grid is None:
        return 20.0
    x0, x1, y0, y1 = panels.arena_limits(run, grid)
    # the image in a panel is about 47 mm wide beside its colour bar and labels
    return float(np.clip(47.0 * (y1 - y0) / (x1 - x0), 16.0, 60.0))


def _draw_maps(
    axes: list[Axes], run: RunData, recording: str, maps: Maps, grid: Grid
) -> pd.DataFrame:
    """Frame, mean, intermittency; returns what is drawn."""
    figure = axes[0].get_figure(root=True)
    assert figure is not None
    limits = panels.arena_limits(run, grid)
    moving = maps.n_frames > 1
    norm = style.concentration_norm([maps.frame, maps.mean])
    pictures = {"frame": maps.frame, "mean": maps.mean, "intermittency": maps.intermittency}
    titles = {
        "frame": f"{run.heading(recording)}: at {maps.frame_time_s:.4g} s"
        if moving
        else f"{run.heading(recording)}: constant rate of hits"
        if counts_hits(run.config["recordings"][recording])
        else f"{run.heading(recording)}: constant in time",
        "mean": "mean" if moving else "the same on average",
        "intermittency": "intermittency",
    }
    for k, (axis, (name, image)) in enumerate(zip(axes, pictures.items(), strict=True)):
        axis.set_title(titles[name])
        if not np.isfinite(image).any():
            why = "constant in time" if not moving else "noise of blank air is not known"
            axis.set_title("")
            panels.say(axis, f"no intermittency:\n{why}")
            continue
        share = name == "intermittency"
        how = (
            {"cmap": style.SHARE_COLOURS, "vmin": 0.0, "vmax": 1.0}
            if share
            else {"cmap": style.MAP_COLOURS, "norm": norm}
        )
        drawn = panels.show_map(axis, image, grid, **how)
        panels.mark_arena(axis, run)
        panels.set_limits(axis, limits)
        axis.set_xlabel("x (mm)")
        if k == 0:
            axis.set_ylabel("y (mm)")
            panels.mark_wind(axis, run.config["recordings"][recording]["wind"])
            panels.mark_scale(axis, limits)
        else:
            axis.tick_params(labelleft=False)
        if name != "frame":
            label = "share of frames" if share else concentration_label(run, recording)
            ticks = [0, 0.5, 1] if share else style.share_ticks(float(norm.vmax or 1.0))
            extend = "neither" if share else "max"
            panels.colour_bar(figure, drawn, axis, label, extend=extend, ticks=ticks)
    return pd.concat([_long(recording, name, image, grid) for name, image in pictures.items()])


def concentration_label(run: RunData, recording: str) -> str:
    """What concentration 1 means in a recording, for a colour bar."""
    if counts_hits(run.config["recordings"][recording]):
        return "hits per second\n(mean)"
    settings = run.config["recordings"][recording]["normalize"]["calibration"]
    unit = Calibration.model_validate(settings).meaning
    return "concentration\n" + ("(1 = source)" if unit == "fraction of source" else f"(1 = {unit})")


def _long(recording: str, name: str, image: np.ndarray, grid: Grid) -> pd.DataFrame:
    """A map as rows of x, y and value, averaged to at most 100 pixels a side."""
    small = style.shrink(image, 100)
    k = -(-max(image.shape) // 100)
    row, column = np.mgrid[: small.shape[0], : small.shape[1]]
    # centre of a block of k pixels; the last block of a side may hold fewer
    last_row, last_column = grid.height - 1, grid.width - 1
    row = (row * k + np.minimum(row * k + k - 1, last_row)) / 2
    column = (column * k + np.minimum(column * k + k - 1, last_column)) / 2
    return pd.DataFrame(
        {
            "recording": recording,
            "map": name,
            "x_mm": np.round(np.ravel(x_of_column(column, grid)), 3),
            "y_mm": np.round(np.ravel(y_of_row(row, grid)), 3),
            "value": small.ravel().round(5),
        }
    )


def _draw_signal(axes: Axes, run: RunData, recording: str) -> pd.DataFrame:
    """Time course of an odour signal."""
    time_s, odor = signal_of(plume_path(run.root, recording))
    axes.step(time_s, odor, where="post", color=style.DARK)
    axes.set_title(f"{recording}: odour signal, the same everywhere")
    axes.set_xlabel("time (s)")
    axes.set_ylabel("concentration")
    axes.margins(x=0.01)
    return pd.DataFrame(
        {
            "recording": recording,
            "map": "signal",
            "time_s": np.round(time_s, 6),
            "value": np.round(odor, 5),
        }
    )
