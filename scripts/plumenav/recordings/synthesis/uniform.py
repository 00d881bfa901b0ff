"""The same concentration everywhere: a flat field, to see what a camera and a calibration do to it.

Docs: docs/synthesis.md. For agents the analytic field of the same name is better: no pixels, no
noise, no file.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from plumenav.recordings.synthesis._contract import parameter, resolve
from plumenav.recordings.synthesis._movie import still, write_movie
from plumenav.recordings.synthesis._params import MovieParams, again

CITATION = "none: a calibration target"


class Params(MovieParams):
    """Parameters of a flat field and of the camera that records it."""

    frames: int = again(MovieParams, "frames", 100)

    level: float = parameter(1.0, "1", "concentration", ge=0, le=100)


PRESETS: dict[str, dict[str, Any]] = {"full": {}, "half": {"level": 0.5}, "empty": {"level": 0.0}}


def concentration_frames(params: Params, seed: int, every: int = 1) -> Iterator[np.ndarray]:
    """True concentration, as the file's image sees it; see _contract.py."""
    shape = (params.height_px, params.width_px)
    yield from still(params, np.full(shape, params.level, np.float32), every)


def synthesize(
    path: Path, file_format: str, seed: int, parameters: dict[str, Any]
) -> dict[str, Any]:
    """Write one recording; see _contract.py."""
    params = resolve(Params, PRESETS, parameters)
    facts = {
        "generator": "uniform",
        "citation": CITATION,
        "wind": {"speed_mm_s": 0.0, "toward_deg": 0.0},
        "odor_moves": False,
    }
    frames = concentration_frames(params, seed)
    return write_movie(path, file_format, seed, params, frames, facts)
