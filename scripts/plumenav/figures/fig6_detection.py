"""What belief-based agents believe: measured hit rates, the detection model, both on the axis."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure

from plumenav.analysis.beliefs import believers, number_in
from plumenav.config.detection import fitted_recording
from plumenav.detection.formula import Parameters, rate_hz
from plumenav.figures import _panels as panels
from plumenav.figures import _style as style
from plumenav.figures._contract import RunData

AFTER = "statistics"
TITLE = "What belief-based agents know of the plumes"
CAPTION = """
{% if rows %}Hits per second (whiff onsets of the agent's own sensor, held still) in the frames that
the detection model was fitted to, the model, hits in the frames that the agents live in, and all of
them along x through the source (mean of three rows of cells; dashed: what agents with a factor on
their model believe).
{% for row in rows %}{{ row }} {% endfor %}Deviance explained: 1 is perfect, 0 no better than the
mean rate of the map. Colour scales are square-root. Cross: source.{% else %}No agent of this run
believes in a detection model: all of them live by what they smell.{% endif %}{{ nominal }}
"""
POINTS: dict[str, Any] = {"ls": "none", "marker": "o", "ms": 2.2, "mfc": "none", "mew": 0.8}
COLUMNS = ["recording", "agents", "map", "x_mm", "y_mm", "value"]


class Row(NamedTuple):
    """Agents that share a fit, in a recording."""

    recording: str
    agents: tuple[str, ...]
    arrays: dict[str, np.ndarray]


def draw(run: RunData) -> tuple[Figure, pd.DataFrame]:
    """One row per recording and fit."""
    rows = rows_of(run)
    if not rows:
        return panels.nothing("no agent believes in a detection model"), _no_beliefs(run)
    height = min(34.0, 232.0 / len(rows) - 12)
    figure = panels.new_figure(style.PAGE_MM, (height + 12) * len(rows) + 4)
    grid = figure.add_gridspec(len(rows), 4, width_ratios=[1, 1, 1, 0.85])
    plotted = []
    for i, row in enumerate(rows):
        if "fit_rate_hz" not in row.arrays:
            text = f"{_name(row)}: the field's own constants, nothing was fitted"
            panels.say(figure.add_subplot(grid[i, :]), text)
            continue
        axes = [figure.add_subplot(grid[i, k]) for k in range(4)]
        plotted += _draw_maps(axes[:3], run, row, _letter(i) if len(rows) > 1 else "")
        plotted.append(_draw_axis(axes[3], run, row))
    return figure, pd.concat(plotted) if plotted else _no_beliefs(run)


def numbers(run: RunData, data: pd.DataFrame) -> dict[str, Any]:
    """One sentence per row."""
    rows = rows_of(run)
    sentences = [_sentence(run, row) for row in rows]
    if len(rows) > 1:
        sentences = [f"({_letter(i)}) {text}" for i, text in enumerate(sentences)]
    return {"rows": sentences}


def rows_of(run: RunData) -> list[Row]:
    """Fits of the run; agents with the same one, and factors of their own, share a row."""
    rows: dict[tuple[Any, ...], Row] = {}
    for recording in run.recordings:
        for agent in believers(run.config):
            arrays = run.prepared(recording, agent)
            if not arrays:
                continue
            key = (recording, *(a.tobytes() for n, a in arrays.items() if "detection_" not in n))
            agents = (*rows[key].agents, agent) if key in rows else (agent,)
            rows[key] = Row(recording, agents, rows[key].arrays if key in rows else arrays)
    return list(rows.values())


def _no_beliefs(run: RunData) -> pd.DataFrame:
    """That there is nothing to draw: one row per recording whose plume is there."""
    there = [recording for recording in run.recordings if run.plume(recording)]
    return pd.DataFrame({"recording": there, "agents": "none"}, columns=COLUMNS)


def _letter(i: int) -> str:
    """Name of a row: a, b, ..., z, aa, ..."""
    return "abcdefghijklmnopqrstuvwxyz"[i % 26] * (i // 26 + 1)


def _name(row: Row) -> str:
    return f"{', '.join(row.agents)} in {row.recording}"


def _sentence(run: RunData, row: Row) -> str:
    """Where the model is from and how much it explains."""
    a = row.arrays
    if "fit_rate_hz" not in a:
        return f"{_name(row)}: the constants of the field."
    detection = run.config["agents"][row.agents[0]]["detection"]
    words = {"whole": "the whole", "first_half": "the first half", "second_half": "the second half"}
    fitted = fitted_recording(row.recording, detection)
    explained = [number_in(a, f"{part}_deviance_explained") for part in ("fit", "test")]
    told = ["not tested" if share is None else f"{share:.2f}" for share in explained]
    return (
        f"{_name(row)}: fitted to {words[detection['fit']['part']]} of {fitted}"
        f" ({int(a['fit_hits'])} hits in cells of {detection['cell_mm']:g} mm); deviance explained"
        f" there {told[0]}, where the agents live {told[1]}."
    )


def shortened(text: str) -> str:
    """A title that fits above its panel.

    Examples
    --------
    >>> shortened("lived in: a_label_that_is_long_and_longer")
    'lived in: a_label_that_is_lo…'
    """
    return text if len(text) <= 29 else f"{text[:28]}…"


def _draw_maps(axes: list[Axes], run: RunData, row: Row, letter: str) -> list[pd.DataFrame]:
    """Measured, model, measured elsewhere, with one colour scale."""
    a = row.arrays
    fitted = fitted_recording(row.recording, run.config["agents"][row.agents[0]]["detection"])
    titles = (f"{letter}   fitted to: {fitted}", "detection model", f"lived in: {row.recording}")
    maps = {
        "measured, fitted to": ("fit", a["fit_rate_hz"]),
        "detection model": ("fit", a["fit_model_hz"]),
        "measured, lived in": ("test", a.get("test_rate_hz")),
    }
    measured = np.concatenate([m.ravel() for _, m in maps.values() if m is not None])
    top = float(np.quantile(measured, 0.995)) or float(measured.max()) or 1.0
    norm = PowerNorm(0.5, vmin=0.0, vmax=top, clip=True)
    plotted = []
    for k, (axis, (name, (part, image))) in enumerate(zip(axes, maps.items(), strict=True)):
        if image is None:
            panels.say(axis, "not tested:\nagents live where the model was fitted")
            continue
        axis.set_title(shortened(titles[k].strip()))
        x, y = a[f"{part}_x_mm"], a[f"{part}_y_mm"]
        half = float(x[1] - x[0]) / 2
        extent = (x[0] - half, x[-1] + half, y[-1] - half, y[0] + half)
        how: dict[str, Any] = {"cmap": style.MAP_COLOURS, "norm": norm, "extent": extent}
        drawn = axis.imshow(image, origin="upper", interpolation="nearest", **how)
        axis.plot(0, 0, "+", color="white", ms=4.5, mew=1.6)
        axis.plot(0, 0, "+", color="black", ms=4, mew=0.7)
        axis.set_xlabel("x (mm)")
        if k == 0:
            axis.set_ylabel("y (mm)")
        else:
            axis.tick_params(labelleft=False)
        if k == 2:
            figure = axis.get_figure(root=True)
            assert figure is not None
            ticks = style.share_ticks(top)
            panels.colour_bar(figure, drawn, axis, "hits per second", extend="max", ticks=ticks)
        xs, ys = np.meshgrid(x, y)
        plotted.append(_long(row, name, xs.ravel(), ys.ravel(), image.ravel()))
    return plotted


def _draw_axis(axes: Axes, run: RunData, row: Row) -> pd.DataFrame:
    """Rates along x through the source, mean of the middle row of cells and its neighbours."""
    a, plotted = row.arrays, []
    curves: list[tuple[str, str, str, dict[str, Any]]] = [
        ("measured, fitted to", "fit", "fit_rate_hz", {"color": style.DARK, **POINTS}),
        ("measured, lived in", "test", "test_rate_hz", {"color": style.GREY, **POINTS, "mew": 0.4}),
        ("detection model", "fit", "fit_model_hz", {"color": style.DARK, "lw": 1.2}),
    ]
    for name, part, values, how in curves:
        if values not in a:
            continue
        x, y = a[f"{part}_x_mm"], a[f"{part}_y_mm"]
        near = np.argsort(np.abs(y), kind="stable")[:3]
        rate = a[values][near].mean(axis=0)
        axes.plot(x, rate, label=name, **how)
        plotted.append(_long(row, f"on the axis: {name}", x, np.zeros(len(x)), rate))
    for agent in row.agents:
        misfit = run.config["agents"][agent]["detection"]["misfit"]
        if misfit["rate"] == misfit["length"] == 1.0:
            continue
        plotted.append(_draw_misfit(axes, run, row, agent))
    axes.set_xlabel("x (mm)")
    axes.set_ylabel("hits per second")
    axes.set_ylim(bottom=0)
    # above the panel: the rate has its peak where an inner legend would be
    axes.legend(fontsize=5.5, handlelength=1.2, loc="lower left", bbox_to_anchor=(0.0, 1.0))
    return pd.concat(plotted)


def _draw_misfit(axes: Axes, run: RunData, row: Row, agent: str) -> pd.DataFrame:
    """What an agent believes that was given a wrong model."""
    b = run.prepared(row.recording, agent)
    names = ("rate_hz_scale", "length_mm", "drift_per_mm", "radius_mm")
    p = Parameters(*(float(b[f"detection_{name}"]) for name in names))
    fitted = fitted_recording(row.recording, run.config["agents"][agent]["detection"])
    toward = np.radians(run.config["recordings"][fitted]["wind"]["toward_deg"])
    x, y = b["fit_x_mm"], b["fit_y_mm"]
    near = y[np.argsort(np.abs(y), kind="stable")[:3]]
    xs, ys = np.meshgrid(x, near)
    downwind = xs * np.cos(toward) + ys * np.sin(toward)
    crosswind = ys * np.cos(toward) - xs * np.sin(toward)
    rate = rate_hz(downwind, crosswind, p).mean(axis=0)
    axes.plot(x, rate, ls="--", lw=0.8, color=run.colour(agent), label=f"{agent} believes")
    return _long(row, f"on the axis: {agent} believes", x, np.zeros(len(x)), rate)


def _long(row: Row, name: str, x: np.ndarray, y: np.ndarray, value: np.ndarray) -> pd.DataFrame:
    columns = {"recording": row.recording, "agents": " ".join(row.agents), "map": name}
    places = {"x_mm": np.round(x, 3), "y_mm": np.round(y, 3), "value": np.round(value, 6)}
    return pd.DataFrame({**columns, **places})
