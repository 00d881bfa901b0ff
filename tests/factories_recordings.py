"""Small recordings with known content, as real files in real formats."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import cv2
import h5py
import numpy as np

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
    path: Path, frames: np.ndarray, flip: int = 0, stamped: bool = True, packing: int = 0
) -> Path:
    """A Phantom .cine file, bottom-up unless `flip`: ran at 500 Hz, saved 100 images per second."""
    n, height, width = frames.shape[:3]
    setup = bytearray(10412)
    setup[140:144] = b"ST" + struct.pack("<H", len(setup))
    for at, value in ((760, flip), (768, 500), (896, 12)):
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

    def __init__(self, folder: Path, source: Path | None, **changes: Any) -> None:
        self.plume, self.quality_file = folder / "plume.parquet", folder / "plume.quality.json"
        self.quality = normalize("x", settings(**changes), source, self.plume, self.quality_file)
        with PlumeReader(self.plume) as reader:
            self.metadata, self.time_s = reader.metadata, reader.time_s
            blocks = [block.frames.copy() for block in reader.blocks()]
        self.stored = np.concatenate(blocks)
        self.concentration = self.stored * self.metadata["scale"] + self.metadata["offset"]
