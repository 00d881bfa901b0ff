"""The baselines of the benchmark do what the engine does, step by step, with the engine's noise."""

import numpy as np
import pytest

from plumenav.engine.run import Blocks, simulate
from plumenav.performance.benchmark import reactive
from plumenav.performance.benchmark._contract import Seen
from plumenav.performance.benchmark._reactive_baselines import (
    ARRAYS,
    LOOPS,
    NAMES,
    SUMMARY,
)
from plumenav.rng import uniform_draws
from plumenav.tables import PlumeReader

AGENTS, STEPS = 12, 400
DRAWS = {"on_off": 4, "walk_stop_turn": 8}


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


@pytest.mark.parametrize("way", ["engine", "numpy", "loop"])
def test_tasks_count_what_they_did(way, plume):
    done = getattr(reactive, way)("on_off", plume, agents=3, steps=50)()
    assert done == {"agent_steps": 150.0}


def test_the_slower_model_decides():
    rates = {"engine": 800.0, "numpy": 200.0, "loop": 8.0}
    cells = [
        {"variant": f"{model}.{way}", "repetition": 0, "wall_s": 2.0 if slow else 1.0,
         "agent_steps": rate}
        for model in reactive.MODELS
        for way, rate in rates.items()
        for slow in [model == "walk_stop_turn" and way == "engine"]
    ]  # fmt: skip
    found = reactive.judge(Seen(cells))
    assert found["engine_vs_python_loop"].values.tolist() == [50.0]
    assert found["engine_vs_python_loop"].bound == "at least"
    assert found["engine_vs_numpy"].values.tolist() == [2.0]
    assert found["engine_vs_numpy.on_off"].values.tolist() == [4.0]
