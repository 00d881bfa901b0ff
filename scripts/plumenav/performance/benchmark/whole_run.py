"""The default run timed from outside, beside a floor that is measured in the same breath.

The run begins in a folder that holds the recordings and nothing else, with an empty home, no cache,
no history and no compiled kernel, and ends with its report. Its floor is what no way of organizing
the work could do without:

    floor = start + figures + (decoding + roofline + references + imports) / cores

start: Snakemake called again in the finished folder, which finds nothing to do (wall time: nothing
else can go on). figures: their jobs alone, without imports (wall time on these cores). decoding:
each recording read once, whole. roofline: of every step that was simulated, see
baselines/roofline.py. references: their jobs alone, without their imports. imports: what each job's
script imports, times its jobs. The last four are CPU time, and are shared by the cores without
loss.
"""

from __future__ import annotations

import ast
import math
import os
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from plumenav import config, registry
from plumenav.batch.settings import engine_settings, job_settings, take
from plumenav.performance.benchmark import checkout, measure
from plumenav.performance.benchmark._contract import Judged, Ratio, Scope, Seen, Timed, Variant
from plumenav.performance.usage import concurrent_peak

QUICK = False  # the demonstration takes a minute, its floor another
CORES = 2
REQUIRED_WALL_S, REQUIRED_RATIO, REQUIRED_AGAIN_S = 60.0, 1.5, 4.0
PARTS = ("figures_s", "decoding_s", "roofline_s", "references_s", "imports_s")
# simulations of each agent and recording along which the roofline is measured
TRACKS = 32
LEAST_STEPS = 2_000_000
STARTS = 2  # of each script, the fastest counts
NOT_IN_A_RUN = ("synthesize",)  # recordings are given


def repetitions(scope: Scope) -> int:
    """How often the run is made."""
    return 3 if scope.full else 1


def prepare(scope: Scope) -> list[Variant]:
    """The run, the same again with nothing to do, and the floor."""
    given = recordings(scope)
    arguments = {"folder": str(folder_of(scope)), "cores": CORES}
    return [
        Variant("run", "whole_run:run", {**arguments, "given": str(given)}),
        Variant("again", "whole_run:again", arguments),
        Variant("floor", "whole_run:floor", arguments),
    ]


def folder_of(scope: Scope) -> Path:
    """Where the run is made."""
    return scope.folder / "checkout"


def recordings(scope: Scope) -> Path:
    """Folder of what synthesizing leaves: results/ with recordings; made if code or config differ.

    Everything that the rule writes beside logs is kept, so that a run finds recordings finished.
    """
    from plumenav.performance.benchmark.recordings import key

    kept = scope.folder / "given"
    synthetic = [e["synthetic"] for e in scope.config["recordings"].values() if e["synthetic"]]
    wanted = "\n".join(key(one) for one in synthetic)
    mark = kept / "made.txt"
    if not (mark.exists() and mark.read_text() == wanted):
        shutil.rmtree(kept, ignore_errors=True)
        made = checkout.Checkout(scope.folder / "synthesizing")
        made.make()
        made.snakemake(CORES, "--until", "synthesize_recording")
        for name in ("logs", "benchmarks"):
            shutil.rmtree(made.folder / "results" / scope.config["run"] / name)
        shutil.move(made.folder / "results", kept)
        shutil.rmtree(made.folder)
        mark.write_text(wanted)
    return kept


def lay_down(given: Path, made: checkout.Checkout) -> None:
    """Put recordings into a checkout, as links: nothing writes into them."""
    ignored = shutil.ignore_patterns("made.txt")
    shutil.copytree(given, made.folder / "results", ignore=ignored, copy_function=os.link)


def judge(seen: Seen) -> Judged:
    """Wall time of the run, over its floor, and of a call that finds nothing to do."""
    wall_s, again_s, floor = (seen.values("run"), seen.values("again"), floor_s(seen))
    return {
        "run_vs_floor": Ratio(wall_s / floor, "1", REQUIRED_RATIO),
        "run_wall_s": Ratio(wall_s, "s", REQUIRED_WALL_S),
        "run_again_s": Ratio(again_s, "s", REQUIRED_AGAIN_S),
        "run_cpu_s": Ratio(seen.values("run", "cpu_s"), "s"),
        "run_peak_mb": Ratio(seen.values("run", "all_jobs_mb"), "MB", 8000.0),
    }


def floor_s(seen: Seen) -> np.ndarray:
    """The floor, as the formula above says."""
    figures, *shared = (seen.values("floor", part) for part in PARTS)
    cores = seen.values("run", "cores")
    return np.asarray(seen.values("again") + figures + np.sum(shared, axis=0) / cores)


def sections(seen: Seen) -> dict[str, Any]:
    """`run` of benchmark.json: medians."""

    def median(values: np.ndarray) -> float:
        return float(np.median(values))

    wall_s, floor = seen.values("run"), floor_s(seen)
    parts = {part: median(seen.values("floor", part)) for part in PARTS}
    return {
        "run": {
            "wall_s": median(wall_s),
            "cpu_s": median(seen.values("run", "cpu_s")),
            "floor_s": median(floor),
            "wall_over_floor": median(wall_s / floor),
            "cores": CORES,
            "floor": {"start_s": median(seen.values("again")), **parts},
            "formula": "start + figures + (decoding + roofline + references + imports) / cores",
        }
    }


# ------------------------------------------------------------------------------------- tasks


def run(folder: str, cores: int, given: str) -> Timed:
    """Task: Snakemake in a new folder that holds recordings only."""
    made = checkout.Checkout(Path(folder))
    made.make()
    lay_down(Path(given), made)
    (made.folder / "home" / "history").mkdir()
    name = config.load(made.folder / "config" / "config.yaml")["run"]

    def call() -> dict[str, float]:
        made.snakemake(cores)
        jobs = [job for job in made.usage(name) if job["rule"] not in NOT_IN_A_RUN]
        loads = [(j["start_s"], j["start_s"] + j["wall_s"], j["max_rss_mb"]) for j in jobs]
        return {
            "cores": float(cores),
            "jobs": float(len(jobs)),
            "recorded_cpu_s": sum(job["cpu_s"] for job in jobs),
            "all_jobs_mb": concurrent_peak(loads),
        }

    return call


def again(folder: str, cores: int) -> Timed:
    """Task: Snakemake in the finished folder."""
    made = checkout.Checkout(Path(folder))

    def call() -> dict[str, float]:
        _, said = made.snakemake(cores)
        if "Nothing to be done" not in said:
            raise RuntimeError(f"the run in {folder} was not finished:\n{said[-2000:]}")
        return {}

    return call


def floor(folder: str, cores: int) -> Timed:
    """Task: everything that the floor consists of; what counts is what it says of itself."""
    made = checkout.Checkout(Path(folder))
    resolved = config.load(made.folder / "config" / "config.yaml")
    os.environ["PLUMENAV_CACHE"] = str(made.cache)  # the run has compiled its kernels

    def call() -> dict[str, float]:
        commands = [c for c in made.commands() if c.script not in NOT_IN_A_RUN]
        jobs = Counter(command.script for command in commands)
        starts = {script: start_of(made, script) for script in jobs}
        made.forget()
        alone = {
            script: made.at_once([c for c in commands if c.script == script], cores)
            for script in ("reference", "figures")
        }
        for script in alone:
            if not jobs[script]:
                raise RuntimeError(f"no job of scripts/{script}.py in what Snakemake would do")
        n, start = jobs["reference"], starts["reference"]
        references_s = alone["reference"].cpu_s - n * start.cpu_s
        return {
            "figures_s": max(0.0, alone["figures"].wall_s - starts["figures"].wall_s),
            "references_s": max(0.0, references_s),
            "imports_s": sum(n * starts[script].cpu_s for script, n in jobs.items()),
            "decoding_s": sum(decoding_s(made, resolved)),
            "roofline_s": sum(roofline_s(made, resolved)),
        }

    return call


def start_of(made: checkout.Checkout, script: str) -> checkout.Cost:
    """What it costs to start a script and import what it names: the least of a few starts."""
    source = (made.folder / "scripts" / f"{script}.py").read_text(encoding="utf-8")
    text = imports_of(source)
    costs = [made.call(sys.executable, "-c", text)[0] for _ in range(STARTS)]
    return checkout.Cost(min(c.wall_s for c in costs), min(c.cpu_s for c in costs))


def imports_of(source: str) -> str:
    r"""A script's imports, inside its functions too, and what it does without; as a program.

    Examples
    --------
    >>> imports_of("import json\ndef main(args):\n    from math import pi\n    return pi")
    'import json\nfrom math import pi'
    """
    wanted: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom) or (
            isinstance(node, ast.Call) and ast.unparse(node.func) == "jobs.without"
        ):
            wanted.append(ast.unparse(node))
    # imports of the top come first; packages are left out before anything heavy is imported
    light = [line for line in wanted if not line.startswith("from plumenav.")]
    return "\n".join([*light, *(line for line in wanted if line not in light)])


def decoding_s(made: checkout.Checkout, resolved: dict[str, Any]) -> Iterator[float]:
    """CPU time of reading each recording once."""
    from plumenav.performance.benchmark.recordings import normalization_settings
    from plumenav.recordings.synthesis._writers import FORMATS

    for label, entry in resolved["recordings"].items():
        if not entry["synthetic"]:
            raise RuntimeError("the default run has synthetic recordings only")
        suffix = FORMATS[entry["synthetic"]["format"]].suffixes[0]
        source = made.folder / "results" / resolved["run"] / "recordings" / f"{label}{suffix}"
        arguments = {"settings": normalization_settings(entry), "source": str(source)}
        task = Variant(f"decode {label}", "normalization:decode_once", arguments)
        yield measure.in_process(task)["cpu_s"]


def roofline_s(made: checkout.Checkout, resolved: dict[str, Any]) -> Iterator[float]:
    """CPU time of the roofline of each agent in each recording, for all steps it was simulated."""
    steps: Counter[tuple[str, str]] = Counter()
    for job in made.usage(resolved["run"]):
        if job["rule"] == "simulate":
            where = job["wildcards"]["recording"], job["wildcards"]["agent"]
            steps[where] += job["details"]["agent_steps"]
    for recording in resolved["recordings"]:
        agents = [agent for where, agent in steps if where == recording]
        arguments = {"folder": str(made.folder), "recording": recording, "agents": agents}
        task = Variant(f"roofline in {recording}", "whole_run:roofline", arguments)
        measured = measure.in_process(task)
        yield sum(steps[recording, agent] * measured[f"step_s.{agent}"] for agent in agents)


def roofline(folder: str, recording: str, agents: list[str]) -> Timed:
    """Task: the roofline along tracks of agents of a run; says seconds per step of each."""
    from plumenav.batch.wind import opened

    root = Path(folder)
    resolved = config.load(root / "config" / "config.yaml")
    results = root / "results" / resolved["run"]
    with opened(str(results / "plumes" / f"{recording}.parquet"), None) as blocks:
        frames = np.concatenate([block.frames for block in blocks.reader.blocks()])
        walks = {
            agent: walk_of(results, job_settings(resolved, recording, agent), blocks, frames, where)
            for agent in agents
            for where in [f"{recording}/{agent}"]
        }

    def call() -> dict[str, float]:
        return {f"step_s.{agent}": walk() for agent, walk in walks.items()}

    return call


def walk_of(
    results: Path, job: dict[str, Any], blocks: Any, frames: np.ndarray, where: str
) -> Callable[[], float]:
    """Walk along the first tracks of an agent.

    Parameters
    ----------
    results : Path
        Of a finished run.
    job : dict
        From :func:`plumenav.batch.settings.job_settings`.
    blocks : Blocks
        The plume.
    frames : ndarray, shape (n, height, width)
        All of it.
    where : str
        "recording/agent".

    Returns
    -------
    callable
        Gives CPU seconds per step.
    """
    from plumenav.batch.chunk import agent_plan
    from plumenav.batch.prepare import read_prepared
    from plumenav.engine.run import simulate
    from plumenav.models._binding import bound
    from plumenav.performance.benchmark.baselines import roofline as least
    from plumenav.performance.benchmark.baselines.compiled import Rows, make_rows

    plan = take(agent_plan(str(results / "plan" / f"{where}.parquet"), job), slice(0, TRACKS))
    prepared = read_prepared(str(results / "prepared" / f"{where}.npz"))
    settings = engine_settings(job, blocks.reader.frame_interval_s, prepared)
    parts: list[dict[str, np.ndarray]] = []
    simulate(blocks, plan, {**settings, "record_every": 1}, parts.append)
    shape = settings["sensor"]
    sensor = registry.get("sensor", shape["shape"])
    points = sensor.points(sensor.Params(**shape["parameters"]))
    bilinear = shape["interpolation"] == "bilinear"
    model = bound(settings["model"], settings["parameters"])
    every = settings["record_every"]
    how = (
        least.scene_of(blocks.metadata, frames, 0, points, bilinear),
        np.asarray(plan["key"], np.uint64),
        math.ceil(len(model.Noise._fields) / 4),
        settings["dt_s"],
        every,
    )
    tracks = [least.tracks_of(part) for part in parts]
    least.walk(*how, *(Rows(*(column[:1].copy() for column in tracks[0])) for _ in range(2)))
    own = sum(len(part.step) for part in tracks)
    times = math.ceil(LEAST_STEPS / own)

    def walk() -> float:
        began = time.process_time()
        for _ in range(times):
            for part in tracks:
                least.walk(*how, part, make_rows(least.written(part, every)))
        return (time.process_time() - began) / (times * own)

    return walk
