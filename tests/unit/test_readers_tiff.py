"""TIFF: every layout of pages, what the file says of itself, and what is wrong with it."""

from __future__ import annotations

import struct
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile

from factories_recordings import lopsided, write_hdf5, write_tiff
from plumenav.errors import UserError
from plumenav.recordings._contract import DamageError, Settings
from plumenav.recordings._recognize import open_recording

FRAMES = lopsided(9)


def read(path: Path, first: int = 0, end: int | None = None, **keys: object):
    with closing(open_recording(path, Settings(**keys))) as opened:
        return opened, np.concatenate([block.frames for block in opened.blocks(first, end)])


def directories(path: Path) -> list[tifffile.TiffPage]:
    with tifffile.TiffFile(path) as opened:
        return list(opened.pages)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "uint32", "int32", "float32"])
@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("compression", [None, "zlib", "zstd"])
def test_all_types_both_byte_orders(tmp_path, dtype, byteorder, compression):
    frames = FRAMES.astype(dtype) * 3
    path = write_tiff(tmp_path / "a", frames, byteorder=byteorder, compression=compression)
    opened, found = read(path)
    np.testing.assert_array_equal(found, frames)
    assert (opened.facts.dtype, opened.facts.bits) == (dtype, 8 * frames.itemsize)


@pytest.mark.parametrize("keys", [{"tile": (16, 32)}, {"rowsperstrip": 7}, {"predictor": 2}])
def test_tiles_strips_and_predictors(tmp_path, keys):
    keys = {"compression": "zlib", **keys} if "predictor" in keys else keys
    np.testing.assert_array_equal(read(write_tiff(tmp_path / "a", FRAMES, **keys))[1], FRAMES)


def test_pages_written_one_by_one_with_a_thumbnail(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a") as writer:
        for frame in FRAMES:
            writer.write(frame, metadata=None)
        writer.write(FRAMES[0, ::4, ::4], subfiletype=1, metadata=None)
    opened, found = read(tmp_path / "a")
    np.testing.assert_array_equal(found, FRAMES)
    assert opened.notes == ["1 thumbnails are left out"]


@pytest.mark.parametrize("big", [False, True])
def test_one_directory_for_all_pages(tmp_path, big):
    path = write_tiff(tmp_path / "a", FRAMES, bigtiff=big, metadata={"axes": "TYX"})
    whole = tmp_path / "truncated"
    with tifffile.TiffWriter(whole, bigtiff=big, shaped=True) as writer:
        writer.write(FRAMES, photometric="minisblack", truncate=True)
    assert len(directories(path)) == 9
    opened, found = read(whole)
    assert opened.facts.extra["pages"] == 1
    np.testing.assert_array_equal(found, FRAMES)
    whole.write_bytes(whole.read_bytes()[: -2 * 40 * 56 - 1])
    with pytest.raises(
        DamageError, match=r"6 frames are readable; the header promises 9"
    ) as caught:
        read(whole)
    assert caught.value.readable == 6
    np.testing.assert_array_equal(read(whole, 0, 6)[1], FRAMES[:6])


def test_imagej_says_rate_and_scale(tmp_path):
    path = write_tiff(
        tmp_path / "a",
        FRAMES,
        imagej=True,
        byteorder="<",
        resolution=(1 / 0.25, 1 / 0.5),
        metadata={"axes": "TYX", "finterval": 0.04, "unit": "mm"},
    )
    facts, found = read(path)[0].facts, read(path)[1]
    np.testing.assert_array_equal(found, FRAMES)
    assert facts.rate_hz == pytest.approx(25)
    np.testing.assert_allclose(facts.extra["mm_per_px"], [0.5, 0.25], rtol=1e-6)
    assert facts.extra["imagej"]["frames"] == 9
    assert facts.format == "ImageJ TIFF, uint8, uncompressed, little-endian"


def test_resolution_in_centimetres_and_software(tmp_path):
    path = write_tiff(
        tmp_path / "a",
        FRAMES,
        resolution=(100, 50),
        resolutionunit="CENTIMETER",
        software="a camera",
        metadata=None,
    )
    said = read(path)[0].facts.extra
    np.testing.assert_allclose(said["mm_per_px"], [0.2, 0.1])
    assert said["software"] == "a camera"


def test_imagej_slices_are_times_but_channels_and_slices_of_times_are_refused(tmp_path):
    slices = write_tiff(tmp_path / "z", FRAMES, imagej=True, metadata={"axes": "ZYX"})
    np.testing.assert_array_equal(read(slices)[1], FRAMES)
    for axes in ("TZYX", "TCYX"):
        stack = FRAMES[:8].reshape(4, 2, 40, 56)
        path = tmp_path / axes
        tifffile.imwrite(path, stack, imagej=True, metadata={"axes": axes})
        with pytest.raises(UserError, match=r"hyperstack of 4 times.*Make Subset"):
            read(path)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_rgb_becomes_luma_a_channel_or_bgr(tmp_path, dtype, planar):
    rgb = np.random.default_rng(1).integers(0, 255, (4, 40, 56, 3)).astype(dtype)
    stored = rgb if planar == "contig" else np.moveaxis(rgb, -1, 1)
    path = tmp_path / "a"
    tifffile.imwrite(path, stored, photometric="rgb", planarconfig=planar)
    if dtype == "float32":
        gray = (rgb.astype(float) * [0.299, 0.587, 0.114]).sum(axis=-1).astype(dtype)
    else:
        gray = np.stack([cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in rgb])
    opened, found = read(path)
    np.testing.assert_allclose(found, gray, rtol=2e-7 if dtype == "float32" else 0)
    assert opened.notes == [f"{8 * rgb.itemsize}-bit BGR to gray by BT.601 weights"]
    np.testing.assert_array_equal(read(path, channel="green")[1], rgb[..., 1])
    opened, found = read(path, colour=True)
    np.testing.assert_array_equal(found, rgb[..., ::-1])
    assert opened.facts.channels == 3


def test_luma_of_integers_that_opencv_does_not_convert(tmp_path):
    rgb = np.array([[[100, 0, 0], [0, 100, 0]], [[0, 0, 100], [7, 7, 7]]], np.int32)
    tifffile.imwrite(tmp_path / "a", np.stack([rgb] * 2), photometric="rgb")
    np.testing.assert_array_equal(read(tmp_path / "a")[1][0], [[30, 59], [11, 7]])


def test_colour_of_a_gray_stack_is_refused(tmp_path):
    with pytest.raises(UserError, match="is gray"):
        read(write_tiff(tmp_path / "a", FRAMES), colour=True)


def test_significant_bits_of_ome(tmp_path):
    path = tmp_path / "a.ome.tif"
    tifffile.imwrite(
        path, FRAMES.astype(np.uint16), metadata={"axes": "TYX", "SignificantBits": 12}
    )
    assert 'SignificantBits="12"' in directories(path)[0].description
    assert read(path)[0].facts.bits == 12


def test_an_ome_file_does_not_make_us_read_another(tmp_path):
    other = tmp_path / "b.ome.tif"
    tifffile.imwrite(other, FRAMES + 1, metadata={"axes": "TYX"})
    description = directories(other)[0].description
    name = 'FileName="b.ome.tif"'
    parts = description.replace("<TiffData", '<TiffData IFD="0"', 1)
    parts = parts.replace("</TiffData>", "").replace("/>", "/>")
    head, tail = parts.split("<TiffData", 1)
    tail = tail.split(">", 1)[1]
    joined = (
        f'{head}<TiffData IFD="0" PlaneCount="9"><UUID {name}>urn:uuid:1</UUID></TiffData>{tail}'
    )
    path = tmp_path / "a.ome.tif"
    tifffile.imwrite(path, FRAMES, description=joined, metadata=None)
    np.testing.assert_array_equal(read(path)[1], FRAMES)


def test_a_single_page_is_a_movie_of_one_frame(tmp_path):
    path = write_tiff(tmp_path / "a", FRAMES[:1])
    with pytest.raises(UserError, match=r"a movie of 1 frame.*pattern"):
        read(path)
    np.testing.assert_array_equal(read(path, shape=(1, None, None))[1], FRAMES[:1])


def test_pages_of_another_size_are_named(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a") as writer:
        for frame in (*FRAMES[:3], FRAMES[3, :30]):
            writer.write(frame, metadata=None)
    with pytest.raises(UserError, match=r"page 3 has .*\(30, 56, 8, 1, 1\).*\(40, 56, 8, 1, 1\)"):
        read(tmp_path / "a")
    np.testing.assert_array_equal(read(tmp_path / "a", 0, 3)[1], FRAMES[:3])


def test_cut_in_the_middle_the_pages_before_are_readable(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a") as writer:
        for frame in FRAMES:
            writer.write(frame, metadata=None, compression="zlib")
    raw = (tmp_path / "a").read_bytes()
    (tmp_path / "a").write_bytes(raw[: len(raw) // 2])
    with pytest.raises(DamageError, match="cannot be read") as caught:
        read(tmp_path / "a")
    n = caught.value.readable
    assert 2 <= n <= 6
    np.testing.assert_array_equal(read(tmp_path / "a", 0, n)[1], FRAMES[:n])
    with pytest.raises(DamageError):
        read(tmp_path / "a", 0, n + 1)


def test_a_chain_of_pages_that_bites_its_tail(tmp_path):
    path = write_tiff(tmp_path / "a", FRAMES, metadata=None)
    raw = bytearray(path.read_bytes())
    offsets = [page.offset for page in directories(path)]
    last = offsets[-1]
    (entries,) = struct.unpack_from("<H", raw, last)
    struct.pack_into("<I", raw, last + 2 + 12 * entries, offsets[2])
    path.write_bytes(raw)
    with pytest.raises(DamageError, match=r"leads back .*9 frames are readable"):
        read(path)
    np.testing.assert_array_equal(read(path, 0, 9)[1], FRAMES)


@pytest.mark.parametrize(("kind", "value"), [(3, 77), (1, 0), (2, 65)])
def test_a_compression_that_is_none(tmp_path, kind, value):
    path = write_tiff(tmp_path / "a", FRAMES, metadata=None)
    raw = bytearray(path.read_bytes())
    tag = directories(path)[0].tags["Compression"]
    struct.pack_into("<H", raw, tag.offset + 2, kind)
    struct.pack_into("<I", raw, tag.valueoffset, value)
    path.write_bytes(raw)
    with pytest.raises(UserError, match="cannot be read"):
        read(path)


@pytest.mark.parametrize("compression", [None, "lzw", "zlib", "zstd"])
@pytest.mark.parametrize("length", [2**31, 2**24])
def test_a_header_that_lies_takes_no_memory(tmp_path, compression, length):
    path = write_tiff(tmp_path / "a", FRAMES, metadata=None, compression=compression)
    raw = bytearray(path.read_bytes())
    page = directories(path)[0]
    struct.pack_into("<I", raw, page.tags["ImageLength"].valueoffset, length)
    path.write_bytes(raw)
    with pytest.raises(DamageError, match="the header claims"):
        read(path)


def test_the_real_stack_holds_the_frames_of_the_hdf5_file(recordings_folder):
    folder = recordings_folder / "stromboli"
    _, deep = read(folder / "stromboli_roi_centidegC_u16.h5", 200, 260, dataset="frames")
    opened, found = read(folder / "stromboli_roi_u16_frames200-259.tif")
    np.testing.assert_array_equal(found, deep)
    assert (opened.facts.frames_header, opened.facts.bits) == (60, 16)


def test_hdf5_named_tif_is_hdf5(tmp_path):
    np.testing.assert_array_equal(read(write_hdf5(tmp_path / "a.tif", FRAMES))[1], FRAMES)
