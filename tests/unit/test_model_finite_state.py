"""Finite-state controllers: tables that are read, and walks that are known beforehand."""

import numpy as np
import pytest

import factories
from plumenav import registry
from plumenav.config import resolve
from plumenav.config.resolve_agent import resolve_model
from plumenav.errors import UserError
from plumenav.models import _controllers as controllers
from plumenav.models import finite_state
from plumenav.models._contract import Surroundings
from plumenav.references._run import run_sample

HEADER = "memory,odor,action,next_memory,probability\n"
# one memory: upwind in odour, else to the left
SIMPLE = HEADER + "1,0,left,1,1\n1,1,upwind,1,1\n"
LEFT_OR_RIGHT = [[1, 0, "left", 1, 0.5], [1, 0, "right", 1, 0.5], [1, 1, "upwind", 1, 1.0]]


def plan(n=1, seed=1):
    columns = factories.plan_columns(n, 1, seed=seed)
    return {**columns, "x_mm": np.full(n, 1000.0), "y_mm": np.zeros(n)}


def walk(tmp_path, odor, rate_hz=50.0, n=1, **changes):
    """Tracks through an odour that is the same everywhere; columns of shape (n, steps)."""
    settings = factories.engine_settings(
        "finite_state",
        **{"duration_s": len(odor) / rate_hz, "movie_end": "hold", **changes},
    )
    signal = factories.write_signal(tmp_path / "odor.parquet", np.asarray(odor), rate_hz)
    columns, _ = factories.run(signal, plan(n), settings)
    return {key: value.reshape(n, -1) for key, value in columns.items()}, settings


def runs(values):
    """Lengths of the stretches of equal values."""
    edges = np.flatnonzero(np.diff(values)) + 1
    return np.diff([0, *edges, len(values)])


def moves(track, per_decision, count):
    """Direction of every decision: (downwind, to the left of downwind), unit steps."""
    at = np.arange(count + 1) * per_decision
    x, y = track["x_mm"][0, at], track["y_mm"][0, at]
    return np.round(np.diff(x) / 5.0).astype(int), np.round(np.diff(y) / 5.0).astype(int)


# ------------------------------------------------------------------------------------ the clock


def test_the_clock_casts_in_growing_runs_and_a_hit_resets_it(tmp_path):
    # a decision every 0.5 s at 10 mm/s moves 5 mm; 50 decisions without odour, one with, 25 without
    odor = np.zeros(76 * 25 + 1)
    odor[50 * 25 : 50 * 25 + 1] = 1.0
    track, _ = walk(tmp_path, odor)
    along, across = moves(track, 25, 76)
    side = across[0]
    cast = side * across
    assert abs(side) == 1
    assert np.array_equal(along, [0] * 50 + [-1] + [0] * 25)
    assert runs(cast[:50]).tolist() == [1, 2, 3, 4, 5, 6, 6, 6, 6, 6, 5]
    assert cast[50] == 0
    # again from the first run, to the same side as the first time
    assert runs(cast[51:]).tolist() == [1, 2, 3, 4, 5, 6, 4]
    assert cast[51] == 1
    # sweeps are symmetric about the line of the last contact
    sweep = np.cumsum(cast[:27])
    assert (sweep.max(), sweep.min(), sweep[-1]) == (3, -3, 3)


def test_the_clock_surges_as_long_as_there_is_odour(tmp_path):
    track, _ = walk(tmp_path, np.ones(10 * 25 + 1))
    along, across = moves(track, 25, 10)
    assert np.array_equal(along, [-1] * 10)
    assert not across.any()
    assert np.allclose(np.cos(track["heading_rad"][0, 1:]), -1.0)
    assert track["state"][0, 0] == finite_state.BEHAVIOURS.index("stay")
    assert set(track["state"][0, 1:]) == {finite_state.BEHAVIOURS.index("upwind")}


@pytest.mark.parametrize(("odor", "surges"), [("since_last", 1), ("at_decision", 0)])
def test_odour_between_two_decisions(tmp_path, odor, surges):
    # a whiff of 0.2 s between the decisions at 1.0 and 1.5 s
    signal = np.zeros(4 * 25 + 1)
    signal[55:65] = 1.0
    track, _ = walk(tmp_path, signal, parameters={"odor": odor})
    along, _ = moves(track, 25, 4)
    assert along.tolist() == [0, 0, 0, -surges]


def test_actions_follow_the_wind(tmp_path):
    toward = 0.7
    rows = [
        *([m, y, action, m % 4 + 1, 1.0] for y in (0, 1) for m, action in ACTIONS_IN_TURN),
    ]
    track, _ = walk(
        tmp_path, np.zeros(4 * 25 + 1), parameters={"rows": rows}, wind_toward_rad=toward
    )
    at = np.arange(5) * 25
    z = (track["x_mm"][0, at] + 1j * track["y_mm"][0, at]) * np.exp(-1j * toward)
    up, left, down, stay = np.diff(z)
    assert up == pytest.approx(-5.0)
    assert abs(left) == pytest.approx(5.0)
    assert left.real == pytest.approx(0.0, abs=1e-9)
    assert down == pytest.approx(5.0)
    assert stay == 0.0


ACTIONS_IN_TURN = [(1, "upwind"), (2, "left"), (3, "downwind"), (4, "stay")]


# ------------------------------------------------------------------------------------ chance


def test_frequencies_of_actions_and_sides(tmp_path):
    n, decisions = 400, 20
    rows = [[1, 0, "left", 1, 0.25], [1, 0, "stay", 1, 0.75], [1, 1, "stay", 1, 1.0]]
    track, _ = walk(tmp_path, np.zeros(decisions * 25 + 1), n=n, parameters={"rows": rows})
    across = np.diff(track["y_mm"][:, np.arange(decisions + 1) * 25])
    moved = np.abs(across) > 1.0
    total = n * decisions
    assert abs(moved.mean() - 0.25) < 4 * np.sqrt(0.25 * 0.75 / total)
    # one side per agent, both as often
    sides = [set(np.sign(a[m])) for a, m in zip(across, moved, strict=True) if m.any()]
    assert {len(s) for s in sides} == {1}
    left = np.mean([1.0 in s for s in sides])
    assert abs(left - 0.5) < 4 * np.sqrt(0.25 / len(sides))


def test_three_step_memory_is_surer_upwind_the_more_it_smelled(tmp_path):
    # all histories of four observations: probability of upwind by number of hits
    rows = controllers.read_controller("three_step_memory", tmp_path, "table")
    upwind = {}
    for m in range(1, 9):
        for y in (0, 1):
            hits = (m - 1).bit_count() + y
            here = [row for row in rows if row[:2] == (m, y)]
            p = sum(row[4] for row in here if row[2] == "upwind")
            upwind.setdefault(hits, set()).add(round(p, 9))
            # the memory is the last three observations
            assert {row[3] for row in here} == {((2 * (m - 1) + y) % 8) + 1}
            # left and right alike
            sideways = [sum(r[4] for r in here if r[2] == s) for s in ("left", "right")]
            assert sideways[0] == sideways[1]
    assert upwind == {0: {0.0}, 1: {0.6}, 2: {0.8}, 3: {1.0}, 4: {1.0}}


def test_what_never_happens_does_not_happen_by_rounding():
    rows = [
        [1, y, action, 1, p]
        for y in (0, 1)
        for action, p in (("left", 0.1), ("right", 0.2), ("upwind", 0.7), ("stay", 0.0))
    ]
    params = finite_state.Params(rows=rows)
    around = Surroundings(0.0, 1.0, 0.0, 1.0, 100.0, 0.0, 0.02, {})
    tables = finite_state.tables(params, finite_state.constants(params, 100.0), around)
    assert tables.cumulative.shape == (1, 2, 3)
    assert np.isinf(tables.cumulative[:, :, -1]).all()
    assert tables.action[0, 0].tolist() == [3, 4, 1]


@pytest.mark.parametrize("rows", [LEFT_OR_RIGHT, None])
def test_mirrored_draws_mirror_the_track(rows):
    params = finite_state.Params(
        **resolve_model("", "finite_state", None, {"rows": rows}, None)["parameters"]
    )
    constants = finite_state.constants(params, 100.0)
    around = Surroundings(0.0, 1.0, 0.0, 1.0, 100.0, 0.0, 0.1, {})
    tables = finite_state.tables(params, constants, around)
    draws = np.random.default_rng(1).random((200, 2))
    tracks = []
    for mirror in (False, True):
        state = finite_state.initial_state(constants)
        y, heading, track = 0.0, -0.3 if mirror else 0.3, []
        for i, u in enumerate(draws):
            noise = finite_state.Noise(*u)
            noise = finite_state.mirrored(noise) if mirror else noise
            seen = factories.observation(heading_rad=heading, time_s=0.1 * i)
            action, state = finite_state.step(
                seen, state, constants, noise, 0.1, np.zeros(0), tables
            )
            y += 0.1 * action.velocity_y_mm_s
            heading = action.heading_rad
            track.append((y, np.sin(heading)))
        tracks.append(np.array(track))
    assert np.ptp(tracks[0]) > 1.0
    assert np.allclose(tracks[0], -tracks[1], atol=1e-9)


@pytest.mark.parametrize(
    "changes", [{}, {"table": "three_step_memory"}, {"odor": "at_decision", "speed_mm_s": 33.0}]
)
def test_engine_and_reference_agree(tmp_path, changes):
    movie = factories.write_movie(tmp_path / "movie.parquet")
    settings = factories.engine_settings(
        "finite_state", parameters={**changes, "decision_interval_s": 0.13}, wind_toward_rad=0.3
    )
    columns = factories.plan_columns(8, 40)
    ours, _ = factories.run(movie, columns, settings)
    rows = [{k: v[i].item() for k, v in columns.items()} for i in range(8)]
    theirs, _ = run_sample(rows, settings, movie)
    for column in ("x_mm", "y_mm", "heading_rad"):
        assert np.abs(theirs.column(column).to_numpy() - ours[column]).max() < 1e-6
    assert np.array_equal(theirs.column("state").to_numpy(), ours["state"])
    assert len(set(ours["state"])) >= 3


# ------------------------------------------------------------------------------------ the table


def config(**parameters):
    return {
        "run": "test",
        "recordings": {
            "hill": {
                "analytic": {"field": "gaussian", "parameters": {"sigma_mm": 40}},
                "wind": {"speed_mm_s": 100},
            }
        },
        "agents": {
            "clerk": {
                "model": "finite_state",
                "parameters": parameters,
                "sensor": {"threshold": {"value": 0.1}},
            }
        },
        "simulation": {"simulations": 20},
    }


def test_a_table_beside_the_config_becomes_part_of_the_settings(tmp_path):
    (tmp_path / "mine.csv").write_text("# by hand\n\n" + SIMPLE)
    got = resolve_model("agents.a.", "finite_state", None, {"table": "mine.csv"}, tmp_path)
    assert got["parameters"]["table"] == "mine.csv"
    assert got["parameters"]["rows"] == [[1, 0, "left", 1, 1.0], [1, 1, "upwind", 1, 1.0]]
    # what was resolved stays as it is, wherever it is resolved again
    again = resolve_model("", "finite_state", None, got["parameters"], tmp_path / "gone")
    assert again == got


def test_every_table_that_comes_along_is_a_preset_and_valid(tmp_path):
    assert set(controllers.shipped()) == set(finite_state.PRESETS)
    for preset in finite_state.PRESETS:
        got = resolve_model("", "finite_state", preset, {}, tmp_path)["parameters"]
        assert got["table"] == preset
        params = finite_state.Params(**got)
        assert finite_state.problem(params, 0.02) is None


WRONG = {
    "header": ("a,b\n", "line 1: found 'a,b'", "memory,odor,action"),
    "empty": ("", "found ''", "memory,odor,action"),
    "no rows": (HEADER, "no rows", "every memory"),
    "values": (HEADER + "1,0,left,1\n", "line 2: 4 values", "5: memory"),
    "memory 0": (HEADER + "0,0,left,1,1\n", "line 2: memory: found '0'", "from 1"),
    "memory word": (HEADER + "one,0,left,1,1\n", "line 2: memory: found 'one'", "from 1"),
    "odour": (SIMPLE.replace("1,1,up", "1,2,up"), "line 3: odor: found '2'", "0 or 1"),
    "action": (SIMPLE.replace("upwind", "upwnd"), "line 3: action: found 'upwnd'", "'upwind'"),
    "probability": (
        SIMPLE.replace("1,1\n1", "1,1.5\n1"),
        "line 2: probability: found '1.5'",
        "0 to",
    ),
    "no number": (SIMPLE.replace("1,1\n1", "1,nan\n1"), "line 2: probability: found 'nan'", "0 to"),
    "twice": (SIMPLE + "1,1,upwind,1,0\n", "line 4: the same as in", "line 3"),
    "next": (SIMPLE.replace("upwind,1", "upwind,2"), "line 3: next_memory: found 2", "1 to 1"),
    "sum": (SIMPLE.replace("1,1\n1", "1,0.5\n1"), "memory 1, odor 0 sum to 0.5", "Allowed: 1"),
    "gap": (SIMPLE + "3,0,left,1,1\n3,1,left,1,1\n", "memory 2, odor 0 sum to 0", "Every memory"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_table_that_is_no_controller_is_refused_where_it_is_wrong(tmp_path, what):
    text, found, allowed = WRONG[what]
    (tmp_path / "mine.csv").write_text(text)
    with pytest.raises(UserError) as error:
        resolve_model("agents.a.", "finite_state", None, {"table": "mine.csv"}, tmp_path)
    assert str(tmp_path / "mine.csv") in str(error.value)
    assert found in str(error.value)
    assert allowed in str(error.value)


def test_a_table_that_is_not_there_is_named_with_its_key(tmp_path):
    with pytest.raises(UserError, match=r"agents\.a\.parameters\.table: .*cast_clock") as error:
        resolve_model("agents.a.", "finite_state", None, {"table": "cast_clok"}, tmp_path)
    assert "Did you mean 'cast_clock'?" in str(error.value)


def test_rows_in_the_config_are_checked_too(tmp_path):
    rows = [[1, 0, "left", 1, 1.0], [1, 1, "north", 1, 1.0]]
    with pytest.raises(UserError, match=r"agents\.a\.parameters\.rows\[1\]: action: .*'north'"):
        resolve_model("agents.a.", "finite_state", None, {"rows": rows}, tmp_path)


def test_a_controller_that_cannot_run_says_why():
    params = finite_state.Params(rows=LEFT_OR_RIGHT, decision_interval_s=0.01)
    assert "shorter than a step" in finite_state.problem(params, 0.02)
    assert finite_state.problem(params, 0.01) is None
    with pytest.raises(UserError, match=r"a\.parameters\.start_memory: found 2\. Allowed: 1 to 1"):
        resolve_model("a.", "finite_state", None, {"rows": LEFT_OR_RIGHT, "start_memory": 2}, None)


def test_the_registry_does_not_take_the_helper_files_for_models():
    assert "finite_state" in registry.names("model")
    assert not [name for name in registry.names("model") if name.startswith("_")]


def test_a_config_has_the_content_of_its_table(tmp_path):
    (tmp_path / "mine.csv").write_text(SIMPLE)
    agents = resolve(config(table="mine.csv"), tmp_path)["agents"]
    assert agents["clerk"]["parameters"]["rows"][1] == [1, 1, "upwind", 1, 1.0]
