"""A Gaussian plume whose centreline meanders with the wind, or stands still.

Docs: docs/synthesis.md. Odour leaves a point, spreads across the wind by diffusion and is carried
by air whose crosswind velocity is the same everywhere at one time (Gifford's fluctuating plume).
What the camera sees moves exactly with that air, so the wind can be measured from it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from plumenav.recordings.synthesis._contract import generator, parameter, resolve
from plumenav.recordings.synthesis._geometry import view_of, world_of_pixels
from plumenav.recordings.synthesis._movie import write_movie
from plumenav.recordings.synthesis._params import MovieParams
from plumenav.recordings.synthesis._puffs import Meander

CITATION = "Gifford 1959, Advances in Geophysics 6:117-137"

STEPS_PER_TIME_CONSTANT = 25  # of meander and strength, which are linear in between

SLACK_S = 1e-9  # against rounding


class Params(MovieParams):
    """Parameters of a Gaussian plume and of the camera that records it."""

    wind_mm_s: float = parameter(100.0, "mm/s", "mean wind", gt=0, le=1e5)
    source_concentration: float = parameter(
        1.0, "1", "mean concentration on the centreline at the source", gt=0, le=100
    )
    initial_sd_mm: float = parameter(
        4.0, "mm", "standard deviation across the plume at the source", gt=0, le=1e4
    )
    diffusivity_mm2_s: float = parameter(
        60.0,
        "mm**2/s",
        "growth across the wind: sd**2 = initial_sd**2 + 2 D x / wind",
        ge=0,
        le=1e6,
    )
    meander_mm_s: float = parameter(
        15.0, "mm/s", "standard deviation of the crosswind velocity of the air", ge=0, le=1e5
    )
    meander_time_s: float = parameter(0.5, "s", "time constant of the meander", gt=0, le=1e4)
    strength_sd: float = parameter(
        0.4, "1", "standard deviation of the logarithm of the source's strength", ge=0, le=3
    )
    strength_time_s: float = parameter(0.1, "s", "time constant of the strength", gt=0, le=1e4)


PRESETS: dict[str, dict[str, Any]] = {
    "meandering": {},
    "static": {"meander_mm_s": 0.0, "strength_sd": 0.0},
}


class _History:
    """A smooth random process from the first release that is in the picture until the last frame.

    Attributes
    ----------
    time_s, value, integral : ndarray, shape (n,)
    """

    def __init__(
        self, sd: float, time_s: float, span_s: tuple[float, float], random: np.random.Generator
    ) -> None:
        process = Meander(sd, time_s, random)
        dt_s = time_s / STEPS_PER_TIME_CONSTANT
        n = math.ceil((span_s[1] - span_s[0]) / dt_s) + 2
        self.time_s = span_s[0] + dt_s * np.arange(n)
        self.value = np.array([process.state[0], *(process.step(dt_s) for _ in range(n - 1))])
        means = 0.5 * (self.value[1:] + self.value[:-1])
        self.integral = np.concatenate([[0.0], np.cumsum(means * dt_s)])


def concentration_frames(params: Params, seed: int, every: int = 1) -> Iterator[np.ndarray]:
    """True concentration, as the file's image sees it; see _contract.py.

    The air at x left the source at `t - x / wind` and has since been carried sideways by the
    integral of the crosswind velocity.
    """
    x_mm, y_mm = world_of_pixels(view_of(params))
    age_s = x_mm / params.wind_mm_s
    last_s = (params.frames - 1) / params.frame_rate_hz
    span_s = (-max(float(age_s.max()), 0.0), last_s)
    streams = (generator(seed, "gaussian", name) for name in ("meander", "strength"))
    meander = _History(params.meander_mm_s, params.meander_time_s, span_s, next(streams))
    strength = _History(params.strength_sd, params.strength_time_s, span_s, next(streams))
    factor = np.exp(strength.value - params.strength_sd**2 / 2)
    downwind = age_s >= 0
    variance = params.initial_sd_mm**2 + 2 * params.diffusivity_mm2_s * np.maximum(age_s, 0.0)
    # what flows through a line across the plume is the same at every x
    centre = params.source_concentration * params.initial_sd_mm / np.sqrt(variance)
    start_s = params.lead_in_frames / params.frame_rate_hz
    for i in range(0, params.frames, every):
        now_s = i / params.frame_rate_hz
        released_s = now_s - age_s
        here = downwind & (released_s >= start_s - SLACK_S) if params.lead_in_frames else downwind
        moved_mm = np.interp(now_s, meander.time_s, meander.integral) - np.interp(
            released_s, meander.time_s, meander.integral
        )
        strong = np.interp(released_s, strength.time_s, factor)
        image = centre * strong * np.exp(-((y_mm - moved_mm) ** 2) / (2 * variance))
        yield np.where(here, image, 0.0).astype(np.float32)


def synthesize(
    path: Path, file_format: str, seed: int, parameters: dict[str, Any]
) -> dict[str, Any]:
    """Write one recording; see _contract.py."""
    params = resolve(Params, PRESETS, parameters)
    moves = params.meander_mm_s > 0 or params.strength_sd > 0 or params.lead_in_frames > 0
    facts = {
        "generator": "gaussian",
        "citation": CITATION,
        "wind": {"speed_mm_s": params.wind_mm_s, "toward_deg": 0.0},
        # in a steady plume nothing moves that a camera could see, though the air does
        "odor_moves": moves,
    }
    frames = concentration_frames(params, seed)
    return write_movie(path, file_format, seed, params, frames, facts)
