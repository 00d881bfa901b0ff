"""A user's mistake ends in one message, an exit code that is not 0, and nothing half-written."""

import h5py
import numpy as np
import pytest

from workflow_helpers import tiny

pytestmark = pytest.mark.workflow


def assert_refused(checkout, done, *words):
    text = done.stdout + done.stderr
    assert done.returncode != 0
    assert "Traceback" not in text, text
    for word in words:
        assert word in text, text
    left = [p for p in (checkout.folder / "results").rglob("*") if p.is_file()]
    return [p for p in left if "logs" not in p.parts and "benchmarks" not in p.parts]


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("agents", {"fly": {"model": "on_of"}}, ["agents.fly.model", "Did you mean 'on_off'?"]),
        ("run", "a b", ["run", "letters, digits"]),
        ("seed", "x", ["seed", "integer"]),
    ],
)
def test_a_bad_config_is_refused_by_both_ways_to_start(checkout, key, value, words):
    config = checkout.write_config("bad", {**tiny("bad"), key: value})
    for done in (checkout.run(config), checkout.snakemake("--configfile", config)):
        assert assert_refused(checkout, done, *words) == []


def movie(path, **changes):
    return {
        "path": str(path),
        "mm_per_px": 5.0,
        "source_px": {"row": 10, "column": 0},
        **changes,
    }


def test_an_unreadable_recording(checkout, tmp_path):
    path = tmp_path / "plume.avi"
    path.write_text("this is no video")
    config = checkout.write_config("bad", tiny("bad", recordings={"m": movie(path)}))
    left = assert_refused(checkout, checkout.run(config), "plume.avi")
    assert not [p for p in left if p.suffix == ".parquet"]


def test_a_recording_without_frames(checkout, tmp_path):
    path = tmp_path / "plume.h5"
    with h5py.File(path, "w") as file:
        file["frames"] = np.zeros((0, 20, 30))
    entry = movie(path, reader={"dataset": "frames"}, frame_rate_hz=10)
    config = checkout.write_config("bad", tiny("bad", recordings={"m": entry}))
    left = assert_refused(checkout, checkout.run(config), "plume.h5", "frame")
    assert not [p for p in left if p.suffix == ".parquet"]


def test_a_start_region_outside_the_recorded_arena(checkout, tmp_path):
    path = tmp_path / "plume.h5"
    rng = np.random.default_rng(0)
    with h5py.File(path, "w") as file:
        file["frames"] = rng.normal(0, 0.01, (30, 20, 30)).astype(np.float32)
    entry = movie(path, reader={"dataset": "frames"}, frame_rate_hz=10)
    config = checkout.write_config("bad", tiny("bad", recordings={"m": entry}))
    left = assert_refused(
        checkout, checkout.run(config), "simulation.start.x_mm", "not inside the arena", "'m'"
    )
    assert not [p for p in left if "trajectories" in p.parts]
