"""Every generator keeps the contract of recordings/synthesis/_contract.py."""

import importlib
import json

import pytest

from plumenav import registry
from plumenav.errors import UserError
from plumenav.recordings.synthesis._contract import SynthesisParams
from plumenav.recordings.synthesis._params import ImageParams

SMALL = {"frames": 3, "height_px": 24, "width_px": 20, "source_row_px": 2, "source_column_px": 10}


def generators():
    modules = {name: registry.get("synthesis", name) for name in registry.names("synthesis")}
    template = importlib.import_module("plumenav.recordings.synthesis._template")
    return {**modules, "template": template}


GENERATORS = generators()


@pytest.mark.parametrize("name", GENERATORS)
def test_parameters_are_documented(name):
    module = GENERATORS[name]
    assert module.CITATION
    assert issubclass(module.Params, SynthesisParams)
    assert set(ImageParams.model_fields) <= set(module.Params.model_fields)
    for key, field in module.Params.model_fields.items():
        assert field.description, key
        assert field.json_schema_extra["unit"], key
    json.dumps(module.Params.model_json_schema())


@pytest.mark.parametrize("name", GENERATORS)
def test_presets_are_valid_and_the_first_is_the_default(name):
    module = GENERATORS[name]
    first, *_ = module.PRESETS
    assert module.Params(**module.PRESETS[first]) == module.Params()
    for values in module.PRESETS.values():
        module.Params(**values)


@pytest.mark.parametrize("name", GENERATORS)
def test_recording_is_a_function_of_its_arguments(name, tmp_path):
    module = GENERATORS[name]
    for file_format, ending in (("hdf5", "h5"), ("mjpeg_avi", "avi")):
        gain = {"gain": 100.0} if file_format == "mjpeg_avi" else {}
        runs = []
        for run, seed in enumerate([5, 5, 6]):
            path = tmp_path / f"{run}" / f"movie.{ending}"
            facts = module.synthesize(path, file_format, seed, {**SMALL, **gain, "noise_sd": 1.0})
            assert json.loads(json.dumps(facts, allow_nan=False)) == facts
            runs.append((path.read_bytes(), facts))
        assert runs[0] == runs[1]
        assert runs[0][0] != runs[2][0]


@pytest.mark.parametrize("name", GENERATORS)
def test_unknown_parameter_is_refused(name, tmp_path):
    with pytest.raises(UserError, match="Did you mean 'frames'"):
        GENERATORS[name].synthesize(tmp_path / "m.h5", "hdf5", 1, {"framess": 3})
