"""Engine and references agree on whatever models are given: each feature, on two models and more.

Both are written from docs/conventions.md; neither from the other.
"""

import math

import numpy as np
import pytest

import factories
from plumenav import registry
from plumenav.engine.donors import with_donors
from plumenav.references import _loop
from plumenav.references._run import run_sample

N, FRAMES = 6, 40
ADAPTATION = {"tau_s": 0.7, "half_level": 0.2}
DISC = {"shape": "disc", "parameters": {"radius_mm": 4.0, "ahead_mm": 2.0, "spacing_mm": 1.7}}
PAIR = {"shape": "pair", "parameters": {"separation_mm": 6.0, "ahead_mm": 3.0}}
GIVEN = {
    "disc": {"sensor": DISC},
    "noise": {"sensor": {"noise": 0.03, "dead_zone": 0.02}},
    "adaptation": {"sensor": {"adaptation": ADAPTATION, "dead_zone": 0.02}},
    "stop": {"boundary": "stop", "duration_s": 12.0},
    "turn": {"boundary": "turn", "boundary_margin_mm": 20.0, "duration_s": 12.0},
    "first half": {"movie_part": "first_half"},
    "second half": {"movie_part": "second_half", "movie_end": "loop"},
    "hold": {"movie_part": "first_half", "movie_end": "hold"},
    "end of half": {"movie_part": "second_half", "movie_end": "stop"},
    "shuffled": {"control": "shuffled"},
    "shuffled, leaving": {"control": "shuffled", "boundary": "absorb", "duration_s": 12.0},
    "all": {
        "control": "shuffled",
        "boundary": "turn",
        "boundary_margin_mm": 15.0,
        "movie_part": "second_half",
        "sensor": {"noise": 0.03, "adaptation": ADAPTATION, "dead_zone": 0.02},
    },
}
PARTS = {"first_half": (0, 20), "second_half": (20, 40)}


@pytest.fixture(scope="module")
def movie(tmp_path_factory):
    return factories.write_movie(tmp_path_factory.mktemp("plume") / "movie.parquet")


def plan_in(settings):
    """Six starts, some of them near the edges, in the part of the movie that is lived in."""
    plan = factories.plan_columns(N, FRAMES, x_mm=(20.0, 195.0), y_mm=(-40.0, 65.0))
    first, end = PARTS.get(settings.get("movie_part"), (0, FRAMES))
    plan["start_frame"] = (first + plan["start_frame"] % (end - first)).astype(np.int32)
    return plan


def rows_of(plan):
    return [{name: column[i].item() for name, column in plan.items()} for i in range(N)]


def compared(ours, simulations, theirs, outcomes):
    """Hold both against each other, to 1e-6."""
    for column in ("x_mm", "y_mm", "heading_rad", "odor"):
        assert len(theirs[column]) == len(ours[column])
        assert np.abs(theirs[column] - ours[column]).max() < 1e-6, column
    assert np.array_equal(theirs["state"], ours["state"])
    for name in ("end", "encounters", "wraps"):
        assert simulations.column(name).to_pylist() == [one[name] for one in outcomes], name


@pytest.mark.parametrize("given", GIVEN)
@pytest.mark.parametrize("model", ["on_off", "walk_stop_turn"])
def test_they_agree(movie, model, given):
    changes = {"duration_s": 5.0, **GIVEN[given]}
    settings = factories.engine_settings(model, **changes)
    if model == "walk_stop_turn":  # a slow walker needs a start nearer to walls
        settings["parameters"]["speed_mm_s"] = 25.0
    plan = plan_in(settings)
    ours, simulations = factories.run(movie, with_donors(plan), settings)
    sample = rows_of(plan)[1:] if settings["control"] == "shuffled" else rows_of(plan)
    table, outcomes = run_sample(sample, settings, movie, plan=rows_of(plan))
    chosen = ours["simulation"] >= N - len(sample)
    compared(
        {name: column[chosen] for name, column in ours.items()},
        simulations.slice(N - len(sample)),
        table.to_pandas(),
        outcomes,
    )
    plain = factories.engine_settings(model, duration_s=changes["duration_s"])
    plain["parameters"] = settings["parameters"]
    without, _ = factories.run(movie, plan, plain)
    assert len(without["x_mm"]) != len(ours["x_mm"]) or any(
        not np.array_equal(without[name], ours[name]) for name in ("x_mm", "odor", "frame")
    ), "what was given made no difference"


class TwoSided:
    """Turns towards the side that smells more."""

    events, bilateral, code, clipped = False, True, 0, 0

    def __init__(self, parameters, wind, dt_s):
        self.dt_s = dt_s

    def variables(self):
        return {}

    def decide(self, now):
        turned = now.heading_rad + 20.0 * (now.odor_left - now.odor_right) * self.dt_s
        vx, vy = (20.0 * f(now.heading_rad) for f in (math.cos, math.sin))
        return _loop.Action(vx, vy, turned, 0, math.inf)


STEP = """
    h = observation.heading_rad
    turned = h + 20.0 * (observation.odor_left - observation.odor_right) * dt_s
    return Action(20.0 * math.cos(h), 20.0 * math.sin(h), turned, 0, 0), state
"""


@pytest.mark.parametrize("control", ["none", "shuffled", "blank_region"])
def test_they_agree_on_two_sides(tmp_path, monkeypatch, control):
    factories.add_model(tmp_path, monkeypatch, "two_sided", STEP, BILATERAL=True)
    blank = {"row_start": 0, "row_stop": 6, "column_start": 0, "column_stop": 40}
    blank |= {"frame_start": 0, "frame_stop": FRAMES}
    movie = factories.write_movie(tmp_path / "movie.parquet", blank=blank)
    sensor = {**PAIR, "interpolation": "bilinear", "dead_zone": 0.02}
    sensor |= {"noise": 0.05, "adaptation": ADAPTATION}
    settings = factories.engine_settings("on_off", dt_s=0.02, sensor=sensor, control=control)
    settings |= {"model": "two_sided", "parameters": {}, "duration_s": 4.0}
    plan = plan_in(settings)
    ours, simulations = factories.run(movie, with_donors(plan), settings)

    def simulate(start, settings, plume):
        return _loop.run(start, settings, plume, TwoSided, ("u",))

    table, outcomes = run_sample(rows_of(plan), settings, movie, simulate)
    compared(ours, simulations, table.to_pandas(), outcomes)
    assert np.ptp(ours["heading_rad"] - plan["heading_rad"][ours["simulation"]]) > 0.1


@pytest.mark.parametrize("name", registry.names("sensor"))
def test_sensors_are_the_same_points(name):
    from plumenav.references._sensor import points_of

    sensor = registry.get("sensor", name)
    for parameters in ({}, {"radius_mm": 2.0, "spacing_mm": 0.7}, {"separation_mm": 3.0}):
        if set(parameters) <= set(sensor.Params.model_fields):
            params = sensor.Params(**parameters)
            ours = sensor.points(params)
            theirs = points_of({"shape": name, "parameters": params.model_dump()})
            assert np.allclose(sorted(ours.tolist()), sorted(theirs), atol=1e-12)
