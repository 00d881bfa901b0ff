"""The presets are what they claim: statistics of full-size images, fewer of them."""

import numpy as np
import pytest

from plumenav.recordings.synthesis import _calibration
from plumenav.recordings.synthesis._truth import clean_rectangle
from plumenav.recordings.synthesis.filament import PRESETS, Params, concentration_frames


@pytest.fixture(scope="module")
def smooth():
    return _calibration.sampled_movie(Params(), seed=1, every=40)


def test_smooth_has_the_statistics_of_the_standard_movie(smooth):
    found = _calibration.statistics(smooth, 0.004, 1, _calibration.PLIF)
    for name, published in _calibration.PLIF.items():
        assert found[name] == pytest.approx(published, rel=0.25), name
    assert 0.85 < smooth.max() < 1.6


def test_smooth_is_smooth_and_never_leaves_the_centreline(smooth):
    downwind = smooth[:, 100:300, 107]
    assert (downwind > 0.02).mean() > 0.95
    # neighbouring pixels differ by little of what is there
    assert np.abs(np.diff(smooth, axis=2)).max() < 0.15
    assert smooth[:, :5, 107].mean() == pytest.approx(0.9, abs=0.2)
    assert smooth[:, 0, 107].mean() > 3 * smooth[:, 380, 107].mean()


def test_smooth_keeps_an_upstream_corner_clean(smooth):
    area = clean_rectangle(smooth.max(axis=0), 0.001)
    height_mm = 0.74 * (area["row_stop"] - area["row_start"])
    width_mm = 0.74 * (area["column_stop"] - area["column_start"])
    assert min(height_mm, width_mm) >= 15
    assert max(height_mm, width_mm) >= 20
    assert area["row_stop"] * 0.74 < 60


@pytest.fixture(scope="module")
def patchy():
    params = Params(**{**PRESETS["complex"], "frames": 1320})
    return np.array(list(concentration_frames(params, 1, every=20))[12:])


def test_complex_is_intermittent_on_the_centreline(patchy):
    # 150 mm downwind of the source at column 40; a whiff: 5 sd of the mean of 2 x 2 pixels
    blocks = patchy.reshape(len(patchy), 400, 2, 544, 2).mean(axis=(2, 4))
    level = 5 * 1.5 / 120 / 2
    at_150_mm = blocks[:, 195:205, 395 - 5 : 395 + 5]
    assert 0.2 < (at_150_mm >= level).mean() < 0.45
    # somewhere across the arena, there is a whiff nearly always: the plume is there, but patchy
    assert (blocks[:, :, 395].max(axis=1) >= level).mean() > 0.7
    # and the gaps between patches along the plume are real
    occupied = (blocks[:, :, 20:] >= level).any(axis=1).mean(axis=1)
    assert occupied.min() < 0.97


def test_complex_is_dark_in_the_upstream_corner_and_rarely_too_bright(patchy):
    assert not patchy[:, :100, :200].any()
    # background 65 and gain 120: above 1.58 the camera clips
    assert (patchy > 1.58).mean() < 1e-3
    assert patchy.max() > 0.5


def test_calibration_improves_a_wrong_start():
    base = Params(
        frames=90, spin_up_s=4, height_px=102, width_px=54, mm_per_px=2.96, source_column_px=27
    )
    start = {"initial_radius_mm": 4.0, "growth_rate": 4.2}

    def misfit_of(values):
        params = base.model_copy(update=values)
        frames = _calibration.sampled_movie(params, 1, 10)
        found = _calibration.statistics(frames, params.noise_sd, 1, _calibration.PLIF)
        corner = _calibration.corner_concentration(params, 1)
        return _calibration.misfit(found, _calibration.PLIF, corner)

    best, value = _calibration.calibrate(_calibration.PLIF, start, 1, 12, base, every=10)
    assert value < 0.5 * misfit_of(start)
    assert value == pytest.approx(misfit_of(best))
    assert best["initial_radius_mm"] > 4.0
