"""What infotaxis and its relatives share: a searcher that believes, listens, and moves by cells.

The searcher knows the arena, where it is, and how often an odour is met at any place relative to
the source; that model of detections was fitted to the plume before. It divides the arena into
cells, keeps the probability that the source is in each of them, and every decision interval moves
one cell along x or y, or stays. Which move is best is the models' own business. Specification of a
step: docs/conventions.md.
"""

from __future__ import annotations

import math
from typing import Any, Literal, NamedTuple

import numpy as np

from plumenav.errors import UserError
from plumenav.models._contract import (
    Action,
    Cost,
    ModelParams,
    Observation,
    Surroundings,
    parameter,
)
from plumenav.models._decision import (
    MOVE_COLUMN,
    MOVE_ROW,
    drawn,
    forbid,
    learn,
    likelihood,
    lowest,
    offsets,
    stride_of,
)
from plumenav.models._encounters import is_whiff
from plumenav.models._math import NEVER, SLACK_S, other_side

FAMILY = "belief"
PRIVILEGED = (
    "the arena, its own place in it, the direction of the wind, and the mean rate of hits around "
    "the source, fitted to this plume"
)
PUBLICATION_DT_S = 0.02
COST = Cost(step_us=0.8, agent_kb=20.0, tables_mb=20.0)
SENSOR: dict[str, Any] = {
    "shape": "point",
    "interpolation": "bilinear",
    "threshold": {"value": 5.0, "unit": "noise_sd"},
    "dead_zone": None,
}
DETECTION = True
BEHAVIOURS = ("listen", "search", "return")
MOST_CELLS = 20_000
PREPARED = (
    "detection_rate_hz_scale",
    "detection_length_mm",
    "detection_drift_per_mm",
    "detection_radius_mm",
)
SUPPLEMENT = "Vergassola et al. 2007, supplement"
OPEN_CODE = "open code of the windy search (rkp8000/infotaxis), after Vergassola et al. 2007"
HEADING = (math.pi, 0.0, -0.5 * math.pi, 0.5 * math.pi, 0.0)


class BeliefParams(ModelParams):
    """Parameters of a searcher with a belief."""

    fidelity: Literal["published", "corrected"] = parameter(
        "published",
        "1",
        "moves that are equally good: published takes the first of -x, +x, -y, +y, stay, which "
        "prefers a side; corrected draws one, by the wind",
        "Loisy & Eloy 2022, authors' code",
    )
    detection: Literal["windy", "isotropic"] = parameter(
        "windy", "1", "believed detections drift with the wind, or do not", SUPPLEMENT
    )
    decision_interval_s: float = parameter(0.5, "s", "time from decision to decision", "ours", gt=0)
    speed_mm_s: float = parameter(
        10.0, "mm/s", "speed; a cell is as wide as it gets in an interval", "ours", gt=0
    )
    count: Literal["onsets", "hits"] = parameter(
        "onsets",
        "1",
        "a hit is the onset of odour, or the odour itself is a number of hits (fields of "
        "detections)",
        "ours",
    )
    refractory_s: float = parameter(
        0.1, "s", "an onset counts if the last hit was longer ago", "Demir et al. 2020, code", ge=0
    )
    hit_values: int = parameter(
        2,
        "1",
        "numbers of hits in an interval that are told apart, the last one meaning 'or more'; 2: "
        "some or none; 0: as many as the rate at one cell's distance asks for (OTTO's rule)",
        OPEN_CODE,
        ge=0,
        le=64,
    )
    prior: Literal["uniform"] = parameter(
        "uniform", "1", "belief at the start, over the arena", OPEN_CODE
    )
    stay: bool = parameter(True, "1", "staying in its cell is a move, too", OPEN_CODE)
    found_radius_mm: float | None = parameter(
        None,
        "mm",
        "a source this near would have been found (null: half a cell, the searcher's own cell)",
        "Loisy & Eloy 2022",
        ge=0,
    )
    tie_bits: float = parameter(
        1e-10,
        "bit",
        "moves whose values differ by less are equally good",
        "Loisy & Eloy 2022",
        ge=0,
    )


# what the article of space-aware infotaxis, and its code, leave different from the defaults
LOISY_ELOY_2022: dict[str, Any] = {
    "detection": "isotropic",
    "count": "hits",
    "hit_values": 0,
    "stay": False,
}


class Constants(NamedTuple):
    """Parameters of the step; flags are 0 or 1."""

    speed: float
    refractory: float
    counts_onsets: float
    may_stay: float
    draws_ties: float
    tie: float


class State(NamedTuple):
    """Where the searcher's grid lies, what it heard since the last decision, and how it moves.

    `rows` and `columns` are how many cells have their centre in the arena; the centre of the first
    one is at (first_x_mm, first_y_mm). `listened` counts steps, `contradictions` how often the
    belief started again.
    """

    first_x_mm: float
    first_y_mm: float
    rows: float
    columns: float
    listened: float
    hits: float
    in_odor: float
    last_hit_s: float
    contradictions: float
    velocity_x: float
    velocity_y: float
    move: float
    behaviour: float


class Noise(NamedTuple):
    """Draws that decide between equally good moves."""

    which: float
    side: float


class Tables(NamedTuple):
    """What a searcher knows, the same for all of a run.

    Attributes
    ----------
    planes : ndarray
        Chances of hits and what the decision makes of them (models/_decision.py).
    found : ndarray of int64, shape (n, 2)
        Offsets (rows, columns) of the cells in which a source would have been found.
    rows, columns, stride : int
        Largest grid, and columns with padding.
    hit_values, steps : int
        Numbers of hits told apart; steps of an interval.
    quarter : int
        Quarter turns, 0 to 3, from +x to the direction nearest to the wind's.
    cell_mm : float
    x_min_mm, x_max_mm, y_min_mm, y_max_mm : float
        Edges of the arena.
    """

    planes: np.ndarray
    found: np.ndarray
    rows: int
    columns: int
    stride: int
    hit_values: int
    steps: int
    quarter: int
    cell_mm: float
    x_min_mm: float
    x_max_mm: float
    y_min_mm: float
    y_max_mm: float


def mirrored(noise: Noise) -> Noise:
    """Draws of the mirror image: the other one of two crosswind moves."""
    return noise._replace(side=other_side(noise.side))


def broken_symmetries(params: BeliefParams) -> dict[str, str]:
    """What the fixed order of equally good moves breaks."""
    if params.fidelity == "corrected":
        return {}
    return {
        "mirror": "of two moves that are equally good, -y comes before +y",
        "rotation": "of moves that are equally good the first is taken, in an order that does not "
        "turn with the wind",
    }


def problem(params: BeliefParams, dt_s: float) -> str | None:
    """Why these parameters cannot run at this step; None if they can."""
    if params.decision_interval_s < dt_s - SLACK_S:
        return (
            f"decision_interval_s ({params.decision_interval_s:g} s) is shorter than a step "
            f"({dt_s:g} s)"
        )
    if params.hit_values == 1:
        return (
            "hit_values is 1: at least two numbers of hits must be told apart (or 0: OTTO's rule)"
        )
    return None


def constants(params: BeliefParams, wind_speed_mm_s: float) -> Constants:
    """Physical constants of the step."""
    return Constants(
        speed=params.speed_mm_s,
        refractory=params.refractory_s,
        counts_onsets=1.0 if params.count == "onsets" else 0.0,
        may_stay=1.0 if params.stay else 0.0,
        draws_ties=1.0 if params.fidelity == "corrected" else 0.0,
        tie=params.tie_bits,
    )


def initial_state(constants: Constants) -> State:
    """No grid yet; nothing heard."""
    return State(0.0, 0.0, -1.0, -1.0, 0.0, 0.0, 0.0, NEVER, 0.0, 0.0, 0.0, 4.0, 0.0)


def initial_behaviour(constants: Constants) -> int:
    """It listens."""
    return 0


class Detections(NamedTuple):
    """Mean rate of hits around a source: scale * exp(drift * downwind) * K0(r / length).

    Attributes
    ----------
    scale_hz, length_mm, drift_per_mm, radius_mm : float
        r is at least the radius.
    """

    scale_hz: float
    length_mm: float
    drift_per_mm: float
    radius_mm: float

    def rate_hz(self, downwind_mm: np.ndarray, distance_mm: np.ndarray) -> np.ndarray:
        """Hits per second at displacements from the source."""
        from scipy.special import k0e

        z = np.maximum(distance_mm, self.radius_mm) / self.length_mm
        # one exponential for both: each alone would leave the range of numbers far downwind
        spread = np.exp(self.drift_per_mm * downwind_mm - z) * k0e(z)
        return np.asarray(self.scale_hz * spread)


def detections(params: BeliefParams, surroundings: Surroundings) -> Detections:
    """Believed detections, from what was fitted to the plume.

    Raises
    ------
    UserError
        If nothing was fitted.
    """
    missing = [name for name in PREPARED if name not in surroundings.prepared]
    if missing:
        raise UserError(
            "agents",
            f"a searcher with a belief has no fitted model of detections ({', '.join(missing)})",
            "a recording to which one can be fitted",
            "Its hits are too rare to say where they come from: lower the threshold, or use a "
            "longer recording.",
        )
    scale, length, drift, radius = (float(surroundings.prepared[n].item()) for n in PREPARED)
    if params.detection == "isotropic":
        drift = 0.0
    return Detections(scale, length, drift, radius)


def otto_hit_values(mean_at_one_cell: float) -> int:
    """How many numbers of hits OTTO tells apart."""
    return max(2, math.ceil(mean_at_one_cell + math.sqrt(mean_at_one_cell)) + 1)


class Geometry(NamedTuple):
    """Cells of an arena, and offsets between them.

    Attributes
    ----------
    rows, columns : int
        As many as can have their centre in the arena.
    steps : int
        Time steps of a decision interval.
    cell_mm : float
    rows_off, columns_off : ndarray, shape of a plane
        Offsets of the source from the searcher, cells.
    found : ndarray of bool, shape of a plane
        Where the source would have been found.
    """

    rows: int
    columns: int
    steps: int
    cell_mm: float
    rows_off: np.ndarray
    columns_off: np.ndarray
    found: np.ndarray


def geometry(params: BeliefParams, s: Surroundings) -> Geometry:
    """Divide the arena into cells.

    Raises
    ------
    UserError
        If there would be too many.
    """
    steps = max(1, round(params.decision_interval_s / s.dt_s))
    cell_mm = params.speed_mm_s * steps * s.dt_s
    columns = math.floor((s.x_max_mm - s.x_min_mm) / cell_mm) + 1
    rows = math.floor((s.y_max_mm - s.y_min_mm) / cell_mm) + 1
    if rows * columns > MOST_CELLS:
        raise UserError(
            "agents.<label>.parameters.decision_interval_s",
            f"cells of {cell_mm:g} mm: {rows} x {columns} of them fill the arena",
            f"at most {MOST_CELLS} cells",
            "Use a longer decision_interval_s or a higher speed_mm_s.",
        )
    rows_off, columns_off = offsets(rows, columns)
    radius = 0.5 if params.found_radius_mm is None else params.found_radius_mm / cell_mm
    found = np.hypot(rows_off, columns_off) <= max(radius, 0.5) + 1e-9
    return Geometry(rows, columns, steps, cell_mm, rows_off, columns_off, found)


def chances(params: BeliefParams, s: Surroundings, g: Geometry) -> np.ndarray:
    """Chance of each number of hits in an interval, shape (hit_values, *plane)."""
    believed = detections(params, s)
    # the searcher's displacement from a source is minus the source's offset from the searcher
    x_mm, y_mm = -g.columns_off * g.cell_mm, -g.rows_off * g.cell_mm
    downwind_mm = x_mm * math.cos(s.wind_toward_rad) + y_mm * math.sin(s.wind_toward_rad)
    interval_s = g.steps * s.dt_s
    mean = interval_s * believed.rate_hz(downwind_mm, np.hypot(x_mm, y_mm))
    hit_values = params.hit_values
    if hit_values == 0:
        nearest = believed._replace(drift_per_mm=0.0)
        one = nearest.rate_hz(np.zeros(1), np.array([g.cell_mm]))
        hit_values = otto_hit_values(interval_s * float(one[0]))
    return likelihood(mean, hit_values, g.found)


def make_tables(planes: np.ndarray, hit_values: int, g: Geometry, s: Surroundings) -> Tables:
    """Tables of a searcher, from the planes its decision looks up."""
    cells = np.argwhere(g.found) - (g.rows, g.columns)
    return Tables(
        planes=planes,
        found=np.ascontiguousarray(cells, np.int64),
        rows=g.rows,
        columns=g.columns,
        stride=stride_of(g.columns),
        hit_values=hit_values,
        steps=g.steps,
        quarter=math.floor(s.wind_toward_rad / (0.5 * math.pi) + 0.5) % 4,
        cell_mm=g.cell_mm,
        x_min_mm=s.x_min_mm,
        x_max_mm=s.x_max_mm,
        y_min_mm=s.y_min_mm,
        y_max_mm=s.y_max_mm,
    )


def first_centre(place_mm: float, low_mm: float, cell_mm: float) -> float:
    """Centre of the first cell inside an arena, of cells with a centre at `place_mm`."""
    return place_mm + math.ceil((low_mm - place_mm) / cell_mm) * cell_mm


def centres(first_mm: float, high_mm: float, cell_mm: float, most: int) -> int:
    """How many cells have their centre in the arena."""
    return max(0, min(most, math.floor((high_mm - first_mm) / cell_mm) + 1))


def settle(observation: Observation, belief: Any, tables: Tables) -> tuple[float, float, int, int]:
    """Lay the grid so that the start is a cell's centre, and believe in all cells alike.

    Returns
    -------
    first_x_mm, first_y_mm : float
    rows, columns : int
    """
    first_x = first_centre(observation.x_mm, tables.x_min_mm, tables.cell_mm)
    first_y = first_centre(observation.y_mm, tables.y_min_mm, tables.cell_mm)
    rows = centres(first_y, tables.y_max_mm, tables.cell_mm, tables.rows)
    columns = centres(first_x, tables.x_max_mm, tables.cell_mm, tables.columns)
    for r in range(rows):
        for j in range(columns):
            belief[r, j] = 1.0 / (rows * columns)
    return first_x, first_y, rows, columns


def heard(state: State, hit_values: int) -> int:
    """Number of hits since the last decision, as far as they are told apart."""
    return int(min(math.floor(state.hits + 0.5), hit_values - 1.0))


def cell_of(place_mm: float, first_mm: float, cell_mm: float) -> int:
    """Number of the cell whose centre is nearest."""
    return math.floor((place_mm - first_mm) / cell_mm + 0.5)


def way_back(row: int, column: int, rows: int, columns: int, quarter: int) -> int:
    """Move of a searcher that is not on its grid: towards it, along the axis that is farther off.

    Along the wind's axis if both are as far; staying if there is no grid.
    """
    if rows == 0 or columns == 0:
        return 4
    off_x = column - (columns - 1) if column >= columns else min(column, 0)
    off_y = row - (rows - 1) if row >= rows else min(row, 0)
    along_x = quarter % 2 == 0
    if abs(off_x) > abs(off_y) or (abs(off_x) == abs(off_y) and along_x):
        return 0 if off_x > 0 else 1
    return 2 if off_y > 0 else 3


def attend(
    observation: Observation, state: State, c: Constants, belief: Any, tables: Tables
) -> State:
    """First part of a step: be somewhere, and count hits."""
    first_x = state.first_x_mm
    first_y = state.first_y_mm
    rows = int(state.rows)
    columns = int(state.columns)
    if rows < 0:
        first_x, first_y, rows, columns = settle(observation, belief, tables)
    in_odor = observation.odor >= observation.threshold
    hits = state.hits
    last_hit = state.last_hit_s
    since_s = observation.time_s - last_hit
    if c.counts_onsets < 0.5:
        hits += max(observation.odor, 0.0)
    elif is_whiff(in_odor, state.in_odor > 0.5, since_s, c.refractory):
        hits += 1.0
        last_hit = observation.time_s
    # written out: the compiler knows no _replace
    return State(
        first_x,
        first_y,
        float(rows),
        float(columns),
        state.listened + 1.0,
        hits,
        1.0 if in_odor else 0.0,
        last_hit,
        state.contradictions,
        state.velocity_x,
        state.velocity_y,
        state.move,
        state.behaviour,
    )


def on_grid(row: int, column: int, state: State) -> bool:
    """Whether a cell has its centre in the arena."""
    return row >= 0 and row < state.rows and column >= 0 and column < state.columns


def update(row: int, column: int, state: State, belief: Any, tables: Tables) -> int:
    """At the end of an interval: learn from what was heard; 1 if the belief started again."""
    hits = heard(state, tables.hit_values)
    rows = int(state.rows)
    columns = int(state.columns)
    return learn(belief, tables.planes, tables.found, hits, row, column, rows, columns)


def choose(
    observation: Observation,
    state: State,
    c: Constants,
    noise: Noise,
    row: int,
    column: int,
    values: Any,
    contradictions: int,
    tables: Tables,
    dt_s: float,
) -> State:
    """Then set out on the move of the smallest value, or back to the grid."""
    rows = int(state.rows)
    columns = int(state.columns)
    behaviour = 1.0
    if not on_grid(row, column, state):
        behaviour = 2.0
        move = way_back(row, column, rows, columns, tables.quarter)
    else:
        forbid(values, row, column, rows, columns, c.may_stay > 0.5)
        if c.draws_ties > 0.5:
            move = drawn(values, c.tie, noise.which, noise.side, tables.quarter)
        else:
            move = lowest(values, c.tie)
    # to the centre of the next cell: errors of rounding do not add up
    interval = tables.steps * dt_s
    x = state.first_x_mm + (column + MOVE_COLUMN[move]) * tables.cell_mm
    y = state.first_y_mm + (row + MOVE_ROW[move]) * tables.cell_mm
    return State(
        state.first_x_mm,
        state.first_y_mm,
        state.rows,
        state.columns,
        0.0,
        0.0,
        state.in_odor,
        state.last_hit_s,
        state.contradictions + contradictions,
        (x - observation.x_mm) / interval,
        (y - observation.y_mm) / interval,
        float(move),
        behaviour,
    )


def act(observation: Observation, state: State) -> Action:
    """Last part of a step: go on to the next cell, facing it."""
    move = int(state.move)
    heading = observation.heading_rad if move == 4 else HEADING[move]
    return Action(state.velocity_x, state.velocity_y, heading, int(state.behaviour), 0)
