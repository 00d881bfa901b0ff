"""Success rates with intervals, and what the same agents do in blank air."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from plumenav.figures import _panels as panels
from plumenav.figures import _style as style
from plumenav.figures._contract import RunData

AFTER = "statistics"
TITLE = "Success rates of the agents"
CAPTION = """
Share of completed simulations ({{ n_range }} per agent and recording) that come within
{{ success_radius_mm }} mm of the source within {{ duration_s }} s. Filled: in the plume; open:
the same agent in plume-free air of the same recording{% if blank_range %} (n = {{ blank_range }}),
which is what noise and chance alone achieve{% else %} (not run){% endif %}. Bars: 95 % Wilson
intervals, conditional on the recording. Starts: {{ start }}; {{ boundary }}; {{ movie_end }}.
{% if failed %}{{ failed }} simulations failed and count in no rate.{% endif %}{{ privileged }}
{{ nominal }}
"""


def draw(run: RunData) -> tuple[Figure, pd.DataFrame]:
    """One panel per recording, one row per agent."""
    summary = run.summary()
    if not len(summary):
        return panels.nothing("no statistics were written"), summary
    n_agents, n_panels = len(run.agents), len(run.recordings)
    width = style.COLUMN_MM if n_panels == 1 else style.PAGE_MM
    figure = panels.new_figure(width, 16 + 6.0 * n_agents + 5)
    axes = figure.subplots(1, n_panels, squeeze=False, sharey=True)[0]
    for axis, recording in zip(axes, run.recordings, strict=True):
        _draw_panel(axis, run, recording, summary[summary["recording"] == recording])
    axes[0].set_yticks(range(n_agents), [run.named(agent) for agent in run.agents])
    axes[0].set_ylim(n_agents - 0.5, -0.5)
    for label, agent in zip(axes[0].get_yticklabels(), run.agents, strict=True):
        label.set_color(run.colour(agent))
    handles = [
        Line2D([], [], marker="o", color=style.DARK, lw=0.8, label="in the plume"),
        Line2D([], [], marker="o", mfc="white", color=style.GREY, lw=0.8, label="in blank air"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    columns = [
        "recording", "agent", "n", "completed", "failed", "successes", "success_rate", "ci_low",
        "ci_high", "blank_n", "blank_successes", "blank_success_rate", "blank_ci_low",
        "blank_ci_high",
    ]  # fmt: skip
    return figure, summary[columns]


def numbers(run: RunData, data: pd.DataFrame) -> dict[str, Any]:
    """Sizes of the groups for the caption."""
    return {
        "n_range": _range(data["completed"]),
        "blank_range": _range(data["blank_n"][data["blank_n"] > 0]),
        "failed": int(data["failed"].sum()),
    }


def _range(values: pd.Series) -> str:
    if not len(values):
        return ""
    low, high = int(values.min()), int(values.max())
    return f"{low}" if low == high else f"{low} to {high}"


def _draw_panel(axes: Axes, run: RunData, recording: str, summary: pd.DataFrame) -> None:
    axes.set_title(run.heading(recording))
    if run.kind(recording) == "signal":
        panels.say_inside(axes, "open loop:\nno source to reach")
        return
    axes.set_xlim(-0.03, 1.03)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "25", "50", "75", "100"])
    axes.set_xlabel("success (%)")
    axes.grid(axis="x")
    for row in summary.to_dict("records"):
        y, colour = run.index[row["agent"]], run.colour(row["agent"])
        if row["completed"] == 0:
            axes.text(0.5, y, "none completed", ha="center", va="center", color=style.GREY)
            continue
        axes.hlines(y - 0.12, row["ci_low"], row["ci_high"], color=colour, lw=1.2)
        axes.plot(row["success_rate"], y - 0.12, "o", color=colour, clip_on=False, zorder=3)
        if row["blank_n"]:
            low, high = row["blank_ci_low"], row["blank_ci_high"]
            axes.hlines(y + 0.22, low, high, color=style.GREY, lw=0.8)
            rate = row["blank_success_rate"]
            axes.plot(rate, y + 0.22, "o", mfc="white", color=style.GREY, ms=3, clip_on=False)
