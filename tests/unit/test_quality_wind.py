"""Wind from the movie itself: exact on moving blobs, near the truth on synthetic plumes."""

from __future__ import annotations

import json

import numpy as np
import pytest

from plumenav.normalization.pipeline import normalize
from plumenav.quality import maps
from plumenav.quality.measure import measure
from plumenav.quality.wind import (
    Surface,
    correlation_surfaces,
    motion_of,
    other_means,
    pairs_of,
    peak_of,
    small_scales,
)
from plumenav.recordings.synthesis import filament
from plumenav.tables import PlumeReader

BURSTS, LENGTH = 16, 5


def blobs(
    row_px: float, column_px: float, noise: float = 0.0, size: int = 128, radius: float = 3.0
) -> tuple[np.ndarray, np.ndarray]:
    """Bursts of frames in which round blobs move by so many pixels per frame, and burst numbers.

    Blobs that leave come back on the other side, so a shift of the phases is an exact translation.
    """
    rng = np.random.default_rng(3)
    ky, kx = np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None, :]
    blob = np.exp(-((np.pi * radius) ** 2) * (ky**2 + kx**2)) * np.pi * radius**2
    frames = []
    for _ in range(BURSTS):
        points = np.zeros((size, size))
        points[tuple(rng.integers(0, size, (2, 60)))] = rng.lognormal(0, 0.5, 60)
        spectrum = np.fft.rfft2(points) * blob
        for k in range(LENGTH):
            shift = np.exp(-2j * np.pi * k * (ky * row_px + kx * column_px))
            image = np.fft.irfft2(spectrum * shift, (size, size))
            frames.append(image + rng.normal(0, noise, image.shape))
    burst = np.repeat(np.arange(BURSTS), LENGTH)
    return np.array(frames, np.float32), burst


def found(frames, burst, time_s=None):
    """Motion, with a time stamp per frame of 1 s unless given."""
    time_s = np.arange(len(frames), dtype=float) if time_s is None else time_s
    fine = small_scales(frames)
    moments = maps.moments(fine)
    plume = np.ones(frames.shape[1:], bool)
    return motion_of(correlation_surfaces(fine, moments.sd, plume, burst, time_s))


@pytest.mark.parametrize(
    ("speed_px", "angle_deg"),
    [(0.3, 20), (0.3, 200), (1.0, 90), (2.5, 137), (5.0, 300), (9.0, 45), (15.0, 0), (15.0, 211)],
)
@pytest.mark.parametrize("noise", [0.0, 0.4])
def test_blobs_at_any_angle_and_speed(speed_px, angle_deg, noise):
    angle = np.radians(angle_deg)
    frames, burst = blobs(-speed_px * np.sin(angle), speed_px * np.cos(angle), noise)
    motion = found(frames, burst)
    assert motion.reason == ""
    speed = np.hypot(motion.row_px_s, motion.column_px_s)
    direction = np.degrees(np.arctan2(-motion.row_px_s, motion.column_px_s))
    assert speed == pytest.approx(speed_px, rel=0.05)
    assert abs((direction - angle_deg + 180) % 360 - 180) < 3
    assert motion.confidence > (0.8 if noise == 0 else 0.2)


def test_a_pattern_that_stands_still_does_not_hold_the_peak():
    frames, burst = blobs(0.0, 4.0)
    rng = np.random.default_rng(0)
    floor = 5 * rng.random(frames.shape[1:]).astype(np.float32)
    motion = found(frames + floor, burst)
    assert motion.column_px_s == pytest.approx(4.0, abs=0.05)
    assert motion.row_px_s == pytest.approx(0.0, abs=0.05)


def test_noise_moves_nowhere():
    rng = np.random.default_rng(1)
    frames = rng.normal(0, 1, (60, 80, 80)).astype(np.float32)
    motion = found(frames, np.repeat(np.arange(12), 5))
    assert motion.row_px_s is None
    assert "keeps its shape" in motion.reason
    assert motion.confidence == 0


def test_without_a_clock_there_is_no_wind():
    frames, burst = blobs(0.0, 3.0)
    motion = found(frames, burst, np.zeros(len(frames)))
    assert motion.row_px_s is None
    assert "regular interval" in motion.reason


def test_the_means_of_a_burst_hold_nothing_of_it_nor_of_each_other():
    burst = np.repeat(np.arange(5), 2)
    frames = (10.0 ** burst[:, None, None]).astype(np.float32)
    means = other_means(frames, burst)
    first, second = means(1)  # bursts 0, 2, 4, and 3
    assert first.item() == pytest.approx((1 + 100 + 10_000) / 3)
    assert second.item() == pytest.approx(1000)
    alone = other_means(frames[:2], burst[:2])(0)
    assert [m.item() for m in alone] == [1.0, 1.0]
    two = other_means(frames[:4], burst[:4])(0)
    assert [m.item() for m in two] == [10.0, 10.0]


def test_what_flickers_in_place_does_not_move():
    rng = np.random.default_rng(1)
    frames, burst = blobs(0.0, 0.0)
    frames = frames * rng.uniform(0.9, 1.1, (len(frames), 1, 1)).astype(np.float32)
    motion = found(frames, burst)
    assert motion.row_px_s is None
    assert "does not move" in motion.reason


def test_the_interval_is_that_of_the_stamps():
    frames, burst = blobs(0.0, 3.0)
    motion = found(frames, burst, np.arange(len(frames)) / 25.0)
    assert motion.column_px_s == pytest.approx(75.0, rel=0.02)


def test_pairs_stay_in_their_burst_and_leave_out_irregular_stamps():
    burst = np.array([0, 0, 0, 1, 1, 1])
    time_s = np.array([0.0, 1.0, 2.0, 10.0, 11.0, 15.0])
    assert pairs_of(burst, time_s, 1, 1.0).tolist() == [0, 1, 3]
    assert pairs_of(burst, time_s, 2, 1.0).tolist() == [0]


def test_a_peak_is_found_between_pixels():
    r, c = np.mgrid[-20:21, -30:31]
    for row, column, width in ((0.0, 0.0, 3.0), (2.3, -7.6, 3.0), (-5.45, 11.2, 1.2)):
        surface = np.exp(-((r - row) ** 2 + (c - column) ** 2) / (2 * width**2))
        peak = peak_of(surface)
        assert peak.row == pytest.approx(row, abs=0.03)
        assert peak.column == pytest.approx(column, abs=0.03)
    assert peak_of(np.full((9, 9), np.nan)) is None
    assert peak_of(-np.ones((9, 9))) is None


def test_a_lag_that_contradicts_the_shorter_ones_is_left_out():
    r, c = np.mgrid[-20:21, -30:31]

    def surface(lag, column):
        return Surface(lag, float(lag), 9, np.exp(-(r**2 + (c - column) ** 2) / 18.0))

    motion = motion_of([surface(1, 4.0), surface(2, 8.0), surface(3, 1.0), surface(4, 16.0)])
    assert motion.lags_s == [1.0, 2.0, 4.0]
    assert motion.column_px_s == pytest.approx(4.0, abs=0.02)


SMALL = {
    "smooth": (
        {"preset": "smooth", "frames": 150, "height_px": 203, "width_px": 108, "mm_per_px": 1.48}
        | {"source_column_px": 53.5},
        {"mm_per_px": 1.48, "source_px": {"row": 0, "column": 53.5}, "wind_toward": "+row"}
        | {"frame_rate_hz": 15.0},
        100.0,
    ),
    "complex": (
        {"preset": "complex", "frames": 900, "height_px": 100, "width_px": 136, "mm_per_px": 1.6}
        | {"source_row_px": 50, "source_column_px": 5, "lead_in_frames": 40},
        {"mm_per_px": 1.6, "source_px": {"row": 50, "column": 5}, "frame_rate_hz": 60.0}
        | {
            "normalize": {
                "transfer": {"full_scale": 255, "low": 0, "high": 255},
                "background": {"method": "mean", "frames": (0, 40)},
                "calibration": {"zero": 0, "one": 120},
                "storage": {"dtype": "uint16"},
            }
        },
        150.0,
    ),
}


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow)])
@pytest.mark.parametrize("preset", SMALL)
def test_the_wind_of_a_synthetic_plume(tmp_path, preset, seed):
    from plumenav.config.recordings import Recording

    parameters, settings, truth_mm_s = SMALL[preset]
    form, name = {"smooth": ("hdf5", "a.h5"), "complex": ("mjpeg_avi", "a.avi")}[preset]
    filament.synthesize(tmp_path / name, form, seed, parameters)
    recording = Recording.model_validate({"path": name, **settings})
    plume = tmp_path / "plume.parquet"
    content = json.loads(recording.model_dump_json())
    normalize("a", content, tmp_path / name, plume, tmp_path / "q.json")
    with PlumeReader(plume) as reader:
        measures = measure(reader, None, [])
    assert measures.wind_mm_s == pytest.approx(truth_mm_s, rel=0.1)
    assert abs(measures.wind_deg) < 10
    shorter_mm = min(reader.shape) * reader.metadata["mm_per_px"]
    off_mm = np.hypot(*measures.source_mm)
    assert off_mm < 0.06 * shorter_mm
