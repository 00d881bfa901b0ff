"""What every model can be given, in the engine: known answers for sensors, walls, parts, odour."""

import math

import numpy as np
import pytest

import factories
from factories import one, straight
from plumenav import registry
from plumenav.engine.donors import with_donors
from plumenav.models._math import normal
from plumenav.rng import ENGINE_BLOCK, SENSOR_BLOCK, uniform_draws
from plumenav.tables import PlumeReader

KEY = 11


def unit_normals(n, key=KEY):
    draws = uniform_draws(key, n, 4, SENSOR_BLOCK)
    return np.array([[normal(a, b), normal(c, d)] for a, b, c, d in draws.tolist()])


# ------------------------------------------------------------------------------------ sensors


def points(name, **parameters):
    sensor = registry.get("sensor", name)
    return sensor.points(sensor.Params(**parameters))


def test_a_disc_is_a_round_patch_of_its_lattice():
    disc = points("disc", radius_mm=1.0, ahead_mm=2.0, spacing_mm=0.5)
    assert len(disc) == 13  # of the 5 x 5 lattice, those within two steps of the centre
    assert np.hypot(disc[:, 0] - 2.0, disc[:, 1]).max() == pytest.approx(1.0)
    assert disc.mean(axis=0) == pytest.approx([2.0, 0.0])
    assert points("disc", radius_mm=0.1).tolist() == [[0.0, 0.0]]


def test_pairs_have_their_left_point_first():
    pair = points("pair", separation_mm=2.0, ahead_mm=1.0)
    assert pair.tolist() == [[1.0, 1.0], [1.0, -1.0]]
    assert points("motion_pair").tolist() == [[0.0, 0.15], [0.0, -0.15]]


def test_sensor_noise_is_a_normal_number_per_step_also_outside(tmp_path):
    hill = factories.write_analytic(tmp_path / "a.parquet", "uniform", level=0.5)
    settings = straight(duration_s=2.0, sensor={"noise": 0.1, "dead_zone": None})
    rows, _ = factories.run(hill, one(x=200.0, heading=0.0, key=KEY), settings)
    inside = rows["x_mm"] < 250.0
    assert 0 < inside.sum() < 20
    expected = np.where(inside, 0.5, 0.0) + 0.1 * unit_normals(20)[:, 0]
    assert np.allclose(rows["odor"], expected, atol=1e-12)
    quiet, _ = factories.run(hill, one(x=200.0, heading=0.0, key=KEY), straight(duration_s=2.0))
    assert set(quiet["odor"]) == {0.0, 0.5}


def test_noise_comes_before_the_dead_zone_and_not_to_the_blind(tmp_path):
    hill = factories.write_analytic(tmp_path / "a.parquet", "uniform", level=0.0)
    sensor = {"noise": 0.1, "dead_zone": 0.05, "threshold": 0.1}
    settings = straight(duration_s=2.0, sensor=sensor)
    rows, simulations = factories.run(hill, one(heading=0.0, key=KEY), settings)
    noise = 0.1 * unit_normals(20)[:, 0]
    assert np.allclose(rows["odor"], np.where(noise >= 0.05, noise, 0.0), atol=1e-12)
    assert simulations.column("time_in_plume_s")[0].as_py() == pytest.approx(
        0.1 * (noise >= 0.1).sum()
    )
    blind, _ = factories.run(hill, one(heading=0.0, key=KEY), {**settings, "control": "blind"})
    assert not blind["odor"].any()


def test_adaptation_halves_a_reading_that_lasts(tmp_path):
    odor = np.concatenate([np.full(400, 1.0), np.zeros(400)])
    plume = factories.write_signal(tmp_path / "s.parquet", odor, rate_hz=10.0)
    adaptation = {"tau_s": 2.0, "half_level": 1.0}
    settings = straight(duration_s=80.0, movie_end="hold", sensor={"adaptation": adaptation})
    rows, _ = factories.run(plume, one(1e4), settings)
    # explicit Euler towards a constant: A_i = 1 - (1 - dt / tau)^i
    i = np.arange(400)
    assert np.allclose(rows["odor"][:400], 1.0 / (2.0 - 0.95**i), atol=1e-12)
    assert rows["odor"][0] == 1.0
    assert rows["odor"][399] == pytest.approx(0.5, abs=1e-6)
    assert not rows["odor"][400:].any()


# -------------------------------------------------------------------------------------- walls


@pytest.mark.parametrize(
    ("x", "y", "heading", "final"),
    [
        (245.0, 0.0, 0.0, (249.999, 0.0)),
        (200.0, 75.0, math.pi / 2, (200.0, 79.999)),
        (245.0, 70.0, math.pi / 4, (249.999, 74.999)),  # x comes first and ends the whole step
    ],
)
def test_who_stops_at_the_edge_stands_there(tmp_path, x, y, heading, final):
    # arena: x from -50 to 250 mm, y from -80 to 80 mm
    plume = factories.write_analytic(tmp_path / "a.parquet", "uniform", level=1.0)
    rows, simulations = factories.run(plume, one(x, y, heading), straight(boundary="stop"))
    row = simulations.to_pylist()[0]
    assert (row["final_x_mm"], row["final_y_mm"]) == pytest.approx(final, abs=1e-9)
    assert row["path_mm"] == pytest.approx(math.hypot(final[0] - x, final[1] - y), abs=1e-9)
    assert row["end"] == "horizon"
    assert set(rows["heading_rad"]) == {heading}
    assert set(rows["odor"]) == {1.0}  # it stands inside
    assert row["time_outside_s"] == 0.0


def test_who_turns_at_the_wall_faces_away_and_has_not_moved(tmp_path):
    plume = factories.write_analytic(tmp_path / "a.parquet", "uniform", level=0.0)
    settings = straight(boundary="turn", boundary_margin_mm=3.0, dt_s=0.1, duration_s=0.2)
    walls = [
        (245.0, 0.0, 0.0, math.pi, math.pi),
        (200.0, 70.0, math.pi / 2, -math.pi / 2, math.pi),
        (100.0, -71.0, -math.pi / 2, math.pi / 2, math.pi),
        (-45.0, 40.0, math.pi, 0.0, math.pi),
        (245.0, 75.0, math.pi / 4, -3 * math.pi / 4, math.pi / 2),
    ]
    for x, y, heading, away, free in walls:
        for key in range(5):
            rows, _ = factories.run(plume, one(x, y, heading, key=key), settings)
            u = uniform_draws(key, 1, 1, ENGINE_BLOCK)[0, 0]
            assert (rows["x_mm"][1], rows["y_mm"][1]) == (x, y)
            assert rows["heading_rad"][1] == pytest.approx(away + free * (u - 0.5), abs=1e-12)


def test_who_is_within_the_margin_may_come_out_of_it(tmp_path):
    plume = factories.write_analytic(tmp_path / "a.parquet", "uniform", level=0.0)
    settings = straight(boundary="turn", boundary_margin_mm=30.0, duration_s=0.3)
    rows, _ = factories.run(plume, one(245.0, 0.0, math.pi), settings)
    assert rows["x_mm"].tolist() == pytest.approx([245.0, 235.0, 225.0])
    along, _ = factories.run(plume, one(245.0, 0.0, math.pi / 2), settings)
    assert along["y_mm"][1] == pytest.approx(10.0)


# --------------------------------------------------------------------------- parts of a movie


@pytest.mark.parametrize(
    ("part", "start", "movie_end", "frames", "wraps"),
    [
        ("first_half", 1, "loop", [1, 2, 0, 1, 2, 0], 2),
        ("second_half", 5, "loop", [5, 6, 3, 4, 5, 6], 1),
        ("first_half", 1, "hold", [1, 2, 2, 2, 2, 2], 0),
        ("second_half", 4, "hold", [4, 5, 6, 6, 6, 6], 0),
        ("first_half", 1, "stop", [1, 2], 0),
        ("second_half", 4, "stop", [4, 5, 6], 0),
    ],
)
def test_a_part_of_a_movie_is_a_movie(tmp_path, part, start, movie_end, frames, wraps):
    plume = factories.write_movie(tmp_path / "m.parquet", np.zeros((7, 3, 5)), rate_hz=10.0)
    settings = straight(movie_end=movie_end, movie_part=part, duration_s=0.6, dt_s=0.1)
    rows, simulations = factories.run(plume, one(1e4, heading=0.0, frame=start), settings)
    assert rows["frame"].tolist() == frames
    assert simulations.column("wraps")[0].as_py() == wraps


def test_starts_are_drawn_in_the_part(tmp_path):
    from plumenav.batch.plan import check_start, make_plan, start_frames
    from plumenav.errors import UserError

    start = {"kind": "region", "x_mm": [1, 2], "y_mm": [3, 4]}
    start |= {"heading_deg": [0, 360], "frame": "uniform"}
    movie = factories.write_movie(
        tmp_path / "m.parquet", np.zeros((11, 24, 40)), dtype="float32", source=(12.0, 20.0)
    )
    with PlumeReader(movie) as reader:
        facts = reader.metadata
        for part, (first, end) in {"first_half": (0, 5), "second_half": (5, 11)}.items():
            assert start_frames(facts, 11, part) == (first, end)
            plan = make_plan(1, "smooth", "a", start, 300, reader, part)
            assert set(plan.column("start_frame").to_pylist()) == set(range(first, end))
    with pytest.raises(UserError, match=r"start.frame.*5 to 10"):
        check_start("smooth", {**start, "frame": 4}, facts, 11, "second_half")
    with pytest.raises(UserError, match=r"movie_part.*1 frames"):
        check_start("smooth", start, facts, 1, "first_half")


# ----------------------------------------------------------------------------- shuffled odour


@pytest.fixture(scope="module")
def movie(tmp_path_factory):
    return factories.write_movie(tmp_path_factory.mktemp("plume") / "movie.parquet")


def swapped(plan):
    """The plan of the donors, numbered like those that smell what they smelled."""
    partners = np.arange(len(plan["simulation"])) ^ 1
    donors = {name: column[partners] for name, column in plan.items()}
    return {**donors, "simulation": plan["simulation"], "replicate": plan["replicate"]}


@pytest.mark.parametrize("model", ["on_off", "walk_stop_turn", "surge_cast"])
def test_a_shuffled_agent_smells_what_its_donor_smells(movie, model):
    plan = factories.plan_columns(8, 40)
    sensor = {"noise": 0.01, "adaptation": {"tau_s": 1.0, "half_level": 0.3}}
    settings = factories.engine_settings(model, sensor=sensor)
    donors, _ = factories.run(movie, swapped(plan), {**settings, "arrival": "continue"})
    rows, _ = factories.run(movie, with_donors(plan), {**settings, "control": "shuffled"})
    intact, _ = factories.run(movie, plan, settings)
    # donors go through to the horizon: row (simulation, step) is at a known place
    told = donors["odor"].reshape(8, -1)[rows["simulation"], rows["step"]]
    assert np.array_equal(rows["odor"], told)
    assert np.ptp(rows["odor"]) > 0.1
    assert len(rows["odor"]) != len(intact["odor"]) or not np.array_equal(
        rows["x_mm"], intact["x_mm"]
    )


def test_nothing_comes_from_a_donor_that_has_ended(tmp_path):
    plume = factories.write_analytic(tmp_path / "a.parquet", "uniform", level=1.0)
    plan = with_donors(
        {
            name: np.concatenate([a, b])
            for (name, a), b in zip(
                one(245.0, 0.0, 0.0).items(), one(100.0, 0.0, 0.0).values(), strict=True
            )
        }
        | {"simulation": np.arange(2), "replicate": np.arange(2)}
    )
    # the first leaves in its first step and hands on one reading; the second hands on all
    rows, simulations = factories.run(plume, plan, straight(boundary="absorb", control="shuffled"))
    assert simulations.column("end").to_pylist() == ["left", "horizon"]
    assert rows["odor"][rows["simulation"] == 1].tolist() == [1.0] + [0.0] * 9
    assert rows["odor"][rows["simulation"] == 0].tolist() == [1.0]


def test_encounters_are_kept_and_success_is_lost(tmp_path):
    # a steady cone of odour: who smells it finds its source, with another's odour nearly nobody
    row, column = np.mgrid[:41, :50]
    cone = np.exp(-0.5 * ((20 - row) * 5.0 / (6.0 + 0.4 * column)) ** 2)
    frames = np.repeat(cone[None], 2, axis=0)
    plume = factories.write_movie(
        tmp_path / "steady.parquet", frames, dtype="float32", source=(20.0, 0.0)
    )
    plan = with_donors(
        factories.plan_columns(400, 2, seed=3, x_mm=(80.0, 200.0), y_mm=(-80.0, 80.0))
    )
    settings = factories.engine_settings(
        "on_off", duration_s=40.0, success_radius_mm=10.0, sensor={"threshold": 0.2}
    )
    settings["arrival"] = "continue"
    rates, encounters = {}, {}
    for control in ("none", "shuffled", "blind"):
        _, simulations = factories.run(plume, plan, {**settings, "control": control})
        rates[control] = np.mean(simulations.column("success").to_pylist())
        encounters[control] = np.mean(simulations.column("encounters").to_pylist())
    assert encounters["shuffled"] == encounters["none"] > 1.0
    assert rates["none"] > 3 * rates["shuffled"]
    assert abs(rates["shuffled"] - rates["blind"]) < 0.1


def test_shuffled_simulations_come_in_pairs():
    from plumenav.errors import UserError

    with pytest.raises(UserError, match="even number"):
        with_donors(factories.plan_columns(5, 40))


def test_memory_of_traces_is_bounded_and_changes_no_bit(movie, monkeypatch):
    from plumenav.engine import donors

    plan = with_donors(factories.plan_columns(8, 40))
    settings = factories.engine_settings("on_off", control="shuffled", duration_s=2.0)
    whole, outcomes = factories.run(movie, plan, settings)
    monkeypatch.setattr(donors, "TRACE_BYTES", 3 * 8 * 100)
    assert len(list(donors.trace_parts(plan, 100, False))) == 3
    parts, again = factories.run(movie, plan, settings)
    assert all(np.array_equal(whole[name], parts[name]) for name in whole)
    assert outcomes.equals(again)


# --------------------------------------------------------------------------- what goes wrong


def test_a_model_that_returns_nan_ends_its_own_simulation_only(tmp_path, monkeypatch):
    step = """
    heading = observation.heading_rad
    if observation.time_s > 0.25 and observation.x_mm > 150.0:
        heading = math.nan
    return Action(1.0, 0.0, heading, 0, 0), state
"""
    factories.add_model(tmp_path, monkeypatch, "wild_walk", step)
    plume = factories.write_analytic(tmp_path / "a.parquet", "uniform", level=0.5)
    plan = factories.plan_columns(3, 1)
    plan["start_frame"][:] = 0
    plan["x_mm"][:] = (100.0, 200.0, 60.0)
    settings = {**straight(), "model": "wild_walk", "parameters": {}}
    rows, simulations = factories.run(plume, plan, settings)
    outcome = simulations.to_pylist()
    assert [row["status"] for row in outcome] == [
        "ok",
        "failed: position or heading not finite",
        "ok",
    ]
    assert [int((rows["simulation"] == s).sum()) for s in range(3)] == [10, 4, 10]
    assert (outcome[1]["success"], outcome[1]["final_x_mm"]) == (False, pytest.approx(200.3))
    assert np.isfinite(rows["heading_rad"]).all()


def test_levels_in_noise_units_include_the_sensors_own(tmp_path):
    from plumenav.batch.prepare import sensor_levels

    rng = np.random.default_rng(5)
    blank = {"row_start": 0, "row_stop": 30, "column_start": 0, "column_stop": 50}
    blank |= {"frame_start": 0, "frame_stop": 30}
    path = factories.write_movie(
        tmp_path / "n.parquet", rng.normal(0, 0.02, (30, 30, 50)), dtype="float32", blank=blank
    )
    sensor = {"shape": "point", "parameters": {}, "interpolation": "nearest"}
    sensor |= {"threshold": {"value": 5.0, "unit": "noise_sd"}, "dead_zone": None}

    def found(noise, sides=False):
        with PlumeReader(path) as reader:
            return sensor_levels(
                reader, "fly", {"sensor": {**sensor, "noise": noise}, "sides": sides}
            )

    plain = found(None)
    sd = plain["blank_sd"]
    assert plain["noise"] is None
    own = found({"value": 0.03, "unit": "absolute"})
    assert own["noise"] == 0.03
    assert own["threshold"] - own["blank_mean"] == pytest.approx(5 * math.hypot(sd, 0.03))
    twice = found({"value": 2.0, "unit": "noise_sd"}, sides=True)
    assert twice["noise"] == pytest.approx(2 * sd)
    assert twice["threshold"] - twice["blank_mean"] == pytest.approx(5 * sd * math.sqrt(3))
