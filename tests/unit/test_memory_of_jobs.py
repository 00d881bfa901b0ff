"""Memory of simulate jobs, measured in processes of their own, against what was expected."""

import subprocess
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import factories
from plumenav.batch import trial, typical
from plumenav.batch.chunk import simulate_chunk
from plumenav.batch.memory import Shape
from plumenav.batch.prepare import write_prepared
from plumenav.batch.settings import job_settings
from plumenav.engine.pressure import resident_mb
from plumenav.tables import PLAN, write_table

SMALL = Shape(60, 48, 64, 2, 60, 600, "on_off")
# of sizes that the weights were not measured with
OTHERS = [
    typical.Trial(Shape(300, 300, 500, 2, 1000, 2000, "on_off"), 64.0),
    typical.Trial(Shape(900, 128, 256, 1, 100, 3000, "infotaxis")),
    typical.Trial(Shape(40, 900, 1200, 4, 2500, 600, "walk_stop_turn"), 100.0, 300),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("trials")


@pytest.mark.parametrize(
    "one",
    # kernels are compiled first, which takes most of the time
    [OTHERS[0], *(pytest.param(one, marks=pytest.mark.slow) for one in OTHERS[1:])],
    ids=lambda one: one.shape.model,
)
def test_expected_memory_is_near_the_measured(folder, one):
    measured = typical.measured_mb(one, folder)
    assert abs(typical.expected_mb(one) / measured - 1) < 0.2


def test_a_movie_ten_times_longer_changes_memory_little(folder):
    peaks = []
    for frames in (400, 4000):
        shape = Shape(frames, 216, 406, 2, 50, 1000, "on_off")
        peaks.append(typical.measured_mb(typical.Trial(shape, 32.0), folder))
        (folder / f"{frames}x216x406x2.parquet").unlink()
    assert 0.9 < peaks[1] / peaks[0] < 1.1


def files_of(folder):
    return {
        name: (folder / f"{name}.parquet").read_bytes() for name in ("trajectories", "simulations")
    }


def test_little_memory_makes_a_job_careful_and_changes_no_byte(folder):
    usage = trial.run(folder, SMALL, block_mb=100.0)
    expected = files_of(folder)
    assert usage["details"]["memory_events"] == []
    assert usage["details"]["shape"] == SMALL._asdict()
    assert set(usage["details"]["phases"]) == {"start_up", "simulate"}
    tight_mb = usage["max_rss_mb"] / 0.82
    usage = trial.run(folder, SMALL, declared_mb=tight_mb, block_mb=100.0, agents_per_pass=40)
    kinds = {event["kind"] for event in usage["details"]["memory_events"]}
    assert "smaller_blocks" in kinds
    assert "gave_up" not in kinds
    assert files_of(folder) == expected
    assert usage["max_rss_mb"] < tight_mb


def test_a_job_without_enough_memory_ends_itself_and_its_next_attempt_tells(folder):
    with pytest.raises(subprocess.CalledProcessError) as failed:
        trial.run(folder, SMALL, declared_mb=100.0)
    assert failed.value.returncode == 75
    assert "plumenav: memory: " in failed.value.stderr
    assert "Traceback" not in failed.value.stderr
    left = [path.name for path in folder.iterdir() if path.name.startswith(".")]
    assert left == [".usage.json.memory_events"]
    usage = trial.run(folder, SMALL, declared_mb=2000.0)
    kinds = [event["kind"] for event in usage["details"]["memory_events"]]
    assert kinds[-1] == "gave_up"
    assert usage["details"]["memory_events"][-1]["budget_mb"] == 100.0
    assert not (folder / ".usage.json.memory_events").exists()
    assert usage["max_rss_mb"] < usage["declared_mb"]


# ------------------------------------------------------------------------------ leaks


def slope_per_chunk(resident):
    """Largest slope that the data allow (97.5 %), MB per chunk: least squares, with the errors'
    correlation counted by batches of ten."""
    means = np.asarray(resident, float).reshape(-1, 10).mean(axis=1)
    at = 10.0 * np.arange(len(means))
    at -= at.mean()
    slope = (at @ means) / (at @ at)
    rest = means - means.mean() - slope * at
    error = np.sqrt((rest @ rest) / (len(means) - 2) / (at @ at))
    return slope, slope + 2.2 * error


def test_a_leak_would_be_seen():
    noise = np.random.default_rng(0).normal(0, 0.5, 160)
    assert slope_per_chunk(300 + noise)[1] < 0.02
    assert slope_per_chunk(300 + noise + 0.05 * np.arange(160))[0] > 0.02


def test_two_hundred_chunks_in_one_process_leave_memory_as_it_was(folder):
    resolved = trial.settings_of(SMALL._replace(simulations=800))
    movie = folder / "leaks.parquet"
    trial.write_plume(movie, SMALL)
    plan = factories.plan_columns(800, 60, x_mm=(100.0, 200.0), y_mm=(-10.0, 10.0))
    table = pa.table({f.name: pa.array(plan[f.name], f.type) for f in PLAN.arrow})
    write_table(folder / "plan.parquet", table, PLAN)
    write_prepared(str(folder / "p.npz"), {"threshold": 0.1, "dead_zone": None})
    job = job_settings(resolved, "movie", "agent")
    names = ("leaks.parquet", "plan.parquet", "p.npz")
    files = [str(folder / name) for name in names]
    out = [str(folder / name) for name in ("t.parquet", "s.parquet")]
    resident = []
    for chunk in range(200):
        simulate_chunk(job, f"{chunk:04d}", 4, *files, None, *out, threads=1, keep_mb=10.0)
        resident.append(resident_mb())
    # the first chunks fill pools and caches that stay
    slope, at_most = slope_per_chunk(resident[40:])
    assert slope < 0.01, f"{slope:.4f} MB per chunk"
    assert at_most < 0.02, f"up to {at_most:.4f} MB per chunk"
    assert Path(out[0]).exists()
