"""What the run cost: time by rule, and peak memory against what was asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from plumenav.figures import _panels as panels
from plumenav.figures import _style as style
from plumenav.figures._contract import RunData

FOLDER = "performance"  # timings differ from run to run; figures/ must not

TITLE = "Cost of the run by rule"
CAPTION = """
Left: wall and CPU time summed over the jobs of each rule ({{ n_jobs }} jobs; {{ wall_s }} s in all
on {{ cores }} cores, counting overlapping jobs once). Right: largest memory of a job of each rule
against what its rule declares; {{ exceeded }} jobs exceed it.
"""


def draw(run: RunData) -> tuple[Figure, pd.DataFrame]:
    """Two bar charts with one row per rule."""
    summary = run.record("performance/summary.json")
    if not summary or not summary["rules"]:
        return panels.nothing("no performance records"), pd.DataFrame(columns=["rule"])
    rules = pd.DataFrame(
        [{"rule": name, **values} for name, values in sorted(summary["rules"].items())]
    ).sort_values(["wall_s", "rule"], ascending=[False, True], kind="stable")
    n = len(rules)
    figure = panels.new_figure(style.PAGE_MM, 22 + 6.5 * n)
    left, right = figure.subplots(1, 2, sharey=True)
    y = np.arange(n)
    left.barh(y - 0.19, rules["wall_s"], 0.36, color=style.PALETTE[0], label="wall")
    left.barh(y + 0.19, rules["cpu_s"], 0.36, color=style.PALETTE[5], label="CPU")
    left.set_xlabel("time, summed over jobs (s)")
    over = rules["max_rss_mb"].to_numpy(float) > rules["declared_mb"].to_numpy(float)
    right.barh(
        y, rules["max_rss_mb"], 0.5, label="peak", zorder=2,
        color=[style.PALETTE[1] if o else style.PALETTE[2] for o in over],
    )  # fmt: skip
    right.barh(
        y, rules["declared_mb"], 0.75, fill=False, ec=style.DARK, lw=0.7, label="declared", zorder=3
    )
    right.set_xlabel("memory of the largest job (MB)")
    left.set_yticks(y, [f"{r} ({k})" for r, k in zip(rules["rule"], rules["jobs"], strict=True)])
    left.set_ylim(n - 0.5, -0.5)
    for axes in (left, right):
        axes.grid(axis="x")
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    columns = ["rule", "jobs", "wall_s", "cpu_s", "max_rss_mb", "declared_mb", "exceeded"]
    return figure, rules[columns]


def numbers(run: RunData, data: pd.DataFrame) -> dict[str, Any]:
    """Totals for the caption."""
    summary = run.record("performance/summary.json") or {"wall_s": 0.0, "cores": 0, "exceeded": []}
    return {
        "n_jobs": int(data["jobs"].sum()) if len(data) else 0,
        "wall_s": f"{summary['wall_s']:.3g}",
        "cores": summary["cores"],
        "exceeded": len(summary["exceeded"]),
    }
