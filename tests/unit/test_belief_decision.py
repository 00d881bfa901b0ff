"""Decisions of belief-based searchers against straightforward NumPy, and answers worked out."""

import math

import numpy as np
import pytest
from scipy.stats import poisson

from plumenav.engine.jit import compiled
from plumenav.models import _decision
from plumenav.performance.benchmark import infotaxis as benchmark

ROWS, COLUMNS = 7, 11
MOVES = list(zip(_decision.MOVE_ROW, _decision.MOVE_COLUMN, strict=True))


def world(hit_values=3, radius=0.5, drift=0.2):
    """Random belief (some cells excluded), likelihood planes and found offsets."""
    dy, dx = _decision.offsets(ROWS, COLUMNS)
    found = np.hypot(dy, dx) <= radius
    mean = 1.5 * np.exp(-drift * dx - np.hypot(dy, dx) / 3)
    planes = _decision.likelihood(mean, hit_values, found)
    generator = np.random.default_rng(3)
    belief = np.zeros((ROWS, _decision.stride_of(COLUMNS)))
    belief[:, :COLUMNS] = generator.random((ROWS, COLUMNS)) ** 3
    belief[2, 3:6] = 0.0
    cells = np.ascontiguousarray(np.argwhere(found) - (ROWS, COLUMNS))
    return belief / belief.sum(), planes, cells


def posteriors(belief, planes, row, column):
    """(chance, posterior) of every number of hits, cell by cell."""
    for plane in planes:
        joint = np.zeros((ROWS, COLUMNS))
        for r in range(ROWS):
            for j in range(COLUMNS):
                joint[r, j] = belief[r, j] * plane[ROWS + r - row, COLUMNS + j - column]
        if joint.sum() > 0:
            yield joint.sum(), joint / joint.sum()


def entropy(p):
    p = p[p > 0]
    return -(p * np.log2(p)).sum()


def open_moves(row, column):
    return [
        (m, row + up, column + right)
        for m, (up, right) in enumerate(MOVES)
        if 0 <= row + up < ROWS and 0 <= column + right < COLUMNS
    ]


@pytest.mark.parametrize("hit_values", [2, 3, 6])
def test_chances_are_those_of_poisson(hit_values):
    mean = np.array([[0.0, 1e-12, 0.3, 4.0, 900.0]])
    planes = _decision.likelihood(mean, hit_values, np.zeros((1, 5), bool))
    expected = [poisson.pmf(h, mean) for h in range(hit_values - 1)]
    expected.append(poisson.sf(hit_values - 2, mean))
    assert np.allclose(planes, expected, atol=1e-15)
    assert planes[1, 0, 1] == pytest.approx(1e-12, rel=1e-11), "rare hits keep their digits"
    assert np.allclose(planes.sum(axis=0), 1.0, atol=1e-15)


@pytest.mark.parametrize("place", [(3, 5), (0, 0), (6, 10), (0, 7), (4, 0)])
@pytest.mark.parametrize(("hit_values", "radius"), [(2, 0.5), (3, 0.5), (4, 1.5)])
def test_infotaxis_is_the_expected_change_of_entropy(place, hit_values, radius):
    belief, planes, found = world(hit_values, radius)
    work = np.zeros((3, 5))
    values = compiled(_decision.infotaxis_values)
    values(belief, _decision.infotaxis_planes(planes), found, *place, work)
    for m, row, column in open_moves(*place):
        expected = sum(z * entropy(p) for z, p in posteriors(belief, planes, row, column))
        assert work[0, m] == pytest.approx(expected - entropy(belief), abs=1e-12)


@pytest.mark.parametrize("place", [(3, 5), (0, 0), (6, 10), (2, 4)])
@pytest.mark.parametrize(("hit_values", "radius"), [(2, 0.5), (4, 1.5)])
def test_space_aware_is_the_expected_logarithm_of_a_distance(place, hit_values, radius):
    belief, planes, _ = world(hit_values, radius)
    dy, dx = _decision.offsets(ROWS, COLUMNS)
    surprises, work = np.zeros_like(belief), np.zeros((5, 5))
    compiled(_decision.surprise)(belief, surprises)
    both = _decision.space_aware_planes(planes, np.abs(dy) + np.abs(dx))
    compiled(_decision.space_aware_values)(belief, surprises, both, *place, work)
    for m, row, column in open_moves(*place):
        r, j = np.mgrid[:ROWS, :COLUMNS]
        far = np.abs(r - row) + np.abs(j - column)
        expected = sum(
            z * math.log2((p * far).sum() + 2 ** (entropy(p) - 1) - 0.5)
            for z, p in posteriors(belief, planes, row, column)
        )
        assert work[0, m] == pytest.approx(expected, abs=1e-12)


def test_where_the_source_is_known_the_way_there_is_best():
    _, planes, found = world()
    belief = np.zeros((ROWS, _decision.stride_of(COLUMNS)))
    belief[3, 6] = 1.0
    dy, dx = _decision.offsets(ROWS, COLUMNS)
    surprises, work = np.zeros_like(belief), np.zeros((5, 5))
    both = _decision.space_aware_planes(planes, np.abs(dy) + np.abs(dx))
    _decision.surprise(belief, surprises)
    _decision.space_aware_values(belief, surprises, both, 3, 4, work)
    # nothing to learn; distances after the moves, the chance of not finding is 1: log2(distance)
    assert work[0] == pytest.approx([math.log2(3), 0.0, math.log2(3), math.log2(3), 1.0])
    _decision.infotaxis_values(belief, _decision.infotaxis_planes(planes), found, 3, 4, work)
    assert np.abs(work[0]).max() < 1e-14


def test_bayes_rule_cell_by_cell():
    belief, planes, found = world()
    ours = belief.copy()
    assert compiled(_decision.learn)(ours, planes, found, 1, 2, 8, ROWS, COLUMNS) == 0
    ((_, one),) = list(posteriors(belief, planes[1:2], 2, 8))
    assert ours[:, :COLUMNS] == pytest.approx(one, abs=1e-15)
    assert not ours[:, COLUMNS:].any()
    assert ours[2, 8] == 0.0


def test_a_contradicted_belief_starts_again():
    _, planes, found = world(radius=1.0)
    belief = np.zeros((ROWS, _decision.stride_of(COLUMNS)))
    belief[2, 8] = 1.0  # where the searcher stands, and does not find it
    assert _decision.learn(belief, planes, found, 0, 2, 8, ROWS - 1, COLUMNS) == 1
    expected = np.ones((ROWS, COLUMNS))
    expected[-1] = 0.0
    expected[[2, 1, 3, 2, 2], [8, 8, 8, 7, 9]] = 0.0
    assert belief[:, :COLUMNS] == pytest.approx(expected / (6 * 11 - 5))
    assert not belief[:, COLUMNS:].any()


@pytest.mark.parametrize(
    ("values", "move"),
    [
        ([2.0, 1.0, 1.0, 1.0, 5.0], 1),
        ([1.0 + 5e-11, 1.0, 3.0, 3.0, 3.0], 0),
        ([1.0 + 5e-10, 1.0, 3.0, 3.0, 3.0], 1),
        ([math.inf] * 4 + [-1.0], 4),
        ([math.inf] * 5, 4),
    ],
)
def test_the_first_of_equally_good_moves(values, move):
    assert _decision.lowest(np.array(values), 1e-10) == move


def test_equally_good_moves_are_drawn_alike_and_mirror():
    values = np.array([1.0, 7.0, 1.0, 1.0, 1.0])
    mirror = {0: 0, 1: 1, 2: 3, 3: 2, 4: 4}
    draws = [(w, s) for w in (np.arange(40) + 0.5) / 40 for s in (0.1, 0.3, 0.6, 0.9)]
    moves = [_decision.drawn(values, 1e-10, w, s, 0) for w, s in draws]
    assert [moves.count(m) for m in range(5)] == [40, 0, 40, 40, 40]
    assert [mirror[_decision.drawn(values, 1e-10, w, 1 - s, 0)] for w, s in draws] == moves
    # one side only: the mirror image has the other side only
    for w, s in draws:
        one = _decision.drawn(np.array([1.0, 7.0, 1.0, 2.0, 9.0]), 1e-10, w, s, 0)
        other = _decision.drawn(np.array([1.0, 7.0, 2.0, 1.0, 9.0]), 1e-10, w, 1 - s, 0)
        assert mirror[one] == other
    assert _decision.drawn(np.full(5, math.inf), 1e-10, 0.5, 0.5, 0) == 4


@pytest.mark.parametrize("quarter", [1, 2, 3])
def test_what_is_drawn_turns_with_the_wind(quarter):
    # a quarter turn takes -x to -y, +x to +y, -y to +x, +y to -x
    turned = {0: 2, 1: 3, 2: 1, 3: 0, 4: 4}
    rng = np.random.default_rng(5)
    for values in rng.integers(0, 2, (40, 5)).astype(float):
        for which, side in rng.random((20, 2)):
            move = _decision.drawn(values, 1e-10, which, side, 0)
            there = values
            for _ in range(quarter):
                move = turned[move]
                there = there[[3, 2, 0, 1, 4]]
            assert _decision.drawn(there, 1e-10, which, side, quarter) == move


def test_moves_off_the_grid_are_forbidden():
    values = np.zeros(5)
    _decision.forbid(values, 0, 3, 5, 4, False)
    assert np.isinf(values).tolist() == [False, True, True, False, True]


def test_the_benchmark_decides_as_its_baseline():
    belief, chances, places = benchmark.world()
    planes = _decision.infotaxis_planes(chances)
    found, work = np.zeros((1, 2), np.int64), np.zeros((3, 5))
    values = compiled(_decision.infotaxis_values)
    small = np.ascontiguousarray(belief[:, : benchmark.CELLS])
    for row, column in places[:20].tolist():
        values(belief, planes, found, row, column, work)
        theirs = benchmark.numpy_values(small, chances, row, column)
        assert work[0, :4] == pytest.approx(theirs, abs=1e-12)
    assert benchmark.ours(20)() == benchmark.numpy(20)()
