"""A finished run made in a temporary folder: every file that analysis, figures and report read.

Agents are biased random walks written with NumPy, not the engine: the files have the engine's
schemas and plausible content, and what is in them is known.
"""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from plumenav.batch.prepare import write_prepared
from plumenav.config.schema import Config
from plumenav.tables import (
    AGREEMENT,
    SIMULATIONS,
    TRAJECTORIES,
    PlumeWriter,
    write_json,
    write_table,
)

MM_PER_PX = 2.0
HEIGHT, WIDTH, FRAMES, RATE_HZ = 60, 130, 40, 10.0
SOURCE = (29.5, 5.0)  # row, column
MODELS = ("on_off", "walk_stop_turn", "surge_cast", "correlated_random_walk")


def config(
    recordings: dict[str, str] | None = None,
    agents: tuple[str, ...] = MODELS,
    simulations: int = 40,
    nominal: tuple[str, ...] = (),
    **simulation: Any,
) -> dict[str, Any]:
    """Resolved config; `recordings` is {label: kind}, agents are labels (models if they are)."""
    sections: dict[str, Any] = {}
    for label, kind in (recordings or {"smooth": "movie"}).items():
        section: dict[str, Any] = {"wind": {"speed_mm_s": 100.0}, "nominal": label in nominal}
        if kind == "movie":
            section |= {
                "path": f"{label}.h5",
                "mm_per_px": MM_PER_PX,
                "source_px": {"row": SOURCE[0], "column": SOURCE[1]},
            }
        elif kind == "analytic":
            section["analytic"] = {
                "field": "gaussian",
                "parameters": {"sigma_mm": 40.0},
                "x_mm": (-20.0, 220.0),
                "y_mm": (-60.0, 60.0),
            }
        else:
            section["signal"] = {
                "start_s": 5.0,
                "stop_s": 10.0,
                "duration_s": 20.0,
                "frame_rate_hz": 10.0,
            }
        sections[label] = section
    content = {
        "run": "factory",
        "recordings": sections,
        "agents": {
            name: {"model": name if name in MODELS else MODELS[i % len(MODELS)]}
            for i, name in enumerate(agents)
        },
        "simulation": {"simulations": simulations, "duration_s": 20.0, **simulation},
    }
    return Config.model_validate(content).model_dump(mode="json")


def movie_frames(rng: np.random.Generator) -> np.ndarray:
    """Frames of a meandering plume, concentration, shape (FRAMES, HEIGHT, WIDTH)."""
    row, column = np.mgrid[:HEIGHT, :WIDTH].astype(float)
    x = (column - SOURCE[1]) * MM_PER_PX
    frames = np.empty((FRAMES, HEIGHT, WIDTH))
    for k in range(FRAMES):
        centre = 0.12 * x * np.sin(x / 35.0 - 0.5 * k)
        spread = 3.0 + 0.08 * np.maximum(x, 0.0)
        y = (SOURCE[0] - row) * MM_PER_PX
        plume = np.exp(-(((y - centre) / spread) ** 2) / 2) * 3.0 / spread
        frames[k] = np.where(x >= 0, plume, 0.0) + rng.normal(0.0, 0.004, x.shape)
    return frames


def write_plume(root: Path, label: str, kind: str, seed: int = 0) -> None:
    """A plume file of a kind, and its quality record."""
    rng = np.random.default_rng(seed)
    path = root / "plumes" / f"{label}.parquet"
    common = {"scale": 1.0, "offset": 0.0, "period_s": 1e12, "blank": None, "field_constants": {}}
    noise: dict[str, float] | None = None
    if kind == "movie":
        scale, offset = 2.25 / 65535, -0.25
        frames = movie_frames(rng)
        stored = np.clip(np.round((frames - offset) / scale), 0, 65535).astype(np.uint16)
        facts = {"scale": scale, "offset": offset, "period_s": FRAMES / RATE_HZ, "field": "movie"}
        facts |= {"mm_per_px": MM_PER_PX, "source_row": SOURCE[0], "source_column": SOURCE[1]}
        facts |= {"recording_sha256": "ab" * 32, "unit": "fraction of source"}
        noise = {"mean": 0.0, "sd": 0.004}
        time_s = np.arange(FRAMES) / RATE_HZ
    elif kind == "signal":
        time_s = np.arange(200) / 10.0
        stored = ((time_s >= 5.0) & (time_s < 10.0)).astype(np.float32)[:, None, None]
        facts = {"period_s": 20.0, "field": "signal", "mm_per_px": 1.0}
        facts |= {"source_row": 0.0, "source_column": 0.0}
    else:
        time_s, stored = np.empty(0), np.empty((0, 120, 240), np.float32)
        facts = {"field": "gaussian", "field_constants": {"sigma_mm": 40.0}, "mm_per_px": 1.0}
        facts |= {"source_row": 59.5, "source_column": 19.5}
    height, width = stored.shape[1:]
    dtype = str(stored.dtype)
    with PlumeWriter(
        path, height, width, dtype, facts.get("scale", 1.0), facts.get("offset", 0.0)
    ) as writer:
        writer.metadata = {
            **common,
            "kind": kind,
            "height": height,
            "width": width,
            "dtype": dtype,
            **facts,
        }
        if noise:
            writer.metadata["noise"] = noise
        if len(stored):
            writer.write(time_s, stored)
    quality: dict[str, Any] = {"kind": kind, "notes": []}
    if kind == "movie":
        quality |= {
            "frames_read": FRAMES,
            "noise": noise,
            "mean": 0.03,
            "median": 0.001,
            "p95": 0.2,
            "p99": 0.5,
            "min": -0.02,
            "max": 1.0,
            "intermittency": 0.2,
            "clipped_low": 0,
            "clipped_high": 12,
            "notes": ["12 pixel values above the storage range were clipped"],
        }
    write_json(root / "plumes" / f"{label}.quality.json", quality)
    write_json(root / "quality" / f"{label}.json", assessed(label, kind))


def assessed(label: str, kind: str) -> dict[str, Any]:
    """What the quality of a plume of a kind is."""
    if kind != "movie":
        says = f"a plume of kind {kind} has no frames to measure"
        status = "not applicable"
        return {"recording": label, "kind": kind, "status": status, "says": says, "checks": []}
    check = {
        "name": "scale",
        "value": 0.02,
        "unit": "relative",
        "limit_warn": 0.12,
        "limit_fail": 0.2,
        "status": "pass",
        "says": "the pattern moves at 98 mm/s, declared are 100 mm/s",
    }
    measures = {"frames": FRAMES, "frames_sampled": FRAMES, "wind_mm_s": 98.0, "wind_deg": 0.5}
    return {
        "recording": label,
        "kind": kind,
        "status": "pass",
        "says": "nothing found wrong",
        "checks": [check],
        "measures": measures,
    }


def walks(
    n: int, drift: float, seed: int, duration_s: float, radius_mm: float, signal: bool = False
) -> dict[str, np.ndarray]:
    """Biased random walks: rows of the simulations table and (n, steps + 1) positions."""
    rng = np.random.default_rng(seed)
    dt, speed = 0.1, 15.0
    steps = round(duration_s / dt)
    start_rng = np.random.default_rng(99)  # the same starts for all agents
    x = np.empty((n, steps + 1))
    y, heading = np.empty_like(x), np.empty_like(x)
    x[:, 0], y[:, 0] = start_rng.uniform(100, 200, n), start_rng.uniform(-40, 40, n)
    heading[:, 0] = start_rng.uniform(0, 2 * np.pi, n)
    for i in range(steps):
        gain = drift * (1.0 if not signal or 50 <= i < 100 else 0.05)
        home = np.arctan2(-y[:, i], -x[:, i])
        heading[:, i + 1] = (
            heading[:, i] + gain * np.sin(home - heading[:, i]) + rng.normal(0, 0.3, n)
        )
        x[:, i + 1] = x[:, i] + speed * dt * np.cos(heading[:, i])
        y[:, i + 1] = y[:, i] + speed * dt * np.sin(heading[:, i])
    near = np.hypot(x, y) <= radius_mm
    arrived = near.any(axis=1) & (not signal)
    last = np.where(arrived, near.argmax(axis=1), steps)
    return {"x": x, "y": y, "heading": heading, "arrived": arrived, "last": last, "dt": dt}


def simulations_table(w: dict[str, Any], radius_mm: float, failed: int = 0) -> pa.Table:
    """SIMULATIONS rows of walks; the first `failed` ones failed."""
    n, i = len(w["last"]), np.arange(len(w["last"]))
    last, dt = w["last"], w["dt"]
    path = last * 1.5
    final_x, final_y = w["x"][i, last], w["y"][i, last]
    shortest = np.hypot(w["x"][:, 0], w["y"][:, 0]) - radius_mm
    bad = i < failed
    arrived = w["arrived"] & ~bad
    duration = last * dt
    encounters = 3 + (i % 5)
    columns: dict[str, Any] = {
        "simulation": i,
        "replicate": i,
        "key": i.astype(np.uint64) * 7919,
        "x_mm": w["x"][:, 0],
        "y_mm": w["y"][:, 0],
        "heading_rad": w["heading"][:, 0],
        "start_frame": np.zeros(n, int),
        "status": ["not finite" if b else "ok" for b in bad],
        "success": arrived,
        "time_to_source_s": [t if a else None for t, a in zip(duration, arrived, strict=True)],
        "end": ["source" if a else "horizon" for a in arrived],
        "duration_s": duration,
        "wraps": np.zeros(n, int),
        "path_mm": path,
        "net_upwind_mm": w["x"][:, 0] - final_x,
        "path_efficiency": [
            s / p if a else None for s, p, a in zip(shortest, path, arrived, strict=True)
        ],
        "mean_speed_mm_s": np.full(n, 15.0),
        "closest_mm": np.hypot(w["x"], w["y"]).min(axis=1),
        "encounters": encounters,
        "encounter_rate_hz": encounters / duration,
        "time_in_plume_s": 0.2 * duration,
        "time_outside_s": np.zeros(n),
        "final_x_mm": final_x,
        "final_y_mm": final_y,
        "clipped_rates": np.zeros(n, int),
    }
    fields = {
        field.name: pa.array(columns[field.name]).cast(field.type) for field in SIMULATIONS.arrow
    }
    return pa.table(fields, schema=SIMULATIONS.arrow)


def trajectories_table(w: dict[str, Any], first: int, stop: int) -> pa.Table:
    """TRAJECTORIES rows of simulations first .. stop - 1."""
    parts = []
    for i in range(first, stop):
        steps = np.arange(w["last"][i] + 1)
        parts.append(
            {
                "simulation": np.full(len(steps), i),
                "step": steps,
                "frame": steps % 200,
                "time_s": steps * w["dt"],
                "x_mm": w["x"][i, steps],
                "y_mm": w["y"][i, steps],
                "heading_rad": w["heading"][i, steps],
                "odor": ((steps >= 50) & (steps < 100)).astype(float),
                "state": np.ones(len(steps)),
            }
        )
    columns = {
        field.name: pa.array(np.concatenate([part[field.name] for part in parts])).cast(field.type)
        for field in TRAJECTORIES.arrow
    }
    return pa.table(columns, schema=TRAJECTORIES.arrow)


def agreement_rows(recording: str, agent: str, n: int = 20, seed: int = 5) -> list[dict[str, Any]]:
    """AGREEMENT rows of an agent that agrees to rounding."""
    rng = np.random.default_rng(seed)
    return [
        {
            "recording": recording,
            "agent": agent,
            "simulation": i,
            "steps": 200,
            "steps_recorded": 200,
            "max_error_mm": 0.0 if i == 0 else float(10 ** rng.uniform(-14, -9)),
            "max_odor_error": 0.0,
            "states_equal": True,
            "lengths_equal": True,
            "r_dx": 1.0,
            "r_dy": 1.0 - float(rng.uniform(0, 1e-9)),
            "r_dheading": 1.0,
            "r_x": 1.0,
            "r_y": 1.0,
            "constant_series": 0,
            "tie_step": None,
            "encounters": 4,
            "end": "horizon",
            "passed": True,
        }
        for i in range(n)
    ]


def verdict(config: dict[str, Any], passed: bool = True) -> dict[str, Any]:
    """validation/verdict.json of a run."""
    per = {
        "min_r": 0.999999,
        "n": 20,
        "max_abs_error_mm": 3e-10,
        "p_value": 0.001,
        "original_code": None,
        "passed": True,
    }
    detail = {
        **per,
        "ties": 1,
        "constant_series": 0,
        "position_r": 1.0,
        "sample": {"reached": 8, "left": 0, "smelled": 17},
    }
    agents = {
        label: {**per, "by_recording": {r: dict(detail) for r in config["recordings"]}}
        for label in config["agents"]
    }
    missed = [] if passed else [{"what": "mutants caught", "found": "4 of 5", "required": "all"}]
    return {
        "agents": agents,
        "min_correlation": 0.999999,
        "reproducibility_icc": 1.0,
        "bitwise_identical": True,
        "mutants": [
            {
                "agent": agent,
                "recording": recording,
                "mutant": mutant,
                "caught": passed or mutant != "odour_late",
                "applicable": True,
            }
            for agent in config["agents"]
            for recording in config["recordings"]
            for mutant in ("mirrored_y", "odour_late")
        ],
        "passed": passed,
        "missed": missed,
        "limits": {"max_error_mm": 1e-6, "min_correlation": 0.95, "min_icc": 0.99, "max_p": 0.05},
    }


def job(rule: str, start_s: float, wall_s: float, **other: Any) -> dict[str, Any]:
    """One job's performance record."""
    return {
        "rule": rule,
        "wildcards": {},
        "start_s": start_s,
        "wall_s": wall_s,
        "cpu_s": wall_s,
        "max_rss_mb": 400.0,
        "read_mb": 10.0,
        "written_mb": 2.0,
        "declared_mb": 700,
        "threads": 1,
        "details": {},
        **other,
    }


def write_jobs(root: Path, config: dict[str, Any], exceeded: bool = False) -> None:
    """performance/jobs/: one record per job of a small run on two cores."""
    start = 1.7e9
    for i, recording in enumerate(config["recordings"]):
        record = job("normalize", start + i, 2.5, max_rss_mb=310.0, wildcards={"r": recording})
        write_json(root / "performance/jobs/normalize" / f"{recording}.json", record)
        for k, agent in enumerate(config["agents"]):
            begin = start + 5 + 2.0 * (k // 2) + 10 * i
            record = job("simulate", begin, 2.0 + 0.3 * k, cpu_s=1.9 + 0.3 * k)
            if exceeded and i == k == 0:
                record["max_rss_mb"] = 900.0
            folder = root / "performance/jobs/simulate" / recording / agent
            write_json(folder / "0000.json", record)


def write_agreement(root: Path, rows: list[dict[str, Any]]) -> None:
    """validation/agreement.parquet."""
    columns = {
        field.name: pa.array([row[field.name] for row in rows], field.type)
        for field in AGREEMENT.arrow
    }
    table = pa.table(columns, schema=AGREEMENT.arrow)
    write_table(root / "validation" / "agreement.parquet", table, AGREEMENT)


def write_run(
    root: Path,
    config: dict[str, Any],
    *,
    arrivals: bool = True,
    failed: int = 0,
    passed: bool = True,
    exceeded: bool = False,
    chunks: int = 2,
) -> Path:
    """A whole run below `root`; returns it."""
    simulation = config["simulation"]
    n, radius = simulation["simulations"], simulation["success_radius_mm"]
    reach = radius if arrivals else 0.0
    agreement = []
    for r, (recording, section) in enumerate(config["recordings"].items()):
        kind = "analytic" if section["analytic"] else "signal" if section["signal"] else "movie"
        write_plume(root, recording, kind, seed=r)
        for a, agent in enumerate(config["agents"]):
            null = config["agents"][agent]["model"] == "correlated_random_walk"
            drift = 0.0 if null else 0.25 / (1 + a % 4) / (1 + r % 2)
            w = walks(n, drift, 100 * r + a, simulation["duration_s"], reach, kind == "signal")
            table = simulations_table(w, reach, failed)
            cuts = np.linspace(0, n, chunks + 1).astype(int)
            for c, (first, stop) in enumerate(pairwise(cuts)):
                name = f"{recording}/{agent}/{c:04d}.parquet"
                metadata = {"behaviours": ["stand", "walk"], "dt_s": 0.1, "record_every_steps": 1}
                part = table.slice(first, stop - first)
                write_table(root / "simulations" / name, part, SIMULATIONS, metadata)
                rows = trajectories_table(w, first, stop)
                write_table(root / "trajectories" / name, rows, TRAJECTORIES, metadata)
            blank = simulations_table(
                walks(20, 0.0, 7 + a, simulation["duration_s"], reach, kind == "signal"), reach
            )
            write_table(root / "checks" / recording / agent / "blank.parquet", blank, SIMULATIONS)
            levels = {"threshold": 0.05, "dead_zone": None}
            warnings = ["it is only an example"] if a == 0 else []
            prepared = root / "prepared" / recording / f"{agent}.npz"
            prepared.parent.mkdir(parents=True, exist_ok=True)
            write_prepared(str(prepared), levels, warnings=warnings)
            agreement += agreement_rows(recording, agent, seed=10 * r + a)
    write_agreement(root, agreement)
    write_json(root / "validation" / "verdict.json", verdict(config, passed))
    write_jobs(root, config, exceeded)
    (root / "config.yaml").write_text(json.dumps(config), encoding="utf-8")
    return root
