"""What the engine is asked again after a run: the same in another way, and what noise alone does.

* the sample that the reference recomputes, with every step recorded;
* a repetition in other chunks, another order and other threads, compared bit for bit;
* wrong engines (mutants), to show that the gate would notice them;
* the same agents in plume-free air of the same recording.

checks/{recording}/{agent}/engine.parquet     the sample again, every step
                           mutants.parquet    wrong engines on a few of them
                           blank.parquet      simulations in plume-free air
                           replicate.json     the repetition, compared bit for bit
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from plumenav.analysis.check_rows import MUTANTS, mutant_sample, read_all, sample_of
from plumenav.analysis.reproducibility import first_difference, icc_a1, trajectories_sha256
from plumenav.batch.chunk import agent_plan
from plumenav.batch.prepare import read_prepared
from plumenav.batch.settings import engine_settings, take
from plumenav.batch.wind import opened
from plumenav.engine.outcome import Columns
from plumenav.engine.run import Blocks, simulate
from plumenav.models._binding import float_parameters, scaled
from plumenav.tables import (
    REFERENCE,
    SIMULATIONS,
    TRAJECTORIES,
    Block,
    write_json,
    write_table,
)
from plumenav.tables.together import Seat, look_together

KEPT_MB = 100.0  # of decoded blocks, for movies that are seen several times


class SharedBlocks(Blocks):
    """A plume as one of several sees it who look at it together."""

    def __init__(self, blocks: Blocks, seat: Seat) -> None:
        vars(self).update(vars(blocks))
        self.seat = seat

    def __getitem__(self, i: int) -> Block:
        return self.seat.block(i)


class WeakerBlocks(SharedBlocks):
    """A plume seen at half its concentration, as by a faulty engine."""

    def __init__(self, blocks: Blocks, seat: Seat) -> None:
        super().__init__(blocks, seat)
        self.metadata = {
            **blocks.metadata,
            "scale": blocks.metadata["scale"] / 2.0,
            "offset": blocks.metadata["offset"] / 2.0,
        }


class MirroredBlocks(SharedBlocks):
    """A plume seen with its crosswind axis the wrong way round.

    Two blocks lie in memory, in turn: fresh memory for each would cost more than the copy.
    """

    def __init__(self, blocks: Blocks, seat: Seat) -> None:
        super().__init__(blocks, seat)
        self.copies: list[np.ndarray] = []

    def __getitem__(self, i: int) -> Block:
        block = self.seat.block(i)
        frames = self._room(block.frames)
        frames[:] = block.frames[:, ::-1]
        frames.flags.writeable = False  # the kernel is compiled for read-only blocks
        return Block(block.first, block.time_s, frames)

    def _room(self, like: np.ndarray) -> np.ndarray:
        """Memory for frames of this shape: that of the block before the last one."""
        copy = self.copies.pop(0) if len(self.copies) == 2 else np.empty_like(like)
        if copy.size < like.size:
            copy = np.empty_like(like)
        self.copies.append(copy)
        return copy.reshape(-1)[: like.size].reshape(like.shape)


class LateBlocks(SharedBlocks):
    """A plume of which every frame is shown one frame late.

    Each block is seen as two, and nothing is copied but one frame: the last frame of the block
    before in the place of the first one, and all but the last one in the places of the others.
    """

    def __init__(self, blocks: Blocks, seat: Seat) -> None:
        super().__init__(blocks, seat)
        self.whole = len(blocks.extents)
        halves = [
            (i, rest, (first + rest, size - 1 if rest else 1))
            for i, (first, size) in enumerate(blocks.extents)
            for rest in (0, 1)
            if size > rest
        ]
        self.parts = [(i, rest) for i, rest, _ in halves]
        self.extents = [extent for *_, extent in halves]
        self.last_frames: dict[int, np.ndarray] = {}  # by number of the block; of the one seen last

    def __getitem__(self, i: int) -> Block:
        number, rest = self.parts[i]
        block = self.seat.block(number)
        if rest:
            return Block(block.first + 1, block.time_s[1:], block.frames[:-1])
        shown = self._last_frame((number - 1) % self.whole)
        self.last_frames = {number: block.frames[-1:].copy()}
        shown.flags.writeable = False  # the kernel is compiled for read-only blocks
        return Block(block.first, block.time_s[:1], shown)

    def _last_frame(self, number: int) -> np.ndarray:
        """Last frame of a block; where it was not seen just before, it is read."""
        if number not in self.last_frames:
            return self.reader.block(number).frames[-1:].copy()
        return self.last_frames[number]


def every_step(blocks: Any, plan: Columns, settings: dict[str, Any]) -> pa.Table:
    """Simulate and record every step (schema REFERENCE, without margins)."""
    parts: list[Columns] = []
    full = {**settings, "record_every": 1, "record_variables": False}
    simulate(blocks, plan, full, parts.append)
    columns = joined(parts, [name for name in REFERENCE.arrow.names if name != "margin"])
    order = np.lexsort((columns["step"], columns["simulation"]))
    arrays = {name: pa.array(column[order]) for name, column in columns.items()}
    arrays["margin"] = pa.nulls(len(order), pa.float64())
    return pa.table({f.name: arrays[f.name].cast(f.type) for f in REFERENCE.arrow})


def joined(parts: Sequence[Columns], names: Sequence[str]) -> Columns:
    """Recorded rows that were handed over in parts."""
    return {name: np.concatenate([part[name] for part in parts]) for name in names}


Wrong = Callable[[Blocks, Seat], pa.Table]


def wrong_engines(plan: Columns, settings: dict[str, Any]) -> dict[str, Wrong]:
    """Engines that are wrong in one thing each, by name: each gives every step of a plan."""
    parameters = settings["parameters"]

    def seen_as(see: Callable[[Blocks, Seat], Blocks]) -> Wrong:
        return lambda blocks, seat: every_step(see(blocks, seat), plan, settings)

    wrong: dict[str, Wrong] = {
        "mirrored y": seen_as(MirroredBlocks),
        "halved gain": seen_as(WeakerBlocks),
        "odour one frame late": seen_as(LateBlocks),
    }

    def with_parameters(other: dict[str, Any]) -> Wrong:
        changed = {**settings, "parameters": other}
        return lambda blocks, seat: every_step(SharedBlocks(blocks, seat), plan, changed)

    if "refractory_s" in parameters:
        wrong["no refractory period"] = with_parameters({**parameters, "refractory_s": 0.0})
    for path in islice(float_parameters(settings["model"], parameters), 1):
        wrong[_off(path)] = with_parameters(scaled(parameters, path, 1.1))
    return wrong


def _off(path: Sequence[str]) -> str:
    return f"{' '.join(path)} 10 % off"


def one_parameter_off(
    blocks: Blocks, plan: Columns, settings: dict[str, Any], truth: pa.Table, tried: int = 0
) -> dict[str, pa.Table]:
    """An engine in which one parameter is 10 % off: the first that makes any difference."""
    parameters = settings["parameters"]
    for path in islice(float_parameters(settings["model"], parameters), tried, None):
        off = scaled(parameters, path, 1.1)
        table = every_step(blocks, plan, {**settings, "parameters": off})
        if not table.equals(truth):
            return {_off(path): table}
    return {}


def mutants(
    blocks: Blocks,
    plan: Columns,
    settings: dict[str, Any],
    truth: pa.Table,
    wrong: dict[str, pa.Table],
) -> dict[str, pa.Table]:
    """Trajectories of wrong engines, where being wrong makes a difference at all.

    Parameters
    ----------
    blocks : Blocks
    plan : dict of ndarray
        The simulations that they ran.
    settings : dict
        Engine settings.
    truth : pyarrow.Table
        What the right engine gives for them.
    wrong : dict of pyarrow.Table
        What each of :func:`wrong_engines` gave.

    Returns
    -------
    dict
        {name of the mutant: table}; the table of a mutant that changes nothing in these simulations
        is empty (a walk that smells nothing does not mind a late odour).
    """
    nothing = REFERENCE.arrow.empty_table()
    found = {name: nothing if table.equals(truth) else table for name, table in wrong.items()}
    for path in islice(float_parameters(settings["model"], settings["parameters"]), 1):
        if not found[_off(path)].num_rows:  # another parameter takes its place
            del found[_off(path)]
            found |= one_parameter_off(blocks, plan, settings, truth, tried=1)
    return found


class Repeated(NamedTuple):
    """Some simulations once more.

    Attributes
    ----------
    rows : list of dict of ndarray
        As they were handed over.
    simulations : pyarrow.Table
    """

    rows: list[Columns]
    simulations: pa.Table


def repeat(blocks: Blocks, plan: Columns, settings: dict[str, Any], threads: int) -> Repeated:
    """Simulate rows of a plan once more; a small capacity moves the hand-overs, too."""
    rows: list[Columns] = []
    outcome = simulate(blocks, plan, settings, rows.append, threads, capacity=97)
    return Repeated(rows, outcome.simulations)


def backwards(plan: Columns, chunk: int) -> list[Columns]:
    """A plan in chunks, last simulation first."""
    order = np.argsort(plan["simulation"])[::-1]
    return [take(plan, order[start : start + chunk]) for start in range(0, len(order), chunk)]


def replicate(
    repeated: Sequence[Repeated], production: Sequence[pa.Table], simulations: pa.Table
) -> dict[str, Any]:
    """Compare a repetition in other chunks, backwards, with other threads, bit for bit.

    Parameters
    ----------
    repeated : sequence of Repeated
        The repetition's chunks.
    production : sequence of pyarrow.Table
        The run's trajectories.
    simulations : pyarrow.Table
        The run's simulation rows.

    Returns
    -------
    dict
        simulations, rows, identical, first_difference, trajectories_sha256 (of the whole run),
        icc (the smallest over the measures).
    """
    after = pa.concat_tables([chunk.simulations for chunk in repeated]).sort_by("simulation")
    wanted = after.column("simulation").to_numpy()
    parts = [rows for chunk in repeated for rows in chunk.rows]
    kept = pa.concat_tables(production)
    mask = np.isin(kept.column("simulation").to_numpy(), wanted)
    kept = kept.filter(pa.array(mask)).select(
        [name for name in kept.column_names if name in parts[0]]
    )
    again = pa.table(joined(parts, kept.column_names))
    again = pa.table({f.name: again.column(f.name).cast(f.type) for f in kept.schema})
    difference: Any = first_difference(kept, again)
    before = simulations.filter(
        pa.array(np.isin(simulations.column("simulation").to_numpy(), wanted))
    ).sort_by("simulation")
    if difference is None and not before.equals(after):
        difference = "simulations table"
    return {
        "simulations": len(wanted),
        "rows": again.num_rows,
        "identical": difference is None,
        "first_difference": difference,
        "trajectories_sha256": trajectories_sha256(production),
        "icc": min(
            icc_a1(np.column_stack([before.column(name), after.column(name)]))
            for name in ("path_mm", "net_upwind_mm", "duration_s")
        ),
    }


def blank_air(blocks: Blocks, plan: Columns, settings: dict[str, Any]) -> pa.Table:
    """The same agents in plume-free air of the same recording (schema SIMULATIONS)."""
    if not blocks.metadata["blank"]:
        return SIMULATIONS.arrow.empty_table()
    control = {**settings, "control": "blank_region"}
    return simulate(blocks, plan, control).simulations


def replicate_sample(plan: dict[str, np.ndarray], n: int) -> dict[str, np.ndarray]:
    """Rows of the plan that are repeated: evenly spread over all of them."""
    total = len(plan["simulation"])
    return take(plan, np.unique(np.linspace(0, total - 1, min(n, total)).round().astype(int)))


def recheck_agent(
    job: dict[str, Any],
    limits: dict[str, Any],
    plume: str,
    plan_file: str,
    prepared: str,
    wind: str | None,
    simulation_files: list[str],
    trajectory_files: list[str],
    folder: Path,
) -> None:
    """Ask the engine again, and write what it says.

    Parameters
    ----------
    job : dict
        Settings of the simulate jobs.
    limits : dict
        The config's validation section.
    plume, plan_file, prepared : str
    simulation_files, trajectory_files : list of str
        All chunks of the run.
    folder : Path
        checks/{recording}/{agent}.
    """
    simulations = read_all(simulation_files, SIMULATIONS)
    plan = agent_plan(plan_file, job)
    with opened(plume, wind, budget_mb=KEPT_MB) as blocks:
        settings = engine_settings(job, blocks.reader.frame_interval_s, read_prepared(prepared))
        sample = sample_of(simulations, limits["sample"], blocks.metadata)
        few = mutant_sample(simulations, sample)
        rows, some = (take(plan, np.isin(plan["simulation"], numbers)) for numbers in (sample, few))
        first = take(plan, slice(0, limits["blank_simulations"]))
        chunks = backwards(replicate_sample(plan, limits["replicate"]), limits["replicate_chunk"])
        wrong = wrong_engines(some, settings) if limits["mutants"] else {}
        threads = limits["replicate_threads"]

        def shared(ask: Callable[..., Any], *arguments: Any) -> Callable[[Seat], Any]:
            return lambda seat: ask(SharedBlocks(blocks, seat), *arguments)

        viewers: list[Callable[[Seat], Any]] = [
            shared(every_step, rows, settings),
            shared(blank_air, first, settings),
            *[partial(ask, blocks) for ask in wrong.values()],
            *[shared(repeat, chunk, settings, threads) for chunk in chunks],
        ]
        engine, blank, *others = look_together(blocks.__getitem__, viewers)
        truth = engine.filter(pa.array(np.isin(engine.column("simulation").to_numpy(), few)))
        given = dict(zip(wrong, others, strict=False))
        found = mutants(blocks, some, settings, truth, given) if given else {}
    write_table(folder / "engine.parquet", engine, REFERENCE)
    write_table(folder / "blank.parquet", blank, SIMULATIONS)
    labelled = [
        table.append_column("mutant", pa.array([name] * table.num_rows, pa.string()))
        for name, table in sorted(found.items())
    ]
    inert = sorted(name for name, table in found.items() if not table.num_rows)
    together = pa.concat_tables([MUTANTS.arrow.empty_table(), *labelled])
    write_table(folder / "mutants.parquet", together, MUTANTS, {"inert": inert})
    production = [read_all(trajectory_files, TRAJECTORIES)]
    repetition = replicate(others[len(wrong) :], production, simulations)
    write_json(folder / "replicate.json", repetition)
