"""Every generator keeps the contract of recordings/synthesis/_contract.py."""

import importlib
import json
import typing

import numpy as np
import pytest

from plumenav import registry, world
from plumenav.errors import UserError
from plumenav.recordings.synthesis._contract import resolve
from plumenav.recordings.synthesis._formats import Format
from plumenav.recordings.synthesis._params import MovieParams
from plumenav.recordings.synthesis._writers import EXTENSIONS, FORMATS

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
    assert issubclass(module.Params, MovieParams)
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


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize("name", GENERATORS)
def test_recording_is_a_function_of_its_arguments(name, file_format, tmp_path):
    module = GENERATORS[name]
    gain = {"gain": 100.0} if FORMATS[file_format].dtype.kind == "u" else {}
    runs = []
    for run, seed in enumerate([5, 5, 6]):
        path = tmp_path / f"{run}" / f"movie.{EXTENSIONS[file_format]}"
        facts = module.synthesize(path, file_format, seed, {**SMALL, **gain, "noise_sd": 1.0})
        assert json.loads(json.dumps(facts, allow_nan=False)) == facts
        assert [p.name for p in path.parent.iterdir()] == [path.name]
        runs.append((path.read_bytes(), facts))
    assert runs[0] == runs[1]
    assert runs[0][0] != runs[2][0]


@pytest.mark.parametrize("name", GENERATORS)
def test_facts_say_what_is_known(name, tmp_path):
    facts = GENERATORS[name].synthesize(tmp_path / "m.npy", "npy", 1, {**SMALL, "mm_per_px": 4.0})
    assert facts["generator"] == name
    assert facts["citation"] == GENERATORS[name].CITATION
    assert facts["wind"]["speed_mm_s"] == facts["wind_mm_s"] >= 0
    assert isinstance(facts["odor_moves"], bool)
    speed_px_s = np.hypot(facts["wind_px_s"]["row"], facts["wind_px_s"]["column"])
    assert speed_px_s * 4.0 == pytest.approx(facts["wind_mm_s"])
    assert facts["source_px"] == {"row": 2.0, "column": 10.0}
    assert facts["mm_per_px"] == 4.0


@pytest.mark.parametrize("name", GENERATORS)
def test_frames_of_the_truth(name):
    module = GENERATORS[name]
    params = resolve(module.Params, module.PRESETS, {**SMALL, "frames": 7, "lead_in_frames": 2})
    every = list(module.concentration_frames(params, 4))
    some = list(module.concentration_frames(params, 4, 3))
    assert len(every) == 7
    assert len(some) == 3
    for frame, again in zip(every[::3], some, strict=True):
        assert frame.shape == (24, 20)
        assert frame.dtype == np.float32
        assert np.array_equal(frame, again)
    # nothing is emitted during the lead-in, and no noise is part of the truth
    assert not np.any(every[:2])


TOWARD = [("+row", False), ("-row", True), ("-column", False), ("+column", True)]


@pytest.mark.parametrize("name", GENERATORS)
@pytest.mark.parametrize(("toward", "mirrored"), TOWARD)
def test_the_plume_is_turned_with_the_camera(name, toward, mirrored):
    """The same plume seen by a turned camera is the same plume once it is turned back."""
    module = GENERATORS[name]
    base = {"frames": 4, "mm_per_px": 3.0, "frame_rate_hz": 20.0}
    base |= {"preset": "single"} if name == "blob" else {}  # others lie where the picture is
    straight = {**base, "height_px": 40, "width_px": 60, "wind_toward": "+column"}
    straight |= {"source_row_px": 15.0, "source_column_px": 5.0}
    height, width = (60, 40) if "row" in toward else (40, 60)
    # where the source is in the turned picture: the one place that is turned back to (15, 5)
    row, column = next(
        (r, c)
        for r in range(height)
        for c in range(width)
        if world.orient_pixel(r, c, height, width, toward, mirrored) == (15, 5)
    )
    turned = {**base, "height_px": height, "width_px": width, "wind_toward": toward}
    turned |= {"source_row_px": row, "source_column_px": column, "mirrored": mirrored}
    frames = [
        list(module.concentration_frames(resolve(module.Params, module.PRESETS, how), 3))
        for how in (straight, turned)
    ]
    for first, second in zip(*frames, strict=True):
        assert np.allclose(first, world.orient_image(second, toward, mirrored), atol=2e-3)
    assert name == "uniform" or np.ptp(frames[0][-1]) > 0.1


def test_formats_are_named_once():
    assert set(typing.get_args(Format)) == set(FORMATS) == set(EXTENSIONS)


@pytest.mark.parametrize("name", GENERATORS)
def test_unknown_parameter_is_refused(name, tmp_path):
    with pytest.raises(UserError, match="Did you mean 'frames'"):
        GENERATORS[name].synthesize(tmp_path / "m.h5", "hdf5", 1, {"framess": 3})
