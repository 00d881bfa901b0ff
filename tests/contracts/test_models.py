"""Every navigation model, by being registered, is held to the contract."""

import inspect

import numpy as np
import pytest

import factories
from plumenav import registry
from plumenav.models._contract import ModelParams, declared
from plumenav.rng import uniform_draws

MODELS = registry.names("model")


@pytest.fixture(scope="module")
def movie(tmp_path_factory):
    return factories.write_movie(tmp_path_factory.mktemp("plume") / "movie.parquet")


@pytest.mark.parametrize("name", MODELS)
def test_model_declares_what_the_contract_asks(name):
    model = registry.get("model", name)
    assert issubclass(model.Params, ModelParams)
    assert model.__doc__
    assert len(model.CITATION) > 20
    assert model.PUBLICATION_DT_S > 0
    assert {"shape", "interpolation", "threshold", "dead_zone"} <= set(model.SENSOR)
    assert 1 <= len(model.Noise._fields) <= 16
    for preset in model.PRESETS.values():
        model.Params(**preset)
    assert next(iter(model.PRESETS.values())) == {}, "the first preset is the defaults"


@pytest.mark.parametrize("name", MODELS)
def test_every_parameter_says_unit_meaning_and_source(name):
    for field in registry.get("model", name).Params.model_fields.values():
        assert field.description
        assert field.json_schema_extra["unit"]
        assert field.json_schema_extra["source"]


@pytest.mark.parametrize("name", MODELS)
def test_model_needs_no_compiler_to_import(name):
    source = inspect.getsource(registry.get("model", name))
    assert "import numba" not in source
    assert "from numba" not in source


@pytest.mark.parametrize("name", MODELS)
def test_model_has_a_reference(name):
    assert name in registry.names("reference")


@pytest.mark.parametrize("name", MODELS)
def test_engine_and_reference_agree_step_by_step(name, movie):
    from plumenav.references._run import run_sample

    settings = factories.engine_settings(name)
    plan = factories.plan_columns(6, 40)
    ours, simulations = factories.run(movie, plan, settings)
    rows = [{k: v[i].item() for k, v in plan.items()} for i in range(6)]
    theirs, outcomes = run_sample(rows, settings, movie)
    theirs = theirs.to_pandas()
    assert len(theirs) == len(ours["step"])
    for column in ("x_mm", "y_mm", "heading_rad", "odor"):
        assert np.abs(theirs[column].to_numpy() - ours[column]).max() < 1e-6
    assert np.array_equal(theirs["state"], ours["state"])
    assert simulations.column("end").to_pylist() == [one["end"] for one in outcomes]
    assert simulations.column("encounters").to_pylist() == [one["encounters"] for one in outcomes]


@pytest.mark.parametrize("name", MODELS)
def test_mirrored_world_mirrors_the_track(name, tmp_path, monkeypatch):
    # mirrored plume, start and draws: an exact symmetry, unless the model says otherwise; shown on
    # the reference, which the engine equals step by step
    from plumenav.references import _loop
    from plumenav.references._run import run_sample

    model = registry.get("model", name)
    frames = factories.movie_frames(noise_sd=0.0)
    here, there = (
        factories.write_movie(tmp_path / file, images, dtype="float32", source=(11.5, 0))
        for file, images in (
            ("a.parquet", frames),
            ("b.parquet", np.ascontiguousarray(frames[:, ::-1])),
        )
    )
    exact = {"fidelity": "corrected"} if "fidelity" in model.Params.model_fields else {}
    settings = factories.engine_settings(name, parameters=exact, duration_s=4.0)
    if "mirror" in declared(model, "broken_symmetries")(model.Params(**settings["parameters"])):
        pytest.skip("the model says why not")
    plan = factories.plan_columns(4, 40)
    rows = [{key: column[i].item() for key, column in plan.items()} for i in range(4)]
    others = [{**row, "y_mm": -row["y_mm"], "heading_rad": -row["heading_rad"]} for row in rows]

    def mirrored_draws(key, n_steps, n_draws, *block):
        draws = uniform_draws(key, n_steps, n_draws, *block)
        if block:  # chances of the field, not the model's
            return draws
        return np.array([model.mirrored(model.Noise(*row)) for row in draws.tolist()])

    a, _ = run_sample(rows, settings, here)
    monkeypatch.setattr(_loop, "uniform_draws", mirrored_draws)
    b, _ = run_sample(others, settings, there)
    assert len(a) == len(b)
    x, y = a.column("x_mm").to_numpy(), a.column("y_mm").to_numpy()
    moved = max(np.ptp(x[a.column("simulation").to_numpy() == i]) for i in range(4))
    assert moved > 1.0
    assert np.abs(x - b.column("x_mm").to_numpy()).max() < 1e-6
    assert np.abs(y + b.column("y_mm").to_numpy()).max() < 1e-6
    assert a.column("state").equals(b.column("state"))
