"""Small plumes, plans and settings for tests, made when they are needed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from plumenav import registry
from plumenav.config.resolve_agent import resolve_model
from plumenav.models._binding import bound
from plumenav.rng import noise_key
from plumenav.tables import PlumeReader, PlumeWriter

# what a fit of hits to a plume gives; most models do not look at it
DETECTIONS = {
    "detection_rate_hz_scale": np.array(1.5),
    "detection_length_mm": np.array(60.0),
    "detection_drift_per_mm": np.array(0.014),
    "detection_radius_mm": np.array(2.0),
}


def movie_frames(
    n: int = 40, height: int = 24, width: int = 40, noise_sd: float = 0.01, seed: int = 0
) -> np.ndarray:
    """A lopsided meandering plume, concentration, shape (n, height, width)."""
    rng = np.random.default_rng(seed)
    row, column = np.mgrid[:height, :width]
    frames = np.empty((n, height, width))
    for k in range(n):
        centre = 0.6 * height + 0.2 * height * np.sin(column / 9 - 0.4 * k)
        frames[k] = np.exp(-((row - centre) ** 2) / 8) * np.exp(-column / (0.8 * width))
    return frames + rng.normal(0, noise_sd, frames.shape)


def write_movie(
    path: Path,
    frames: np.ndarray | None = None,
    rate_hz: float = 15.0,
    time_s: np.ndarray | None = None,
    dtype: str = "uint16",
    mm_per_px: float = 5.0,
    source: tuple[float, float] = (14.0, 0.0),
    blank: dict[str, int] | None = None,
) -> Path:
    """Write a movie plume."""
    frames = movie_frames() if frames is None else frames
    n, height, width = frames.shape
    time_s = np.arange(n) / rate_hz if time_s is None else time_s
    integer = dtype != "float32"
    steps = 65535 if dtype == "uint16" else 255
    scale, offset = (2.25 / steps, -0.25) if integer else (1.0, 0.0)
    stored = (frames - offset) / scale
    if integer:
        stored = np.clip(np.round(stored), 0, steps)
    with PlumeWriter(path, height, width, dtype, scale, offset) as writer:
        writer.write(time_s, stored.astype(dtype))
        writer.metadata.update(
            plume_metadata(
                height,
                width,
                dtype,
                scale,
                offset,
                mm_per_px,
                source,
                period_s=float(time_s[-1] - time_s[0] + np.median(np.diff(time_s))),
                blank=blank,
            )
        )
    return path


def plume_metadata(
    height: int,
    width: int,
    dtype: str,
    scale: float,
    offset: float,
    mm_per_px: float,
    source: tuple[float, float],
    period_s: float,
    blank: dict[str, int] | None = None,
    kind: str = "movie",
    field: str = "movie",
    constants: dict[str, float] | None = None,
) -> dict[str, Any]:
    """Required metadata of a plume."""
    return {
        "kind": kind,
        "height": height,
        "width": width,
        "dtype": dtype,
        "scale": scale,
        "offset": offset,
        "mm_per_px": mm_per_px,
        "source_row": source[0],
        "source_column": source[1],
        "period_s": period_s,
        "field": field,
        "field_constants": constants or {},
        "blank": blank,
    }


def write_signal(path: Path, odor: np.ndarray, rate_hz: float = 50.0) -> Path:
    """Write a signal plume: an odour time series."""
    with PlumeWriter(path, 1, 1, "float32", 1.0, 0.0) as writer:
        writer.write(np.arange(len(odor)) / rate_hz, odor.astype(np.float32).reshape(-1, 1, 1))
        writer.metadata.update(
            plume_metadata(
                1,
                1,
                "float32",
                1.0,
                0.0,
                1.0,
                (0.0, 0.0),
                len(odor) / rate_hz,
                kind="signal",
                field="signal",
            )
        )
    return path


def write_analytic(path: Path, field: str, **constants: float) -> Path:
    """Write an analytic plume: arena -50..250 mm downwind, -80..80 mm crosswind."""
    with PlumeWriter(path, 160, 300, "float32", 1.0, 0.0) as writer:
        writer.metadata.update(
            plume_metadata(
                160,
                300,
                "float32",
                1.0,
                0.0,
                1.0,
                (79.5, 49.5),
                1e12,
                kind="analytic",
                field=field,
                constants=constants,
            )
        )
    return path


def plan_columns(
    n: int,
    frames: int,
    seed: int = 1,
    x_mm: tuple[float, float] = (60.0, 150.0),
    y_mm: tuple[float, float] = (-30.0, 30.0),
) -> dict[str, np.ndarray]:
    """A plan of n simulations."""
    rng = np.random.default_rng(seed)
    return {
        "simulation": np.arange(n),
        "replicate": np.arange(n),
        "key": np.array([noise_key(seed, i) for i in range(n)], np.uint64),
        "x_mm": rng.uniform(*x_mm, n),
        "y_mm": rng.uniform(*y_mm, n),
        "heading_rad": rng.uniform(0, 2 * np.pi, n),
        "start_frame": rng.integers(0, frames, n).astype(np.int32),
    }


def engine_settings(model: str, **changes: Any) -> dict[str, Any]:
    """Settings of a model with its published parameters and sensor, threshold 0.05."""
    parameters = changes.pop("parameters", {})
    preset = changes.pop("preset", None)
    parameters = resolve_model("", model, preset, parameters, Path())["parameters"]
    module = bound(model, parameters)
    shape = registry.get("sensor", module.SENSOR["shape"])
    settings: dict[str, Any] = {
        "model": model,
        "parameters": parameters,
        "control": "none",
        "sensor": {
            "shape": module.SENSOR["shape"],
            "parameters": shape.Params(**module.SENSOR.get("parameters", {})).model_dump(),
            "interpolation": module.SENSOR["interpolation"],
            "threshold": 0.05,
            "dead_zone": None,
        },
        "prepared": DETECTIONS,
        "dt_s": module.PUBLICATION_DT_S,
        "duration_s": 6.0,
        "success_radius_mm": 15.0,
        "arrival": "stop",
        "boundary": "open",
        "movie_end": "loop",
        "wind_speed_mm_s": 100.0,
        "wind_toward_rad": 0.0,
        "feels_wind": True,
        "record_every": 1,
        "record_variables": False,
    }
    sensor = changes.pop("sensor", {})
    settings["sensor"] = {**settings["sensor"], **sensor}
    return {**settings, **changes}


def one(
    x: float = 100.0, y: float = 0.0, heading: float = np.pi, frame: int = 0, key: int = 1
) -> dict[str, np.ndarray]:
    """A plan of one simulation."""
    return {
        "simulation": np.array([0]),
        "replicate": np.array([0]),
        "key": np.array([key], np.uint64),
        "x_mm": np.array([x]),
        "y_mm": np.array([y]),
        "heading_rad": np.array([heading]),
        "start_frame": np.array([frame], np.int32),
    }


def straight(**changes: Any) -> dict[str, Any]:
    """A walk along the heading at 100 mm/s, steps of 0.1 s."""
    parameters = {"turn_sd_deg": 0.0, "speed_mm_s": 100.0}
    return engine_settings(
        "correlated_random_walk",
        **{"parameters": parameters, "dt_s": 0.1, "duration_s": 1.0, **changes},
    )


def run(
    plume: Path, plan: dict[str, np.ndarray], settings: dict[str, Any], **how: Any
) -> tuple[dict[str, np.ndarray], Any]:
    """Simulate; return recorded columns sorted by (simulation, step), and the simulations."""
    from plumenav.engine.run import Blocks, simulate

    parts: list[dict[str, np.ndarray]] = []
    with PlumeReader(plume) as reader:
        outcome = simulate(
            Blocks(reader, how.pop("budget_mb", 100.0)), plan, settings, parts.append, **how
        )
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.lexsort((columns["step"], columns["simulation"]))
    return {name: column[order] for name, column in columns.items()}, outcome.simulations


MODEL = '''"""A model made for a test."""

import math
from typing import NamedTuple

from plumenav.models._contract import Action, ModelParams

PLUGIN_KIND = "model"
CITATION = "nobody, nowhere, never: made for a test"
FAMILY = "null"
PRESETS = {"only": {}}
PUBLICATION_DT_S = 0.1
SENSOR = {"shape": "point", "interpolation": "nearest", "threshold": None, "dead_zone": None}
NEEDS_WIND = False
BEHAVIOURS = ("walk",)


class Params(ModelParams):
    """None."""


class Constants(NamedTuple):
    unused: float


class State(NamedTuple):
    unused: float


class Noise(NamedTuple):
    u: float


def constants(params, wind_speed_mm_s):
    return Constants(0.0)


def initial_state(c):
    return State(0.0)


def initial_behaviour(c):
    return 0


def mirrored(noise):
    return noise


def step(observation, state, c, noise, dt_s):'''


def add_model(folder: Path, patch: Any, name: str, step: str, **constants: object) -> None:
    """Add a model of one's own for the rest of a test: the body of its step, and constants."""
    patch.setenv("PLUMENAV_CACHE", str(folder / "cache"))
    file = folder / f"{name}.py"
    said = "".join(f"{key} = {value!r}\n" for key, value in constants.items())
    file.write_text(MODEL.replace("BEHAVIOURS =", f"{said}BEHAVIOURS =") + step, encoding="utf-8")
    patch.setattr(registry, "_user_files", {})
    registry.register_file(file)


def observation(**changes: Any) -> Any:
    """What an agent perceives in clean air, in a wind of 100 mm/s downwind."""
    from plumenav.models._contract import Observation

    clean = Observation(0.0, 0.0, 0.0, 0.5, 100.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    return clean._replace(**changes)
