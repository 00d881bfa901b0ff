"""Each step on its own, with an answer that is known beforehand, through the whole pipeline."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest
from matplotlib import colormaps
from pydantic import ValidationError
from scipy import io

from factories_recordings import (
    Normalized,
    lopsided,
    settings,
    write_hdf5,
    write_images,
    write_video,
)
from plumenav import registry
from plumenav.config.normalization import FalseColour
from plumenav.errors import UserError
from plumenav.normalization import sources
from plumenav.normalization.pipeline import normalize
from plumenav.normalization.steps import false_colour, mask

FLOAT = {"storage": {"dtype": "float32"}, "calibration": {"zero": 0, "one": 1}}


def truth(n: int = 12) -> np.ndarray:
    """Concentration between 0 and 1, none in the first 4 frames."""
    frames = lopsided(n).astype(np.float64)
    frames = np.clip((frames - 30) / 200, 0, 1)
    frames[:4] = 0
    return frames


class With(Normalized):
    """A normalized recording with files beside it."""

    def __init__(self, folder: Path, source: Path, companions: dict[str, Path], **changes):
        self.companions = companions
        self.plume, self.quality_file = folder / "plume.parquet", folder / "plume.quality.json"
        normalize("x", settings(**changes), source, self.plume, self.quality_file, companions)
        self.read()


# ------------------------------------------------------------------- background and polarity


def test_absorbance_is_the_law_of_beer_and_lambert(tmp_path):
    c = truth()
    lamp = 150 + 60 * np.cos(np.linspace(0, 3, 56))  # uneven light
    made = Normalized(
        tmp_path,
        write_hdf5(tmp_path / "a.h5", lamp * np.exp(-1.7 * c)),
        normalize={
            **FLOAT,
            "background": {"method": "mean", "frames": [0, 4]},
            "polarity": {"kind": "absorbance"},
            "calibration": {"zero": 0, "one": 1.7},
        },
    )
    np.testing.assert_allclose(made.concentration, c, atol=1e-6)
    assert made.quality["fidelity"]["r"] > 0.99999


def test_absorbance_needs_light_everywhere(tmp_path):
    frames = np.ones((5, 20, 20), np.float32)
    frames[:, 3, 4] = 0
    source = write_hdf5(tmp_path / "a.h5", frames)
    background = {"method": "mean", "frames": [0, 2]}
    with pytest.raises(UserError, match=r"polarity\.kind.*needs a background; found none"):
        Normalized(tmp_path, source, normalize={"polarity": {"kind": "absorbance"}})
    with pytest.raises(UserError, match="0 or less in some pixels"):
        Normalized(
            tmp_path,
            source,
            normalize={"polarity": {"kind": "absorbance"}, "background": background},
        )


def test_dark_odour_on_a_bright_wall(tmp_path):
    c = truth()
    made = Normalized(
        tmp_path,
        write_hdf5(tmp_path / "a.h5", 200 - 120 * c),
        normalize={
            **FLOAT,
            "background": {"method": "percentile", "frames": [0, 4], "percentile": 30},
            "polarity": {"kind": "dark"},
            "calibration": {"zero": 0, "one": 120},
        },
    )
    np.testing.assert_allclose(made.concentration, c, atol=1e-5)


@pytest.mark.parametrize("kind", ["png", "tif", "npy", "mat", "h5"])
def test_a_background_image_of_any_kind(tmp_path, kind):
    c = truth()
    scene = np.random.default_rng(4).integers(10, 90, (40, 56)).astype(np.uint16)
    source = write_hdf5(tmp_path / "a.h5", scene + 1000 * c)
    image, named = tmp_path / f"empty.{kind}", f"empty.{kind}"
    if kind in ("png", "tif"):
        cv2.imwrite(str(image), scene)
    elif kind == "npy":
        np.save(image, scene)
    elif kind == "mat":
        # the smoke recordings' companion: a structure p with its fields
        io.savemat(image, {"p": {"bkg_img": scene, "mask": np.ones((40, 56))}})
        named += ":p/bkg_img"
    else:
        with h5py.File(image, "w") as file:
            file["p/bkg_img"] = scene
    made = With(
        tmp_path,
        source,
        {"normalize.background.image": image},
        normalize={
            **FLOAT,
            "background": {"method": "image", "image": named},
            "calibration": {"zero": 0, "one": 1000},
        },
    )
    np.testing.assert_allclose(made.concentration, c, atol=1e-5)


def test_an_image_that_does_not_fit_is_refused(tmp_path):
    source = write_hdf5(tmp_path / "a.h5", truth())
    image = tmp_path / "small.png"
    cv2.imwrite(str(image), np.zeros((10, 20), np.uint8))
    changes = {"background": {"method": "image", "image": "small.png"}}
    with pytest.raises(UserError, match=r"background\.image: the image has 10 x 20.*40 x 56"):
        With(tmp_path, source, {"normalize.background.image": image}, normalize=changes)
    image.write_bytes(b"not an image")
    with pytest.raises(UserError, match=r"small\.png cannot be read"):
        With(tmp_path, source, {"normalize.background.image": image}, normalize=changes)
    np.save(tmp_path / "o.npy", np.array([{}, 1], object), allow_pickle=True)
    with pytest.raises(UserError, match=r"o\.npy cannot be read"):
        With(
            tmp_path, source, {"normalize.background.image": tmp_path / "o.npy"}, normalize=changes
        )


def test_a_rolling_background_follows_the_light(tmp_path):
    n = 120
    time_s = np.arange(n) / 10
    light = 50 + 3 * time_s  # the lamp warms up
    frames = np.repeat(light[:, None, None], 20, axis=1).repeat(24, axis=2)
    puff = np.zeros_like(frames)
    for k in range(0, n, 8):  # odour in a quarter of all frames: the median does not see it
        puff[k : k + 2, 5:9, 5:9] = 40
    made = Normalized(
        tmp_path,
        write_hdf5(tmp_path / "a.h5", frames + puff),
        normalize={
            **FLOAT,
            "background": {"method": "rolling", "window_s": 3.0, "samples": 15},
            "calibration": {"zero": 0, "one": 40},
        },
    )
    late = slice(35, None)
    # the window ends now: its median is the light of 1.5 s ago, 4.5 levels less, within one sample
    lag = made.concentration[late][:, 15, 15] * 40
    np.testing.assert_allclose(lag, 3 * 1.5, atol=3 * 0.35)
    rise = made.concentration[:, 6, 6] - made.concentration[:, 15, 15]
    # a quarter of odour moves the median of rising light up by two of fifteen samples at most
    np.testing.assert_allclose(rise, puff[:, 6, 6] / 40, atol=2 * 3 * 0.2 / 40 + 0.016)
    assert made.quality["fidelity"]["r"] > 0.999


def test_a_rolling_background_in_the_first_window_is_that_of_the_whole_window(tmp_path):
    frames = np.zeros((40, 12, 14))
    frames[:3] = 7  # someone stands in the picture at first
    made = Normalized(
        tmp_path,
        write_hdf5(tmp_path / "a.h5", frames),
        normalize={
            **FLOAT,
            "background": {"method": "rolling", "window_s": 2.0, "samples": 10},
        },
    )
    np.testing.assert_allclose(made.concentration, frames, atol=1e-6)


# -------------------------------------------------------------------- pixels of the file


def test_flat_field_by_hand(tmp_path):
    c = truth()
    gain = np.random.default_rng(2).uniform(0.5, 1.5, (40, 56))
    dark = np.random.default_rng(3).uniform(5, 9, (40, 56))
    movie = np.concatenate([dark[None], (dark + 100 * gain)[None], dark + gain * 50 * c])
    made = Normalized(
        tmp_path,
        write_hdf5(tmp_path / "a.h5", movie),
        reader={"frames": [2, 14]},
        normalize={
            **FLOAT,
            "flat_field": {"dark": [0, 1], "flat": [1, 2]},
            "calibration": {"zero": 0, "one": 50 * gain.mean()},
        },
    )
    np.testing.assert_allclose(made.concentration, c, atol=1e-5)
    with pytest.raises(
        UserError, match=r"flat_field\.flat.*not brighter than the dark one in 2240"
    ):
        Normalized(
            tmp_path,
            tmp_path / "a.h5",
            normalize={"flat_field": {"dark": [1, 2], "flat": [0, 1]}},
        )


def test_single_wrong_pixels_go_and_nothing_else(tmp_path):
    c = np.repeat(np.linspace(0, 1, 30)[None, None, :], 6, axis=0).repeat(20, axis=1)
    dirty = c.copy()
    dirty[:, 7, 9], dirty[2, 13, 20] = 60, -50
    made = Normalized(
        tmp_path,
        write_hdf5(tmp_path / "a.h5", dirty.astype(np.float32)),
        normalize={**FLOAT, "despeckle": {"size_px": 3}},
    )
    np.testing.assert_allclose(made.concentration, c, atol=1e-6)


def test_the_mask_keeps_what_is_inside(tmp_path):
    frames = np.full((3, 30, 40), 5, np.float32)
    made = Normalized(
        tmp_path,
        write_hdf5(tmp_path / "a.h5", frames),
        normalize={
            **FLOAT,
            "crop": {"rows": [5, 30]},
            "mask": {"polygon": [[10, 10], [10, 20], [20, 20], [20, 10]]},
        },
    )
    expected = np.zeros((30, 40))
    expected[10:21, 10:21] = 5
    np.testing.assert_array_equal(made.concentration[1], expected[5:])
    image = np.zeros((30, 40), np.uint8)
    image[:, 12] = 255
    cv2.imwrite(str(tmp_path / "m.png"), image)
    both = With(
        tmp_path,
        tmp_path / "a.h5",
        {"normalize.mask.image": tmp_path / "m.png"},
        normalize={
            **FLOAT,
            "mask": {"polygon": [[10, 10], [10, 20], [20, 20]], "image": "m.png"},
        },
    )
    assert both.concentration[0].sum() == 5 * 3  # rows 10 to 12 of column 12
    with pytest.raises(UserError, match=r"mask: no pixel"):
        Normalized(
            tmp_path,
            tmp_path / "a.h5",
            normalize={"mask": {"polygon": [[50, 50], [50, 60], [60, 60]]}},
        )


def test_masked_pixels_are_not_blank_air(tmp_path):
    rng = np.random.default_rng(9)
    frames = 0.2 + rng.normal(0, 0.01, (60, 64, 96)).astype(np.float32)
    frames[:, 20:40, 20:60] += rng.random((60, 1, 1), dtype=np.float32)  # odour
    mask_out = {"polygon": [[0, 0], [0, 95], [40, 95], [40, 0]]}
    made = Normalized(
        tmp_path,
        write_hdf5(tmp_path / "a.h5", frames),
        normalize={"mask": mask_out, "storage": {"dtype": "float32"}},
    )
    assert made.quality["blank"]["row_stop"] <= 41
    assert made.quality["noise"]["sd"] == pytest.approx(0.01, rel=0.05)
    assert made.quality["noise"]["mean"] == pytest.approx(0.2, abs=1e-3)


def test_a_rolling_window_is_no_longer_where_frames_are_few(tmp_path):
    frames = np.arange(60.0)[:, None, None] + np.zeros((60, 20, 30))
    made = Normalized(
        tmp_path,
        write_hdf5(tmp_path / "a.h5", frames),
        frame_rate_hz=5,
        normalize={
            **FLOAT,
            "background": {"method": "rolling", "window_s": 1.0, "samples": 15},
            "calibration": {"one": 1},
        },
    )
    # 5 frames are in a window: the median of them is 2 frames old
    np.testing.assert_allclose(made.concentration[10:], 2, atol=1e-5)


def test_a_rolling_background_without_light_is_refused(tmp_path):
    frames = np.full((40, 20, 30), 200, np.uint8)
    frames[25:, 4, 5] = 0  # a shutter blade comes in
    how = {"background": {"method": "rolling", "window_s": 1.0}, "calibration": {"one": 1}}
    with pytest.raises(UserError, match=r"polarity\.kind.*0 or less in some pixels"):
        Normalized(
            tmp_path,
            write_hdf5(tmp_path / "a.h5", frames),
            normalize={**how, "polarity": {"kind": "absorbance"}},
        )


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.float32])
def test_negative_numbers_have_no_gamma(tmp_path, dtype):
    frames = (100 * truth(4) - 5).astype(dtype)
    with pytest.raises(UserError, match=r"not finite numbers or .*normalize\.transfer"):
        Normalized(
            tmp_path,
            write_hdf5(tmp_path / "a.h5", frames),
            normalize={"transfer": {"kind": "gamma", "exponent": 0.45, "full_scale": 100}},
        )


def test_masked_pixels_are_clean_air_whatever_its_level(tmp_path):
    c = truth(20)
    raw = write_hdf5(tmp_path / "a.h5", 40 + 100 * c)
    rows = [0, c.shape[1] // 2]
    mask_out = {"polygon": [[rows[0], 0], [rows[0], 99], [rows[1], 99], [rows[1], 0]]}
    expected = np.where(np.arange(c.shape[1])[:, None] <= rows[1], c, 0)
    made = Normalized(
        tmp_path,
        raw,
        normalize={**FLOAT, "mask": mask_out, "calibration": {"zero": 40, "one": 140}},
    )
    np.testing.assert_allclose(made.concentration, expected, atol=1e-6)
    assert made.quality["conservation"]["ratio"] == pytest.approx(1)
    # clean air is looked for in the recording, where a mask may hide it
    made = Normalized(
        tmp_path,
        raw,
        normalize={
            **FLOAT,
            "mask": mask_out,
            "noise_floor": {"rows": [32, 40], "columns": [0, 56]},
            "calibration": {"zero": 0, "one": 100},
        },
    )
    np.testing.assert_allclose(made.concentration, expected, atol=1e-6)


def test_a_percentile_is_of_what_the_mask_leaves(tmp_path):
    levels = np.arange(100.0)
    frames = np.full((4, 30, 40), 500.0)
    frames[:, :10, :10] = levels.reshape(10, 10)
    made = Normalized(
        tmp_path,
        write_hdf5(tmp_path / "a.h5", frames),
        normalize={
            "mask": {"polygon": [[0, 0], [0, 9], [9, 9], [9, 0]]},
            "calibration": {"method": "percentile", "percentile": 50},
        },
    )
    assert made.quality["calibration"]["one"] == pytest.approx(np.median(levels))


def test_a_polygon_that_is_not_convex():
    corners = np.array([[0, 0], [0, 6], [6, 6], [6, 0], [3, 3]])
    drawn = mask.inside(corners, (7, 7))
    assert not drawn[3, 1]
    assert drawn[3, 3]  # a corner is on the edge
    assert drawn[1, 3]
    assert drawn[5, 3]


def test_the_noise_floor_takes_drift_away_and_keeps_negatives(tmp_path):
    c = truth(30)
    rng = np.random.default_rng(5)
    drift = np.cumsum(rng.normal(0, 3, 30))
    noise = rng.normal(0, 1, c.shape)
    patch = {"rows": [32, 40], "columns": [0, 56]}
    raw = 40 + drift[:, None, None] + 100 * c + noise
    made = Normalized(
        tmp_path,
        write_hdf5(tmp_path / "a.h5", raw),
        normalize={**FLOAT, "noise_floor": patch, "calibration": {"zero": 0, "one": 100}},
    )
    clean = made.concentration[:, 32:]
    assert c[:, 32:].max() == 0
    np.testing.assert_allclose(clean.mean(axis=(1, 2)), 0, atol=1e-6)
    assert (clean < 0).mean() == pytest.approx(0.5, abs=0.05)
    assert made.quality["fidelity"]["r"] > 0.99


def test_extra_steps_one_after_the_other(tmp_path):
    frames = np.zeros((3, 60, 60), np.float32)
    frames[:, 30, 30] = 1
    blur = {"step": "gaussian_blur", "parameters": {"sigma_px": 2.0}}
    made = Normalized(
        tmp_path,
        write_hdf5(tmp_path / "a.h5", frames),
        normalize={**FLOAT, "extra": [blur, blur]},
    )
    # two blurs are one whose variance is the sum
    row, column = np.mgrid[:60, :60] - 30
    truth = np.exp(-(row**2 + column**2) / (2 * 8)) / (2 * np.pi * 8)
    np.testing.assert_allclose(made.concentration[1], truth, atol=2e-5)
    assert made.quality["fidelity"]["r"] < 0.95  # such a step is not undone, and is seen to be none


def test_an_extra_step_of_ones_own(tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "_user_files", {})  # forgotten afterwards
    own = tmp_path / "halved.py"
    own.write_text(
        'PLUGIN_KIND = "step"\n'
        "from plumenav.normalization.extra._contract import ExtraParams\n"
        "class Params(ExtraParams):\n    by: float = 2.0\n"
        "def apply(signal, params):\n    return signal / params.by\n"
    )
    assert registry.register_file(own) == ("step", "halved")
    source = write_hdf5(tmp_path / "a.h5", truth())
    made = Normalized(tmp_path, source, normalize={**FLOAT, "extra": [{"step": "halved"}]})
    np.testing.assert_allclose(made.concentration, truth() / 2, atol=1e-6)
    with pytest.raises(UserError, match=r"extra\.0\.parameters\.bye.*by.*Did you mean 'by'"):
        Normalized(
            tmp_path,
            source,
            normalize={"extra": [{"step": "halved", "parameters": {"bye": 3}}]},
        )
    with pytest.raises(UserError, match=r"extra\.0\.step: found 'halve'.*Did you mean 'halved'"):
        Normalized(tmp_path, source, normalize={"extra": [{"step": "halve"}]})


# ------------------------------------------------------------------------------ colours


@pytest.mark.parametrize("name", ["viridis", "jet", "hot"])
def test_false_colour_comes_back_as_numbers(tmp_path, name):
    value = np.linspace(0, 1, 256)
    rgb = (colormaps[name](value)[:, :3] * 255).round().astype(np.uint8)
    numbers, alien = false_colour.plain(
        rgb[:, ::-1], false_colour.palette(FalseColour(map=name, low=2, high=6), None, "x")
    )
    assert alien == 0
    # neighbouring colours may be equal in 8 bits
    np.testing.assert_allclose(numbers, 2 + 4 * value, atol=4 * 0.02)
    decoder = false_colour.Decoder(
        false_colour.palette(FalseColour(map=name, low=2, high=6), None, "x")
    )
    fast = decoder(np.ascontiguousarray(rgb[None, :, ::-1]))[0]
    # rounded to 6 bits: within 4 steps of 256 where the map moves at all
    assert np.median(np.abs(fast - numbers)) < 4 * 0.012
    assert decoder.alien == 0


def test_lettering_is_not_of_the_map():
    colours = false_colour.palette(FalseColour(map="hot", tolerance=30.0), None, "x")
    green = np.array([[[0, 255, 0]]], np.uint8)
    number, alien = false_colour.plain(green, colours)
    assert (number[0, 0], alien) == (0.0, 1)
    decoder = false_colour.Decoder(colours)
    assert decoder(green)[0, 0] == 0
    assert (decoder.alien, decoder.pixels) == (1, 1)


def test_a_map_of_ones_own_and_its_faults(tmp_path):
    table = tmp_path / "map.csv"
    table.write_text("r,g,b\n0,0,0\n255,0,0\n255,255,255\n")
    colours = false_colour.palette(FalseColour(map="map.csv", high=2), table, "x")
    numbers, _ = false_colour.plain(np.array([[0, 0, 250], [255, 255, 255]]), colours)
    np.testing.assert_array_equal(numbers, [1, 2])
    table.write_text("1,2\n3,4\n")
    with pytest.raises(UserError, match=r"map\.csv holds 0 colours in 2 lines"):
        false_colour.palette(FalseColour(map="map.csv"), table, "x")
    with pytest.raises(UserError, match="Did you mean 'viridis'"):
        false_colour.palette(FalseColour(map="virdis"), None, "x")


# -------------------------------------------------------------------------- calibration


def test_calibration_by_a_region_at_the_source(tmp_path):
    c = truth()
    c[4:, 16:19, 3:6] = 0.8
    made = Normalized(
        tmp_path,
        write_hdf5(tmp_path / "a.h5", 10 + 90 * c),
        normalize={
            **FLOAT,
            "calibration": {
                "method": "source_region",
                "zero": 10,
                "rows": [16, 19],
                "columns": [3, 6],
                "frames": [4, 12],
                "source_value": 500,
                "unit": "ppm",
            },
        },
    )
    np.testing.assert_allclose(made.concentration, c / 0.8, atol=1e-5)
    assert made.quality["calibration"]["one"] == pytest.approx(10 + 90 * 0.8)
    assert made.metadata["unit"] == "500 ppm"  # what concentration 1 is


def test_calibration_by_a_percentile(tmp_path):
    values = np.random.default_rng(6).permutation(np.arange(4 * 50 * 60) % 1000)
    frames = values.reshape(4, 50, 60).astype(np.float32)
    made = Normalized(
        tmp_path,
        write_hdf5(tmp_path / "a.h5", frames),
        normalize={**FLOAT, "calibration": {"method": "percentile", "percentile": 90}},
    )
    assert made.quality["calibration"]["one"] == pytest.approx(np.percentile(values, 90), abs=1)
    with pytest.raises(UserError, match=r"calibration: percentile gives .* not above"):
        Normalized(
            tmp_path,
            tmp_path / "a.h5",
            normalize={"calibration": {"method": "percentile", "percentile": 10, "zero": 500}},
        )


# --------------------------------------------------------------------- fidelity, time, damage


def test_fidelity_is_that_of_the_recording_not_of_the_plume(tmp_path):
    rng = np.random.default_rng(7)
    c = truth(40)
    scene = rng.uniform(20, 200, c.shape[1:])  # a textured floor, much stronger than the plume
    raw = scene + 30 * c + rng.normal(0, 1, c.shape)
    source = write_hdf5(tmp_path / "a.h5", raw)
    background = {"method": "mean", "frames": [0, 4]}
    made = Normalized(
        tmp_path,
        source,
        normalize={"background": background, "calibration": {"zero": 0, "one": 30}},
    )
    direct = np.corrcoef(made.concentration.ravel(), raw.ravel())[0, 1]
    assert direct < 0.6
    assert made.quality["fidelity"]["r"] > 0.99
    assert made.quality["fidelity"]["frames"] > 12
    # a normalization that loses the plume is seen in what moves
    lost = Normalized(
        tmp_path,
        source,
        normalize={
            "background": background,
            "calibration": {"zero": 0, "one": 30},
            "storage": {"minimum": -0.2, "maximum": 0.0},
        },
    )
    assert lost.quality["fidelity"]["r_moving"] < made.quality["fidelity"]["r_moving"] - 0.2


@pytest.mark.parametrize("heading", [True, False])
def test_time_stamps_from_a_file_beside_the_recording(tmp_path, heading):
    stamps = np.array([0.0, 0.1, 0.1, 0.35, 0.4, 1.0])
    source = write_video(tmp_path / "a.avi", lopsided(), "MJPG", 30.0)
    table = tmp_path / "t.csv"
    lines = [f"{k},{t}" if heading else f"{t}" for k, t in enumerate(stamps)]
    table.write_text("\n".join(["frame,t_s", *lines] if heading else lines))
    reader = {"time_file": "t.csv", **({"time_column": "t_s"} if heading else {})}
    made = With(tmp_path, source, {"reader.time_file": table}, reader=reader, frame_rate_hz=None)
    np.testing.assert_allclose(made.time_s, stamps)
    table.write_text("\n".join(["frame,t_s", *lines[:-1]] if heading else lines[:-1]))
    with pytest.raises(UserError, match=r"time_file: has 5 time stamps, and frame 5 arrived"):
        With(tmp_path, source, {"reader.time_file": table}, reader=reader, frame_rate_hz=None)
    table.write_text("\n".join(["frame,t_s", *lines, lines[-1]] if heading else [*lines, "2"]))
    with pytest.raises(UserError, match=r"has 7 time stamps for 6 frames"):
        With(tmp_path, source, {"reader.time_file": table}, reader=reader, frame_rate_hz=None)


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("a,b\n1,2\n", "c", r"has no column 'c'.*a, b"),
        ("a,b\n1,2\n", None, r"time_column: not given, and t\.csv has 2 columns"),
        ("a\n1\nx\n", None, r"line 3: 'x' has no time stamp"),
        ("1\n2\nnan\n", None, "line 3"),
    ],
)
def test_a_table_of_times_that_is_none(tmp_path, text, column, message):
    from plumenav.normalization.clock import read_stamps

    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(UserError, match=message):
        read_stamps(tmp_path / "t.csv", column, "reader")


def test_truncate_uses_what_is_sound_and_says_what_is_lost(tmp_path):
    source = write_video(tmp_path / "a.avi", lopsided(n=60), "MJPG", 30.0)
    whole = Normalized(tmp_path, source)
    content = source.read_bytes()
    source.write_bytes(content[: int(len(content) * 0.6)])
    with pytest.raises(UserError, match=r"a\.avi.*frames.*are readable"):
        Normalized(tmp_path, source)
    made = Normalized(tmp_path, source, reader={"on_damage": "truncate"}, frame_rate_hz=None)
    n = made.quality["frames_written"]
    assert 20 < n < 60
    np.testing.assert_array_equal(made.stored, whole.stored[:n])
    assert "a.avi" in made.quality["loss"]
    assert made.quality["frames_lost"] == 60 - n
    assert math.isclose(made.metadata["period_s"], n / 30, rel_tol=1e-3)


@pytest.mark.parametrize(
    ("key", "section"),
    [
        ("background", {"method": "median", "frames": [0, 59]}),
        ("flat_field", {"dark": [50, 60]}),
        ("calibration", {"method": "percentile", "frames": [40, 60]}),
    ],
)
def test_truncate_names_the_step_that_needs_a_lost_frame(tmp_path, key, section):
    source = write_video(tmp_path / "a.avi", lopsided(n=60), "MJPG", 30.0)
    content = source.read_bytes()
    source.write_bytes(content[: int(len(content) * 0.6)])
    with pytest.raises(UserError, match=rf"normalize\.{key}\..*leaves \d+ frames"):
        Normalized(
            tmp_path,
            source,
            reader={"on_damage": "truncate"},
            frame_rate_hz=None,
            normalize={key: section},
        )


def test_colours_do_not_saturate(tmp_path):
    blue = np.full((20, 30, 3), (255, 0, 0), np.uint8)  # the first colour of the map
    source = tmp_path / "a.avi"
    writer = cv2.VideoWriter(str(source), cv2.VideoWriter.fourcc(*"FFV1"), 30.0, (30, 20))
    for _ in range(4):
        writer.write(blue)
    writer.release()
    made = Normalized(tmp_path, source, normalize={"false_colour": {"map": "winter"}})
    assert made.quality["saturated_fraction"] is None


def test_an_image_too_small_to_be_sent_back(tmp_path):
    frames = np.random.default_rng(1).random((20, 2, 2))
    made = Normalized(tmp_path, write_hdf5(tmp_path / "a.h5", frames), wind_toward=30.0)
    assert made.quality["fidelity"] is None


def test_a_file_of_time_stamps_must_fit_the_whole_recording_and_stands_alone(tmp_path):
    source = write_hdf5(tmp_path / "a.h5", lopsided(n=30))
    table = tmp_path / "t.csv"
    table.write_text("\n".join(str(k / 7) for k in range(25)))
    reader = {"time_file": "t.csv", "frames": [5, 15]}
    files = {"reader.time_file": table}
    with pytest.raises(UserError, match="has 25 time stamps for 30 frames"):
        Normalized(tmp_path, source, files, reader=reader, frame_rate_hz=None)
    with pytest.raises(ValidationError, match="both say when frames were taken"):
        Normalized(tmp_path, source, files, reader=reader, frame_rate_hz=10.0)


def test_numbers_that_no_camera_gives_are_refused(tmp_path):
    frames = np.ones((4, 20, 20))
    frames[2, 3, 3] = 1e36
    with pytest.raises(UserError, match="frame 2 of those used holds values that are not finite"):
        Normalized(tmp_path, write_hdf5(tmp_path / "a.h5", frames))


def test_a_rolling_background_that_would_not_fit_in_memory_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "ROLLING_BYTES", 2**16)
    background = {"method": "rolling", "window_s": 1.0, "samples": 101}
    with pytest.raises(UserError, match=r"background\.samples: 101 images of 40 x 56 pixels"):
        Normalized(
            tmp_path,
            write_hdf5(tmp_path / "a.h5", lopsided(n=30)),
            normalize={"background": background},
        )


def test_missing_numbers_of_an_image_sequence_are_recorded(tmp_path):
    folder = write_images(tmp_path / "frames", lopsided(n=12))
    sorted(folder.iterdir())[4].unlink()
    made = Normalized(tmp_path, folder)
    assert made.quality["missing_numbers"] == 1
