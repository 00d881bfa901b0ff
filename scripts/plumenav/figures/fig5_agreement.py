"""Engine against independent reference, simulation by simulation, with the limits of the gate."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from plumenav.figures import _panels as panels
from plumenav.figures import _style as style
from plumenav.figures._contract import RunData

FLOOR_MM = 1e-16  # where an exact zero is drawn on the logarithmic axis

TITLE = "Agreement of the engine with the independent reference"
CAPTION = """
{{ n }} simulations, each re-computed step by step by an independent implementation of the same
published equations. Left: largest difference of position in a simulation until the first documented
tie ({{ exact }} are exactly equal and drawn at the left end); limit {{ limits.max_error_mm }} mm.
Right: smallest correlation of the per-step displacements (x, y) and heading increments; limit
{{ limits.min_correlation }}. {{ missed }} miss a limit. This is agreement with our second
implementation, not with the authors' own code.{{ privileged }}
"""


def draw(run: RunData) -> tuple[Figure, pd.DataFrame]:
    """Largest error and smallest correlation, one row per agent."""
    table = run.agreement()
    if not len(table):
        return panels.nothing("nothing was validated"), table
    limits = run.config["validation"]
    table = table.assign(min_r=table[["r_dx", "r_dy", "r_dheading"]].min(axis=1))
    table = table.sort_values(["recording", "agent", "simulation"])
    figure = panels.new_figure(style.PAGE_MM, 18 + 7.0 * len(run.agents) + 4)
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=[1.3, 1])
    error = np.maximum(table["max_error_mm"].to_numpy(float), FLOOR_MM)
    _strip(left, run, table, error)
    left.set_xscale("log")
    left.set_xlim(FLOOR_MM / 3, max(float(error.max()), limits["max_error_mm"]) * 10)
    left.set_xlabel("largest position error in a simulation (mm)")
    r = table["min_r"].to_numpy(float)
    _strip(right, run, table, r)
    low = min(limits["min_correlation"] - 0.02, float(np.nanmin(r)) - 0.02)
    right.set_xlim(low, 1 + 0.06 * (1 - low))
    right.set_xlabel("smallest correlation of increments")
    for axes, limit, side in (
        (left, limits["max_error_mm"], "left"),
        (right, limits["min_correlation"], "right"),
    ):
        axes.axvline(limit, color=style.DARK, lw=0.7, ls=(0, (4, 2)))
        axes.annotate(
            "limit",
            (limit, 1),
            (-2 if side == "left" else 2, 1),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            ha="right" if side == "left" else "left",
            fontsize=6,
        )
    left.set_yticks(range(len(run.agents)), [run.named(agent) for agent in run.agents])
    left.set_ylim(len(run.agents) - 0.4, -0.6)
    for label, agent in zip(left.get_yticklabels(), run.agents, strict=True):
        label.set_color(run.colour(agent))
    _explain(figure, run, bool((~table["passed"]).any()))
    columns = ["recording", "agent", "simulation", "steps", "max_error_mm", "min_r", "passed"]
    return figure, table[columns]


def numbers(run: RunData, data: pd.DataFrame) -> dict[str, Any]:
    """Counts for the caption."""
    return {
        "n": len(data),
        "exact": int((data["max_error_mm"] == 0).sum()),
        "missed": int((~data["passed"].astype(bool)).sum()),
    }


def _strip(axes: Axes, run: RunData, table: pd.DataFrame, values: np.ndarray) -> None:
    """One mark per simulation, spread evenly over the height of the agent's row."""
    axes.grid(axis="x")
    for agent in run.agents:
        for k, recording in enumerate(run.recordings):
            mine = ((table["agent"] == agent) & (table["recording"] == recording)).to_numpy()
            n = int(mine.sum())
            if not n:
                continue
            y = run.index[agent] + np.linspace(-0.3, 0.3, n + 2)[1:-1]
            passed = table["passed"].to_numpy(bool)[mine]
            x = values[mine]
            how: dict[str, Any] = {"marker": style.marker(k), "ls": "none", "ms": 2.6, "mew": 0.5}
            axes.plot(x[passed], y[passed], mfc="none", color=run.colour(agent), **how)
            axes.plot(x[~passed], y[~passed], mfc="red", color="red", **how)


def _explain(figure: Figure, run: RunData, any_missed: bool) -> None:
    plain: dict[str, Any] = {"ls": "none", "ms": 3, "mew": 0.5, "color": style.DARK}
    handles = [
        Line2D([], [], marker=style.marker(k), mfc="none", label=recording, **plain)
        for k, recording in enumerate(run.recordings)
    ]
    if any_missed:
        handles.append(Line2D([], [], marker="o", ls="none", color="red", ms=3, label="missed"))
    columns = panels.legend_columns([str(h.get_label()) for h in handles], style.PAGE_MM)
    figure.legend(handles=handles, loc="outside lower center", ncols=columns)
