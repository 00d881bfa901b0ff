"""Real files: one movie in many containers and codecs is one movie, within what each codec does.

The 60 frames were made from frames 198 .. 257 of the Stromboli recording: sqrt((T - 20) / 140),
clipped, times 255, halved by a bicubic filter. The lossless copy (FFV1) is the reference; it is
itself held against the 16-bit temperatures.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple

import cv2
import h5py
import numpy as np
import pytest

from factories_recordings import Normalized
from plumenav.recordings._contract import Settings
from plumenav.recordings._recognize import open_recording


class Tolerance(NamedTuple):
    """What a codec may do to gray levels (of 255), and why."""

    largest: int
    mean: float
    bias: float
    correlation: float
    why: str


# decimals of the correlation below 1 are about twice what was measured, as are the other limits
EXACT = Tolerance(0, 0.0, 0.0, 1.0, "lossless gray: the numbers themselves")
RANGE = (
    "limited range: 256 levels were stored as 220 and OpenCV's integer conversion back rounds down,"
    " half a level on average"
)
TOLERANCES = {
    "ffv1_gray8.mkv": EXACT,
    "raw_gray_y800.avi": EXACT,
    "png_gray.mov": EXACT,
    "anim.gif": EXACT._replace(why="a palette of 256 grays holds all levels"),
    "raw_bgr24_12f.avi": Tolerance(
        1, 0.15, 0.1, 0.9999, "uncompressed, but gray was made BGR through limited-range YUV"
    ),
    "huffyuv.avi": Tolerance(3, 0.6, 0.6, 0.9997, f"lossless YUV 4:2:2; {RANGE}"),
    "prores.mov": Tolerance(14, 0.6, 0.6, 0.9995, f"nearly lossless, 10 bits cut to 8; {RANGE}"),
    "mjpeg.avi": Tolerance(40, 0.8, 0.1, 0.999, "full range; 8 x 8 blocks, quality 3"),
    "vp9.webm": Tolerance(45, 0.6, 0.15, 0.9995, "coded as green, blue, red, which differ after"),
    "h264_gray.mp4": Tolerance(85, 0.8, 0.1, 0.9985, "full range; edges of the plume are smoothed"),
    "av1.mkv": Tolerance(90, 0.8, 0.1, 0.9985, "gray, full range; edges are smoothed"),
    "h264.mp4": Tolerance(100, 1.2, 0.8, 0.998, f"edges are smoothed; {RANGE}"),
    "h264.mov": Tolerance(100, 1.2, 0.8, 0.998, f"the same stream as h264.mp4; {RANGE}"),
    "h264.mkv": Tolerance(100, 1.2, 0.8, 0.998, f"the same stream as h264.mp4; {RANGE}"),
    "h264_29_97.mp4": Tolerance(100, 1.2, 0.8, 0.998, f"as h264.mp4 at another rate; {RANGE}"),
    "h264_10bit.mp4": Tolerance(
        100, 1.5, 1.2, 0.998, f"10 bits cut to 8, not rounded, on top of: {RANGE}"
    ),
    "hevc.mp4": Tolerance(110, 1.5, 0.9, 0.997, f"smoother than H.264 at this size; {RANGE}"),
    "mpeg2.mpg": Tolerance(45, 1.2, 0.8, 0.9985, f"8 x 8 blocks; {RANGE}"),
    "mpeg4.avi": Tolerance(55, 1.2, 0.8, 0.9985, f"8 x 8 blocks; {RANGE}"),
    "wmv2.wmv": Tolerance(60, 1.2, 0.8, 0.9985, f"8 x 8 blocks; {RANGE}"),
    "theora.ogv": Tolerance(85, 1.1, 0.2, 0.9978, "coarse quantization of 8 x 8 blocks"),
}
OTHERS = {
    "ffv1_gray16_true.mkv",
    "vfr_camera_timestamps.mkv",
    "vfr_camera_timestamps.mp4",
    "pims_cine_781.cine",
    "pims_stuck.tif",  # the TIFF reader's
    "torchcodec_h264_10bits.mp4",
}
NOMINAL_HZ = {"h264_29_97.mp4": 30000 / 1001}
# what the container can tell apart, s; without an entry stamps are exact
CLOCK_STEP_S = {".mkv": 1e-3, ".webm": 1e-3, ".wmv": 1e-3, ".gif": 1e-2}


class Movie(NamedTuple):
    frames: np.ndarray
    time_s: np.ndarray
    opened: object


def read(path: Path, **settings: object) -> Movie:
    opened = open_recording(path, Settings(**settings))
    blocks = list(opened.blocks())
    opened.close()
    return Movie(
        np.concatenate([b.frames for b in blocks]),
        np.concatenate([b.time_s for b in blocks]),
        opened,
    )


@pytest.fixture(scope="module")
def formats(recordings_folder):
    return recordings_folder / "formats"


@pytest.fixture(scope="module")
def temperatures(recordings_folder):
    """Counts of 0.01 degrees C, rows 120:480 and columns 200:520 of the camera's image."""
    with h5py.File(recordings_folder / "stromboli" / "stromboli_roi_centidegC_u16.h5") as file:
        yield file["frames"]


@pytest.fixture(scope="module")
def reference(formats):
    return read(formats / "ffv1_gray8.mkv").frames.astype(np.float64)


def test_every_file_has_a_tolerance_or_a_test_of_its_own(formats):
    assert {path.name for path in formats.iterdir()} == set(TOLERANCES) | OTHERS


def halved(image: np.ndarray, sharpness: float = -0.6) -> np.ndarray:
    """Half the size by the cubic filter (Keys 1981, stretched by two); loses two pixels around."""
    x = np.abs((np.arange(8) - 3.5) / 2)
    inner = (sharpness + 2) * x**3 - (sharpness + 3) * x**2 + 1
    outer = sharpness * (x**3 - 5 * x**2 + 8 * x - 4)
    weights = np.where(x < 1, inner, outer)
    weights /= weights.sum()
    rows, columns = image.shape[1] // 2 - 4, image.shape[2] // 2 - 4
    image = sum(w * image[:, 1 + j : 1 + j + 2 * rows : 2] for j, w in enumerate(weights))
    return sum(w * image[..., 1 + j : 1 + j + 2 * columns : 2] for j, w in enumerate(weights))


def test_the_reference_is_the_thermal_camera_s_movie(reference, temperatures):
    """Largest error 4 levels: where the plume saturates, filters clip at different places."""
    degrees = temperatures[198:258] / 100.0
    gray = np.round(255 * np.sqrt(np.clip((degrees - 20) / 140, 0, 1)))
    expected = np.round(np.clip(halved(gray), 0, 255))
    rows, columns = expected.shape[1:]
    error = reference[:, 62 : 62 + rows, 102 : 102 + columns] - expected
    assert np.abs(error).max() <= 4
    assert np.abs(error).mean() < 0.1


@pytest.mark.parametrize("name", TOLERANCES)
def test_all_containers_and_codecs_give_the_same_movie(formats, reference, name):
    tolerance = TOLERANCES[name]
    movie = read(formats / name)
    n = 12 if "12f" in name else 60
    assert movie.frames.shape == (n, 240, 320)
    assert movie.opened.facts.frames_header == n
    assert movie.opened.facts.format
    error = movie.frames - reference[:n]
    assert np.abs(error).max() <= tolerance.largest, tolerance.why
    assert np.abs(error).mean() <= tolerance.mean, tolerance.why
    assert abs(error.mean()) <= tolerance.bias, tolerance.why
    r = np.corrcoef(movie.frames.ravel(), reference[:n].ravel())[0, 1]
    assert r >= tolerance.correlation - 1e-12, tolerance.why
    nominal = np.arange(n) / NOMINAL_HZ.get(name, 30.0)
    step = CLOCK_STEP_S.get(Path(name).suffix, 0.0)
    # a container of coarse steps rounds each interval or each stamp: half a step, and GIF adds up
    np.testing.assert_allclose(movie.time_s, nominal, atol=step + 1e-9)


@pytest.mark.parametrize("name", sorted(set(TOLERANCES) - {"raw_bgr24_12f.avi"}))
def test_frames_are_in_order_whatever_the_codec_s_delay(formats, reference, name):
    """Nearest to the frames of their own numbers, not to those before or after."""
    frames = read(formats / name).frames[2:-2].astype(np.float64)
    distances = [np.square(frames - reference[k : k + 56]).sum() for k in range(5)]
    assert np.argmin(distances) == 2


def test_sixteen_bits_are_kept(formats, temperatures):
    movie = read(formats / "ffv1_gray16_true.mkv")
    assert movie.frames.dtype == np.uint16
    assert (movie.opened.facts.bits, movie.opened.facts.dtype) == (16, "uint16")
    np.testing.assert_array_equal(movie.frames, temperatures[198:258])
    assert len(np.unique(movie.frames)) > 256


@pytest.mark.parametrize(("name", "slack_s"), [("mkv", 1e-3), ("mp4", 1e-9)])
def test_the_camera_s_irregular_stamps_survive(formats, recordings_folder, name, slack_s):
    """Within 1 ms in mkv, exactly in mp4, whose time base here is finer than the camera's 1 ms.

    Where the camera wrote one stamp several times, the muxer had to set each later one 1 ms on.
    """
    with open(recordings_folder / "stromboli" / "timestamps.csv", newline="") as file:
        camera_s = np.array([float(row["t_s"]) for row in csv.DictReader(file)])
    movie = read(formats / f"vfr_camera_timestamps.{name}")
    assert len(movie.time_s) == 400
    assert np.count_nonzero(np.diff(camera_s) == 0) == 52
    for i in range(1, 400):
        camera_s[i] = max(camera_s[i], camera_s[i - 1] + 1e-3)
    np.testing.assert_allclose(movie.time_s, camera_s, atol=slack_s)
    assert np.diff(movie.time_s).max() == pytest.approx(0.4, abs=2e-3)


def test_cine_clock_is_the_camera_s_own_and_depth_is_kept(formats):
    """The header says 90 kHz, at which the camera ran; one image in ten was saved."""
    movie = read(formats / "pims_cine_781.cine")
    facts = movie.opened.facts
    assert movie.frames.shape == (15, 256, 256)
    assert movie.frames.dtype == np.uint16
    assert (facts.bits, facts.extra["camera_bits"]) == (12, 12)
    assert movie.frames.max() < 2**12
    assert len(np.unique(movie.frames)) > 256
    assert facts.rate_hz == pytest.approx(9000, rel=1e-3)
    np.testing.assert_allclose(np.diff(movie.time_s), 1 / 9000, rtol=2e-3)
    # FFmpeg spreads 12 bits over 16: the same picture, the right way up
    capture = cv2.VideoCapture(str(formats / "pims_cine_781.cine"), cv2.CAP_FFMPEG)
    capture.set(cv2.CAP_PROP_CONVERT_RGB, 0)
    np.testing.assert_array_equal(capture.read()[1] >> 4, movie.frames[0])
    assert any("90000" in note for note in movie.opened.notes)


def test_deeper_than_8_bits_is_said_to_be_cut(formats):
    opened = read(formats / "torchcodec_h264_10bits.mp4").opened
    assert "the file has 10 bits per channel, the decoder gives 8" in opened.notes
    assert opened.facts.extra["pixel_format"] == "YUV 4:2:0, 10 bits"


# A gray level is 2 * 140 * gray / 255**2 degrees: 0.3 at the sky, 1.1 at the top of the scale.
PLUME = {
    "frame_rate_hz": None,
    "source_px": {"row": 236, "column": 171},
    "wind_toward": "-row",
    "normalize": {
        "transfer": {"kind": "square_root", "full_scale": 255, "low": 20, "high": 160},
        "calibration": {"zero": 24.5, "one": 124.5},
        "storage": {"dtype": "uint16"},
    },
}
DEGREES_PER_LEVEL = 1.1


@pytest.fixture(scope="module")
def plume(formats, tmp_path_factory):
    made = Normalized(tmp_path_factory.mktemp("plume"), formats / "ffv1_gray8.mkv", **PLUME)
    return made.concentration


@pytest.mark.parametrize("name", TOLERANCES)
def test_all_containers_and_codecs_give_the_same_plume(formats, plume, tmp_path, name):
    tolerance = TOLERANCES[name]
    made = Normalized(tmp_path, formats / name, **PLUME)
    difference = made.concentration - plume[: len(made.concentration)]
    step = made.metadata["scale"]  # concentration 1 is 100 degrees
    assert np.abs(difference).mean() <= tolerance.mean * DEGREES_PER_LEVEL / 100 + step
    assert np.abs(difference).max() <= tolerance.largest * DEGREES_PER_LEVEL / 100 + step
    r = np.corrcoef(made.concentration.ravel(), plume[: len(made.concentration)].ravel())[0, 1]
    assert r >= tolerance.correlation - 1e-9, tolerance.why
    assert made.quality["fidelity"]["r"] > 0.9999
