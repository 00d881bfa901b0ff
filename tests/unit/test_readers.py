"""Readers: what arrives is what was written, and what is broken is said to be broken."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest

from factories_recordings import lopsided, write_hdf5, write_video
from plumenav import registry
from plumenav.errors import UserError
from plumenav.recordings._contract import DamageError, Settings
from plumenav.recordings._recognize import known_formats, open_recording, recognize
from plumenav.recordings._stderr import stderr_lines


def read(path: Path, first: int = 0, end: int | None = None, **keys: object):
    opened = open_recording(path, Settings(**keys))
    try:
        blocks = list(opened.blocks(first, end))
    finally:
        opened.close()
    return opened, blocks


def pixels(blocks) -> np.ndarray:
    return np.concatenate([block.frames for block in blocks])


# ------------------------------------------------------------------------------- recognition


def test_content_decides_not_the_name(tmp_path):
    avi = write_video(tmp_path / "a.avi", lopsided(), "MJPG")
    h5 = write_hdf5(tmp_path / "b.h5", lopsided())
    assert recognize(shutil.copy(avi, tmp_path / "avi.h5")) == "video"
    assert recognize(shutil.copy(h5, tmp_path / "h5.avi")) == "hdf5"


def test_hdf5_behind_a_user_block_as_matlab_writes_it(tmp_path):
    path = tmp_path / "m.mat"
    with h5py.File(path, "w", userblock_size=512) as file:
        file["movie"] = lopsided()
    with open(path, "r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file")
    _, blocks = read(path)
    np.testing.assert_array_equal(pixels(blocks), lopsided())


@pytest.mark.parametrize("content", [b"", b"this is not a video", b"RIFF....WAVEfmt "])
def test_unknown_content_lists_what_is_known(tmp_path, content):
    path = tmp_path / "named.mp4"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"named\.mp4") as caught:
        recognize(path)
    assert caught.value.allowed == known_formats()
    assert "AVI" in known_formats()
    assert "HDF5" in known_formats()


def test_missing_file_and_unknown_reader(tmp_path):
    with pytest.raises(UserError, match=r"nowhere\.avi.*cannot be opened"):
        read(tmp_path / "nowhere.avi")
    path = write_hdf5(tmp_path / "b.h5", lopsided())
    with pytest.raises(UserError, match="Did you mean 'hdf5'"):
        read(path, name="hdf")


# ------------------------------------------------------------------------------------- video


def test_ffv1_is_exact_and_in_order(tmp_path):
    frames = lopsided(n=30)
    opened, blocks = read(write_video(tmp_path / "a.avi", frames, "FFV1", rate_hz=25.0))
    np.testing.assert_array_equal(pixels(blocks), frames)
    assert opened.facts.frames_header == 30
    assert (opened.facts.rate_hz, opened.facts.dtype, opened.facts.bits) == (25.0, "uint8", 8)
    np.testing.assert_allclose(np.concatenate([b.time_s for b in blocks]), np.arange(30) / 25)


def test_blocks_are_numbered_and_start_again_at_every_call(tmp_path, monkeypatch):
    monkeypatch.setattr("plumenav.recordings.video.frames_per_block", lambda *_: 4)
    frames = lopsided(n=11)
    opened, blocks = read(write_video(tmp_path / "a.avi", frames, "FFV1"))
    assert [(b.first, len(b.frames)) for b in blocks] == [(0, 4), (4, 4), (8, 3)]
    part = list(opened.blocks(3, 9))
    assert [(b.first, len(b.frames)) for b in part] == [(3, 4), (7, 2)]
    np.testing.assert_array_equal(pixels(part), frames[3:9])


def test_gray_mjpeg_takes_the_luma_plane_and_it_is_the_decoded_gray(tmp_path):
    path = write_video(tmp_path / "a.avi", lopsided(), "MJPG")
    capture = cv2.VideoCapture(str(path))
    decoded = [capture.read()[1] for _ in range(6)]
    opened, blocks = read(path)
    assert opened.notes == ["luma plane of a gray MJPEG"]
    for mine, theirs in zip(pixels(blocks), decoded, strict=True):
        for channel in range(3):
            np.testing.assert_array_equal(mine, theirs[..., channel])


def test_colour_mjpeg_goes_through_bt601(tmp_path):
    path = tmp_path / "c.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 30, (32, 16))
    image = np.zeros((16, 32, 3), np.uint8)
    image[..., 2] = 200  # red
    for _ in range(3):
        writer.write(image)
    writer.release()
    opened, blocks = read(path)
    assert opened.notes == ["8-bit BGR to gray by BT.601 weights"]
    assert abs(float(pixels(blocks).mean()) - 0.299 * 200) < 3


def test_more_frames_asked_for_than_there_are(tmp_path):
    path = write_video(tmp_path / "a.avi", lopsided(n=5), "FFV1")
    with pytest.raises(UserError, match="holds 5 frames"):
        read(path, 0, 6)


def test_cut_off_video_says_what_is_readable_and_that_part_can_be_used(tmp_path):
    frames = lopsided(n=40)
    whole = write_video(tmp_path / "a.avi", frames, "FFV1").read_bytes()
    path = tmp_path / "cut.avi"
    path.write_bytes(whole[: len(whole) * 6 // 10])
    with pytest.raises(UserError, match=r"cut\.avi.* of 40 \(\d\.\d+ s\) are readable") as caught:
        read(path)
    readable = int(caught.value.hint.split("[0, ")[1].split("]")[0])
    assert 10 < readable < 40
    _, blocks = read(path, 0, readable)
    np.testing.assert_array_equal(pixels(blocks), frames[:readable])


def test_the_decoder_is_heard_on_file_descriptor_2(capfd):
    with stderr_lines() as lines:
        os.write(2, b"[mjpeg @ 0x1f] overread 8\n")
        assert lines == []
    assert lines == ["[mjpeg @ 0x1f] overread 8"]
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"


# -------------------------------------------------------------------------------------- hdf5


@pytest.mark.parametrize(
    "axes", [("frame", "row", "column"), ("column", "row", "frame"), ("row", "frame", "column")]
)
@pytest.mark.parametrize("dtype", ["uint8", ">u2", "float32", "int16"])
def test_any_axis_order_and_type(tmp_path, axes, dtype):
    truth = lopsided().astype(dtype)
    order = [("frame", "row", "column").index(axis) for axis in axes]
    path = write_hdf5(tmp_path / "a.h5", truth.transpose(order), "deep/inside")
    opened, blocks = read(path, axes=axes, dataset="/deep/inside")
    np.testing.assert_array_equal(pixels(blocks), truth)
    assert np.dtype(opened.facts.dtype).isnative
    assert (opened.facts.height, opened.facts.width) == truth.shape[1:]


def test_chunked_reading_in_slabs(tmp_path, monkeypatch):
    monkeypatch.setattr("plumenav.recordings.hdf5.BLOCK_BYTES", 7 * 40 * 56)
    frames = lopsided(n=23)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("m", data=frames, chunks=(3, 16, 56), compression="gzip")
        file["t"] = np.arange(23) ** 1.5
    opened, blocks = read(tmp_path / "a.h5", 4, 20, dataset="m", time_dataset="t")
    # whole chunks of 3 within 7 frames: slabs end at multiples of 6
    assert [(b.first, len(b.frames)) for b in blocks] == [(4, 2), (6, 6), (12, 6), (18, 2)]
    np.testing.assert_array_equal(pixels(blocks), frames[4:20])
    np.testing.assert_array_equal(
        np.concatenate([b.time_s for b in blocks]), np.arange(4, 20) ** 1.5
    )
    assert opened.facts.frames_header == 23


def test_missing_dataset_lists_those_there(tmp_path):
    path = write_hdf5(tmp_path / "a.h5", lopsided(), "dataset_1", t_s=np.arange(6.0))
    with pytest.raises(UserError, match=r"dataset_1 \(6, 40, 56\) uint8, t_s \(6,\) float64"):
        read(path, dataset="dataset2")
    with pytest.raises(UserError, match="Did you mean 't_s'"):
        read(path, time_dataset="ts")
    with pytest.raises(UserError, match="three axes"):
        read(path, dataset="t_s")


def test_the_only_movie_is_found_and_two_are_not_guessed(tmp_path):
    path = write_hdf5(tmp_path / "a.h5", lopsided(), "only", t_s=np.arange(6.0))
    np.testing.assert_array_equal(pixels(read(path)[1]), lopsided())
    path = write_hdf5(tmp_path / "b.h5", lopsided(), "one", two=lopsided())
    with pytest.raises(UserError, match="2 movies"):
        read(path)


@pytest.mark.parametrize("stamps", [np.arange(5.0), np.array([0, 1, 2, np.nan, 4, 5])])
def test_time_stamps_must_fit(tmp_path, stamps):
    path = write_hdf5(tmp_path / "a.h5", lopsided(), t=stamps)
    with pytest.raises(UserError, match="time_dataset"):
        read(path, dataset="movie", time_dataset="t")


def test_damaged_hdf5(tmp_path):
    content = write_hdf5(tmp_path / "a.h5", lopsided(n=200)).read_bytes()
    path = tmp_path / "cut.h5"
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(UserError, match=r"cut\.h5: cannot be read"):
        read(path)


def test_damaged_chunk_says_how_many_frames_are_sound(tmp_path, monkeypatch):
    monkeypatch.setattr("plumenav.recordings.hdf5.BLOCK_BYTES", 40 * 56)
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        data = file.create_dataset(
            "m", data=lopsided(n=8), chunks=(1, 40, 56), fletcher32=True, compression="gzip"
        )
        offset = data.id.get_chunk_info(5).byte_offset
    raw = bytearray(path.read_bytes())
    raw[offset + 20] ^= 0xFF
    path.write_bytes(raw)
    with pytest.raises(UserError, match=r"5 frames are readable.*\[0, 5\]"):
        read(path)


# -------------------------------------------------------------------------- template, real files


def test_the_template_is_a_working_reader(tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "_user_files", {})
    template = registry.PACKAGE / "recordings" / "_template.py"
    registry.register_file(Path(shutil.copy(template, tmp_path / "pgm.py")))
    frames = lopsided()
    path = tmp_path / "movie.bin"
    path.write_bytes(b"".join(b"P5\n56 40\n255\n" + frame.tobytes() for frame in frames))
    assert recognize(path) == "pgm"
    opened, blocks = read(path, 1, 5)
    np.testing.assert_array_equal(pixels(blocks), frames[1:5])
    assert opened.facts.frames_header is None
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DamageError, match="frame 5 is cut off") as caught:
        read(path)
    assert caught.value.readable == 5
    np.testing.assert_array_equal(pixels(read(path, 0, 5)[1]), frames[:5])


# what each broken file must at least say: frames and seconds that are readable
BROKEN = {
    "audio_only.mp4": r"0 frames \(0 s\) are readable",
    "bitrot_h264.mkv": r"is damaged \(the decoder says: .*of 60 \(\d\.\d+ s\) are readable",
    "bitrot_mjpeg.avi": r"is damaged \(the decoder says: .*14 frames of 60 \(0\.433 s\)",
    "empty.mp4": r"the file is empty: 0 frames \(0 s\) are readable",
    "text_named.mp4": r"no known format \(it begins with b'this is not",
    "trunc50_ffv1.mkv": r"30 frames of 60 \(0\.967 s\) are readable",
    "trunc60.avi": r"36 frames of 60 \(1\.167 s\) are readable",
    "trunc70_faststart.mp4": r"2\d frames of 60 \(0\.\d+ s\) are readable",
    "trunc70_moov_at_end.mp4": r"moov atom not found\): 0 frames \(0 s\) are readable",
    "zero_frames.avi": r"gives no frame: 0 frames \(0 s\) are readable",
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_files_get_a_clear_message(recordings_folder, name):
    with pytest.raises(UserError, match=BROKEN[name]) as caught:
        read(recordings_folder / "broken" / name)
    assert caught.value.where.endswith(name)
    assert caught.value.hint


@pytest.mark.parametrize("name", ["ffv1_gray8.mkv", "raw_gray_y800.avi", "png_gray.mov"])
def test_lossless_gray_containers_agree(recordings_folder, name):
    exact = pixels(read(recordings_folder / "formats" / "ffv1_gray8.mkv")[1])
    other = pixels(read(recordings_folder / "formats" / name)[1])
    np.testing.assert_array_equal(other, exact)
    assert exact.shape == (60, 240, 320)


def test_16_bit_video_keeps_its_16_bits(recordings_folder):
    opened, blocks = read(recordings_folder / "formats" / "ffv1_gray16_true.mkv")
    assert (opened.facts.dtype, opened.facts.bits) == ("uint16", 16)
    assert len(np.unique(pixels(blocks))) > 5000


def test_variable_frame_rate_gives_the_cameras_stamps(recordings_folder):
    for name, header in (("vfr_camera_timestamps.mkv", 401), ("vfr_camera_timestamps.mp4", 400)):
        opened, blocks = read(recordings_folder / "formats" / name)
        steps = np.diff(np.concatenate([b.time_s for b in blocks]))
        assert opened.facts.frames_header == header
        assert len(steps) == 399
        assert steps.max() == pytest.approx(0.4, abs=0.002)
        assert (steps > 0.05).sum() == 18
