"""A searcher with a belief, written out for the references of infotaxis and its relatives.

Source: Vergassola, Villermaux & Shraiman (2007) "'Infotaxis' as a strategy for searching without
gradients", Nature 445:406-409, and supplement; what it leaves open: docs/conventions.md. Every
decision works out every posterior belief of every move as an array, and its entropy.

    rate(r | s) = scale * exp(drift * downwind) * K0(|r - s| / length)
    P(h | mu) = mu^h exp(-mu) / h!          p(s) <- P(h | s) p(s) / sum
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from plumenav.references._loop import Action, Sensed, Wind, exceeds, run
from plumenav.references._plume import Arena, Plume

DRAWS = ("which", "side")
LISTEN, SEARCH, RETURN = 0, 1, 2
# (columns, rows, heading) of the moves; None: as before
MOVES: tuple[tuple[int, int, float | None], ...] = (
    (-1, 0, math.pi),
    (1, 0, 0.0),
    (0, -1, -math.pi / 2),
    (0, 1, math.pi / 2),
    (0, 0, None),
)
STAY = 4
COMPASS = ((1, 0), (0, 1), (-1, 0), (0, -1))
# a wide tie, so that in the contract tests draws decide often
EXAMPLE_PARAMETERS: dict[str, Any] = {
    "fidelity": "corrected",
    "detection": "windy",
    "decision_interval_s": 0.3,
    "speed_mm_s": 10.0,
    "count": "onsets",
    "refractory_s": 0.1,
    "hit_values": 3,
    "prior": "uniform",
    "stay": True,
    "found_radius_mm": None,
    "tie_bits": 0.05,
}


class Outlook(NamedTuple):
    """What a move may lead to.

    Attributes
    ----------
    beliefs : ndarray, shape (hit_values, rows, columns)
        Belief after each number of hits, source not found.
    chances : ndarray, shape (hit_values,)
        Chance of not finding the source and hearing so many hits.
    entropy_before : float
        Of the belief before the move, bits.
    column, row : int
        The cell moved to.
    """

    beliefs: np.ndarray
    chances: np.ndarray
    entropy_before: float
    column: int
    row: int


Price = Callable[[Outlook], float]


def entropy(p: np.ndarray) -> float:
    """Entropy in bits."""
    some = p[p > 0.0]
    return -float(np.sum(some * np.log2(some)))


def outcomes_of_one_cell(known: Hits, cell_mm: float) -> int:
    """How many numbers of hits are told apart, by the mean at one cell's distance."""
    mean = float(mean_hits(known, np.array([cell_mm]), np.zeros(1))[0])
    return max(2, math.ceil(mean + math.sqrt(mean)) + 1)


def axis_of_cells(place: float, low: float, high: float, cell: float) -> tuple[np.ndarray, float]:
    """Centres of the cells of an axis that lie in the arena; and how close one is to an edge."""
    below, above = (low - place) / cell, (high - place) / cell
    margin = min(abs(v - round(v)) for v in (below, above))
    return place + cell * np.arange(math.ceil(below), math.floor(above) + 1), margin


class Hits(NamedTuple):
    """What a searcher knows of hits.

    Attributes
    ----------
    scale_hz, length_mm, drift_per_mm, radius_mm : float
        Of their rate; the drift is 0 where the model of detections has none.
    toward_rad : float
        Where the wind blows to.
    interval_s : float
        How long it listens.
    """

    scale_hz: float
    length_mm: float
    drift_per_mm: float
    radius_mm: float
    toward_rad: float
    interval_s: float


def mean_hits(known: Hits, dx: np.ndarray, dy: np.ndarray) -> np.ndarray:
    """Mean number of hits in an interval at displacements (mm) from the source."""
    from scipy.special import k0e

    downwind = dx * math.cos(known.toward_rad) + dy * math.sin(known.toward_rad)
    z = np.maximum(np.sqrt(dx**2 + dy**2), known.radius_mm) / known.length_mm
    # K0(z) = k0e(z) exp(-z), as a logarithm: it may be smaller than any number
    rate_hz = known.scale_hz * np.exp(known.drift_per_mm * downwind - z + np.log(k0e(z)))
    return np.asarray(rate_hz * known.interval_s)


@lru_cache(maxsize=8)
def likelihoods(
    known: Hits, outcomes: int, cell_mm: float, found_mm: float, rows: int, columns: int
) -> np.ndarray:
    """P(h and not found | source so many cells away), for all displacements on a grid.

    They are the same wherever the grid lies, so that all simulations share them.

    Returns
    -------
    ndarray, shape (outcomes, 2 rows - 1, 2 columns - 1)
        Row and column are those of the source, counted from the searcher, which is in the middle.
    """
    from scipy.special import gammainc

    dx, dy = np.meshgrid(
        -cell_mm * np.arange(1 - columns, columns), -cell_mm * np.arange(1 - rows, rows)
    )
    mu = mean_hits(known, dx, dy)
    most = outcomes - 1
    fewer = [np.exp(-mu) * mu**h / math.factorial(h) for h in range(most)]
    # the chance of `most` hits or more
    table = np.stack([*fewer, gammainc(most, mu)])
    table[:, np.sqrt(dx**2 + dy**2) <= found_mm] = 0.0
    return table


class Believer:
    """A searcher that holds a belief, and how a move is priced."""

    def __init__(
        self,
        parameters: Mapping[str, Any],
        wind: Wind,
        dt_s: float,
        arena: Arena,
        prepared: Mapping[str, np.ndarray],
        price: Price,
    ) -> None:
        self.p, self.wind, self.dt_s, self.price = parameters, wind, dt_s, price
        self.edges = arena.edges_mm()
        self.events = parameters["count"] == "onsets"
        self.code, self.clipped = LISTEN, 0
        self.steps = max(1, round(parameters["decision_interval_s"] / dt_s))
        self.cell = parameters["speed_mm_s"] * self.steps * dt_s
        scale, length, drift, radius = (
            float(np.ravel(prepared[f"detection_{name}"])[0])
            for name in ("rate_hz_scale", "length_mm", "drift_per_mm", "radius_mm")
        )
        still = Hits(scale, length, 0.0, radius, wind.toward_rad, self.steps * dt_s)
        windy = parameters["detection"] == "windy"
        self.known = still._replace(drift_per_mm=drift) if windy else still
        self.outcomes = parameters["hit_values"] or outcomes_of_one_cell(still, self.cell)
        found_cells = max(0.5, (parameters["found_radius_mm"] or 0.0) / self.cell) + 1e-9
        self.found_mm = self.cell * found_cells
        self.belief = np.zeros((0, 0))
        self.x = self.y = np.zeros(0)
        self.start: tuple[float, float] | None = None
        self.listened, self.hits = 0, 0.0
        self.was_in_odor, self.last_hit_s = False, -math.inf
        self.velocity = (0.0, 0.0)
        self.facing: float | None = None

    def variables(self) -> dict[str, float]:
        """Hits since the last decision."""
        return {"hits": self.hits}

    # ------------------------------------------------------------------------- belief and move

    def likelihoods(self, column: int, row: int) -> np.ndarray:
        """P(h and not found | source in each cell), shape (outcomes, rows, columns)."""
        rows, columns = self.belief.shape
        every = likelihoods(self.known, self.outcomes, self.cell, self.found_mm, rows, columns)
        first_row, first_column = rows - 1 - row, columns - 1 - column
        return every[:, first_row : first_row + rows, first_column : first_column + columns]

    def outlook(self, column: int, row: int, entropy_before: float) -> Outlook:
        """What may be known after a move to a cell."""
        joint = self.likelihoods(column, row) * self.belief
        chances = joint.sum(axis=(1, 2))
        beliefs = joint / np.where(chances > 0.0, chances, 1.0)[:, None, None]
        return Outlook(beliefs, chances, entropy_before, column, row)

    def learn(self, column: int, row: int) -> float:
        """Bayes' rule with the hits that were heard; distance of the count from rounding."""
        hits = min(math.floor(self.hits + 0.5), self.outcomes - 1)
        table = self.likelihoods(column, row)
        posterior = table[hits] * self.belief
        total = float(posterior.sum())
        if total < 1e-290:
            posterior = np.where(table.sum(axis=0) > 0.0, 1.0, 0.0)
            total = max(float(posterior.sum()), 1.0)
        self.belief = posterior / total
        return abs(self.hits % 1.0 - 0.5)

    def best_move(self, column: int, row: int, which: float, side: float) -> tuple[int, float]:
        """The move of the smallest value, and how close another choice was."""
        values: dict[int, float] = {}
        before = entropy(self.belief)
        for move, (right, up, _) in enumerate(MOVES):
            c, r = column + right, row + up
            inside = 0 <= c < len(self.x) and 0 <= r < len(self.y)
            if inside and (move != STAY or self.p["stay"]):
                values[move] = self.price(self.outlook(c, r, before))
        if not values:
            return STAY, math.inf
        best = min(values, key=lambda move: values[move])
        gaps = {move: value - values[best] for move, value in values.items() if move != best}
        tie = self.p["tie_bits"]
        margin = min((abs(gap - tie) for gap in gaps.values()), default=math.inf)
        good = sorted([best, *(move for move, gap in gaps.items() if gap <= tie)])
        if self.p["fidelity"] == "published" or len(good) == 1:
            return good[0], margin
        number = which * len(good)
        margin = min(margin, abs(number - round(number)))
        move = sorted(good, key=self.rank)[math.floor(number)]
        across = [m for m in good if self.course(m)[1] != 0]
        if move in across and len(across) == 2:
            to_left = 1 if side < 0.5 else -1
            margin = min(margin, abs(side - 0.5))
            move = next(m for m in across if self.course(m)[1] == to_left)
        return move, margin

    def axis(self) -> tuple[int, int]:
        """The one of the four directions of the grid that is nearest to the wind's."""
        return COMPASS[math.floor(self.wind.toward_rad / (math.pi / 2) + 0.5) % 4]

    def course(self, move: int) -> tuple[int, int]:
        """Where a move goes: cells downwind, and to the left of downwind."""
        ex, ey = self.axis()
        right, up, _ = MOVES[move]
        return right * ex + up * ey, up * ex - right * ey

    def rank(self, move: int) -> int:
        """Place of a move in the order upwind, downwind, stay, right, left."""
        return ((-1, 0), (1, 0), (0, 0), (0, -1), (0, 1)).index(self.course(move))

    def way_back(self, column: int, row: int) -> int:
        """The move towards the grid, along the axis in which it is farther off.

        If both are as far: along the wind.
        """
        if not self.belief.size:
            return STAY
        off_x = column - min(max(column, 0), len(self.x) - 1)
        off_y = row - min(max(row, 0), len(self.y) - 1)
        along_x = abs(off_x) > abs(off_y)
        if abs(off_x) == abs(off_y):
            along_x = self.axis()[0] != 0
        if along_x:
            return 0 if off_x > 0 else 1
        return 2 if off_y > 0 else 3

    # ------------------------------------------------------------------------------ one step

    def decide(self, now: Sensed) -> Action:
        """Listen; after an interval, learn and choose where to go."""
        margin = math.inf
        if self.start is None:
            self.start = (now.x_mm, now.y_mm)
            x_low, x_high, y_low, y_high = self.edges
            self.x, margin_x = axis_of_cells(now.x_mm, x_low, x_high, self.cell)
            self.y, margin_y = axis_of_cells(now.y_mm, y_low, y_high, self.cell)
            shape = (len(self.y), len(self.x))
            self.belief = np.full(shape, 1.0 / max(1, shape[0] * shape[1]))
            margin = min(margin_x, margin_y)
        if not self.events:
            self.hits += max(now.odor, 0.0)
        else:
            waited = exceeds(now.t_s - self.last_hit_s, self.p["refractory_s"])
            if now.in_odor and not self.was_in_odor and waited:
                self.hits += 1
                self.last_hit_s = now.t_s
        self.was_in_odor = now.in_odor
        self.listened += 1
        if self.listened == self.steps:
            margin = min(margin, self.set_out(now))
        heading = now.heading_rad if self.facing is None else self.facing
        return Action(*self.velocity, heading, self.code, margin)

    def set_out(self, now: Sensed) -> float:
        """Learn, choose a move, and go; how close another choice was."""
        assert self.start is not None
        # cells are counted from the start, the first cell of the grid is 0
        first_x = self.x[0] if len(self.x) else self.start[0]
        first_y = self.y[0] if len(self.y) else self.start[1]
        column = math.floor((now.x_mm - first_x) / self.cell + 0.5)
        row = math.floor((now.y_mm - first_y) / self.cell + 0.5)
        margin = math.inf
        if 0 <= column < len(self.x) and 0 <= row < len(self.y):
            margin = self.learn(column, row)
            move, close = self.best_move(column, row, *now.u)
            margin = min(margin, close)
            self.code = SEARCH
        else:
            move = self.way_back(column, row)
            self.code = RETURN
        right, up, self.facing = MOVES[move]
        interval_s = self.steps * self.dt_s
        self.velocity = (
            (first_x + (column + right) * self.cell - now.x_mm) / interval_s,
            (first_y + (row + up) * self.cell - now.y_mm) / interval_s,
        )
        self.listened, self.hits = 0, 0.0
        return margin


def simulate_with(
    price: Price, start: Mapping[str, Any], settings: Mapping[str, Any], plume: Plume
) -> dict[str, Any]:
    """Simulate one agent that prices its moves in this way."""

    def make(parameters: Mapping[str, Any], wind: Wind, dt_s: float) -> Believer:
        return Believer(parameters, wind, dt_s, plume.arena, settings["prepared"], price)

    return run(start, settings, plume, make, DRAWS)
