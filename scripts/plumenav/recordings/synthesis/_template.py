"""Template of a generator: a steady ribbon of odour. Copy, rename to the generator's name, change.

A generator of your own, outside the package, states `PLUGIN_KIND = "synthesis"` and is listed under
`plugins:` in the config.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from plumenav import world
from plumenav.recordings.synthesis._contract import generator, parameter, resolve
from plumenav.recordings.synthesis._geometry import View, grid_of
from plumenav.recordings.synthesis._params import FileParams
from plumenav.recordings.synthesis._writers import open_writer

PLUGIN_KIND = "synthesis"
CITATION = "none: the simplest plume there is"


class Params(FileParams):
    """Parameters; those of image and file are inherited."""

    width_mm: float = parameter(10.0, "mm", "standard deviation across the ribbon", gt=0)
    gain: float = parameter(1.0, "levels", "stored number of concentration 1", gt=0)
    noise_sd: float = parameter(0.004, "levels", "sensor noise", ge=0)


PRESETS: dict[str, dict[str, Any]] = {"ribbon": {}}


def ribbon(params: Params) -> np.ndarray:
    """Concentration in the file's own orientation, shape (height_px, width_px), float32."""
    view = View(
        params.height_px,
        params.width_px,
        params.mm_per_px,
        params.source_row_px,
        params.source_column_px,
        params.wind_toward,
        params.mirrored,
    )
    grid = grid_of(view)
    y_mm = np.array([world.y_of_row(row, grid) for row in range(grid.height)])
    x_mm = np.array([world.x_of_column(column, grid) for column in range(grid.width)])
    across = np.exp(-0.5 * (y_mm / params.width_mm) ** 2)
    image = np.multiply.outer(across, (x_mm >= 0).astype(float)).astype(np.float32)
    # back from wind towards +column to the file's orientation
    image = np.rot90(image, -world.QUARTER_TURNS[params.wind_toward])
    return np.asarray(image[:, ::-1] if params.mirrored else image)


def synthesize(
    path: Path, file_format: str, seed: int, parameters: dict[str, Any]
) -> dict[str, Any]:
    """Write one recording and return its truth; see _contract.py."""
    params = resolve(Params, PRESETS, parameters)
    noise = generator(seed, "template", "noise")
    image = params.gain * ribbon(params)
    writer = open_writer(path, file_format, params)
    with writer:
        for _ in range(params.frames):
            frame = image + params.noise_sd * noise.standard_normal(image.shape)
            if writer.dtype == np.uint8:
                frame = np.clip(np.rint(frame), 0, 255)
            writer.write(frame.astype(writer.dtype))
    return {"generator": "template", "seed": seed, "parameters": params.model_dump()}
