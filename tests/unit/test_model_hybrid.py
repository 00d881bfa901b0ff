"""A gate between two models: what it lets through is what the two would do."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import factories
from plumenav import config, registry
from plumenav.analysis.recheck import one_parameter_off
from plumenav.batch.chunk import trajectory_metadata
from plumenav.batch.settings import time_step_s
from plumenav.engine.run import Blocks
from plumenav.errors import UserError
from plumenav.models import hybrid, surge_cast, walk_stop_turn
from plumenav.models._binding import bound, composed, float_parameters, parts, scaled
from plumenav.references._run import run_sample
from plumenav.tables import PlumeReader

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "scripts/plumenav/models/_template.py"
REFERENCE = ROOT / "scripts/plumenav/references/_template.py"


@pytest.fixture(scope="module")
def movie(tmp_path_factory):
    return factories.write_movie(tmp_path_factory.mktemp("plume") / "movie.parquet")


def two(inside, outside, **gate):
    """Parameters of a hybrid of two models at their defaults."""
    return {"inside": {"model": inside}, "outside": {"model": outside}, **gate}


def against_reference(movie, settings, n=6):
    """Largest difference of the tracks from the reference's; both as columns."""
    columns = factories.plan_columns(n, 40)
    ours, _ = factories.run(movie, columns, settings)
    rows = [{k: v[i].item() for k, v in columns.items()} for i in range(n)]
    theirs, outcomes = run_sample(rows, settings, movie)
    difference = max(
        np.abs(theirs.column(name).to_numpy() - ours[name]).max() for name in ("x_mm", "y_mm")
    )
    assert np.array_equal(theirs.column("state").to_numpy(), ours["state"])
    return difference, ours, outcomes


# ------------------------------------------------------------------------------------ the gate


def gated(tmp_path, whiffs_s, duration_s, **gate):
    """When the inside model acts, s: (from, to) of every time, for whiffs of 0.1 s."""
    rate_hz = 50.0
    odor = np.zeros(round(duration_s * rate_hz))
    for at in whiffs_s:
        odor[round(at * rate_hz) : round((at + 0.1) * rate_hz)] = 1.0
    settings = factories.engine_settings(
        "hybrid",
        parameters=two("walk_stop_turn", "surge_cast", **gate),
        dt_s=1.0 / rate_hz,
        duration_s=duration_s,
        movie_end="hold",
    )
    signal = factories.write_signal(tmp_path / "odor.parquet", odor, rate_hz)
    columns = {**factories.plan_columns(1, 1), "x_mm": np.array([1e5]), "y_mm": np.zeros(1)}
    track, _ = factories.run(signal, columns, settings)
    # row i + 1 has the code that step i decided; even codes are the inside model's
    is_open = np.diff(np.concatenate([[0], track["state"][1:] % 2 == 0, [0]]).astype(int))
    times = track["time_s"]
    return [
        (round(times[a], 9), round(times[b], 9))
        for a, b in zip(np.flatnonzero(is_open == 1), np.flatnonzero(is_open == -1), strict=True)
    ]


def closes(since_s, w, level, memory_s, dt_s=0.02):
    """First step at which a memory of w at a time is no longer above a level."""
    steps = int(np.floor(memory_s * np.log(w / level) / dt_s)) + 1
    return round(since_s + steps * dt_s, 9)


def test_one_whiff_opens_the_gate_for_a_known_time(tmp_path):
    # w = exp(-(t - 1) / 2) is above 0.3 for 2.408 s
    found = gated(tmp_path, [1.0], 6.0, memory_s=2.0, w_open=0.3)
    assert found == [(1.0, closes(1.0, 1.0, 0.3, 2.0))]
    assert found[0][1] == pytest.approx(1.0 + 2.0 * np.log(1 / 0.3), abs=0.02)


def test_a_train_of_whiffs_keeps_it_open(tmp_path):
    # the second whiff adds to what is left of the first; the third comes when it was closed
    memory, level = 1.0, 0.5
    w2 = 1.0 + np.exp(-0.4 / memory)
    expected = [(1.0, closes(1.4, w2, level, memory)), (4.0, closes(4.0, w3(), level, memory))]
    assert gated(tmp_path, [1.0, 1.4, 4.0], 7.0, memory_s=memory, w_open=level) == expected


def w3():
    return 1.0 + np.exp(-2.6) + np.exp(-3.0)


def test_hysteresis_needs_more_to_open_than_to_stay_open(tmp_path):
    # one whiff (1.0) is not above 1.2, two within 0.4 s are; then it stays open down to 0.2
    w = 1.0 + np.exp(-0.4) + np.exp(-2.4)
    found = gated(tmp_path, [1.0, 3.0, 3.4], 8.0, memory_s=1.0, w_open=1.2, w_close=0.2)
    assert found == [(3.4, closes(3.4, w, 0.2, 1.0))]


def test_whiffs_that_come_too_soon_do_not_count(tmp_path):
    # 0.2 s after the last one: no whiff with a refractory time of 0.3 s
    gate = {"memory_s": 5.0, "w_open": 1.5}
    assert gated(tmp_path, [1.0, 1.2], 3.0, refractory_s=0.3, **gate) == []
    assert gated(tmp_path, [1.0, 1.2], 3.0, refractory_s=0.1, **gate)[0][0] == 1.2


def test_in_clean_air_only_the_outside_model_acts(tmp_path):
    assert gated(tmp_path, [], 3.0, w_open=0.0) == []
    assert hybrid.BEHAVIOURS_WITHOUT_ODOR == ("outside cast",)


# ------------------------------------------------------------------------------------ the two


@pytest.mark.parametrize(
    ("inside", "outside"),
    [("walk_stop_turn", "surge_cast"), ("finite_state", "correlated_random_walk")],
)
def test_behind_a_gate_that_stays_open_the_inside_model_walks_as_it_would_alone(
    movie, inside, outside
):
    # in odour from the first step on, and a whiff is never forgotten; its draws come first
    changes = {"dt_s": 0.02, "sensor": {"threshold": -9.0}}
    alone = factories.engine_settings(inside, **changes)
    changes["sensor"] = {**alone["sensor"]}
    gated = factories.engine_settings(
        "hybrid", parameters=two(inside, outside, memory_s=1e9), **changes
    )
    columns = factories.plan_columns(9, 40)
    a, _ = factories.run(movie, columns, alone)
    b, _ = factories.run(movie, columns, gated)
    for column in ("x_mm", "y_mm", "heading_rad"):
        assert np.array_equal(a[column], b[column])
    later = a["step"] > 0
    assert np.array_equal(2 * a["state"][later], b["state"][later])


COUNTER = '''
"""Counts its steps in its memory, and turns by what its table says per step."""
from typing import NamedTuple
import numpy as np
from plumenav.models import correlated_random_walk as walk
from plumenav.models._contract import Action, ModelParams

CITATION, FAMILY, PRESETS, NEEDS_WIND = "a test", "null", {"plain": {}}, False
PUBLICATION_DT_S, SENSOR, BEHAVIOURS = 0.02, walk.SENSOR, ("count",)

class Params(ModelParams):
    turn: float = 0.01

class Constants(NamedTuple):
    unused: float

class State(NamedTuple):
    unused: float

class Noise(NamedTuple):
    unused: float

class Tables(NamedTuple):
    turn: np.ndarray

def constants(params, wind_speed_mm_s):
    return Constants(0.0)

def initial_state(constants):
    return State(0.0)

def initial_behaviour(constants):
    return 0

def tables(params, constants, surroundings):
    return Tables(np.array([params.turn]))

def initial_memory(tables):
    return np.array([0.0, 5.0])

def step(observation, state, c, noise, dt_s, memory, tables):
    memory[0] += 1.0
    memory[1] = 7.0
    return Action(1.0, 0.0, memory[0] * tables.turn[0], 0, 0), state
'''


def test_models_that_remember_in_arrays_keep_apart(tmp_path, monkeypatch):
    (tmp_path / "counter.py").write_text(COUNTER)
    monkeypatch.setitem(registry._user_files, ("model", "counter"), tmp_path / "counter.py")
    own = {"inside": {"model": "counter", "parameters": {"turn": 0.5}}, "w_open": 0.5}
    own |= {"outside": {"model": "counter", "parameters": {}}, "idle": "frozen", "memory_s": 0.4}
    settings = factories.engine_settings("correlated_random_walk", dt_s=0.02, duration_s=6.0)
    settings |= {"model": "hybrid", "parameters": hybrid.Params(**own).model_dump()}
    odor = np.zeros(300)
    odor[[50, 130, 131]] = 1.0
    signal = factories.write_signal(tmp_path / "odor.parquet", odor)
    columns = {**factories.plan_columns(2, 1), "x_mm": np.full(2, 1e5)}
    track, _ = factories.run(signal, columns, settings)
    for agent in range(2):
        rows = track["simulation"] == agent
        outside = track["state"][rows][1:] % 2
        acted = np.where(outside, np.cumsum(outside), np.cumsum(1 - outside))
        assert set(outside) == {0, 1}
        expected = acted * np.where(outside, 0.01, 0.5)
        assert np.allclose(track["heading_rad"][rows][1:], expected, atol=1e-12)


def test_identical_inside_and_outside_equal_the_model_alone_without_chance(movie):
    # no draws that matter: the gate switches, and nobody can tell
    quiet = {"stop_base_hz": 0.0, "stop_gain_hz": 0.0, "turn_hz": 0.0, "drift_sd_deg": 0.0}
    part = {"model": "walk_stop_turn", "parameters": quiet}
    alone = factories.engine_settings("walk_stop_turn", parameters=quiet)
    double = factories.engine_settings("hybrid", parameters={"inside": part, "outside": part})
    columns = factories.plan_columns(9, 40)
    a, outcomes = factories.run(movie, columns, alone)
    b, again = factories.run(movie, columns, double)
    for column in ("x_mm", "y_mm", "heading_rad", "odor"):
        assert np.array_equal(a[column], b[column])
    assert set(b["state"] % 2) == {0, 1}, "the gate never switched"
    names = [name for name in outcomes.column_names if name != "clipped_rates"]
    assert outcomes.select(names).equals(again.select(names))


@pytest.mark.parametrize("name", ["on_off", "surge_cast"])
def test_identical_inside_and_outside_with_the_same_draws_equal_the_model_alone(name):
    # step by step in plain Python, where both sides can be given the same draws
    parameters = factories.engine_settings("hybrid", parameters=two(name, name))["parameters"]
    both, alone = bound("hybrid", parameters), registry.get("model", name)
    params = both.Params(**parameters)
    constants, own = both.constants(params, 100.0), alone.constants(alone.Params(), 100.0)
    rng = np.random.default_rng(3)
    s, s1 = both.initial_state(constants), alone.initial_state(own)
    around = factories.observation()
    tables = both.tables(params, constants, None)
    memory = both.initial_memory(tables)
    heading, sides = 1.0, set()
    for i in range(600):
        u = rng.random(len(alone.Noise._fields))
        seen = around._replace(odor=float(i % 500 < 20), heading_rad=heading, time_s=0.02 * i)
        a, s = both.step(seen, s, constants, both.Noise(*u, *u), 0.02, memory, tables)
        b, s1 = alone.step(seen, s1, own, alone.Noise(*u), 0.02)
        assert a[:3] == b[:3]
        assert (a.behaviour // 2, a.clipped) == (b.behaviour, b.clipped)
        sides.add(a.behaviour % 2)
        heading = b.heading_rad
    assert sides == {0, 1}


@pytest.mark.parametrize("idle", ["updates", "frozen"])
def test_the_idle_model_updates_or_is_frozen(idle):
    parameters = factories.engine_settings("hybrid", parameters={"idle": idle})["parameters"]
    params = hybrid.Params(**parameters)
    constants = hybrid.constants(params, 100.0)
    state = hybrid.initial_state(constants)
    tables = hybrid.tables(params, constants, None)
    noise = hybrid.Noise(*([0.75] * 9))
    before = hybrid.outside_state(state)
    for i in range(10):
        seen = factories.observation(odor=1.0, time_s=0.1 * i)
        _, state = hybrid.step(seen, state, constants, noise, 0.1, np.zeros(0), tables)
    assert state.open == 1.0
    after = hybrid.outside_state(state)
    assert (after == before) == (idle == "frozen")
    assert (after.surging == 1.0) == (idle == "updates")
    assert hybrid.inside_state(state).last_whiff_s == 0.0


@pytest.mark.parametrize("idle", ["frozen", "updates"])
def test_a_frozen_clock_goes_on_where_it_stopped(tmp_path, idle):
    # finite_state casts in runs of 1, 2, 3, ... decisions of 25 steps; a whiff at 2.2 s, in the
    # middle of a decision, lets the other model act for 61 steps (exp(-1.22) < 0.3)
    odor = np.zeros(411)
    odor[110] = 1.0
    gate = {"idle": idle, "memory_s": 1.0, "w_open": 0.3}
    settings = factories.engine_settings(
        "hybrid",
        parameters=two("walk_stop_turn", "finite_state", **gate),
        dt_s=0.02,
        duration_s=8.22,
        movie_end="hold",
    )
    signal = factories.write_signal(tmp_path / "odor.parquet", odor)
    columns = {**factories.plan_columns(1, 1), "x_mm": np.array([1e5]), "y_mm": np.zeros(1)}
    track, _ = factories.run(signal, columns, settings)
    outside = track["state"][1:] % 2 == 1
    assert (~outside).sum() == 61
    across = np.sign(np.round(np.diff(track["y_mm"]), 9))[outside]
    runs = np.diff([0, *(np.flatnonzero(np.diff(across)) + 1), len(across)])
    assert len(across) == 349
    if idle == "frozen":
        # nothing of the whiff, no decision in between
        assert runs.tolist() == [25, 50, 75, 100, 99]
    else:
        # it decided at 2.5 s to surge, unheard; at 3.0 s a new series began, heard from 3.42 s on,
        # with a first run of 25 to the side that the third one was to: 35 + 4 are one stretch
        assert runs.tolist() == [25, 50, 39, 50, 75, 100, 10]


PAIRS = [
    ("walk_stop_turn", "surge_cast"),
    ("on_off", "finite_state"),
    ("finite_state", "correlated_random_walk"),
]


@pytest.mark.parametrize(("inside", "outside"), PAIRS)
def test_engine_and_reference_agree_for_any_two(movie, inside, outside):
    for gate in ({}, {"idle": "frozen", "w_open": 0.6, "w_close": 0.05, "memory_s": 0.7}):
        settings = factories.engine_settings(
            "hybrid", parameters=two(inside, outside, **gate), wind_toward_rad=0.2, dt_s=0.02
        )
        difference, ours, _ = against_reference(movie, settings)
        assert difference < 1e-6
        assert set(ours["state"] % 2) == {0, 1}


def test_the_file_itself_is_what_is_generated_for_its_two():
    lines = hybrid.generated(walk_stop_turn, surge_cast)
    namespace = {}
    exec("from typing import NamedTuple\n" + "\n".join(lines), namespace)
    assert namespace["State"]._fields == hybrid.State._fields
    assert namespace["Noise"]._fields == hybrid.Noise._fields
    namespace |= {"inside": walk_stop_turn, "outside": surge_cast}
    numbers = [float(v) for v in range(19)]
    for function in ("inside_state", "outside_state"):
        assert namespace[function](numbers) == getattr(hybrid, function)(numbers)
    for function in ("inside_noise", "outside_noise"):
        assert namespace[function](numbers[:9]) == getattr(hybrid, function)(numbers[:9])
    gate, a, b = numbers[:6], numbers[6:13], numbers[13:]
    assert tuple(namespace["joined"](gate, a, b)) == tuple(numbers)
    assert tuple(hybrid.joined(gate, a, b)) == tuple(numbers)


def test_what_a_pair_declares_is_of_both():
    pair = composed("hybrid", "on_off", "surge_cast")
    assert pair.PUBLICATION_DT_S == 0.005
    assert pair.NEEDS_WIND
    assert not composed("hybrid", "on_off", "correlated_random_walk").NEEDS_WIND
    assert pair.SENSOR is registry.get("model", "on_off").SENSOR
    assert pair.BEHAVIOURS == ("inside walk", "outside cast", "unused inside 1", "outside surge")
    assert pair.State._fields[6:8] == ("inside_a_on", "inside_a_off")
    assert pair.Noise._fields[-1] == "outside_first_side"
    assert composed("hybrid", "on_off", "surge_cast") is pair
    assert composed("hybrid", "walk_stop_turn", "surge_cast") is hybrid
    assert composed("on_off") is registry.get("model", "on_off")
    settings = factories.engine_settings(
        "hybrid", parameters=two("on_off", "surge_cast"), record_variables=True
    )
    assert time_step_s("publication", "hybrid", 0.1, settings["parameters"]) == 0.005
    metadata = trajectory_metadata(settings)
    assert metadata["behaviours"] == list(pair.BEHAVIOURS)
    assert metadata["variables"] == list(pair.State._fields)


def test_mirrored_draws_are_those_of_both():
    pair = composed("hybrid", "on_off", "surge_cast")
    noise = pair.Noise(0.1, 0.2, 0.3, 0.4, 0.6)
    mirror = pair.mirrored(noise)
    assert mirror[:1] + mirror[2:4] == noise[:1] + noise[2:4]
    assert mirror.inside_sign == pytest.approx(0.8)
    assert mirror.outside_first_side == pytest.approx(0.4)


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {
            "inside": {"model": "on_off", "parameters": {"fidelity": "corrected"}},
            "outside": {"model": "finite_state", "preset": "three_step_memory"},
        },
    ],
)
def test_mirrored_draws_mirror_the_track(parameters):
    parameters = factories.engine_settings("hybrid", parameters=parameters)["parameters"]
    model = bound("hybrid", parameters)
    params = model.Params(**parameters)
    constants = model.constants(params, 100.0)
    assert model.broken_symmetries(params) == {}
    tables = model.tables(params, constants, None)
    draws = np.random.default_rng(5).random((800, len(model.Noise._fields)))
    tracks = []
    for sign in (1.0, -1.0):
        state, memory = model.initial_state(constants), model.initial_memory(tables)
        x, y, heading, track = 0.0, 0.0, 0.4 * sign, []
        for i, u in enumerate(draws):
            noise = model.Noise(*u)
            noise = noise if sign > 0 else model.mirrored(noise)
            seen = factories.observation(
                odor=float(i % 500 < 20), heading_rad=heading, time_s=0.02 * i, x_mm=x, y_mm=y
            )
            action, state = model.step(seen, state, constants, noise, 0.02, memory, tables)
            x += 0.02 * action.velocity_x_mm_s
            y += 0.02 * action.velocity_y_mm_s
            heading = action.heading_rad
            track.append((x, sign * y, action.behaviour))
        tracks.append(np.array(track))
    assert set(tracks[0][:, 2] % 2) == {0, 1}
    assert np.ptp(tracks[0][:, 1]) > 1.0
    assert np.abs(tracks[0] - tracks[1]).max() < 1e-6


def test_two_sides_are_there_if_either_compares_them(tmp_path, monkeypatch):
    # the inside model's sensor, unless only the outside model has two sides
    source = (tmp_path / "on_off_with_sides.py", ROOT / "scripts/plumenav/models/on_off.py")
    source[0].write_text(
        source[1].read_text().replace('"shape": "point"', '"shape": "pair"') + "BILATERAL = True\n"
    )
    monkeypatch.setitem(registry._user_files, ("model", "on_off_with_sides"), source[0])
    pair = composed("hybrid", "walk_stop_turn", "on_off_with_sides")
    assert pair.BILATERAL
    assert pair.SENSOR["shape"] == "pair"
    assert not hybrid.BILATERAL
    assert hybrid.SENSOR["shape"] == "ellipse"


# ------------------------------------------------------------------------------------ parameters


def test_the_parameters_of_both_are_spelled_out():
    settings = factories.engine_settings("hybrid", preset="growing_casts")
    inside, outside = settings["parameters"]["inside"], settings["parameters"]["outside"]
    assert (inside["preset"], outside["preset"]) == ("demir_2020", "cast_clock")
    assert inside["parameters"]["alpha"] == 0.242
    assert len(outside["parameters"]["rows"]) == 54
    assert parts("hybrid", settings["parameters"]) == ("walk_stop_turn", "finite_state")


def test_numbers_inside_the_two_can_be_changed_one_by_one(movie):
    settings = factories.engine_settings("hybrid", duration_s=3.0)
    paths = list(float_parameters("hybrid", settings["parameters"]))
    assert ("memory_s",) in paths
    assert ("inside", "parameters", "alpha") in paths
    assert ("outside", "parameters", "cast_period_s") in paths
    off = scaled(settings["parameters"], ("inside", "parameters", "alpha"), 1.1)
    assert off["inside"]["parameters"]["alpha"] == pytest.approx(0.2662)
    assert settings["parameters"]["inside"]["parameters"]["alpha"] == 0.242
    with PlumeReader(movie) as reader:
        blocks, plan = Blocks(reader), factories.plan_columns(2, 40)
        from plumenav.analysis.recheck import every_step

        truth = every_step(blocks, plan, settings)
        (name,) = one_parameter_off(blocks, plan, settings, truth)
    assert name.endswith(" 10 % off")


GOOD = {
    "run": "mine",
    "recordings": {
        "hill": {
            "analytic": {"field": "gaussian", "parameters": {"sigma_mm": 40}},
            "wind": {"speed_mm_s": 100},
        },
    },
    "simulation": {"simulations": 20},
}
MISTAKES = [
    ({"inside": {"model": "walk_stop"}}, ["inside.model", "'walk_stop'", "'walk_stop_turn'"]),
    ({"inside": {"preset": "demir_2020"}}, ["inside.model", "missing"]),
    ({"outside": {"model": "on_off", "preset": "x"}}, ["outside.preset", "alvarez_salvado_2018"]),
    (
        {"outside": {"model": "on_off", "parameters": {"tau_on_s": -1}}},
        ["outside.parameters.tau_on_s", "-1", "greater than 0"],
    ),
    ({"inside": {"model": "on_off", "parameter": {}}}, ["inside.parameter", "'parameters'"]),
    ({"inside": {"model": "hybrid"}}, ["inside.model", "is made of other models itself"]),
    ({"w_open": 0.1, "w_close": 0.2}, ["w_close", "0.2", "w_open (0.1)"]),
    ({"idle": "sleeps"}, ["idle", "'sleeps'", "updates, frozen"]),
]


def agent(parameters):
    one = {"model": "hybrid", "parameters": parameters, "sensor": {"threshold": {"value": 0.1}}}
    return {**GOOD, "agents": {"fly": one}}


@pytest.mark.parametrize(("parameters", "words"), MISTAKES)
def test_a_mistake_in_a_part_is_named_with_all_its_keys(parameters, words):
    with pytest.raises(UserError) as error:
        config.resolve(agent(parameters), Path())
    assert str(error.value).startswith("agents.fly.parameters.")
    for word in words:
        assert word in str(error.value)


def test_wind_is_needed_if_either_needs_it():
    content = agent(two("on_off", "surge_cast"))
    content["recordings"] = {"hill": {"analytic": content["recordings"]["hill"]["analytic"]}}
    content["recordings"]["hill"]["wind"] = {"speed_mm_s": 0}
    with pytest.raises(UserError, match="agent 'fly'"):
        config.resolve(content, Path())
    content["agents"]["fly"]["parameters"] = two("on_off", "correlated_random_walk")
    resolved = config.resolve(content, Path())["agents"]["fly"]
    # the sensor is the inside model's unless the config says otherwise
    assert resolved["sensor"]["interpolation"] == "nearest"


# ------------------------------------------------------------------------------------ processes

PROGRAM = """
import json, sys
sys.path[:0] = {paths!r}
import factories
from pathlib import Path
from plumenav import registry
from plumenav.engine.run import Blocks, simulate
from plumenav.tables import PlumeReader
for plugin in {plugins!r}:
    registry.register_file(Path(plugin))
settings = factories.engine_settings(
    "hybrid", duration_s=1.0, parameters={parameters!r}, sensor={{"threshold": 0.02}}, dt_s=0.02
)
with PlumeReader({plume!r}) as reader:
    outcome = simulate(Blocks(reader), factories.plan_columns(6, 40), settings)
print(json.dumps([outcome.kernel, outcome.simulations.column("path_mm").to_pylist()]))
"""


@pytest.fixture
def process(tmp_path, movie):
    """Run a hybrid in a process of its own, with a kernel cache of the test's own."""

    def run(parameters, plugins=(), scripts=ROOT / "scripts", **environment):
        program = PROGRAM.format(
            paths=[str(scripts), str(ROOT / "tests")],
            plugins=[str(p) for p in plugins],
            parameters=parameters,
            plume=str(movie),
        )
        env = {**os.environ, "PLUMENAV_CACHE": str(tmp_path / "cache"), **environment}
        env.pop("PYTHONPATH", None)
        done = subprocess.run(
            [sys.executable, "-c", program], env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return run


@pytest.mark.slow
def test_users_models_behind_the_gate_are_cached_and_never_stale(process, tmp_path):
    future = "from __future__ import annotations\n"
    model = TEMPLATE.read_text().replace(future, future + 'PLUGIN_KIND = "model"\n')
    (tmp_path / "models").mkdir()
    (tmp_path / "references").mkdir()
    mine = tmp_path / "models" / "my_walk.py"
    mine.write_text(model)
    reference = tmp_path / "references" / "my_walk.py"
    reference.write_text(
        REFERENCE.read_text().replace(future, future + 'PLUGIN_KIND = "reference"\n')
    )
    parameters = two("on_off", "my_walk")
    first, slow = process(parameters, [mine, reference])
    again, same = process(parameters, [mine, reference])
    # a constant inside the step of the outside model, not a parameter
    mine.write_text(model.replace("c.speed * math.", "2.0 * c.speed * math."))
    edited, fast = process(parameters, [mine, reference])
    # at first the field's kernel, too
    assert (first["cache_misses"], again["cache_misses"], edited["cache_misses"]) == (2, 0, 1)
    assert again["cache_hits"] == 1
    assert same == slow
    assert all(b >= a for a, b in zip(slow, fast, strict=True))
    assert sum(fast) > sum(slow)


@pytest.mark.slow
@pytest.mark.slow
def test_an_edited_builtin_model_behind_the_gate_gives_its_new_result(process, tmp_path):
    copy = tmp_path / "scripts"
    shutil.copytree(ROOT / "scripts", copy, ignore=shutil.ignore_patterns("__pycache__"))
    model = copy / "plumenav/models/correlated_random_walk.py"
    parameters = two("on_off", "correlated_random_walk")
    _, before = process(parameters, scripts=copy)
    model.write_text(model.read_text().replace("c.speed * math.cos", "2.0 * c.speed * math.cos"))
    kernel, after = process(parameters, scripts=copy)
    assert kernel["cache_misses"] == 1
    assert sum(after) > sum(before)


def test_the_same_source_runs_uncompiled(process, movie):
    changes = {
        "parameters": two("finite_state", "correlated_random_walk"),
        "duration_s": 1.0,
        "sensor": {"threshold": 0.02},
    }
    settings = factories.engine_settings("hybrid", dt_s=0.02, **changes)
    _, outcomes = factories.run(movie, factories.plan_columns(6, 40), settings)
    _, plain = process(changes["parameters"], NUMBA_DISABLE_JIT="1")
    assert plain == pytest.approx(outcomes.column("path_mm").to_pylist(), abs=1e-9)
