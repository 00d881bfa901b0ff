"""Reactive models in the engine, beside a loop over agents and arrays over agents.

All three sense in the same movie, draw their noise and record the same columns; the engine uses one
thread. Rates are agent-steps per second, so that the loop may have fewer agents.
"""

from __future__ import annotations

import math
import random
from pathlib import Path
from typing import Any

import numpy as np

from plumenav.performance.benchmark._contract import Judged, Ratio, Scope, Seen, Timed, Variant

MODELS = ("on_off", "walk_stop_turn")
REQUIRED_LOOP, REQUIRED_NUMPY = 80.0, 3.0
# agents of the engine and of arrays, agents of the loop; by `quick`
AGENTS = {False: (2_000, 20), True: (500, 5)}
STEPS = 2_000
FRAMES, HEIGHT, WIDTH, RATE_HZ, MM_PER_PX = 60, 108, 203, 15.0, 1.5
SCALE, OFFSET = 2.25 / 65535, -0.25
SOURCE = (53.5, 0.0)
THRESHOLD = 0.1
RADIUS_MM = 1e-3


def repetitions(quick: bool) -> int:
    """How often each is measured."""
    return 3 if quick else 7


def prepare(scope: Scope) -> list[Variant]:
    """The three ways to run each model."""
    path = scope.folder / "plumes" / "reactive.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_plume(path)
    many, few = AGENTS[scope.quick]
    variants = []
    for model in MODELS:
        for way, agents in (("engine", many), ("numpy", many), ("loop", few)):
            arguments = {"model": model, "plume": str(path), "agents": agents}
            variants.append(Variant(f"{model}.{way}", f"reactive:{way}", arguments))
    return variants


def judge(seen: Seen) -> Judged:
    """How many times the engine's rate is that of the others: of the slower model, and of each."""
    judged: Judged = {}
    for name, way, required in (
        ("engine_vs_python_loop", "loop", REQUIRED_LOOP),
        ("engine_vs_numpy", "numpy", REQUIRED_NUMPY),
    ):
        ratios = [rate(seen, f"{model}.engine") / rate(seen, f"{model}.{way}") for model in MODELS]
        judged[name] = Ratio(np.min(ratios, axis=0), "1", required, "at least")
        for model, ratio in zip(MODELS, ratios, strict=True):
            judged[f"{name}.{model}"] = Ratio(ratio, "1", None, "at least")
    return judged


def rate(seen: Seen, variant: str) -> np.ndarray:
    """Agent-steps per second."""
    return np.asarray(seen.values(variant, "agent_steps") / seen.values(variant))


def write_plume(path: Path) -> None:
    """Write a meandering plume."""
    from plumenav.tables import PlumeWriter

    row, column = np.mgrid[:HEIGHT, :WIDTH]
    frames = np.empty((FRAMES, HEIGHT, WIDTH), np.uint16)
    for k in range(FRAMES):
        centre = SOURCE[0] + 15.0 * np.sin(column / 20.0 - 2.0 * math.pi * k / FRAMES)
        odor = np.exp(-(((row - centre) / 8.0) ** 2) - column / 150.0)
        frames[k] = np.round((odor - OFFSET) / SCALE)
    with PlumeWriter(path, HEIGHT, WIDTH, "uint16", SCALE, OFFSET) as writer:
        writer.write(np.arange(FRAMES) / RATE_HZ, frames)
        writer.metadata.update(
            {
                **{"kind": "movie", "field": "movie", "field_constants": {}, "blank": None},
                **{"height": HEIGHT, "width": WIDTH, "dtype": "uint16"},
                **{"scale": SCALE, "offset": OFFSET, "mm_per_px": MM_PER_PX},
                **{"source_row": SOURCE[0], "source_column": SOURCE[1]},
                "period_s": FRAMES / RATE_HZ,
            }
        )


def plan_of(agents: int) -> dict[str, np.ndarray]:
    """Starts in and beside the plume."""
    from plumenav.rng import noise_key

    rng = np.random.default_rng(1)
    number = np.arange(agents)
    return {
        "simulation": number,
        "replicate": number,
        "key": np.array([noise_key("benchmark", int(i)) for i in number], np.uint64),
        "x_mm": rng.uniform(100.0, 250.0, agents),
        "y_mm": rng.uniform(-50.0, 50.0, agents),
        "heading_rad": rng.uniform(0.0, 2.0 * math.pi, agents),
        "start_frame": rng.integers(0, FRAMES, agents).astype(np.int32),
    }


def settings_of(model: str, steps: int) -> dict[str, Any]:
    """Settings of the engine: published parameters and sensor, wind along +x; never ends."""
    from plumenav import registry

    module = registry.get("model", model)
    shape = registry.get("sensor", module.SENSOR["shape"])
    return {
        "model": model,
        "parameters": module.Params().model_dump(mode="json"),
        "control": "none",
        "sensor": {
            "shape": module.SENSOR["shape"],
            "parameters": shape.Params(**module.SENSOR.get("parameters", {})).model_dump(),
            "interpolation": module.SENSOR["interpolation"],
            **{"threshold": THRESHOLD, "dead_zone": None},
        },
        "prepared": {},
        **{"dt_s": module.PUBLICATION_DT_S, "duration_s": steps * module.PUBLICATION_DT_S},
        **{"success_radius_mm": RADIUS_MM, "arrival": "continue", "boundary": "open"},
        **{"movie_end": "loop", "wind_speed_mm_s": 100.0, "wind_toward_rad": 0.0},
        **{"record_every": 1, "record_variables": False, "feels_wind": True},
    }


def baseline_of(model: str, plume: str) -> tuple[Any, Any, float]:
    """The movie in memory with the model's sensor, the model's constants, and its step."""
    from plumenav import registry
    from plumenav.performance.benchmark import _reactive_baselines as baselines
    from plumenav.tables import PlumeReader

    with PlumeReader(plume) as reader:
        frames = np.concatenate([block.frames for block in reader.blocks()])
    how = settings_of(model, STEPS)
    module = registry.get("model", model)
    sensor = registry.get("sensor", how["sensor"]["shape"])
    return (
        baselines.Plume(
            frames,
            RATE_HZ,
            SCALE,
            OFFSET,
            MM_PER_PX,
            *SOURCE,
            sensor.points(sensor.Params(**how["sensor"]["parameters"])),
            how["sensor"]["interpolation"] == "bilinear",
            THRESHOLD,
            RADIUS_MM,
        ),
        module.constants(module.Params(), how["wind_speed_mm_s"]),
        module.PUBLICATION_DT_S,
    )


# ------------------------------------------------------------------------------------- tasks


def engine(model: str, plume: str, agents: int, steps: int = STEPS) -> Timed:
    """Task: the engine, on one thread; its kernel is compiled and the movie in memory before."""
    from plumenav.engine.outcome import Columns
    from plumenav.engine.run import Blocks, simulate
    from plumenav.tables import PlumeReader

    blocks = Blocks(PlumeReader(plume))
    simulate(blocks, plan_of(2), settings_of(model, FRAMES * 10), list[Columns]().append)
    plan, how = plan_of(agents), settings_of(model, steps)

    def run() -> dict[str, float]:
        parts: list[Columns] = []
        simulate(blocks, plan, how, parts.append)
        return {"agent_steps": float(sum(len(part["step"]) for part in parts))}

    return run


def numpy(model: str, plume: str, agents: int, steps: int = STEPS) -> Timed:
    """Task: arrays over agents."""
    from plumenav.performance.benchmark._reactive_baselines import ARRAYS

    movie, constants, dt_s = baseline_of(model, plume)
    plan = plan_of(agents)
    draws = {"on_off": 4, "walk_stop_turn": 8}[model]

    def run() -> dict[str, float]:
        rng = np.random.default_rng(2)
        rows, _ = ARRAYS[model](
            movie, plan, constants, dt_s, steps, lambda i: rng.random((draws, agents))
        )
        return {"agent_steps": float(rows["x_mm"].size)}

    return run


def loop(model: str, plume: str, agents: int, steps: int = STEPS) -> Timed:
    """Task: a loop over agents in plain Python."""
    from plumenav.performance.benchmark._reactive_baselines import LOOPS

    movie, constants, dt_s = baseline_of(model, plume)
    plan = plan_of(agents)
    starts = [{name: column[i].item() for name, column in plan.items()} for i in range(agents)]
    draws = range({"on_off": 4, "walk_stop_turn": 8}[model])

    def run() -> dict[str, float]:
        rng = random.Random(2)
        rows: list[tuple[Any, ...]] = []
        for start in starts:
            found, _ = LOOPS[model](
                movie, start, constants, dt_s, steps, lambda i: [rng.random() for _ in draws]
            )
            rows += found
        columns = [np.array(column) for column in zip(*rows, strict=True)]
        return {"agent_steps": float(len(columns[0]))}

    return run
