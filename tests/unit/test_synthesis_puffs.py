"""Motion and growth of puffs against closed formulas."""

import itertools
import math

import numpy as np
import pytest

from plumenav.recordings.synthesis import _puffs
from plumenav.recordings.synthesis._contract import generator
from plumenav.recordings.synthesis.filament import Params, puffs_of

STILL = {"meander_mm_s": 0.0, "eddy_mm_s": 0.0, "diffusivity_mm2_s": 0.0, "release_jitter": 0.0}
PLAIN = {**STILL, "strength_sd": 0.0, "growth_sd": 0.0}


@pytest.mark.parametrize(
    "other",
    [{}, {"outlet_mm": 0.0, "release_jitter": 1.0, "puff_rate_hz": 20.0, "max_step_s": 0.01}],
)
def test_puffs_move_with_the_wind(other):
    params = Params(frames=30, spin_up_s=1.0, **{**PLAIN, **other})
    for i, puffs in enumerate(puffs_of(params, seed=1)):
        age_s = i / params.frame_rate_hz - puffs.released_s
        assert age_s.min() >= -0.15 - 1e-9
        assert puffs.x_mm == pytest.approx(100.0 * age_s, abs=1e-6)
        assert np.all(puffs.y_mm == 0)


def test_turbulence_moves_puffs_at_the_wind_on_average():
    params = Params(frames=900, spin_up_s=2.0, release_jitter=0.0)
    slopes = []
    for i, puffs in enumerate(puffs_of(params, seed=3)):
        age_s = i / params.frame_rate_hz - puffs.released_s
        young = (age_s > 0) & (age_s < 2.5)
        slopes.append((puffs.x_mm * age_s)[young].sum() / (age_s**2)[young].sum())
    # eddies of 12 mm/s and 1 s, over 60 s: standard error about 2 mm/s
    assert np.mean(slopes) == pytest.approx(100.0, abs=6.0)
    assert np.std(slopes) > 1.0


def test_time_step_does_not_change_straight_flight():
    fine = list(puffs_of(Params(frames=10, max_step_s=0.01, **PLAIN), 1))
    coarse = list(puffs_of(Params(frames=10, max_step_s=1.0, **PLAIN), 1))
    for a, b in zip(fine, coarse, strict=True):
        assert a.x_mm == pytest.approx(b.x_mm, abs=1e-6)


def test_inertial_growth():
    params = Params(initial_radius_mm=8.0, growth_rate=5.0, largest_radius_mm=64.0)
    # 8**(2/3) = 4; 4 + 5 * 1 = 9; 9**1.5 = 27; later capped
    radius = _puffs.radius_mm(np.array([0.0, 1.0, 100.0]), params)
    assert radius == pytest.approx([8.0, 27.0, 64.0])


def test_diffusive_growth():
    params = Params(initial_radius_mm=3.0, growth_law="diffusive", growth_rate=16.0)
    radius = _puffs.radius_mm(np.array([0.0, 1.0, 4.5]), params, np.array([1.0, 1.0, 2.0]))
    assert radius == pytest.approx([3.0, 5.0, math.sqrt(9 + 144)])


def test_odour_of_a_puff_is_conserved():
    params = Params(initial_radius_mm=2.0, layer_depth_mm=5.0, **PLAIN)
    radius = np.array([2.0, 3.0, 5.0, 20.0])
    amount = _puffs.dilution(radius, params) * radius**2 * np.minimum(radius, 5.0)
    assert amount == pytest.approx(np.full(4, 8.0))
    flat = Params(initial_radius_mm=2.0, layer_depth_mm=0.0)
    assert _puffs.dilution(radius, flat) * radius**2 == pytest.approx(np.full(4, 4.0))


def test_row_of_puffs_makes_the_source_concentration():
    params = Params(source_concentration=0.8, puff_rate_hz=50.0, growth_rate=0.0, frames=2, **PLAIN)
    puffs = next(iter(puffs_of(params, 1)))
    # the mean over one spacing (2 mm), far from the row's two ends
    x_mm = 100.0 + np.linspace(0, 2, 41)[:-1]
    shape = np.exp(-(((x_mm[:, None] - puffs.x_mm) / puffs.radius_mm) ** 2))
    assert (shape * puffs.concentration).sum(axis=1).mean() == pytest.approx(0.8, rel=1e-6)


@pytest.mark.parametrize("step_s", [0.02, 0.3])
def test_meander_has_its_stated_statistics(step_s):
    meander = _puffs.Meander(20.0, 0.5, generator(1, "test", step_s))
    v = np.array([meander.step(step_s) for _ in range(15_000)])
    n = len(v) * step_s / 2.0  # independent samples, about
    assert v.std() == pytest.approx(20.0, rel=5 / math.sqrt(2 * n))
    lag = round(0.6 / step_s)
    expected = (1 + lag * step_s / 0.5) * math.exp(-lag * step_s / 0.5)
    r = np.mean(v[:-lag] * v[lag:]) / np.mean(v * v)
    assert r == pytest.approx(expected, abs=5 / math.sqrt(n))


def test_eddies_have_no_divergence_and_the_stated_energy():
    params = Params(eddy_mm_s=25.0, eddy_modes=24)
    eddies = _puffs.Eddies(params, generator(1, "test"))
    random = np.random.default_rng(0)
    x, y = random.uniform(0, 5000, (2, 20_000))
    u, v = eddies.velocity(x, y, 1.3)
    assert np.mean(u**2 + v**2) == pytest.approx(2 * 25.0**2, rel=0.05)
    h = 1e-4
    du = eddies.velocity(x + h, y, 1.3)[0] - eddies.velocity(x - h, y, 1.3)[0]
    dv = eddies.velocity(x, y + h, 1.3)[1] - eddies.velocity(x, y - h, 1.3)[1]
    assert np.abs(du + dv).max() < 1e-4 * np.abs(du).max()


def test_frozen_eddies_drift_with_the_wind():
    eddies = _puffs.Eddies(Params(eddy_unsteadiness=0.0), generator(1, "test"))
    x, y = np.random.default_rng(0).uniform(0, 300, (2, 50))
    before = eddies.velocity(x, y, 0.0)
    after = eddies.velocity(x + 100.0 * 0.7, y, 0.7)
    assert np.allclose(before, after, rtol=0, atol=1e-9)


def test_random_walk_spreads_as_two_d_t():
    params = Params(**{**PLAIN, "diffusivity_mm2_s": 30.0}, frames=600, puff_rate_hz=200.0)
    off, age = [], []
    for i, puffs in enumerate(puffs_of(params, 5, every=60)):
        age_s = i * 60 / params.frame_rate_hz - puffs.released_s
        off.append(puffs.y_mm[age_s > 0])
        age.append(age_s[age_s > 0])
    ratio = np.concatenate(off) ** 2 / (2 * 30.0 * np.concatenate(age))
    n = sum(map(len, off))
    assert ratio.mean() == pytest.approx(1.0, abs=5 * math.sqrt(2 / n))


def test_release_times_do_not_depend_on_the_time_step():
    params = Params(release_jitter=0.0, puff_rate_hz=7.0)
    random = generator(0, "test")
    whole = _puffs.released(-1.0, -1.0, 3.0, params, random)
    edges = np.linspace(-1.0, 3.0, 38)
    parts = [_puffs.released(-1.0, a, b, params, random) for a, b in itertools.pairwise(edges)]
    assert np.concatenate(parts) == pytest.approx(whole)
    assert whole == pytest.approx(-1 + np.arange(1, 29) / 7)


def test_jittered_release_keeps_rate_and_order():
    params = Params(release_jitter=1.0, puff_rate_hz=10.0)
    times = _puffs.released(0.0, 0.0, 100.0, params, generator(0, "test"))
    assert len(times) == 1000
    slot = np.floor(times * 10 + 1e-9)
    assert np.array_equal(slot, np.arange(1000))
    assert np.diff(times).std() == pytest.approx(0.1 / math.sqrt(6), rel=0.15)
