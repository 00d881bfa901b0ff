"""Small recordings with known content, as real files in real formats."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import h5py
import numpy as np
import scipy.io
import tifffile
import zarr

from plumenav.config.recordings import Recording
from plumenav.normalization.pipeline import normalize
from plumenav.tables import PlumeReader
from plumenav.world import QUARTER_TURNS

SOURCE = (17, 3)  # of `lopsided`: neither on an axis of symmetry nor on the diagonal


def lopsided(n: int = 6, height: int = 40, width: int = 56) -> np.ndarray:
    """A plume no rotation, transposition or mirror maps to itself, uint8, wind towards +column."""
    row, column = np.mgrid[:height, :width]
    frames = []
    for k in range(n):
        centre = SOURCE[0] - 0.2 * column + 3 * np.sin(column / 6 - k)
        puff = np.exp(-((row - centre) ** 2) / (4 + 0.3 * column)) * (column >= SOURCE[1])
        frames.append(20 + 200 * puff * np.exp(-column / 60) + 10 * (row > 30) * (column > 45))
    return np.stack(frames).round().astype(np.uint8)


def as_filmed(frames: np.ndarray, wind_toward: str, mirrored: bool) -> np.ndarray:
    """What a camera would have stored, by undoing the turn with numpy alone."""
    turned = np.rot90(frames, -QUARTER_TURNS[wind_toward], axes=(-2, -1))
    return np.ascontiguousarray(turned[..., ::-1] if mirrored else turned)


def filmed_source(wind_toward: str, mirrored: bool, shape: tuple[int, int]) -> dict[str, int]:
    """Pixel of the source in the file, found by filming a single lit pixel."""
    mark = np.zeros((1, *shape), np.uint8)
    mark[(0, *SOURCE)] = 1
    _, row, column = np.argwhere(as_filmed(mark, wind_toward, mirrored))[0]
    return {"row": int(row), "column": int(column)}


def write_hdf5(path: Path, frames: np.ndarray, name: str = "movie", **others: Any) -> Path:
    with h5py.File(path, "w") as file:
        file[name] = frames
        for key, value in others.items():
            file[key] = value
    return path


def write_video(path: Path, frames: np.ndarray, codec: str, rate_hz: float = 30.0) -> Path:
    height, width = frames.shape[1:]
    writer = cv2.VideoWriter(
        str(path), cv2.VideoWriter_fourcc(*codec), rate_hz, (width, height), False
    )
    assert writer.isOpened()
    for frame in frames:
        writer.write(frame)
    writer.release()
    return path


def write_cine(
    path: Path,
    frames: np.ndarray,
    flip: int = 0,
    stamped: bool = True,
    packing: int = 0,
    depth: int = 16,
) -> Path:
    """A Phantom .cine file, bottom-up unless `flip`: ran at 500 Hz, saved 100 images per second."""
    n, height, width = frames.shape[:3]
    setup = bytearray(10412)
    setup[140:144] = b"ST" + struct.pack("<H", len(setup))
    for at, value in ((760, flip), (768, 500), (896, depth)):
        struct.pack_into("<I", setup, at, value)
    stamps = [(1_500_000_000 << 32) + k * (2**32 // 100) for k in range(n)]
    times = struct.pack(f"<{n}Q", *stamps)
    tags = struct.pack("<IHH", 8 + len(times), 1002, 0) + times if stamped else b""
    index_at = 44 + 40 + len(setup) + len(tags)
    images = [(frame if flip else frame[::-1]).tobytes() for frame in frames]
    size, bits = len(images[0]), 8 * len(images[0]) // (height * width)
    index = struct.pack(f"<{n}Q", *[index_at + 8 * n + k * (8 + size) for k in range(n)])
    head = struct.pack("<2sHHHiIiIIIIII", b"CI", 44, 0, 1, 0, n, 0, n, 44, 84, index_at, 0, 0)
    bitmap = (40, width, height, 1, bits, packing, size, 0, 0, 0, 4096)
    with open(path, "wb") as file:
        file.write(head + struct.pack("<IiiHHIIiiII", *bitmap) + setup + tags + index)
        for image in images:
            file.write(struct.pack("<II", 8, size) + image)
    return path


def write_tiff(path: Path, frames: np.ndarray, **keys: Any) -> Path:
    """One page per frame; `keys` as tifffile's (bigtiff, byteorder, compression, imagej, ...)."""
    colour = frames.ndim == 4
    tifffile.imwrite(path, frames, photometric="rgb" if colour else "minisblack", **keys)
    return path


def write_images(folder: Path, frames: np.ndarray, ending: str = "png", name: str = "f{}") -> Path:
    """A folder of one image per frame, numbered from 1 without leading zeros."""
    folder.mkdir()
    for k, frame in enumerate(frames, 1):
        path = folder / f"{name.format(k)}.{ending}"
        if ending == "tif":
            tifffile.imwrite(path, frame)
        else:
            assert cv2.imwrite(str(path), frame)
    return folder


def write_mat(path: Path, frames: np.ndarray, name: str = "movie", **keys: Any) -> Path:
    """Level 5 by scipy, axes as given; `keys` as scipy's (do_compression), or more variables."""
    packed = bool(keys.pop("do_compression", False))
    scipy.io.savemat(path, {name: frames, **keys}, do_compression=packed)
    return path


def write_mat73(path: Path, frames: np.ndarray, name: str = "movie") -> Path:
    """Level 7.3: HDF5 behind 512 bytes, with MATLAB's attribute; axes as h5py gives them."""
    with h5py.File(path, "w", userblock_size=512) as file:
        file.create_dataset(name, data=frames, chunks=True, compression="gzip")
        file[name].attrs["MATLAB_class"] = np.bytes_("double")
    with open(path, "r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM")
    return path


def write_mats(folder: Path, frames: np.ndarray, level: str = "5", name: str = "Frame") -> Path:
    """A folder of MATLAB files with one image each, of level 4, 5 or 7.3."""
    folder.mkdir()
    for k, frame in enumerate(frames, 1):
        path = folder / f"t_{k}.mat"
        if level == "7.3":
            write_mat73(path, frame.T, name)  # MATLAB's rows are h5py's columns
        else:
            scipy.io.savemat(path, {name: frame}, format=level)
    return folder


def write_npy(path: Path, frames: np.ndarray) -> Path:
    np.save(path, frames)
    return path


def write_npz(path: Path, frames: np.ndarray, packed: bool = True, **others: Any) -> Path:
    (np.savez_compressed if packed else np.savez)(path, movie=frames, **others)
    return path


def write_zarr(folder: Path, frames: np.ndarray, version: int = 3, name: str = "movie") -> Path:
    root = zarr.open_group(str(folder), mode="w", zarr_format=version)
    array = root.create_array(name, shape=frames.shape, dtype=frames.dtype, chunks=(2, 16, 56))
    array[...] = frames
    return folder


class Format(NamedTuple):
    """A way to write a movie without loss.

    Attributes
    ----------
    reader : str
        That reads it.
    ending : str
        Of the file; nothing: a folder.
    write : callable
        (path, frames) -> path.
    deep : bool
        True: it also takes 16 bits.
    """

    reader: str
    ending: str
    write: Callable[[Path, np.ndarray], Path]
    deep: bool = True


# Every format that is read; used by the contract test, and wherever formats are compared.
FORMATS = {
    "hdf5": Format("hdf5", ".h5", write_hdf5),
    "ffv1 avi": Format("video", ".avi", lambda p, f: write_video(p, f, "FFV1"), deep=False),
    "cine": Format("cine", ".cine", write_cine),
    "tiff": Format("tiff", ".tif", write_tiff),
    "tiff, lzw": Format("tiff", ".tif", lambda p, f: write_tiff(p, f, compression="lzw")),
    "tiff, big-endian": Format("tiff", ".tif", lambda p, f: write_tiff(p, f, byteorder=">")),
    "bigtiff": Format("tiff", ".tif", lambda p, f: write_tiff(p, f, bigtiff=True)),
    "imagej": Format(
        "tiff", ".tif", lambda p, f: write_tiff(p, f, imagej=True, metadata={"axes": "TYX"})
    ),
    "png folder": Format("image_sequence", "", write_images),
    "tiff folder": Format("image_sequence", "", lambda p, f: write_images(p, f, "tif")),
    "bmp folder": Format("image_sequence", "", lambda p, f: write_images(p, f, "bmp"), deep=False),
    "mat 5": Format("mat", ".mat", write_mat),
    "mat 7": Format("mat", ".mat", lambda p, f: write_mat(p, f, do_compression=True)),
    "mat 7.3": Format("mat", ".mat", write_mat73),
    "mat 4 folder": Format("mat", "", lambda p, f: write_mats(p, f, "4")),
    "mat 5 folder": Format("mat", "", write_mats),
    "mat 7.3 folder": Format("mat", "", lambda p, f: write_mats(p, f, "7.3")),
    "npy": Format("numpy", ".npy", write_npy),
    "npy, fortran": Format("numpy", ".npy", lambda p, f: write_npy(p, np.asfortranarray(f))),
    "npz": Format("numpy", ".npz", write_npz),
    "npz, stored": Format("numpy", ".npz", lambda p, f: write_npz(p, f, packed=False)),
    "zarr 2": Format("zarr", "", lambda p, f: write_zarr(p, f, version=2)),
    "zarr 3": Format("zarr", "", write_zarr),
}


def write_format(name: str, folder: Path, frames: np.ndarray) -> Path:
    """Write a movie in a format of :data:`FORMATS`; returns the file or folder."""
    return FORMATS[name].write(folder / f"movie{FORMATS[name].ending}", frames)


def settings(**changes: Any) -> dict[str, Any]:
    """A resolved recording as the workflow passes it: the JSON dump of the config's section."""
    base: dict[str, Any] = {
        "path": "x",
        "mm_per_px": 1.0,
        "source_px": {"row": 0, "column": 0},
        "frame_rate_hz": 10.0,
    }
    return json.loads(Recording.model_validate({**base, **changes}).model_dump_json())


class Normalized:
    """A recording normalized in a folder, and what came out of it."""

    def __init__(
        self,
        folder: Path,
        source: Path | None,
        companions: dict[str, Path] | None = None,
        **changes: Any,
    ) -> None:
        self.plume, self.quality_file = folder / "plume.parquet", folder / "plume.quality.json"
        normalize("x", settings(**changes), source, self.plume, self.quality_file, companions)
        self.read()

    def read(self) -> None:
        self.quality = json.loads(self.quality_file.read_text())
        with PlumeReader(self.plume) as reader:
            self.metadata, self.time_s = reader.metadata, reader.time_s
            blocks = [block.frames.copy() for block in reader.blocks()]
        self.stored = np.concatenate(blocks)
        self.concentration = self.stored * self.metadata["scale"] + self.metadata["offset"]
