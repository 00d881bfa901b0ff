"""Walks of the null models and of the gradient followers, against theory.

Mean squared displacement and persistence of the two random walks, drift of run and tumble up a
weak gradient, and climbing a smooth hill of odour, where every gradient follower must arrive.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from plumenav import registry
from plumenav.analysis.published import _experiment as experiment
from plumenav.analysis.published._contract import Measurement
from plumenav.engine.outcome import Columns, Outcome
from plumenav.engine.run import Blocks, simulate
from plumenav.rng import noise_key
from plumenav.tables import PlumeReader, PlumeWriter

SEED = 20260101
MSD_TIMES_S = (1.0, 2.0, 5.0, 10.0, 20.0, 60.0)
# persistence is the decay of the mean cosine of turns within lags of about one persistence time
LAG_S = 5.0
# by when the walk has forgotten its first direction: exp(-40 / 5.27) = 0.0005
FORGOTTEN_S = 40.0
CLIMBERS = ("tropotaxis", "klinotaxis", "run_and_tumble")
# a gradient so far from its top that its direction is the same for all who walk in it
FAR_MM = 1.0e5
SLOPE_PER_MM = 0.01


HILL_PX, HILL_SIGMA_MM, HILL_SCALE = 320, 50.0, 1.0 / 65535.0


def hill(path: Path) -> Path:
    """Write a smooth hill of odour around the source, of 320 x 320 mm, 1 at its top."""
    mm = np.arange(HILL_PX) - (HILL_PX - 1) / 2.0
    level = np.exp(-(mm[:, None] ** 2 + mm**2) / (2.0 * HILL_SIGMA_MM**2))
    source = ((HILL_PX - 1) / 2.0, (HILL_PX - 1) / 2.0)
    stored = np.rint(level / HILL_SCALE)[None]
    return experiment.write_plume(path, stored, 1.0, 1.0, source, HILL_SCALE)


def slope(path: Path) -> Path:
    """Write a weak gradient, 1 pixel of which is a metre."""
    with PlumeWriter(path, 320, 320, "float32", 1.0, 0.0) as writer:
        constants = {"level_at_source": 2.0 * SLOPE_PER_MM * FAR_MM, "slope_per_mm": SLOPE_PER_MM}
        writer.metadata.update(
            {
                **{"kind": "analytic", "field": "gradient", "field_constants": constants},
                **{"height": 320, "width": 320, "dtype": "float32", "scale": 1.0, "offset": 0.0},
                **{"mm_per_px": 1000.0, "source_row": 159.5, "source_column": 159.5},
                **{"period_s": 1.0e12, "blank": None},
            }
        )
    return path


def settings_of(model: str, duration_s: float, **changes: Any) -> dict[str, Any]:
    """Settings of a model with its own sensor and step, in still air.

    Parameters
    ----------
    model : str
    duration_s : float
    **changes
        Parameters of the model, and `every_s`: how often to record.
    """
    module = registry.get("model", model)
    dt_s = module.PUBLICATION_DT_S
    every_s = changes.pop("every_s", dt_s)
    shape = registry.get("sensor", module.SENSOR["shape"])
    return {
        **experiment.settings(model, next(iter(module.PRESETS)), dt_s, duration_s),
        "parameters": module.Params(**changes).model_dump(mode="json"),
        "sensor": {
            "shape": module.SENSOR["shape"],
            "parameters": shape.Params(**module.SENSOR.get("parameters", {})).model_dump(),
            "interpolation": "bilinear",
            "threshold": 0.05,
            "dead_zone": None,
        },
        **{"success_radius_mm": 15.0, "wind_speed_mm_s": 0.0},
        "record_every": max(1, round(every_s / dt_s)),
    }


def starts(n: int, x_mm: Any, y_mm: Any, heading_rad: Any) -> Columns:
    """A plan of n simulations; places and headings are numbers or arrays of n."""
    return {
        "simulation": np.arange(n),
        "replicate": np.arange(n),
        "key": np.array([noise_key(SEED, i) for i in range(n)], np.uint64),
        "x_mm": np.full(n, x_mm, float),
        "y_mm": np.full(n, y_mm, float),
        "heading_rad": np.full(n, heading_rad, float),
        "start_frame": np.zeros(n, np.int32),
    }


def outcome(plume: Path, plan: Columns, settings: dict[str, Any]) -> Outcome:
    """How simulations ended, without their tracks."""
    with PlumeReader(plume) as reader:
        return simulate(Blocks(reader, 100.0), plan, settings)


def mean_of(key: str, values: np.ndarray) -> Measurement:
    """Mean of independent values, with its standard error."""
    n = len(values)
    return Measurement(key, float(values.mean()), float(values.std(ddof=1) / math.sqrt(n)), n)


def decay_rate(key: str, mean_cosine: np.ndarray, lag_s: float) -> Measurement:
    """Rate at which the heading's mean cosine decays, from the mean of each agent's cosines."""
    n, mean = len(mean_cosine), float(mean_cosine.mean())
    error = float(mean_cosine.std(ddof=1)) / math.sqrt(n)
    return Measurement(key, -math.log(mean) / lag_s, error / mean / lag_s, n)


def displacement(air: Path, model: str, n: int = 4000) -> list[Measurement]:
    """Mean squared displacement of a random walk, mm^2, at several times.

    Where the step does not fit into a second (1/89.94 s), rows come at the nearest step: each
    second is 90 of them, 1.0007 s.
    """
    settings = settings_of(model, MSD_TIMES_S[-1] + 1.0, every_s=1.0)
    places = starts(n, FAR_MM, 0.0, 0.0)
    rows = experiment.tracks(air, places, settings, ("x_mm", "y_mm"))[0]
    squared = (rows["x_mm"] - FAR_MM) ** 2 + rows["y_mm"] ** 2
    # rows are whole steps: their own time, which may differ from a second by half a step
    every_s = settings["record_every"] * settings["dt_s"]
    return [mean_of(f"{model}.msd.{t:g}s", squared[:, round(t / every_s)]) for t in MSD_TIMES_S]


def turns(air: Path, n: int = 200, duration_s: float = 100.0) -> list[Measurement]:
    """Rate and size of the Poisson turner's turns, without the drift between them."""
    settings = settings_of("poisson_turner", duration_s, drift_sd_deg=0.0)
    places = starts(n, FAR_MM, 0.0, 0.0)
    heading = experiment.tracks(air, places, settings, ("heading_rad",))[0]["heading_rad"]
    change = np.diff(heading)
    turned = change != 0.0
    return [
        mean_of("poisson_turner.turn_hz", turned.mean(axis=1) / settings["dt_s"]),
        mean_of("poisson_turner.turn_deg", np.degrees(np.abs(change[turned]))),
    ]


def persistence(air: Path, n: int = 4000) -> list[Measurement]:
    """Persistence of the Poisson turner: of its heading in lags, and of its way since the start.

    The length is the mean way in the direction of the start, long after it is forgotten, and once
    more, more precisely, speed over rate.
    """
    settings = settings_of("poisson_turner", FORGOTTEN_S + 1.0, every_s=LAG_S, drift_sd_deg=0.0)
    places = starts(n, FAR_MM, 0.0, 0.0)
    rows = experiment.tracks(air, places, settings, ("x_mm", "heading_rad"))[0]
    lag_s = settings["record_every"] * settings["dt_s"]
    cosines = np.cos(np.diff(rows["heading_rad"])).mean(axis=1)
    rate = decay_rate("poisson_turner.persistence_hz", cosines, lag_s)
    assert rate.standard_error is not None
    time_s = 1.0 / rate.ours
    time_error_s = time_s**2 * rate.standard_error
    speed = settings["parameters"]["speed_mm_s"]
    return [
        rate,
        Measurement("poisson_turner.persistence_s", time_s, time_error_s, rate.n),
        mean_of("poisson_turner.persistence_mm", rows["x_mm"][:, -1] - FAR_MM),
        Measurement(
            "poisson_turner.persistence_mm_from_rate", speed * time_s, speed * time_error_s, rate.n
        ),
    ]


def upwind_drift(folder: Path, n: int = 2000, duration_s: float = 52.0) -> list[Measurement]:
    """Speed of run and tumble up a weak gradient, mm/s, for two lengths of its memory.

    Linear response: with lambda = lambda0 (1 - chi D), D the change of odour filtered by tau, an
    agent of speed v on a slope k drifts at chi k v^2 / (2 (1 + lambda0 tau)).
    """
    plume = slope(folder / "slope.parquet")
    heading = np.random.default_rng(SEED).uniform(0.0, 2.0 * math.pi, n)
    found = []
    for tau_s in (0.1, 1.0):
        settings = settings_of(
            "run_and_tumble",
            duration_s,
            response="exponential",
            chi_s=3.0,
            tau_s=tau_s,
            every_s=1.0,
        )
        places = starts(n, FAR_MM, 0.0, heading)
        x = experiment.tracks(plume, places, settings, ("x_mm",))[0]["x_mm"]
        # after 10 s headings and memory no longer show how they began
        speed = (x[:, 10] - x[:, 50]) / 40.0
        found.append(mean_of(f"run_and_tumble.drift.tau_{tau_s:g}s", speed))
    return found


def climbing(
    folder: Path, models: Iterable[str], n: int = 200, duration_s: float = 120.0
) -> list[Measurement]:
    """Success in a static noiseless hill (sigma 50 mm), from 60 to 100 mm, any heading."""
    plume = hill(folder / "hill.parquet")
    rng = np.random.default_rng(SEED)
    distance, angle = rng.uniform(60.0, 100.0, n), rng.uniform(0.0, 2.0 * math.pi, n)
    plan = starts(
        n,
        distance * np.cos(angle),
        distance * np.sin(angle),
        rng.uniform(0.0, 2.0 * math.pi, n),
    )
    found = []
    for model in models:
        ended = outcome(plume, plan, settings_of(model, duration_s)).simulations
        arrived = np.array(ended.column("success"), float)
        found.append(mean_of(f"{model}.hill.success", arrived))
    return found


def measurements(folder: Path, models: Collection[str]) -> list[Measurement]:
    """Measure all walks of some models.

    Parameters
    ----------
    folder : Path
        An empty directory for scratch files.
    models : collection of str
    """
    air = experiment.same_everywhere(folder / "air.parquet", np.zeros(2), 1.0)
    found = climbing(folder, [model for model in CLIMBERS if model in models])
    if "correlated_random_walk" in models:
        found += displacement(air, "correlated_random_walk")
    if "poisson_turner" in models:
        found += [*displacement(air, "poisson_turner"), *turns(air), *persistence(air)]
    if "run_and_tumble" in models:
        found += upwind_drift(folder)
    return found
