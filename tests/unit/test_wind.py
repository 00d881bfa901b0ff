"""Recorded wind: joined on the plume's pixels, felt where and when the agent is."""

import math

import numpy as np
import pytest

import factories
from plumenav.batch.wind import join
from plumenav.engine.run import Blocks, simulate
from plumenav.errors import UserError
from plumenav.references._plume import opened_plume
from plumenav.tables import PlumeReader

SETTINGS = {"downwind_mm_s": 1000.0, "crosswind_mm_s": 1000.0, "steady": False}


def component(path, frames, **how):
    return factories.write_movie(path, frames, dtype="float32", **how)


@pytest.fixture
def windy(tmp_path):
    """A plume of 40 frames, 24 x 40 pixels, and components that say where and when they are read.

    Downwind: 100 mm/s + column; crosswind: row + frame, in units of 1 mm/s.
    """
    plume = factories.write_movie(tmp_path / "plume.parquet")
    frame, row, column = np.meshgrid(*(np.arange(n) for n in (40, 24, 40)), indexing="ij")
    u = component(tmp_path / "u.parquet", (100.0 + column) / 1000.0)
    v = component(tmp_path / "v.parquet", (row + frame) / 1000.0)
    return plume, u, v


def joined(plume, u, v, path, **changes):
    with PlumeReader(plume) as p, PlumeReader(u) as a, PlumeReader(v) as b:
        join((a, b), p, {**SETTINGS, **changes}, str(path), "wind_fields.flow")
    return path


def test_components_are_joined_in_mm_per_second(windy, tmp_path):
    with PlumeReader(joined(*windy, tmp_path / "wind.parquet")) as wind:
        frames = np.concatenate([block.frames for block in wind.blocks()])
    assert frames.shape == (40, 48, 40)
    assert np.allclose(frames[:, :24], 100.0 + np.arange(40), atol=1e-3)
    assert frames[7, 24 + 5, 3] == pytest.approx(12.0, abs=1e-4)
    flipped = joined(*windy, tmp_path / "other.parquet", crosswind_mm_s=-500.0, steady=True)
    with PlumeReader(flipped) as wind:
        assert wind.n_frames == 1
        assert wind.block(0).frames[0, 24 + 5, 3] == pytest.approx(-0.5 * (5 + 19.5), abs=1e-4)


def test_the_reference_reads_between_pixels_and_frames_hold(windy, tmp_path):
    with opened_plume(windy[0], joined(*windy, tmp_path / "wind.parquet")) as plume:
        # 5 mm pixels, source at row 14, column 0
        along, across = plume.wind(3, 12.5, 2.5)
        assert along == pytest.approx(102.5, abs=1e-3)
        assert across == pytest.approx(13.5 + 3, abs=1e-3)
        assert plume.wind(3, -99.0, 999.0) == pytest.approx((100.0, 3.0), abs=1e-3)


@pytest.mark.parametrize("steady", [False, True])
@pytest.mark.parametrize("model", ["on_off", "surge_cast", "walk_stop_turn"])
def test_engine_and_reference_feel_the_same_wind(model, steady, windy, tmp_path):
    from plumenav.references._run import run_sample

    wind = joined(*windy, tmp_path / "wind.parquet", steady=steady)
    settings = factories.engine_settings(model, duration_s=8.0)
    plan = factories.plan_columns(4, 40)
    rows = [{k: v[i].item() for k, v in plan.items()} for i in range(4)]
    parts = []
    with PlumeReader(windy[0]) as reader, PlumeReader(wind) as recorded:
        simulate(Blocks(reader, wind=recorded), plan, settings, parts.append)
    ours = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.lexsort((ours["step"], ours["simulation"]))
    theirs, _ = run_sample(rows, settings, windy[0], wind_path=wind)
    uniform, _ = run_sample(rows, settings, windy[0])
    for name in ("x_mm", "y_mm", "heading_rad"):
        assert np.abs(theirs.column(name).to_numpy() - ours[name][order]).max() < 1e-6
    assert not theirs.equals(uniform)


def test_an_agent_may_not_feel_it(windy, tmp_path):
    wind = joined(*windy, tmp_path / "wind.parquet")
    settings = factories.engine_settings(
        "on_off", duration_s=4.0, wind_speed_mm_s=0.0, feels_wind=False
    )
    plan = factories.plan_columns(4, 40)
    with PlumeReader(windy[0]) as reader, PlumeReader(wind) as recorded:
        without = simulate(Blocks(reader, wind=recorded), plan, settings).simulations
        still = simulate(Blocks(reader), plan, settings).simulations
    assert without.equals(still)


def test_blocks_of_another_size_change_nothing(windy, tmp_path, monkeypatch):
    from plumenav.tables import plume as plume_files

    settings = factories.engine_settings("on_off", duration_s=5.0)
    plan = factories.plan_columns(6, 40)

    def outcome(plume, wind):
        with PlumeReader(plume) as reader, PlumeReader(wind) as recorded:
            return simulate(Blocks(reader, wind=recorded), plan, settings).simulations

    whole = outcome(windy[0], joined(*windy, tmp_path / "wind.parquet"))
    # wind frames are four times as large as the plume's: other blocks, at other places
    monkeypatch.setattr(plume_files, "ROW_GROUP_BYTES", 24 * 40 * 2 * 7)
    small = factories.write_movie(tmp_path / "small.parquet")
    cut = joined(small, *windy[1:], tmp_path / "cut.parquet")
    with PlumeReader(cut) as wind, PlumeReader(small) as reader:
        assert wind.block_sizes[0] != reader.block_sizes[0]
    assert outcome(small, cut).equals(whole)


def test_wind_that_does_not_fit_is_refused(windy, tmp_path):
    plume, u, v = windy
    other = component(tmp_path / "other.parquet", np.zeros((40, 24, 40)), mm_per_px=4.0)
    with pytest.raises(UserError, match="mm_per_px is 4") as caught:
        joined(plume, u, other, tmp_path / "x.parquet")
    assert caught.value.where == "wind_fields.flow.crosswind"
    short = component(tmp_path / "short.parquet", np.zeros((30, 24, 40)))
    with pytest.raises(UserError, match="30 frames"):
        joined(plume, short, v, tmp_path / "x.parquet")
    assert joined(plume, short, v, tmp_path / "x.parquet", steady=True).exists()
    with opened_plume(plume, tmp_path / "x.parquet") as steady:
        assert math.isfinite(steady.wind(9, 10.0, 0.0)[0])
