"""Geometry with known answers: unequal pixels, any angle, lenses."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from factories_recordings import Normalized, settings, write_hdf5
from plumenav import world
from plumenav.config.recordings import Recording
from plumenav.errors import UserError
from plumenav.normalization.geometry import geometry
from plumenav.normalization.steps import lens
from plumenav.normalization.steps.lens import Optics

FLOAT = {"storage": {"dtype": "float32"}, "calibration": {"zero": 0, "one": 1}}


def shape_of(height: int, width: int, **changes: object):
    return geometry(Recording.model_validate(settings(**changes)), height, width, "recordings.x")


def spots(height: int, width: int, places: list[tuple[float, float]], sd: float = 2.5):
    """Images with one Gaussian spot each, at (row, column)."""
    row, column = np.mgrid[:height, :width]
    return np.stack(
        [np.exp(-((row - r) ** 2 + (column - c) ** 2) / (2 * sd**2)) for r, c in places]
    ).astype(np.float32)


def centres_mm(made: Normalized) -> list[tuple[float, float]]:
    """Centre of mass of each frame, in the world."""
    grid = world.grid_of(made.metadata)
    i, j = np.mgrid[: grid.height, : grid.width]
    found = []
    for image in made.concentration:
        row, column = (image * i).sum() / image.sum(), (image * j).sum() / image.sum()
        found.append((world.x_of_column(column, grid), world.y_of_row(row, grid)))
    return found


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("angle_deg", [12.5, -33.0, 100.0, 171.0, -129.0, 45.0])
@pytest.mark.parametrize("edges", [(1.0, 1.0), (0.7, 1.1)])
@pytest.mark.parametrize("mm_per_px", [None, 2.5])
def test_any_angle_puts_points_where_trigonometry_does(
    tmp_path, angle_deg, mirrored, edges, mm_per_px
):
    source = (110.0, 105.0)
    places = [(110.0, 105.0), (104.0, 115.0), (118.0, 98.0)]
    made = Normalized(
        tmp_path,
        write_hdf5(tmp_path / "a.h5", spots(221, 211, places)),
        wind_toward=angle_deg,
        mirrored=mirrored,
        mm_per_px={"row": edges[0], "column": edges[1]},
        source_px={"row": source[0], "column": source[1]},
        normalize={**FLOAT, "resample": {"mm_per_px": mm_per_px}},
    )
    angle = math.radians(angle_deg)
    for (row, column), (x_mm, y_mm) in zip(places, centres_mm(made), strict=True):
        # as seen in the unmirrored image: right and up, in mm
        right = (column - source[1]) * edges[1] * (-1 if mirrored else 1)
        up = -(row - source[0]) * edges[0]
        along = right * math.cos(angle) + up * math.sin(angle)
        left = up * math.cos(angle) - right * math.sin(angle)
        assert (x_mm, y_mm) == pytest.approx((along, left), abs=0.05)
    # what a spot holds is conserved: its area integral is that of a Gaussian
    total = made.concentration.sum(axis=(1, 2)) * made.metadata["mm_per_px"] ** 2
    np.testing.assert_allclose(total, 2 * math.pi * 2.5**2 * edges[0] * edges[1], rtol=0.01)
    assert made.quality["conservation"]["ratio"] == pytest.approx(1, abs=0.01)
    assert made.quality["fidelity"]["r"] > 0.95  # pixels of 2.5 mm blur spots of 1.75 mm
    assert "upright rectangle" in made.quality["notes"][-1]


@pytest.mark.parametrize("wind", list(world.QUARTER_TURNS))
def test_an_angle_along_an_axis_is_that_axis(wind):
    named = shape_of(40, 56, wind_toward=wind, mirrored=True)
    by_angle = shape_of(40, 56, wind_toward=world.IMAGE_ANGLES_DEG[wind] + 360.0, mirrored=True)
    assert by_angle == named


@pytest.mark.parametrize("wind", ["+column", "-row"])
def test_unequal_pixels_become_square(tmp_path, wind):
    # the registry's swapped scale: 0.394 mm down, 1.391 mm across
    places = [(20.0, 30.0), (50.0, 12.0)]
    made = Normalized(
        tmp_path,
        write_hdf5(tmp_path / "a.h5", spots(121, 41, places)),
        wind_toward=wind,
        mm_per_px={"row": 0.394, "column": 1.391},
        source_px={"row": 20, "column": 30},
        normalize=FLOAT,
    )
    assert made.metadata["mm_per_px"] == 1.391
    down, across = 30 * 0.394, -18 * 1.391
    truth = (across, -down) if wind == "+column" else (-down, -across)
    x_mm, y_mm = centres_mm(made)[1]
    assert (x_mm, y_mm) == pytest.approx(truth, abs=0.01)
    assert "made square" in "".join(made.quality["notes"])
    total = made.concentration.sum(axis=(1, 2)) * 1.391**2
    np.testing.assert_allclose(total, 2 * math.pi * 2.5**2 * 0.394 * 1.391, rtol=1e-3)


LENS = {"focal_px": 90.0, "k1": -0.18, "k2": 0.03, "p1": 0.004, "p2": -0.006}


def test_the_lens_is_that_of_a_camera_calibration():
    optics = lens.optics(lens.Lens(**LENS, centre_row_px=50, centre_column_px=61), 101, 121)
    row, column = np.mgrid[5:96:13, 3:118:17].astype(float)
    ours = lens.undistort(row, column, optics)
    camera = np.array([[90.0, 0, 61], [0, 90.0, 50], [0, 0, 1]])
    seen = np.stack([column.ravel(), row.ravel()], axis=1)[:, None]
    theirs = cv2.undistortPoints(
        seen,
        camera,
        np.array([LENS["k1"], LENS["k2"], LENS["p1"], LENS["p2"]]),
        P=camera,
        # more iterations than its default, which stops at a tenth of a pixel
    )
    # ours maps back exactly; theirs stops after five steps
    back = lens.distort(*ours, optics)
    np.testing.assert_allclose(back, [row, column], atol=1e-5)
    np.testing.assert_allclose(theirs[:, 0, 0], ours[1].ravel(), atol=0.3)
    np.testing.assert_allclose(theirs[:, 0, 1], ours[0].ravel(), atol=0.3)


def test_a_lens_without_coefficients_is_none():
    optics = Optics(100.0, 20.0, 30.0, 0, 0, 0, 0, 0)
    row, column = np.array([1.0, 20, 33]), np.array([2.0, 30, 7])
    np.testing.assert_allclose(lens.distort(row, column, optics), [row, column])


def test_a_lens_that_folds_the_image_is_refused():
    strong = {"focal_px": 20.0, "k1": -2.0}
    with pytest.raises(UserError, match=r"normalize\.lens.*cannot be undone"):
        shape_of(101, 121, normalize={"lens": strong})


def test_straight_lines_come_back_straight(tmp_path):
    # spots on a straight line in the scene, seen through the lens
    optics = lens.optics(lens.Lens(**LENS), 101, 121)
    true = [(12.0, 20.0), (50.0, 60.0), (88.0, 100.0)]
    seen = [
        tuple(float(v) for v in lens.distort(np.array(r), np.array(c), optics)) for r, c in true
    ]
    assert np.abs(np.subtract(seen, true)).max() > 1  # the lens does bend
    made = Normalized(
        tmp_path,
        write_hdf5(tmp_path / "a.h5", spots(101, 121, seen, sd=1.5)),
        source_px={"row": seen[0][0], "column": seen[0][1]},
        normalize={**FLOAT, "lens": LENS},
    )
    for (row, column), (x_mm, y_mm) in zip(true, centres_mm(made), strict=True):
        assert (x_mm, y_mm) == pytest.approx((column - 20, 12 - row), abs=0.1)


def test_a_turned_image_holds_no_made_up_pixels(tmp_path):
    made = Normalized(
        tmp_path,
        write_hdf5(tmp_path / "a.h5", np.full((2, 60, 90), 7, np.float32)),
        wind_toward=20.0,
        source_px={"row": 30, "column": 0},
        normalize=FLOAT,
    )
    np.testing.assert_allclose(made.concentration, 7, rtol=1e-6)
    assert made.stored.shape[1] * made.stored.shape[2] > 0.3 * 60 * 90


def test_a_crop_too_small_to_turn_is_refused():
    changes = {"crop": {"rows": [0, 2], "columns": [0, 50]}, "resample": {"mm_per_px": 2}}
    with pytest.raises(UserError, match="larger than the recording"):
        shape_of(60, 90, wind_toward=30.0, normalize=changes)


@pytest.mark.parametrize("wind", [*world.QUARTER_TURNS, 17.0])
@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("mm_per_px", [1.0, 2.0, 1.7])
def test_every_pixel_of_the_file_knows_its_place_in_the_plume(wind, mirrored, mm_per_px):
    shape = shape_of(
        40,
        56,
        wind_toward=wind,
        mirrored=mirrored,
        source_px={"row": 13, "column": 22},
        normalize={
            "crop": {"rows": [3, 38], "columns": [5, 54]},
            "resample": {"mm_per_px": mm_per_px},
        },
    )
    row, column = shape.locate()
    r0, _, c0, _ = shape.window
    at_source = row[13 - r0, 22 - c0], column[13 - r0, 22 - c0]
    assert at_source == pytest.approx((shape.grid.source_row, shape.grid.source_column), abs=1e-4)
    # the reducer agrees: an image of plume columns, reduced, is the columns
    reduced = shape.reducer(np.dtype(np.float64))(column.astype(np.float64))
    middle = reduced[1:-1, 1:-1]
    truth = np.broadcast_to(np.arange(shape.grid.width, dtype=float), reduced.shape)[1:-1, 1:-1]
    # pixels of 1.7 are means of whole and cut ones: right on average, not each
    np.testing.assert_allclose(middle, truth, atol={1.0: 0.01, 2.0: 0.01, 1.7: 0.05}[mm_per_px])
    assert np.mean(middle - truth) == pytest.approx(0, abs=2e-3)
