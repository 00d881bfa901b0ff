"""Every navigation model, by being registered, is held to the contract."""

import inspect

import numpy as np
import pytest

import factories
from plumenav import registry
from plumenav.models._contract import FAMILIES, ModelParams
from plumenav.models._time_step import check_step

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
    assert model.FAMILY in FAMILIES
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


def own(kind, name):
    """Whether a plug-in is a user's own file."""
    return registry.module_name(kind, name).startswith("plumenav_plugin")


@pytest.mark.parametrize("name", MODELS)
def test_model_of_the_package_has_a_reference(name):
    assert name in registry.names("reference") or own("model", name)


@pytest.mark.parametrize("name", MODELS)
def test_presets_fit_the_step_of_the_publication(name):
    for preset in registry.get("model", name).PRESETS:
        settings = factories.engine_settings(name, preset=preset)
        # refused by a UserError if it does not
        check_step("agents.any", name, settings["parameters"], settings["dt_s"])


@pytest.mark.parametrize("name", MODELS)
def test_engine_and_reference_agree_step_by_step(name, movie):
    from plumenav.references._run import run_sample

    simulate = None
    if name not in registry.names("reference"):
        pytest.skip("it has no reference: runs say that it is not validated")
    if own("reference", name):
        simulate = registry.get("reference", name).simulate
    settings = factories.engine_settings(name)
    plan = factories.plan_columns(6, 40)
    ours, simulations = factories.run(movie, plan, settings)
    rows = [{k: v[i].item() for k, v in plan.items()} for i in range(6)]
    theirs, outcomes = run_sample(rows, settings, movie, simulate)
    theirs = theirs.to_pandas()
    assert len(theirs) == len(ours["step"])
    for column in ("x_mm", "y_mm", "heading_rad", "odor"):
        assert np.abs(theirs[column].to_numpy() - ours[column]).max() < 1e-6
    assert np.array_equal(theirs["state"], ours["state"])
    assert simulations.column("end").to_pylist() == [one["end"] for one in outcomes]
    assert simulations.column("encounters").to_pylist() == [one["encounters"] for one in outcomes]
