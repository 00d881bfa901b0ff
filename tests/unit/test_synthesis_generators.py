"""Gaussian plumes, packets, blobs, flat fields and ramps against what is known of them exactly."""

import math
import re
from pathlib import Path

import numpy as np
import pytest
import yaml

from plumenav.config.recordings import Recording
from plumenav.engine.fields import gradient as gradient_field
from plumenav.recordings.synthesis import _survey, blob, gaussian, gradient, packets, uniform
from plumenav.recordings.synthesis._geometry import file_pixels, view_of, world_of_pixels
from plumenav.recordings.synthesis._params import MovieParams, again

WIDE = {
    "height_px": 160,
    "width_px": 120,
    "mm_per_px": 1.0,
    "source_row_px": 80.0,
    "source_column_px": 10.0,
    "wind_toward": "+column",
}


def frames(module, every=1, seed=2, **parameters):
    params = module.Params(**parameters)
    return params, np.array(list(module.concentration_frames(params, seed, every)), np.float64)


# ------------------------------------------------------------------------------------ gaussian


def test_static_gaussian_is_the_formula(tmp_path):
    static = {**WIDE, **gaussian.PRESETS["static"], "frames": 3}
    params, movie = frames(gaussian, **static)
    assert np.array_equal(movie[0], movie[2])
    x, y = 70.0, -9.0
    sd = math.sqrt(4.0**2 + 2 * 60.0 * x / 100.0)
    expected = 4.0 / sd * math.exp(-(y**2) / (2 * sd**2))
    row, column = file_pixels(np.array(x), np.array(y), view_of(params))
    assert movie[0][int(row), int(column)] == pytest.approx(expected, rel=1e-6)
    # nothing upstream, and the same odour crosses every line across the wind
    assert not movie[0][:, :10].any()
    across = movie[0][:, 10:].sum(axis=0)
    assert across == pytest.approx(4.0 * math.sqrt(2 * math.pi), rel=1e-6)
    facts = gaussian.synthesize(tmp_path / "m.npy", "npy", 2, {**static})
    assert facts["odor_moves"] is False
    assert gaussian.synthesize(tmp_path / "m.npy", "npy", 2, WIDE | {"frames": 2})["odor_moves"]


def test_meandering_centreline_is_carried_by_one_air():
    """The centreline of what was at x is, a moment later, at x + wind dt, shifted by one number."""
    rate = 25.0  # 100 mm/s: 4 pixels per frame
    _, movie = frames(gaussian, **WIDE, frames=200, frame_rate_hz=rate, strength_sd=0.0)
    y = 80.0 - np.arange(160)
    centre = (movie[:, :, 10:] * y[:, None]).sum(axis=1) / movie[:, :, 10:].sum(axis=1)
    shift = centre[1:, 4:] - centre[:-1, :-4]
    assert np.abs(shift - shift[:, :1]).max() < 0.01
    velocity = shift[:, 0] * rate
    assert 5.0 < velocity.std() < 30.0
    assert np.abs(centre).max() > 5.0
    # at the source it does not move
    assert np.abs(centre[:, 0]).max() < 1e-6


def test_meander_has_the_declared_velocity():
    _, movie = frames(
        gaussian, frames=4000, frame_rate_hz=10.0, height_px=160, width_px=2,
        mm_per_px=2.0, source_row_px=80.0, source_column_px=-5.0, wind_toward="+column",
        strength_sd=0.0,
    )  # fmt: skip
    y = 2.0 * (80.0 - np.arange(160))
    centre = (movie[:, :, 0] * y).sum(axis=1) / movie[:, :, 0].sum(axis=1)
    # x = 10 mm is 0.1 s after release: displacement = velocity * 0.1 s, nearly constant meanwhile
    assert centre.std() / 0.1 == pytest.approx(15.0, rel=0.06)


@pytest.mark.parametrize(("toward", "axis"), [("+column", 2), ("-row", 1)])
def test_wind_can_be_measured_from_a_meandering_plume(toward, axis):
    rate = 50.0
    _, movie = frames(gaussian, **WIDE | {"wind_toward": toward, "source_column_px": 60.0},
                      frames=400, frame_rate_hz=rate)  # fmt: skip
    along = movie.sum(axis=3 - axis)  # (frame, position along the wind)
    along = along[:, 70:] if axis == 2 else along[:, 70::-1]
    rise = along - along.mean(axis=0)
    lags = range(1, 60)
    distance = 40
    fit = [np.sum(rise[lag:, distance] * rise[:-lag, 0]) for lag in lags]
    best = lags[int(np.argmax(fit))]
    assert distance / (best / rate) == pytest.approx(100.0, rel=0.05)


def test_strength_of_the_source_has_mean_one():
    _, movie = frames(gaussian, **WIDE, frames=1500, frame_rate_hz=10.0, meander_mm_s=0.0)
    at_source = movie[:, 80, 10]
    assert at_source.mean() == pytest.approx(1.0, abs=0.05)
    assert np.log(at_source).std() == pytest.approx(0.4, rel=0.1)


def test_front_of_the_first_odour_moves_with_the_wind():
    _, movie = frames(gaussian, **WIDE, frames=30, frame_rate_hz=25.0, lead_in_frames=10)
    assert not movie[:10].any()
    for i in (10, 15, 30 - 1):
        seen = np.flatnonzero(movie[i].any(axis=0))
        assert seen.max() == 10 + 4 * (i - 10)


# ------------------------------------------------------------------------------------- packets

FLOW = {"frames": 1200, "spin_up_s": 4.0}


@pytest.mark.parametrize("preset", packets.PRESETS)
def test_packets_are_released_carried_scattered_and_widened(preset):
    params = packets.Params(**packets.PRESETS[preset], **FLOW)
    ages, x, y, radius, born = [], [], [], [], set()
    for i, now in enumerate(packets.packets_of(params, 3)):
        age = i / params.frame_rate_hz - now.released_s
        assert (age >= 0).all()
        ages, x, y = [*ages, *age], [*x, *now.x_mm], [*y, *now.y_mm]
        radius = [*radius, *now.radius_mm]
        born |= {b for b in now.released_s.tolist() if b > 0}
        centre = params.strength / (math.pi * now.radius_mm**2)
        assert now.concentration == pytest.approx(centre)
    ages, x, y, radius = (np.array(v) for v in (ages, x, y, radius))
    expected = params.packet_rate_hz * (params.frames - 1) / params.frame_rate_hz
    assert abs(len(born) - expected) < 4 * math.sqrt(expected)
    intervals = np.diff(sorted(born))
    assert intervals.std() == pytest.approx(intervals.mean(), rel=0.25)  # Poisson: equal
    assert radius**2 == pytest.approx(
        params.initial_radius_mm**2 + 4 * params.growth_mm2_s * ages, rel=1e-12
    )
    # crosswind: variance 2 D age; packets of similar age, seen in many frames, are correlated
    scaled = y / np.sqrt(2 * params.diffusivity_mm2_s * np.maximum(ages, 1e-9))
    assert scaled.std() == pytest.approx(1.0, rel=0.15)
    young = ages < 0.5  # before any can have left
    drift = (x - params.wind_mm_s * ages)[young]
    assert abs(drift.mean()) < 4 * math.sqrt(2 * 1000.0 * 0.5 / len(born))


def test_a_fresh_packet_is_stored_as_one_and_its_odour_is_conserved():
    for preset in packets.PRESETS.values():
        params = packets.Params(**preset)
        fresh = params.strength / (math.pi * params.initial_radius_mm**2)
        assert params.unit_concentration == pytest.approx(fresh, rel=1e-4)
    calm = {"diffusivity_mm2_s": 0.0, "packet_rate_hz": 4.0, "wind_mm_s": 30.0, "spin_up_s": 0.0}
    params = packets.Params(frames=150, **calm)
    movie = packets.concentration_frames(params, 1, 10)
    for image, now in zip(movie, packets.packets_of(params, 1, 10), strict=True):
        total = image.sum(dtype=float) * params.unit_concentration  # 1 mm pixels
        # none has reached an edge: 30 mm/s for 3 s; 0.2 % lies beyond the cut
        assert total == pytest.approx(len(now.x_mm) * 3827.24, rel=4e-3)


def test_truth_of_packets_gives_the_published_threshold(tmp_path):
    small = {"frames": 4, "height_px": 30, "width_px": 40, "source_row_px": 15.0}
    facts = packets.synthesize(tmp_path / "m.npy", "npy", 1, small)
    assert facts["published_threshold"] * facts["unit_concentration"] == pytest.approx(1.0)
    assert facts["wind"] == {"speed_mm_s": 150.0, "toward_deg": 0.0}


# ---------------------------------------------------------------------------------------- blob


@pytest.mark.parametrize("degrees", [0.0, 25.0, -140.0])
@pytest.mark.parametrize("toward", ["+column", "-row"])
def test_a_blob_is_where_it_must_be(degrees, toward):
    how = {**blob.PRESETS["single"], "wind_deg": degrees, "wind_toward": toward}
    size = {"height_px": 200, "width_px": 200, "source_row_px": 100.0, "source_column_px": 100.0}
    params, movie = frames(
        blob, **how, **size, frames=20, frame_rate_hz=25.0, lead_in_frames=3, radius_mm=8.0
    )
    assert not movie[:3].any()
    rows, columns = np.indices(movie.shape[1:])
    for i in range(3, 20):
        t = (i - 3) / 25.0
        angle = math.radians(degrees)
        at = np.array(100.0 * t * math.cos(angle)), np.array(100.0 * t * math.sin(angle))
        row, column = file_pixels(*at, view_of(params))
        weight = movie[i] / movie[i].sum()
        assert (weight * rows).sum() == pytest.approx(float(row), abs=0.02)
        assert (weight * columns).sum() == pytest.approx(float(column), abs=0.02)
        assert movie[i].max() == pytest.approx(1.0, abs=0.02)


def test_blobs_go_around_outside_the_picture():
    """Nothing appears or vanishes inside: what enters was at the edge, faint, a frame before."""
    _, movie = frames(blob, frames=300, blobs=25, wind_deg=30.0, radius_mm=6.0)
    # moving back by whole pixels: 100 mm/s at 60 Hz, 30 degrees; compare after 6 frames = 10 mm
    row, column = -5, round(10 * math.cos(math.radians(30)))
    first, later = movie[:-6, 20:-20, 20:-20], movie[6:]
    moved = later[:, 20 + row : -20 + row, 20 + column : -20 + column]
    # 0.34 of a pixel is left over
    assert np.abs(moved - first).max() < 0.34 * 2.0 * 1.0 / 6.0
    means = movie.mean(axis=(1, 2))
    assert means.std() < 0.2 * means.mean()


def test_facts_of_a_slanted_field(tmp_path):
    facts = blob.synthesize(tmp_path / "m.npy", "npy", 1, {"preset": "slanted", "frames": 2})
    assert facts["wind"] == {"speed_mm_s": 100.0, "toward_deg": 25.0}
    angle = math.degrees(math.atan2(-facts["wind_px_s"]["row"], facts["wind_px_s"]["column"]))
    assert angle == pytest.approx(25.0)


# -------------------------------------------------------------------------- flat field and ramp


def test_flat_field_and_ramp_are_the_analytic_fields():
    _, flat = frames(uniform, **WIDE, frames=2, level=0.25)
    assert (flat == 0.25).all()
    params, ramp = frames(gradient, **WIDE, frames=2, slope_per_mm=0.01)
    x_mm, y_mm = world_of_pixels(view_of(params))
    constants = gradient_field.Constants(1.0, 0.01)
    for row, column in ((0, 0), (80, 10), (79, 11), (150, 119)):
        x, y = x_mm[row, column], y_mm[row, column]
        exact = gradient_field.value(None, 0, 0, 0, x, y, False, constants, 0.0, 0.0)
        assert ramp[0, row, column] == pytest.approx(exact, rel=1e-6)
    assert ramp.min() == 0.0
    assert ramp[0, 80, 10] == 1.0


# --------------------------------------------------------------------------------- documentation

PAGE = (Path(__file__).parents[2] / "docs" / "synthesis.md").read_text(encoding="utf-8")


def test_examples_of_the_page_are_valid():
    blocks = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    recordings = {k: v for text in blocks for k, v in yaml.safe_load(text)["recordings"].items()}
    kinds = {label: Recording.model_validate(entry).kind for label, entry in recordings.items()}
    assert set(kinds.values()) == {"movie", "analytic", "signal"}
    forms = {
        Recording.model_validate(recordings[k]).signal.form for k in kinds if kinds[k][0] == "s"
    }
    assert forms == {"pulse", "train", "series", "encounters"}


@pytest.mark.slow
def test_table_of_the_page_is_what_the_command_prints():
    assert "\n".join(_survey.rows()) in PAGE


# --------------------------------------------------------------------------------------- params


def test_a_parameter_declared_again_keeps_its_limits():
    class Other(MovieParams):
        frames: int = again(MovieParams, "frames", 7)

    assert Other().frames == 7
    assert MovieParams().frames == 3600
    assert (
        Other.model_fields["frames"].description == MovieParams.model_fields["frames"].description
    )
    with pytest.raises(ValueError, match="greater than or equal to 1"):
        Other(frames=0)
    with pytest.raises(ValueError, match="Input should be"):
        blob.Params(wind_toward="up")
