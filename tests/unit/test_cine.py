"""Phantom .cine files: the stored numbers, the right way up, on the camera's own clock."""

from __future__ import annotations

import numpy as np
import pytest

from factories_recordings import lopsided, write_cine
from plumenav.errors import UserError
from plumenav.recordings._contract import DamageError, Settings
from plumenav.recordings._recognize import open_recording, recognize

DEEP = lopsided(n=10).astype("<u2") * 16


def read(path, first=0, end=None, **settings):
    opened = open_recording(path, Settings(**settings))
    blocks = list(opened.blocks(first, end))
    frames = np.concatenate([block.frames for block in blocks])
    times = [block.time_s for block in blocks]
    return opened, frames, None if times[0] is None else np.concatenate(times)


@pytest.mark.parametrize("flip", [0, 1])
@pytest.mark.parametrize("dtype", ["<u1", "<u2"])
def test_stored_numbers_the_right_way_up(tmp_path, flip, dtype):
    truth = lopsided(n=10).astype(dtype)
    path = write_cine(tmp_path / "a.avi", truth, flip=flip, depth=12)
    assert recognize(path) == "cine"
    opened, frames, _ = read(path)
    np.testing.assert_array_equal(frames, truth)
    assert opened.facts.bits == (12 if dtype == "<u2" else 8)
    assert opened.facts.frames_header == 10


def test_the_stamps_of_the_saved_images_are_the_clock(tmp_path):
    opened, _, time_s = read(write_cine(tmp_path / "a.cine", DEEP, depth=12))
    np.testing.assert_allclose(time_s, 0.01 * np.arange(10), atol=1e-8)
    assert opened.facts.rate_hz == pytest.approx(100)
    assert opened.facts.extra == {"camera_rate_hz": 500, "camera_bits": 12}
    assert any("500 frames per second" in note for note in opened.notes)


def test_without_stamps_the_rate_of_the_camera_counts_and_that_is_said(tmp_path):
    opened, _, time_s = read(write_cine(tmp_path / "a.cine", DEEP, stamped=False))
    np.testing.assert_allclose(time_s, np.arange(10) / 500)
    assert "no time stamps: the rate is the one at which the camera ran" in opened.notes


def test_colour_and_its_channels(tmp_path):
    truth = np.random.default_rng(1).integers(0, 256, (4, 12, 16, 3)).astype(np.uint8)
    path = write_cine(tmp_path / "a.cine", truth)
    np.testing.assert_array_equal(read(path, colour=True)[1], truth)
    np.testing.assert_array_equal(read(path, channel="red")[1], truth[..., 2])
    np.testing.assert_allclose(read(path)[1], truth @ np.array([0.114, 0.587, 0.299]), atol=1)


def test_a_part_and_what_is_not_there(tmp_path, monkeypatch):
    monkeypatch.setattr("plumenav.recordings.cine.frames_per_block", lambda *_: 3)
    path = write_cine(tmp_path / "a.cine", DEEP)
    np.testing.assert_array_equal(read(path, 2, 9)[1], DEEP[2:9])
    with pytest.raises(UserError, match="holds 10 frames"):
        read(path, 0, 11)


@pytest.mark.parametrize("cut", [0.55, 0.8, 0.9999])
def test_a_cut_off_file_says_what_is_readable_and_that_is_so(tmp_path, cut):
    path = write_cine(tmp_path / "a.cine", DEEP)
    data = path.read_bytes()
    path.write_bytes(data[: int(cut * len(data))])
    with pytest.raises(DamageError, match=r"of 10 \(0\.0\d+ s\) are readable") as caught:
        read(path)
    readable = caught.value.readable
    assert 0 < readable < 10
    assert caught.value.readable_s == pytest.approx(0.01 * (readable - 1), abs=1e-8)
    np.testing.assert_array_equal(read(path, 0, readable)[1], DEEP[:readable])


def test_a_cut_off_header_and_packed_images(tmp_path):
    path = write_cine(tmp_path / "a.cine", DEEP)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(DamageError, match="the header is cut off: 0 frames"):
        read(path)
    with pytest.raises(UserError, match="packed") as caught:
        read(write_cine(tmp_path / "b.cine", DEEP, packing=256))
    assert "16-bit TIFF" in caught.value.hint
