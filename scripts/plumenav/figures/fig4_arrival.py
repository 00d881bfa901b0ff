"""When agents arrive: cumulative incidence curves."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from plumenav.analysis import contracts
from plumenav.figures import _panels as panels
from plumenav.figures import _style as style
from plumenav.figures._contract import RunData

AFTER = "statistics"
TITLE = "Arrival at the source over time"
CAPTION = """
Share of simulations (n = {{ simulations }} per agent and recording) that have arrived within
{{ success_radius_mm }} mm of the source by each time, with pointwise 95 % intervals
(shaded, from the first arrival on),
conditional on the recording; Aalen-Johansen estimate up to {{ duration_s }} s, in which agents
that leave never arrive{% if censored %} and the {{ censored }} simulations cut by the end of the
movie are censored there{% endif %}. Starts: {{ start }}; {{ boundary }}; {{ movie_end }}.
{{ privileged }}{{ nominal }}
"""


def draw(run: RunData) -> tuple[Figure, pd.DataFrame]:
    """One panel per recording, one curve per agent."""
    curves = run.table(contracts.ARRIVAL)
    if not len(curves):
        return panels.nothing("no simulation was completed"), curves
    n_panels = len(run.recordings)
    width = style.COLUMN_MM if n_panels == 1 else style.PAGE_MM
    n_columns = panels.legend_columns([run.named(agent) for agent in run.agents], width, most=4)
    legend_mm = 4.0 * -(-len(run.agents) // n_columns)
    figure = panels.new_figure(width, 52 + legend_mm)
    axes = figure.subplots(1, n_panels, squeeze=False, sharey=True)[0]
    top = 0.0
    for axis, recording in zip(axes, run.recordings, strict=True):
        axis.set_title(run.heading(recording))
        if run.kind(recording) == "signal":
            panels.say_inside(axis, "open loop:\nno source to reach")
            continue
        here = curves[curves["recording"] == recording]
        axis.set_xlabel("time (s)")
        axis.set_xlim(0, run.simulation["duration_s"])
        axis.grid(axis="y")
        if here["incidence"].max() == 0:
            axis.text(0.5, 0.5, "no arrivals", transform=axis.transAxes, ha="center")
        for agent in run.agents:
            mine = here[here["agent"] == agent]
            if not len(mine):
                continue
            how = {"color": run.colour(agent)}
            time_s, share = mine["time_s"], 100 * mine["incidence"]
            axis.step(time_s, share, where="post", ls=style.line(run.index[agent]), **how)
            # before the first arrival the bands of all agents would lie on one another
            since = mine[mine["incidence"] > 0]
            low, high = 100 * since["ci_low"], 100 * since["ci_high"]
            axis.fill_between(since["time_s"], low, high, step="post", alpha=0.15, lw=0, **how)
            top = max(top, 100 * float(mine["ci_high"].max()))
    axes[0].set_ylim(0, min(102.0, top * 1.04) or 1.0)
    axes[0].set_ylabel("arrived (% of simulations)")
    handles = [
        Line2D(
            [],
            [],
            color=run.colour(agent),
            ls=style.line(run.index[agent]),
            label=run.named(agent),
        )
        for agent in run.agents
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=n_columns)
    return figure, curves


def numbers(run: RunData, data: pd.DataFrame) -> dict[str, Any]:
    """How many simulations the end of the movie cut."""
    return {"censored": int(run.summary()["censored"].sum())}
