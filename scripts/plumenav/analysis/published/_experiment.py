"""Experiments of publications, run by the engine: plumes made for the purpose, settings, tracks."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from plumenav import registry
from plumenav.engine.outcome import Columns
from plumenav.engine.run import Blocks, simulate
from plumenav.rng import noise_key
from plumenav.tables import PlumeReader, PlumeWriter

SEED = 2018


def signal_plume(path: Path, odor: np.ndarray, rate_hz: float) -> Path:
    """Write a plume that every agent smells alike, wherever it is.

    Parameters
    ----------
    path : Path
    odor : ndarray, shape (n,)
        Concentration of each sample.
    rate_hz : float
        Samples per second.
    """
    with PlumeWriter(path, 1, 1, "float32", 1.0, 0.0) as writer:
        writer.write(np.arange(len(odor)) / rate_hz, odor.astype(np.float32).reshape(-1, 1, 1))
        writer.metadata.update(
            {
                **{"kind": "signal", "field": "signal", "field_constants": {}, "blank": None},
                **{"height": 1, "width": 1, "dtype": "float32", "scale": 1.0, "offset": 0.0},
                **{"mm_per_px": 1.0, "source_row": 0.0, "source_column": 0.0},
                "period_s": len(odor) / rate_hz,
            }
        )
    return path


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


def tracks(plume: Path, plan: Columns, how: dict[str, Any]) -> tuple[Columns, Any]:
    """Simulate agents that all live until the end.

    Returns
    -------
    columns : dict of ndarray, each of shape (agents, steps)
    simulations : pyarrow.Table
        Schema SIMULATIONS.
    """
    parts: list[Columns] = []
    with PlumeReader(plume) as reader:
        outcome = simulate(Blocks(reader), plan, how, parts.append)
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.lexsort((columns["step"], columns["simulation"]))
    n = len(plan["simulation"])
    return {name: column[order].reshape(n, -1) for name, column in columns.items()}, (
        outcome.simulations
    )
