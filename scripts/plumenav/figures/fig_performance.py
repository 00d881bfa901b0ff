"""What the run cost: time and memory by rule, cores and memory over time, and earlier runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from plumenav.figures import _panels as panels
from plumenav.figures import _style as style
from plumenav.figures._contract import RunData

FOLDER = "performance"  # timings differ from run to run; figures/ must not

TITLE = "Cost of the run"
CAPTION = """
a: wall time (bars) and CPU time (black ticks), summed over the jobs of each rule ({{ n_jobs }}
jobs; {{ wall_s }} s in all on {{ cores }} cores, counting overlapping jobs once). b: memory of the
largest job of each rule (bars) against what its rule declares (black ticks); {{ exceeded }} jobs
exceed it.
{% if n_bars %}c: which job each core had when, in the colours of a; white is a core without a job;
pauses between calls are left out.
d: memory of the jobs at work together: the sum of their peaks (area; they need not coincide), of
what they declare (grey), and what the run may use (red).{% endif %}
{% if n_runs > 1 %}e: wall time (dots) and CPU time (crosses) of the last {{ n_runs }} complete runs
of this configuration on this machine, newest last{{ changes }}.{% endif %}
"""
COLOURED = 6  # rules with a colour of their own
LIGHT = "#b8c4ce"
# the layout, mm: solving one costs more than drawing this figure
ROW_MM, CORE_MM, MEMORY_MM, TREND_MM = 4.6, 4.5, 16.0, 24.0
TALLEST_MM = 60.0  # of all cores
BELOW_MM, TOP_MM, RIGHT_MM, GAP_MM = 10.5, 2.0, 3.0, 5.0
LETTER_MM = 1.15


def draw(run: RunData) -> tuple[Figure, pd.DataFrame]:
    """Two bar charts with one row per rule, a row per core, and a point per run."""
    summary = run.record("performance/summary.json")
    if not summary or not summary["rules"]:
        return panels.nothing("no performance records"), pd.DataFrame(columns=["rule"])
    review = run.record("performance/review.json") or {"timeline": [], "trend": []}
    rules = pd.DataFrame(
        [{"rule": name, **values} for name, values in sorted(summary["rules"].items())]
    ).sort_values(["wall_s", "rule"], ascending=[False, True], kind="stable")
    rules = rules[["rule", "jobs", "wall_s", "cpu_s", "max_rss_mb", "declared_mb", "exceeded"]]
    bars, runs = pd.DataFrame(review["timeline"]), pd.DataFrame(review["trend"])
    colours = {
        rule: style.colour(i) if i < COLOURED else style.GREY
        for i, rule in enumerate(rules["rule"])
    }
    n_cores = int((bars["core"] + bars["threads"]).max()) if len(bars) else 0
    heights = [
        ROW_MM * len(rules),
        min(CORE_MM * n_cores, TALLEST_MM),
        MEMORY_MM if n_cores else 0.0,
        TREND_MM if len(runs) > 1 else 0.0,
    ]
    total_mm = TOP_MM + sum(height + BELOW_MM for height in heights if height)
    figure = panels.new_figure(style.PAGE_MM, total_mm)
    figure.set_layout_engine("none")
    left_mm = 3.0 + LETTER_MM * (4 + max(map(len, rules["rule"])))
    width_mm = style.PAGE_MM - RIGHT_MM - left_mm
    half_mm = (width_mm - GAP_MM) / 2

    def place(row: int, from_left_mm: float, across_mm: float) -> Axes:
        above = TOP_MM + sum(height + BELOW_MM for height in heights[:row] if height)
        bottom = total_mm - above - heights[row]
        x, width = (mm / style.PAGE_MM for mm in (left_mm + from_left_mm, across_mm))
        y, height = (mm / total_mm for mm in (bottom, heights[row]))
        return figure.add_axes((x, y, width, height))

    _by_rule(place(0, 0.0, half_mm), place(0, half_mm + GAP_MM, half_mm), rules, colours)
    parts = [rules.assign(panel="rules")]
    if n_cores:
        _timeline(place(1, 0.0, width_mm), bars, n_cores, colours)
        _memory(place(2, 0.0, width_mm), bars, float(summary["memory_mb"]))
        parts.append(bars.assign(panel="cores"))
    if heights[3]:
        _trend(place(3, 0.0, width_mm), runs)
        parts.append(runs.assign(panel="runs"))
    return figure, pd.concat(parts, ignore_index=True)


def _by_rule(left: Axes, right: Axes, rules: pd.DataFrame, colours: dict[str, str]) -> None:
    y = np.arange(len(rules))
    over = rules["max_rss_mb"].to_numpy(float) > rules["declared_mb"].to_numpy(float)
    left.barh(y, rules["wall_s"], 0.6, color=[colours[rule] for rule in rules["rule"]])
    memory = [style.PALETTE[1] if too_much else LIGHT for too_much in over]
    right.barh(y, rules["max_rss_mb"], 0.6, color=memory)
    for axes, column in ((left, "cpu_s"), (right, "declared_mb")):
        axes.plot(rules[column], y, ls="none", marker="|", ms=8, mew=1.4, color="black")
        axes.grid(axis="x")
        axes.set_xlim(left=0)
        axes.set_ylim(len(rules) - 0.5, -0.5)
    left.set_xlabel("a   time, summed over jobs (s); tick: CPU time")
    right.set_xlabel("b   memory of the largest job (MB); tick: declared")
    left.set_yticks(y, [f"{r} ({k})" for r, k in zip(rules["rule"], rules["jobs"], strict=True)])
    right.set_yticks(y, [""] * len(y))


def _timeline(axes: Axes, bars: pd.DataFrame, n_cores: int, colours: dict[str, str]) -> None:
    """A rectangle per job, one collection per rule: runs have hundreds of jobs."""
    for rule, own in bars.groupby("rule", sort=True):
        columns = (own[name] for name in ("start_s", "core", "wall_s", "threads"))
        boxes = [
            Rectangle((start_s, core - 0.4), wall_s, threads - 0.2)
            for start_s, core, wall_s, threads in zip(*columns, strict=True)
        ]
        colour = colours.get(str(rule), style.GREY)
        axes.add_collection(PatchCollection(boxes, fc=colour, ec="white", lw=0.3))
    axes.set_xlim(0, float((bars["start_s"] + bars["wall_s"]).max()))
    axes.set_ylim(n_cores - 0.5, -0.5)
    ticks = range(0, n_cores, -(-n_cores // 16))
    axes.set_yticks(ticks, [f"core {core + 1}" for core in ticks])
    axes.set_xlabel("c   time (s)")


def _memory(axes: Axes, bars: pd.DataFrame, limit_mb: float) -> None:
    """Sums over the jobs at work; a job that starts when another ends is not beside it."""
    starts = bars["start_s"].to_numpy(float)
    ends = starts + bars["wall_s"].to_numpy(float)
    times = np.concatenate([ends, starts])
    order = np.argsort(times, kind="stable")  # ends first
    sums = {}
    for column in ("max_rss_mb", "declared_mb"):
        loads = bars[column].to_numpy(float)
        sums[column] = np.cumsum(np.concatenate([-loads, loads])[order])
    t = times[order]
    axes.fill_between(t, sums["max_rss_mb"], step="post", color=LIGHT, lw=0)
    axes.plot(t, sums["max_rss_mb"], ds="steps-post", lw=0.6, color=style.DARK, label="peaks")
    axes.plot(t, sums["declared_mb"], ds="steps-post", lw=0.6, color=style.GREY, label="declared")
    axes.axhline(limit_mb, color=style.PALETTE[1], lw=0.8)
    axes.set_xlim(0, float(ends.max()))
    axes.set_ylim(0, 1.05 * max(limit_mb, float(sums["declared_mb"].max())))
    axes.set_ylabel("MB")
    axes.set_xlabel("d   time (s)")


def _trend(axes: Axes, runs: pd.DataFrame) -> None:
    """Wall and CPU time by run; a line where the code changed."""
    x = np.arange(1, len(runs) + 1)
    axes.plot(x, runs["wall_s"], "o", ls="-", lw=0.6, color=style.PALETTE[0], label="wall")
    axes.plot(x, runs["cpu_s"], "x", ls="-", lw=0.6, color=style.PALETTE[1], label="CPU")
    for i in np.flatnonzero(np.diff(runs["code"])):
        axes.axvline(i + 1.5, color=style.GREY, lw=0.6, ls=(0, (4, 2)))
    axes.set_xlim(0.5, len(runs) + 0.5)
    axes.set_ylim(0, 1.1 * float(runs[["wall_s", "cpu_s"]].to_numpy().max()))
    axes.grid(axis="y")
    axes.set_xticks(x[:: -(-len(x) // 15)])
    axes.set_xlabel("e   runs, newest last")
    axes.set_ylabel("time (s)")
    axes.legend(loc="lower left", ncols=2)


def numbers(run: RunData, data: pd.DataFrame) -> dict[str, Any]:
    """Totals for the caption."""
    summary = run.record("performance/summary.json") or {"wall_s": 0.0, "cores": 0, "exceeded": []}
    panel = data["panel"].to_list() if "panel" in data else []
    changed = "code" in data and data["code"].max() > 0
    return {
        "n_jobs": int(data["jobs"].sum()) if "jobs" in data else 0,
        "wall_s": f"{summary['wall_s']:.3g}",
        "cores": summary["cores"],
        "exceeded": len(summary["exceeded"]),
        "n_bars": panel.count("cores"),
        "n_runs": panel.count("runs"),
        "changes": "; dashed: the code or a package changed" if changed else "",
    }
