"""Which simulations the independent reference computes again, and what that sample holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

Edges = tuple[float, float, float, float]  # x low, x high, y low, y high of the recorded image, mm


def _smelled(row: Mapping[str, Any]) -> bool:
    return int(row["encounters"] or 0) >= 1


def _ended_outside(row: Mapping[str, Any], arena_mm: Edges | None) -> bool:
    """Whether a simulation left, or was outside the recorded image when it ended."""
    if row["end"] == "left":
        return True
    if row["end"] == "source" or not (row["time_outside_s"] or 0.0) > 0.0:
        return False
    if arena_mm is None:
        return True  # it was outside at some time: the nearest to it that the table tells
    x_low, x_high, y_low, y_high = arena_mm
    inside = x_low <= row["final_x_mm"] < x_high and y_low < row["final_y_mm"] <= y_high
    return not inside


def _quotas(n: int) -> tuple[int, int]:
    """Simulations wanted of each special kind (reached; left), and that smell something."""
    return n // 3, -(-n // 2)


def sample_counts(
    rows: list[dict[str, Any]],
    wanted: int,
    arena_mm: Edges | None = None,
) -> dict[str, Any]:
    """What a sample holds, and what it lacks of a third reached, a third left, half smelling.

    Returns
    -------
    dict
        `reached`, `left`, `smelled` (numbers) and `missing` (list of sentences).
    """
    third, half = _quotas(wanted)
    reached = sum(bool(row["success"]) for row in rows)
    left = sum(not row["success"] and _ended_outside(row, arena_mm) for row in rows)
    smelled = sum(_smelled(row) for row in rows)
    asked = {"reached the source": (reached, third), "left or ended outside": (left, third)}
    asked |= {"smelled something": (smelled, half), "in the sample": (len(rows), wanted)}
    missing = [f"{what}: {n} of {q}" for what, (n, q) in asked.items() if n < q]
    return {"reached": reached, "left": left, "smelled": smelled, "missing": missing}


def choose_sample(simulations: pa.Table, n: int, arena_mm: Edges | None = None) -> list[int]:
    """Simulations that the reference computes again: chosen to be telling, and always the same.

    A third reached the source, a third left or ended outside, the rest have the most encounters; if
    fewer than half met odour, simulations that did replace some that did not, as far as there are
    any.

    Parameters
    ----------
    simulations : pyarrow.Table
        SIMULATIONS rows of one agent in one recording; failed ones are never chosen.
    n : int
        Size of the sample.
    arena_mm : tuple of float, optional
        x low, x high, y low, y high of the recorded image. Without it, a simulation that failed and
        was outside at some time counts as having ended outside.

    Returns
    -------
    list of int
        Simulation numbers, sorted; all that did not fail if they are fewer than `n`.
    """
    rows = [row for row in simulations.to_pylist() if row["status"] == "ok"]
    # those that met odour come first in each group, then by number
    rows.sort(key=lambda row: (not _smelled(row), row["simulation"]))
    third, half = _quotas(n)
    reached = [row for row in rows if row["success"]][:third]
    left = [row for row in rows if not row["success"] and _ended_outside(row, arena_mm)][:third]
    chosen = reached + left
    taken = {row["simulation"] for row in chosen}
    others = [row for row in rows if row["simulation"] not in taken]
    others.sort(key=lambda row: (-row["encounters"], row["simulation"]))
    rest = n - len(chosen)
    chosen, spare = chosen + others[:rest], [row for row in others[rest:] if _smelled(row)]
    while spare and sum(_smelled(row) for row in chosen) < half:
        last = max(i for i, row in enumerate(chosen) if not _smelled(row))
        chosen[last] = spare.pop(0)
    return sorted(int(row["simulation"]) for row in chosen)
