"""From true concentration to a finished recording: what all generators share."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from plumenav.errors import UserError
from plumenav.recordings.synthesis._camera import Camera
from plumenav.recordings.synthesis._contract import WHERE
from plumenav.recordings.synthesis._geometry import file_pixels, grid_of, view_of, wind_in_file
from plumenav.recordings.synthesis._params import MovieParams
from plumenav.recordings.synthesis._truth import Truth, centreline
from plumenav.recordings.synthesis._writers import open_writer

log = logging.getLogger(__name__)

LEAST_GAIN = 10.0  # levels: below, rounding would be 5 % of the source concentration
CENTRELINE_STEP_MM = 25.0


def still(params: MovieParams, image: np.ndarray, every: int) -> Iterator[np.ndarray]:
    """The same image in every frame after the lead-in, shape (height_px, width_px), float32."""
    empty = np.zeros_like(image)
    for i in range(0, params.frames, every):
        yield empty if i < params.lead_in_frames else image


def write_movie(
    path: Path,
    file_format: str,
    seed: int,
    params: MovieParams,
    frames: Iterator[np.ndarray],
    facts: dict[str, Any],
) -> dict[str, Any]:
    """Show a plume to the camera, write what it sees, and gather what is true of it.

    Parameters
    ----------
    path : Path
        The file; its ending must belong to the format.
    file_format : str
        A key of _writers.FORMATS.
    seed : int
        Seed of background and noise.
    params : MovieParams
    frames : iterator of ndarray, shape (height_px, width_px), float32
        True concentration, `params.frames` times.
    facts : dict
        What the generator knows: `generator`, `citation`, `wind` {speed_mm_s, toward_deg: from +x,
        counter-clockwise}, `odor_moves`, and more.

    Returns
    -------
    dict
        The recording's truth, JSON-able: facts, parameters, geometry in the file's pixels, noise,
        clipped pixels, statistics.

    Raises
    ------
    UserError
        For a wrong file ending, or a plume that integers cannot show.
    """
    writer = open_writer(path, file_format, params)
    if writer.dtype.kind == "u" and params.gain < LEAST_GAIN:
        raise UserError(
            f"{WHERE}.gain",
            f"concentration 1 would be {params.gain:g} gray levels of {file_format}",
            f"at least {LEAST_GAIN:g}",
            f"This format stores {writer.dtype.name}; hdf5, npy and mat store the numbers as"
            " they are.",
        )
    camera = Camera(params, seed)
    truth = _truth_of(params)
    log.info("synthesizing %d frames of %s", params.frames, path.name)
    with writer:
        for concentration in frames:
            stored = camera.record(concentration, writer.dtype)
            writer.write(stored)
            truth.add(concentration, stored)
    wind = facts["wind"]
    rows_s, columns_s = wind_in_file(wind["speed_mm_s"], wind["toward_deg"], view_of(params))
    n_px = params.frames * params.height_px * params.width_px
    return {
        **facts,
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
        "wind_mm_s": wind["speed_mm_s"],
        "wind_px_s": {"row": rows_s, "column": columns_s},
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


def _truth_of(params: MovieParams) -> Truth:
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
