"""Fields of detections: their formula, how hits are drawn, and a whole engine call with them."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.special import k0, k0e
from scipy.stats import poisson

import factories
from plumenav.analysis.plume_maps import counts_hits, plume_maps
from plumenav.config.load import resolve
from plumenav.engine.fields import _detections, gaussian, isotropic_detections, windy_detections
from plumenav.engine.run import Blocks, simulate
from plumenav.errors import UserError
from plumenav.figures.fig1_plumes import concentration_label
from plumenav.references import _plume, _run
from plumenav.rng import FIELD_BLOCK, uniform_draws
from plumenav.tables import PlumeReader

# R dt = 2 hits per step, cells of 1 mm, searcher of half a cell; computed with OTTO itself
OTTO = {
    1.0: (1.214820, 0.328628, 0.100237, 0.032200, 0.010650),
    2.0: (1.333655, 0.607410, 0.308456, 0.164314, 0.089949),
}

MODULES = {"isotropic_detections": isotropic_detections, "windy_detections": windy_detections}


@pytest.mark.parametrize("k0_scaled", [_detections.scaled_k0, lambda z: _plume.bessel_k0(z)])
def test_bessel_function(k0_scaled):
    z = np.concatenate([np.geomspace(1e-8, 650, 600), np.linspace(1.9, 2.4, 101)])
    expected = k0e(z) if k0_scaled is _detections.scaled_k0 else k0(z)
    found = np.array([k0_scaled(float(one)) for one in z])
    assert np.abs(found / expected - 1).max() < 1e-12


@pytest.mark.parametrize("length", OTTO)
def test_isotropic_rate_is_that_of_otto(length):
    constants = isotropic_detections.Constants(2.0, length, 0.5)
    found = [isotropic_detections.mean(0.6 * d, 0.8 * d, constants) for d in range(1, 6)]
    assert found == pytest.approx(OTTO[length], abs=6e-7)


def test_windy_rate():
    c = windy_detections.Constants(3.0, 80.0, 900.0, 4.0, 2.0)
    length = math.sqrt(900.0 * 4.0 / (1 + 80.0**2 * 4.0 / (4 * 900.0)))
    for x, y in ((30.0, 10.0), (-20.0, 5.0), (200.0, -60.0)):
        expected = 3.0 / math.log(length / 2.0) * math.exp(80.0 * x / 1800.0)
        expected *= k0(math.hypot(x, y) / length)
        assert windy_detections.mean(x, y, c) == pytest.approx(expected, rel=1e-12)
    # inside the searcher's radius: as at its edge, not infinite
    assert windy_detections.mean(0.0, 0.0, c) < windy_detections.mean(1.9, 0.0, c)
    assert windy_detections.mean(0.0, 2.0, c) == windy_detections.mean(0.0, 0.0, c)
    # where each factor alone leaves the range of numbers
    far = windy_detections.mean(1e5, 0.0, c)
    z = 1e5 / length
    expected = 3.0 / math.log(length / 2.0) * math.exp(80.0 * 1e5 / 1800.0 - z) * k0e(z)
    assert far == pytest.approx(expected, rel=1e-9)


def test_no_wind_is_the_isotropic_model():
    windy = windy_detections.Constants(2.0, 0.0, 50.0, 8.0, 3.0)
    calm = isotropic_detections.Constants(2.0, 20.0, 3.0)
    for x, y in ((5.0, 0.0), (-30.0, 40.0), (0.0, 0.0)):
        assert windy_detections.mean(x, y, windy) == isotropic_detections.mean(x, y, calm)


@pytest.mark.parametrize("field", _plume.DETECTIONS)
def test_references_compute_the_same_rates(field):
    constants = MODULES[field].Constants()
    for x, y in np.random.default_rng(2).uniform(-400, 400, (200, 2)):
        theirs = _plume.DETECTIONS[field](constants._asdict(), x, y)
        assert theirs == pytest.approx(MODULES[field].mean(x, y, constants), rel=1e-11)


@pytest.mark.parametrize("mean", [0.0, 1e-9, 0.3, 5.0, 80.0, 500.0])
def test_hits_invert_the_distribution(mean):
    for u in (0.0, 0.5, 1 - 1e-9, *np.random.default_rng(3).random(300).tolist()):
        n = _detections.hits(mean, u)
        assert n == _plume.hits(mean, u)
        assert poisson.cdf(n, mean) >= u - 1e-12
        assert n == 0 or poisson.cdf(n - 1, mean) <= u + 1e-12


def test_hits_end():
    largest = 1 - 2.0**-53
    assert _detections.hits(1e9, 0.5) == _detections.hits(500.0, 0.5)
    for mean in (1e-300, 1.0, 20.0, 500.0):
        assert _detections.hits(mean, largest) < mean + 12 * math.sqrt(mean) + 30


@pytest.mark.parametrize(
    ("field", "parameters", "message"),
    [
        ("isotropic_detections", {"length_mm": 2.0}, "more than radius_mm"),
        ("isotropic_detections", {"radius_mm": 0.0}, "radius_mm is 0"),
        ("isotropic_detections", {"emission_hz": -1.0}, "emission_hz is -1"),
        ("windy_detections", {"diffusivity_mm2_s": 0.0}, "diffusivity_mm2_s is 0"),
        ("windy_detections", {"lifetime_s": -1.0}, "lifetime_s is -1"),
        ("windy_detections", {"wind_mm_s": -1.0}, "wind_mm_s is -1"),
        ("gaussian", {"sigma_mm": 0.0}, "sigma_mm is 0"),
    ],
)
def test_impossible_constants_are_refused(tmp_path, field, parameters, message):
    config = {
        "run": "r",
        "recordings": {"hits": {"analytic": {"field": field, "parameters": parameters}}},
        "agents": {"a": {"model": "correlated_random_walk"}},
    }
    with pytest.raises(UserError, match=message) as error:
        resolve(config, tmp_path)
    assert "recordings.hits.analytic.parameters" in str(error.value)
    assert gaussian.problem(gaussian.Constants()) is None


@pytest.mark.parametrize("field", _plume.DETECTIONS)
def test_maps_show_the_mean_rate(tmp_path, field):
    constants = MODULES[field].Constants()
    path = factories.write_analytic(tmp_path / "hits.parquet", field, **constants._asdict())
    maps = plume_maps(path)
    assert maps.mean[79, 49 + 20] == pytest.approx(
        MODULES[field].mean(19.5, 0.5, constants), rel=1e-6
    )
    section = {"analytic": {"field": field}}
    assert counts_hits(section)
    run = SimpleNamespace(config={"recordings": {"hits": section}})
    assert concentration_label(run, "hits").startswith("hits per second")
    assert not counts_hits({"analytic": {"field": "gaussian"}})
    assert not counts_hits({"analytic": None})


# ----------------------------------------------------------------------------- whole engine call


def standing(duration_s, dt_s=0.1, **sensor):
    """Agents that stay where they are and record what they sense in every step."""
    return {
        "model": "correlated_random_walk",
        "parameters": {"speed_mm_s": 0.0, "turn_sd_deg": 0.0},
        "dt_s": dt_s,
        "duration_s": duration_s,
        "success_radius_mm": 0.001,
        "arrival": "continue",
        "boundary": "open",
        "movie_end": "loop",
        "wind_speed_mm_s": 100.0,
        "wind_toward_rad": 0.0,
        "sensor": {
            "shape": "point",
            "parameters": {},
            "interpolation": "nearest",
            "threshold": 1.0,
            "dead_zone": None,
            **sensor,
        },
        "control": "none",
        "record_every": 1,
        "record_variables": False,
    }


def sensed(path, settings, plan, **how):
    """Readings, one row per simulation, and the table of simulations."""
    rows = []
    with PlumeReader(path) as reader:
        outcome = simulate(Blocks(reader), plan, settings, rows.append, **how)
    columns = {name: np.concatenate([r[name] for r in rows]) for name in rows[0]}
    order = np.lexsort((columns["step"], columns["simulation"]))
    n = len(plan["simulation"])
    return columns["odor"][order].reshape(n, -1), outcome.simulations


def places(x_mm, y_mm):
    plan = factories.plan_columns(len(x_mm), 1)
    return {**plan, "x_mm": np.array(x_mm, float), "y_mm": np.array(y_mm, float)}


@pytest.mark.parametrize("field", _plume.DETECTIONS)
def test_hits_have_the_rate_of_the_model_and_are_poissonian(tmp_path, field):
    path = factories.write_analytic(tmp_path / "hits.parquet", field)
    constants = MODULES[field].Constants()
    plan = places([0.0, 5.0, 20.0, 60.0, 30.0], [0.0, 2.0, 0.0, 10.0, -30.0])
    counts, _ = sensed(path, standing(2000.0), plan)
    assert np.array_equal(counts, np.rint(counts))
    for x, y, row in zip(plan["x_mm"], plan["y_mm"], counts, strict=True):
        expected, n = MODULES[field].mean(x, y, constants) * 0.1, len(row)
        assert abs(row.mean() - expected) < 4 * math.sqrt(expected / n)
        # variance of a Poisson sample's variance: (mean + 2 mean^2) / n
        spread = math.sqrt((1 / expected + 2) / n)
        assert abs(row.var() / row.mean() - 1) < 4 * spread
        # one step tells nothing about the next
        assert abs(np.corrcoef(row[1:], row[:-1])[0, 1]) < 4 / math.sqrt(n)
    # nor one agent about another
    near = counts[:3]
    assert np.abs(np.corrcoef(near) - np.eye(3)).max() < 4 / math.sqrt(counts.shape[1])


def test_draws_are_those_of_the_field_and_not_the_model_s(tmp_path):
    path = factories.write_analytic(tmp_path / "hits.parquet", "isotropic_detections")
    plan = places([8.0], [0.0])
    counts, _ = sensed(path, standing(5.0), plan)
    u = uniform_draws(int(plan["key"][0]), 50, 1, FIELD_BLOCK)[:, 0]
    mean = isotropic_detections.mean(8.0, 0.0, isotropic_detections.Constants()) * 0.1
    assert counts[0].tolist() == [poisson.ppf(one, mean) for one in u]
    assert not np.isclose(u, uniform_draws(int(plan["key"][0]), 50, 1)[:, 0]).any()


def test_points_of_a_sensor_share_the_draw(tmp_path):
    path = factories.write_analytic(tmp_path / "hits.parquet", "isotropic_detections")
    plan = places([8.0], [0.0])
    small = {"centre_mm": 0.0, "along_mm": 1e-7, "across_mm": 1e-6, "spacing_mm": 5e-7}
    point, _ = sensed(path, standing(200.0), plan)
    many, _ = sensed(path, standing(200.0, shape="ellipse", parameters=small), plan)
    assert point.max() >= 1
    assert np.array_equal(point, many)


WALK = {"speed_mm_s": 10.0, "turn_sd_deg": 60.0}


@pytest.mark.parametrize("field", _plume.DETECTIONS)
@pytest.mark.parametrize("shape", ["point", "ellipse"])
def test_engine_and_reference_agree(tmp_path, field, shape):
    constants = MODULES[field].Constants()._asdict()
    path = factories.write_analytic(tmp_path / "hits.parquet", field, **constants)
    plan = places([40.0, 15.0, 25.0, -10.0], [0.0, 10.0, -5.0, 3.0])
    sizes = (
        {"centre_mm": 1.24, "along_mm": 0.5, "across_mm": 1.0, "spacing_mm": 0.5}
        if shape == "ellipse"
        else {}
    )
    settings = standing(30.0, shape=shape, parameters=sizes) | {"parameters": WALK}
    odor, simulations = sensed(path, settings, plan)
    rows = [{name: column[i] for name, column in plan.items()} for i in range(4)]
    steps, outcomes = _run.run_sample(rows, settings, path)
    assert np.array_equal(steps.column("odor").to_numpy().reshape(4, -1), odor)
    assert odor.max() >= 1
    assert [o["encounters"] for o in outcomes] == simulations.column("encounters").to_pylist()


def test_same_hits_in_any_chunks_and_threads(tmp_path):
    path = factories.write_analytic(tmp_path / "hits.parquet", "windy_detections")
    plan = factories.plan_columns(9, 1, x_mm=(5.0, 60.0), y_mm=(-15.0, 15.0))
    settings = standing(20.0) | {"parameters": WALK}
    together, _ = sensed(path, settings, plan)
    threaded, _ = sensed(path, settings, plan, threads=3, capacity=17)
    alone = [
        sensed(path, settings, {name: column[i : i + 1] for name, column in plan.items()})[0]
        for i in reversed(range(9))
    ]
    assert np.array_equal(together, threaded)
    assert np.array_equal(together, np.concatenate(alone[::-1]))
