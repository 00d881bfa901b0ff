"""Sensor levels in noise units, chunks, and time steps."""

import numpy as np
import pytest

import factories
from plumenav import registry
from plumenav.batch.prepare import (
    Prepared,
    check_sides,
    check_walls,
    read_prepared,
    read_warnings,
    sensor_levels,
    write_prepared,
)
from plumenav.batch.settings import chunk_names, chunk_rows, engine_settings, time_step_s
from plumenav.errors import UserError
from plumenav.tables import PlumeReader

SD = 0.02
BLANK = {
    "row_start": 2,
    "row_stop": 30,
    "column_start": 3,
    "column_stop": 50,
    "frame_start": 0,
    "frame_stop": 60,
}


@pytest.fixture(scope="module")
def noisy(tmp_path_factory):
    rng = np.random.default_rng(5)
    frames = rng.normal(0.001, SD, (60, 40, 60))
    frames[:, :, 55:] += 1.0
    path = tmp_path_factory.mktemp("noise") / "noise.parquet"
    return factories.write_movie(path, frames, dtype="float32", mm_per_px=0.3, blank=BLANK)


def levels(plume, **sensor):
    settings = {
        "shape": "point",
        "parameters": {},
        "interpolation": "nearest",
        "threshold": {"value": 5.0, "unit": "noise_sd"},
        "dead_zone": None,
        **sensor,
    }
    with PlumeReader(plume) as reader:
        return sensor_levels(reader, "fly", {"sensor": settings})


def test_a_nearest_point_has_the_noise_of_a_pixel(noisy):
    found = levels(noisy)
    assert found["blank_sd"] == pytest.approx(SD, rel=0.03)
    assert found["blank_mean"] == pytest.approx(0.001, abs=SD / 50)
    assert found["threshold"] == pytest.approx(found["blank_mean"] + 5 * found["blank_sd"])


def test_interpolation_averages_noise(noisy):
    # E over positions of the summed squared weights of bilinear interpolation: (2/3)^2
    assert levels(noisy, interpolation="bilinear")["blank_sd"] == pytest.approx(
        SD * 2 / 3, rel=0.03
    )


def test_an_ellipse_averages_its_points(noisy):
    # five points, 0.3 mm apart: one per pixel, so independent with nearest reading
    ellipse = registry.get("sensor", "ellipse").Params().model_dump()
    found = levels(noisy, shape="ellipse", parameters=ellipse)
    assert found["blank_sd"] == pytest.approx(SD / np.sqrt(5), rel=0.1)


def test_absolute_levels_are_what_was_given(noisy):
    found = levels(
        noisy,
        threshold={"value": 0.3, "unit": "absolute"},
        dead_zone={"value": 0.1, "unit": "absolute"},
    )
    assert (found["threshold"], found["dead_zone"]) == (0.3, 0.1)


def test_noise_units_need_noise(tmp_path):
    hill = factories.write_analytic(tmp_path / "hill.parquet", "gaussian", peak=1.0, sigma_mm=40.0)
    with pytest.raises(UserError, match=r"agents.fly.sensor.threshold.*noise_sd"):
        levels(hill)


def test_prepared_levels_survive_their_file(tmp_path):
    path = str(tmp_path / "prepared.npz")
    given = {"threshold": 0.1, "dead_zone": None, "blank_mean": 0.0, "blank_sd": None}
    write_prepared(path, given)
    assert read_prepared(path) == ({"threshold": 0.1, "dead_zone": None}, {})
    first = (tmp_path / "prepared.npz").read_bytes()
    write_prepared(path, given)
    assert (tmp_path / "prepared.npz").read_bytes() == first


def test_chunks_cover_every_row_once():
    rows = [r for chunk in chunk_names(24, 10) for r in range(24)[chunk_rows(chunk, 24, 10)]]
    assert rows == list(range(24))
    assert chunk_names(500, 500) == ["0000"]


def test_time_steps():
    assert time_step_s("publication", "surge_cast", 0.1) == 0.005
    assert time_step_s("frame", "surge_cast", 0.1) == 0.1
    assert time_step_s(0.01, "surge_cast", 0.1) == 0.01
    with pytest.raises(UserError, match="no frames"):
        time_step_s("frame", "surge_cast", 0.0)


FINE = {"kind": "movie", "mm_per_px": 0.5, "height": 20, "width": 40}


def pair(separation_mm, interpolation):
    parameters = {"separation_mm": separation_mm, "ahead_mm": 0.0}
    return {"shape": "pair", "parameters": parameters, "interpolation": interpolation}


def test_sides_nearer_than_a_pixel_are_refused_or_doubted():
    assert check_sides(FINE, "moth", pair(0.5, "nearest")) == []
    assert check_sides({**FINE, "kind": "analytic"}, "moth", pair(0.1, "nearest")) == []
    with pytest.raises(UserError, match=r"agents.moth.sensor.interpolation.*exactly 0.*bilinear"):
        check_sides(FINE, "moth", pair(0.49, "nearest"))
    (warning,) = check_sides(FINE, "moth", pair(0.3, "bilinear"))
    assert "0.3 mm apart, less than a pixel of 0.5 mm" in warning


def test_walls_leave_room_between_them():
    check_walls(FINE, None)
    check_walls(FINE, 4.9)
    with pytest.raises(UserError, match=r"simulation.boundary_margin_mm.*10 mm across.*than 5"):
        check_walls(FINE, 5.0)


def test_warnings_and_noise_survive_the_prepared_file(tmp_path):
    path = str(tmp_path / "prepared.npz")
    given = {"threshold": 0.1, "dead_zone": None, "noise": 0.02}
    write_prepared(path, given, {"map": np.ones(3)}, ["it is only a test"])
    prepared = read_prepared(path)
    assert prepared.levels == given
    assert list(prepared.arrays) == ["map"]
    assert read_warnings(path) == ["it is only a test"]


def test_adaptation_is_not_faster_than_a_step():
    sensor = {"shape": "point", "parameters": {}, "interpolation": "nearest"}
    sensor["adaptation"] = {"tau_s": 0.01, "half_level": 1.0}
    agent = {"model": "on_off", "parameters": {}, "control": "none", "sensor": sensor}
    job = {"agent": agent, "simulation": {"dt_s": 0.02}, "wind": {}}
    with pytest.raises(UserError, match=r"adaptation.tau_s.*0.01.*at least 0.02"):
        engine_settings(job, 0.1, Prepared({}, {}))
