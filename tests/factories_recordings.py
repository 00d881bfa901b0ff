"""Small recordings with known content, as real files in real formats."""

from __future__ import annotations

import json
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
