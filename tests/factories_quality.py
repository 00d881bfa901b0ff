"""Movies whose wind, source and scale are known exactly, for tests of quality."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from plumenav.config.quality import Quality
from plumenav.config.recordings import Recording
from plumenav.normalization.pipeline import normalize
from plumenav.quality.assess import assess

HEIGHT, WIDTH = 110, 170
SOURCE = (38, 14)  # row, column: neither on an axis of symmetry nor on the diagonal
RATE_HZ, WIND_MM_S, MM_PER_PX = 30.0, 75.0, 1.0
FRAMES, LEAD_IN = 320, 30
GAIN, NOISE = 120.0, 1.5  # gray levels


def plume(seed: int = 5) -> np.ndarray:
    """Puffs that drift from SOURCE towards +column, concentration, shape (n, height, width)."""
    rng = np.random.default_rng(seed)
    frames = np.zeros((FRAMES, HEIGHT, WIDTH), np.float32)
    speed = WIND_MM_S / RATE_HZ / MM_PER_PX
    life = int((WIDTH + 20) / speed)
    births = np.sort(rng.uniform(LEAD_IN, FRAMES, int(1.4 * FRAMES)))
    sway = np.cumsum(rng.normal(0, 0.05, FRAMES + 1))  # of all puffs together
    for born in births:
        drift, strength = rng.normal(0, 0.14), rng.lognormal(-0.3, 0.5)
        for k in range(int(np.ceil(born)), min(FRAMES, int(born) + life)):
            age = k - born
            radius = 2.0 + 0.05 * age
            row = SOURCE[0] + drift * age + sway[k] - sway[int(born)]
            column = SOURCE[1] + speed * age
            _add(frames[k], row, column, radius, 0.5 * strength * (2.0 / radius) ** 2)
    return frames


def _add(image: np.ndarray, row: float, column: float, radius: float, peak: float) -> None:
    reach = 2.5 * radius
    r0, r1 = max(0, int(row - reach)), min(image.shape[0], int(row + reach) + 2)
    c0, c1 = max(0, int(column - reach)), min(image.shape[1], int(column + reach) + 2)
    if r0 >= r1 or c0 >= c1:
        return
    r, c = np.mgrid[r0:r1, c0:c1]
    image[r0:r1, c0:c1] += peak * np.exp(-((r - row) ** 2 + (c - column) ** 2) / radius**2)


def background() -> np.ndarray:
    """A floor in uneven light, gray levels."""
    row, column = np.mgrid[:HEIGHT, :WIDTH]
    return 60 + 8 * np.sin(row / 9) * np.cos(column / 13) + 0.05 * column


def filmed(concentration: np.ndarray, sign: float = 1.0, level: float = 0.0) -> np.ndarray:
    """What an 8-bit camera stores: background + level +- gain * concentration + noise."""
    rng = np.random.default_rng(11)
    scene = background() + level + sign * GAIN * concentration
    return np.clip(np.round(scene + rng.normal(0, NOISE, scene.shape)), 0, 255).astype(np.uint8)


def declared(**changes: Any) -> dict[str, Any]:
    """Settings that describe the movie rightly, but for the changes."""
    right: dict[str, Any] = {
        "path": "movie.h5",
        "mm_per_px": MM_PER_PX,
        "frame_rate_hz": RATE_HZ,
        "source_px": {"row": SOURCE[0], "column": SOURCE[1]},
        "wind_toward": "+column",
        "wind": {"speed_mm_s": WIND_MM_S},
        "normalize": {
            "transfer": {"full_scale": 255, "low": 0, "high": 255},
            "background": {"method": "mean", "frames": (0, LEAD_IN)},
            "calibration": {"zero": 0, "one": GAIN},
        },
    }
    return {**right, **changes}


class Assessed:
    """A movie that was normalized as declared, and what its quality is."""

    def __init__(
        self,
        folder: Path,
        movie: np.ndarray | Path,
        quality: dict[str, Any] | None = None,
        companions: dict[str, Path] | None = None,
        **changes: Any,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        if not isinstance(movie, Path):
            frames, movie = movie, folder / "movie.h5"
            with h5py.File(movie, "w") as file:
                file["movie"] = frames
        recording = Recording.model_validate(declared(**changes))
        settings = json.loads(recording.model_dump_json())
        self.plume = folder / "plume.parquet"
        record = folder / "plume.quality.json"
        normalize("trial", settings, movie, self.plume, record, companions)
        self.settings = {
            "quality": Quality.model_validate(quality or {}).model_dump(mode="json"),
            "wind": settings["wind"],
            "nominal": settings["nominal"],
            "dead_zones": [{"value": 3.0, "unit": "noise_sd"}],
        }
        self.json, self.npz = folder / "quality.json", folder / "quality.npz"
        assess("trial", self.settings, self.plume, self.json, self.npz)
        self.content = json.loads(self.json.read_text())
        self.checks = {check["name"]: check for check in self.content["checks"]}

    @property
    def bad(self) -> dict[str, str]:
        """What is said by the checks that do not pass."""
        return {
            name: check["says"]
            for name, check in self.checks.items()
            if check["status"] in ("warn", "fail")
        }
