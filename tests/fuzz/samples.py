"""Small valid recordings of every format, for damaging.

A format is one entry of `SAMPLES`: what writes it, and what its reader has to be told. Writers take
a path without extension and give back what a user would name: a file, a folder or a pattern.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import cv2
import h5py
import imagecodecs
import numpy as np
import scipy.io
import tifffile
import zarr
from PIL import Image

from factories_recordings import lopsided, write_cine, write_video

N = 12
FRAMES = lopsided(n=N, height=40, width=56)
DEEP = FRAMES.astype(np.uint16) * 257


class Sample(NamedTuple):
    """A format.

    Attributes
    ----------
    write : callable
        path without extension -> what is read
    settings : dict
        Of the reader.
    """

    write: Callable[[Path], Path]
    settings: dict[str, object] = {}  # noqa: RUF012 - nothing writes to it


def _video(codec: str, extension: str) -> Sample:
    return Sample(lambda path: write_video(path.with_suffix(extension), FRAMES, codec))


def _gif(path: Path) -> Path:
    path = path.with_suffix(".gif")
    first, *others = [Image.fromarray(frame) for frame in FRAMES]
    first.save(path, save_all=True, append_images=others, duration=30, loop=0)
    return path


def _hdf5(path: Path, **options: object) -> Path:
    path = path.with_suffix(".h5")
    with h5py.File(path, "w") as file:
        file.create_dataset("movie", data=FRAMES, **options)
    return path


def _mat5(path: Path, **options: object) -> Path:
    path = path.with_suffix(".mat")
    scipy.io.savemat(path, {"movie": FRAMES.transpose(1, 2, 0)}, **options)
    return path


def _mat73(path: Path) -> Path:
    path = path.with_suffix(".mat")
    with h5py.File(path, "w", userblock_size=512) as file:
        file["movie"] = FRAMES.transpose(0, 2, 1)  # MATLAB's order, reversed
    with open(path, "r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM")
    return path


def _npy(path: Path) -> Path:
    np.save(path.with_suffix(".npy"), DEEP)
    return path.with_suffix(".npy")


def _npz(path: Path) -> Path:
    np.savez_compressed(path.with_suffix(".npz"), movie=FRAMES)
    return path.with_suffix(".npz")


def _tiff(path: Path, **options: object) -> Path:
    tifffile.imwrite(path.with_suffix(".tif"), DEEP, photometric="minisblack", **options)
    return path.with_suffix(".tif")


def _images(extension: str) -> Callable[[Path], Path]:
    def write(path: Path) -> Path:
        path.mkdir()
        for k, frame in enumerate(FRAMES):
            if extension == ".tif":
                tifffile.imwrite(path / f"f{k}.tif", frame)
            else:
                cv2.imwrite(str(path / f"f{k}{extension}"), frame)
        return path

    return write


def _zarr(version: int) -> Callable[[Path], Path]:
    def write(path: Path) -> Path:
        path = path.with_suffix(".zarr")
        array = zarr.create_array(
            path, shape=FRAMES.shape, chunks=(4, 40, 56), dtype="uint8", zarr_format=version
        )
        array[:] = FRAMES
        return path

    return write


AXES_LAST = {"axes": ("row", "column", "frame")}
SAMPLES: dict[str, Sample] = {
    "AVI MJPG": _video("MJPG", ".avi"),
    "AVI FFV1": _video("FFV1", ".avi"),
    "AVI HFYU": _video("HFYU", ".avi"),
    "AVI raw": _video("Y800", ".avi"),
    "AVI XVID": _video("XVID", ".avi"),
    "MKV FFV1": _video("FFV1", ".mkv"),
    "MP4 mp4v": _video("mp4v", ".mp4"),
    "MOV PNG": _video("png ", ".mov"),
    "WebM VP8": _video("VP80", ".webm"),
    "WebM VP9": _video("VP90", ".webm"),
    "MPG MPEG-1": _video("PIM1", ".mpg"),
    "WMV": _video("WMV2", ".wmv"),
    "FLV": _video("FLV1", ".flv"),
    "GIF": Sample(_gif),
    "CINE": Sample(lambda path: write_cine(path.with_suffix(".cine"), DEEP)),
    "HDF5": Sample(_hdf5),
    "HDF5 gzip": Sample(lambda path: _hdf5(path, chunks=(3, 40, 56), compression="gzip")),
    "MAT 5": Sample(_mat5, AXES_LAST),
    "MAT 5 zlib": Sample(lambda path: _mat5(path, do_compression=True), AXES_LAST),
    "MAT 7.3": Sample(_mat73, {"axes": ("frame", "column", "row")}),
    "NPY": Sample(_npy),
    "NPZ": Sample(_npz),
    "TIFF": Sample(_tiff),
    "TIFF BigTIFF": Sample(lambda path: _tiff(path, bigtiff=True)),
    "TIFF ImageJ": Sample(lambda path: _tiff(path, imagej=True, metadata={"axes": "TYX"})),
    "TIFF LZW": Sample(lambda path: _tiff(path, compression="lzw")),
    "TIFF deflate": Sample(lambda path: _tiff(path, compression="zlib", predictor=True)),
    "PNG images": Sample(_images(".png")),
    "JPEG images": Sample(_images(".jpg")),
    "TIFF images": Sample(_images(".tif")),
    "Zarr 2": Sample(_zarr(2)),
    "Zarr 3": Sample(_zarr(3)),
}
# imagecodecs is what tifffile decompresses with
assert imagecodecs.LZW.available
