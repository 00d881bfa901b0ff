"""Ways through the plume: the same starts for every agent."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plumenav.analysis import contracts
from plumenav.figures import _panels as panels
from plumenav.figures import _style as style
from plumenav.figures._contract import RunData

SHOWN = 30  # simulations per panel: the first ones, whatever became of them
POINTS = 160  # per drawn trajectory

AFTER = "statistics"
TITLE = "Trajectories of the agents"
CAPTION = """
{% if maps %}The first {{ shown }} of {{ simulations }} simulations of each agent in each
recording, over the mean concentration (grey, square-root scale); the starts ({{ start }}; dots)
are the same for all agents. Strong lines arrive within {{ success_radius_mm }} mm of the source
(circle) within {{ duration_s }} s, faint ones do not; {{ boundary }}; {{ movie_end }}. Lines are
drawn through at most {{ points }} recorded positions.{% endif %}
{% if signals %}{{ signals }}: open loop; mean speed against the wind (solid) and over ground
(thin) of all simulations, between recorded positions; shaded: odour.{% endif %}
{% if failed %}{{ failed }} of the shown simulations failed and are left out.{% endif %}
{{ privileged }}{{ nominal }}
"""


def draw(run: RunData) -> tuple[Figure, pd.DataFrame]:
    """Agents by recordings; with one recording, agents side by side."""
    cells = [(agent, recording) for agent in run.agents for recording in run.recordings]
    alone = len(run.recordings) == 1
    n_columns = min(len(cells), 4 if len(cells) != 5 else 3) if alone else len(run.recordings)
    n_rows = -(-len(cells) // n_columns)
    ratio = max(_height_over_width(run, recording) for recording in run.recordings)
    width = (style.PAGE_MM - 14) / n_columns - 4
    # few columns would make huge panels: keep a journal page's height
    row_mm = min(width * ratio, 62.0, 205.0 / n_rows - 5) + 5.0
    figure = panels.new_figure(style.PAGE_MM, row_mm * n_rows + (14 if alone else 18))
    grid = figure.subplots(n_rows, n_columns, squeeze=False)
    plotted = []
    for i, axes in enumerate(grid.flat):
        if i >= len(cells):
            axes.set_axis_off()
            continue
        agent, recording = cells[i]
        plotted.append(CELLS[run.kind(recording)](axes, run, agent, recording))
        _label(axes, run, agent, recording, i, n_columns, len(cells))
    if any(run.kind(recording) != "signal" for recording in run.recordings):
        figure.legend(handles=panels.arena_legend(), loc="outside lower center", ncols=3)
    return figure, pd.concat([part for part in plotted if len(part)] or [plotted[0]])


def numbers(run: RunData, data: pd.DataFrame) -> dict[str, Any]:
    """Counts for the caption."""
    signals = [recording for recording in run.recordings if run.kind(recording) == "signal"]
    failed = 0
    for agent in run.agents:
        for recording in run.recordings:
            if recording not in signals:
                failed += int(np.sum(run.simulations(recording, agent)["status"][:SHOWN] != "ok"))
    return {
        "maps": len(signals) < len(run.recordings),
        "signals": ", ".join(signals),
        "shown": min(SHOWN, run.simulation["simulations"]),
        "points": POINTS,
        "failed": failed,
    }


def _height_over_width(run: RunData, recording: str) -> float:
    grid = run.grid(recording)
    if grid is None:
        return 0.6
    x0, x1, y0, y1 = panels.arena_limits(run, grid)
    return (y1 - y0) / (x1 - x0)


def _label(
    axes: Axes, run: RunData, agent: str, recording: str, i: int, n_columns: int, n_cells: int
) -> None:
    """The agent's name in its colour, the recording above its column, axis labels at the rim."""
    alone = len(run.recordings) == 1
    signal = run.kind(recording) == "signal"
    room = int(style.PAGE_MM / n_columns / 1.6)  # characters above a panel
    name = run.named(agent)
    name = name if len(name) <= room else f"{name[: room - 1]}…"
    axes.set_title(name, color=run.colour(agent), pad=2.5)
    if not alone and i < n_columns:
        axes.annotate(
            run.heading(recording),
            (0, 1),
            (0, 14),
            xycoords="axes fraction",
            textcoords="offset points",
            fontsize=8,
        )
    if i % n_columns == 0 or signal:
        axes.set_ylabel("speed (mm/s)" if signal else "y (mm)")
    elif alone:
        axes.tick_params(labelleft=False)
    if i + n_columns >= n_cells:
        axes.set_xlabel("time (s)" if signal else "x (mm)")
    else:
        axes.tick_params(labelbottom=False)


def _draw_map_cell(axes: Axes, run: RunData, agent: str, recording: str) -> pd.DataFrame:
    """Trajectories over the mean plume; returns the drawn points."""
    maps, plume_grid = run.maps(recording), run.grid(recording)
    empty = pd.DataFrame(columns=["recording", "agent", "simulation", "arrived", "x_mm", "y_mm"])
    if maps is None or plume_grid is None:
        panels.say(axes, "no plume")
        return empty
    norm = style.concentration_norm([maps.mean])
    panels.show_map(axes, maps.mean, plume_grid, cmap="Greys", norm=norm, alpha=0.6)
    panels.mark_arena(axes, run)
    panels.set_limits(axes, panels.arena_limits(run, plume_grid))
    rows = run.simulations(recording, agent)
    ok = rows["status"] == "ok"
    chosen = rows["simulation"][:SHOWN][ok[:SHOWN]]
    if not len(chosen):
        axes.text(0.5, 0.5, "no simulations", transform=axes.transAxes, ha="center")
        return empty
    arrived = dict(zip(rows["simulation"].tolist(), rows["success"].tolist(), strict=True))
    ways = run.trajectories(recording, agent, ["x_mm", "y_mm"], chosen)
    parts = _ways(ways)
    for here, width, alpha in ((False, 0.4, 0.45), (True, 0.7, 0.95)):
        group = [part for part in parts if arrived[part["simulation"]] == here]
        x, y = (_joined([part[name] for part in group]) for name in ("x_mm", "y_mm"))
        how: dict[str, Any] = {"lw": width, "alpha": alpha, "zorder": 3.5 if here else 3.0}
        (drawn,) = axes.plot(x, y, color=run.colour(agent), solid_joinstyle="round", **how)
        drawn.set_in_layout(False)  # clipped at the axes: nothing to make room for
    starts = np.array([[part["x_mm"][0], part["y_mm"][0]] for part in parts]).reshape(-1, 2)
    axes.plot(starts[:, 0], starts[:, 1], ".", color=style.DARK, ms=2.4, mew=0, zorder=3.6)
    n_arrived = sum(arrived[int(s)] for s in chosen)
    axes.text(
        0.98,
        0.97,
        f"{n_arrived} of {len(chosen)} arrive",
        transform=axes.transAxes,
        ha="right",
        va="top",
        fontsize=6,
        bbox={"facecolor": "white", "alpha": 0.8, "lw": 0, "pad": 0.8},
        zorder=6,
    )
    frames = [
        pd.DataFrame(
            {
                "recording": recording,
                "agent": agent,
                "simulation": part["simulation"],
                "arrived": arrived[part["simulation"]],
                "x_mm": part["x_mm"],
                "y_mm": part["y_mm"],
            }
        )
        for part in parts
    ]
    return pd.concat(frames) if frames else empty


def _ways(ways: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    """One trajectory at a time, thinned to POINTS positions with its first and last one."""
    breaks = np.flatnonzero(np.diff(ways["simulation"])) + 1
    edges = [0, *breaks.tolist(), len(ways["simulation"])]
    parts = []
    for first, stop in pairwise(edges):
        if stop == first:
            continue
        keep = np.unique(
            np.linspace(first, stop - 1, min(POINTS, stop - first)).round().astype(int)
        )
        parts.append(
            {
                "simulation": int(ways["simulation"][first]),
                "x_mm": np.round(ways["x_mm"][keep], 2),
                "y_mm": np.round(ways["y_mm"][keep], 2),
            }
        )
    return parts


def _joined(lines: list[np.ndarray]) -> np.ndarray:
    """Lines in one array with NaN between them: one drawing call instead of thirty."""
    gap = np.array([np.nan])
    return np.concatenate([piece for line in lines for piece in (line, gap)] or [gap])


def _draw_signal_cell(axes: Axes, run: RunData, agent: str, recording: str) -> pd.DataFrame:
    """Mean speeds over time around an odour signal; returns the drawn points."""
    table = run.table(contracts.TIME_COURSES)
    mine = table[(table["agent"] == agent) & (table["recording"] == recording)]
    if not len(mine):
        panels.say(axes, "no time courses")
        return mine.iloc[:0]
    time_s = mine["time_s"].to_numpy()
    odor = mine["signal"].to_numpy()
    axes.fill_between(
        time_s, 0, odor / max(odor.max(), 1e-12), step="post", color="#e8e8e8", lw=0,
        transform=axes.get_xaxis_transform(), zorder=0,
    )  # fmt: skip
    axes.axhline(0, color=style.GREY, lw=0.4)
    axes.plot(time_s, mine["upwind_speed_mm_s"], color=run.colour(agent), label="upwind speed")
    axes.plot(
        time_s, mine["ground_speed_mm_s"], color=run.colour(agent), lw=0.5, label="ground speed"
    )
    axes.margins(x=0.01)
    axes.legend(loc="upper right", handlelength=1.5)
    axes.set_box_aspect(max(_height_over_width(run, label) for label in run.recordings))
    columns = ["recording", "agent", "time_s", "signal", "upwind_speed_mm_s", "ground_speed_mm_s"]
    return mine[columns]


CELLS = {"movie": _draw_map_cell, "analytic": _draw_map_cell, "signal": _draw_signal_cell}
