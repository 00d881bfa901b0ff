"""Normalization of recordings with known content: the truth has to come out."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest

from factories_recordings import (
    SOURCE,
    Normalized,
    as_filmed,
    filmed_source,
    lopsided,
    settings,
    write_hdf5,
    write_video,
)
from plumenav.errors import UserError
from plumenav.normalization import movie, sources
from plumenav.normalization.pipeline import normalize
from plumenav.tables.plume import REQUIRED_METADATA
from plumenav.world import Grid, x_of_column, y_of_row

WINDS = ("+column", "-column", "+row", "-row")
FLOAT = {"storage": {"dtype": "float32"}}


# ------------------------------------------------------------------------------- orientation


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("wind", WINDS)
@pytest.mark.parametrize("form", ["hdf5", "ffv1", "mjpeg"])
def test_however_it_was_filmed_the_same_plume_comes_out(tmp_path, form, wind, mirrored):
    truth = lopsided()
    filmed = as_filmed(truth, wind, mirrored)
    if form == "hdf5":
        source = write_hdf5(tmp_path / "a", filmed)
    else:
        source = write_video(tmp_path / "a.avi", filmed, {"ffv1": "FFV1", "mjpeg": "MJPG"}[form])
    made = Normalized(
        tmp_path,
        source,
        wind_toward=wind,
        mirrored=mirrored,
        source_px=filmed_source(wind, mirrored, truth.shape[1:]),
        normalize={**FLOAT, "transfer": {"full_scale": 255}},
    )
    error = made.concentration * 255 - truth
    assert np.abs(error).max() < (12 if form == "mjpeg" else 1e-3)
    assert (made.metadata["source_row"], made.metadata["source_column"]) == SOURCE
    # the comparison sees what it should: every wrong turn, mirror or shift is far from the truth
    for wrong in WINDS:
        for mirror in (False, True):
            if (wrong, mirror) == (wind, mirrored):
                continue
            turned = as_filmed(made.concentration * 255, wrong, mirror)
            back = as_filmed(truth, wind, mirrored)
            assert turned.shape != back.shape or np.abs(turned - back).max() > 50
    assert np.abs(np.roll(made.concentration * 255, 1, axis=2) - truth).max() > 50


def test_standard_plif_array_lands_on_its_millimetres(tmp_path):
    # (frame, row 0..405 downwind, column 0..215): x = 0.74 row, y = +0.74 (column - 107)
    frames = np.zeros((2, 406, 216), np.float32)
    lit = [(0, 107), (405, 0), (100, 200), (3, 108)]
    for row, column in lit:
        frames[:, row, column] = 1 + row + 1000 * column
    made = Normalized(
        tmp_path,
        write_hdf5(tmp_path / "plif.h5", frames, "dataset2"),
        mm_per_px=0.74,
        source_px={"row": 0, "column": 107},
        wind_toward="+row",
        reader={"dataset": "/dataset2"},
        normalize=FLOAT,
    )
    grid = Grid(*(made.metadata[key] for key in Grid._fields))
    assert (grid.height, grid.width) == (216, 406)
    for row, column in lit:
        i, j = np.argwhere(made.stored[0] == 1 + row + 1000 * column)[0]
        assert x_of_column(j, grid) == pytest.approx(0.74 * row)
        assert y_of_row(i, grid) == pytest.approx(0.74 * (column - 107))


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("wind", WINDS)
@pytest.mark.parametrize("mm_per_px", [1.0, 2.0, 1.7, 3.0])
def test_the_source_is_followed_through_crop_turn_and_resampling(
    tmp_path, wind, mirrored, mm_per_px
):
    # a Gaussian spot on the source: its centre of mass must be at the metadata's source pixel
    row, column = np.mgrid[:61, :83]
    spot = np.exp(-((row - 27.0) ** 2 + (column - 38.0) ** 2) / 18)
    truth = np.repeat(spot[None], 2, axis=0).astype(np.float32)
    mark = as_filmed((spot[None] == spot.max()), wind, mirrored)
    _, source_row, source_column = np.argwhere(mark)[0]
    made = Normalized(
        tmp_path,
        write_hdf5(tmp_path / "a.h5", as_filmed(truth, wind, mirrored)),
        source_px={"row": int(source_row), "column": int(source_column)},
        wind_toward=wind,
        mirrored=mirrored,
        normalize={
            **FLOAT,
            "crop": {"rows": [3, 60], "columns": [2, 59]},
            "resample": {"mm_per_px": mm_per_px},
        },
    )
    image = made.concentration[0]
    i, j = np.mgrid[: image.shape[0], : image.shape[1]]
    assert (image * i).sum() / image.sum() == pytest.approx(made.metadata["source_row"], abs=0.02)
    assert (image * j).sum() / image.sum() == pytest.approx(
        made.metadata["source_column"], abs=0.02
    )
    assert made.metadata["mm_per_px"] == mm_per_px


# ------------------------------------------------------------------------------------- steps


@pytest.mark.parametrize("mm_per_px", [2.0, 4.0, 1.6, 2.5, 0.5])
def test_resampling_conserves_the_total(tmp_path, mm_per_px):
    rng = np.random.default_rng(3)
    frames = rng.random((2, 80, 160)).astype(np.float32)
    made = Normalized(
        tmp_path,
        write_hdf5(tmp_path / "a.h5", frames),
        normalize={**FLOAT, "resample": {"mm_per_px": mm_per_px}},
    )
    total = made.concentration.sum(axis=(1, 2)) * mm_per_px**2
    np.testing.assert_allclose(total, frames.sum(axis=(1, 2)), rtol=1e-6)


def test_what_does_not_fill_a_pixel_is_left_out_and_said(tmp_path):
    frames = np.ones((2, 41, 40), np.float32)
    made = Normalized(
        tmp_path,
        write_hdf5(tmp_path / "a.h5", frames),
        normalize={**FLOAT, "resample": {"mm_per_px": 4.0}},
    )
    np.testing.assert_array_equal(made.concentration, 1.0)
    assert made.stored.shape == (2, 10, 10)
    assert any("1 of 41 rows" in note for note in made.quality["notes"])


def test_square_root_table_and_gamma_undo_the_camera(tmp_path):
    celsius = np.linspace(20, 160, 256)
    stored = np.round(255 * np.sqrt((celsius - 20) / 140)).astype(np.uint8)
    frames = np.stack([stored.reshape(16, 16)] * 2)
    truth = 20 + 140 * (frames.astype(float) / 255) ** 2
    source = write_hdf5(tmp_path / "a.h5", frames)
    table = [[v, 20 + 140 * (v / 255) ** 2] for v in range(256)]
    for transfer in (
        {"kind": "square_root", "low": 20, "high": 160, "full_scale": 255},
        {"kind": "gamma", "exponent": 2, "low": 20, "high": 160, "full_scale": 255},
        {"kind": "table", "table": table},
    ):
        made = Normalized(tmp_path, source, normalize={**FLOAT, "transfer": transfer})
        np.testing.assert_allclose(made.concentration, truth, rtol=1e-6)
        # the file's own resolution: what was photographed is within one stored level
        assert np.abs(made.concentration[0].ravel() - celsius).max() < 1.2


@pytest.mark.parametrize("method", ["mean", "median"])
@pytest.mark.parametrize("first", [0, 5])
def test_background_is_subtracted_after_the_transfer(tmp_path, method, first):
    rng = np.random.default_rng(1)
    scene = rng.uniform(10, 90, (32, 32))
    intensity = np.repeat(scene[None], 12, axis=0)
    intensity[first] += 30  # someone walked by: the median does not care
    plume = np.zeros_like(intensity)
    plume[:, 8:16, 8:16] = 50
    plume[first : first + 5] = 0
    stored = np.sqrt((intensity + plume) / 200).astype(np.float64)
    made = Normalized(
        tmp_path,
        write_hdf5(tmp_path / "a.h5", stored),
        reader={"frames": [6, 12]},
        normalize={
            **FLOAT,
            "transfer": {"kind": "square_root", "high": 200},
            "background": {"method": method, "frames": [first, first + 5]},
            "calibration": {"zero": 0, "one": 50},
        },
    )
    ghost = 30 / 5 / 50 if method == "mean" else 0.0
    truth = plume[6:] / 50 - ghost
    np.testing.assert_allclose(made.concentration, truth, atol=1e-5)


def test_median_in_strips_is_the_median(monkeypatch, tmp_path):
    frames = np.random.default_rng(0).integers(0, 255, (9, 24, 20), np.uint8)
    source = write_hdf5(tmp_path / "a.h5", frames)
    changes = {"normalize": {**FLOAT, "background": {"method": "median", "frames": [0, 9]}}}
    # room for 5 rows of 9 frames at a time: five passes over the file
    original = sources.background.percentile_image
    passes = []

    def strips(read, shape, height, frame_bytes, n_frames, q):
        counted = lambda rows: passes.append(rows) or read(rows)  # noqa: E731
        return original(counted, shape, height, frame_bytes, n_frames, q, limit=9 * 20 * 5)

    monkeypatch.setattr(sources.background, "percentile_image", strips)
    made = Normalized(tmp_path, source, **changes)
    assert len(passes) == 5
    truth = frames - np.median(frames, axis=0)
    np.testing.assert_allclose(made.concentration, truth, atol=1e-5)


@pytest.mark.parametrize(("dtype", "levels"), [("uint8", 255), ("uint16", 65535), ("int16", 65535)])
def test_storage_is_exact_to_half_a_step_and_counts_what_it_clips(tmp_path, dtype, levels):
    frames = np.random.default_rng(0).uniform(-0.2, 1.9, (3, 20, 30))
    frames[0, 0, :4] = [-0.3, -1.0, 2.5, 1e9]
    frames[1, 0, 0] = -1e30
    frames[2, 3, :3] = [-0.25, 2.0, 2.0]  # the very ends are not clipped
    step = 2.25 / levels
    # rounding to the last number is not clipping: more than half a step outside is
    frames[2, 4, :4] = [-0.25 - 0.8 * step, -0.25 - 0.3 * step, 2 + 0.8 * step, 2 + 0.3 * step]
    made = Normalized(
        tmp_path, write_hdf5(tmp_path / "a.h5", frames), normalize={"storage": {"dtype": dtype}}
    )
    assert made.stored.dtype == dtype
    assert made.metadata["scale"] == pytest.approx(step)
    assert np.abs(made.concentration - np.clip(frames, -0.25, 2)).max() <= 0.501 * step
    assert (made.quality["clipped_low"], made.quality["clipped_high"]) == (4, 3)
    assert made.quality["clipped_low_fraction"] == 4 / 1800


@pytest.mark.parametrize(("source", "stored"), [("uint8", "uint8"), ("uint16", "uint16")])
def test_automatic_depth_follows_the_recording(tmp_path, source, stored):
    made = Normalized(tmp_path, write_hdf5(tmp_path / "a.h5", lopsided().astype(source)))
    assert made.metadata["dtype"] == stored


# ------------------------------------------------------------------------------ files, faults


def test_metadata_is_complete_and_the_same_again(tmp_path):
    source = write_video(tmp_path / "a.avi", lopsided(n=20), "FFV1")
    made = Normalized(tmp_path, source, normalize={"transfer": {"full_scale": 255}})
    first = made.plume.read_bytes(), made.quality_file.read_bytes()
    for key in (*REQUIRED_METADATA, "unit", "decoder", "decoder_version", "normalization"):
        assert key in made.metadata
    assert made.metadata["recording_sha256"] == hashlib.sha256(source.read_bytes()).hexdigest()
    assert (made.metadata["reader"], made.metadata["source_dtype"]) == ("video", "uint8")
    assert json.loads(made.quality_file.read_text()) == made.quality
    assert str(tmp_path) not in first[1].decode()
    assert str(tmp_path).encode() not in first[0]
    again = Normalized(tmp_path, source, normalize={"transfer": {"full_scale": 255}})
    assert (again.plume.read_bytes(), again.quality_file.read_bytes()) == first


def test_blocks_do_not_show_in_the_result(tmp_path, monkeypatch):
    source = write_hdf5(tmp_path / "a.h5", lopsided(n=23))
    changes = {
        "normalize": {
            "transfer": {"full_scale": 255},
            "background": {"method": "mean", "frames": [0, 5]},
            "resample": {"mm_per_px": 2.0, "frame_rate_hz": 7.0, "time": "linear"},
        }
    }
    whole = Normalized(tmp_path, source, **changes)
    monkeypatch.setattr("plumenav.recordings.hdf5.BLOCK_BYTES", 3 * 40 * 56)
    monkeypatch.setattr(movie, "OUT_BYTES", 2 * 20 * 28)
    (tmp_path / "again").mkdir()
    parts = Normalized(tmp_path / "again", source, **changes)
    np.testing.assert_array_equal(whole.stored, parts.stored)
    assert whole.quality == parts.quality


@pytest.mark.parametrize("fault", ["late", "quality"])
def test_after_a_failure_nothing_is_there(tmp_path, fault, monkeypatch):
    folder = tmp_path / "out"
    frames = lopsided(n=30).astype(np.float32)
    if fault == "late":
        frames[29, 5, 5] = np.nan
        expected: type[Exception] = UserError
    else:
        expected = OSError

        def fail(*_: object) -> None:
            raise OSError("disk full")

        monkeypatch.setattr(movie, "write_json", fail)
    source = write_hdf5(tmp_path / "a.h5", frames)
    with pytest.raises(expected, match=r"frame 29|disk full"):
        normalize("x", settings(), source, folder / "p.parquet", folder / "p.quality.json")
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"normalize": {"crop": {"rows": [0, 41]}}}, r"crop\.rows.*within \[0, 40\)"),
        ({"normalize": {"resample": {"mm_per_px": 50.0}}}, r"larger than the recording"),
        ({"normalize": {"transfer": {"low": 1, "high": 1}}}, "two different numbers"),
        ({"normalize": {"transfer": {"kind": "table", "table": [[0, 1]]}}}, "two or more"),
        ({"normalize": {"storage": {"minimum": 2}}}, "minimum < maximum"),
        ({"normalize": {"blank": {"rows": [0, 90]}}}, r"blank\.rows"),
        ({"normalize": {"blank": {"frames": [0, 90]}}}, r"blank\.frames"),
        ({"reader": {"frames": [0, 90]}}, "holds 6 frames"),
        ({"reader": {"frames": [2, 3]}}, "holds 1 frame"),
        ({"normalize": {"background": {"method": "mean", "frames": [9, 12]}}}, "holds 6 frames"),
    ],
)
def test_settings_that_do_not_fit_the_recording(tmp_path, changes, message):
    source = write_hdf5(tmp_path / "a.h5", lopsided())
    with pytest.raises(UserError, match=message):
        Normalized(tmp_path, source, **changes)
    assert [path.name for path in tmp_path.iterdir()] == ["a.h5"]


def test_numbers_that_are_not_finite_are_refused(tmp_path):
    frames = lopsided().astype(np.float32)
    frames[2, 5, 5] = np.inf
    with pytest.raises(UserError, match="frame 2 of those used"):
        Normalized(tmp_path, write_hdf5(tmp_path / "a.h5", frames))


def test_statistics_are_those_of_the_stored_numbers(tmp_path):
    frames = np.random.default_rng(0).normal(0.3, 0.3, (5, 33, 47)).astype(np.float32)
    frames[0, :2] = 65535
    for dtype in ("uint8", "uint16", "int16", "float32"):
        made = Normalized(
            tmp_path,
            write_hdf5(tmp_path / "a.h5", frames[1:]),
            normalize={"storage": {"dtype": dtype}, "blank": {"rows": [0, 5], "columns": [1, 9]}},
        )
        stated, values = made.quality["concentration"], made.concentration.astype(float)
        tight = 3e-5 if dtype == "float32" else 1e-9
        assert stated["mean"] == pytest.approx(values.mean(), abs=1e-7)
        assert stated["min"] == pytest.approx(values.min(), abs=1e-7)
        assert stated["max"] == pytest.approx(values.max(), abs=1e-7)
        for name, percent in (("median", 50), ("p95", 95), ("p99", 99)):
            truth = np.percentile(values, percent, method="inverted_cdf")
            assert stated[name] == pytest.approx(truth, abs=tight)
        blank = values[:, 0:5, 1:9]
        assert made.metadata["noise"]["mean"] == pytest.approx(blank.mean(), abs=1e-6)
        assert made.metadata["noise"]["sd"] == pytest.approx(blank.std(), abs=1e-6)
        limit = blank.mean() + 5 * blank.std()
        assert made.quality["intermittency"] == pytest.approx((values > limit).mean(), abs=2e-3)


@pytest.mark.parametrize("shift", [0, 4])
def test_a_camera_of_12_bits_saturates_in_a_file_of_16(tmp_path, shift):
    frames = np.random.default_rng(4).integers(0, 5000, (4, 20, 30)).clip(max=4095) << shift
    source = write_hdf5(tmp_path / "a.h5", frames.astype(np.uint16))
    made = Normalized(tmp_path, source, normalize={"calibration": {"one": 65535}})
    assert made.quality["saturated_fraction"] == pytest.approx((frames == 4095 << shift).mean())


def test_saturation_of_the_source_is_counted_inside_the_crop(tmp_path):
    frames = np.zeros((4, 20, 20), np.uint16)
    frames[1, 2:4, 5] = 65535
    frames[:, 19] = 65535  # cropped away
    made = Normalized(
        tmp_path, write_hdf5(tmp_path / "a.h5", frames), normalize={"crop": {"rows": [0, 10]}}
    )
    assert made.quality["saturated_fraction"] == 2 / (4 * 10 * 20)
