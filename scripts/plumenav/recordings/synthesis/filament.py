"""The filament plume: puffs of odour carried by a meandering wind, seen by a camera.

Docs: docs/synthesis.md. Two presets: `smooth`, a near-bed dye-like plume in the layout of the
standard PLIF movie, and `complex`, patchy smoke over a textured floor in a compressed video.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import model_validator

from plumenav import world
from plumenav.recordings.synthesis import _puffs
from plumenav.recordings.synthesis._contract import resolve
from plumenav.recordings.synthesis._geometry import file_pixels, grid_of, view_of
from plumenav.recordings.synthesis._movie import write_movie
from plumenav.recordings.synthesis._params import MovieParams, PlumeParams

CITATION = "Farrell et al. 2002, Environmental Fluid Mechanics 2:143-169"

CUT = 2.5  # puffs end at 2.5 radii, where 0.2 % of their centre concentration is left


class Params(PlumeParams, MovieParams):
    """Parameters of a filament plume and of the camera that records it."""

    @model_validator(mode="after")
    def _consistent(self) -> Params:
        if self.largest_radius_mm < self.initial_radius_mm:
            raise ValueError("largest_radius_mm must not be below initial_radius_mm")
        if self.eddy_largest_mm < self.eddy_smallest_mm:
            raise ValueError("eddy_largest_mm must not be below eddy_smallest_mm")
        return self


PRESETS: dict[str, dict[str, Any]] = {
    # every value is the default of Params; how they were found: _calibration.py
    "smooth": {},
    "complex": {
        "frame_rate_hz": 60.0,
        "height_px": 800,
        "width_px": 1088,
        "mm_per_px": 0.2,
        "source_row_px": 400.0,
        "source_column_px": 40.0,
        "wind_toward": "+column",
        "lead_in_frames": 120,
        "spin_up_s": 0.0,
        "wind_mm_s": 150.0,
        "puff_rate_hz": 300.0,
        "release_jitter": 1.0,
        "strength_sd": 0.5,
        "initial_radius_mm": 2.5,
        "outlet_mm": 2.5,
        "growth_law": "inertial",
        "growth_rate": 1.2,
        "growth_sd": 0.3,
        "largest_radius_mm": 30.0,
        "layer_depth_mm": 2.5,
        "meander_mm_s": 50.0,
        "meander_time_s": 0.3,
        "eddy_mm_s": 38.0,
        "eddy_largest_mm": 80.0,
        "eddy_smallest_mm": 10.0,
        "eddy_modes": 48,
        "eddy_unsteadiness": 0.3,
        "diffusivity_mm2_s": 15.0,
        "max_step_s": 1 / 60,
        "gain": 120.0,
        "offset": 65.0,
        "noise_sd": 1.5,
        "coarse_texture_sd": 8.0,
        "fine_texture_sd": 4.0,
    },
}


def puffs_of(params: Params, seed: int, every: int = 1) -> Iterator[_puffs.Puffs]:
    """Puffs alive at each frame, in the world frame.

    Parameters
    ----------
    params : Params
    seed : int
        Seed of the recording.
    every : int
        Only frames 0, every, 2 * every, ... are given; they do not depend on it.

    Yields
    ------
    Puffs
    """
    start_s = params.lead_in_frames / params.frame_rate_hz or -params.spin_up_s
    _, leave_mm, _, _ = world.extent_mm(grid_of(view_of(params)))
    times_s = np.arange(params.frames) / params.frame_rate_hz
    for i, puffs in enumerate(_puffs.trace(params, seed, start_s, times_s, leave_mm, CUT)):
        if i % every == 0:
            yield puffs


def concentration_frames(params: Params, seed: int, every: int = 1) -> Iterator[np.ndarray]:
    """True concentration, as the file's image sees it: what the recording would be without camera.

    Parameters
    ----------
    params : Params
    seed : int
        Seed of the recording.
    every : int
        Only frames 0, every, 2 * every, ... are rendered.

    Yields
    ------
    ndarray, shape (height_px, width_px), float32
        Fraction of the source concentration.
    """
    from plumenav.recordings.synthesis._render import render

    view = view_of(params)
    shape = (params.height_px, params.width_px)
    for puffs in puffs_of(params, seed, every):
        row, column = file_pixels(puffs.x_mm, puffs.y_mm, view)
        radius_px = puffs.radius_mm / params.mm_per_px
        yield render(shape, row, column, radius_px, puffs.concentration, CUT)


def synthesize(
    path: Path, file_format: str, seed: int, parameters: dict[str, Any]
) -> dict[str, Any]:
    """Write one recording; see _contract.py."""
    params = resolve(Params, PRESETS, parameters)
    frames = concentration_frames(params, seed)
    return write_movie(
        path,
        file_format,
        seed,
        params,
        frames,
        {
            "generator": "filament",
            "citation": CITATION,
            "wind": {"speed_mm_s": params.wind_mm_s, "toward_deg": 0.0},
            "odor_moves": True,
        },
    )
