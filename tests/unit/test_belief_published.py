"""Belief-based searchers against OTTO: numbers that its authors' code gives (algorithms.md f)."""

import math

import numpy as np
import pytest

from plumenav.analysis.published import belief
from plumenav.analysis.published._contract import Measurement

# dimensions, L, I: grid, numbers of hits, mean hits at 1 .. 5 cells, entropy after a first hit
WORLDS = {
    (1, 2.0, 2.0): (33, 4, (1.617415, 0.981012, 0.595014, 0.360894, 0.218893), 3.986089),
    (2, 1.0, 2.0): (19, 4, (1.214820, 0.328628, 0.100237, 0.032200, 0.010650), 5.879786),
    (2, 2.0, 2.0): (37, 4, (1.333655, 0.607410, 0.308456, 0.164314, 0.089949), 7.588763),
}
BITS = {
    False: "6.1151 6.1897 6.3223 4.7693 5.0436 5.2797 5.3738 5.4171 5.3631 4.7655 5.1034 5.0516 "
    "4.9427 4.8442 4.7683",
    True: "4.7295 4.8861 4.8263 4.7272 4.5777 4.4514",  # the last six
}
MOVES = {
    (2, 1.0, False): "0 2 1 1 1 3 3 0 0 3 0 0 2 2 2",
    (2, 1.0, True): "0 2 1 1 1 3 3 0 0 0 0 3 1 1 1",
    (1, 2.0, False): "0 0 0 0 0 0 0 0 0 0 0 0 0 0 0",
    (1, 2.0, True): "0 0 0 1 1 1 1 1 1 1 1 1 1 0 0",
}
ENDS = {False: (7, 8), True: (10, 11)}
SEARCH = {False: (11.99, 0.12), True: (11.70, 0.11)}


@pytest.mark.parametrize("world", WORLDS)
def test_world(world):
    grid, hit_values, means, first_bits = WORLDS[world]
    assert belief.grid_size(*world) == grid
    assert belief.mean_hits(np.arange(1.0, 6.0), *world) == pytest.approx(means, abs=5.1e-7)
    made = belief.make_world(*world, False)
    assert (made.columns, made.hit_values) == (grid, hit_values)
    walk = belief.prescribed_walk(made, False, ())
    assert walk.first_bits == pytest.approx(first_bits, abs=5.1e-7)


@pytest.mark.parametrize(("dimensions", "length", "space_aware"), MOVES)
def test_prescribed_walk(dimensions, length, space_aware):
    world = belief.make_world(dimensions, length, 2.0, space_aware)
    walk = belief.prescribed_walk(world, space_aware)
    assert " ".join(map(str, walk.moves)) == MOVES[dimensions, length, space_aware]
    if dimensions == 2:
        published = [float(bits) for bits in BITS[space_aware].split()]
        assert walk.bits[-len(published) :] == pytest.approx(published, abs=1e-4)
        assert walk.end == ENDS[space_aware]


@pytest.mark.parametrize("space_aware", [False, True])
def test_mean_search_time(space_aware):
    ours = belief.search_time(belief.make_world(2, 1.0, 2.0, space_aware), space_aware)
    mean, error = SEARCH[space_aware]
    assert ours.n >= 5000
    assert ours.not_found < 1e-5
    assert 0.05 < ours.standard_error < 0.2
    assert abs(ours.mean - mean) < 3 * math.hypot(error, ours.standard_error)


def test_measurements_are_named_once_and_finite(tmp_path):
    found = belief.measurements(tmp_path, belief.RULES)
    assert all(isinstance(one, Measurement) and math.isfinite(one.ours) for one in found)
    keys = [one.key for one in found]
    assert len(set(keys)) == len(keys)
    by_key = {one.key: one for one in found}
    assert by_key["otto.2d_l2_i2.grid"].ours == 37
    assert by_key["infotaxis.2d_l1_i2.move_10"].ours == 3
    assert by_key["space_aware_infotaxis.2d_l1_i2.bits_15"].ours == pytest.approx(4.4514, abs=1e-4)
    assert by_key["infotaxis.2d_l1_i2.search_time"].n == belief.EPISODES
