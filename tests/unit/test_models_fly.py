"""Walking flies: what their equations say of single steps, sides, quirks and variants."""

import math
from pathlib import Path

import numpy as np
import pytest

import factories
from plumenav.config.resolve_agent import resolve_agent
from plumenav.config.schema import Agent
from plumenav.models import (
    frequency_intermittency,
    odor_motion,
    on_off,
    on_off_bilateral,
    walk_stop_turn,
)
from plumenav.models._contract import Observation
from plumenav.sensors import pair

# uniforms whose normal number is 0: cos(pi / 2)
ZERO = (0.5, 0.25)


def seen(t_s=0.0, odor=0.0, left=None, right=None, heading_deg=0.0, threshold=0.5, wind=100.0):
    left = odor if left is None else left
    right = odor if right is None else right
    return Observation(
        *(odor, left, right, threshold, wind, 0.0, math.radians(heading_deg), t_s, 0.0, 0.0)
    )


def memory(model, **parameters):
    c = model.constants(model.Params(**parameters), 100.0)
    return c, model.initial_state(c)


# -------------------------------------------------------------------------------------- sensor


def test_a_pair_has_its_left_point_first():
    points = pair.points(pair.Params(separation_mm=0.4, ahead_mm=1.0))
    assert points.tolist() == [[1.0, 0.2], [1.0, -0.2]]
    assert pair.PAIRED


# -------------------------------------------------------------------------------------- on_off


def track(model, path, heading_rad, wind_rad, **parameters):
    plan = {
        **factories.plan_columns(20, 1),
        "x_mm": np.full(20, 1e6),
        "y_mm": np.zeros(20),
        "heading_rad": np.full(20, heading_rad),
    }
    settings = factories.engine_settings(
        model, wind_toward_rad=wind_rad, duration_s=10.0, parameters=parameters
    )
    rows, _ = factories.run(path, plan, settings)
    return (rows["x_mm"] - 1e6 + 1j * rows["y_mm"]).reshape(20, -1)


@pytest.mark.parametrize("fidelity", ["published", "corrected"])
def test_only_the_published_on_off_feels_whole_turns_of_its_heading(fidelity, tmp_path):
    pulse = factories.write_signal(tmp_path / "pulse.parquet", np.arange(500) % 200 < 100)
    here = track("on_off", pulse, 1.0, 0.0, fidelity=fidelity)
    quarter = track("on_off", pulse, 1.0 + math.pi / 2, math.pi / 2, fidelity=fidelity)
    # the same heading, written one turn larger
    again = track("on_off", pulse, 1.0 + 2 * math.pi, 0.0, fidelity=fidelity)
    assert np.abs(here * 1j - quarter).max() < 1e-6
    off_mm = np.abs(here - again).max()
    broken = on_off.broken_symmetries(on_off.Params(fidelity=fidelity))
    if fidelity == "published":
        assert off_mm > 0.1
        assert set(broken) == {"mirror", "rotation"}
    else:
        assert off_mm < 1e-6
        assert broken == {}


@pytest.mark.parametrize("fidelity", ["published", "corrected"])
def test_refining_the_step_changes_the_off_response_less_and_less(fidelity):
    def off(dt):
        c, state = memory(on_off, fidelity=fidelity)
        for i in range(round(6.0 / dt)):
            odor = 1.0 if i * dt < 5.0 - 1e-9 else 0.0
            noise = on_off.Noise(0.99, 0.5, 0.5, 0.5)
            _, state = on_off.step(seen(i * dt, odor), state, c, noise, dt)
        return state.off

    at = [off(dt) for dt in (0.02, 0.01, 0.005)]
    # explicit Euler, and two late samples: an error of first order
    assert at[2] - at[1] == pytest.approx((at[1] - at[0]) / 2.0, rel=0.1)
    assert at[2] == pytest.approx(at[0], rel=0.02)


def test_steps_and_rates_that_cannot_run_are_named():
    assert on_off.problem(on_off.Params(), 1 / 15) is None
    assert "0.62 s" in on_off.problem(on_off.Params(), 0.7)
    fast = on_off.Params(fidelity="corrected", turn_base_hz=60.0)
    assert "turn_base_hz" in on_off.problem(fast, 0.02)
    assert walk_stop_turn.problem(walk_stop_turn.Params(), 0.1) is None
    assert "turn_hz" in walk_stop_turn.problem(walk_stop_turn.Params(), 0.76)
    flygym = walk_stop_turn.Params(**walk_stop_turn.PRESETS["flygym"])
    assert walk_stop_turn.problem(flygym, 0.76) is None
    assert "turn_hz" in odor_motion.problem(odor_motion.Params(), 0.76)
    assert "2 s" in frequency_intermittency.problem(frequency_intermittency.Params(turn_hz=0), 3.0)


def test_bilateral_adds_the_difference_of_the_compressed_sides():
    c, state = memory(on_off_bilateral, fidelity="corrected")
    state = state._replace(a_on=0.04)
    noise = on_off.Noise(0.99, 0.5, 0.5, 0.5)
    single, state_single = on_off.step(
        seen(odor=0.06, heading_deg=30), state, c.on_off, noise, 0.02
    )
    both, after = on_off_bilateral.step(
        seen(odor=0.06, left=0.1, right=0.02, heading_deg=30), state, c, noise, 0.02
    )
    # a_on and beta: half saturation at 0.05; the fly turns left, where there is more
    expected_deg = 40.0 * (0.1 / 0.15 - 0.02 / 0.07) * 0.02
    turned_deg = math.degrees(both.heading_rad - single.heading_rad)
    assert turned_deg == pytest.approx(expected_deg)
    assert turned_deg > 0.0
    assert after == state_single
    # noise below zero is no odour
    same, _ = on_off_bilateral.step(
        seen(odor=-0.02, left=-0.03, right=-0.01), state, c, noise, 0.02
    )
    assert (
        same.heading_rad
        == on_off.step(seen(odor=-0.02), state, c.on_off, noise, 0.02)[0].heading_rad
    )


# ------------------------------------------------------------------------------ walk_stop_turn


def fly_steps(model, n, dt, odor=lambda t: 0.0, noise=None, **parameters):
    """Headings, codes and states of one fly that is given its draws."""
    c, state = memory(model, **parameters)
    heading, codes, states, headings = 0.0, [], [], []
    for i in range(n):
        observation = seen(i * dt, odor(i * dt), heading_deg=math.degrees(heading))
        action, state = model.step(observation, state, c, noise(i), dt)
        heading = action.heading_rad
        codes.append(action.behaviour)
        headings.append(math.degrees(heading))
        states.append(state)
    return np.array(headings), codes, states


def never(i):
    return walk_stop_turn.Noise(0.9999999, 0.9999999, 0.9999999, 0.5, *ZERO, *ZERO)


def test_flygym_counts_seconds_in_odor_and_keeps_them_through_a_stop():
    preset = walk_stop_turn.PRESETS["flygym"]
    _, _, states = fly_steps(
        walk_stop_turn, 4000, 0.01, lambda t: 1.0 if t % 1.0 < 0.25 else 0.0, never, **preset
    )
    # steady: the fraction of time in odour, times tau
    w = np.mean([one.w for one in states[-1000:]])
    assert w == pytest.approx(0.25 * 2.0, rel=0.01)
    assert np.mean([one.evidence for one in states[-1000:]]) == pytest.approx(0.25 * 0.52, rel=0.02)

    def stop_at_once(i):
        return never(i)._replace(stop=0.0)

    _, codes, states = fly_steps(
        walk_stop_turn, 3, 0.01, lambda t: 1.0, stop_at_once, **{**preset, "stop_gain_hz": 0.0}
    )
    assert codes[0] == 0
    assert states[0].evidence == 0.01
    assert states[0].last_whiff_s == 0.0


def test_flygym_never_stops_just_after_odor_because_the_rate_is_negative():
    preset = walk_stop_turn.PRESETS["flygym"]

    def stop_if_at_all(i):
        return never(i)._replace(stop=0.0)

    _, codes, _ = fly_steps(walk_stop_turn, 5, 0.01, lambda t: 1.0, stop_if_at_all, **preset)
    assert codes == [1] * 5


@pytest.mark.parametrize("dt", [0.01, 0.06, 0.25, 0.4])
def test_a_turn_that_lasts_has_the_whole_size_and_nothing_else_happens_in_it(dt):
    def draws(i):
        # a turn at once, and whatever may happen does while it lasts
        return walk_stop_turn.Noise(0.9999999 if i == 0 else 0.0, 0.0, 0.0, 0.0, *ZERO, *ZERO)

    headings, codes, _ = fly_steps(
        walk_stop_turn, 40, dt, noise=draws, turn_duration_s=0.25, alpha=0.242
    )
    turning = math.ceil(0.25 / dt - 1e-9)
    assert codes[:turning] == [2] * turning
    assert codes[turning] == 0  # stops as soon as it may
    assert headings[turning - 1] == pytest.approx(30.0)
    assert headings[0] == pytest.approx(30.0 * min(1.0, dt / 0.25))


def test_exponential_event_probability():
    c, _ = memory(walk_stop_turn, event_probability="exponential")
    assert walk_stop_turn.probability(2.0, c, 0.5) == pytest.approx(1.0 - math.exp(-1.0))
    assert walk_stop_turn.probability(-2.0, c, 0.5) == 0.0
    c, _ = memory(walk_stop_turn)
    assert walk_stop_turn.probability(2.0, c, 0.25) == 0.5


@pytest.mark.parametrize("preset", sorted(walk_stop_turn.PRESETS))
def test_engine_and_reference_agree_for_every_preset_of_walk_stop_turn(preset, tmp_path):
    agrees("walk_stop_turn", walk_stop_turn.PRESETS[preset], tmp_path)


@pytest.mark.parametrize(
    ("model", "parameters"),
    [
        ("on_off_bilateral", {"fidelity": "corrected", "bilateral_deg_s": 400.0}),
        ("frequency_intermittency", frequency_intermittency.PACKETS),
        ("frequency_intermittency", {"drive": "adapting", "alpha": 0.0}),
        ("odor_motion", {"tau_motion_s": 0.0}),
        ("odor_motion", {"drive": "adapting", "g_motion": 0.0, "g_gradient": 40.0}),
    ],
)
def test_engine_and_reference_agree_for_variants(model, parameters, tmp_path):
    agrees(model, parameters, tmp_path)


def agrees(model, parameters, folder):
    from plumenav.references._run import run_sample

    movie = factories.write_movie(folder / "movie.parquet")
    sensor = {}
    if model in ("on_off_bilateral", "odor_motion"):
        # wide enough for the movie's pixels of 5 mm
        sensor = {"parameters": {"separation_mm": 4.0, "ahead_mm": 1.0}}
    settings = factories.engine_settings(
        model, parameters=parameters, sensor=sensor, duration_s=20.0
    )
    plan = factories.plan_columns(4, 40)
    ours, _ = factories.run(movie, plan, settings)
    rows = [{k: v[i].item() for k, v in plan.items()} for i in range(4)]
    theirs = run_sample(rows, settings, movie)[0].to_pandas()
    assert (ours["odor"] > 0.05).any()
    assert np.ptp(ours["heading_rad"]) > 1.0
    for column in ("x_mm", "y_mm", "heading_rad"):
        assert np.abs(theirs[column].to_numpy() - ours[column]).max() < 1e-6
    assert np.array_equal(theirs["state"], ours["state"])


def test_a_preset_brings_the_sensor_of_its_source():
    def sensor(preset, **given):
        agent = Agent.model_validate({"model": "walk_stop_turn", "preset": preset, **given})
        return resolve_agent("fly", agent, Path())["sensor"]

    assert sensor("demir_2020")["threshold"]["value"] == 2.749
    assert sensor("demir_2020_class_defaults")["threshold"]["value"] == 2.5
    older = sensor("demir_2020_docstring_antenna")["parameters"]
    assert older["centre_mm"] == pytest.approx(14 * 0.154)
    chosen = sensor("demir_2020_class_defaults", sensor={"threshold": {"value": 7.0}})
    assert chosen["threshold"]["value"] == 7.0
    point = sensor("demir_2020_docstring_antenna", sensor={"shape": "point"})
    assert point["parameters"] == {}


# --------------------------------------------------------------------- frequency_intermittency


def quiet(i):
    return frequency_intermittency.Noise(0.9999999, 0.5, *ZERO)


def test_intermittency_is_half_the_fraction_of_time_in_odor_and_frequency_counts_whiffs():
    def odor(t):
        return 1.0 if (t + 1e-9) % 0.5 < 0.2 else 0.0

    _, _, states = fly_steps(frequency_intermittency, 6000, 0.005, odor, quiet)
    assert np.mean([one.on for one in states[-2000:]]) == pytest.approx(0.5 * 0.4, rel=0.01)
    assert np.mean([one.w for one in states[-2000:]]) == pytest.approx(2.0 * 2.0, rel=0.01)


def test_adapting_drive_is_half_at_k_d_thresholds_and_zero_without_odor():
    c, state = memory(frequency_intermittency, drive="adapting", k_d=3.0)
    after = frequency_intermittency.remembered(seen(odor=1.5), state, c, 0.02)
    assert after.on == pytest.approx(0.5 * 0.02 / 2.0)
    after = frequency_intermittency.remembered(seen(odor=0.0, threshold=0.0), state, c, 0.02)
    assert after.on == 0.0


@pytest.mark.parametrize(
    ("parameters", "w", "on", "p_upwind"),
    [
        ({}, 2.0, 0.3, 1 / (1 + math.exp(-(0.242 * 2.0 + 3.872 * 0.3)))),
        ({"beta": 0.0}, 2.0, 0.3, 1 / (1 + math.exp(-0.242 * 2.0))),
        ({"alpha": 0.0}, 2.0, 0.3, 1 / (1 + math.exp(-3.872 * 0.3))),
    ],
)
@pytest.mark.parametrize(("heading_deg", "upwind_is_left"), [(90.0, True), (-90.0, False)])
def test_both_memories_bias_turns_upwind(parameters, w, on, p_upwind, heading_deg, upwind_is_left):
    c, state = memory(frequency_intermittency, **parameters)
    dt = 1e-9  # memories as they are given
    c = c._replace(turn=1e9)
    for offset, upwind in ((-1e-6, True), (1e-6, False)):
        noise = frequency_intermittency.Noise(0.0, p_upwind + offset, *ZERO)
        action, _ = frequency_intermittency.step(
            seen(heading_deg=heading_deg), state._replace(w=w, on=on), c, noise, dt
        )
        side = 1.0 if upwind == upwind_is_left else -1.0
        assert math.degrees(action.heading_rad) - heading_deg == pytest.approx(30.0 * side)
        assert action.behaviour == 1
        assert math.hypot(*action[:2]) == pytest.approx(10.1)


# --------------------------------------------------------------------------------- odor_motion


def bump(t_s, at_s, width_s=0.1):
    return 0.5 * math.exp(-(((t_s - at_s) / width_s) ** 2))


def sides(left, right, dt=0.005, **parameters):
    """Time course of the detectors, before their running mean, with antennae that are given."""
    c, state = memory(odor_motion, tau_average_s=1e-9, **parameters)
    motion, gradient = [], []
    for i in range(len(left)):
        observation = seen(i * dt, 0.0, left[i], right[i])
        _, state = odor_motion.step(observation, state, c, quiet(i), dt)
        motion.append(state.motion)
        gradient.append(state.gradient)
    return np.array(motion), np.array(gradient)


TIMES = np.arange(400) * 0.005
EARLY = np.array([bump(t, 0.9) for t in TIMES])
LATE = np.array([bump(t, 1.0) for t in TIMES])


@pytest.mark.parametrize("tau", [0.0, 0.015])
def test_a_static_gradient_is_no_motion(tau):
    motion, gradient = sides(np.full(400, 0.2), np.full(400, 0.3), tau_motion_s=tau)
    assert np.abs(motion).max() < 1e-12
    ratio = math.log((1 + 0.3 * 255 - 5) / (1 + 0.2 * 255 - 5))
    assert gradient[-1] == pytest.approx(ratio)


@pytest.mark.parametrize("tau", [0.0, 0.015])
def test_motion_has_a_sign_that_flips_with_sides_and_with_time(tau):
    motion, _ = sides(LATE, EARLY, tau_motion_s=tau)
    assert motion.sum() > 0.0  # the right side first
    swapped, _ = sides(EARLY, LATE, tau_motion_s=tau)
    assert np.allclose(swapped, -motion, rtol=0, atol=1e-15)
    # the detector is antisymmetric in time over a whole course, not at each moment
    reversed_in_time, _ = sides(LATE[::-1], EARLY[::-1], tau_motion_s=tau)
    assert reversed_in_time.sum() == pytest.approx(-motion.sum(), rel=1e-9)


def test_low_pass_and_one_step_agree_as_the_filter_becomes_short():
    one_step, _ = sides(LATE, EARLY, tau_motion_s=0.0)
    short, _ = sides(LATE, EARLY, tau_motion_s=1e-5)
    assert np.allclose(short, one_step, rtol=0, atol=1e-9)


@pytest.mark.parametrize(("detector", "gain"), [("motion", "g_motion"), ("gradient", "g_gradient")])
def test_turns_go_where_odor_comes_from_and_where_there_is_more(detector, gain):
    # both cues right of the fly: turn right; left: turn left, whatever the wind's side
    for value, side in ((1.0, -1.0), (-1.0, 1.0)):
        for heading_deg in (90.0, -90.0):
            c, state = memory(odor_motion, **{"g_motion": 0.0, "g_gradient": 0.0, gain: 1000.0})
            state = state._replace(**{detector: value})
            noise = frequency_intermittency.Noise(0.0, 0.5, *ZERO)
            action, _ = odor_motion.step(seen(heading_deg=heading_deg), state, c, noise, 1e-3)
            turned = math.degrees(action.heading_rad) - heading_deg
            assert turned == pytest.approx(30.0 * side)


def test_probability_of_turning_left_is_the_sum_of_wind_motion_and_gradient():
    c, state = memory(
        odor_motion, g_motion=2.0, g_gradient=0.5, motion_scale=0.1, gradient_scale=0.2
    )
    c = c._replace(walk=c.walk._replace(turn=1e9))
    state = state._replace(w=3.0, on=0.2, motion=0.03, gradient=-0.4)
    for heading_deg, s in ((90.0, 1.0), (-90.0, -1.0)):
        x = s * (0.242 * 3.0 + 3.872 * 0.2) - 2.0 * 0.3 + 0.5 * 2.0
        p_left = 1.0 / (1.0 + math.exp(-x))
        for offset, side in ((-1e-6, 1.0), (1e-6, -1.0)):
            noise = frequency_intermittency.Noise(0.0, p_left + offset, *ZERO)
            action, _ = odor_motion.step(seen(heading_deg=heading_deg), state, c, noise, 1e-9)
            assert math.degrees(action.heading_rad) - heading_deg == pytest.approx(30.0 * side)


def test_without_both_gains_the_sides_do_not_matter():
    wind_only = odor_motion.PRESETS["reconstruction_wind_only"]
    c, state = memory(odor_motion, **wind_only)
    other = state._replace(motion=5.0, gradient=-7.0)
    for direction in np.linspace(0.0, 0.999, 21):
        noise = frequency_intermittency.Noise(0.0, float(direction), *ZERO)
        one, _ = odor_motion.step(seen(heading_deg=40), state, c, noise, 0.01)
        two, _ = odor_motion.step(seen(left=0.9, right=0.1, heading_deg=40), other, c, noise, 0.01)
        assert one == two


def test_a_band_that_moves_past_turns_the_fly_against_it():
    """Antennae in a wave of odour that goes from right to left: the left turns become rare."""
    c, state = memory(odor_motion, g_motion=1.0, g_gradient=0.0)
    dt = 1.0 / 60.0
    lefts = turns = 0
    rng = np.random.default_rng(0)
    for i in range(20000):
        t = i * dt
        # right side 10 ms ahead of the left one
        right, left = (0.5 * (1 + math.sin(2 * math.pi * 4 * (t + lead))) for lead in (0.01, 0.0))
        noise = frequency_intermittency.Noise(*(float(u) for u in rng.random(2)), *ZERO)
        action, state = odor_motion.step(
            seen(t, 0.0, left, right, heading_deg=90.0), state, c, noise, dt
        )
        turns += action.behaviour
        lefts += action.heading_rad > math.radians(90.0)
    assert turns > 300
    # without motion half of the turns are to the left (w = ON = 0: no bias upwind)
    assert lefts < turns / 2 - 4.0 * math.sqrt(turns) / 2


def test_it_says_that_it_is_a_reconstruction():
    assert "RECONSTRUCTION" in odor_motion.__doc__
    assert odor_motion.CITATION.startswith("Reconstruction (ours)")
    assert all(name.startswith("reconstruction_") for name in odor_motion.PRESETS)
    assert set(odor_motion.broken_symmetries(odor_motion.Params(tau_motion_s=0.0))) == {"dt"}
    assert odor_motion.broken_symmetries(odor_motion.Params()) == {}


# ------------------------------------------------------------------------------------ symmetry


@pytest.mark.parametrize(
    ("model", "parameters"),
    [
        (on_off, {"fidelity": "corrected"}),
        (on_off_bilateral, {"fidelity": "corrected"}),
        *((walk_stop_turn, parameters) for parameters in walk_stop_turn.PRESETS.values()),
        (frequency_intermittency, {}),
        (odor_motion, {}),
        (odor_motion, {"tau_motion_s": 0.0}),
    ],
)
def test_a_mirrored_fly_with_mirrored_draws_walks_the_mirror_image(model, parameters):
    c, state = memory(model, **parameters)
    other, heading, other_heading = state, 0.3, -0.3
    rng = np.random.default_rng(1)
    moved = 0.0
    for i in range(2000):
        draws = model.Noise(*(float(u) for u in rng.random(len(model.Noise._fields))))
        left, right = (float(u) if i % 100 < 30 else 0.0 for u in rng.random(2))
        mean = (left + right) / 2.0
        here = Observation(mean, left, right, 0.1, 90.0, 40.0, heading, i * 0.01, 0.0, 0.0)
        there = Observation(mean, right, left, 0.1, 90.0, -40.0, other_heading, i * 0.01, 0.0, 0.0)
        one, state = model.step(here, state, c, draws, 0.01)
        two, other = model.step(there, other, c, model.mirrored(draws), 0.01)
        assert one.behaviour == two.behaviour
        assert one.velocity_x_mm_s == pytest.approx(two.velocity_x_mm_s, abs=1e-9)
        assert one.velocity_y_mm_s == pytest.approx(-two.velocity_y_mm_s, abs=1e-9)
        assert one.heading_rad == pytest.approx(-two.heading_rad, abs=1e-9)
        moved += abs(one.heading_rad - heading)
        heading, other_heading = one.heading_rad, two.heading_rad
    assert moved > 3.0
