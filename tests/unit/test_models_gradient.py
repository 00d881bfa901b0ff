"""Gradient followers and nulls: single steps worked out by hand, symmetries, plumes that tell."""

import math

import numpy as np
import pytest

import factories
from plumenav import registry
from plumenav.models import (
    always_upwind,
    klinotaxis,
    poisson_turner,
    run_and_tumble,
    tropotaxis,
    upwind_tropotaxis,
)
from plumenav.models._contract import Observation
from plumenav.models._math import CONTRAST, DIFFERENCE, SIGN, compare

MODELS = (
    tropotaxis,
    upwind_tropotaxis,
    klinotaxis,
    run_and_tumble,
    poisson_turner,
    always_upwind,
)
STEADY = {"turn_sd_deg": 0.0}  # no noise
DT_S = 0.02


def seen(heading_deg=0.0, left=0.0, right=0.0, time_s=0.0, wind_deg=0.0, speed=100.0):
    toward = math.radians(wind_deg)
    return Observation(
        odor=(left + right) / 2.0,
        odor_left=left,
        odor_right=right,
        threshold=0.05,
        wind_x_mm_s=speed * math.cos(toward),
        wind_y_mm_s=speed * math.sin(toward),
        heading_rad=math.radians(heading_deg),
        time_s=time_s,
        x_mm=100.0,
        y_mm=0.0,
    )


def noise_of(model, **draws):
    return model.Noise(**{name: draws.get(name, 0.75) for name in model.Noise._fields})


def stepped(model, observation, draws=None, state=None, **parameters):
    """One step; draws that are not given make no noise (b = 0.75: a normal of zero)."""
    c = model.constants(model.Params(**parameters), 100.0)
    state = model.initial_state(c) if state is None else state
    return model.step(observation, state, c, noise_of(model, **(draws or {})), DT_S)


def turned_deg(observation, action):
    return math.degrees(action.heading_rad - observation.heading_rad)


# ---------------------------------------------------------------------------- comparing


def test_three_ways_to_compare():
    assert compare(DIFFERENCE, 0.3, 0.1, 1e-6, 0.01) == pytest.approx(0.2)
    assert compare(CONTRAST, 0.3, 0.1, 1e-6, 0.1) == pytest.approx(0.4)
    assert [compare(SIGN, *sides, 0.01, 0.1) for sides in ((0.2, 0.1), (0.1, 0.2))] == [1.0, -1.0]
    assert compare(SIGN, 0.1, 0.11, 0.01 + 1e-12, 0.1) == 0.0


@pytest.mark.parametrize("comparison", ["difference", "sign", "contrast"])
def test_tropotaxis_turns_to_the_stronger_side_at_the_given_rate(comparison):
    sigma = {"difference": 0.2, "sign": 1.0, "contrast": 0.2 / 0.41}[comparison]
    for left, right, sign in ((0.3, 0.1, 1.0), (0.1, 0.3, -1.0), (0.2, 0.2, 0.0)):
        here = seen(30.0, left, right)
        action, _ = stepped(tropotaxis, here, comparison=comparison, gain_deg_s=100.0)
        assert turned_deg(here, action) == pytest.approx(sign * sigma * 100.0 * DT_S)
        # moves along the heading before the turn
        assert action.velocity_x_mm_s == pytest.approx(10.0 * math.cos(math.radians(30.0)))
        assert action.velocity_y_mm_s == pytest.approx(5.0)


def test_negative_readings_are_no_odour():
    here = seen(0.0, -0.2, -0.5)
    for comparison in ("difference", "sign", "contrast"):
        action, _ = stepped(tropotaxis, here, comparison=comparison, **STEADY)
        assert turned_deg(here, action) == 0.0


def test_upwind_drive_turns_towards_where_the_wind_comes_from_and_only_in_odour():
    # wind to +y: upwind is -90 deg; a heading of 0 turns right, one of 180 deg turns left
    for heading_deg, sign in ((0.0, -1.0), (180.0, 1.0), (-90.0, 0.0)):
        here = seen(heading_deg, 0.2, 0.2, wind_deg=90.0)
        action, _ = stepped(upwind_tropotaxis, here, drive_upwind_deg_s=250.0)
        assert turned_deg(here, action) == pytest.approx(sign * 250.0 * DT_S, abs=1e-9)
        assert action.behaviour == 1
        faint, _ = stepped(
            upwind_tropotaxis, seen(heading_deg, 0.04, 0.04, wind_deg=90.0), **STEADY
        )
        assert faint.behaviour == 0
        assert faint.heading_rad == here.heading_rad
        still, _ = stepped(upwind_tropotaxis, seen(heading_deg, 0.2, 0.2, speed=0.0), **STEADY)
        assert still.heading_rad == here.heading_rad
    both, _ = stepped(upwind_tropotaxis, seen(0.0, 0.3, 0.2, wind_deg=90.0), gain_deg_s=40.0)
    assert math.degrees(both.heading_rad) == pytest.approx((40.0 - 250.0) * DT_S)


def test_klinotaxis_compares_with_one_swing_ago():
    """Head left, then right, ...: odour 0.4 on the left and 0.1 on the right turns left."""
    c = klinotaxis.constants(klinotaxis.Params(swing_s=0.06, comparison="difference"), 0.0)
    state, rates, sides = klinotaxis.initial_state(c), [], []
    for i in range(10):
        here = seen(0.0, 0.4, 0.1, time_s=i * DT_S)
        draws = noise_of(klinotaxis, first_side=0.1)
        action, state = klinotaxis.step(here, state, c, draws, DT_S)
        rates.append(turned_deg(here, action) / DT_S)
        sides.append(action.behaviour)
    # swings end at steps 3, 6 and 9; the first has nothing to compare with
    assert sides == [0, 0, 0, 1, 1, 1, 0, 0, 0, 1]
    assert rates == pytest.approx([0.0] * 6 + [40.0 * 0.3] * 4)


def test_klinotaxis_smells_only_where_its_head_is():
    c = klinotaxis.constants(klinotaxis.Params(swing_s=DT_S), 0.0)
    state = klinotaxis.State(-1.0, 0.2, 0.0, 0.0)
    one, _ = klinotaxis.step(seen(0.0, 9.0, 0.1), state, c, noise_of(klinotaxis), DT_S)
    other, _ = klinotaxis.step(seen(0.0, 0.0, 0.1), state, c, noise_of(klinotaxis), DT_S)
    assert one == other
    assert one.heading_rad > 0.0  # 0.2 on the left one swing ago, 0.1 on the right


def test_klinotaxis_cannot_swing_faster_than_it_steps():
    assert klinotaxis.problem(klinotaxis.Params(swing_s=0.02), 0.02) is None
    assert "swing_s is 0.01 s" in klinotaxis.problem(klinotaxis.Params(swing_s=0.01), 0.02)


def tumbling_rate_hz(odors, **parameters):
    """Rate after a series of readings: the smallest draw that does not tumble, over dt."""
    c = run_and_tumble.constants(run_and_tumble.Params(**parameters), 0.0)
    low, high = 0.0, 1.0
    for _ in range(50):
        middle, state = (low + high) / 2.0, run_and_tumble.initial_state(c)
        for odor in odors:
            draws = noise_of(run_and_tumble, tumble=middle)
            action, state = run_and_tumble.step(seen(0.0, odor, odor), state, c, draws, DT_S)
        low, high = (middle, high) if action.behaviour == 1 else (low, middle)
    return low / DT_S


@pytest.mark.parametrize("slope", [-0.2, 0.0, 0.1])
def test_rates_of_tumbling_on_a_ramp(slope):
    """After several tau on a ramp the filtered change is the ramp's slope, whatever dt."""
    ramp = 5.0 + slope * DT_S * np.arange(200)
    chosen = {"tau_s": 0.1, "chi_s": 3.0, "tumble_hz": 2.0}
    rate = tumbling_rate_hz(ramp, response="exponential", **chosen)
    assert rate == pytest.approx(2.0 * math.exp(-3.0 * slope), rel=1e-6)
    ramp = np.exp(slope * DT_S * np.arange(200)) - 0.01  # C + c0 grows exponentially
    rate = tumbling_rate_hz(ramp, response="logarithmic", **chosen)
    assert rate == pytest.approx(2.0 * (1.0 - 3.0 * slope), rel=1e-6)


def test_rate_of_tumbling_is_not_negative_and_not_endless():
    rising = np.exp(2.0 * DT_S * np.arange(100))
    assert tumbling_rate_hz(rising, response="logarithmic", chi_s=5.0) < 1e-9
    cliff = stepped(
        run_and_tumble,
        seen(),
        {"tumble": 1.0 - 1e-12},
        run_and_tumble.State(1.0, 1e6),
        response="exponential",
    )[0]
    assert cliff.behaviour == 1
    assert cliff.clipped == 1


def test_tumbles_are_any_turn_or_a_normal_one():
    for angle, turn in ((0.0, -180.0), (0.75, 90.0)):
        here = seen(10.0)
        action, _ = stepped(run_and_tumble, here, {"tumble": 0.0, "angle": angle})
        assert turned_deg(here, action) == pytest.approx(turn)
    c = run_and_tumble.constants(run_and_tumble.Params(tumble="normal", tumble_sd_deg=50.0), 0.0)
    one = noise_of(run_and_tumble, tumble=0.0, size_a=1.0 - math.exp(-0.5), size_b=0.0)  # g = 1
    action, _ = run_and_tumble.step(seen(10.0), run_and_tumble.State(0.0, 0.0), c, one, DT_S)
    assert math.degrees(action.heading_rad) == pytest.approx(60.0)


@pytest.mark.parametrize(
    ("model", "rate"), [(run_and_tumble, "tumble_hz"), (poisson_turner, "turn_hz")]
)
def test_rates_above_one_in_a_step_are_refused(model, rate):
    assert model.problem(model.Params(**{rate: 50.0}), 0.02) is None
    assert f"{rate} is 51" in model.problem(model.Params(**{rate: 51.0}), 0.02)


# ------------------------------------------------------------------------------- nulls


def test_poisson_turner_turns_by_thirty_degrees_to_either_side():
    for direction, sign in ((0.49, 1.0), (0.5, -1.0)):
        here = seen(5.0)
        action, _ = stepped(poisson_turner, here, {"turn": 0.0, "direction": direction})
        assert turned_deg(here, action) == pytest.approx(sign * 30.0)
        assert action.behaviour == 1
    straight, _ = stepped(poisson_turner, seen(5.0), {"turn": DT_S / 0.75 + 1e-9})
    assert straight.behaviour == 0
    assert straight.heading_rad == math.radians(5.0)
    assert stepped(poisson_turner, seen(), turn_hz=60.0)[0].clipped == 1


def test_always_upwind_walks_upwind_at_once_or_steers():
    at_once, _ = stepped(always_upwind, seen(20.0, wind_deg=90.0))
    assert (at_once.velocity_x_mm_s, at_once.velocity_y_mm_s) == pytest.approx((0.0, -10.1))
    assert math.cos(at_once.heading_rad + math.pi / 2.0) == pytest.approx(1.0)
    steered, _ = stepped(always_upwind, seen(0.0, wind_deg=90.0), turning="steered")
    assert steered.velocity_x_mm_s == pytest.approx(10.1)
    assert math.degrees(steered.heading_rad) == pytest.approx(-250.0 * DT_S)
    assert always_upwind.problem(always_upwind.Params(), DT_S) is None
    noisy = always_upwind.Params(turn_sd_deg=5.0)
    assert "turn_sd_deg is 5" in always_upwind.problem(noisy, DT_S)


# -------------------------------------------------------------------------- symmetries


def walked(model, preset, turn_rad=0.0, mirror=False, n=400):
    """Track of a model, step by step, in random odour that is turned or mirrored with it."""
    rng = np.random.default_rng(4)
    c = model.constants(model.Params(**model.PRESETS[preset]), 100.0)
    state, sign = model.initial_state(c), -1.0 if mirror else 1.0
    heading, place, track = sign * 0.3 + turn_rad, 0.0 + 0.0j, []
    for i in range(n):
        left, right = rng.uniform(0.0, 0.3, 2)
        noise = model.Noise(*rng.random(len(model.Noise._fields)))
        here = seen(
            math.degrees(heading), left, right, i * DT_S, math.degrees(sign * 0.2 + turn_rad)
        )
        if mirror:
            here = here._replace(odor_left=right, odor_right=left)
            noise = model.mirrored(noise)
        action, state = model.step(here, state, c, noise, DT_S)
        place += complex(action.velocity_x_mm_s, action.velocity_y_mm_s) * DT_S
        heading = action.heading_rad
        track.append(place)
    return np.array(track)


CASES = [(model, preset) for model in MODELS for preset in model.PRESETS]


@pytest.mark.parametrize(("model", "preset"), CASES)
def test_mirrored_draws_and_sides_mirror_the_track(model, preset):
    assert np.abs(walked(model, preset, mirror=True).conj() - walked(model, preset)).max() < 1e-6


@pytest.mark.parametrize(("model", "preset"), CASES)
def test_turned_with_its_wind_a_track_turns(model, preset):
    turned = walked(model, preset, turn_rad=math.pi / 2.0)
    assert np.abs(turned - 1j * walked(model, preset)).max() < 1e-6


@pytest.mark.parametrize("model", ["tropotaxis", "klinotaxis"])
def test_smaller_steps_walk_the_same_way(model, tmp_path):
    hill = factories.write_analytic(tmp_path / "hill.parquet", "gaussian", peak=1.0, sigma_mm=50.0)
    plan = factories.plan_columns(20, 1)
    ends = []
    for dt_s in (0.02, 0.01, 0.0025):
        settings = factories.engine_settings(
            model,
            parameters={**STEADY, "comparison": "contrast", "gain_deg_s": 1000.0},
            dt_s=dt_s,
            duration_s=5.0,
            arrival="continue",
        )
        _, rows = factories.run(hill, plan, settings)
        ends.append(np.array(rows["final_x_mm"]) + 1j * np.array(rows["final_y_mm"]))
    coarse, fine = (np.abs(end - ends[2]) for end in ends[:2])
    assert coarse.mean() < 1.0  # of 50 mm walked
    assert fine.mean() < 0.6 * coarse.mean()


# ----------------------------------------------------------------------- whole plumes


def hill_movie(path, patchy):
    """A hill (sigma 50 mm) as a movie, steady, or in patches of 25 mm with the same mean."""
    rng = np.random.default_rng(1)
    row, column = np.mgrid[:60, :60]
    hill = np.exp(-((row - 29.5) ** 2 + (column - 29.5) ** 2) / (2.0 * 10.0**2))
    frames = np.repeat(hill[None], 60, axis=0)
    if patchy:
        there = rng.random((60, 12, 12)) < 0.05
        frames = frames * np.kron(there, np.ones((1, 5, 5))) / 0.05
    return factories.write_movie(path, frames, dtype="float32", source=(29.5, 29.5))


def test_tropotaxis_climbs_a_steady_hill_and_loses_its_way_in_patches(tmp_path):
    plan = factories.plan_columns(200, 60, x_mm=(60.0, 100.0), y_mm=(-20.0, 20.0))
    success = {}
    for patchy in (False, True):
        plume = hill_movie(tmp_path / f"{patchy}.parquet", patchy)
        settings = factories.engine_settings("tropotaxis", duration_s=60.0)
        _, rows = factories.run(plume, plan, settings)
        success[patchy] = np.mean(rows["success"])
    assert success[False] > 0.95
    assert success[True] < 0.5


def test_sides_within_a_pixel_tell_nothing_with_nearest_sampling(tmp_path):
    """The trap of narrow sensors; bilinear sampling does not fall into it."""
    plume = hill_movie(tmp_path / "hill.parquet", patchy=False)  # 5 mm per pixel
    plan = factories.plan_columns(1, 60, x_mm=(67.5, 67.5), y_mm=(2.5, 2.5))
    plan["heading_rad"] = np.array([1.6])
    turned = {}
    for interpolation in ("nearest", "bilinear"):
        settings = factories.engine_settings(
            "tropotaxis",
            parameters=STEADY,
            duration_s=0.1,
            sensor={
                "interpolation": interpolation,
                "parameters": {"separation_mm": 0.4, "ahead_mm": 0.0},
            },
        )
        rows, _ = factories.run(plume, plan, settings)
        turned[interpolation] = np.degrees(rows["heading_rad"][-1] - 1.6)
    assert turned["nearest"] == 0.0
    assert turned["bilinear"] == pytest.approx(40.0 * 0.08)  # the source is to the left


@pytest.mark.parametrize("name", ["tropotaxis", "upwind_tropotaxis", "klinotaxis"])
def test_blind_they_walk_straight_on(name, tmp_path):
    plume = hill_movie(tmp_path / "hill.parquet", patchy=False)
    settings = factories.engine_settings(name, parameters=STEADY, control="blind")
    rows, _ = factories.run(plume, factories.plan_columns(3, 60), settings)
    for simulation in range(3):
        assert np.ptp(rows["heading_rad"][rows["simulation"] == simulation]) == 0.0


@pytest.mark.parametrize(
    "name", ["tropotaxis", "upwind_tropotaxis", "klinotaxis", "run_and_tumble"]
)
@pytest.mark.parametrize("other", [0, 1])
def test_every_form_agrees_with_its_reference(name, other, tmp_path):
    from plumenav.references._run import run_sample

    model = registry.get("model", name)
    changes = [{"comparison": "contrast"}, {"comparison": "difference"}][other]
    if name == "run_and_tumble":
        changes = [{"response": "exponential"}, {"tumble": "normal", "turn_sd_deg": 20.0}][other]
    movie = factories.write_movie(tmp_path / "movie.parquet")
    settings = factories.engine_settings(name, parameters=changes, duration_s=10.0)
    assert settings["parameters"] != model.Params().model_dump()
    plan = factories.plan_columns(4, 40)
    ours, _ = factories.run(movie, plan, settings)
    theirs, _ = run_sample(
        [{k: v[i].item() for k, v in plan.items()} for i in range(4)], settings, movie
    )
    for column in ("x_mm", "y_mm", "heading_rad"):
        assert np.abs(theirs.column(column).to_numpy() - ours[column]).max() < 1e-6
