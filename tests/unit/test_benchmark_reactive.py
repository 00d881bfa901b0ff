"""The baselines of the benchmark do what the engine does, step by step, with the engine's noise."""

import sys

import numpy as np
import pytest

from plumenav.engine.run import Blocks, simulate
from plumenav.performance.benchmark import reactive
from plumenav.performance.benchmark._contract import Seen
from plumenav.performance.benchmark.baselines import compiled, roofline
from plumenav.performance.benchmark.baselines.arrays import ARRAYS
from plumenav.performance.benchmark.baselines.loops import LOOPS
from plumenav.performance.benchmark.baselines.shared import NAMES, SUMMARY
from plumenav.rng import uniform_draws
from plumenav.tables import PlumeReader

AGENTS, STEPS = 12, 400
DRAWS = reactive.DRAWS


@pytest.fixture(scope="module")
def plume(tmp_path_factory):
    path = tmp_path_factory.mktemp("reactive") / "plume.parquet"
    reactive.write_plume(path)
    return str(path)


@pytest.mark.parametrize("model", reactive.MODELS)
def test_baselines_walk_the_tracks_of_the_engine(model, plume, monkeypatch):
    # one begins at the source, and so that some come close it is a wide one
    monkeypatch.setattr(reactive, "RADIUS_MM", 20.0)
    plan = reactive.plan_of(AGENTS)
    plan["x_mm"][:6] = [5.0, -21.0, 22.0, 25.0, -5.0, 400.0]
    plan["y_mm"][:6] = 0.0
    parts = []
    with PlumeReader(plume) as reader:
        simulations = simulate(
            Blocks(reader), plan, reactive.settings_of(model, STEPS), parts.append
        ).simulations
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.lexsort((columns["step"], columns["simulation"]))
    ours = {name: columns[name][order].reshape(AGENTS, STEPS) for name in NAMES}
    assert np.ptp(ours["x_mm"]) > 10.0
    assert (ours["odor"] > reactive.THRESHOLD).any()

    movie, constants, dt_s = reactive.baseline_of(model, plume)
    summed = {name: simulations.column(name).to_numpy() for name in SUMMARY[:4]}
    for name in ("in_plume", "outside"):
        summed[f"steps_{name}"] = simulations.column(f"time_{name}_s").to_numpy() / dt_s
    assert (summed["steps_outside"] > 0).any()
    assert 0 < np.isnan(summed["time_to_source_s"]).sum() < AGENTS
    draws = np.array([uniform_draws(int(key), STEPS, DRAWS[model]) for key in plan["key"]])
    arrays, track = ARRAYS[model](movie, plan, constants, dt_s, STEPS, lambda i: draws[:, i].T)
    for name in NAMES:
        assert np.allclose(arrays[name], ours[name].ravel(), atol=1e-6), name
    for name in SUMMARY:
        assert np.allclose(track[name], summed[name], atol=1e-6, equal_nan=True), name
    for a in range(AGENTS):
        start = {name: column[a].item() for name, column in plan.items()}
        rows, one = LOOPS[model](
            movie, start, constants, dt_s, STEPS, lambda i, a=a: draws[a, i].tolist()
        )
        for name, column in zip(NAMES, np.array(rows).T, strict=True):
            assert np.allclose(column, ours[name][a], atol=1e-6), name
        for name, value in zip(SUMMARY, one, strict=True):
            assert np.allclose(value, summed[name][a], atol=1e-6, equal_nan=True), name

    # the plain numba loop draws as it goes: uncompiled, it is given the engine's numbers
    monkeypatch.setattr(compiled.np, "random", GivenNoise(model, draws))
    monkeypatch.setattr(compiled, "KERNELS", {model: compiled.KERNELS[model].py_func})
    found, sums = compiled.simulate(model, movie, plan, constants, dt_s, STEPS, seed=0)
    for name in NAMES:
        assert np.allclose(getattr(found, name), ours[name].ravel(), atol=1e-6), name
    for name in SUMMARY:
        assert np.allclose(getattr(sums, name), summed[name], atol=1e-6, equal_nan=True), name


class GivenNoise:
    """numpy.random for an uncompiled kernel: looks at where it is, and gives that draw."""

    def __init__(self, model, draws):
        self.draws, self.fly = draws, model == "on_off"
        self.at, self.uniforms = None, 0

    def seed(self, value):
        pass

    def place(self):
        where = sys._getframe(2).f_locals
        if (where["a"], where["i"]) != self.at:
            self.at, self.uniforms = (where["a"], where["i"]), 0
        return where, self.draws[self.at]

    def random(self):
        where, draws = self.place()
        # on/off: turn, sign; walking: stop, turn, direction; standing: start
        order = (0, 1) if self.fly else (0, 1, 3) if where["walking"] else (2,)
        self.uniforms += 1
        return draws[order[self.uniforms - 1]]

    def standard_normal(self):
        where, draws = self.place()
        first = 2 if self.fly else 4 if where["turns"] else 6
        a, b = draws[first : first + 2]
        return np.sqrt(-2.0 * np.log(1.0 - a)) * np.cos(2.0 * np.pi * b)


def test_the_compiled_loop_draws_as_its_source_says(plume):
    """Compiled, its numbers are numba's: as many turns as published, all in clean air."""
    movie, constants, dt_s = reactive.baseline_of("on_off", plume)
    constants = constants._replace(drive_downwind=0.0)
    nothing = movie._replace(offset=0.0, scale=0.0)
    plan, steps = reactive.plan_of(200), 500
    rows, _ = compiled.simulate("on_off", nothing, plan, constants, dt_s, steps, seed=4)
    assert (rows.odor == 0.0).all()
    headings = rows.heading_rad.reshape(200, steps)
    turns = np.diff(headings, axis=1) != 0.0
    expected = constants.turn_base * dt_s * turns.size
    assert abs(turns.sum() - expected) < 5.0 * np.sqrt(expected)
    left = np.diff(headings, axis=1)[turns] > 0
    assert abs(left.mean() - 0.5) < 5.0 * 0.5 / np.sqrt(len(left))


def test_the_roofline_writes_the_rows_of_the_engine(plume):
    plan = reactive.plan_of(AGENTS)
    movie, _, dt_s = reactive.baseline_of("on_off", plume)
    parts = []
    with PlumeReader(plume) as reader:
        simulate(Blocks(reader), plan, reactive.settings_of("on_off", STEPS), parts.append)
        scene = roofline.scene_of(reader.metadata, movie.frames, 0, movie.points, movie.bilinear)
    for every in (1, 3):
        for part in parts:
            tracks = roofline.tracks_of(part)
            rows = compiled.make_rows(roofline.written(tracks, every))
            n, total = roofline.walk(scene, plan["key"], 1, dt_s, every, tracks, rows)
            assert n == len(rows.step)
            due = tracks.step % every == 0
            for name in NAMES:
                assert np.allclose(getattr(rows, name), part[name][due], atol=1e-9) or (
                    # outside the image the engine says 0, the roofline what nothing stands for
                    name == "odor"
                    and np.allclose(
                        rows.odor[part["odor"][due] != 0.0],
                        part["odor"][due][part["odor"][due] != 0.0],
                    )
                ), name
        assert np.isfinite(total)


@pytest.mark.parametrize("way", ["engine", "numpy", "loop", "numba", "roofline"])
def test_tasks_count_what_they_did(way, plume):
    done = getattr(reactive, way)("on_off", plume, agents=3, steps=50)()
    assert done == {"agent_steps": 150.0}


def test_the_slower_model_decides():
    rates = {"engine": 800.0, "numpy": 200.0, "loop": 8.0, "numba": 500.0, "roofline": 1200.0}
    cells = [
        {"variant": f"{model}.{way}", "repetition": 0, "cpu_s": 2.0 if slow else 1.0,
         "wall_s": 99.0, "agent_steps": rate}
        for model in reactive.MODELS
        for way, rate in rates.items()
        for slow in [model == "walk_stop_turn" and way == "engine"]
    ]  # fmt: skip
    found = reactive.judge(Seen(cells))
    assert found["engine_vs_python_loop"].values.tolist() == [50.0]
    assert found["engine_vs_python_loop"].bound == "at least"
    assert found["engine_vs_numpy"].values.tolist() == [2.0]
    assert found["engine_vs_numpy.on_off"].values.tolist() == [4.0]
    # of on_off alone, as it is required
    assert found["engine_vs_numba"].values.tolist() == [1.6]
    assert found["engine_vs_numba.walk_stop_turn"].values.tolist() == [0.8]
    assert found["engine_vs_roofline"].values.tolist() == [1.5]
    assert (found["engine_vs_roofline"].bound, found["engine_vs_roofline"].required) == (
        "at most",
        1.8,
    )
    assert found["agent_steps_s.walk_stop_turn.engine"].values.tolist() == [400.0]


def test_the_quick_form_has_one_model():
    cells = [
        {"variant": f"on_off.{way}", "repetition": 0, "cpu_s": 1.0, "agent_steps": rate}
        for way, rate in (("engine", 8.0), ("roofline", 12.0), ("numpy", 2.0), ("loop", 0.1),
                          ("numba", 4.0))
    ]  # fmt: skip
    found = reactive.judge(Seen(cells))
    assert found["engine_vs_numpy"].values.tolist() == [4.0]
    assert found["engine_vs_numba"].values.tolist() == [2.0]
    assert not any("walk_stop_turn" in name for name in found)
