"""What a simulate job holds in memory: its expected peak, and what to give up if that is too much.

The peak is a sum of what is known to be held (docs/performance.md shows how well it predicts):
Python and its libraries, blocks of the plume on their way (compressed, decoded, and what the pools
keep of them), decoded blocks that are kept, agents and what they remember, rows on their way into
the file. The movie's length is not in it, beyond the blocks that are kept.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from plumenav.models._contract import Cost

MB = 2.0**20
# of plumes (tables.plume.ROW_GROUP_BYTES) and of tables (tables.files.ROWS_PER_GROUP): said again,
# because that module loads pyarrow, and a plan is made at every start; a test compares them
BLOCK_BYTES = 16 * 2**20
ROWS_PER_GROUP = 2**17
ROW_BYTES = 57  # of a row on its way, one column beside the other
ROOM_BYTES = 44  # of a row that an agent may fill
CAPACITY = 2048  # rows that an agent may fill before it hands them over (engine.run.CAPACITY)
AGENT_KB = 9.0  # plan, numbers, and its row of results
NO_COST = Cost()


class Shape(NamedTuple):
    """How large a simulate job is.

    Attributes
    ----------
    frames, height, width : int
        Of the movie; without frames, a block has the largest size.
    itemsize : int
        Bytes of a pixel.
    simulations, steps : int
        Of the job, and of each simulation.
    model : str
    """

    frames: int
    height: int
    width: int
    itemsize: int
    simulations: int
    steps: int
    model: str


class Work(NamedTuple):
    """What a job's memory depends on besides its shape.

    Attributes
    ----------
    rows_per_agent_and_block : int
        At most.
    rows : int
        Of all simulations, at most.
    cost : Cost
        Of the model: what its agents remember and look up.
    variables : int
        State variables in every row.
    wind : bool
        Whether wind is recorded, frame by frame.
    """

    rows_per_agent_and_block: int
    rows: int
    cost: Cost = NO_COST
    variables: int = 0
    wind: bool = False


class Weights(NamedTuple):
    """MB per MB of what is held, and MB that are always there; measured (batch/typical.json)."""

    base_mb: float
    block: float
    kept: float
    group: float
    at_once: float
    agents: float


def frame_bytes(shape: Shape) -> int:
    """Bytes of a decoded frame."""
    return shape.height * shape.width * shape.itemsize


def block_mb(shape: Shape) -> float:
    """A decoded block of the plume, MB; if the plume is not known, the usual size."""
    if not shape.frames:
        return BLOCK_BYTES / MB
    frames = max(1, BLOCK_BYTES // frame_bytes(shape))
    return min(frames, shape.frames) * frame_bytes(shape) / MB


def movie_mb(shape: Shape) -> float:
    """All decoded frames, MB; infinite if the plume is not known."""
    return shape.frames * frame_bytes(shape) / MB if shape.frames else math.inf


def work_of(
    shape: Shape,
    dt_s: float,
    record_every_s: float,
    frame_rate_hz: float | None = None,
    cost: Cost = NO_COST,
    variables: int = 0,
    wind: bool = False,
) -> Work:
    """Rows of a job, from how often they are recorded.

    Parameters
    ----------
    shape : Shape
    dt_s : float
        Step, s.
    record_every_s : float
        Time between rows, s.
    frame_rate_hz : float, optional
        Of the movie; without it, an agent may fill all the room there is.
    cost, variables, wind
        As in :class:`Work`.
    """
    seconds, between = shape.steps * dt_s, max(dt_s, record_every_s)
    in_all = int(seconds / between) + 1
    in_block = in_all
    if frame_rate_hz and shape.frames:
        frames = block_mb(shape) * MB / frame_bytes(shape)
        in_block = min(in_all, int(frames / frame_rate_hz / between) + 2)
    return Work(min(in_block, CAPACITY), in_all * shape.simulations, cost, variables, wind)


def held(shape: Shape, work: Work, keep_mb: float, agents_per_pass: int) -> Weights:
    """What is held, MB of each kind, to be weighted; `base_mb` is 1."""
    wide = 8 * work.variables
    block = block_mb(shape)
    if work.wind:  # its own block, and two components in float32 for every frame of the plume's
        block += BLOCK_BYTES / MB + block * 8 / max(shape.itemsize, 1)
    at_once = min(agents_per_pass or shape.simulations, shape.simulations)
    return Weights(
        base_mb=1.0,
        block=block,
        kept=min(keep_mb, movie_mb(shape)),
        group=min(work.rows, ROWS_PER_GROUP) * (ROW_BYTES + wide) / MB,
        at_once=at_once * work.rows_per_agent_and_block * (ROW_BYTES + ROOM_BYTES + 2 * wide) / MB,
        agents=shape.simulations * (AGENT_KB + work.cost.agent_kb) / 1024 + work.cost.tables_mb,
    )


def expected_peak_mb(
    shape: Shape, work: Work, keep_mb: float, agents_per_pass: int, weights: Weights
) -> float:
    """Largest resident memory that a simulate job is expected to have, MB.

    Parameters
    ----------
    shape : Shape
    work : Work
    keep_mb : float
        Decoded blocks that may be kept.
    agents_per_pass : int
        Agents that move through a block together; 0: all.
    weights : Weights

    Examples
    --------
    >>> shape = Shape(100, 2**10, 2**10, 2, 1024, 10, "on_off")
    >>> round(expected_peak_mb(shape, Work(10, 10240), 64.0, 0, Weights(200.0, 2, 1, 0, 0, 1)))
    305
    """
    each = held(shape, work, keep_mb, agents_per_pass)
    return float(sum(amount * weight for amount, weight in zip(each, weights, strict=True)))


class Split(NamedTuple):
    """How a job works so that it stays within its memory.

    Attributes
    ----------
    keep_mb : float
        Decoded blocks that are kept.
    agents_per_pass : int
        Agents that move through a block together.
    expected_mb : float
        Peak.
    """

    keep_mb: float
    agents_per_pass: int
    expected_mb: float


def split(shape: Shape, work: Work, wish_mb: float, limit_mb: float, weights: Weights) -> Split:
    """Keep as many blocks as wished, or as many as fit; then move fewer agents at a time.

    Parameters
    ----------
    shape : Shape
    work : Work
    wish_mb : float
        Decoded blocks that should be kept.
    limit_mb : float
        Expected peak that must not be exceeded, if anything can be done about it.
    weights : Weights

    Returns
    -------
    Split
    """
    wish_mb = min(wish_mb, movie_mb(shape))
    agents = shape.simulations

    def peak(keep_mb: float, agents: int) -> float:
        return expected_peak_mb(shape, work, keep_mb, agents, weights)

    room_mb = limit_mb - peak(0.0, agents)
    keep_mb = max(0.0, min(wish_mb, room_mb / max(weights.kept, 0.1)))
    if keep_mb < block_mb(shape):
        keep_mb = 0.0
    while room_mb < 0 and agents > 1 and peak(0.0, agents) > limit_mb:
        agents = math.ceil(agents / 2)
    return Split(keep_mb, agents, peak(keep_mb, agents))


def weights_of(typical: Mapping[str, Any]) -> Weights:
    """Weights as batch/typical.json holds them."""
    return Weights(**typical["simulate"]["weights"])
