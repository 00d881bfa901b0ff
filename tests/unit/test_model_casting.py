"""Robots of the casting family: known tracks, sides, spirals, the reference at every choice."""

import math

import numpy as np
import pytest

import factories
from plumenav import registry
from plumenav.models import surge_cast, surge_cast_robot, surge_spiral, zigzag
from plumenav.models._contract import Observation
from plumenav.references._run import run_sample
from plumenav.references.surge_spiral import angle_at

DT = 0.02
SPEED = 50.0
ROBOTS = (surge_cast_robot, surge_spiral, zigzag)


def plan(n=1, heading_rad=0.3, x_mm=1000.0):
    columns = factories.plan_columns(n, 1)
    columns["x_mm"] = np.full(n, x_mm)
    columns["y_mm"] = np.zeros(n)
    columns["heading_rad"] = np.full(n, heading_rad)
    columns["start_frame"] = np.zeros(n, np.int32)
    return columns


def pulse_track(tmp_path, model, heading_rad=0.3, odor_s=1.0, duration_s=8.0, n=1, **parameters):
    """Track in odour that all smell, from the start on for odor_s."""
    values = np.zeros(round(duration_s / DT))
    values[: round(odor_s / DT)] = 1.0
    plume = factories.write_signal(tmp_path / "signal.parquet", values)
    settings = factories.engine_settings(
        model, dt_s=DT, duration_s=duration_s, parameters=parameters, arrival="continue"
    )
    track, _ = factories.run(plume, plan(n, heading_rad), settings)
    return {name: column.reshape(n, -1) for name, column in track.items()}


def observation(heading_rad=0.0, odor=0.0, toward_rad=0.0):
    wind_x, wind_y = 100.0 * math.cos(toward_rad), 100.0 * math.sin(toward_rad)
    return Observation(odor, odor, odor, 0.5, wind_x, wind_y, heading_rad, 0.0, 0.0, 0.0)


# ------------------------------------------------------------------------------ surge_cast_robot


@pytest.mark.parametrize(("heading_rad", "side"), [(0.3, 1.0), (-0.3, -1.0)])
def test_cast_goes_where_the_plume_was_met_then_twice_as_far_to_the_other_side(
    tmp_path, heading_rad, side
):
    run = pulse_track(tmp_path, "surge_cast_robot", heading_rad)
    x, y, code = run["x_mm"][0] - 1000.0, run["y_mm"][0], run["state"][0]
    # 50 steps in odour, then lost_mm = 10 mm more: 10 steps of 1 mm, the first of them in odour
    surge, first, second = 59, 59 + 40, 59 + 120
    assert code[0] == 0
    assert np.all(code[1 : surge + 1] == 1)
    assert np.all(code[surge + 1 : second + 1] == 2)
    assert code[second + 1] == 0
    assert x[surge] == pytest.approx(-59.0)
    assert np.allclose(x[surge : second + 1], x[surge])
    assert y[first] == pytest.approx(side * 40.0)
    assert y[second] == pytest.approx(-side * 40.0)
    assert np.ptp(y[:first]) <= 40.0 + 1e-9


def test_a_plume_met_again_is_surged_in(tmp_path):
    values = np.zeros(400)
    values[:50] = values[80:90] = 1.0
    plume = factories.write_signal(tmp_path / "signal.parquet", values)
    settings = factories.engine_settings("surge_cast_robot", dt_s=DT, duration_s=8.0)
    track, _ = factories.run(plume, plan(), settings)
    assert set(track["state"][60:81]) == {2}
    assert set(track["state"][81:100]) == {1}
    assert track["y_mm"][99] == pytest.approx(21.0)


def lost_with_turned_wind(turn_rad):
    """Side of the cast of a robot that met odour heading right, and lost it as the wind turned."""
    params = surge_cast_robot.Params(lost_mm=1.0)
    c = surge_cast_robot.constants(params, 100.0)
    state = surge_cast_robot.initial_state(c)
    noise = surge_cast_robot.Noise(0.1, 0.1)
    _, state = surge_cast_robot.step(observation(-0.3, 1.0), state, c, noise, DT)
    action, state = surge_cast_robot.step(observation(math.pi, 0.0, turn_rad), state, c, noise, DT)
    assert action.behaviour == 2
    assert math.cos(action.heading_rad - turn_rad) == pytest.approx(0.0, abs=1e-9)
    return math.copysign(1.0, math.sin(action.heading_rad - turn_rad))


def test_lost_side_is_where_the_wind_now_carries_the_odour():
    # the robot went 1 mm to -x from where odour was. Wind turned to the left (counter-clockwise):
    # the odour now is to the left of the line through the robot, so the robot is right of it
    assert lost_with_turned_wind(0.0) == -1.0  # as met
    for turn in (0.2, 0.02):
        # offset of (-1, 0) to the left of phi = turn: sin(turn) > 0, the robot is left of the odour
        assert lost_with_turned_wind(turn) == -1.0
        assert lost_with_turned_wind(-turn) == 1.0


@pytest.mark.parametrize(
    ("model", "key"), [("surge_cast_robot", "cast_side"), ("surge_spiral", "spiral_side")]
)
def test_random_sides_are_fair(tmp_path, model, key):
    run = pulse_track(tmp_path, model, odor_s=0.1, duration_s=1.0, n=400, **{key: "random"})
    left = (run["y_mm"][:, 30] > 0.0).mean()
    assert abs(left - 0.5) < 4.0 * math.sqrt(0.25 / 400)


# ------------------------------------------------------------------------------------ search


@pytest.mark.parametrize("model", ["surge_cast_robot", "surge_spiral", "zigzag"])
def test_search_is_straight_legs_in_all_directions(tmp_path, model):
    n = 200
    run = pulse_track(tmp_path, model, odor_s=0.0, duration_s=6.0, n=n)
    assert set(run["state"].ravel()) == {0}
    dx, dy = np.diff(run["x_mm"]), np.diff(run["y_mm"])
    assert np.allclose(np.hypot(dx, dy), SPEED * DT)
    turned = np.hypot(np.diff(dx), np.diff(dy)) > 1e-9
    # legs of 100 mm are 100 steps
    assert np.flatnonzero(turned.any(axis=0)).tolist() == [99, 199]
    directions = np.exp(1j * np.arctan2(dy[:, [0, 100, 200]], dx[:, [0, 100, 200]])).ravel()
    for harmonic in (1, 2):
        assert abs((directions**harmonic).mean()) < 3.0 / math.sqrt(directions.size)


# ------------------------------------------------------------------------------------ spiral


@pytest.mark.parametrize("length", [1e-9, 1e-3, 0.5, 1.0, 3.0, 40.0, 1e4])
def test_spiral_angle_solves_the_arc_length(length):
    pitch = 1.7
    a = surge_spiral.spiral_angle(length * pitch, pitch)
    assert 0.5 * (a * math.sqrt(1 + a * a) + math.asinh(a)) == pytest.approx(length, rel=1e-13)
    assert a == pytest.approx(angle_at(length), rel=1e-12)


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_spiral_has_its_gap_begins_upwind_and_turns_to_the_side(tmp_path, side):
    run = pulse_track(tmp_path, "surge_spiral", side * 0.3, duration_s=20.0, radius_mm=35.0)
    code = run["state"][0]
    first = int(np.flatnonzero(code == 2)[0]) - 1
    last = int(np.flatnonzero(code == 2)[-1])
    x = run["x_mm"][0][first : last + 1]
    y = run["y_mm"][0][first : last + 1]
    # relative to the centre: ahead is upwind, left of downwind is +y
    place = -(x - x[0]) + 1j * side * (y - y[0])
    angle = np.unwrap(np.angle(place[1:]))
    radius = np.abs(place[1:])
    # steps of 1 mm are chords, 6 % longer than the spiral's own at its centre and soon equal
    assert np.allclose(radius, 10.0 * angle / (2 * math.pi), atol=0.2)
    assert radius[-1] == pytest.approx(35.0, abs=0.3)
    assert np.allclose(np.abs(np.diff(place)), SPEED * DT)
    heading = run["heading_rad"][0][first + 1 : last + 1]
    moved = np.angle(
        np.exp(1j * heading[60:-1]) / np.exp(1j * np.angle(np.diff(x + 1j * y)[60:-1]))
    )
    assert np.abs(moved).max() < 0.1  # the tangent at the end of the chord
    assert code[last + 1] == 0


def test_spiral_is_nearly_the_same_at_any_step():
    places = {}
    for dt in (0.02, 0.005):
        c = surge_spiral.constants(surge_spiral.Params(), 100.0)
        state = surge_spiral.initial_state(c)._replace(mode=2.0, travelled_mm=0.0, axis_rad=math.pi)
        x, y = 0.0, 0.0
        for _ in range(round(4.0 / dt)):
            action, state = surge_spiral.step(
                observation(), state, c, surge_spiral.Noise(0.1, 0.1), dt
            )
            x += action.velocity_x_mm_s * dt
            y += action.velocity_y_mm_s * dt
        places[dt] = (x, y)
    assert places[0.02] == pytest.approx(places[0.005], abs=0.2)


# ------------------------------------------------------------------------------------ zigzag


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_zigzag_goes_on_at_its_angle_and_back_crosswind(tmp_path, side):
    run = pulse_track(tmp_path, "zigzag", side * 0.3)
    x, y, code = run["x_mm"][0] - 1000.0, side * run["y_mm"][0], run["state"][0]
    out, back = 59, 59 + 80
    assert np.all(code[1 : out + 1] == 1)
    assert np.all(code[out + 1 : back + 1] == 2)
    assert code[back + 1] == 0
    assert x[out] == pytest.approx(-59.0 * math.cos(math.radians(30.0)))
    assert y[out] == pytest.approx(59.0 * 0.5)
    assert x[back] == pytest.approx(x[out])
    assert y[back] == pytest.approx(y[out] - 80.0)


def test_zigzag_crosses_a_band_to_and_fro(tmp_path):
    frames = np.zeros((2, 121, 400))
    frames[:, 40:81] = 1.0  # |y| <= 20 mm
    plume = factories.write_movie(
        tmp_path / "band.parquet", frames, dtype="float32", mm_per_px=1.0, source=(60.0, 0.0)
    )
    settings = factories.engine_settings("zigzag", duration_s=8.0, movie_end="hold")
    start = plan(1, 0.3, 390.0)
    track, simulations = factories.run(plume, start, settings)
    assert set(track["state"][1:]) == {1, 2}
    # each way beyond the edge: 10 mm at 30 degrees from where odour was met last
    assert np.abs(track["y_mm"]).max() == pytest.approx(25.0, abs=1.0)
    assert track["y_mm"].max() == pytest.approx(-track["y_mm"].min(), abs=1.0)
    assert simulations.column("encounters").to_pylist()[0] >= 5


# --------------------------------------------------------------------- reference, limits, presets


@pytest.mark.parametrize(
    ("model", "preset"),
    [(module, preset) for module in ROBOTS for preset in module.PRESETS]
    + [(surge_cast, preset) for preset in surge_cast.PRESETS],
)
def test_every_preset_equals_the_reference(tmp_path, model, preset):
    name = model.__name__.rsplit(".", 1)[-1]
    movie = factories.write_movie(tmp_path / "movie.parquet")
    settings = factories.engine_settings(
        name, parameters=model.PRESETS[preset], boundary="reflect", duration_s=12.0
    )
    columns = factories.plan_columns(4, 40)
    ours, _ = factories.run(movie, columns, settings)
    rows = [{k: v[i].item() for k, v in columns.items()} for i in range(4)]
    theirs, _ = run_sample(rows, settings, movie)
    for column in ("x_mm", "y_mm", "heading_rad"):
        assert np.abs(theirs.column(column).to_numpy() - ours[column]).max() < 1e-6
    assert np.array_equal(theirs.column("state").to_numpy(), ours["state"])
    assert len(set(ours["state"])) > 1


@pytest.mark.parametrize("model", ROBOTS)
def test_legs_shorter_than_a_step_are_refused(model):
    assert model.problem(model.Params(), DT) is None
    reason = model.problem(model.Params(search_leg_mm=0.5), DT)
    assert "1 mm, longer than search_leg_mm = 0.5" in reason


def test_every_behaviour_without_odour_is_declared():
    for model in (*ROBOTS, surge_cast, registry.get("model", "moth")):
        assert set(model.BEHAVIOURS_WITHOUT_ODOR) < set(model.BEHAVIOURS)


def test_three_published_conditions_of_surge_cast_but_vision():
    delays = {
        name: (p.surge_delay_s, p.cast_delay_s)
        for name, p in ((n, surge_cast.Params(**v)) for n, v in surge_cast.PRESETS.items())
    }
    assert delays == {
        "simulation": (0.27, 0.64),
        "article": (0.19, 0.45),
        "equal_delays": (0.27, 0.27),
    }
