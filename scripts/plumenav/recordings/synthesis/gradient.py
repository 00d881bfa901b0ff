"""Concentration that falls linearly with distance from the source: a ramp for transfer and scale.

Docs: docs/synthesis.md. The formula is that of the analytic field of the same name, which is better
for agents: no pixels, no noise, no file.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from plumenav.recordings.synthesis._contract import parameter, resolve
from plumenav.recordings.synthesis._geometry import view_of, world_of_pixels
from plumenav.recordings.synthesis._movie import still, write_movie
from plumenav.recordings.synthesis._params import MovieParams, again

CITATION = "none: a calibration target"


class Params(MovieParams):
    """Parameters of a cone of concentration and of the camera that records it."""

    frames: int = again(MovieParams, "frames", 100)

    level_at_source: float = parameter(1.0, "1", "concentration at the source", gt=0, le=100)
    slope_per_mm: float = parameter(0.005, "1/mm", "fall per mm, down to 0", ge=0, le=100)


PRESETS: dict[str, dict[str, Any]] = {"cone": {}}


def concentration_frames(params: Params, seed: int, every: int = 1) -> Iterator[np.ndarray]:
    """True concentration, as the file's image sees it; see _contract.py."""
    x_mm, y_mm = world_of_pixels(view_of(params))
    fallen = params.level_at_source - params.slope_per_mm * np.hypot(x_mm, y_mm)
    yield from still(params, np.maximum(fallen, 0.0).astype(np.float32), every)


def synthesize(
    path: Path, file_format: str, seed: int, parameters: dict[str, Any]
) -> dict[str, Any]:
    """Write one recording; see _contract.py."""
    params = resolve(Params, PRESETS, parameters)
    facts = {
        "generator": "gradient",
        "citation": CITATION,
        "wind": {"speed_mm_s": 0.0, "toward_deg": 0.0},
        "odor_moves": False,
    }
    frames = concentration_frames(params, seed)
    return write_movie(path, file_format, seed, params, frames, facts)
