"""One file per frame: order, gaps, what does not belong, and files that are broken."""

from __future__ import annotations

import struct
import zlib
from contextlib import closing
from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest
import scipy.io
import tifffile

from factories_recordings import lopsided, write_images, write_mats
from plumenav.errors import UserError
from plumenav.recordings._contract import DamageError, Settings
from plumenav.recordings._files import MAX_NAMED, missing_numbers
from plumenav.recordings._recognize import open_recording, recognize

FRAMES = lopsided(12)


def read(path: Path, first: int = 0, end: int | None = None, **keys: object):
    with closing(open_recording(path, Settings(**keys))) as opened:
        return opened, np.concatenate([block.frames for block in opened.blocks(first, end)])


def png_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def insert_chunk(path: Path, name: bytes, body: bytes) -> None:
    """Behind the header of a PNG file."""
    raw = path.read_bytes()
    path.write_bytes(raw[:33] + png_chunk(name, body) + raw[33:])


# --------------------------------------------------------------------------- which files, in order


@pytest.mark.parametrize("ending", ["png", "bmp", "tif"])
def test_frame_2_comes_before_frame_10(tmp_path, ending):
    opened, found = read(write_images(tmp_path / "a", FRAMES, ending))
    np.testing.assert_array_equal(found, FRAMES)
    facts = opened.facts
    assert (facts.extra["first_file"], facts.extra["last_file"]) == (
        f"f1.{ending}",
        f"f12.{ending}",
    )
    assert opened.notes == []
    assert facts.format == f"{'TIFF' if ending == 'tif' else ending.upper()} sequence, uint8"


def test_jpeg_is_as_opencv_decodes_it(tmp_path):
    folder = write_images(tmp_path / "a", FRAMES, "jpg")
    decoded = [cv2.imread(str(folder / f"f{k}.jpg"), cv2.IMREAD_UNCHANGED) for k in range(1, 13)]
    np.testing.assert_array_equal(read(folder)[1], decoded)


def test_a_pattern_chooses_and_other_files_are_noted(tmp_path):
    folder = write_images(tmp_path / "a", FRAMES)
    write_images(tmp_path / "b", 255 - FRAMES[:3], name="dark{}")
    for file in (tmp_path / "b").iterdir():
        file.rename(folder / file.name)
    (folder / "notes.txt").write_text("gain 3")
    (folder / ".DS_Store").write_bytes(b"\x00")
    assert recognize(folder) == "image_sequence"
    for pattern in ("f*.png", "somewhere/a/f*.png"):
        np.testing.assert_array_equal(read(folder, pattern=pattern)[1], FRAMES)
    opened, found = read(folder)
    assert len(found) == 15
    assert sorted(opened.notes) == [
        "1 files in the folder are no images (notes.txt)",
        "names differ in more than numbers (dark1.png, f1.png): are all of them frames?",
    ]


def test_two_kinds_of_images_are_not_guessed(tmp_path):
    folder = write_images(tmp_path / "a", FRAMES)
    cv2.imwrite(str(folder / "f13.jpg"), FRAMES[0])
    with pytest.raises(UserError, match=r"several kinds \(JPEG, PNG\).*pattern"):
        read(folder)
    np.testing.assert_array_equal(read(folder, pattern="*.png")[1], FRAMES)


def test_folders_without_frames(tmp_path):
    with pytest.raises(UserError, match="the folder is empty"):
        read(tmp_path)
    (tmp_path / "a.txt").write_text("no frame")
    with pytest.raises(UserError, match=r"1 files, none of them a frame.*image_sequence: PNG"):
        read(tmp_path)
    with pytest.raises(UserError, match="reads files, and this is a folder"):
        read(tmp_path, name="hdf5")
    with pytest.raises(UserError, match="no file in the folder is a frame"):
        read(tmp_path, name="image_sequence")


@pytest.mark.parametrize("ending", ["png", "jpg", "bmp", "tif"])
def test_a_single_image_is_a_movie_of_one_frame(tmp_path, ending):
    folder = write_images(tmp_path / "a", FRAMES[:1], ending)
    for path in (folder, folder / f"f1.{ending}"):
        with pytest.raises(UserError, match=r"f1.*is a single image: a movie of 1 frame.*pattern"):
            read(path)
        assert read(path, shape=(1, None, None))[1].shape == (1, 40, 56)


@pytest.mark.parametrize(
    ("names", "n", "first"),
    [
        (["a1", "a2", "a3"], 0, []),
        (["a1", "a2", "a5", "a6"], 2, [3, 4]),
        (["t0.10s", "t0.20s", "t0.40s", "t0.50s"], 1, [30]),
        (["2020-01-01_007", "2020-01-01_008", "2020-01-01_010"], 1, [9]),
        (["a1", "a4", "a9", "a16"], 0, []),  # no step is usual
        (["a1", "b2", "a3", "a9"], 0, []),
        (["a1_1", "a1_2", "a2_1", "a2_4"], 0, []),  # two numbers change
        (["a1", "a2", "a3", "a99999999999"], 99999999995, list(range(4, 4 + MAX_NAMED))),
    ],
)
def test_missing_numbers(names, n, first):
    assert missing_numbers(names) == (n, first)


def test_dropped_frames_can_be_found(tmp_path):
    folder = write_images(tmp_path / "a", FRAMES)
    for k in (4, 9, 10):
        (folder / f"f{k}.png").unlink()
    opened, found = read(folder)
    assert len(found) == 9
    assert opened.facts.extra["missing_numbers"] == 3
    assert "3 numbers are missing" in opened.notes[0]
    assert "(4, 9, 10)" in opened.notes[0]


def test_a_stranger_among_the_frames_is_told(tmp_path):
    folder = write_images(tmp_path / "a", FRAMES)
    assert not read(folder)[0].notes
    (folder / "f1.png").rename(folder / "dark.png")
    opened, _ = read(folder)
    assert "dark.png, f2.png" in opened.notes[0]


# ------------------------------------------------------------------------------------ what differs


@pytest.mark.parametrize(
    "other", [FRAMES[0, :30], FRAMES[0].astype(np.uint16)], ids=["size", "type"]
)
@pytest.mark.parametrize("ending", ["png", "tif"])
def test_the_file_that_differs_is_named(tmp_path, other, ending):
    folder = write_images(tmp_path / "a", FRAMES, ending)
    if ending == "tif":
        tifffile.imwrite(folder / "f7.tif", other)
    else:
        cv2.imwrite(str(folder / "f7.png"), other)
    with pytest.raises(UserError, match=rf"f7\.{ending}: is \(\d+, 56\) of uint.*as f1\.{ending}"):
        read(folder)
    np.testing.assert_array_equal(read(folder, 0, 6)[1], FRAMES[:6])


def test_pages_in_a_file_of_a_folder_are_refused(tmp_path):
    folder = write_images(tmp_path / "a", FRAMES, "tif")
    tifffile.imwrite(folder / "f3.tif", FRAMES[:2], photometric="minisblack")
    with pytest.raises(UserError, match=r"f3\.tif: holds 2 pages"):
        read(folder)


@pytest.mark.parametrize("ending", ["png", "jpg", "bmp", "tif"])
@pytest.mark.parametrize("left", [0.6, 0.0])
def test_a_file_that_is_cut_off_is_named_and_those_before_are_readable(tmp_path, ending, left):
    folder = write_images(tmp_path / "a", FRAMES, ending)
    whole = read(folder)[1]
    victim = folder / f"f5.{ending}"
    raw = victim.read_bytes()
    victim.write_bytes(raw[: int(len(raw) * left)])
    with pytest.raises(DamageError, match=rf"f5\.{ending}.*: 4 frames are readable") as caught:
        read(folder)
    assert caught.value.readable == 4
    np.testing.assert_array_equal(read(folder, 0, 4)[1], whole[:4])


def test_a_changed_byte_of_a_png_is_noticed(tmp_path):
    folder = write_images(tmp_path / "a", FRAMES)
    raw = bytearray((folder / "f2.png").read_bytes())
    raw[len(raw) // 2] ^= 1
    (folder / "f2.png").write_bytes(raw)
    with pytest.raises(DamageError, match=r"f2\.png: the checksum of b'IDAT' is wrong"):
        read(folder)


def test_a_header_that_lies_takes_no_memory(tmp_path):
    folder = write_images(tmp_path / "a", FRAMES)
    raw = (folder / "f1.png").read_bytes()
    claim = png_chunk(b"IHDR", struct.pack(">II", 2**30, 2**30) + raw[24:29])
    (folder / "f1.png").write_bytes(raw[:8] + claim + raw[33:])
    with pytest.raises(DamageError, match="pixels cannot be in"):
        read(folder)


# ---------------------------------------------------------------------------- what the file says


def test_significant_bits_and_scale_of_a_png(tmp_path):
    deep = FRAMES.astype(np.uint16) * 16
    folder = write_images(tmp_path / "a", deep)
    for file in folder.iterdir():
        insert_chunk(file, b"pHYs", struct.pack(">IIB", 4000, 2000, 1))
        insert_chunk(file, b"sBIT", b"\x0c")
    opened, found = read(folder)
    np.testing.assert_array_equal(found, deep)
    assert (opened.facts.dtype, opened.facts.bits) == ("uint16", 12)
    assert opened.facts.extra["mm_per_px"] == [0.5, 0.25]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_colour(tmp_path, dtype):
    bgr = np.random.default_rng(3).integers(0, 256, (3, 40, 56, 3)).astype(dtype)
    folder = write_images(tmp_path / "a", bgr)
    gray = [cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) for image in bgr]
    opened, found = read(folder)
    np.testing.assert_array_equal(found, gray)
    assert "BT.601" in opened.notes[0]
    np.testing.assert_array_equal(read(folder, channel="red")[1], bgr[..., 2])
    opened, found = read(folder, colour=True)
    np.testing.assert_array_equal(found, bgr)
    assert opened.facts.channels == 3


def test_opacity_is_left_aside_and_colour_of_gray_is_refused(tmp_path):
    bgra = np.random.default_rng(3).integers(0, 256, (2, 40, 56, 4)).astype(np.uint8)
    opened, found = read(write_images(tmp_path / "a", bgra), channel="blue")
    np.testing.assert_array_equal(found, bgra[..., 0])
    assert "opacity" in opened.notes[0]
    with pytest.raises(UserError, match="is gray"):
        read(write_images(tmp_path / "b", FRAMES), colour=True)


# ------------------------------------------------------------------------- MATLAB, a file per frame


@pytest.mark.parametrize("level", ["4", "5", "7.3"])
def test_matlab_one_frame_per_file(tmp_path, level):
    frames = FRAMES.astype(float) / 7
    folder = write_mats(tmp_path / "a", frames, level)
    opened, found = read(folder)
    np.testing.assert_array_equal(found, frames)
    assert (opened.facts.reader, opened.facts.format) == (
        "mat",
        f"MATLAB {level} sequence, float64",
    )
    turned = ("frame", "column", "row") if level != "7.3" else ("row", "frame", "column")
    found = read(folder, axes=turned, pattern="t_*.mat", dataset="Frame")[1]
    np.testing.assert_array_equal(found, frames.transpose(0, 2, 1))


def test_matlab_folder_mistakes_are_named(tmp_path):
    folder = write_mats(tmp_path / "a", FRAMES)
    with pytest.raises(UserError, match=r"no variable 'frame'.*Did you mean 'Frame'"):
        read(folder, dataset="frame")
    scipy.io.savemat(folder / "t_3.mat", {"Frame": FRAMES[0, :30]})
    with pytest.raises(UserError, match=r"t_3\.mat: is \(30, 56\) of uint8"):
        read(folder)
    (folder / "t_2.mat").write_bytes((folder / "t_2.mat").read_bytes()[:1000])
    with pytest.raises(DamageError, match=r"t_2\.mat: the data end early\): 1 frames") as caught:
        read(folder)
    assert caught.value.readable == 1


def test_the_original_matlab_files_are_the_hdf5_file(recordings_folder):
    folder = recordings_folder / "stromboli"
    opened, found = read(folder, pattern="*.mat")
    assert (opened.facts.extra["dataset"], found.shape) == ("Frame", (2, 480, 640))
    assert found.dtype == np.float64
    with h5py.File(folder / "stromboli_roi_centidegC_u16.h5") as file:
        for mine, number in zip(found, (0, 149), strict=True):
            theirs = file["frames"][number] / 100
            np.testing.assert_allclose(mine[120:480, 200:520], theirs, atol=0.01, rtol=0)
    with pytest.raises(UserError, match="a single image"):
        read(folder, pattern="*_001.mat")
