"""Experiments of publications, run by the engine: plumes made for the purpose, settings, tracks."""

from __future__ import annotations

import math
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np

from plumenav import registry
from plumenav.engine.outcome import Columns
from plumenav.engine.run import Blocks, simulate
from plumenav.rng import noise_key
from plumenav.tables import PlumeReader, PlumeWriter

SEED = 2018
WORLD_MM = 1e9  # a pixel that nobody leaves


def write_plume(
    path: Path,
    frames: np.ndarray,
    rate_hz: float,
    mm_per_px: float,
    source: tuple[float, float],
    scale: float = 1.0,
) -> Path:
    """Write a movie of stored numbers, as the engine has them from most recordings.

    16 bits: the kernel for them is the one that a run compiles for its own plumes.

    Parameters
    ----------
    path : Path
    frames : ndarray, shape (n, height, width)
        Whole numbers from 0 to 65535; concentration is `scale` times them.
    rate_hz : float
        Frames per second.
    mm_per_px : float
    source : tuple of float
        Its row and column.
    scale : float
    """
    n, height, width = frames.shape
    with PlumeWriter(path, height, width, "uint16", scale, 0.0) as writer:
        writer.write(np.arange(n) / rate_hz, frames.astype(np.uint16))
        writer.metadata.update(
            {
                **{"kind": "movie", "field": "movie", "field_constants": {}, "blank": None},
                **{"height": height, "width": width, "dtype": "uint16"},
                **{"scale": scale, "offset": 0.0, "mm_per_px": mm_per_px},
                **{"source_row": source[0], "source_column": source[1]},
                "period_s": n / rate_hz,
            }
        )
    return path


def same_everywhere(path: Path, odor: np.ndarray, rate_hz: float) -> Path:
    """Write a plume that every agent smells alike: one pixel that is the world, 0 or 1.

    Parameters
    ----------
    path : Path
    odor : ndarray, shape (n,)
        Each sample: 0 or 1.
    rate_hz : float
        Samples per second.
    """
    return write_plume(path, odor.reshape(-1, 1, 1), rate_hz, WORLD_MM, (0.0, 0.0))


def starts(n: int, x_mm: tuple[float, float], y_mm: tuple[float, float]) -> Columns:
    """Plan of n agents, anywhere in a rectangle, any heading, from the first frame."""
    rng = np.random.Generator(np.random.Philox(key=noise_key(SEED, "starts", n)))
    number = np.arange(n)
    return {
        "simulation": number,
        "replicate": number,
        "key": np.array([noise_key(SEED, int(i)) for i in number], np.uint64),
        "x_mm": rng.uniform(*x_mm, n),
        "y_mm": rng.uniform(*y_mm, n),
        "heading_rad": rng.uniform(0.0, 2.0 * math.pi, n),
        "start_frame": np.zeros(n, np.int32),
    }


def settings(model: str, preset: str, dt_s: float, duration_s: float, **changes: Any) -> Any:
    """Settings of the engine for a published preset: a point that reads, in wind along +x."""
    plugin = registry.get("model", model)
    return {
        "model": model,
        "parameters": plugin.Params(**plugin.PRESETS[preset]).model_dump(mode="json"),
        "control": "none",
        "sensor": {
            **{"shape": "point", "parameters": {}, "interpolation": "nearest"},
            **{"threshold": 0.5, "dead_zone": None},
        },
        "prepared": {},
        **{"dt_s": dt_s, "duration_s": duration_s},
        **{"success_radius_mm": 1.0, "arrival": "stop", "boundary": "open", "movie_end": "hold"},
        **{"wind_speed_mm_s": 100.0, "wind_toward_rad": 0.0, "feels_wind": True},
        **{"record_every": 1, "record_variables": False},
        **changes,
    }


def tracks(
    plume: Path,
    plan: Columns,
    how: dict[str, Any],
    wanted: Collection[str] = ("x_mm", "y_mm", "heading_rad", "state"),
) -> tuple[Columns, Any]:
    """Simulate agents that all live until the end.

    Parameters
    ----------
    plume : Path
    plan : dict of ndarray
    how : dict
        Engine settings.
    wanted : collection of str
        Columns that are kept.

    Returns
    -------
    columns : dict of ndarray, each of shape (agents, steps recorded)
    simulations : pyarrow.Table
        Schema SIMULATIONS.
    """
    n, every = len(plan["simulation"]), how["record_every"]
    shape = (n, -(-round(how["duration_s"] / how["dt_s"]) // every))
    columns: Columns = {}

    def keep(part: Columns) -> None:
        place = part["simulation"] * shape[1] + part["step"] // every
        for name in wanted:
            if name not in columns:
                columns[name] = np.empty(shape, part[name].dtype)
            columns[name].reshape(-1)[place] = part[name]

    with PlumeReader(plume) as reader:
        outcome = simulate(Blocks(reader), plan, how, keep)
    return columns, outcome.simulations
