"""Arrays in HDF5, MATLAB, NumPy and Zarr: what is read, what is refused, what damage leaves."""

from __future__ import annotations

import builtins
import pickle
import shutil
import struct
import zipfile
import zlib
from contextlib import closing
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io
import zarr

from factories_recordings import (
    lopsided,
    write_hdf5,
    write_mat,
    write_mat73,
    write_npy,
    write_npz,
    write_zarr,
)
from plumenav.errors import UserError
from plumenav.recordings._contract import DamageError, Settings
from plumenav.recordings._recognize import open_recording, recognize

FRAMES = lopsided(12)
FRAME = FRAMES[0].nbytes
STAMPS = np.arange(12) ** 1.5
MATLAB = ("row", "column", "frame")


def read(path: Path, first: int = 0, end: int | None = None, **keys: object):
    with closing(open_recording(path, Settings(**keys))) as opened:
        return opened, np.concatenate([block.frames for block in opened.blocks(first, end)])


def stamps(path: Path, **keys: object) -> np.ndarray:
    with closing(open_recording(path, Settings(**keys))) as opened:
        return np.concatenate([block.time_s for block in opened.blocks()])


def cut(path: Path, keep: int) -> Path:
    path.write_bytes(path.read_bytes()[:keep])
    return path


# ------------------------------------------------------------------------------------------ HDF5


def test_hdf5_does_not_follow_anything_out_of_the_file(tmp_path):
    write_hdf5(tmp_path / "other.h5", FRAMES)
    raw = tmp_path / "numbers.raw"
    raw.write_bytes(FRAMES.tobytes())
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["link"] = h5py.ExternalLink("other.h5", "/movie")
        file["inner/soft"] = h5py.SoftLink("/link")
        file.create_dataset("outside", FRAMES.shape, "u1", external=[(str(raw), 0, FRAMES.nbytes)])
        layout = h5py.VirtualLayout(FRAMES.shape, "u1")
        layout[:] = h5py.VirtualSource("other.h5", "movie", FRAMES.shape)
        file.create_virtual_dataset("virtual", layout)
    with pytest.raises(UserError, match=r"'link' is a link to another file, 'other\.h5'"):
        read(path, dataset="link")
    with pytest.raises(UserError, match="'inner/soft' is a link to '/link'"):
        read(path, dataset="inner/soft")
    for name in ("outside", "virtual"):
        with pytest.raises(UserError, match=f"the numbers of '{name}' are in other files"):
            read(path, dataset=name)


def test_hdf5_with_too_many_objects_is_not_searched(tmp_path, monkeypatch):
    monkeypatch.setattr("plumenav.recordings.hdf5.MAX_OBJECTS", 5)
    path = write_hdf5(tmp_path / "a.h5", FRAMES, **{f"x{k}": k for k in range(9)})
    with pytest.raises(UserError, match="more than 5 objects"):
        read(path)


def test_hdf5_chunks_never_written_are_counted(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        data = file.create_dataset("m", FRAMES.shape, "u1", chunks=(3, 40, 56), fillvalue=7)
        data[:6] = FRAMES[:6]
    opened, found = read(path)
    np.testing.assert_array_equal(found, np.concatenate([FRAMES[:6], np.full_like(FRAMES[:6], 7)]))
    assert opened.facts.extra["missing_chunks"] == 2
    assert "2 of 4 chunks were never written: 7 there" in opened.notes[-1]


@pytest.mark.parametrize("chunks", [None, (1, 40, 56)])
def test_hdf5_that_was_never_written(tmp_path, chunks):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("m", (10**6, 4000, 5600), "f8", chunks=chunks)
    with pytest.raises(DamageError, match=r"never written|the header claims"):
        read(tmp_path / "a.h5")


def test_hdf5_declares_its_bits(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        twelve = h5py.h5t.STD_U16LE.copy()
        twelve.set_precision(12)
        space = h5py.h5s.create_simple(FRAMES.shape)
        h5py.h5d.create(file.id, b"m", twelve, space)
        file["m"][...] = FRAMES.astype(np.uint16) * 8
    opened, found = read(tmp_path / "a.h5")
    np.testing.assert_array_equal(found, FRAMES.astype(np.uint16) * 8)
    assert (opened.facts.dtype, opened.facts.bits) == ("uint16", 12)


def test_hdf5_packed_by_what_is_not_installed(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        space = h5py.h5s.create_simple(FRAMES.shape)
        plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plan.set_chunk((1, 40, 56))
        # optional, so that the library writes without it
        plan.set_filter(32001, h5py.h5z.FLAG_OPTIONAL, (0,))
        h5py.h5d.create(file.id, b"m", h5py.h5t.NATIVE_UINT8, space, plan)
        file["m"][...] = FRAMES
    with pytest.raises(UserError, match=r"filter 32001 .*not installed.*h5repack"):
        read(tmp_path / "a.h5")


def test_hdf5_damage_has_a_time(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        data = file.create_dataset("m", data=FRAMES, chunks=(2, 40, 56), compression="gzip")
        offset = data.id.get_chunk_info(3).byte_offset
        file["t"] = STAMPS
    raw = bytearray(path.read_bytes())
    raw[offset + 30 : offset + 60] = bytes(30)
    path.write_bytes(raw)
    with pytest.raises(DamageError, match=r"6 frames are readable \(up to 11\.180 s\)") as caught:
        read(path, time_dataset="t")
    assert (caught.value.readable, caught.value.readable_s) == (6, STAMPS[5])
    np.testing.assert_array_equal(read(path, 0, 6)[1], FRAMES[:6])


# ---------------------------------------------------------------------------------------- MATLAB


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "float32", "float64"])
def test_matlab_5_in_matlabs_order(tmp_path, packed, dtype):
    frames = FRAMES.astype(dtype)
    path = write_mat(tmp_path / "a.mat", frames.transpose(1, 2, 0), do_compression=packed, t=STAMPS)
    opened, found = read(path, 3, 9, axes=MATLAB)
    np.testing.assert_array_equal(found, frames[3:9])
    assert opened.facts.dtype == dtype
    assert opened.facts.format.endswith("deflate" if packed else "uncompressed")
    theirs = scipy.io.loadmat(path)["movie"]
    np.testing.assert_array_equal(read(path, axes=MATLAB)[1], theirs.transpose(2, 0, 1))
    np.testing.assert_array_equal(stamps(path, axes=MATLAB, time_dataset="t"), STAMPS)


def test_matlab_doubles_stored_in_bytes_are_doubles(tmp_path):
    def element(kind: int, body: bytes) -> bytes:
        return struct.pack(">II", kind, len(body)) + body + bytes(-len(body) % 8)

    matrix = (
        element(6, struct.pack(">II", 6, 0))
        + element(5, struct.pack(">3i", 40, 56, 12))
        + struct.pack(">HH4s", 3, 1, b"mov\x00")[:0]
        + element(1, b"mov")
        + element(2, FRAMES.transpose(1, 2, 0).tobytes(order="F"))
    )
    head = b"MATLAB 5.0 MAT-file, big-endian".ljust(124) + struct.pack(">H", 0x100) + b"MI"
    (tmp_path / "a.mat").write_bytes(head + element(14, matrix))
    opened, found = read(tmp_path / "a.mat", axes=MATLAB)
    assert (opened.facts.dtype, opened.notes) == (
        "float64",
        ["variable 'mov', the only movie in the file"],
    )
    np.testing.assert_array_equal(found, FRAMES)
    np.testing.assert_array_equal(
        scipy.io.loadmat(tmp_path / "a.mat")["mov"].transpose(2, 0, 1), FRAMES
    )


def test_matlab_7_3_says_so_and_in_which_order(tmp_path):
    # size(movie) in MATLAB: rows, columns, frames
    path = write_mat73(tmp_path / "a.mat", FRAMES.transpose(0, 2, 1))
    opened, found = read(path, axes=("frame", "column", "row"))
    np.testing.assert_array_equal(found, FRAMES)
    assert opened.facts.reader == "mat"
    assert opened.facts.format == "MATLAB 7.3, uint8 (frame, column, row), gzip"
    assert any("reader.axes: [frame, column, row]" in note for note in read(path)[0].notes)
    np.testing.assert_array_equal(read(path, shape=(12, 40, 56))[1], FRAMES)


def test_matlab_objects_are_refused_and_listed(tmp_path):
    cells = np.empty((1, 2), object)
    cells[0, :] = [FRAMES, "x"]
    path = write_mat(
        tmp_path / "a.mat", FRAMES, cells=cells, p={"bkg": FRAMES}, z=FRAMES + 1j, s="x"
    )
    for name, kind in (("cells", "cell"), ("p", "struct"), ("z", "complex"), ("s", "char")):
        with pytest.raises(
            UserError, match=rf"'{name}' is .* of {kind}.*movie \(12, 40, 56\) uint8"
        ):
            read(path, dataset=name)
    np.testing.assert_array_equal(read(path)[1], FRAMES)
    write_mat(path, FRAMES, second=FRAMES)
    with pytest.raises(UserError, match="2 variables of 3 axes"):
        read(path)
    write_mat(path, FRAMES[0])
    with pytest.raises(UserError, match=r"0 variables of 3 axes.*\(\*\.mat\)"):
        read(path)
    with pytest.raises(UserError, match=r"has shape \(40, 56\).*three axes"):
        read(path, dataset="movie")


def test_matlab_5_cut_off(tmp_path):
    path = write_mat(tmp_path / "a.mat", FRAMES.transpose(1, 2, 0))
    raw = path.read_bytes()
    start = raw.index(FRAMES.transpose(1, 2, 0).tobytes(order="F"))
    cut(path, start + 5 * FRAME + 7)
    with pytest.raises(
        DamageError, match="5 frames are readable; the header promises 12"
    ) as caught:
        read(path, axes=MATLAB)
    assert caught.value.readable == 5
    np.testing.assert_array_equal(read(path, 1, 5, axes=MATLAB)[1], FRAMES[1:5])
    # frames that are not one after another in the file are all incomplete
    with pytest.raises(DamageError, match="0 frames are readable"):
        read(path, axes=("frame", "row", "column"))


def test_matlab_compressed_cut_off_or_changed(tmp_path):
    noisy = np.random.default_rng(0).integers(0, 255, FRAMES.shape).astype(np.uint8)
    whole = write_mat(tmp_path / "a.mat", noisy.transpose(1, 2, 0), do_compression=True)
    raw = whole.read_bytes()
    path = cut(Path(shutil.copy(whole, tmp_path / "cut.mat")), len(raw) // 2)
    with pytest.raises(DamageError, match="the data end early") as caught:
        read(path, axes=MATLAB)
    assert caught.value.readable in (5, 6)
    n = caught.value.readable
    np.testing.assert_array_equal(read(path, 0, n, axes=MATLAB)[1], noisy[:n])
    changed = bytearray(raw)
    changed[len(raw) // 2] ^= 0x55
    path.write_bytes(changed)
    with pytest.raises(DamageError, match=r"compressed data are damaged.*0 frames are readable"):
        read(path, axes=MATLAB)


@pytest.mark.parametrize("packed", [False, True])
def test_matlab_shapes_that_cannot_be_are_refused_before_memory(tmp_path, packed):
    def element(kind: int, body: bytes) -> bytes:
        return struct.pack("<II", kind, len(body)) + body + bytes(-len(body) % 8)

    body = element(6, struct.pack("<II", 6, 0)) + element(5, struct.pack("<3i", 2**14, 2**14, 2))
    body += element(1, b"m") + struct.pack("<II", 9, 2**32 - 8)
    matrix = struct.pack("<II", 14, len(body)) + body
    if packed:
        squeezed = zlib.compress(matrix)
        matrix = struct.pack("<II", 15, len(squeezed)) + squeezed
    head = b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack("<H", 0x100) + b"IM"
    (tmp_path / "a.mat").write_bytes(head + matrix)
    with pytest.raises(DamageError, match=r"makes no sense|the header claims"):
        read(tmp_path / "a.mat", axes=MATLAB)


# ----------------------------------------------------------------------------------------- NumPy


def test_npy_in_both_orders_both_byte_orders_and_parts(tmp_path):
    for name, array in {
        "c": FRAMES.astype(">u2"),
        "f": np.asfortranarray(FRAMES.astype("<f4")),
        "half": FRAMES.astype(np.float16),
    }.items():
        opened, found = read(write_npy(tmp_path / f"{name}.npy", array), 3, 9)
        np.testing.assert_array_equal(found, array[3:9])
        assert found.dtype.isnative
        assert opened.facts.extra["fortran_order"] is (name == "f")


def test_nothing_is_unpickled(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "exploded",))

    for path in (tmp_path / "a.npy", tmp_path / "a.npz"):
        bomb = np.array([Bomb(), 1], object)
        np.save(path, bomb) if path.suffix == ".npy" else np.savez(path, movie=bomb)
        with pytest.raises(UserError, match="holds Python objects: opening them would run code"):
            read(path, dataset="movie")
    (tmp_path / "p.npy").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(UserError, match="no known format"):
        read(tmp_path / "p.npy")
    assert not (tmp_path / "exploded").exists()


def test_npy_shorter_than_its_header_says(tmp_path):
    path = write_npy(tmp_path / "a.npy", FRAMES)
    cut(path, 128 + 7 * FRAME + 100)
    with pytest.raises(
        DamageError, match="7 frames are readable; the header promises 12"
    ) as caught:
        read(path)
    assert caught.value.readable == 7
    np.testing.assert_array_equal(read(path, 2, 7)[1], FRAMES[2:7])
    cut(write_npy(path, np.asfortranarray(FRAMES)), 128 + 7 * FRAME)
    with pytest.raises(DamageError, match="0 frames are readable"):
        read(path)


def test_npy_headers_that_lie(tmp_path):
    path = write_npy(tmp_path / "a.npy", FRAMES)
    raw = path.read_bytes()
    path.write_bytes(raw.replace(b"(12, 40, 56), }      ", b"(12, 40000, 560000), }"[:21]))
    for claim in (b"(12, 40000, 56000)", b"(12, 40, -56)"):
        old = b"(12, 40, 56)"
        header = raw[:128].replace(old, claim).rstrip(b" \n")
        path.write_bytes(header[:127].ljust(127) + b"\n" + raw[128:])
        with pytest.raises(DamageError, match="the header claims"):
            read(path)
    path.write_bytes(raw[:40])
    with pytest.raises(DamageError, match="0 frames are readable"):
        read(path)


@pytest.mark.parametrize("packed", [False, True])
def test_npz_by_name_with_stamps(tmp_path, packed):
    path = write_npz(tmp_path / "a.npz", FRAMES, packed, t=STAMPS, other=np.zeros(3))
    opened, found = read(path, 5, 11)
    np.testing.assert_array_equal(found, FRAMES[5:11])
    assert opened.facts.extra["dataset"] == "movie"
    np.testing.assert_array_equal(stamps(path, dataset="movie", time_dataset="t"), STAMPS)
    with pytest.raises(UserError, match=r"no array 'film'.*movie \(12, 40, 56\) uint8"):
        read(path, dataset="film")
    with pytest.raises(UserError, match=r"'other' has shape \(3,\)"):
        read(path, time_dataset="other")
    write_npz(path, FRAMES, packed, second=FRAMES)
    with pytest.raises(UserError, match="2 movies"):
        read(path)


@pytest.mark.parametrize("packed", [False, True])
def test_npz_changed_byte(tmp_path, packed):
    noisy = np.random.default_rng(0).integers(0, 255, FRAMES.shape).astype(np.uint8)
    path = write_npz(tmp_path / "a.npz", noisy, packed)
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 0x55
    path.write_bytes(raw)
    with pytest.raises(DamageError, match=r"data are damaged.*0 frames are readable"):
        read(path)


def test_a_zip_without_arrays(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("readme.txt", "nothing")
    with pytest.raises(UserError, match=r"without npy files \(it holds readme\.txt\)"):
        read(tmp_path / "a.npz")


# ------------------------------------------------------------------------------------------ Zarr


@pytest.mark.parametrize("version", [2, 3])
def test_zarr_groups_stamps_and_missing_chunks(tmp_path, version):
    folder = write_zarr(tmp_path / "a.zarr", FRAMES.astype(">u2"), version, "deep/movie")
    zarr.open_group(str(folder), mode="a").create_array("t", data=STAMPS)
    assert recognize(folder) == "zarr"
    opened, found = read(folder, 3, 10)
    np.testing.assert_array_equal(found, FRAMES[3:10])
    assert found.dtype == np.dtype("uint16")
    assert opened.notes == ["array 'deep/movie', the only movie in the store"]
    np.testing.assert_array_equal(stamps(folder, time_dataset="t"), STAMPS)
    with pytest.raises(UserError, match=r"no array 'film'.*deep/movie \(12, 40, 56\) (>u2|uint16)"):
        read(folder, dataset="film")
    chunk = sorted(
        p for p in (folder / "deep/movie").rglob("*") if p.is_file() and "." not in p.stem[:1]
    )
    chunk = [p for p in chunk if p.suffix != ".json"]
    chunk[0].unlink()
    opened, found = read(folder)
    assert opened.facts.extra["missing_chunks"] == 1
    assert "1 of 18 chunks are not in the store: 0 there" in opened.notes[-1]
    assert not found[:2, :16].any()
    np.testing.assert_array_equal(found[2:], FRAMES[2:])


def test_zarr_array_at_the_top(tmp_path):
    array = zarr.create_array(
        str(tmp_path / "a"), shape=FRAMES.shape, dtype="u1", chunks=(5, 40, 56)
    )
    array[...] = FRAMES
    np.testing.assert_array_equal(read(tmp_path / "a")[1], FRAMES)


def test_zarr_damaged_chunk_and_metadata(tmp_path):
    folder = write_zarr(tmp_path / "a", FRAMES)
    chunk = folder / "movie/c/2/1/0"
    chunk.write_bytes(chunk.read_bytes()[:20])
    with pytest.raises(DamageError, match="4 frames are readable") as caught:
        read(folder)
    assert caught.value.readable == 4
    np.testing.assert_array_equal(read(folder, 0, 4)[1], FRAMES[:4])
    (folder / "movie/zarr.json").write_text("{")
    with pytest.raises(UserError, match=r"a: "):
        read(folder)


def test_zarr_that_is_not_installed_says_how_to_get_it(tmp_path, monkeypatch):
    folder = write_zarr(tmp_path / "a", FRAMES)
    real = builtins.__import__

    def without(name, *rest):
        if name == "zarr":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UserError, match=r"pip install 'plumenav\[zarr\]'"):
        read(folder)
