"""Template of a generator: a steady ribbon of odour. Copy, rename to the generator's name, change.

A generator of your own, outside the package, states `PLUGIN_KIND = "synthesis"` and is listed under
`plugins:` in the config.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from plumenav.recordings.synthesis._contract import parameter, resolve
from plumenav.recordings.synthesis._geometry import view_of, world_of_pixels
from plumenav.recordings.synthesis._movie import still, write_movie
from plumenav.recordings.synthesis._params import MovieParams

PLUGIN_KIND = "synthesis"
CITATION = "none: the simplest plume there is"


class Params(MovieParams):
    """Parameters; those of image, camera and file are inherited."""

    width_mm: float = parameter(10.0, "mm", "standard deviation across the ribbon", gt=0)


PRESETS: dict[str, dict[str, Any]] = {"ribbon": {}}


def concentration_frames(params: Params, seed: int, every: int = 1) -> Iterator[np.ndarray]:
    """True concentration, as the file's image sees it; see _contract.py."""
    x_mm, y_mm = world_of_pixels(view_of(params))
    ribbon = np.exp(-0.5 * (y_mm / params.width_mm) ** 2) * (x_mm >= 0)
    yield from still(params, ribbon.astype(np.float32), every)


def synthesize(
    path: Path, file_format: str, seed: int, parameters: dict[str, Any]
) -> dict[str, Any]:
    """Write one recording and return its truth; see _contract.py."""
    params = resolve(Params, PRESETS, parameters)
    frames = concentration_frames(params, seed)
    facts = {
        "generator": "template",
        "citation": CITATION,
        "wind": {"speed_mm_s": 0.0, "toward_deg": 0.0},
        "odor_moves": False,
    }
    return write_movie(path, file_format, seed, params, frames, facts)
