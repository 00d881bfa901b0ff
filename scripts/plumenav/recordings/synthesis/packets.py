"""The packet plume of Jayaram et al. 2022: round packets of odour that drift, scatter and widen.

Docs: docs/synthesis.md. Concentration in the source's own units is the sum over packets of
strength / (pi r**2) * exp(-d**2 / r**2), r**2 = r0**2 + 4 * growth * age.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from plumenav import world
from plumenav.recordings.synthesis._contract import generator, parameter, resolve
from plumenav.recordings.synthesis._geometry import file_pixels, grid_of, view_of
from plumenav.recordings.synthesis._movie import write_movie
from plumenav.recordings.synthesis._params import Direction, MovieParams, again
from plumenav.recordings.synthesis._puffs import Puffs

CITATION = "Jayaram, Kadakia & Emonet 2022, eLife 11:e72415"

CUT = 2.5  # packets end at 2.5 radii, where 0.2 % of their centre concentration is left


class Params(MovieParams):
    """Parameters of a packet plume and of the camera that records it."""

    frames: int = again(MovieParams, "frames", 3000)
    frame_rate_hz: float = again(MovieParams, "frame_rate_hz", 50.0)
    height_px: int = again(MovieParams, "height_px", 180)
    width_px: int = again(MovieParams, "width_px", 300)
    mm_per_px: float = again(MovieParams, "mm_per_px", 1.0)
    source_row_px: float = again(MovieParams, "source_row_px", 90.0)
    source_column_px: float = again(MovieParams, "source_column_px", 20.0)
    wind_toward: Direction = again(MovieParams, "wind_toward", "+column")

    wind_mm_s: float = parameter(150.0, "mm/s", "wind that carries the packets", gt=0, le=1e5)
    packet_rate_hz: float = parameter(
        10.0, "Hz", "packets released per second, at random times", gt=0, le=10_000
    )
    diffusivity_mm2_s: float = parameter(
        1000.0,
        "mm**2/s",
        "of the random walk of each packet, variance 2 D t per axis",
        ge=0,
        le=1e6,
    )
    initial_radius_mm: float = parameter(10.0, "mm", "radius r0 of a packet at release", gt=0)
    growth_mm2_s: float = parameter(
        10.0, "mm**2/s", "growth of a packet: r**2 = r0**2 + 4 * growth * age", ge=0, le=1e6
    )
    strength: float = parameter(
        3827.24, "mm**2", "odour in a packet: its concentration integrated over the plane", gt=0
    )
    unit_concentration: float = parameter(
        12.1825, "1", "concentration in the source's own units that is stored as 1", gt=0
    )
    spin_up_s: float = parameter(
        6.0, "s", "emission before the first frame, without a lead-in only", ge=0, le=3600
    )


PRESETS: dict[str, dict[str, Any]] = {
    # strength / (pi r0**2), a fresh packet's centre, is stored as 1
    "published": {},
    "published_fast": {
        "wind_mm_s": 300.0,
        "packet_rate_hz": 5.0,
        "initial_radius_mm": 5.0,
        "unit_concentration": 48.730,
    },
}


def packets_of(params: Params, seed: int, every: int = 1) -> Iterator[Puffs]:
    """Packets alive at each frame, in the world frame; concentration in the source's own units.

    Yields
    ------
    Puffs
        For frames 0, every, 2 * every, ...
    """
    release, walk = (generator(seed, "packets", name) for name in ("release", "walk"))
    _, leave_mm, _, _ = world.extent_mm(grid_of(view_of(params)))
    dt_s = 1 / params.frame_rate_hz
    # frames before the first one; with a lead-in, emission begins after it
    first = params.lead_in_frames or -math.ceil(params.spin_up_s / dt_s)
    x, y, born = (np.zeros(0) for _ in range(3))
    for i in range(min(first, 0), params.frames):
        now_s = i * dt_s
        if i > first:
            n = release.poisson(params.packet_rate_hz * dt_s)
            fresh = now_s - dt_s * release.random(n)
            x, y = np.append(x, np.zeros(n)), np.append(y, np.zeros(n))
            born = np.append(born, fresh)
            aloft_s = np.minimum(now_s - born, dt_s)
            steps = np.sqrt(2 * params.diffusivity_mm2_s * aloft_s)
            steps = steps * walk.standard_normal((2, len(x)))
            x, y = x + params.wind_mm_s * aloft_s + steps[0], y + steps[1]
        radius = np.sqrt(params.initial_radius_mm**2 + 4 * params.growth_mm2_s * (now_s - born))
        keep = x < leave_mm + CUT * radius
        x, y, born, radius = (a[keep] for a in (x, y, born, radius))
        if i >= 0 and i % every == 0:
            yield Puffs(x, y, radius, params.strength / (math.pi * radius**2), born)


def concentration_frames(params: Params, seed: int, every: int = 1) -> Iterator[np.ndarray]:
    """True concentration, as the file's image sees it; see _contract.py."""
    from plumenav.recordings.synthesis._render import render

    view = view_of(params)
    shape = (params.height_px, params.width_px)
    for packets in packets_of(params, seed, every):
        row, column = file_pixels(packets.x_mm, packets.y_mm, view)
        radius_px = packets.radius_mm / params.mm_per_px
        centre = packets.concentration / params.unit_concentration
        yield render(shape, row, column, radius_px, centre, CUT)


def synthesize(
    path: Path, file_format: str, seed: int, parameters: dict[str, Any]
) -> dict[str, Any]:
    """Write one recording; see _contract.py."""
    params = resolve(Params, PRESETS, parameters)
    facts = {
        "generator": "packets",
        "citation": CITATION,
        "wind": {"speed_mm_s": params.wind_mm_s, "toward_deg": 0.0},
        "odor_moves": True,
        "unit_concentration": params.unit_concentration,
        # what the authors' agents count as odour: concentration 1 in their units
        "published_threshold": 1 / params.unit_concentration,
    }
    frames = concentration_frames(params, seed)
    return write_movie(path, file_format, seed, params, frames, facts)
