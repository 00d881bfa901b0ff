"""Pixels of the file and millimetres of the world: there and back, against the turn of images."""

from __future__ import annotations

import doctest
from itertools import product

import numpy as np
import pytest

from plumenav import world
from plumenav.config.recordings import Recording
from plumenav.normalization.geometry import geometry

HEIGHT, WIDTH = 37, 52
ORIENTATIONS = list(product(world.QUARTER_TURNS, (False, True)))


def test_the_examples_hold() -> None:
    assert doctest.testmod(world).failed == 0


@pytest.mark.parametrize(("wind_toward", "mirrored"), ORIENTATIONS)
def test_a_view_is_the_turn_of_images_in_millimetres(wind_toward: str, mirrored: bool) -> None:
    """Every pixel lands where orient_pixel puts it, and comes back exactly."""
    turned = (wind_toward, mirrored)
    view = world.View(0.5, 0.5, 11, 7, *turned)
    source = world.orient_pixel(11, 7, HEIGHT, WIDTH, *turned)
    shape = world.orient_image(np.zeros((HEIGHT, WIDTH)), *turned).shape
    grid = world.Grid(*shape, 0.5, *source)
    for row, column in product((0, 5, HEIGHT - 1), (0, 20, WIDTH - 1)):
        x, y = world.world_of_file(row, column, view)
        out = world.orient_pixel(row, column, HEIGHT, WIDTH, *turned)
        assert (world.row_of_y(y, grid), world.column_of_x(x, grid)) == out
        assert world.file_of_world(x, y, view) == (row, column)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("angle", [-170.0, -33.3, 0.0, 12.5, 90.0, 271.0])
def test_there_and_back_at_any_angle_with_pixels_that_are_not_square(
    angle: float, mirrored: bool
) -> None:
    view = world.View(0.4, 0.7, 3.5, -2.0, angle, mirrored)
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    x, y = world.world_of_file(rows, columns, view)
    back = world.file_of_world(x, y, view)
    np.testing.assert_allclose(back[0], rows, atol=1e-9)
    np.testing.assert_allclose(back[1], columns, atol=1e-9)
    # millimetres are kept: one row is 0.4 mm and one column 0.7 mm, whatever the turn
    np.testing.assert_allclose(np.hypot(np.diff(x, axis=0), np.diff(y, axis=0)), 0.4)
    np.testing.assert_allclose(np.hypot(np.diff(x, axis=1), np.diff(y, axis=1)), 0.7)


@pytest.mark.parametrize(
    ("angle", "name"), [(0.0, "+column"), (90.0, "-row"), (180.0, "-column"), (-90.0, "+row")]
)
@pytest.mark.parametrize("mirrored", [False, True])
def test_angles_are_counted_from_plus_column_as_the_image_is_seen(
    angle: float, name: str, mirrored: bool
) -> None:
    by_angle = world.View(0.5, 0.5, 1, 2, angle, mirrored)
    by_name = by_angle._replace(wind_toward=name)
    np.testing.assert_allclose(
        world.world_of_file(9, 30, by_angle), world.world_of_file(9, 30, by_name), atol=1e-12
    )


@pytest.mark.parametrize(("wind_toward", "mirrored"), ORIENTATIONS)
def test_a_view_agrees_with_the_grid_of_the_normalized_plume(
    wind_toward: str, mirrored: bool
) -> None:
    """Two ways to the same place: the corner of the normalized plume, and the file's own corner."""
    recording = Recording.model_validate(
        {
            "path": "x",
            "mm_per_px": 0.5,
            "source_px": {"row": 11, "column": 7},
            "wind_toward": wind_toward,
            "mirrored": mirrored,
            "normalize": {"crop": {"rows": [4, 34], "columns": [2, 50]}},
        }
    )
    grid = geometry(recording, HEIGHT, WIDTH, "recordings.x").grid
    view = world.View(0.5, 0.5, 11, 7, wind_toward, mirrored)
    x, y = world.world_of_file(np.array([3.5, 33.5]), np.array([1.5, 49.5]), view)
    assert (min(x), max(x), min(y), max(y)) == world.extent_mm(grid)
