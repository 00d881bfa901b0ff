"""Odour of another: what shuffled agents are told is what their donors smelled.

The donor of simulation r is the intact agent in simulation r XOR 1: a pair exchanges its odour.
Donors are simulated with the agents that need them, so that no chunk waits for another one.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from plumenav.errors import UserError

Columns = dict[str, np.ndarray]
# what makes a donor, of the columns of a plan
STARTS = ("key", "x_mm", "y_mm", "heading_rad", "start_frame")
# traces kept at the same time; bounds memory, changes no result
TRACE_BYTES = 200_000_000


def with_donors(plan: Columns) -> Columns:
    """A plan, each row with the start of its donor (columns `donor_...`).

    Parameters
    ----------
    plan : dict of ndarray
        All rows of an agent in a recording; rows may be taken from the result.

    Raises
    ------
    UserError
        If a simulation has no partner.
    """
    numbers = plan["simulation"]
    order = np.argsort(numbers)
    partners = numbers ^ 1
    found = order[np.searchsorted(numbers, partners, sorter=order) % len(numbers)]
    if not np.array_equal(numbers[found], partners):
        raise UserError(
            "simulation.simulations",
            f"found {len(numbers)}, but shuffled agents exchange their odour in pairs",
            "an even number",
        )
    return {**plan, **{f"donor_{name}": plan[name][found] for name in STARTS}}


def donors_of(plan: Columns) -> Columns:
    """The donors' own plan, from one with donors; rows in the same order."""
    donors = {name: plan[f"donor_{name}"] for name in STARTS}
    return {"simulation": plan["simulation"] ^ 1, "replicate": plan["simulation"] ^ 1, **donors}


def trace_room(plan: Columns, steps: int, sides: bool) -> np.ndarray:
    """Room for readings, shape (n, steps, 3 if there are sides, else 1), zero where none is."""
    return np.zeros((len(plan["simulation"]), steps, 3 if sides else 1))


def trace_parts(plan: Columns, steps: int, sides: bool) -> Iterator[Columns]:
    """A plan in parts whose traces fit into TRACE_BYTES; at least one row each."""
    each = max(1, TRACE_BYTES // (8 * max(steps, 1) * (3 if sides else 1)))
    n = len(plan["simulation"])
    for first in range(0, max(n, 1), each):
        yield {name: column[first : first + each] for name, column in plan.items()}
