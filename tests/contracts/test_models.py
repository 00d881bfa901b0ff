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


def opposite_first_draw(key, d=0):
    """Another noise key whose first draw d lies in the other half of [0, 1)."""
    low = uniform_draws(key, 1, d + 1)[0, d] < 0.5
    return next(k for k in range(100) if (uniform_draws(k, 1, d + 1)[0, d] < 0.5) != low)


def fields(part):
    return registry.get("model", part.model).Params.model_fields


def without_turns(model):
    """Parameters of a model, and of its parts, that switch off noise that turns."""
    quiet = {
        key: 0.0
        for key in ("turn_sd_deg", "drift_sd_deg", "turn_base_hz", "turn_off_hz", "turn_hz")
        if key in model.Params.model_fields
    }
    if "fidelity" in model.Params.model_fields:
        quiet["fidelity"] = "corrected"
    for key in declared(model, "PARTS"):
        part = model.Params.model_fields[key].default
        inner = without_turns(registry.get("model", part.model))
        # other keys draw the sides of the outside model: no chance may be left in the inside one
        inner |= {
            k: 0.0 for k in ("stop_base_hz", "stop_gain_hz") if "stop_gain_hz" in fields(part)
        }
        quiet[key] = {"model": part.model, "parameters": {**part.parameters, **inner}}
    return quiet


@pytest.mark.parametrize("name", MODELS)
def test_mirrored_world_mirrors_the_track(name, tmp_path):
    # mirrored plume, start and signs of turns: an exact symmetry, unless the model says otherwise
    model = registry.get("model", name)
    frames = factories.movie_frames(noise_sd=0.0)
    here = factories.write_movie(tmp_path / "a.parquet", frames, dtype="float32", source=(11.5, 0))
    there = factories.write_movie(
        tmp_path / "b.parquet",
        np.ascontiguousarray(frames[:, ::-1]),
        dtype="float32",
        source=(11.5, 0),
    )
    # blind to direction of drawn signs: noise that turns is switched off where it can be
    settings = factories.engine_settings(name, parameters=without_turns(model), duration_s=4.0)
    plan = factories.plan_columns(8, 40)
    mirrored = {**plan, "y_mm": -plan["y_mm"], "heading_rad": -plan["heading_rad"]}
    sides = [d for d, draw in enumerate(model.Noise._fields) if draw.endswith("first_side")]
    if sides:
        # this sign is drawn at the first step: choose keys that draw the other one
        mirrored["key"] = np.array(
            [opposite_first_draw(int(key), sides[0]) for key in plan["key"]], np.uint64
        )
    a, _ = factories.run(here, plan, settings)
    b, _ = factories.run(there, mirrored, settings)
    assert np.ptp(a["x_mm"]) > 1.0
    assert np.allclose(a["x_mm"], b["x_mm"], atol=1e-6)
    assert np.allclose(a["y_mm"], -b["y_mm"], atol=1e-6)
