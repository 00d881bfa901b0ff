"""Measured walks against theory: the numbers that the published targets are computed from."""

import math

import pytest

from plumenav.analysis.published import walks

# the same measurements are judged in test_published_targets.py; here against formulas of our own
pytestmark = pytest.mark.slow

TURN_HZ = 1.0 / 0.75
KEPT = math.cos(math.radians(30.0)) * math.exp(-(math.radians(8.0) ** 2) / 2.0)
DRIFT_HZ = math.radians(20.0) ** 2 / 89.94 / 2.0


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    models = ["correlated_random_walk", "poisson_turner", *walks.CLIMBERS]
    found = walks.measurements(tmp_path_factory.mktemp("walks"), models)
    assert len({one.key for one in found}) == len(found)
    return {one.key: one for one in found}


def mean_square_mm2(t_s, speed_mm_s, tau_s):
    """2 v^2 tau (t - tau (1 - exp(-t / tau)))."""
    return 2.0 * speed_mm_s**2 * tau_s * (t_s - tau_s * (1.0 - math.exp(-t_s / tau_s)))


def check(one, expected, slack=0.0):
    assert one.standard_error > 0.0
    assert abs(one.ours - expected) < 4.0 * one.standard_error + slack, (one, expected)


@pytest.mark.parametrize("t_s", walks.MSD_TIMES_S)
def test_mean_squared_displacements(measured, t_s):
    tau_s = 2.0 / math.radians(35.3) ** 2
    check(measured[f"correlated_random_walk.msd.{t_s:g}s"], mean_square_mm2(t_s, 10.1, tau_s))
    rate_hz = TURN_HZ * (1.0 - KEPT) + DRIFT_HZ
    expected = mean_square_mm2(90.0 / 89.94 * t_s, 10.1, 1.0 / rate_hz)
    check(measured[f"poisson_turner.msd.{t_s:g}s"], expected)
    # precise enough to tell a persistence that is 10 % off, once it matters
    wrong = mean_square_mm2(t_s, 10.1, 1.1 * tau_s)
    one = measured[f"correlated_random_walk.msd.{t_s:g}s"]
    if 5.0 <= t_s <= 20.0:
        assert abs(one.ours - wrong) > 4.0 * one.standard_error


def test_turns_and_persistence_of_the_poisson_turner(measured):
    check(measured["poisson_turner.turn_hz"], TURN_HZ)
    check(measured["poisson_turner.turn_deg"], 30.0)
    check(measured["poisson_turner.persistence_hz"], 0.1898)
    check(measured["poisson_turner.persistence_s"], 5.27)
    check(measured["poisson_turner.persistence_mm"], 53.2)
    check(measured["poisson_turner.persistence_mm_from_rate"], 53.2)


def test_run_and_tumble_drifts_as_linear_response_says(measured):
    """chi k v^2 / (2 (1 + lambda0 tau)); chi 3 s, k 0.01 / mm, v 10 mm/s, lambda0 1 Hz."""
    for tau_s in (0.1, 1.0):
        check(measured[f"run_and_tumble.drift.tau_{tau_s:g}s"], 1.5 / (1.0 + tau_s))


@pytest.mark.parametrize("model", walks.CLIMBERS)
def test_gradient_followers_climb_a_hill(measured, model):
    # noiseless, one peak, speed * dt far below sigma / 10, turning circle below the radius
    assert measured[f"{model}.hill.success"].ours > 0.97
