"""Puffs as pixels: shape, amount, direction; the camera's background and noise."""

import numpy as np
import pytest

from plumenav import world
from plumenav.recordings.synthesis import _render, _truth
from plumenav.recordings.synthesis._camera import Camera, background
from plumenav.recordings.synthesis._geometry import file_pixels, grid_of, view_of
from plumenav.recordings.synthesis.filament import PRESETS, Params, concentration_frames

DIRECTIONS = ["+column", "+row", "-column", "-row"]


def one_puff(shape, row, column, radius_px, concentration=1.0, cut=2.5):
    arrays = (np.array([float(v)]) for v in (row, column, radius_px, concentration))
    return _render.render(shape, *arrays, cut)


def exact(shape, row, column, radius_px):
    i, j = np.indices(shape)
    return np.exp(-((i - row) ** 2 + (j - column) ** 2) / radius_px**2)


@pytest.mark.parametrize("radius_px", [1.5, 6.0, 15.9])
def test_narrow_puff_is_an_exact_gaussian(radius_px):
    image = one_puff((90, 80), 44.3, 41.7, radius_px)
    truth = exact((90, 80), 44.3, 41.7, radius_px)
    inside = image > 0
    assert np.abs(image - truth)[inside].max() < 2e-6
    assert truth[~inside].max() <= np.exp(-(2.5**2)) if (~inside).any() else True


@pytest.mark.parametrize(("radius_px", "error"), [(16.0, 2.5e-3), (32.0, 2.5e-3), (60.0, 2.5e-3)])
def test_wide_puff_is_close_to_its_gaussian(radius_px, error):
    # exp(-2.5**2) = 0.0019 is what the cut leaves out
    image = one_puff((97, 83), 30.2, -10.6, radius_px)
    assert np.abs(image - exact((97, 83), 30.2, -10.6, radius_px)).max() < error


@pytest.mark.parametrize("radius_px", [4.0, 12.0, 20.0])
def test_amount_of_odour_in_the_image(radius_px):
    image = one_puff((200, 200), 100.2, 99.1, radius_px, concentration=0.7)
    assert image.sum() == pytest.approx(0.7 * np.pi * radius_px**2, rel=2e-3)


def test_puff_outside_leaves_nothing():
    assert not one_puff((50, 60), -100.0, 30.0, 5.0).any()
    assert not one_puff((50, 60), 25.0, 400.0, 30.0).any()


def test_images_add_up():
    a, b = one_puff((50, 60), 10, 20, 5), one_puff((50, 60), 30, 25, 18)
    arrays = np.array([[10, 30], [20, 25], [5, 18], [1, 1]], float)
    assert _render.render((50, 60), *arrays, 2.5) == pytest.approx(a + b, abs=1e-6)


def small(toward, mirrored=False):
    """The same arena seen in four directions: 60 px downwind, 44 px across, source off the middle.

    In the world: x from -5 px, 15 px to the left of the wind, 28 to its right.
    """
    row, column = {
        "+column": (15, 5),
        "+row": (5, 28),
        "-column": (28, 54),
        "-row": (54, 15),
    }[toward]
    height, width = (44, 60) if "column" in toward else (60, 44)
    if mirrored:
        column = width - 1 - column
    return Params(
        frames=8,
        height_px=height,
        width_px=width,
        source_row_px=row,
        source_column_px=column,
        wind_toward=toward,
        mirrored=mirrored,
        mm_per_px=2.0,
    )


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("toward", DIRECTIONS)
def test_every_direction_shows_the_same_world(toward, mirrored):
    reference = np.array(list(concentration_frames(small("+column"), 4)))
    frames = np.array(list(concentration_frames(small(toward, mirrored), 4)))
    turned = world.orient_image(frames, toward, mirrored)
    assert turned.shape == reference.shape
    assert turned == pytest.approx(reference, abs=2e-3)
    # asymmetric: a transposition or a mirror image is something else
    assert np.abs(reference - reference[:, ::-1]).max() > 0.1
    source = world.orient_pixel(
        small(toward, mirrored).source_row_px,
        small(toward, mirrored).source_column_px,
        *frames.shape[1:],
        toward,
        mirrored,
    )
    assert source == (15, 5)


def test_standard_array():
    view = view_of(Params())
    x_mm, y_mm = np.array([0.0, 74.0]), np.array([0.0, 7.4])
    row, column = file_pixels(x_mm, y_mm, view)
    assert row == pytest.approx([0, 100])
    assert column == pytest.approx([107, 117])
    assert grid_of(view) == world.Grid(216, 406, 0.74, 108, 0)


def test_plume_meanders_to_both_sides_and_odour_goes_downwind():
    params = Params(frames=240, height_px=60, width_px=60, mm_per_px=4.0, source_column_px=30)
    movie = np.array(list(concentration_frames(params, 2)))
    columns = np.arange(60)
    centre = (movie[:, 40] * columns).sum(axis=1) / movie[:, 40].sum(axis=1)
    assert centre.min() < 29 < 31 < centre.max()
    assert movie[:, 1, 30].mean() > 3 * movie[:, 40, 30].mean()


def test_every_kth_frame_is_the_same_frame():
    params = small("+column")
    movie = list(concentration_frames(params, 1))
    for a, b in zip(movie[::3], concentration_frames(params, 1, every=3), strict=True):
        assert np.array_equal(a, b)


def test_seed_changes_the_plume():
    a, b = (np.array(list(concentration_frames(small("+row"), seed))) for seed in (1, 2))
    assert np.abs(a - b).max() > 0.05


def test_lead_in_has_no_odour_then_the_plume_fills_in():
    params = small("+column").model_copy(update={"frames": 40, "lead_in_frames": 12})
    movie = np.array(list(concentration_frames(params, 1)))
    assert not movie[:13].any()
    assert movie[20].any()
    reach = [np.flatnonzero((frame > 0.02).any(axis=0)).max(initial=-1) for frame in movie]
    # the front: 100 mm/s are 3.3 px a frame, plus the radius of the first puff
    assert 5 + 8 * 3.3 - 3 < reach[20] < 5 + 8 * 3.3 + 14
    assert reach[39] == 59


def test_movie_without_lead_in_starts_developed():
    movie = np.array(list(concentration_frames(small("+column"), 1)))
    assert movie[0, :, 55].sum() > 0.3 * movie[:, :, 20].sum(axis=1).mean()


def test_background_keeps_its_range_and_structure():
    params = Params(**PRESETS["complex"])
    scene = background(params, 1)
    assert scene.shape == (800, 1088)
    assert scene.min() >= 40
    assert scene.max() <= 90
    assert scene.mean() == pytest.approx(65, abs=0.5)
    assert scene.std() == pytest.approx(np.hypot(8, 4), rel=0.05)
    # a step of one pixel in white noise smoothed by s: sd * sqrt(2 (1 - exp(-1 / (4 s**2))))
    fine, coarse = (np.sqrt(2 * (1 - np.exp(-1 / (4 * s**2)))) for s in (3, 40))
    assert np.diff(scene, axis=1).std() == pytest.approx(np.hypot(4 * fine, 8 * coarse), rel=0.1)
    assert np.array_equal(scene, background(params, 1))
    assert not np.array_equal(scene, background(params, 2))


def test_camera_counts_what_it_clips():
    params = Params(
        height_px=20, width_px=30, gain=100.0, offset=50.0, noise_sd=0.0, source_row_px=0
    )
    camera = Camera(params, 1)
    image = np.zeros((20, 30), np.float32)
    image[3, 4], image[5, 6], image[7, 8], image[9, 10] = 5.0, 1.0, -1.0, 2.05
    picture = camera.record_uint8(image)
    assert [picture[3, 4], picture[5, 6], picture[7, 8], picture[9, 10]] == [255, 150, 0, 255]
    assert picture[0, 0] == 50
    assert camera.clipped_px == 2


def test_pool_noise_looks_independent():
    params = Params(height_px=100, width_px=120, gain=100.0, offset=100.0, noise_sd=8.0)
    camera = Camera(params, 1)
    still = np.zeros((100, 120), np.float32)
    movie = np.array([camera.record_uint8(still) for _ in range(40)]).astype(float) - 100
    assert movie.std() == pytest.approx(np.hypot(8.0, 12**-0.5), rel=0.01)
    assert abs(movie.mean()) < 0.1
    for a, b in [
        (movie[1:], movie[:-1]),
        (movie[:, 1:], movie[:, :-1]),
        (movie[:, :, 1:], movie[:, :, :-1]),
    ]:
        assert abs(np.mean(a * b)) / 64 < 5 / np.sqrt(a.size)


def test_summary_and_clean_rectangle():
    facts = _truth.summary(np.arange(101.0))
    assert facts["median"] == 50
    assert facts["p95"] == 95
    assert facts["mean"] == 50
    assert facts["max"] == 100
    highest = np.zeros((20, 24))
    highest[5, :] = 1
    highest[:, 17] = 1
    assert _truth.clean_rectangle(highest, 0.5) == {
        "row_start": 8,
        "row_stop": 20,
        "column_start": 0,
        "column_stop": 16,
    }
    assert _truth.clean_rectangle(np.ones((8, 8)), 0.5) is None
