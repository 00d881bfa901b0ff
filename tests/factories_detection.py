"""Movies and maps for tests of detection models, with hits that are known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from factories import write_movie
from plumenav import registry
from plumenav.detection.formula import Parameters, rate_hz
from plumenav.detection.hit_map import SEGMENTS, SIDE, HitMap

SENSOR: dict[str, Any] = {
    "shape": "point",
    "parameters": {},
    "interpolation": "bilinear",
    "threshold": {"value": 0.5, "unit": "absolute"},
    "dead_zone": None,
}
DETECTION: dict[str, Any] = {
    "fit": {"recording": None, "part": "first_half"},
    "cell_mm": 10.0,
    "radius_mm": 5.0,
    "hit": {"refractory_s": 0.0},
    "overlap": "refused",
    "misfit": {"rate": 1.0, "length": 1.0},
}
TRUE = Parameters(scale_hz=1.5, length_mm=25.0, drift_per_mm=0.035, radius_mm=5.0)


def random_map(
    p: Parameters, seed: int, seconds: float = 200.0, wind_toward_rad: float = 0.0
) -> HitMap:
    """A map of independent Poisson hits of a detection model, places in a 300 x 160 mm arena."""
    rng = np.random.default_rng(seed)
    x, y = np.arange(-50.0, 250.0, 10.0), np.arange(80.0, -81.0, -10.0)
    inner = ((np.arange(SIDE) + 0.5) / SIDE - 0.5) * 10.0
    step_x, step_y = (a.ravel() for a in np.meshgrid(inner, inner))
    shape = (len(y), len(x), SIDE * SIDE)
    place_x = np.broadcast_to(x[None, :, None] + step_x, shape)
    place_y = np.broadcast_to(y[:, None, None] + step_y, shape)
    cos, sin = np.cos(wind_toward_rad), np.sin(wind_toward_rad)
    rate = rate_hz(place_x * cos + place_y * sin, place_y * cos - place_x * sin, p)
    exposure = np.full(SEGMENTS, seconds / SEGMENTS)
    hits = rng.poisson(rate.sum(axis=-1) * exposure[:, None, None])
    return HitMap(x, y, hits, exposure, place_x, place_y)


def blinking_movie(path: Path, frames: int = 240, rate_hz_: float = 10.0, seed: int = 5) -> Path:
    """A movie whose pixels come into odour at random, at the rate of the model TRUE.

    5 mm per pixel, source at row 14, column 4; each hit is one frame of concentration 1.
    """
    rng = np.random.default_rng(seed)
    row, column = np.mgrid[:29, :50]
    rate = rate_hz((column - 4) * 5.0, (14 - row) * 5.0, TRUE)
    lit = rng.random((frames, 29, 50)) < rate / rate_hz_
    return write_movie(path, lit.astype(float), rate_hz=rate_hz_, source=(14.0, 4.0))


def settings(**detection: Any) -> dict[str, Any]:
    """What the preparation of a belief-based agent is told."""
    return {
        "sensor": {**SENSOR, "interpolation": "nearest"},
        "detection": {**DETECTION, **detection},
        "movie_part": "second_half",
        "wind_toward_deg": {"lived": 0.0, "fitted": 0.0},
    }


def write_believer(folder: Path) -> list[str]:
    """Two files: a model that walks like the null, and is given a belief; and its reference."""
    marks = {
        "model": 'PLUGIN_KIND = "model"\nDETECTION = True\nPRIVILEGED = "the mean rate of hits"\n',
        "reference": 'PLUGIN_KIND = "reference"\n',
    }
    written = []
    for kind, mark in marks.items():
        text = registry.file_of(kind, "correlated_random_walk").read_text(encoding="utf-8")
        path = folder / kind / "believer.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n{mark}", encoding="utf-8")
        written.append(str(path))
    return written
