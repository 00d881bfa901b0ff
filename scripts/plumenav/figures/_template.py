"""Copy this file, rename it (the name is the figure's file name), and replace its parts.

This one draws how close to the source each agent comes.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from plumenav.figures import _panels as panels
from plumenav.figures import _style as style
from plumenav.figures._contract import RunData

# your own file outside the repository also needs: PLUGIN_KIND = "figure"
AFTER = "statistics"  # leave it out if it is drawn from validation/, too
TITLE = "Closest approach"
# say n, how agents start, what happens at edges and at the movie's end; end with {{ nominal }}
CAPTION = """
Smallest distance to the source in {{ n }} simulations ({{ simulations }} per agent and recording;
starts: {{ start }}; {{ boundary }}; {{ movie_end }}). Line: success radius,
{{ success_radius_mm }} mm.{{ nominal }}
"""


def draw(run: RunData) -> tuple[Figure, pd.DataFrame]:
    """One row per agent; returns the figure and exactly the numbers in it."""
    parts = []
    for agent in run.agents:
        for recording in run.recordings:
            rows = run.simulations(recording, agent)
            ok = rows["status"] == "ok"
            distance = rows["closest_mm"][ok]
            columns = {"recording": recording, "agent": agent, "closest_mm": distance}
            parts.append(pd.DataFrame(columns))
    data = pd.concat(parts)
    if not len(data):
        return panels.nothing("no simulation was completed"), data
    figure = panels.new_figure(style.COLUMN_MM, 50)
    axes = figure.add_subplot()
    for agent in run.agents:
        mine = data["closest_mm"][data["agent"] == agent].sort_values()
        axes.plot(mine, [run.index[agent]] * len(mine), "|", color=run.colour(agent))
    axes.axvline(run.simulation["success_radius_mm"], color=style.DARK, lw=0.7)
    axes.set_yticks(range(len(run.agents)), run.agents)
    axes.set_xlabel("closest approach (mm)")
    return figure, data


def numbers(run: RunData, data: pd.DataFrame) -> dict[str, Any]:
    """What the caption needs beyond the numbers that every caption has."""
    return {"n": len(data)}
