"""The filament plume: puffs of odour carried by a meandering wind, seen by a camera.

Docs: docs/synthesis.md. Two presets: `smooth`, a near-bed dye-like plume in the layout of the
standard PLIF movie, and `complex`, patchy smoke over a textured floor in a compressed video.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import model_validator

from plumenav import world
from plumenav.errors import UserError
from plumenav.recordings.synthesis import _puffs
from plumenav.recordings.synthesis._camera import Camera
from plumenav.recordings.synthesis._contract import WHERE, resolve
from plumenav.recordings.synthesis._geometry import View, file_pixels, grid_of
from plumenav.recordings.synthesis._params import CameraParams, FileParams, PlumeParams
from plumenav.recordings.synthesis._truth import Truth, centreline
from plumenav.recordings.synthesis._writers import open_writer

CITATION = "Farrell et al. 2002, Environmental Fluid Mechanics 2:143-169"

log = logging.getLogger(__name__)

CUT = 2.5  # puffs end at 2.5 radii, where 0.2 % of their centre concentration is left
LEAST_GAIN = 10.0  # gray levels: below, 8-bit rounding would be 5 % of the source concentration
CENTRELINE_STEP_MM = 25.0


class Params(PlumeParams, CameraParams, FileParams):
    """Parameters of a filament plume and of the camera that records it."""

    @model_validator(mode="after")
    def _consistent(self) -> Params:
        if self.largest_radius_mm < self.initial_radius_mm:
            raise ValueError("largest_radius_mm must not be below initial_radius_mm")
        if self.eddy_largest_mm < self.eddy_smallest_mm:
            raise ValueError("eddy_largest_mm must not be below eddy_smallest_mm")
        if self.lead_in_frames >= self.frames:
            raise ValueError("lead_in_frames must be fewer than frames")
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


def view_of(params: Params) -> View:
    """How the file's image looks at the world."""
    return View(
        params.height_px,
        params.width_px,
        params.mm_per_px,
        params.source_row_px,
        params.source_column_px,
        params.wind_toward,
        params.mirrored,
    )


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
    """Write one recording.

    Parameters
    ----------
    path : Path
        The file; its ending must belong to the format.
    file_format : {"hdf5", "mjpeg_avi"}
        float32 data set, or gray JPEG frames in an AVI file.
    seed : int
        Seed of plume, background and noise.
    parameters : dict
        Fields of Params, and `preset`.

    Returns
    -------
    dict
        The recording's truth, JSON-able: parameters, geometry in the file's pixels, noise, clipped
        pixels, statistics. The same for the same arguments.

    Raises
    ------
    UserError
        For wrong parameters, a wrong file ending, or a plume that 8-bit video cannot show.
    """
    params = resolve(Params, PRESETS, parameters)
    writer = open_writer(path, file_format, params)
    eight_bit = writer.dtype == np.uint8
    if eight_bit and params.gain < LEAST_GAIN:
        raise UserError(
            f"{WHERE}.gain",
            f"concentration 1 would be {params.gain:g} gray levels of {file_format}",
            f"at least {LEAST_GAIN:g}",
            "The preset smooth is made for the format hdf5, the preset complex for mjpeg_avi.",
        )
    camera = Camera(params, seed)
    record = camera.record_uint8 if eight_bit else camera.record_float32
    truth = _truth_of(params)
    log.info("synthesizing %d frames of %s", params.frames, path.name)
    with writer:
        for concentration in concentration_frames(params, seed):
            stored = record(concentration)
            writer.write(stored)
            truth.add(concentration, stored)
    n_px = params.frames * params.height_px * params.width_px
    return {
        "generator": "filament",
        "citation": CITATION,
        "seed": seed,
        "format": file_format,
        "dtype": writer.dtype.name,
        "parameters": params.model_dump(),
        "frames": params.frames,
        "frame_rate_hz": params.frame_rate_hz,
        "duration_s": params.frames / params.frame_rate_hz,
        "height_px": params.height_px,
        "width_px": params.width_px,
        "mm_per_px": params.mm_per_px,
        "source_px": {"row": params.source_row_px, "column": params.source_column_px},
        "wind_toward": params.wind_toward,
        "mirrored": params.mirrored,
        "wind_mm_s": params.wind_mm_s,
        "lead_in_frames": params.lead_in_frames,
        "gain": params.gain,
        "noise_sd": params.noise_sd,
        "noise_sd_concentration": params.noise_sd / params.gain,
        "background": {
            "mean": float(camera.background.mean(dtype=np.float64)),
            "min": float(camera.background.min()),
            "max": float(camera.background.max()),
        },
        "clipped_px": camera.clipped_px,
        "clipped_fraction": camera.clipped_px / n_px,
        **truth.facts(clean_limit=max(0.25 * params.noise_sd / params.gain, 1e-6)),
    }


def _truth_of(params: Params) -> Truth:
    """Gatherer of statistics: pixels on the centreline, and what counts as odour there."""
    view = view_of(params)
    x_mm = np.array(centreline(grid_of(view), CENTRELINE_STEP_MM))
    row, column = file_pixels(x_mm, np.zeros_like(x_mm), view)
    pixels = [
        (float(x), int(r), int(c))
        for x, r, c in zip(x_mm, np.rint(row), np.rint(column), strict=True)
        if 0 <= r < params.height_px and 0 <= c < params.width_px
    ]
    # five standard deviations of the mean of 2 x 2 pixels
    whiff = 5 * params.noise_sd / params.gain / 2
    shape = (params.height_px, params.width_px)
    return Truth(params.frames, params.lead_in_frames, shape, whiff, pixels)
