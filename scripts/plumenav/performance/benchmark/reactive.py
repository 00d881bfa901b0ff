"""Reactive models in the engine, beside three textbook programs and a roofline.

The textbook programs are a loop over agents in plain Python, arrays over agents in NumPy, and a
plain numba loop; the roofline draws, gathers and writes what the engine does, and decides nothing.
All sense in the same movie, draw their noise and record the same columns, for as many steps; all
use one thread. Rates are agent-steps per CPU-second, so that the Python loop may have fewer agents.
"""

from __future__ import annotations

import math
import random
from pathlib import Path
from typing import Any

import numpy as np

from plumenav.performance.benchmark._contract import Judged, Ratio, Scope, Seen, Timed, Variant

MODELS = ("on_off", "walk_stop_turn")
# of each: its task, how many times its rate is required, and of which models (the slowest counts)
BASELINES = {
    "python_loop": ("loop", 80.0, MODELS),
    "numpy": ("numpy", 3.5, MODELS),
    "numba": ("numba", 1.4, ("on_off",)),
}
REQUIRED_ROOFLINE = 1.8
WAYS = ("engine", "roofline", *(task for task, _, _ in BASELINES.values()))
DRAWS = {"on_off": 4, "walk_stop_turn": 8}
# agents of all but the loop, agents of the loop; by `quick`
AGENTS = {False: (2_000, 20), True: (500, 5)}
STEPS = 2_000
FRAMES, HEIGHT, WIDTH, RATE_HZ, MM_PER_PX = 60, 108, 203, 15.0, 1.5
SCALE, OFFSET = 2.25 / 65535, -0.25
SOURCE = (53.5, 0.0)
THRESHOLD = 0.1
RADIUS_MM = 1e-3


def repetitions(scope: Scope) -> int:
    """How often each is measured."""
    return 7 if scope.full else 3 if scope.quick else 5


def prepare(scope: Scope) -> list[Variant]:
    """The ways to run each model."""
    path = scope.folder / "plumes" / "reactive.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_plume(path)
    many, few = AGENTS[scope.quick]
    variants = []
    for model in MODELS[:1] if scope.quick else MODELS:
        for way in WAYS:
            agents = few if way == "loop" else many
            arguments = {"model": model, "plume": str(path), "agents": agents}
            variants.append(Variant(f"{model}.{way}", f"reactive:{way}", arguments))
    return variants


def judge(seen: Seen) -> Judged:
    """How many times the engine's rate is that of the others, and its time that of the roofline."""
    rates = {variant: rate(seen, variant) for variant in seen.variants}
    measured = [model for model in MODELS if f"{model}.engine" in rates]
    judged: Judged = {}
    for name, (task, required, models) in BASELINES.items():
        times = {m: rates[f"{m}.engine"] / rates[f"{m}.{task}"] for m in measured}
        slowest = np.min([times[model] for model in models if model in times], axis=0)
        judged[f"engine_vs_{name}"] = Ratio(slowest, "1", required, "at least")
        for model, ratio in times.items():
            judged[f"engine_vs_{name}.{model}"] = Ratio(ratio, "1", None, "at least")
    times = {m: rates[f"{m}.roofline"] / rates[f"{m}.engine"] for m in measured}
    judged["engine_vs_roofline"] = Ratio(times["on_off"], "1", REQUIRED_ROOFLINE)
    for model, ratio in times.items():
        judged[f"engine_vs_roofline.{model}"] = Ratio(ratio)
    for variant, per_s in rates.items():
        judged[f"agent_steps_s.{variant}"] = Ratio(per_s, "agent-steps/s")
    return judged


def rate(seen: Seen, variant: str) -> np.ndarray:
    """Agent-steps per CPU-second: one thread does the work, whoever else is on the machine."""
    return np.asarray(seen.values(variant, "agent_steps") / seen.values(variant, "cpu_s"))


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
    from plumenav.performance.benchmark.baselines.shared import Plume
    from plumenav.tables import PlumeReader

    with PlumeReader(plume) as reader:
        frames = np.concatenate([block.frames for block in reader.blocks()])
    how = settings_of(model, STEPS)
    module = registry.get("model", model)
    sensor = registry.get("sensor", how["sensor"]["shape"])
    return (
        Plume(
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
    from plumenav.performance.benchmark.baselines.arrays import ARRAYS

    movie, constants, dt_s = baseline_of(model, plume)
    plan = plan_of(agents)
    draws = DRAWS[model]

    def run() -> dict[str, float]:
        rng = np.random.default_rng(2)
        rows, _ = ARRAYS[model](
            movie, plan, constants, dt_s, steps, lambda i: rng.random((draws, agents))
        )
        return {"agent_steps": float(rows["x_mm"].size)}

    return run


def loop(model: str, plume: str, agents: int, steps: int = STEPS) -> Timed:
    """Task: a loop over agents in plain Python."""
    from plumenav.performance.benchmark.baselines.loops import LOOPS

    movie, constants, dt_s = baseline_of(model, plume)
    plan = plan_of(agents)
    starts = [{name: column[i].item() for name, column in plan.items()} for i in range(agents)]
    draws = range(DRAWS[model])

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


def numba(model: str, plume: str, agents: int, steps: int = STEPS) -> Timed:
    """Task: a plain numba loop, compiled before."""
    from plumenav.performance.benchmark.baselines.compiled import simulate

    movie, constants, dt_s = baseline_of(model, plume)
    simulate(model, movie, plan_of(2), constants, dt_s, 2, seed=1)
    plan = plan_of(agents)

    def run() -> dict[str, float]:
        rows, _ = simulate(model, movie, plan, constants, dt_s, steps, seed=2)
        return {"agent_steps": float(len(rows.step))}

    return run


def roofline(model: str, plume: str, agents: int, steps: int = STEPS) -> Timed:
    """Task: noise, pixels, sine, cosine and rows along the engine's tracks, and nothing else."""
    from plumenav.engine.outcome import Columns
    from plumenav.engine.run import Blocks, simulate
    from plumenav.performance.benchmark.baselines import roofline as least
    from plumenav.performance.benchmark.baselines.compiled import Rows, make_rows
    from plumenav.tables import PlumeReader

    movie, _, dt_s = baseline_of(model, plume)
    plan = plan_of(agents)
    parts: list[Columns] = []
    with PlumeReader(plume) as reader:
        simulate(Blocks(reader), plan, settings_of(model, steps), parts.append)
        scene = least.scene_of(reader.metadata, movie.frames, 0, movie.points, movie.bilinear)
    tracks = [least.tracks_of(part) for part in parts]
    how = (scene, plan["key"], DRAWS[model] // 4, dt_s, 1)
    least.walk(*how, *(Rows(*(c[:1] for c in tracks[0])) for _ in range(2)))

    def run() -> dict[str, float]:
        kept = []
        for part in tracks:
            rows = make_rows(len(part.step))
            least.walk(*how, part, rows)
            kept.append(rows)
        return {"agent_steps": float(sum(len(rows.step) for rows in kept))}

    return run
