"""Blobs that move with exactly known velocity: a target for wind estimates and geometry.

Docs: docs/synthesis.md. Round Gaussian blobs of fixed size cross the image in a straight line, at
any angle; what leaves on one side comes back on the other, outside the picture.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from plumenav.recordings.synthesis._contract import generator, parameter, resolve
from plumenav.recordings.synthesis._geometry import View, view_of, wind_in_file
from plumenav.recordings.synthesis._movie import write_movie
from plumenav.recordings.synthesis._params import Direction, MovieParams, again
from plumenav.recordings.synthesis._puffs import lognormal

CITATION = "none: a calibration target"

CUT = 4.0  # radii; 1e-7 of the centre is left there


class Params(MovieParams):
    """Parameters of moving blobs and of the camera that records them."""

    frames: int = again(MovieParams, "frames", 300)
    frame_rate_hz: float = again(MovieParams, "frame_rate_hz", 60.0)
    height_px: int = again(MovieParams, "height_px", 200)
    width_px: int = again(MovieParams, "width_px", 300)
    mm_per_px: float = again(MovieParams, "mm_per_px", 1.0)
    source_row_px: float = again(MovieParams, "source_row_px", 100.0)
    source_column_px: float = again(MovieParams, "source_column_px", 20.0)
    wind_toward: Direction = again(MovieParams, "wind_toward", "+column")

    wind_mm_s: float = parameter(100.0, "mm/s", "speed of all blobs", ge=0, le=1e5)
    wind_deg: float = parameter(
        0.0, "deg", "direction they move to, counter-clockwise from downwind", ge=-360, le=360
    )
    blobs: int = parameter(40, "1", "number of blobs", ge=1, le=10_000)
    radius_mm: float = parameter(10.0, "mm", "distance at which a blob falls to 1/e", gt=0, le=1e4)
    amplitude: float = parameter(0.5, "1", "mean concentration at a blob's centre", gt=0, le=100)
    amplitude_sd: float = parameter(
        0.4, "1", "standard deviation of the logarithm of a blob's concentration", ge=0, le=3
    )
    at_source: bool = parameter(
        False, "1", "true: the first blob is at the source in the first frame after the lead-in"
    )


PRESETS: dict[str, dict[str, Any]] = {
    "field": {},
    "slanted": {"wind_deg": 25.0},
    "single": {"blobs": 1, "amplitude": 1.0, "amplitude_sd": 0.0, "at_source": True},
}


def _span(view: View, params: Params) -> np.ndarray:
    """Height and width in pixels of the region that blobs go around in: the image and a margin."""
    margin = 2 * CUT * params.radius_mm / params.mm_per_px
    return np.array([view.height_px + margin, view.width_px + margin])


def centres_px(params: Params, seed: int, frame: int) -> np.ndarray:
    """Rows and columns in the file of all blobs in one frame, shape (2, blobs)."""
    view = view_of(params)
    span = _span(view, params)
    start = span[:, None] * generator(seed, "blob", "place").random((2, params.blobs))
    low = -CUT * params.radius_mm / params.mm_per_px - 0.5
    if params.at_source:
        start[:, 0] = view.source_row_px - low, view.source_column_px - low
    velocity = np.array(wind_in_file(params.wind_mm_s, params.wind_deg, view))
    elapsed_s = (frame - params.lead_in_frames) / params.frame_rate_hz
    moved = (start + velocity[:, None] * elapsed_s) % span[:, None]
    return np.asarray(low + moved)


def concentration_frames(params: Params, seed: int, every: int = 1) -> Iterator[np.ndarray]:
    """True concentration, as the file's image sees it; see _contract.py."""
    from plumenav.recordings.synthesis._render import render

    shape = (params.height_px, params.width_px)
    strength = lognormal(params.amplitude_sd, params.blobs, generator(seed, "blob", "amplitude"))
    radius_px = np.full(params.blobs, params.radius_mm / params.mm_per_px)
    for i in range(0, params.frames, every):
        if i < params.lead_in_frames:
            yield np.zeros(shape, np.float32)
            continue
        row, column = centres_px(params, seed, i)
        yield render(shape, row, column, radius_px, params.amplitude * strength, CUT)


def synthesize(
    path: Path, file_format: str, seed: int, parameters: dict[str, Any]
) -> dict[str, Any]:
    """Write one recording; see _contract.py."""
    params = resolve(Params, PRESETS, parameters)
    facts = {
        "generator": "blob",
        "citation": CITATION,
        "wind": {"speed_mm_s": params.wind_mm_s, "toward_deg": params.wind_deg},
        "odor_moves": params.wind_mm_s > 0,
    }
    frames = concentration_frames(params, seed)
    return write_movie(path, file_format, seed, params, frames, facts)
