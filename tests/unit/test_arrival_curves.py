"""Cumulative incidence against hand-worked tables and against plain counting."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plumenav.analysis.arrival import (
    ARRIVED,
    CENSORED,
    LEFT,
    cumulative_incidence,
    incidence_at,
    outcomes,
    restricted_mean_s,
    thinned,
)
from plumenav.analysis.proportions import wilson_interval


def test_without_censoring_it_is_the_count() -> None:
    time_s = np.array([3.0, 5.0, 5.0, 8.0, 20.0, 20.0, 20.0, 20.0, 6.0, 7.0])
    event = np.array([ARRIVED] * 4 + [CENSORED] * 4 + [LEFT] * 2)
    curve = cumulative_incidence(time_s, event, 20.0)
    assert curve.time_s.tolist() == [0, 3, 5, 8, 20]
    assert curve.incidence.tolist() == [0, 0.1, 0.3, 0.4, 0.4]
    assert curve.at_risk.tolist() == [10, 10, 9, 5, 4]
    # the interval is Wilson's of the count
    for k, p in ((1, 3.0), (3, 5.0), (4, 8.0)):
        assert incidence_at(curve, p)[1:] == pytest.approx(wilson_interval(k, 10), abs=1e-12)


def test_with_censoring_against_a_hand_worked_table() -> None:
    # n = 6: arrive at 1; movie ends at 2; leave at 3; arrive at 4; movie ends at 5, 6
    time_s = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    event = np.array([ARRIVED, CENSORED, LEFT, ARRIVED, CENSORED, CENSORED])
    curve = cumulative_incidence(time_s, event, 10.0)
    # S(1) = 5/6; at 3, 4 at risk: S = 5/6 * 3/4; at 4, 3 at risk: + 5/6 * 3/4 * 1/3
    assert curve.incidence.tolist() == pytest.approx([0, 1 / 6, 1 / 6 + 5 / 24, 1 / 6 + 5 / 24])
    # nobody is watched after 6
    assert curve.time_s.tolist() == [0, 1, 4, 6]


def test_leaving_is_not_censoring() -> None:
    # one arrives, then all others leave: never more than 1 of 4, where 1 - Kaplan-Meier with the
    # leavers censored would agree, but an arrival after they left must not count as all of them
    time_s, event = np.array([1.0, 2.0, 3.0, 9.0]), np.array([ARRIVED, LEFT, LEFT, ARRIVED])
    curve = cumulative_incidence(time_s, event, 10.0)
    assert curve.incidence[-1] == 0.5  # censoring the leavers would give 1
    assert curve.time_s[-1] == 10


def test_variance_reduces_to_kaplan_meier_greenwood() -> None:
    # one cause, censoring: Greenwood by hand. Times 1 (event), 2 (censored), 3 (event), 4 (cens.)
    time_s = np.array([1.0, 2.0, 3.0, 4.0])
    event = np.array([ARRIVED, CENSORED, ARRIVED, CENSORED])
    curve = cumulative_incidence(time_s, event, 4.0)
    survival = 3 / 4 * 1 / 2
    variance = survival**2 * (1 / (4 * 3) + 1 / (2 * 1))
    effective = survival * (1 - survival) / variance
    expected = wilson_interval((1 - survival) * effective, effective)
    assert incidence_at(curve, 3.0)[1:] == pytest.approx(expected)


def test_restricted_mean_is_the_area_above() -> None:
    curve = cumulative_incidence(np.array([2.0, 10.0]), np.array([ARRIVED, CENSORED]), 10.0)
    assert restricted_mean_s(curve) == (6.0, 10.0)  # mean of 2 and 10
    nobody = cumulative_incidence(np.array([10.0]), np.array([CENSORED]), 10.0)
    assert restricted_mean_s(nobody) == (10.0, 10.0)


def test_no_simulations_and_starts_inside_the_circle() -> None:
    assert cumulative_incidence(np.empty(0), np.empty(0, int), 5.0).incidence.tolist() == [0.0]
    curve = cumulative_incidence(np.array([0.0, 5.0]), np.array([ARRIVED, CENSORED]), 5.0)
    assert incidence_at(curve, 0.0)[0] == 0.5


def test_outcomes_tell_horizon_left_and_movie_apart() -> None:
    success = np.array([True, False, False, False, True])
    arrival_s = np.array([4.0, np.nan, np.nan, np.nan, 30.0])
    end = np.array(["source", "horizon", "left", "movie", "horizon"])
    duration_s = np.array([4.0, 19.999, 7.0, 12.0, 40.0])
    time_s, event = outcomes(success, arrival_s, end, duration_s, 20.0)
    assert event.tolist() == [ARRIVED, CENSORED, LEFT, CENSORED, CENSORED]
    assert time_s.tolist() == [4, 20, 7, 12, 20]  # an arrival after the horizon does not count


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 12), st.sampled_from([ARRIVED, LEFT, CENSORED])),
        min_size=1,
        max_size=40,
    )
)
def test_curves_rise_within_bounds(rows: list[tuple[int, int]]) -> None:
    time_s = np.array([float(t) for t, _ in rows])
    event = np.array([e for _, e in rows])
    curve = cumulative_incidence(time_s, event, 12.0)
    assert (np.diff(curve.incidence) >= -1e-12).all()
    assert (np.diff(curve.time_s) > 0).all()
    assert (curve.ci_low <= curve.incidence + 1e-9).all()
    assert (curve.incidence <= curve.ci_high + 1e-9).all()
    assert curve.incidence[-1] <= 1 + 1e-12
    # without censoring: exactly the count
    if not ((event == CENSORED) & (time_s < 12)).any():
        assert curve.incidence[-1] == (event == ARRIVED).sum() / len(event)
    short = thinned(curve, 5)
    assert len(short.time_s) <= 5
    assert short.incidence[-1] == curve.incidence[-1]
