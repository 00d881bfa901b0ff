"""Belief-based searchers in the engine: against their references, mirrored, turned and refused."""

import math

import numpy as np
import pytest

import factories
from plumenav import registry
from plumenav.analysis.agreement import TIE
from plumenav.errors import UserError
from plumenav.models import _belief, infotaxis, space_aware_infotaxis
from plumenav.models._contract import Surroundings
from plumenav.references._run import run_sample

MODELS = ("infotaxis", "space_aware_infotaxis")
WIND = {"emission_hz": 2.0, "wind_mm_s": 60.0, "diffusivity_mm2_s": 900.0, "lifetime_s": 3.0}
RADIUS_MM = 2.0


def windy_knowledge():
    """What a perfect fit to the field of windy detections gives."""
    v, d, tau = WIND["wind_mm_s"], WIND["diffusivity_mm2_s"], WIND["lifetime_s"]
    length = math.sqrt(d * tau / (1 + v**2 * tau / (4 * d)))
    return {
        "detection_rate_hz_scale": np.array(WIND["emission_hz"] / math.log(length / RADIUS_MM)),
        "detection_length_mm": np.array([length]),
        "detection_drift_per_mm": np.array(v / (2 * d)),
        "detection_radius_mm": np.array(RADIUS_MM),
    }


@pytest.fixture(scope="module")
def movie(tmp_path_factory):
    return factories.write_movie(tmp_path_factory.mktemp("belief") / "movie.parquet")


@pytest.fixture(scope="module")
def windy(tmp_path_factory):
    path = tmp_path_factory.mktemp("belief") / "windy.parquet"
    return factories.write_analytic(path, "windy_detections", **WIND, radius_mm=RADIUS_MM)


def surroundings(**changes):
    return Surroundings(
        **{
            **{"x_min_mm": -50.0, "x_max_mm": 250.0, "y_min_mm": -80.0, "y_max_mm": 80.0},
            **{"wind_speed_mm_s": 100.0, "wind_toward_rad": 0.0, "dt_s": 0.02},
            "prepared": factories.DETECTIONS,
            **changes,
        }
    )


def tables(model=infotaxis, parameters=None, **changes):
    params = model.Params(**(parameters or {}))
    return model.tables(params, model.constants(params, 100.0), surroundings(**changes))


# ------------------------------------------------------------------------- what it knows


def test_rate_is_the_one_that_was_fitted():
    from scipy.special import k0

    known = _belief.Detections(1.5, 60.0, 0.014, 2.0)
    x, y = np.array([30.0, -20.0, 0.5]), np.array([10.0, 5.0, 0.0])
    r = np.maximum(np.hypot(x, y), 2.0)
    expected = 1.5 * np.exp(0.014 * x) * k0(r / 60.0)
    assert known.rate_hz(x, np.hypot(x, y)) == pytest.approx(expected, rel=1e-13)
    # far downwind neither factor is a number of its own
    assert 0 < known.rate_hz(np.array([60_000.0]), np.array([60_000.0]))[0] < 1e-30


def test_chances_where_the_wind_blows_to_the_left():
    s = surroundings(wind_toward_rad=math.pi / 2)
    params = infotaxis.Params()
    g = _belief.geometry(params, s)
    assert (g.rows, g.columns, g.steps, g.cell_mm) == (33, 61, 25, 5.0)
    chances = _belief.chances(params, s, g)
    # source three cells to the right (-y) of the searcher, which is downwind of it, and one ahead
    rate = _belief.detections(params, s).rate_hz(np.array([15.0]), np.array([math.hypot(15, 5)]))
    assert chances[0, g.rows - 3, g.columns + 1] == pytest.approx(math.exp(-0.5 * rate[0]))
    assert not chances[:, g.rows, g.columns].any()


def test_isotropic_searchers_ignore_the_drift():
    plain, still = (
        _belief.detections(infotaxis.Params(**changes), surroundings())
        for changes in ({}, {"detection": "isotropic"})
    )
    assert plain.drift_per_mm == 0.014
    assert still == plain._replace(drift_per_mm=0.0)


def test_numbers_of_hits_by_the_rule_of_otto():
    # 0.5 s at 1.5 * K0(5 / 60) per second: a mean of 1.96
    assert tables(parameters={"hit_values": 0}).hit_values == math.ceil(1.96 + 1.4) + 1
    assert tables().hit_values == 2


def test_found_radius_covers_neighbours():
    assert tables().found.tolist() == [[0, 0]]
    wide = tables(parameters={"found_radius_mm": 5.0}).found.tolist()
    assert sorted(wide) == [[-1, 0], [0, -1], [0, 0], [0, 1], [1, 0]]


@pytest.mark.parametrize("model", [infotaxis, space_aware_infotaxis])
def test_too_many_cells_are_refused(model):
    with pytest.raises(UserError, match="321 x 601") as error:
        tables(model, {"decision_interval_s": 0.05, "speed_mm_s": 10.0}, dt_s=0.05)
    assert "20000" in str(error.value)


def test_without_a_fit_there_is_no_searcher():
    with pytest.raises(UserError, match="detection_length_mm"):
        tables(prepared={"detection_rate_hz_scale": np.array(1.0)})


@pytest.mark.parametrize(
    ("changes", "dt_s", "said"),
    [
        ({}, 0.02, None),
        ({"decision_interval_s": 0.02}, 0.02, None),
        ({"decision_interval_s": 0.01}, 0.02, "shorter than a step"),
        ({"hit_values": 1}, 0.02, "at least two"),
    ],
)
def test_parameters_that_cannot_run(changes, dt_s, said):
    problem = infotaxis.problem(infotaxis.Params(**changes), dt_s)
    assert problem is None if said is None else said in problem


# ----------------------------------------------------------------- against the references


CASES = {
    "corrected": {"parameters": {"fidelity": "corrected", "tie_bits": 0.02}},
    "counted": {"parameters": {"hit_values": 0, "stay": False, "found_radius_mm": 9.0}},
    "isotropic": {"parameters": {"detection": "isotropic"}},
    "wind to the left": {"wind_toward_rad": 1.2, "boundary": "reflect"},
    "drawn, wind to the right": {
        "wind_toward_rad": -1.5,
        "parameters": {"fidelity": "corrected", "tie_bits": 0.05},
    },
    "drawn, wind against x": {
        "wind_toward_rad": 3.0,
        "parameters": {"fidelity": "corrected", "tie_bits": 0.05},
    },
    "every step": {"parameters": {"decision_interval_s": 0.2}, "dt_s": 0.2, "duration_s": 30.0},
    "smells nothing": {"control": "blind"},
}


def compare(name, plume, frames, **changes):
    """Run engine and reference; rows must be equal up to the first tie."""
    settings = factories.engine_settings(name, **{"duration_s": 8.0, **changes})
    plan = factories.plan_columns(4, frames)
    ours, _ = factories.run(plume, plan, settings)
    rows = [{k: v[i].item() for k, v in plan.items()} for i in range(4)]
    theirs = run_sample(rows, settings, plume)[0].to_pandas()
    steps = 0
    for i in range(4):
        mine = {k: v[ours["simulation"] == i] for k, v in ours.items()}
        other = theirs[theirs["simulation"] == i]
        ties = np.flatnonzero(other["margin"].to_numpy() < TIE)
        n = ties[0] + 1 if ties.size else len(other)
        steps += n
        for column in ("x_mm", "y_mm", "heading_rad", "odor"):
            assert np.abs(other[column].to_numpy()[:n] - mine[column][:n]).max() < 1e-6
        assert np.array_equal(other["state"].to_numpy()[:n], mine["state"][:n])
        if not ties.size:
            assert len(mine["step"]) == len(other)
    return steps / len(theirs), ours


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("case", CASES)
def test_engine_and_reference_take_the_same_decisions(name, case, movie):
    compared, ours = compare(name, movie, 40, **CASES[case])
    assert compared > 0.7, "ties are rare"
    assert np.ptp(ours["x_mm"]) > 5.0


@pytest.mark.parametrize("name", MODELS)
def test_engine_and_reference_agree_where_hits_are_counted(name, windy):
    settings = {
        "parameters": {"count": "hits", "hit_values": 4},
        "prepared": windy_knowledge(),
        "duration_s": 20.0,
        "sensor": {"threshold": 1.0},
    }
    compared, ours = compare(name, windy, 1, **settings)
    assert compared > 0.7
    assert ours["odor"].max() >= 1.0


# ------------------------------------------------------------------------------- behaviour


@pytest.mark.parametrize("name", MODELS)
def test_it_finds_a_source_it_knows_the_plume_of_and_the_blind_do_not(name, windy):
    plan = factories.plan_columns(40, 1)
    found = {}
    for control in ("none", "blind"):
        settings = factories.engine_settings(
            name,
            parameters={"count": "hits"},
            prepared=windy_knowledge(),
            duration_s=90.0,
            control=control,
            record_every=1000,
            success_radius_mm=5.0,
        )
        _, simulations = factories.run(windy, plan, settings)
        found[control] = sum(simulations.column("success").to_pylist())
    assert found["none"] >= 36
    assert found["blind"] <= found["none"] - 8


@pytest.mark.parametrize("name", MODELS)
def test_results_do_not_depend_on_who_else_runs(name, movie):
    settings = factories.engine_settings(name)
    plan = factories.plan_columns(6, 40)
    together, _ = factories.run(movie, plan, settings, threads=2)
    alone, _ = factories.run(movie, {k: v[4:5] for k, v in plan.items()}, settings, capacity=17)
    mine = together["simulation"] == 4
    for column in ("x_mm", "y_mm", "heading_rad", "state"):
        assert np.array_equal(together[column][mine], alone[column])


def test_moves_are_one_cell_along_an_axis(movie):
    settings = factories.engine_settings("infotaxis", duration_s=10.0)
    plan = factories.plan_columns(5, 40)
    ours, _ = factories.run(movie, plan, settings)
    for i in range(5):
        mine = ours["simulation"] == i
        # decisions in steps 24, 49, ...: it listens first
        assert np.ptp(ours["x_mm"][mine][:25]) == 0.0
        at = np.stack([ours["x_mm"][mine], ours["y_mm"][mine]])[:, 24::25]
        cells = (at - at[:, :1]) / 5.0
        assert np.abs(cells - np.round(cells)).max() < 1e-9
        assert np.abs(np.diff(np.round(cells))).sum(axis=0).max() == 1
        # the arena: -2.5 .. 197.5 and -47.5 .. 72.5 mm
        assert at[0].min() >= -2.5
        assert at[1].max() <= 72.5


def test_one_that_starts_outside_comes_back(movie):
    settings = factories.engine_settings("infotaxis", duration_s=6.0)
    plan = factories.plan_columns(3, 40, x_mm=(205.0, 210.0), y_mm=(80.0, 81.0))
    ours, _ = factories.run(movie, plan, settings)
    last = ours["step"] == ours["step"].max()
    assert (ours["x_mm"][last] <= 197.5).all()
    assert (ours["y_mm"][last] <= 72.5).all()
    assert set(ours["state"]) == {0, 1, 2}


@pytest.mark.parametrize("name", MODELS)
def test_a_quarter_turn_of_everything_turns_the_track(name, tmp_path):
    frames = factories.movie_frames(noise_sd=0.0)
    here = factories.write_movie(tmp_path / "a.parquet", frames, dtype="float32")
    # columns ran downwind (+x), now rows run backwards: the wind blows to +y
    turned = np.ascontiguousarray(np.rot90(frames, axes=(1, 2)))
    there = factories.write_movie(
        tmp_path / "b.parquet", turned, dtype="float32", source=(39.0, 14.0)
    )
    plan = factories.plan_columns(6, 40)
    plan_turned = {**plan, "x_mm": -plan["y_mm"], "y_mm": plan["x_mm"]}
    settings = factories.engine_settings(name, duration_s=8.0)
    a, _ = factories.run(here, plan, settings)
    b, _ = factories.run(there, plan_turned, {**settings, "wind_toward_rad": math.pi / 2})
    assert np.ptp(a["x_mm"]) > 20.0
    assert np.abs(a["x_mm"] - b["y_mm"]).max() < 1e-6
    assert np.abs(a["y_mm"] + b["x_mm"]).max() < 1e-6


@pytest.mark.parametrize("name", MODELS)
def test_the_ties_of_a_symmetric_world_mirror_only_if_drawn(name, tmp_path):
    # start on the axis of a symmetric arena without odour: left and right are equally good
    frames = np.zeros((2, 21, 40))
    plume = factories.write_movie(
        tmp_path / "a.parquet", frames, dtype="float32", source=(10.0, 0.0)
    )
    plan = factories.plan_columns(16, 2, y_mm=(0.0, 0.0))
    settings = factories.engine_settings(
        name, parameters={"fidelity": "corrected"}, duration_s=20.0
    )
    ours, _ = factories.run(plume, plan, settings)
    first = {}
    for i in range(16):
        y = ours["y_mm"][ours["simulation"] == i]
        first[i] = float(np.sign(y[np.abs(y) > 1.0][:1]).sum())
    assert set(first.values()) >= {1.0, -1.0}
    published = {**settings, "parameters": {**settings["parameters"], "fidelity": "published"}}
    ours, _ = factories.run(plume, plan, published)
    assert set(np.sign(ours["y_mm"][np.abs(ours["y_mm"]) > 1.0][:50])) == {-1.0}
    model = registry.get("model", name)
    assert set(model.broken_symmetries(model.Params())) == {"mirror", "rotation"}
    assert model.broken_symmetries(model.Params(fidelity="corrected")) == {}
