"""What a video file may hold besides gray frames at a steady rate, and how it may end."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from conftest import ROOT
from factories_recordings import lopsided, write_video
from plumenav.errors import UserError
from plumenav.recordings import _opencv
from plumenav.recordings._contract import DamageError, Settings
from plumenav.recordings._recognize import open_recording
from plumenav.recordings._stamps import Stamps


def read(path: Path, first: int = 0, end: int | None = None, **settings: object):
    opened = open_recording(path, Settings(**settings))
    blocks = list(opened.blocks(first, end))
    return opened, np.concatenate([block.frames for block in blocks]), blocks


# ---------------------------------------------------------------------------------- colour


@pytest.fixture
def coloured(tmp_path):
    """Lossless colour: blue, green and red are 10, 80 and 200 plus a ramp."""
    truth = np.empty((5, 16, 32, 3), np.uint8)
    truth[...] = np.array([10, 80, 200]) + np.arange(32)[:, None]
    path = tmp_path / "colour.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"png "), 10, (32, 16))
    for frame in truth:
        writer.write(frame)
    writer.release()
    return path, truth


def test_a_channel_of_a_colour_video(coloured):
    path, truth = coloured
    for index, channel in enumerate(("blue", "green", "red")):
        opened, frames, _ = read(path, channel=channel)
        np.testing.assert_array_equal(frames, truth[..., index])
        assert any(channel in note for note in opened.notes)
        assert opened.facts.channels == 1
    _, gray, _ = read(path)
    weights = np.array([0.114, 0.587, 0.299])
    np.testing.assert_allclose(gray, truth @ weights, atol=1)


def test_all_channels_for_a_picture_in_false_colour(coloured):
    path, truth = coloured
    opened, frames, _ = read(path, colour=True)
    np.testing.assert_array_equal(frames, truth)
    assert opened.facts.channels == 3
    assert (opened.facts.height, opened.facts.width) == (16, 32)


def test_gray_video_has_the_same_in_all_channels(tmp_path):
    frames = lopsided(n=3)
    path = write_video(tmp_path / "a.avi", frames, "FFV1")
    _, colour, _ = read(path, colour=True)
    np.testing.assert_array_equal(colour, frames[..., None].repeat(3, axis=-1))
    _, red, _ = read(path, channel="red")
    np.testing.assert_array_equal(red, frames)


# ------------------------------------------------------------------------- header and flags


def test_sixteen_bits_are_kept_at_any_width(tmp_path):
    """OpenCV's default would hand out 8 bits of them."""
    for width in (50, 56, 64):
        path = tmp_path / f"{width}.mkv"
        frames = np.arange(4 * 20 * width, dtype=np.uint16).reshape(4, 20, width) * 13
        writer = cv2.VideoWriter(
            str(path),
            cv2.CAP_FFMPEG,
            cv2.VideoWriter_fourcc(*"FFV1"),
            30.0,
            (width, 20),
            [cv2.VIDEOWRITER_PROP_DEPTH, cv2.CV_16U, cv2.VIDEOWRITER_PROP_IS_COLOR, 0],
        )
        for frame in frames:
            writer.write(frame)
        writer.release()
        opened, found, _ = read(path)
        np.testing.assert_array_equal(found, frames)
        assert opened.facts.bits == 16
        assert opened.facts.extra["pixel_format"] == "gray, 16 bits"


def test_facts_name_container_and_codec(tmp_path):
    opened, _, _ = read(write_video(tmp_path / "a.avi", lopsided(), "MJPG"))
    assert opened.facts.format == "AVI, MJPG"
    assert opened.facts.extra["codec"] == "MJPG"
    assert opened.facts.extra["bits_per_channel"] == 8


def test_a_rotation_flag_is_applied_and_said(tmp_path):
    frames = lopsided(n=4)
    path = write_video(tmp_path / "a.mp4", frames, "mp4v")
    data = path.read_bytes()
    upright = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 2**30)
    quarter = struct.pack(">9i", 0, 65536, 0, -65536, 0, 0, frames.shape[1] << 16, 0, 2**30)
    at = data.index(upright, data.index(b"tkhd"))
    path.write_bytes(data[:at] + quarter + data[at + len(quarter) :])
    opened, found, _ = read(path)
    assert found.shape == (4, 56, 40)
    assert opened.facts.extra["rotation_deg"] == 90
    assert "turned by 90 degrees, as the file's flag asks" in opened.notes
    turned = np.rot90(frames, -1, axes=(1, 2)).astype(float)
    assert np.corrcoef(found.ravel(), turned.ravel())[0, 1] > 0.98


def test_a_gif_whose_frames_hold_only_what_changed(tmp_path):
    """Each frame is a patch over the one before; a transparent one shows what is below."""
    height, width = 24, 32
    truth = [np.full((height, width), 40, np.uint8)]
    for k in range(1, 5):
        truth.append(truth[-1].copy())
        truth[-1][4:10, 3 * k : 3 * k + 4] = 60 * k
    first, *others = [Image.fromarray(frame) for frame in truth]
    path = tmp_path / "a.gif"
    first.save(path, save_all=True, append_images=others, duration=40, disposal=1, optimize=True)
    opened, found, blocks = read(path)
    np.testing.assert_array_equal(found, truth)
    np.testing.assert_allclose(blocks[0].time_s, 0.04 * np.arange(5), atol=1e-9)
    assert not any("transparent" in note for note in opened.notes)


def test_transparent_pixels_are_said(tmp_path):
    image = Image.new("RGBA", (16, 12), (0, 0, 0, 255))
    image.paste((0, 0, 0, 0), (4, 4, 8, 8))
    path = tmp_path / "a.gif"
    image.save(path, save_all=True, append_images=[image.rotate(90)], duration=40, disposal=2)
    opened, found, _ = read(path)
    assert any(
        note.startswith("16 pixels of the first frame are transparent") for note in opened.notes
    )
    assert (found[0, 4:8, 4:8] == 255).all()


# ------------------------------------------------------------------------------ time stamps


def test_stamps_that_fall_to_zero_at_the_end_go_on_at_the_nominal_rate():
    """As OpenCV gives them for H.264 in AVI; also where the last block is that one frame."""
    stamps = Stamps(rate_hz=10.0)
    np.testing.assert_allclose(stamps.mended(np.array([0.0, 0.1, 0.21])), [0.0, 0.1, 0.21])
    np.testing.assert_allclose(stamps.mended(np.array([0.0])), [0.31])
    assert stamps.notes() == ["1 time stamps were missing; continued at the nominal rate"]


def test_stamps_that_are_no_times_or_go_back_are_said():
    stamps = Stamps(rate_hz=10.0)
    mended = stamps.mended(np.array([0.0, -9.2e15, 0.3, 0.2, np.nan]))
    np.testing.assert_allclose(mended, [0.0, 0.1, 0.3, 0.2, 0.3])
    assert stamps.notes() == [
        "2 time stamps were missing; continued at the nominal rate",
        "1 time stamps are before the one of the frame before",
    ]


# ---------------------------------------------------------------------------------- damage


def header_count(path: Path, count: int) -> None:
    """Write another number of frames into both headers of an AVI file."""
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, data.index(b"avih") + 8 + 16, count)
    struct.pack_into("<I", data, data.index(b"strh") + 8 + 32, count)
    path.write_bytes(data)


@pytest.mark.parametrize("count", [11, 13])
def test_a_count_that_is_off_by_one_is_a_note(tmp_path, count):
    path = write_video(tmp_path / "a.avi", lopsided(n=12), "FFV1")
    header_count(path, count)
    opened, found, _ = read(path)
    assert len(found) == 12
    assert f"the header promises {count} frames, 12 arrived" in opened.notes


def test_a_count_larger_than_the_file_is_no_promise(tmp_path):
    path = write_video(tmp_path / "a.avi", lopsided(n=12), "FFV1")
    header_count(path, 2_000_000_000)
    opened, found, _ = read(path)
    assert len(found) == 12
    assert opened.facts.frames_header is None
    assert any("more than the file has bytes" in note for note in opened.notes)


def test_a_plausible_count_that_is_too_large_is_refused(tmp_path):
    path = write_video(tmp_path / "a.avi", lopsided(n=12), "FFV1")
    header_count(path, 40)
    with pytest.raises(DamageError, match="ends early: 11 frames of 40") as caught:
        read(path)
    assert caught.value.readable == 11
    _, found, _ = read(path, 0, 11)
    np.testing.assert_array_equal(found, lopsided(n=12)[:11])


@pytest.mark.parametrize(
    ("codec", "extension"), [("HFYU", ".avi"), ("Y800", ".avi"), ("FFV1", ".mkv"), ("mp4v", ".mp4")]
)
def test_wherever_a_file_is_cut_what_is_called_readable_is_what_was_there(
    tmp_path, codec, extension
):
    """Also within the last picture, where some decoders keep silent."""
    whole = write_video(tmp_path / f"whole{extension}", lopsided(n=8), codec)
    _, truth, _ = read(whole)
    data = whole.read_bytes()
    refused = 0
    for cut in np.linspace(len(data) * 0.3, len(data) - 1, 24).astype(int):
        path = tmp_path / f"cut{extension}"
        path.write_bytes(data[:cut])
        try:
            _, found, _ = read(path)
            np.testing.assert_array_equal(found, truth)
        except DamageError as error:
            refused += 1
            if error.readable:
                _, found, _ = read(path, 0, error.readable)
                np.testing.assert_array_equal(found, truth[: error.readable])
    assert refused >= 12


def test_a_gif_is_cut_off_without_its_trailer(tmp_path):
    """No header counts, and the decoder keeps silent about half a picture."""
    images = [Image.fromarray(frame) for frame in lopsided(n=6)]
    whole = tmp_path / "whole.gif"
    images[0].save(whole, save_all=True, append_images=images[1:], duration=40)
    data, (_, truth, _) = whole.read_bytes(), read(whole)
    assert len(truth) == 6
    for cut in np.linspace(len(data) * 0.4, len(data) - 1, 20).astype(int):
        path = tmp_path / "cut.gif"
        path.write_bytes(data[:cut])
        with pytest.raises(DamageError) as caught:
            read(path)
        assert 0 < caught.value.readable < 6
        _, found, _ = read(path, 0, caught.value.readable)
        np.testing.assert_array_equal(found, truth[: caught.value.readable])


def test_frames_of_another_size_are_damage(tmp_path, monkeypatch):
    path = write_video(tmp_path / "a.avi", lopsided(n=6), "FFV1")
    opened = open_recording(path, Settings())
    opened._seen = ((99, 56), np.dtype("uint8"))
    with pytest.raises(DamageError, match=r"frame 0 is \(40, 56\)"):
        list(opened.blocks())


def test_impossible_pictures_are_refused_before_they_are_decoded(tmp_path, monkeypatch):
    monkeypatch.setattr(_opencv, "LARGEST_PIXELS", 1000)
    path = write_video(tmp_path / "a.avi", lopsided(), "FFV1")
    with pytest.raises(DamageError, match="claims pictures of 40 x 56 pixels"):
        read(path)


def test_damage_is_found_in_a_process_without_standard_error(tmp_path):
    """A daemon has closed file descriptor 2: the decoder is heard all the same."""
    path = write_video(tmp_path / "a.avi", lopsided(n=12), "MJPG")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    code = f"""
import os, pathlib
os.close(2)
from plumenav.recordings._contract import DamageError, Settings
from plumenav.recordings._recognize import open_recording
from plumenav.recordings._stamps import Stamps
try:
    list(open_recording(pathlib.Path({str(path)!r}), Settings()).blocks())
except DamageError as error:
    print(error.found)
try:
    os.fstat(2)
except OSError:
    print("still closed")
"""
    found = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT / "scripts")},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
    assert "the decoder says" in found
    assert "still closed" in found


def test_more_frames_than_there_are_is_the_user_s_mistake(tmp_path):
    path = write_video(tmp_path / "a.avi", lopsided(n=5), "FFV1")
    with pytest.raises(UserError, match="holds 5 frames") as caught:
        read(path, 0, 6)
    assert not isinstance(caught.value, DamageError)
