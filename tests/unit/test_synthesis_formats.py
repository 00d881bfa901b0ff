"""Every format stores what the camera saw: exactly, but for JPEG."""

from contextlib import closing

import cv2
import h5py
import numpy as np
import pytest
import scipy.io
import tifffile

from plumenav.errors import UserError
from plumenav.recordings._contract import Settings
from plumenav.recordings._recognize import open_recording
from plumenav.recordings.synthesis import _array_writers
from plumenav.recordings.synthesis._camera import Camera
from plumenav.recordings.synthesis._movie import write_movie
from plumenav.recordings.synthesis._writers import EXTENSIONS, FORMATS
from plumenav.recordings.synthesis.gaussian import Params, concentration_frames, synthesize

SMALL = {
    "frames": 19,
    "height_px": 26,
    "width_px": 38,
    "mm_per_px": 2.0,
    "source_row_px": 12.0,
    "source_column_px": 4.0,
    "wind_toward": "+column",
}
LEVELS = {
    "float32": {},
    "uint16": {"gain": 20_000.0, "offset": 900.0, "noise_sd": 120.0},
    "uint8": {"gain": 150.0, "offset": 30.0, "noise_sd": 1.5},
}


def read_video(path):
    capture = cv2.VideoCapture(str(path))
    frames = []
    while True:
        good, frame = capture.read()
        if not good:
            break
        frames.append(frame[..., 1])
    rate = capture.get(cv2.CAP_PROP_FPS)
    capture.release()
    assert rate == pytest.approx(15.0)
    return np.array(frames)


def read_hdf5(path):
    with h5py.File(path) as file:
        return file["dataset2"][:]


def read_mat(path):
    # as MATLAB shows it: axes from the fastest, then frame first
    return read_hdf5(path).T.transpose(2, 0, 1)


READ = {
    "hdf5": read_hdf5,
    "mat": read_mat,
    "npy": np.load,
    "tiff": tifffile.imread,
    "ffv1_avi": read_video,
    "mjpeg_avi": read_video,
}


def seen(params, dtype):
    camera = Camera(params, 8)
    return np.array([camera.record(f, dtype) for f in concentration_frames(params, 8)])


@pytest.mark.parametrize("file_format", FORMATS)
def test_what_the_camera_saw_comes_back(tmp_path, file_format):
    dtype = FORMATS[file_format].dtype
    parameters = {**SMALL, **LEVELS[dtype.name]}
    path = tmp_path / f"movie.{EXTENSIONS[file_format]}"
    facts = synthesize(path, file_format, 8, parameters)
    stored, expected = READ[file_format](path), seen(Params(**parameters), dtype)
    assert stored.dtype == dtype == np.dtype(facts["dtype"])
    assert stored.shape == (19, 26, 38)
    assert np.ptp(expected) > 0.3 * LEVELS[dtype.name].get("gain", 1.0)
    if file_format == "mjpeg_avi":
        assert np.corrcoef(stored.ravel(), expected.ravel())[0, 1] > 0.99
    else:
        assert np.array_equal(stored, expected)


@pytest.mark.parametrize("file_format", FORMATS)
def test_the_project_s_own_readers_give_the_same_numbers(tmp_path, file_format):
    dtype = FORMATS[file_format].dtype
    path = tmp_path / f"movie.{EXTENSIONS[file_format]}"
    synthesize(path, file_format, 8, {**SMALL, **LEVELS[dtype.name]})
    axes = ("frame", "column", "row") if file_format == "mat" else None
    with closing(open_recording(path, Settings(axes=axes))) as recording:
        facts = recording.facts
        frames = np.concatenate([block.frames for block in recording.blocks()])
    assert (facts.height, facts.width, facts.dtype) == (26, 38, dtype.name)
    assert np.array_equal(frames, READ[file_format](path))


def test_matlab_file_says_what_it_is(tmp_path):
    path = tmp_path / "movie.mat"
    synthesize(path, "mat", 8, SMALL)
    head = path.read_bytes()[:520]
    assert head.startswith(b"MATLAB 7.3 MAT-file")
    assert head[124:128] == b"\x00\x02IM"
    assert head[512:] == b"\x89HDF\r\n\x1a\n"
    assert scipy.io.matlab.matfile_version(path) == (2, 0)
    with h5py.File(path) as file:
        assert file["dataset2"].attrs["MATLAB_class"] == b"single"
        assert file["dataset2"].shape == (19, 38, 26)
    with pytest.raises(UserError, match="MATLAB allows"):
        synthesize(tmp_path / "m.mat", "mat", 8, {**SMALL, "dataset": "p/frames"})


def test_tiff_pages_are_plain_and_become_bigtiff_in_time(tmp_path, monkeypatch):
    parameters = {**SMALL, **LEVELS["uint16"]}
    synthesize(tmp_path / "small.tif", "tiff", 8, parameters)
    monkeypatch.setattr(_array_writers, "LARGEST_TIFF", 19 * 26 * 38 * 2 - 1)
    synthesize(tmp_path / "big.tif", "tiff", 8, parameters)
    with (
        tifffile.TiffFile(tmp_path / "small.tif") as small,
        tifffile.TiffFile(tmp_path / "big.tif") as big,
    ):
        assert (small.is_bigtiff, big.is_bigtiff) == (False, True)
        assert len(small.pages) == len(big.pages) == 19
        tags = {tag.name for tag in small.pages[0].tags}
        assert not tags & {"DateTime", "Software", "ImageDescription"}
    assert np.array_equal(
        tifffile.imread(tmp_path / "big.tif"), tifffile.imread(tmp_path / "small.tif")
    )


def test_video_that_opencv_would_crop_is_refused(tmp_path):
    parameters = {**SMALL, **LEVELS["uint8"], "width_px": 37}
    with pytest.raises(UserError, match=r"width_px: 37 for the format ffv1_avi"):
        synthesize(tmp_path / "m.avi", "ffv1_avi", 8, parameters)
    assert list(tmp_path.iterdir()) == []


def test_sixteen_bits_clip_and_count(tmp_path):
    parameters = {**SMALL, "gain": 200_000.0, "noise_sd": 100.0}
    facts = synthesize(tmp_path / "m.tif", "tiff", 8, parameters)
    stored = tifffile.imread(tmp_path / "m.tif")
    assert stored.max() == 65535
    assert stored.min() == 0
    assert facts["clipped_px"] > 100
    assert facts["clipped_px"] >= np.count_nonzero((stored == 65535) | (stored == 0)) * 0.9


def breaking_frames():
    yield np.zeros((26, 38), np.float32)
    raise RuntimeError("the plume fell over")


@pytest.mark.parametrize("file_format", FORMATS)
def test_failure_leaves_nothing(tmp_path, file_format):
    path = tmp_path / f"m.{EXTENSIONS[file_format]}"
    params = Params(**SMALL, **LEVELS[FORMATS[file_format].dtype.name])
    with pytest.raises(RuntimeError, match="fell over"):
        write_movie(path, file_format, 8, params, breaking_frames(), {})
    assert list(tmp_path.iterdir()) == []
