"""Wrong engines see what they say, and who looks together sees what each would see alone."""

import numpy as np
import pytest

import factories
from plumenav.analysis import recheck
from plumenav.engine.run import Blocks
from plumenav.references import _run
from plumenav.references._run import run_sample
from plumenav.tables import PlumeReader
from plumenav.tables.together import look_together

WRONG = {
    "halved gain": (recheck.WeakerBlocks, lambda frames: frames),
    "mirrored y": (recheck.MirroredBlocks, lambda frames: frames[:, ::-1]),
    "odour one frame late": (recheck.LateBlocks, lambda frames: np.roll(frames, 1, axis=0)),
}


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks of 7 frames, so that a movie has several and the last one is shorter."""
    monkeypatch.setattr("plumenav.tables.plume.ROW_GROUP_BYTES", 24 * 40 * 2 * 7)


def seen(path, see):
    settings = factories.engine_settings("on_off", duration_s=5.0, movie_end="loop")
    plan = factories.plan_columns(4, 40)
    with PlumeReader(path) as reader:
        blocks = Blocks(reader, 0.0)
        assert len(blocks.extents) == 6

        def look(seat):
            return recheck.every_step(see(blocks, seat), plan, settings)

        return look_together(blocks.__getitem__, [look, look])


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_engine_sees_a_movie_that_is_wrong(tmp_path, small_blocks, name):
    see, change = WRONG[name]
    frames = factories.movie_frames()
    right = factories.write_movie(tmp_path / "right.parquet")
    made = factories.write_movie(tmp_path / "wrong.parquet", np.ascontiguousarray(change(frames)))
    [truth, _] = seen(right, recheck.SharedBlocks)
    [expected, _] = seen(made, recheck.SharedBlocks)
    [found, again] = seen(right, see)
    assert found.equals(again)
    assert not found.equals(truth)
    if name == "halved gain":
        # same place in the first step
        first = np.flatnonzero(truth.column("step").to_numpy() == 0)
        halves = found.column("odor").to_numpy()[first] * 2.0
        assert halves == pytest.approx(truth.column("odor").to_numpy()[first], abs=1e-12)
    else:
        assert found.equals(expected)


def test_the_reference_of_few_at_a_time_is_that_of_all(tmp_path, small_blocks, monkeypatch):
    movie = factories.write_movie(tmp_path / "movie.parquet")
    settings = factories.engine_settings("walk_stop_turn", duration_s=4.0, movie_end="loop")
    plan = factories.plan_columns(5, 40)
    rows = [{name: column[i].item() for name, column in plan.items()} for i in (3, 0, 4, 1, 2)]
    together, outcomes = run_sample(rows, settings, movie)
    monkeypatch.setattr(_run, "STEPS_AT_ONCE", 1)
    alone, same = run_sample(rows, settings, movie)
    assert together.equals(alone)
    assert outcomes == same
    assert [one["simulation"] for one in outcomes] == [0, 1, 2, 3, 4]
