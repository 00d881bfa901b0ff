"""Presets: what is known of published recordings becomes settings; what is not, the user says."""

import copy
from pathlib import Path

import h5py
import numpy as np
import pytest
import yaml
from pydantic import ValidationError

from factories_recordings import Normalized, write_hdf5, write_video
from plumenav import config
from plumenav.config import presets
from plumenav.config.recordings import Recording
from plumenav.errors import UserError
from plumenav.world import Grid

NAMES = presets.names()
# a user's own values for what some preset does not know
OWN = {
    "mm_per_px": 0.5,
    "source_px": {"row": 3, "column": 4},
    "wind_toward": "-column",
    "wind": {"speed_mm_s": 77},
    "frame_rate_hz": 12,
}


def resolved(data, monkeypatch, **entry):
    """One resolved recording, its files in the folder `data`."""
    monkeypatch.setenv("PLUMENAV_DATA", str(data))
    content = {
        "run": "mine",
        "recordings": {"m": {"path": "movie", **entry}},
        "agents": {"fly": {"model": "on_off"}},
    }
    return config.resolve(content, Path("/nowhere"))["recordings"]["m"]


def normalized(folder, source, entry):
    """A resolved recording, normalized."""
    keys = set(Recording.model_fields) - {"path", "synthetic", "analytic", "signal", "condition"}
    companions = {key: Path(path) for key, path in entry["companions"].items()}
    folder.mkdir()
    return Normalized(folder, source, companions, **{key: entry[key] for key in keys})


@pytest.fixture
def data(tmp_path):
    """A folder with a file that nobody reads, and the companions that presets name."""
    for name in ("movie", "2018_09_12_NA_3_3ds_5do_IS_1.mat"):
        (tmp_path / name).write_bytes(b"x")
    return tmp_path


# ---------------------------------------------------------------------------- every preset


@pytest.mark.parametrize("name", NAMES)
def test_a_preset_and_what_it_does_not_know_are_a_recording(name, data, monkeypatch):
    preset = presets.load_preset(name)
    own = {key: OWN[key] for key in presets.CALIBRATION_OR_FILE if key in preset.unknown}
    found = resolved(data, monkeypatch, preset=name, **own)
    for key, value in {**preset.recording, **own}.items():
        given = found[key]
        assert presets.merge(given, value) == given if isinstance(value, dict) else given == value
    assert found["preset"] == name
    assert found["kind"] == "movie"


@pytest.mark.parametrize("name", NAMES)
def test_nothing_about_scale_source_and_wind_is_silently_a_default(name, data, monkeypatch):
    preset = presets.load_preset(name)
    needed = [key for key in presets.CALIBRATION if key in preset.unknown]
    for left_out in needed:
        own = {key: OWN[key] for key in needed if key != left_out}
        with pytest.raises(UserError) as caught:
            resolved(data, monkeypatch, preset=name, **own)
        message = str(caught.value)
        assert f"recordings.m.{left_out}: missing, and preset {name!r} does not know" in message
        assert preset.unknown[left_out] in message


def test_all_that_is_missing_is_told_at_once(data, monkeypatch):
    with pytest.raises(UserError, match="Also missing: source_px, wind_toward, wind"):
        resolved(data, monkeypatch, preset="rigolli_dns")


def test_an_unknown_preset_is_answered_with_the_nearest(data, monkeypatch):
    with pytest.raises(UserError) as caught:
        resolved(data, monkeypatch, preset="crimaldi_10cm_bounded")
    assert "recordings.m.preset: found 'crimaldi_10cm_bounded'" in str(caught.value)
    assert "Did you mean 'crimaldi_10cms_bounded'?" in str(caught.value)


def test_a_formula_has_no_preset(data, monkeypatch):
    with pytest.raises(UserError, match="beside analytic"):
        resolved(data, monkeypatch, preset="smoke_1a", analytic={"field": "uniform"})


def test_a_preset_that_is_no_text_is_a_mistake_like_others(data, monkeypatch):
    with pytest.raises(UserError, match=r"recordings\.m\.preset: found 3"):
        resolved(data, monkeypatch, preset=3, **OWN)


def test_the_users_keys_win_sections_are_merged_and_lists_replaced(data, monkeypatch):
    found = resolved(
        data,
        monkeypatch,
        preset="crimaldi_10cms_bounded",
        source_px={"column": 108},
        wind={"toward_deg": 5},
        expected={"frames": None},
        reader={"axes": ["row", "column", "frame"]},
        normalize={"calibration": {"one": 2}, "crop": {"rows": [0, 300]}},
    )
    assert found["source_px"] == {"row": 0, "column": 108}
    assert found["wind"] == {"speed_mm_s": 100, "toward_deg": 5, "field": None}
    assert (found["expected"]["frames"], found["expected"]["rows"]) == (None, 406)
    assert found["reader"]["axes"] == ["row", "column", "frame"]
    calibration = found["normalize"]["calibration"]
    assert (calibration["zero"], calibration["one"]) == (0, 2)
    assert found["normalize"]["crop"] == {"rows": [0, 300], "columns": None}
    assert presets.merge({"a": [1, 2], "b": {"c": 1}}, {"a": [3], "b": 4}) == {"a": [3], "b": 4}


def test_what_a_preset_knows_cannot_be_taken_away(data, monkeypatch):
    with pytest.raises(UserError, match=r"mm_per_px: found nothing, where preset .* has 0\.74"):
        resolved(data, monkeypatch, preset="crimaldi_10cms_bounded", mm_per_px=None)


def test_ones_own_time_stamps_win_over_the_published_rate(data, monkeypatch):
    (data / "stamps.csv").write_text("0\n")
    own = {"preset": "crimaldi_10cms_bounded", "reader": {"time_file": "stamps.csv"}}
    assert resolved(data, monkeypatch, **own)["frame_rate_hz"] is None
    with pytest.raises(UserError, match="both say when frames were taken"):
        resolved(data, monkeypatch, **own, frame_rate_hz=14)


def test_merging_leaves_the_preset_as_it_was(data, monkeypatch):
    before = copy.deepcopy(presets.load_preset("emonet_smoke_2018").recording)
    own = {"source_px": OWN["source_px"], "wind": OWN["wind"]}
    resolved(data, monkeypatch, preset="emonet_smoke_2018", reader={"dataset": "x"}, **own)
    assert presets.load_preset("emonet_smoke_2018").recording == before


GOOD = {
    "title": "t",
    "citation": "c",
    "licence": "l",
    "where": "w",
    "recording": {"mm_per_px": 1, "frame_rate_hz": 5, "wind": {"speed_mm_s": 1}},
    "known": [{"fact": "f", "source": "s"}],
    "unknown": {"source_px": "u", "wind_toward": "u"},
}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"licens": "x"}, "licens"),
        ({"known": [{"fact": "f"}]}, "source"),
        ({"known": []}, "known"),
        ({"unknown": {"source_px": "u"}}, "wind_toward belongs either in recording or in unknown"),
        ({"unknown": {**GOOD["unknown"], "mm_per_px": "u"}}, "mm_per_px belongs either"),
        ({"recording": {**GOOD["recording"], "path": "x"}}, "path is not for a preset to say"),
        ({"recording": {**GOOD["recording"], "normalise": {}}}, "Did you mean 'normalize'?"),
        ({"recording": {**GOOD["recording"], "expected": {"row": 4}}}, "recording.expected.row"),
    ],
)
def test_a_preset_that_is_not_complete_or_contradicts_itself_is_refused(changes, words):
    presets.Preset.model_validate(GOOD)
    with pytest.raises(ValidationError, match=words):
        presets.Preset.model_validate({**GOOD, **changes})


def test_a_broken_preset_file_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(presets, "FOLDER", tmp_path)
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump({**GOOD, "titel": 1}))
    with pytest.raises(UserError, match=r"mine\.yaml: titel.*Did you mean 'title'"):
        presets.load_preset("mine")


# ----------------------------------------------------------------- stand-ins with the layout


def bounded(n=4):
    """(frame, row, column) of a plume in 406 x 216 pixels that no mirror maps to itself."""
    row, column = np.mgrid[:406, :216]
    centre = 107 + 0.1 * row
    frames = [
        np.exp(-row / 200 - ((column - centre - 5 * np.sin(row / 30 + k)) / (8 + row / 20)) ** 2)
        for k in range(n)
    ]
    frames[0][300, 150] = 1.25
    return np.stack(frames).astype(np.float32)


FORMS = {
    "dataset_1": lambda frames: frames.transpose(0, 2, 1),
    "dataset2": lambda frames: frames,
}


@pytest.mark.parametrize("dataset", FORMS)
def test_both_forms_of_the_plif_movie_give_the_same_plume(dataset, tmp_path, monkeypatch):
    frames = bounded()
    stored = np.ascontiguousarray(FORMS[dataset](frames))
    source = write_hdf5(tmp_path / "movie", stored, dataset)
    entry = resolved(
        tmp_path, monkeypatch, preset="crimaldi_10cms_bounded", expected={"frames": len(frames)}
    )
    plume = normalized(tmp_path / "out", source, entry)
    grid = Grid(**{key: plume.metadata[key] for key in Grid._fields})
    assert grid == Grid(height=216, width=406, mm_per_px=0.74, source_row=108, source_column=0)
    # x = 0.74 * row and y = 0.74 * (column - 107): turned, not transposed
    x_mm, y_mm = 0.74 * 300, 0.74 * (150 - 107)
    row, column = round(108 - y_mm / 0.74), round(x_mm / 0.74)
    step = plume.metadata["scale"]
    assert plume.concentration[0, row, column] == pytest.approx(1.25, abs=step)
    expected = frames[:, :, ::-1].transpose(0, 2, 1)
    np.testing.assert_allclose(plume.concentration, expected, atol=step, rtol=0)
    assert plume.time_s == pytest.approx(np.arange(4) / 15)


def test_the_avi_and_the_nwb_of_one_smoke_plume_are_scaled_once(tmp_path, monkeypatch):
    levels = np.random.default_rng(3).integers(0, 16, (5, 32, 48)).astype(np.uint8)
    forms = {
        "smoke_1a": write_video(tmp_path / "a.avi", levels * 8, "FFV1"),
        "smoke_1a_nwb": write_hdf5(tmp_path / "b.nwb", levels * 17, "acquisition/movie"),
    }
    plumes = []
    for name, source in forms.items():
        entry = resolved(
            tmp_path,
            monkeypatch,
            preset=name,
            path=source.name,
            expected={"frames": 5, "rows": 32, "columns": 48},
            source_px=OWN["source_px"],
            wind_toward="+column",
            wind=OWN["wind"],
        )
        plumes.append(normalized(tmp_path / name, source, entry))
    step = plumes[0].metadata["scale"]
    np.testing.assert_allclose(plumes[0].concentration, levels / 15, atol=step, rtol=0)
    np.testing.assert_array_equal(plumes[0].stored, plumes[1].stored)
    assert plumes[0].metadata["mm_per_px"] == 0.153


def test_the_smoke_movie_of_2018_finds_its_background_and_mask(data, monkeypatch):
    own = {"source_px": {"row": 584, "column": 0}, "wind": {"speed_mm_s": 150}}
    found = resolved(data, monkeypatch, preset="emonet_smoke_2018", **own)
    companion = str(data / "2018_09_12_NA_3_3ds_5do_IS_1.mat")
    assert found["companions"] == {
        "normalize.background.image": companion,
        "normalize.mask.image": companion,
    }
    assert found["normalize"]["calibration"]["one"] == 255
    assert (found["frame_rate_hz"], found["mm_per_px"]) == (89.94, 0.154)
    assert [found["expected"][key] for key in ("frames", "rows", "columns")] == [None, 1200, 2048]


def test_the_smoke_movie_of_2018_becomes_smoke_over_clean_air(tmp_path, monkeypatch):
    """Files as MATLAB 7.3 writes them: HDF5 behind 512 bytes, every array's axes reversed."""
    rng = np.random.default_rng(5)
    floor = rng.integers(20, 90, (60, 104)).astype(np.uint8)
    smoke = rng.integers(-3, 120, (4, 60, 104))
    mask = np.ones((60, 104), np.uint8)
    mask[:6] = mask[:, 90:] = 0
    stem = "2018_09_12_NA_3_3ds_5do_IS_1"
    source = tmp_path / f"{stem}-frames.mat"
    with h5py.File(source, "w", userblock_size=512) as file:
        file["frames"] = (floor + smoke).astype(np.uint8).transpose(0, 2, 1)
    with h5py.File(tmp_path / f"{stem}.mat", "w", userblock_size=512) as file:
        file["p/bkg_img"], file["p/mask"] = floor.T.astype(float), mask.T
        file["p/framerate"] = [[89.94]]
    entry = resolved(
        tmp_path,
        monkeypatch,
        preset="emonet_smoke_2018",
        path=source.name,
        expected={"rows": 60, "columns": 104},
        source_px={"row": 30, "column": 0},
        wind={"speed_mm_s": 150},
    )
    plume = normalized(tmp_path / "out", source, entry)
    step = plume.metadata["scale"]
    # negatives are noise and stay; outside the mask is clean air
    np.testing.assert_allclose(plume.concentration, smoke * mask / 255, atol=step, rtol=0)
    assert plume.time_s == pytest.approx(np.arange(4) / 89.94)
    assert plume.metadata["unit"] == "255 grey levels"


def test_without_the_companion_the_published_way_out_asks_for_no_file(data, monkeypatch):
    (data / "2018_09_12_NA_3_3ds_5do_IS_1.mat").unlink()
    own = {"source_px": {"row": 584, "column": 0}, "wind": {"speed_mm_s": 150}}
    with pytest.raises(UserError, match=r"normalize\.background\.image: there is no file 2018"):
        resolved(data, monkeypatch, preset="emonet_smoke_2018", **own)
    steps = {"background": {"method": "mean", "frames": [0, 200]}, "mask": {"image": None}}
    found = resolved(data, monkeypatch, preset="emonet_smoke_2018", normalize=steps, **own)
    assert found["companions"] == {}


@pytest.mark.parametrize(
    ("name", "userblock_bytes", "stored_axes"),
    [("boie_2018_slow", 0, (0, 1, 2)), ("rigolli_dns", 512, (0, 2, 1))],
)
def test_what_the_preset_does_not_know_is_taken_from_the_user(
    name, userblock_bytes, stored_axes, tmp_path, monkeypatch
):
    frames = np.random.default_rng(7).random((5, 20, 34)).astype(np.float32)
    source = tmp_path / "movie"
    with h5py.File(source, "w", userblock_size=userblock_bytes) as file:
        file["anything"] = frames.transpose(stored_axes)
    wind = {} if name == "boie_2018_slow" else {"wind": OWN["wind"]}
    entry = resolved(
        tmp_path,
        monkeypatch,
        preset=name,
        mm_per_px=2,
        source_px={"row": 6, "column": 33},
        wind_toward="-column",
        frame_rate_hz=8,
        expected={"rows": 20, "columns": 34},
        **wind,
    )
    assert entry["wind"]["speed_mm_s"] == (50 if name == "boie_2018_slow" else 77)
    plume = normalized(tmp_path / "out", source, entry)
    grid = Grid(**{key: plume.metadata[key] for key in Grid._fields})
    assert grid == Grid(height=20, width=34, mm_per_px=2, source_row=13, source_column=0)
    step = plume.metadata["scale"]
    np.testing.assert_allclose(plume.concentration, frames[:, ::-1, ::-1], atol=step, rtol=0)


def test_the_plume_file_of_flygym_is_read_in_half_precision(tmp_path, monkeypatch):
    frames = np.linspace(0, 1, 6 * 20 * 30).reshape(6, 20, 30).astype(np.float16)
    source = tmp_path / "plume.hdf5"
    with h5py.File(source, "w") as file:
        file["plume"] = frames
        file["inflow_pos"] = [[1.0, 2.0]]
        file["inflow_radius"] = 0.5
        file["inflow_scaler"] = 1.0
    own = {key: OWN[key] for key in ("source_px", "wind")}
    entry = resolved(
        tmp_path,
        monkeypatch,
        preset="flygym_plume",
        path=source.name,
        wind_toward="+column",
        **own,
    )
    plume = normalized(tmp_path / "out", source, entry)
    assert plume.metadata["source_dtype"] == "float16"
    step = plume.metadata["scale"]
    np.testing.assert_allclose(plume.concentration, frames.astype(float), atol=step, rtol=0)
    assert plume.time_s == pytest.approx(np.arange(6) / 200)
    assert plume.metadata["mm_per_px"] == 0.5
