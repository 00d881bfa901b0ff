"""The engine against answers worked out by hand, and against published check values."""

import math

import numpy as np
import pytest

import factories
from factories import one, straight
from plumenav.engine.run import Blocks, simulate
from plumenav.tables import PlumeReader

PULSE_TABLE = [  # 1-based sample, ON, OFF: the authors' MATLAB code run unmodified
    (1501, 0.027503, 0),
    (1536, 0.606707, 0),
    (1600, 0.823990, 0),
    (1610, 0.825844, 0),
    (1750, 0.734218, 0),
    (2000, 0.616989, 0),
    (2050, 0.155087, 0.362174),
    (2076, None, 0.387715),
    (2100, 0.037919, 0.376475),
    (2200, 0.002267, 0.264863),
    (2400, 0.000008, 0.116128),
    (3000, 0, 0.009682),
]


def test_on_off_reproduces_the_published_pulse(tmp_path):
    odor = np.zeros(3400)
    odor[1499:2000] = 1.0
    plume = factories.write_signal(tmp_path / "pulse.parquet", odor)
    settings = factories.engine_settings(
        "on_off", duration_s=68.0, movie_end="hold", record_variables=True
    )
    rows, _ = factories.run(plume, one(x=1e4), settings)
    for sample, on, off in PULSE_TABLE:
        if on is not None:
            assert rows["on"][sample - 1] == pytest.approx(on, abs=1e-6)
        assert rows["off"][sample - 1] == pytest.approx(off, abs=1e-6)
    assert rows["on"].argmax() + 1 == 1610
    assert rows["off"].argmax() + 1 == 2076


@pytest.mark.parametrize(
    ("start", "heading", "time_s", "final"),
    [
        ((50, 0), math.pi, 0.35, (15, 0)),  # straight on; 35 mm at 100 mm/s
        ((25, 9), math.pi, 0.13, (12, 9)),  # chord: enters the circle of 15 mm at x = 12
        ((15.5, 0), math.pi, 0.005, (15, 0)),
        ((50, 15.001), math.pi, None, None),  # just misses
        ((30, 0), 0.0, None, None),  # walks away
    ],
)
def test_arrival_is_found_along_the_segment(tmp_path, start, heading, time_s, final):
    plume = factories.write_analytic(tmp_path / "a.parquet", "uniform", level=0.0)
    _, simulations = factories.run(plume, one(*start, heading), straight(dt_s=0.5, duration_s=3.0))
    row = simulations.to_pylist()[0]
    assert row["success"] is (time_s is not None)
    if time_s is None:
        assert row["time_to_source_s"] is None
        assert row["end"] == "horizon"
    else:
        assert row["time_to_source_s"] == pytest.approx(time_s)
        assert (row["final_x_mm"], row["final_y_mm"]) == pytest.approx(final)
        assert row["end"] == "source"
        assert row["path_mm"] == pytest.approx(100 * time_s)


def test_a_fast_agent_does_not_jump_over_the_source(tmp_path):
    plume = factories.write_analytic(tmp_path / "a.parquet", "uniform", level=0.0)
    settings = straight(
        parameters={"turn_sd_deg": 0.0, "speed_mm_s": 1000.0}, dt_s=0.2, duration_s=0.2
    )
    _, simulations = factories.run(plume, one(100.0), settings)
    assert simulations.column("time_to_source_s")[0].as_py() == pytest.approx(0.085)


def test_continue_walks_on_after_arriving(tmp_path):
    plume = factories.write_analytic(tmp_path / "a.parquet", "uniform", level=0.0)
    _, simulations = factories.run(plume, one(50.0), straight(arrival="continue"))
    row = simulations.to_pylist()[0]
    assert (row["success"], row["end"]) == (True, "horizon")
    assert row["final_x_mm"] == pytest.approx(-50.0)
    assert row["time_to_source_s"] == pytest.approx(0.35)


def test_walls(tmp_path):
    # arena: x from -50 to 250 mm, y from -80 to 80 mm
    plume = factories.write_analytic(tmp_path / "a.parquet", "uniform", level=0.0)
    start = one(x=245.0, y=0.0, heading=0.0)
    far = one(x=200.0, y=75.0, heading=math.pi / 2)
    ends = {}
    for boundary in ("open", "absorb", "reflect"):
        rows, simulations = factories.run(plume, start, straight(boundary=boundary))
        ends[boundary] = simulations.to_pylist()[0]
    assert ends["open"]["final_x_mm"] == pytest.approx(345.0)
    assert ends["open"]["time_outside_s"] == pytest.approx(0.9)
    assert (ends["absorb"]["end"], ends["absorb"]["final_x_mm"]) == ("left", pytest.approx(255.0))
    assert ends["reflect"]["final_x_mm"] == pytest.approx(155.0)
    assert rows["heading_rad"][-1] == pytest.approx(math.pi)
    rows, simulations = factories.run(plume, far, straight(boundary="reflect"))
    assert simulations.column("final_y_mm")[0].as_py() == pytest.approx(-15.0)
    assert rows["heading_rad"][-1] == pytest.approx(-math.pi / 2)


def test_bilinear_reads_a_ramp_exactly_and_nearest_the_pixel(tmp_path):
    ramp = np.tile(np.arange(8.0), (3, 4, 1)) / 10
    plume = factories.write_movie(
        tmp_path / "ramp.parquet", ramp, dtype="float32", mm_per_px=10.0, source=(1.0, 0.0)
    )
    for x, bilinear, nearest in [
        (33.0, 0.33, 0.3),
        (36.0, 0.36, 0.4),
        (74.0, 0.7, 0.7),
        (75.1, 0, 0),
    ]:
        for how, expected in (("bilinear", bilinear), ("nearest", nearest)):
            settings = straight(sensor={"interpolation": how}, success_radius_mm=1.0)
            rows, _ = factories.run(plume, one(x, heading=0.0), settings)
            assert rows["odor"][0] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("movie_end", "frames", "end", "wraps"),
    [
        ("loop", [1, 2, 3, 0, 1, 2], "horizon", 1),
        ("hold", [1, 2, 3, 3, 3, 3], "horizon", 0),
        ("stop", [1, 2, 3], "movie", 0),
    ],
)
def test_the_end_of_a_movie(tmp_path, movie_end, frames, end, wraps):
    plume = factories.write_movie(tmp_path / "m.parquet", np.zeros((4, 3, 5)), rate_hz=10.0)
    settings = straight(movie_end=movie_end, duration_s=0.6, dt_s=0.1, boundary="open")
    rows, simulations = factories.run(plume, one(1e4, heading=0.0, frame=1), settings)
    row = simulations.to_pylist()[0]
    assert rows["frame"].tolist() == frames
    assert (row["end"], row["wraps"]) == (end, wraps)


def test_the_frame_is_the_last_one_that_was_taken(tmp_path):
    # irregular stamps with a 0 ms interval: frame 2 replaces frame 1 at once
    stamps = np.array([0.0, 0.05, 0.05, 0.31, 0.4])
    plume = factories.write_movie(tmp_path / "m.parquet", np.zeros((5, 3, 5)), time_s=stamps)
    settings = straight(movie_end="hold", duration_s=0.5, dt_s=0.1)
    rows, _ = factories.run(plume, one(1e4, heading=0.0), settings)
    assert rows["frame"].tolist() == [0, 2, 2, 2, 4]


def test_noise_alone_in_the_blank_patch(tmp_path):
    frames = np.full((6, 20, 30), 0.5)
    frames[:, :6, :8] = 0.0
    blank = {
        "row_start": 0,
        "row_stop": 6,
        "column_start": 0,
        "column_stop": 8,
        "frame_start": 0,
        "frame_stop": 6,
    }
    plume = factories.write_movie(tmp_path / "m.parquet", frames, dtype="float32", blank=blank)
    plan = factories.plan_columns(5, 6)
    for model in ("walk_stop_turn", "correlated_random_walk"):
        inside, _ = factories.run(plume, plan, factories.engine_settings(model))
        control, _ = factories.run(
            plume, plan, factories.engine_settings(model, control="blank_region")
        )
        blind, _ = factories.run(plume, plan, factories.engine_settings(model, control="blind"))
        assert inside["odor"].max() == pytest.approx(0.5)
        assert np.abs(control["odor"]).max() == 0.0
        assert np.abs(blind["odor"]).max() == 0.0


def test_dead_zone_and_threshold(tmp_path):
    odor = np.array([0.0, 0.02, 0.06, 0.06, 0.01, 0.2, -0.1, 0.05])
    plume = factories.write_signal(tmp_path / "s.parquet", odor, rate_hz=10.0)
    settings = straight(
        duration_s=0.8, movie_end="hold", sensor={"threshold": 0.05, "dead_zone": 0.015}
    )
    rows, simulations = factories.run(plume, one(1e4), settings)
    assert np.allclose(rows["odor"], [0, 0.02, 0.06, 0.06, 0, 0.2, 0, 0.05])
    row = simulations.to_pylist()[0]
    assert row["encounters"] == 3
    assert row["time_in_plume_s"] == pytest.approx(0.4)


def test_a_simulation_that_goes_wrong_is_a_row_and_the_others_go_on(tmp_path):
    plume = factories.write_analytic(tmp_path / "a.parquet", "uniform", level=0.0)
    plan = factories.plan_columns(3, 1)
    plan["start_frame"][:] = 0
    plan["x_mm"][1] = math.nan
    with PlumeReader(plume) as reader:
        simulations = simulate(Blocks(reader), plan, straight()).simulations.to_pylist()
    assert [row["status"] == "ok" for row in simulations] == [True, False, True]
    assert "not finite" in simulations[1]["status"]
    assert simulations[1]["success"] is False


def test_rates_above_one_per_step_are_counted(tmp_path):
    odor = np.zeros(200)
    odor[50:100] = 1.0
    plume = factories.write_signal(tmp_path / "s.parquet", odor, rate_hz=10.0)
    slow = factories.engine_settings("on_off", dt_s=0.2, duration_s=20.0, movie_end="hold")
    fast = factories.engine_settings("on_off", dt_s=0.02, duration_s=20.0, movie_end="hold")
    assert factories.run(plume, one(1e4), slow)[1].column("clipped_rates")[0].as_py() > 0
    assert factories.run(plume, one(1e4), fast)[1].column("clipped_rates")[0].as_py() == 0
