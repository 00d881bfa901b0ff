"""The references' models, against numbers of their publications and exact results."""

import math

import numpy as np
import pytest

from plumenav.references import correlated_random_walk, on_off, surge_cast, walk_stop_turn
from plumenav.references._loop import Sensed, Wind
from plumenav.references._plume import Arena, Plume

WIND = Wind(100.0, 0.0)


def signal(values, rate_hz):
    values = np.asarray(values, np.float32)
    metadata = {
        **{"kind": "signal", "scale": 1.0, "offset": 0.0, "blank": None},
        "period_s": len(values) / rate_hz,
    }
    time_s = np.arange(len(values)) / rate_hz
    arena = Arena(1, 1, 1.0, 0.0, 0.0, True)
    return Plume(metadata, arena, time_s, values.reshape(-1, 1, 1))


def uniform_field(height=201, width=401):
    metadata = {"kind": "analytic", "field": "uniform", "field_constants": {"level": 1.0}}
    metadata |= {"blank": None, "period_s": 0.0}
    arena = Arena(height, width, 1.0, (height - 1) / 2, 100.0, False)
    return Plume(metadata, arena, np.zeros(1), np.zeros((1, 1, 1)))


AIR = signal(np.zeros(1), 1.0)


def settings(parameters, dt_s, duration_s, **changes):
    return {
        "parameters": parameters,
        "dt_s": dt_s,
        "duration_s": duration_s,
        "success_radius_mm": 15.0,
        "arrival": "continue",
        "boundary": "open",
        "movie_end": "hold",
        "wind_speed_mm_s": WIND.speed_mm_s,
        "wind_toward_rad": WIND.toward_rad,
        "sensor": {
            "shape": "point",
            "parameters": {},
            "interpolation": "nearest",
            "threshold": 0.5,
            "dead_zone": None,
        },
        "control": "none",
        **changes,
    }


def start(key, heading_rad=0.0, x_mm=1000.0, y_mm=0.0):
    return {
        "x_mm": x_mm,
        "y_mm": y_mm,
        "heading_rad": heading_rad,
        "start_frame": 0,
        "key": key,
    }


# ------------------------------------------------------------------------------------ on_off

# sample (1-based, 50 Hz): ON, OFF of the published program in its own 10 s pulse
PULSE = {
    1501: (0.027503, 0.0),
    1536: (0.606707, 0.0),
    1600: (0.823990, 0.0),
    1610: (0.825844, 0.0),
    1750: (0.734218, 0.0),
    2000: (0.616989, 0.0),
    2050: (0.155087, 0.362174),
    2076: (None, 0.387715),
    2100: (0.037919, 0.376475),
    2200: (0.002267, 0.264863),
    2400: (0.000008, 0.116128),
    3000: (0.0, 0.009682),
}


def pulse_run(key=1, n=3000, heading_rad=0.0, **parameters):
    values = np.zeros(n)
    values[1499:2000] = 1.0  # samples 1500 .. 2000, counted from 1
    chosen = {**on_off.EXAMPLE_PARAMETERS, **parameters}
    return on_off.simulate(
        start(key, heading_rad), settings(chosen, 0.02, n * 0.02), signal(values, 50.0)
    )


def test_on_off_gives_the_published_pulse_responses():
    run = pulse_run()
    for sample, (on, off) in PULSE.items():
        if on is not None:
            assert run["on"][sample - 1] == pytest.approx(on, abs=1e-6)
        assert run["off"][sample - 1] == pytest.approx(off, abs=1e-6)
    assert int(np.argmax(run["on"])) + 1 == 1610
    assert int(np.argmax(run["off"])) + 1 == 2076
    assert not run["on"][:1500].any()


def test_on_off_corrected_responds_two_samples_earlier_and_is_else_the_same():
    published, corrected = pulse_run(), pulse_run(fidelity="corrected")
    assert np.array_equal(published["on"], corrected["on"])
    assert np.allclose(published["off"][2:], corrected["off"][:-2], rtol=0, atol=1e-15)
    assert np.abs(published["off"] - corrected["off"]).max() > 1e-3


def test_on_off_ensemble_moves_like_the_published_program():
    """Windows of the published program's 500 agents; ground speed is the same for all agents."""
    n = 50
    headings = np.random.default_rng(2).uniform(0.0, 2.0 * math.pi, n)
    upwind = []
    for key, heading in enumerate(headings):
        run = pulse_run(key, 2150, heading)
        dx, dy = np.diff(run["x_mm"]) / 0.02, np.diff(run["y_mm"]) / 0.02
        upwind.append(-dx)
    ground = np.hypot(dx, dy)
    windows = {
        (1, 1400): (-1.47, 6.000),
        (1600, 1750): (6.56, 8.13),
        (1750, 2000): (6.09, 7.80),
        (2050, 2149): (0.00, 4.38),
    }
    for (first, last), (upwind_mm_s, ground_mm_s) in windows.items():
        assert ground[first - 1 : last].mean() == pytest.approx(ground_mm_s, abs=0.02)
        each = np.array([one[first - 1 : last].mean() for one in upwind])
        error = each.std(ddof=1) * math.sqrt(1 / n + 1 / 500)
        assert abs(each.mean() - upwind_mm_s) < 4.0 * error


def forced(model, u, heading_rad=0.0, odor=0.0, t_s=0.0, in_odor=False, wind=WIND):
    felt = {
        "wind_x_mm_s": wind.speed_mm_s * math.cos(wind.toward_rad),
        "wind_y_mm_s": wind.speed_mm_s * math.sin(wind.toward_rad),
    }
    return model.decide(Sensed(t_s, heading_rad, odor, in_odor, list(u), **felt))


# uniforms whose normal number is g: sqrt(-2 ln(1 - a)) = 2, cos(2 pi b) = 1
TWO = (1.0 - math.exp(-2.0), 0.0)


@pytest.mark.parametrize(("fidelity", "jump_deg"), [("published", 80.0), ("corrected", 40.0)])
def test_on_off_turns_by_the_square_or_by_the_number_itself(fidelity, jump_deg):
    chosen = {**on_off.EXAMPLE_PARAMETERS, "fidelity": fidelity}
    for sign, side in ((0.49, 1.0), (0.5, -1.0)):
        model = on_off.OnOff(chosen, Wind(0.0, 0.0), 0.02)
        action = forced(model, (0.119, sign, *TWO), wind=Wind(0.0, 0.0))
        assert math.degrees(action.heading_rad) == pytest.approx(side * jump_deg)
    still = forced(
        on_off.OnOff(chosen, Wind(0.0, 0.0), 0.02), (0.12, 0.1, *TWO), wind=Wind(0.0, 0.0)
    )
    assert still.heading_rad == 0.0
    assert still.margin == pytest.approx(0.0, abs=1e-12)


def test_on_off_wind_drive_points_downwind_without_odour_and_upwind_with_it():
    chosen = {**on_off.EXAMPLE_PARAMETERS, "fidelity": "corrected"}
    model = on_off.OnOff(chosen, Wind(100.0, 0.3), 0.02)
    turned = forced(model, (0.99, 0, 0, 0), 0.3 + math.pi / 2, wind=Wind(100.0, 0.3)).heading_rad
    assert math.degrees(turned - 0.3) == pytest.approx(90.0 - 25.0 * 0.02)
    model.on, model.off = 0.5, 0.0
    turned = forced(model, (0.99, 0, 0, 0), 0.3 + math.pi / 2, wind=Wind(100.0, 0.3)).heading_rad
    assert math.degrees(turned - 0.3) == pytest.approx(90.0 + (250.0 * 0.5 - 25.0) * 0.02)


def test_on_off_published_drive_is_a_table_that_repeats_after_359_degrees():
    chosen = on_off.EXAMPLE_PARAMETERS
    published = on_off.OnOff(chosen, WIND, 0.02)
    exact = on_off.OnOff({**chosen, "fidelity": "corrected"}, WIND, 0.02)
    for degrees, looked_up in ((30.4, 30), (30.6, 31), (360.0, 1), (-1.0, 358), (720.0, 2)):
        found, _ = published.downwind_direction(math.radians(degrees), 0.0)
        assert found == pytest.approx(-math.sin(math.radians(looked_up)), abs=1e-15)
        found, _ = exact.downwind_direction(math.radians(degrees), 0.0)
        assert found == pytest.approx(-math.sin(math.radians(degrees)), abs=1e-12)


def test_on_off_speed_follows_on_and_off_and_is_never_negative():
    model = on_off.OnOff(on_off.EXAMPLE_PARAMETERS, WIND, 0.02)
    model.on, model.off = 1.0, 0.0
    assert forced(model, (0.99, 0, 0, 0)).vx_mm_s == pytest.approx(6.0 + 2.7)
    model.on, model.off = 0.0, 2.0
    assert forced(model, (0.99, 0, 0, 0)).vx_mm_s == 0.0


def test_on_off_counts_probabilities_above_one():
    slow = {**on_off.EXAMPLE_PARAMETERS, "turn_base_hz": 20.0}
    run = on_off.simulate(start(1), settings(slow, 0.1, 5.0), AIR)
    assert run["clipped_rates"] == 50
    assert np.all(np.diff(run["heading_rad"]) != 0.0)


# ---------------------------------------------------------------------------- walk_stop_turn


def within_binomial_error(events, trials, probability):
    sd = math.sqrt(trials * probability * (1.0 - probability))
    return abs(events - trials * probability) < 4.0 * sd


def test_walk_stop_turn_without_odour_keeps_its_rates():
    dt, duration, n = 0.05, 200.0, 30
    walking = stops = starts = turns = turning_steps = lefts = 0
    for key in range(n):
        run = walk_stop_turn.simulate(
            start(key), settings(walk_stop_turn.EXAMPLE_PARAMETERS, dt, duration), AIR
        )
        before, after = run["state"][:-1], run["state"][1:]
        walked = before > 0
        walking += int(walked.sum())
        stops += int((walked & (after == 0)).sum())
        starts += int((~walked & (after == 1)).sum())
        turned = after == 2
        turning_steps += int((walked & (after > 0)).sum())
        turns += int(turned.sum())
        lefts += int((np.diff(run["heading_rad"])[turned] > 0.0).sum())
        moved = np.hypot(np.diff(run["x_mm"]), np.diff(run["y_mm"])) / dt
        assert np.allclose(moved, np.where(walked, 10.1, 0.0))
    steps = n * (round(duration / dt) - 1)
    assert within_binomial_error(stops, walking, 0.78 * dt)
    assert within_binomial_error(starts, steps - walking, 0.29 * dt)
    assert within_binomial_error(turns, turning_steps, dt / 0.75)
    assert within_binomial_error(lefts, turns, 0.5)
    # walking fraction: mean of a two-state process that starts walking, and its standard error
    tau = 1.0 / (0.29 + 0.78)
    fraction = 0.29 * tau
    assert fraction == pytest.approx(0.271, abs=5e-4)
    expected = fraction + (1.0 - fraction) * tau / duration
    error = math.sqrt(2.0 * fraction * (1.0 - fraction) * tau / (n * duration))
    assert abs(walking / steps - expected) < 4.0 * error


def fly(**parameters):
    return walk_stop_turn.WalkStopTurn(
        {**walk_stop_turn.EXAMPLE_PARAMETERS, **parameters}, WIND, 0.01
    )


NEVER = (0.999999, 0.999999, 0.999999, 0.5, 0.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize("rate_hz", [2.0, 4.0])
def test_walk_stop_turn_memory_of_regular_whiffs(rate_hz):
    model = fly()
    after_whiff, memory = [], []
    for i in range(3000):
        phase = i % round(100 / rate_hz)
        forced(model, NEVER, in_odor=phase < 5, t_s=i * 0.01)
        memory.append(model.w)
        if phase == 0:
            after_whiff.append(model.w)
    assert after_whiff[-1] == pytest.approx(1.0 / (1.0 - math.exp(-1.0 / (rate_hz * 2.0))))
    assert np.mean(memory[-500:]) == pytest.approx(2.0 * rate_hz, rel=0.01)


def test_walk_stop_turn_refractory_time_skips_whiffs():
    model = fly(refractory_s=0.1)
    times = set()
    for i in range(100):
        # an onset every 0.05 s: after one whiff, those 0.05 and 0.10 s later are too early
        forced(model, NEVER, in_odor=i % 5 == 0, t_s=i * 0.01)
        times.add(model.last_whiff_s)
    assert sorted(times) == pytest.approx(np.arange(0.0, 1.0, 0.15))


def test_walk_stop_turn_odour_that_stays_is_one_whiff():
    model = fly()
    for i in range(200):
        forced(model, NEVER, in_odor=i >= 20, t_s=i * 0.01)
    assert model.last_whiff_s == pytest.approx(0.2)
    assert model.w == pytest.approx(math.exp(-1.79 / 2.0))


def test_walk_stop_turn_after_one_whiff():
    model = fly()
    assert model.stop_rate_hz(5.0) == 0.78
    forced(model, NEVER, in_odor=True, t_s=5.0)
    assert model.stop_rate_hz(5.0) == pytest.approx(0.17)
    assert model.stop_rate_hz(5.25) == pytest.approx(0.78 - 0.61 / math.e)
    # standing, a whiff lifts the rate of starting to 0.70 Hz
    for start_draw, starts in ((0.00699, True), (0.00701, False)):
        model = fly(start_walking=False)
        action = forced(model, (0.5, 0.5, start_draw, *NEVER[3:]), in_odor=True)
        assert model.walking is starts
        assert (action.vx_mm_s, action.code) == (0.0, int(starts))


def test_walk_stop_turn_towards_and_away_from_upwind():
    # wind to +x; heading +90 degrees: upwind is to the left, heading -90 degrees: to the right
    for heading_deg, direction, turn in (
        (90.0, 0.49, 30.0),
        (90.0, 0.51, -30.0),
        (-90.0, 0.49, -30.0),
        (-90.0, 0.51, 30.0),
    ):
        u = (0.99, 0.0, 0.0, direction, 0.0, 0.0, 0.0, 0.0)
        action = forced(fly(), u, math.radians(heading_deg))
        assert math.degrees(action.heading_rad) == pytest.approx(heading_deg + turn)
        assert action.code == 2
        assert action.margin == pytest.approx(0.01)


def test_walk_stop_turn_stopping_step_still_moves_drifts_and_forgets_evidence():
    model = fly()
    u = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, *TWO)
    action = forced(model, u, in_odor=True)
    assert (action.vx_mm_s, action.code) == (10.1, 0)
    drift = 2.0 * 20.0 / math.sqrt(89.94) * 0.1
    assert math.degrees(action.heading_rad) == pytest.approx(drift)
    assert not model.walking
    assert model.e == 0.0
    assert model.w == 1.0


# -------------------------------------------------------------------------------- surge_cast


def surge_run(values, n_steps, **parameters):
    chosen = {**surge_cast.EXAMPLE_PARAMETERS, **parameters}
    return surge_cast.simulate(
        start(3), settings(chosen, 0.005, n_steps * 0.005), signal(values, 200.0)
    )


def test_surge_cast_reverses_first_after_half_a_period_and_then_after_whole_ones():
    run = surge_run(np.zeros(1), 1000)
    assert set(run["state"].tolist()) == {0}
    vx, vy = np.diff(run["x_mm"]) / 0.005, np.diff(run["y_mm"]) / 0.005
    assert np.allclose(vx, -4.0)
    assert np.allclose(np.abs(vy), 100.0)
    reversals = np.flatnonzero(np.diff(np.sign(vy))) + 1
    assert reversals.tolist() == list(range(50, 999, 100))
    assert np.ptp(run["y_mm"]) == pytest.approx(50.0)
    heading = run["heading_rad"][1:-1]
    assert np.allclose(np.cos(heading), vx[:-1] / np.hypot(vx, vy)[:-1])
    assert np.allclose(np.sin(heading), vy[:-1] / np.hypot(vx, vy)[:-1])


def test_surge_cast_one_encounter_gives_one_bounded_surge():
    values = np.zeros(1000)
    values[200:220] = 1.0  # 1.0 s .. 1.1 s
    run = surge_run(values, 1000)
    surging = np.flatnonzero(run["state"][1:] == 1)
    # more than 0.19 s after the onset; the cast's timer starts one step into the surge
    assert surging.tolist() == list(range(239, 331))
    vx, vy = np.diff(run["x_mm"]) / 0.005, np.diff(run["y_mm"]) / 0.005
    assert np.allclose(vx[surging], -200.0)
    assert np.allclose(vy[surging], 0.0, atol=1e-9)
    assert np.allclose(run["heading_rad"][1:][surging], math.pi)
    # after the surge: a new cast, half a period to its first reversal
    reversals = np.flatnonzero(np.diff(np.sign(vy[331:]))) + 332
    assert reversals.tolist()[:2] == [381, 481]
    # published behaviour: the advance is about speed * (cast delay + time in odour after 0.19 s)
    assert 200.0 * len(surging) * 0.005 == pytest.approx(200.0 * 0.45, abs=200.0 * 0.015)


def test_surge_cast_advance_grows_with_time_in_odour_only_while_it_lasts():
    def surged_s(n_odor):
        values = np.zeros(1600)
        values[200 : 200 + n_odor] = 1.0
        return float((surge_run(values, 1600)["state"] == 1).sum()) * 0.005

    # while odour lasts longer than the surge's delay, each step more of it is one more of surge
    assert surged_s(200) - surged_s(100) == pytest.approx(0.5, abs=0.2)
    assert surged_s(200) < 1.0 + 0.45 + 0.19 + 0.02


def test_surge_cast_forgets_and_surges_on_where_odour_is_too_long_ago():
    values = np.zeros(1000)
    values[200:220] = 1.0
    run = surge_run(values, 1000, memory_s=0.05)
    assert set(run["state"][240:].tolist()) == {1}


def test_surge_cast_speeds_and_wind_direction():
    chosen = {**surge_cast.EXAMPLE_PARAMETERS, "speeds": "matched", "matched_speed_mm_s": 8.0}
    across = Wind(100.0, math.pi / 2)
    model = surge_cast.SurgeCast(chosen, across, 0.005)
    action = forced(model, (0.2,), wind=across)  # first side: left of a wind to +y is -x
    assert (action.vx_mm_s, action.vy_mm_s) == pytest.approx((-4.0, -0.16))
    model.mode = surge_cast.SURGE
    action = forced(model, (0.2,), wind=across)
    assert (action.vx_mm_s, action.vy_mm_s) == pytest.approx((0.0, -8.0))
    right = forced(surge_cast.SurgeCast(chosen, across, 0.005), (0.5,), wind=across)
    assert (right.vx_mm_s, right.margin) == (pytest.approx(4.0), 0.0)


# -------------------------------------------------------------------- correlated_random_walk


def test_correlated_random_walk_spreads_as_theory_says():
    v, sigma, dt, duration, n = 10.0, math.radians(60.0), 0.05, 10.0, 400
    chosen = {"speed_mm_s": v, "turn_sd_deg": 60.0}
    squared = []
    for key in range(n):
        run = correlated_random_walk.simulate(start(key), settings(chosen, dt, duration), AIR)
        squared.append((run["final_x_mm"] - 1000.0) ** 2 + run["final_y_mm"] ** 2)
    tau = 2.0 / sigma**2
    continuous = 2.0 * v**2 * tau * (duration - tau * (1.0 - math.exp(-duration / tau)))
    # in steps: the mean cosine of the angle between steps i and j is exp(-|i - j| dt / tau)
    steps = np.arange(round(duration / dt))
    lag = np.abs(steps[:, None] - steps[None, :])
    exact = v**2 * dt**2 * float(np.exp(-lag * dt / tau).sum())
    assert exact == pytest.approx(continuous, rel=0.005)
    error = np.std(squared, ddof=1) / math.sqrt(n)
    assert abs(np.mean(squared) - exact) < 4.0 * error


# ---------------------------------------------------------------------------- the whole loop

STRAIGHT = {"speed_mm_s": 100.0, "turn_sd_deg": 0.0}


def straight(x_mm, y_mm, heading_rad, dt_s=1.0, duration_s=5.0, plume=AIR, **changes):
    return correlated_random_walk.simulate(
        start(1, heading_rad, x_mm, y_mm), settings(STRAIGHT, dt_s, duration_s, **changes), plume
    )


def test_a_fast_agent_does_not_jump_over_the_source():
    run = straight(-50.0, 9.0, 0.0, arrival="stop")
    assert run["end"] == "source"
    assert run["time_to_source_s"] == pytest.approx((50.0 - 12.0) / 100.0)
    assert (run["final_x_mm"], run["final_y_mm"]) == pytest.approx((-12.0, 9.0))
    assert len(run["step"]) == 1
    on = straight(-50.0, 9.0, 0.0, arrival="continue")
    assert on["time_to_source_s"] == run["time_to_source_s"]
    assert (on["end"], on["final_x_mm"], len(on["step"])) == ("horizon", pytest.approx(450.0), 5)


def test_the_first_arrival_counts_where_the_agent_goes_on():
    run = straight(
        -50.0, 0.0, 0.0, 0.1, 12.0, plume=uniform_field(), boundary="reflect", arrival="continue"
    )
    assert run["time_to_source_s"] == pytest.approx(0.35)
    crossings = np.flatnonzero(np.diff(np.sign(run["x_mm"])))
    assert len(crossings) >= 3


def test_a_reading_at_the_threshold_is_in_odour():
    values = [0.0, 0.5, 0.5, 0.4999, 0.5, 0.0]
    run = straight(1000.0, 0.0, 0.0, 1.0, 6.0, plume=signal(values, 1.0))
    assert run["encounters"] == 2


def test_passing_by_is_no_arrival_and_starting_inside_is_one():
    assert straight(-50.0, 15.5, 0.0)["time_to_source_s"] is None
    inside = straight(3.0, 4.0, 0.0, arrival="stop")
    assert (inside["time_to_source_s"], inside["final_x_mm"]) == (0.0, 3.0)


def test_absorbing_edge_ends_the_simulation_outside():
    field = uniform_field()  # x -100.5 .. 300.5
    run = straight(80.0, 0.0, 0.0, plume=field, boundary="absorb")
    assert (run["end"], run["final_x_mm"], len(run["step"])) == ("left", pytest.approx(380.0), 3)
    out = straight(-20.0, 0.0, math.pi, dt_s=2.0, plume=field, boundary="absorb")
    assert (out["end"], out["time_to_source_s"]) == ("left", None)
    # enters the circle on its way out: that is an arrival
    through = straight(40.0, 0.0, math.pi, dt_s=2.0, plume=field, boundary="absorb", arrival="stop")
    assert (through["end"], through["final_x_mm"]) == ("source", pytest.approx(15.0))


def test_reflecting_edge_sends_the_agent_back():
    field = uniform_field()
    run = straight(250.5, 40.0, 0.0, plume=field, boundary="reflect", duration_s=3.0)
    assert run["x_mm"] == pytest.approx([250.5, 250.5, 150.5])
    assert run["heading_rad"] == pytest.approx([0.0, math.pi, math.pi])
    assert run["odor"].tolist() == [1.0, 1.0, 1.0]


def test_open_edge_lets_the_agent_walk_where_nothing_smells():
    run = straight(150.0, 40.0, 0.0, plume=uniform_field(), duration_s=4.0)
    assert run["odor"].tolist() == [1.0, 1.0, 0.0, 0.0]
    assert run["x_mm"] == pytest.approx([150.0, 250.0, 350.0, 450.0])


def test_the_end_of_a_movie_ends_the_simulation_where_asked():
    short = signal([0.0, 1.0, 0.0], 1.0)
    run = straight(1000.0, 0.0, 0.0, plume=short, movie_end="stop")
    assert (run["end"], run["duration_s"], run["final_x_mm"]) == ("movie", 3.0, 1300.0)
    assert run["odor"].tolist() == [0.0, 1.0, 0.0]
    again = straight(1000.0, 0.0, 0.0, plume=short, movie_end="loop", duration_s=8.0)
    assert again["odor"].tolist() == [0.0, 1.0, 0.0] * 2 + [0.0, 1.0]
    assert (again["wraps"], again["encounters"], again["end"]) == (2, 3, "horizon")
