"""Durations of whiffs and blanks; what noise alone does to the fly ON/OFF model."""

from __future__ import annotations

import numpy as np
from matplotlib.ticker import NullFormatter

from plumenav.figures import _style as style
from plumenav.figures.quality.contents import Contents, Plotted
from plumenav.figures.quality.placing import SMALL_PT, Sheet, plain, short
from plumenav.quality.sensor_noise import SETTLE_S

NO_THRESHOLD = (
    "no whiffs and blanks: the noise of blank air is not known (normalize.blank), and"
    " quality.whiff_threshold is not given"
)
LEFT_MM = 12.5  # of a panel's frame from its cell
NOISE_TITLE = "ON of the fly model in blank air"
MOST_ZONES = 3
NO_AIR = "no ON response: there is no blank air to measure it in (normalize.blank)"


def draw_durations(
    sheet: Sheet,
    c: Contents,
    left: float,
    top: float,
    width: float,
    height: float,
    plotted: Plotted,
) -> None:
    """Histograms of durations over logarithmic bins."""
    sheet.title(left - LEFT_MM, top, "i", "durations of whiffs and blanks")
    axes = sheet.axes(left, top + 4.0, width, height)
    why = _no_durations(c)
    if why:
        plain(axes, why)
        plotted.add("i", "durations", says=why)
        return
    edges = c.arrays["duration_edges_s"]
    middle = np.sqrt(edges[1:] * edges[:-1])
    interval = float(np.median(np.diff(c.time_s)))
    most = 1
    for name, colour, marker, fill in (
        ("whiffs", style.PALETTE[0], "o", style.PALETTE[0]),
        ("blanks", style.PALETTE[1], "s", "white"),
    ):
        counts = c.arrays[name]
        some = counts > 0
        n, censored = int(counts.sum()), c.measures.get(f"censored_{name}")
        median = short(c.measures.get(f"{name[:-1]}_median_s"), 2)
        label = f"{n} {name}, median {median} s; {censored} censored"
        axes.plot(
            middle[some], counts[some], color=colour, marker=marker, ms=2.8, lw=0.7, mew=0.6,
            mfc=fill, label=label,
        )  # fmt: skip
        most = max(most, int(counts.max()))
        plotted.add("i", name, x=edges[:-1], y=edges[1:], value=counts,
                    units=("s, from", "s, to", "number"))  # fmt: skip
        plotted.add("i", f"censored {name}", value=censored, units=("", "", "number"))
    axes.axvline(interval, ymax=0.66, color=style.GREY, lw=0.7, ls=(0, (1, 1.5)))
    # the upper third is the legend's
    axes.set(xscale="log", yscale="log", ylim=(0.7, most * max(14.0, (most / 0.7) ** 0.5)))
    for axis in (axes.xaxis, axes.yaxis):
        # plain numbers: powers of ten would load a parser and another font
        axis.set_major_formatter("{x:g}")
        axis.set_minor_formatter(NullFormatter())
    low = min(interval, middle[(c.arrays["whiffs"] + c.arrays["blanks"]) > 0][0])
    high = middle[(c.arrays["whiffs"] + c.arrays["blanks"]) > 0][-1]
    axes.set_xlim(0.6 * low, max(2.0 * high, 8 * low))
    axes.text(
        1.03 * interval, 0.03, " frame interval", transform=axes.get_xaxis_transform(),
        ha="left", va="bottom", fontsize=SMALL_PT, color=style.DARK,
    )  # fmt: skip
    axes.set_xlabel("duration (s)", labelpad=1)
    axes.set_ylabel("number per bin", labelpad=1)
    axes.legend(
        loc="upper left", fontsize=SMALL_PT, borderaxespad=0.1, labelspacing=0.25,
        handlelength=1.8,
    )  # fmt: skip


def _no_durations(c: Contents) -> str:
    """Why there are no histograms; empty if there are."""
    if "whiffs" not in c.arrays:
        return NO_THRESHOLD
    if not c.arrays["whiffs"].sum() + c.arrays["blanks"].sum():
        threshold = short(c.measures.get("threshold"))
        return f"no whiff or blank begins and ends within the movie (threshold {threshold})"
    return ""


def draw_noise(
    sheet: Sheet,
    c: Contents,
    left: float,
    top: float,
    width: float,
    height: float,
    plotted: Plotted,
) -> None:
    """ON in blank air over time, bare and with this run's dead zones, and its limit."""
    axes = sheet.axes(left, top + 4.0, width, height)
    if "on_bare" not in c.arrays:
        sheet.title(left - LEFT_MM, top, "j", NOISE_TITLE)
        plain(axes, NO_AIR)
        plotted.add("j", "ON", says=NO_AIR)
        return
    time_s = c.arrays["on_time_s"]
    shown, n_zones = responses(c)
    few = f", highest {MOST_ZONES} of {n_zones} dead zones" if n_zones > MOST_ZONES else ""
    sheet.title(left - LEFT_MM, top, "j", NOISE_TITLE + few)
    limit = (c.checks.get("noise_on") or {}).get("limit_fail")
    most = max(limit or 0.0, 1e-6)
    for k, (label, trace) in enumerate(shown.items()):
        mean = settled_mean(trace, time_s)
        axes.plot(
            time_s, trace, color=style.PALETTE[k % 6], ls=style.LINES[k % 4], lw=0.9,
            label=f"{label}: mean {short(mean, 2)}",
        )  # fmt: skip
        most = max(most, float(trace.max()))
        units = ("s", "", "ON")
        plotted.add("j", label, x=time_s, value=trace, units=units)
    axes.axvspan(0, SETTLE_S, color="#e6e6e6", lw=0, zorder=0)
    axes.text(
        SETTLE_S / 2, 0.97, "filling,\nnot counted", transform=axes.get_xaxis_transform(),
        ha="center", va="top", fontsize=SMALL_PT, color=style.DARK,
    )  # fmt: skip
    if limit is not None:
        label = f"fails above a mean of {short(limit)}"
        axes.axhline(limit, color="black", lw=0.7, ls=(0, (1, 1)), label=label)
        plotted.add("j", "limit", value=limit, units=("", "", "ON"))
    axes.set(xlim=(0, float(time_s[-1])), ylim=(-0.04 * most, (1.1 + 0.36 * len(shown)) * most))
    axes.set_xlabel("time (s)", labelpad=1)
    axes.set_ylabel("ON", labelpad=1)
    axes.locator_params(axis="y", nbins=5)
    axes.legend(loc="upper right", fontsize=SMALL_PT, borderaxespad=0.1, labelspacing=0.25)


def settled_mean(trace: np.ndarray, time_s: np.ndarray) -> float:
    """Mean of ON after the filter has filled."""
    return float(trace[time_s >= SETTLE_S].mean())


def responses(c: Contents) -> tuple[dict[str, np.ndarray], int]:
    """ON by name, bare and the dead zones with the highest means; and how many zones there are."""
    time_s, names = c.arrays["on_time_s"], c.arrays["on_dead_zones"].tolist()
    traces = [c.arrays[f"on_dead_zone_{k}"].astype(float) for k in range(len(names))]
    order = sorted(range(len(names)), key=lambda k: -settled_mean(traces[k], time_s))
    zones = {f"dead zone {names[k]}": traces[k] for k in order[:MOST_ZONES]}
    return {"bare": c.arrays["on_bare"].astype(float), **zones}, len(names)
