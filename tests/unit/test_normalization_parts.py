"""Blank air, plumes that are not movies, and single steps, against known answers."""

from __future__ import annotations

import importlib

import cv2
import numpy as np
import pytest

from factories_recordings import Normalized, settings, write_hdf5
from plumenav import registry, world
from plumenav.config.normalization import (
    Background,
    Blank,
    Calibration,
    Normalization,
    Storage,
    Transfer,
)
from plumenav.errors import UserError
from plumenav.normalization.blank import Rectangle, find, largest_rectangle
from plumenav.normalization.geometry import contiguous
from plumenav.normalization.pipeline import normalize
from plumenav.normalization.statistics import Maps
from plumenav.normalization.steps import background, calibration, crop, resample, storage, transfer
from plumenav.recordings._recognize import signatures
from plumenav.tables import PlumeReader

# -------------------------------------------------------------------------------- blank air


def noisy_plume(n: int = 60, noise_sd: float = 0.01, **where: slice) -> np.ndarray:
    """Noise everywhere, and puffs that pass through a part of the image now and then."""
    rng = np.random.default_rng(5)
    frames = rng.normal(0, noise_sd, (n, 96, 160))
    rows, columns = where.get("rows", slice(40, 70)), where.get("columns", slice(0, 160))
    for k in range(0, n, 7):
        frames[k, rows, columns] += 0.3 * rng.random()
    return frames


def blank_of(made: Normalized) -> tuple[int, ...]:
    keys = ("row_start", "row_stop", "column_start", "column_stop")
    return tuple(made.metadata["blank"][key] for key in keys)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_the_largest_rectangle_that_the_plume_never_enters(tmp_path, dtype):
    frames = noisy_plume()
    made = Normalized(
        tmp_path,
        write_hdf5(tmp_path / "a.h5", frames),
        normalize={"storage": {"dtype": dtype}},
    )
    # rows 0..39 are free: whole cells of 6 pixels end at 36
    assert blank_of(made) == (0, 36, 0, 156)
    assert (made.metadata["blank"]["frame_start"], made.metadata["blank"]["frame_stop"]) == (0, 60)
    assert made.metadata["noise"]["mean"] == pytest.approx(0, abs=1e-3)
    quantized = 2.25 / 255 / 12**0.5 if dtype == "uint8" else 0
    assert made.metadata["noise"]["sd"] == pytest.approx(np.hypot(0.01, quantized), rel=0.03)


def test_one_puff_in_one_frame_is_enough_to_disqualify(tmp_path):
    frames = noisy_plume()
    frames[33, 10, 80] = 0.2  # a single pixel, once
    made = Normalized(tmp_path, write_hdf5(tmp_path / "a.h5", frames))
    r0, r1, c0, c1 = blank_of(made)
    assert not (r0 <= 10 < r1 and c0 <= 80 < c1)
    assert (r1 - r0) * (c1 - c0) >= 70 * 36


def test_a_steady_haze_is_not_blank_air(tmp_path):
    frames = noisy_plume(rows=slice(0, 1))
    frames[:, :, 90:] += 0.1
    made = Normalized(tmp_path, write_hdf5(tmp_path / "a.h5", frames))
    assert blank_of(made)[3] <= 90


def test_a_declared_side_is_kept_and_the_other_one_found(tmp_path):
    source = write_hdf5(tmp_path / "a.h5", noisy_plume(columns=slice(50, 100)))
    blank = {"rows": [41, 66], "frames": [3, 20]}
    made = Normalized(tmp_path, source, normalize={"blank": blank})
    assert blank_of(made) == (41, 66, 102, 156)
    assert (made.metadata["blank"]["frame_start"], made.metadata["blank"]["frame_stop"]) == (3, 20)
    blank = {"rows": [1, 6], "columns": [2, 9], "frames": [3, 20]}
    made = Normalized(tmp_path, source, normalize={"blank": blank})
    assert blank_of(made) == (1, 6, 2, 9)
    part = made.concentration[3:20, 1:6, 2:9].astype(float)
    assert made.metadata["noise"]["sd"] == pytest.approx(part.std(), rel=1e-6)
    assert made.quality["blank_found"] == "declared"


def drifting_haze(n: int = 60) -> np.ndarray:
    """A smooth random pattern that drifts through the whole image, and noise."""
    rng = np.random.default_rng(2)
    pattern = cv2.GaussianBlur(rng.normal(0, 1, (96, 160 + n)), (0, 0), 5)
    pattern = 0.2 + 0.1 * pattern / pattern.std()
    moving = np.stack([pattern[:, n - k : n - k + 160] for k in range(n)])
    return moving + rng.normal(0, 0.01, moving.shape)


@pytest.mark.parametrize("plume", [lambda: noisy_plume(rows=slice(0, 96)), drifting_haze])
def test_no_blank_air_is_said(tmp_path, plume):
    frames = plume()
    made = Normalized(tmp_path, write_hdf5(tmp_path / "a.h5", frames))
    assert made.metadata["blank"] is None
    assert made.metadata["noise"] is None
    assert "no cell" in made.quality["blank_found"] or "smaller" in made.quality["blank_found"]


def test_clean_simulated_air_without_any_noise():
    largest = np.zeros((40, 64))
    largest[20:] = 0.5
    maps = Maps(50, largest / 10, largest / 5, largest)
    assert find(Blank(), maps, None, 0.0, "blank")[0] == Rectangle(0, 20, 0, 64)


def test_largest_rectangle_by_hand():
    cells = np.array([[1, 1, 0, 1], [1, 1, 1, 1], [0, 1, 1, 1]], bool)
    assert largest_rectangle(cells) == (1, 3, 1, 4)
    assert largest_rectangle(np.zeros((3, 3), bool)) is None
    assert largest_rectangle(np.ones((3, 5), bool)) == (0, 3, 0, 5)


# ------------------------------------------------------------------------ analytic and signal


def origin(**kind: object) -> dict[str, object]:
    return {"path": None, **kind}


@pytest.mark.parametrize(
    ("x_mm", "y_mm", "pixel"),
    [
        ([-50.0, 250.0], [-80.0, 80.0], 1.0),
        ([0.0, 10.0], [-3.5, 3.5], 1.0),
        ([-0.5, 9.75], [0.0, 3.5], 0.25),
        ([0.1, 0.4], [-0.2, 0.2], 0.1),
    ],
)
def test_an_analytic_arena_has_exactly_the_given_edges(tmp_path, monkeypatch, x_mm, y_mm, pixel):
    monkeypatch.setattr(registry, "file_of", lambda kind, name: None)
    analytic = {"field": "gaussian", "parameters": {"a": 2.0}, "x_mm": x_mm, "y_mm": y_mm}
    folder = tmp_path
    record = normalize(
        "x", settings(**origin(analytic=analytic)), None, folder / "p.parquet", folder / "q.json"
    )
    with PlumeReader(folder / "p.parquet") as reader:
        metadata = reader.metadata
    grid = world.Grid(*(metadata[key] for key in world.Grid._fields))
    assert grid.mm_per_px == pixel
    edges = world.extent_mm(grid)
    if pixel == 1.0:
        assert edges == (*x_mm, *y_mm)
    np.testing.assert_allclose(edges, (*x_mm, *y_mm), atol=1e-12)
    assert (metadata["kind"], metadata["field"]) == ("analytic", "gaussian")
    assert metadata["field_constants"] == {"a": 2.0}
    assert metadata["blank"] is None
    assert record["frames_written"] == 0


def test_an_analytic_field_must_exist_and_have_room(tmp_path):
    with pytest.raises(UserError, match="no such plug-in"):
        Normalized(tmp_path, None, **origin(analytic={"field": "nonesuch"}))
    with pytest.raises(UserError, match=r"analytic\.x_mm"):
        Normalized(tmp_path, None, **origin(analytic={"field": "uniform", "x_mm": [3, 3]}))
    assert list(tmp_path.iterdir()) == []


def test_a_pulse_is_inside_from_its_onset_to_before_its_end(tmp_path):
    pulse = {"start_s": 0.3, "stop_s": 0.7, "level": 0.5, "duration_s": 1.0, "frame_rate_hz": 10}
    made = Normalized(tmp_path, None, **origin(signal=pulse))
    # 0.3 is not a binary number: 3 / 10 counts as inside, 7 / 10 as outside
    np.testing.assert_array_equal(made.stored.ravel(), np.float32([0] * 3 + [0.5] * 4 + [0] * 3))
    np.testing.assert_allclose(made.time_s, np.arange(10) / 10)
    metadata = made.metadata
    assert (metadata["kind"], metadata["field"], metadata["dtype"]) == (
        "signal",
        "signal",
        "float32",
    )
    assert (metadata["height"], metadata["width"], metadata["mm_per_px"]) == (1, 1, 1.0)
    assert (metadata["source_row"], metadata["source_column"]) == (0, 0)
    assert metadata["period_s"] == pytest.approx(1.0)
    assert metadata["blank"] is None
    assert made.quality["concentration"]["mean"] == pytest.approx(0.2)


def test_a_pulse_must_end_after_it_starts(tmp_path):
    pulse = {"start_s": 2.0, "stop_s": 1.0, "duration_s": 5.0}
    with pytest.raises(UserError, match=r"signal\.stop_s"):
        Normalized(tmp_path, None, **origin(signal=pulse))


def test_a_movie_needs_a_file(tmp_path):
    with pytest.raises(UserError, match="no file was given"):
        Normalized(tmp_path, None)


# -------------------------------------------------------------------------------- the pieces


def test_transfers_by_hand():
    stored = np.array([0.0, 51.0, 255.0])
    undo = transfer.plain(stored, Transfer(kind="square_root", low=20, high=160, full_scale=255))
    np.testing.assert_allclose(undo, [20, 20 + 140 * 0.04, 160])
    undo = transfer.plain(stored, Transfer(low=1, high=3, full_scale=255))
    np.testing.assert_allclose(undo, [1, 1.4, 3])
    undo = transfer.plain(stored, Transfer(kind="gamma", exponent=0.5, full_scale=255))
    np.testing.assert_allclose(undo, [0, 0.2**0.5, 1])
    table = Transfer(kind="table", table=((0, 5), (100, 7), (200, 6)))
    np.testing.assert_allclose(transfer.plain(stored, table), [5, 6.02, 6])


@pytest.mark.parametrize(
    "dtype", ["uint8", "int8", "uint16", "int16", "int32", "float32", "float64"]
)
@pytest.mark.parametrize(
    "camera",
    [
        Transfer(low=1, high=3, full_scale=100),
        Transfer(kind="square_root", low=20, high=160, full_scale=100),
        Transfer(kind="gamma", exponent=2.2, full_scale=100),
        Transfer(kind="table", table=((0, 5), (40, 7), (100, 3))),
    ],
)
def test_the_fast_transfer_is_the_plain_one(dtype, camera):
    stored = np.arange(0, 120, 7).astype(dtype).reshape(2, 9)
    work = np.dtype("float64" if dtype in ("int32", "float64") else "float32")
    fast = transfer.inverse(camera, np.dtype(dtype), work)
    values = fast.shape(stored)
    assert values.dtype == work
    np.testing.assert_allclose(
        values * fast.gain + fast.bias, transfer.plain(stored, camera), rtol=1e-5
    )


def test_plain_steps_by_hand():
    frames = np.arange(2 * 4 * 6.0).reshape(2, 4, 6)
    part = crop.plain(frames, crop.Crop(rows=(1, 3), columns=(2, 6)))
    np.testing.assert_array_equal(part, frames[:, 1:3, 2:6])
    means = resample.plain(frames, (2, 2))
    assert means[0, 0, 0] == (0 + 1 + 6 + 7) / 4
    oblong = resample.plain(frames, (4, 3))
    np.testing.assert_allclose(oblong[0], [[(0 + 18) / 2 + 1, (0 + 18) / 2 + 4]])
    empty = background.plain(frames, Background(method="mean", frames=(0, 1)))
    np.testing.assert_array_equal(empty, frames[0])
    points = calibration.declared(Calibration(zero=1, one=3))
    np.testing.assert_allclose(calibration.plain(frames, points), (frames - 1) / 2)
    how = storage.code(Storage(minimum=0, maximum=2), 8)
    stored, low, high = storage.plain(np.array([-1.0, 0, 1, 2, 3]), how)
    np.testing.assert_array_equal(stored, [0, 0, 128, 255, 255])
    assert (low, high) == (1, 1)


@pytest.mark.parametrize("wind", list(world.QUARTER_TURNS))
@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_the_fast_copy_of_a_turned_view_is_that_view(wind, mirrored, dtype):
    for image in (np.arange(35), np.arange(5), np.arange(1)):
        image = image.reshape(-1, 5 if image.size > 1 else 1).astype(dtype)
        turned = world.orient_image(image, wind, mirrored)
        copy = contiguous(turned)
        np.testing.assert_array_equal(copy, turned)
        assert copy.flags.c_contiguous


def test_every_step_is_a_section_of_the_config_and_has_its_definition():
    folder = registry.PACKAGE / "normalization" / "steps"
    names = {path.stem for path in folder.glob("*.py") if not path.stem.startswith("_")}
    assert names == set(Normalization.model_fields) - {"blank", "extra"}
    for name in names:
        module = importlib.import_module(f"plumenav.normalization.steps.{name}")
        assert callable(module.plain)
        assert module.__doc__


def test_every_reader_keeps_the_contract():
    for name in registry.names("reader"):
        assert callable(registry.get("reader", name).open)
        assert registry.get("reader", name).__doc__
        for signature in signatures(name).values():
            assert all(offset >= 0 and part for offset, part in signature)
