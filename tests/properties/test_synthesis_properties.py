"""Properties of the synthesis that hold for any input."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from plumenav import world
from plumenav.recordings.synthesis import _render, _truth
from plumenav.recordings.synthesis._geometry import View, file_pixels, grid_of


@settings(max_examples=60, deadline=None)
@given(
    st.integers(2, 50),
    st.integers(2, 50),
    st.floats(0.1, 3),
    st.floats(-60, 60),
    st.floats(-60, 60),
    st.sampled_from(["+column", "+row", "-column", "-row"]),
    st.booleans(),
    st.floats(-100, 100),
    st.floats(-100, 100),
)
def test_pixels_and_world_are_inverse(h, w, scale, row, column, toward, mirrored, x, y):
    view = View(h, w, scale, row, column, toward, mirrored)
    at = file_pixels(np.array([x]), np.array([y]), view)
    turned = world.orient_pixel(at[0][0], at[1][0], h, w, toward, mirrored)
    grid = grid_of(view)
    assert abs(world.x_of_column(turned[1], grid) - x) < 1e-9
    assert abs(world.y_of_row(turned[0], grid) - y) < 1e-9
    image = world.orient_image(np.zeros((h, w)), toward, mirrored)
    assert image.shape == (grid.height, grid.width)


@settings(max_examples=60, deadline=None)
@given(
    st.floats(-80, 130),
    st.floats(-80, 130),
    st.floats(0.3, 70),
    st.floats(0, 5),
)
def test_any_puff_is_close_to_its_gaussian(row, column, radius, concentration):
    arrays = (np.array([v]) for v in (row, column, radius, concentration))
    image = _render.render((50, 47), *arrays, 2.5)
    i, j = np.indices((50, 47))
    exact = concentration * np.exp(-((i - row) ** 2 + (j - column) ** 2) / radius**2)
    assert np.abs(image - exact).max() <= 3e-3 * concentration + 1e-7


@settings(max_examples=80, deadline=None)
@given(st.integers(1, 7), st.integers(1, 7), st.randoms(use_true_random=False))
def test_largest_rectangle_is_the_largest(height, width, random):
    mask = np.array([[random.random() < 0.7 for _ in range(width)] for _ in range(height)])
    top, bottom, left, right = _truth.largest_rectangle(mask)
    assert mask[top:bottom, left:right].all()
    best = max(
        (
            (b - a) * (d - c)
            for a in range(height)
            for b in range(a + 1, height + 1)
            for c in range(width)
            for d in range(c + 1, width + 1)
            if mask[a:b, c:d].all()
        ),
        default=0,
    )
    assert (bottom - top) * (right - left) == best
