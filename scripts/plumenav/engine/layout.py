"""Where the numbers of agents lie: at rest (a row per agent) and in the kernel (lanes).

The kernel moves LANES agents side by side, one step each, again and again, so that the processor
has something to do for one while it waits for the memory or the arithmetic of another. An agent's
numbers come into a lane, and go back when it has left the block of frames. A lane's numbers lie in
flat arrays, all lanes of one quantity together: ``numbers[X + lane]``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

LANES = 16

# float64 numbers that belong to an agent; in a lane, those of one step follow
NUMBER_NAMES = ("x", "y", "heading", "offset_s", "adapted", "path", "closest2", "time_to_source")
X, Y, HEADING, OFFSET_S, ADAPTED, PATH, CLOSEST2, TIME_TO_SOURCE = (
    LANES * v for v in range(len(NUMBER_NAMES))
)
ODOR, ODOR_LEFT, ODOR_RIGHT, WIND_X, WIND_Y, VELOCITY_X, VELOCITY_Y, NEW_HEADING = (
    LANES * v for v in range(len(NUMBER_NAMES), len(NUMBER_NAMES) + 8)
)
N_OF_A_STEP = 8
LANE_NUMBERS = LANES * (len(NUMBER_NAMES) + N_OF_A_STEP)

# int64 numbers that belong to an agent
COUNT_NAMES = (
    "behaviour",
    "step",  # the next step
    "frame",
    "wraps",
    "next_row",  # the next step that is recorded
    "filled",  # rows since the last hand-over
    "end",
    "status",
    "arrived",
    "in_plume",
    "encounters",
    "steps_in_plume",
    "steps_outside",
    "clipped",
)
(
    BEHAVIOUR,
    STEP,
    FRAME,
    WRAPS,
    NEXT_ROW,
    FILLED,
    END,
    STATUS,
    ARRIVED,
    IN_PLUME,
    ENCOUNTERS,
    STEPS_IN_PLUME,
    STEPS_OUTSIDE,
    CLIPPED,
) = (LANES * v for v in range(len(COUNT_NAMES)))
# which agent is in a lane, and what is next for it
AGENT, PHASE = (LANES * v for v in range(len(COUNT_NAMES), len(COUNT_NAMES) + 2))
LANE_COUNTS = LANES * (len(COUNT_NAMES) + 2)
# phases of a lane: its agent has yet to sense, has sensed, has decided, leaves
TO_SENSE, SENSED, DECIDED, LEAVES = range(4)


class Agents(NamedTuple):
    """The agents of a chunk at rest."""

    key: np.ndarray  # (n,) uint64
    numbers: np.ndarray  # (n, NUMBER_NAMES)
    counts: np.ndarray  # (n, COUNT_NAMES) int64
    state: np.ndarray  # (n, state variables)
    memory: np.ndarray  # (n, size of the model's memory)
    trace: np.ndarray  # (n, steps, 1 or 3) readings of donors: mean, left, right; 0 steps: none


def number(agents: Agents, name: str) -> np.ndarray:
    """One of NUMBER_NAMES, of all agents; a view, shape (n,)."""
    view: np.ndarray = agents.numbers[:, NUMBER_NAMES.index(name)]
    return view


def count(agents: Agents, name: str) -> np.ndarray:
    """One of COUNT_NAMES, of all agents; a view, shape (n,)."""
    view: np.ndarray = agents.counts[:, COUNT_NAMES.index(name)]
    return view


class Rows(NamedTuple):
    """Recorded rows of one block, those of an agent together."""

    codes: np.ndarray  # (agents, capacity, 3) int32: step, frame, behaviour
    numbers: np.ndarray  # (agents, capacity, 4 + variables): x, y, heading, odor, state variables
    first: int  # the agent that the first of them are of


class Lanes(NamedTuple):
    """Agents side by side, for one thread."""

    numbers: np.ndarray  # (LANE_NUMBERS,)
    counts: np.ndarray  # (LANE_COUNTS,) int64


def make_lanes() -> Lanes:
    """Empty lanes."""
    return Lanes(np.zeros(LANE_NUMBERS), np.zeros(LANE_COUNTS, np.int64))


# of what a stepper is given (engine/stepper.py)
N_ADDRESSES = 9
