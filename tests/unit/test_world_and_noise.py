"""Axes, pixels and keyed noise: known answers."""

import numpy as np
import pytest
from numba import njit

from plumenav import rng, world
from plumenav.engine import philox

_block, _uniform = philox.philox_block, philox.uniform


@njit
def philox_block(key, step, block):
    """As compiled code calls it; nothing else can."""
    return _block(key, step, block)


@njit
def uniform(word):
    """As compiled code calls it."""
    return _uniform(word)


def test_standard_plif_pixels_lie_where_the_field_says():
    # x = 0.74 * row, y = +0.74 * (column - 107), source at (0, 107), array 406 x 216
    row, column = world.orient_pixel(0, 107, 406, 216, "+row")
    grid = world.Grid(216, 406, 0.74, row, column)
    for file_row, file_column in [(0, 107), (405, 0), (405, 215), (100, 120)]:
        r, c = world.orient_pixel(file_row, file_column, 406, 216, "+row")
        assert world.x_of_column(c, grid) == pytest.approx(0.74 * file_row)
        assert world.y_of_row(r, grid) == pytest.approx(0.74 * (file_column - 107))


@pytest.mark.parametrize("toward", world.QUARTER_TURNS)
@pytest.mark.parametrize("mirrored", [False, True])
def test_images_and_pixels_turn_together(toward, mirrored):
    image = np.arange(5 * 7).reshape(5, 7)
    turned = world.orient_image(image, toward, mirrored)
    for row, column in [(0, 0), (4, 6), (1, 5), (3, 2)]:
        r, c = world.orient_pixel(row, column, 5, 7, toward, mirrored)
        assert turned[r, c] == image[row, column]


@pytest.mark.parametrize(
    ("toward", "step"),
    [("+column", (0, 1)), ("-column", (0, -1)), ("+row", (1, 0)), ("-row", (-1, 0))],
)
def test_the_wind_blows_along_the_columns_afterwards(toward, step):
    r0, c0 = world.orient_pixel(4, 4, 9, 9, toward)
    r1, c1 = world.orient_pixel(4 + step[0], 4 + step[1], 9, 9, toward)
    assert (r1 - r0, c1 - c0) == (0, 1)


def test_turning_never_mirrors():
    # a transposition would also bring +row to +column, but swaps left and right
    image = np.arange(12).reshape(3, 4)
    assert not np.array_equal(world.orient_image(image, "+row"), image.T)
    assert np.array_equal(world.orient_image(image, "+row")[::-1], image.T)


def test_pixels_and_millimetres_are_inverse():
    grid = world.Grid(100, 200, 0.4, 33.25, -7.5)
    assert world.x_of_column(world.column_of_x(12.3, grid), grid) == pytest.approx(12.3)
    assert world.y_of_row(world.row_of_y(-4.56, grid), grid) == pytest.approx(-4.56)


@pytest.mark.parametrize("key", [0, 1, 2**63 + 12345, 2**64 - 1])
@pytest.mark.parametrize("block", [0, 1, 3])
def test_compiled_philox_is_numpys(key, block):
    expected = np.random.Philox(key=key, counter=[0, block, 0, 0]).random_raw(4 * 25)
    got = [
        word
        for step in range(25)
        for word in philox_block(np.uint64(key), np.uint64(step), np.uint64(block))
    ]
    assert np.array_equal(np.array(got, np.uint64), expected)


def test_draws_are_the_words_of_the_blocks():
    draws = rng.uniform_draws(77, 10, 6)
    for step in range(10):
        for d in range(6):
            word = philox_block(np.uint64(77), np.uint64(step), np.uint64(d // 4))[d % 4]
            assert draws[step, d] == uniform(np.uint64(word))
    assert draws.min() >= 0
    assert draws.max() < 1


def test_a_longer_run_has_the_same_first_draws():
    assert np.array_equal(rng.uniform_draws(5, 100, 3)[:10], rng.uniform_draws(5, 10, 3))


def test_keys_depend_on_every_part_and_their_borders():
    keys = {
        rng.noise_key(1, "a", "b", 0),
        rng.noise_key(1, "a", "b", 1),
        rng.noise_key(1, "ab", "", 0),
        rng.noise_key(2, "a", "b", 0),
    }
    assert len(keys) == 4
    assert rng.noise_key(1, "smooth", "on_off", 7) == 10492284153788134454
