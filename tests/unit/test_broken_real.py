"""Real broken files: each ends in one message that says what is readable, or is read completely.

What is readable was found by decoding once more, frame by frame in one thread, and comparing with
the healthy file that the broken one was made from.
"""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from plumenav.errors import UserError
from plumenav.recordings._contract import DamageError, Settings
from plumenav.recordings._recognize import open_recording
from plumenav.recordings._stderr import stderr_lines

# file: the healthy one it was made from
CUT_OR_ROTTEN = {
    "bitrot_h264.mkv": "h264.mkv",
    "bitrot_mjpeg.avi": "mjpeg.avi",
    "trunc50_ffv1.mkv": "ffv1_gray8.mkv",
    "trunc60.avi": "mjpeg.avi",
    "trunc70_faststart.mp4": "h264.mp4",
}
# OpenCV does not tell which packet the decoder complains about: what is inside the decoder then is
# counted as lost. H.264 holds back a frame or two, for the order of its B frames.
HELD_BACK = {"bitrot_h264.mkv": 2}
UNREADABLE = [
    "audio_only.mp4",
    "empty.mp4",
    "text_named.mp4",
    "trunc70_moov_at_end.mp4",
    "zero_frames.avi",
]


def decoded(path: Path) -> list[np.ndarray]:
    """All frames that OpenCV hands out, damaged ones included."""
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    frames = []
    with stderr_lines():
        while (answer := capture.read())[0]:
            frames.append(cv2.cvtColor(answer[1], cv2.COLOR_BGR2GRAY))
    return frames


def sound_frames(broken: Path, healthy: Path) -> int:
    """Frames before the first one that differs."""
    pairs = zip(decoded(broken), decoded(healthy), strict=False)
    same = [np.array_equal(one, other) for one, other in pairs]
    return same.index(False) if False in same else len(same)


@pytest.fixture
def broken(recordings_folder):
    return recordings_folder / "broken"


def test_every_broken_file_has_a_test(broken):
    known = {*CUT_OR_ROTTEN, *UNREADABLE, "single_frame.mp4"}
    assert {path.name for path in broken.iterdir()} == known


@pytest.mark.parametrize("name", CUT_OR_ROTTEN)
def test_damage_says_what_is_readable_and_that_part_is_the_healthy_movie(
    broken, recordings_folder, name
):
    opened = open_recording(broken / name, Settings())
    with pytest.raises(DamageError) as caught:
        list(opened.blocks())
    error = caught.value
    sound = sound_frames(broken / name, recordings_folder / "formats" / CUT_OR_ROTTEN[name])
    assert sound - HELD_BACK.get(name, 0) <= error.readable <= sound
    message = str(error)
    assert str(broken / name) in message
    assert re.search(rf"{error.readable} frames of 60 \(\d+\.\d+ s\) are readable", message)
    assert "Copy it again" in message
    if error.readable == 0:
        return
    assert error.readable_s == pytest.approx((error.readable - 1) / 30, abs=1e-3)
    assert f"reader.frames: [0, {error.readable}]" in message
    part = np.concatenate([b.frames for b in opened.blocks(0, error.readable)])
    healthy = decoded(recordings_folder / "formats" / CUT_OR_ROTTEN[name])
    np.testing.assert_array_equal(part, healthy[: error.readable])
    with pytest.raises(DamageError):
        list(opened.blocks(0, error.readable + 1))


@pytest.mark.parametrize("name", UNREADABLE)
def test_no_frame_is_said_at_once(broken, name):
    with pytest.raises(UserError, match=r"0 frames.*\(0 s\) are readable") as caught:
        open_recording(broken / name, Settings())
    assert str(broken / name) in str(caught.value)
    assert caught.value.hint
    assert getattr(caught.value, "readable", 0) == 0


def test_a_single_frame_is_a_complete_recording_of_one_frame(broken):
    opened = open_recording(broken / "single_frame.mp4", Settings())
    (block,) = opened.blocks()
    assert (block.first, block.frames.shape) == (0, (1, 240, 320))
    np.testing.assert_array_equal(block.frames, decoded(broken / "single_frame.mp4"))


def test_what_several_threads_drop_is_still_readable(recordings_folder, tmp_path):
    """An AV1 decoder with several threads gives up frames before the damage; alone it does not."""
    whole = (recordings_folder / "formats" / "av1.mkv").read_bytes()
    path = tmp_path / "rotten.mkv"
    promised, delivered = [], []
    for at in np.linspace(0.3, 0.9, 12) * len(whole):
        path.write_bytes(whole[: int(at)] + bytes(40) + whole[int(at) + 40 :])
        try:
            opened = open_recording(path, Settings())
            list(opened.blocks())
        except DamageError as error:
            if error.readable:
                promised.append(error.readable)
                part = np.concatenate([b.frames for b in opened.blocks(0, error.readable)])
                delivered.append(len(part))
    assert delivered == promised
    assert len(promised) >= 6
