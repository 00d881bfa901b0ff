"""Recordings as files: the same bytes twice, layout, noise, truth, mistakes."""

import json

import cv2
import h5py
import numpy as np
import pytest

from plumenav.errors import UserError
from plumenav.recordings.synthesis import _video_writers
from plumenav.recordings.synthesis.filament import (
    PRESETS,
    Params,
    concentration_frames,
    synthesize,
)

SMOOTH = {
    "preset": "smooth",
    "frames": 21,
    "height_px": 80,
    "width_px": 60,
    "mm_per_px": 3.0,
    "source_column_px": 30,
}
COMPLEX = {
    "preset": "complex",
    "frames": 24,
    "lead_in_frames": 6,
    "height_px": 64,
    "width_px": 90,
    "mm_per_px": 2.0,
    "source_row_px": 32,
    "source_column_px": 4,
}
BOTH = [("hdf5", "a.h5", SMOOTH), ("mjpeg_avi", "a.avi", COMPLEX)]


def read_avi(path):
    capture = cv2.VideoCapture(str(path))
    frames = []
    while True:
        good, frame = capture.read()
        if not good:
            break
        frames.append(frame[..., 0])
    facts = {
        "count": capture.get(cv2.CAP_PROP_FRAME_COUNT),
        "rate": capture.get(cv2.CAP_PROP_FPS),
    }
    capture.release()
    return np.array(frames), facts


@pytest.mark.parametrize(("file_format", "name", "parameters"), BOTH)
def test_same_seed_same_bytes_other_seed_other_bytes(tmp_path, file_format, name, parameters):
    threads = cv2.getNumThreads()
    contents, facts = [], []
    try:
        for run, (seed, n) in enumerate([(1, 1), (1, 2), (2, 1)]):
            cv2.setNumThreads(n)
            path = tmp_path / str(run) / name
            facts.append(synthesize(path, file_format, seed, parameters))
            contents.append(path.read_bytes())
    finally:
        cv2.setNumThreads(threads)
    assert contents[0] == contents[1]
    assert facts[0] == facts[1]
    assert contents[0] != contents[2]
    assert str(tmp_path).encode() not in contents[0]
    assert json.loads(json.dumps(facts[0], allow_nan=False)) == facts[0]
    assert sorted(p.name for p in (tmp_path / "0").iterdir()) == [name]


def test_hdf5_layout_and_noise(tmp_path):
    path = tmp_path / "movie.h5"
    facts = synthesize(path, "hdf5", 3, SMOOTH)
    with h5py.File(path) as file:
        assert list(file) == ["dataset2"]
        data = file["dataset2"]
        assert data.shape == (21, 80, 60)
        assert data.dtype == np.float32
        assert dict(data.attrs) == {}
        stored = data[:]
    params = Params(**{k: v for k, v in SMOOTH.items() if k != "preset"})
    noise = stored - np.array(list(concentration_frames(params, 3)))
    assert noise.std() == pytest.approx(0.004, rel=0.02)
    assert abs(noise.mean()) < 5 * 0.004 / np.sqrt(noise.size)
    assert stored.min() < 0
    area = facts["clean_air_px"]
    clean = stored[
        :, area["row_start"] : area["row_stop"], area["column_start"] : area["column_stop"]
    ]
    assert clean.size > 1000
    assert clean.std() == pytest.approx(0.004, rel=5 / np.sqrt(2 * clean.size))
    assert facts["source_px"] == {"row": 0.0, "column": 30.0}
    assert facts["clipped_px"] == 0


def test_dataset_name_is_a_parameter(tmp_path):
    synthesize(tmp_path / "m.hdf5", "hdf5", 1, {**SMOOTH, "frames": 2, "dataset": "dataset_1"})
    with h5py.File(tmp_path / "m.hdf5") as file:
        assert list(file) == ["dataset_1"]


def test_avi_is_what_readers_expect(tmp_path):
    path = tmp_path / "movie.avi"
    facts = synthesize(path, "mjpeg_avi", 3, COMPLEX)
    movie, header = read_avi(path)
    assert movie.shape == (24, 64, 90)
    assert header == {"count": 24, "rate": 60.0}
    lead_in = movie[:6].mean(axis=0)
    assert 40 < lead_in.min() < lead_in.max() < 90
    rise = movie[-1] - lead_in
    assert rise.max() > 20
    truth = list(concentration_frames(Params(**PRESETS["complex"] | without_preset(COMPLEX)), 3))
    assert np.corrcoef(rise.ravel(), truth[-1].ravel())[0, 1] > 0.9
    assert facts["lead_in_frames"] == 6
    assert facts["noise_sd_concentration"] == pytest.approx(1.5 / 120)


def without_preset(parameters):
    return {k: v for k, v in parameters.items() if k != "preset"}


def test_lead_in_of_the_file_is_background_and_noise_only(tmp_path):
    path = tmp_path / "movie.avi"
    still = {"lead_in_frames": 23, "jpeg_quality": 100}
    synthesize(path, "mjpeg_avi", 1, {**COMPLEX, **still})
    movie, _ = read_avi(path)
    quiet = movie[:24].astype(float)
    sd = quiet.std(axis=0, ddof=1).mean()
    # 1.5 plus rounding; JPEG at quality 100 takes or adds a little
    assert sd == pytest.approx(np.hypot(1.5, 12**-0.5), rel=0.1)


@pytest.mark.parametrize("rate", [60.0, 15.0, 89.94])
def test_frame_rate_in_the_header(tmp_path, rate):
    path = tmp_path / "movie.avi"
    synthesize(path, "mjpeg_avi", 1, {**COMPLEX, "frame_rate_hz": rate, "frames": 8})
    assert read_avi(path)[1]["rate"] == pytest.approx(rate, rel=1e-6)


def test_index_points_at_frames(tmp_path):
    path = tmp_path / "movie.avi"
    synthesize(path, "mjpeg_avi", 1, COMPLEX)
    content = path.read_bytes()
    assert int.from_bytes(content[4:8], "little") == len(content) - 8
    movi = content.index(b"movi")
    assert int.from_bytes(content[movi - 4 : movi], "little") == content.index(b"idx1") - movi
    index = np.frombuffer(content[content.index(b"idx1") + 8 :], "<u4").reshape(-1, 4)
    assert len(index) == 24
    for _, _, offset, size in index.tolist():
        start = movi + offset
        assert content[start : start + 4] == b"00dc"
        assert int.from_bytes(content[start + 4 : start + 8], "little") == size
        assert content[start + 8 : start + 10] == b"\xff\xd8"


def test_clipping_is_counted(tmp_path):
    bright = {**COMPLEX, "gain": 2000.0}
    facts = synthesize(tmp_path / "m.avi", "mjpeg_avi", 1, bright)
    assert facts["clipped_px"] > 100
    assert facts["clipped_fraction"] == facts["clipped_px"] / (24 * 64 * 90)


def test_failed_writing_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(_video_writers, "LARGEST_AVI", 9000)
    with pytest.raises(UserError, match="full after"):
        synthesize(tmp_path / "m.avi", "mjpeg_avi", 1, COMPLEX)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"preset": "smoth"}, "Did you mean 'smooth'"),
        ({"puf_rate_hz": 3}, "Did you mean 'puff_rate_hz'"),
        ({"wind_mm_s": -3}, "synthetic.parameters.wind_mm_s: -3"),
        ({"wind_toward": "east"}, "wind_toward"),
        ({"frames": 5, "lead_in_frames": 5}, "lead_in_frames must be fewer"),
        ({"eddy_smallest_mm": 500}, "eddy_largest_mm must not be below"),
        ({"largest_radius_mm": 1}, "largest_radius_mm must not be below"),
    ],
)
def test_wrong_parameters(tmp_path, parameters, message):
    with pytest.raises(UserError, match=message.replace(".", r"\.")):
        synthesize(tmp_path / "m.h5", "hdf5", 1, parameters)
    assert list(tmp_path.iterdir()) == []


def test_wrong_files(tmp_path):
    with pytest.raises(UserError, match=r"\.avi"):
        synthesize(tmp_path / "m.mp4", "mjpeg_avi", 1, COMPLEX)
    with pytest.raises(UserError, match="hdf5, mjpeg_avi"):
        synthesize(tmp_path / "m.h5", "hdf", 1, SMOOTH)
    with pytest.raises(UserError, match="gray levels"):
        synthesize(tmp_path / "m.avi", "mjpeg_avi", 1, SMOOTH)
