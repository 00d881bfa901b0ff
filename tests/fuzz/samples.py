"""Small valid recordings of every format, for damaging.

A format is one entry of `SAMPLES`: what writes it, given a path without extension, and gives back
what a user would name. Formats that the contract test knows come from there.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from conftest import data_folder
from factories_recordings import (
    FORMATS,
    Format,
    lopsided,
    write_images,
    write_tiff,
    write_video,
)

FRAMES = lopsided(n=12, height=40, width=56)
DEEP = FRAMES.astype(np.uint16) * 16

VIDEOS = {
    "AVI MJPG": ("MJPG", ".avi"),
    "AVI FFV1": ("FFV1", ".avi"),
    "AVI HFYU": ("HFYU", ".avi"),
    "AVI raw": ("Y800", ".avi"),
    "AVI XVID": ("XVID", ".avi"),
    "MKV FFV1": ("FFV1", ".mkv"),
    "MP4 mp4v": ("mp4v", ".mp4"),
    "MOV PNG": ("png ", ".mov"),
    "WebM VP8": ("VP80", ".webm"),
    "WebM VP9": ("VP90", ".webm"),
    "MPG MPEG-1": ("PIM1", ".mpg"),
    "WMV": ("WMV2", ".wmv"),
    "FLV": ("FLV1", ".flv"),
}
# formats that OpenCV cannot write
REAL = {
    "H.264 mp4": "h264.mp4",
    "H.264 mkv": "h264.mkv",
    "H.264 10 bits": "torchcodec_h264_10bits.mp4",
    "HEVC": "hevc.mp4",
    "AV1": "av1.mkv",
    "ProRes": "prores.mov",
    "Theora": "theora.ogv",
    "MPEG-2": "mpeg2.mpg",
    "GIF": "anim.gif",
}


def _gif(path: Path, frames: np.ndarray) -> Path:
    first, *others = [Image.fromarray(frame) for frame in frames]
    first.save(path, save_all=True, append_images=others, duration=30, loop=0)
    return path


def _write(form: Format, frames: np.ndarray, path: Path) -> Path:
    return form.write(path.with_suffix(form.ending), frames)


def _video(codec: str, ending: str, path: Path) -> Path:
    return write_video(path.with_suffix(ending), FRAMES, codec)


def _copy(source: Path, path: Path) -> Path:
    return Path(shutil.copyfile(source, path.with_suffix(source.suffix)))


MORE = {
    "GIF of PIL": Format("video", ".gif", _gif),
    "TIFF, deflate": Format(
        "tiff", ".tif", lambda p, f: write_tiff(p, f, compression="zlib", predictor=True)
    ),
    "JPEG folder": Format("image_sequence", "", lambda p, f: write_images(p, f, "jpg"), False),
}
SAMPLES: dict[str, Callable[[Path], Path]] = {
    name: partial(_video, *video) for name, video in VIDEOS.items()
}
SAMPLES |= {
    name: partial(_write, form, DEEP if form.deep and form.reader != "video" else FRAMES)
    for name, form in {**MORE, **FORMATS}.items()
    if name != "ffv1 avi"
}
REAL_SAMPLES: dict[str, Callable[[Path], Path]] = {
    name: partial(_copy, data_folder() / "formats" / file)
    for name, file in REAL.items()
    if (data_folder() / "formats" / file).is_file()
}
