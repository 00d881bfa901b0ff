"""What the engine is asked again after a run: the same in another way, and what noise alone does.

* the sample that the reference recomputes, with every step recorded;
* a repetition in other chunks, another order and other threads, compared bit for bit;
* wrong engines (mutants), to show that the gate would notice them;
* the same agents in plume-free air of the same recording.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from plumenav.analysis.reproducibility import first_difference, icc_a1, trajectories_sha256
from plumenav.batch.settings import take
from plumenav.engine.outcome import Columns
from plumenav.engine.run import Blocks, simulate
from plumenav.models._binding import float_parameters, scaled
from plumenav.tables import REFERENCE, SIMULATIONS, Block

MUTANT_SIMULATIONS = 4


class ChangedBlocks:
    """A plume seen wrongly, as a faulty engine would see it.

    Parameters
    ----------
    blocks : Blocks
        The plume.
    mirrored : bool
        Crosswind axis the wrong way round.
    late : bool
        Every frame shown one frame late.
    gain : float
        Concentration multiplied by this.
    """

    def __init__(
        self, blocks: Blocks, mirrored: bool = False, late: bool = False, gain: float = 1.0
    ) -> None:
        self.blocks, self.mirrored, self.late = blocks, mirrored, late
        self.time_s, self.extents = blocks.time_s, blocks.extents
        self.metadata = {
            **blocks.metadata,
            "scale": blocks.metadata["scale"] * gain,
            "offset": blocks.metadata["offset"] * gain,
        }
        self.decoded = 0

    def relieved(self, agents: int) -> int:
        """As of the plume that is changed."""
        return self.blocks.relieved(agents)

    def wind_of(self, block: Block) -> np.ndarray:
        """The wind is seen as it is."""
        return self.blocks.wind_of(block)

    def __getitem__(self, i: int) -> Block:
        block = self.blocks[i]
        frames = block.frames
        if self.late:
            before = self.blocks[i - 1 if i else len(self.extents) - 1].frames[-1:]
            frames = np.concatenate([before, frames[:-1]])
        if self.mirrored:
            frames = frames[:, ::-1]
        frames = np.ascontiguousarray(frames)
        frames.flags.writeable = False  # the kernel is compiled for read-only blocks
        return Block(block.first, block.time_s, frames)


def every_step(blocks: Any, plan: Columns, settings: dict[str, Any]) -> pa.Table:
    """Simulate and record every step (schema REFERENCE, without margins)."""
    parts: list[Columns] = []
    full = {**settings, "record_every": 1, "record_variables": False}
    simulate(blocks, plan, full, parts.append)
    columns = {
        name: np.concatenate([part[name] for part in parts])
        for name in REFERENCE.arrow.names
        if name != "margin"
    }
    order = np.lexsort((columns["step"], columns["simulation"]))
    arrays = {name: pa.array(column[order]) for name, column in columns.items()}
    arrays["margin"] = pa.nulls(len(order), pa.float64())
    return pa.table({f.name: arrays[f.name].cast(f.type) for f in REFERENCE.arrow})


def mutants(
    blocks: Blocks, plan: Columns, settings: dict[str, Any], truth: pa.Table
) -> dict[str, pa.Table]:
    """Trajectories of wrong engines, where being wrong makes a difference at all.

    Parameters
    ----------
    blocks : Blocks
    plan : dict of ndarray
        The simulations to run.
    settings : dict
        Engine settings.
    truth : pyarrow.Table
        What the right engine gives for them.

    Returns
    -------
    dict
        {name of the mutant: table}; the table of a mutant that changes nothing in these simulations
        is empty (a walk that smells nothing does not mind a late odour).
    """
    parameters = settings["parameters"]
    wrong: dict[str, tuple[Any, dict[str, Any]]] = {
        "mirrored y": (ChangedBlocks(blocks, mirrored=True), settings),
        "halved gain": (ChangedBlocks(blocks, gain=0.5), settings),
        "odour one frame late": (ChangedBlocks(blocks, late=True), settings),
    }
    if "refractory_s" in parameters:
        wrong["no refractory period"] = (
            blocks,
            {**settings, "parameters": {**parameters, "refractory_s": 0.0}},
        )
    results = {name: every_step(b, plan, s) for name, (b, s) in wrong.items()}
    results |= one_parameter_off(blocks, plan, settings, truth)
    nothing = REFERENCE.arrow.empty_table()
    return {name: nothing if table.equals(truth) else table for name, table in results.items()}


def one_parameter_off(
    blocks: Blocks, plan: Columns, settings: dict[str, Any], truth: pa.Table
) -> dict[str, pa.Table]:
    """An engine in which one parameter is 10 % off: the first that makes any difference."""
    parameters = settings["parameters"]
    for path in float_parameters(settings["model"], parameters):
        off = scaled(parameters, path, 1.1)
        table = every_step(blocks, plan, {**settings, "parameters": off})
        if not table.equals(truth):
            return {f"{' '.join(path)} 10 % off": table}
    return {}


def replicate(
    blocks: Blocks,
    plan: Columns,
    settings: dict[str, Any],
    production: Sequence[pa.Table],
    simulations: pa.Table,
    chunk: int,
    threads: int,
) -> dict[str, Any]:
    """Repeat simulations in other chunks, backwards, with other threads; compare bit for bit.

    Parameters
    ----------
    blocks : Blocks
    plan : dict of ndarray
        The simulations to repeat.
    settings : dict
        Engine settings of the run.
    production : sequence of pyarrow.Table
        The run's trajectories.
    simulations : pyarrow.Table
        The run's simulation rows.
    chunk, threads : int
        Of the repetition.

    Returns
    -------
    dict
        simulations, rows, identical, first_difference, trajectories_sha256 (of the whole run),
        icc (the smallest over the measures).
    """
    wanted = plan["simulation"]
    parts: list[pa.Table] = []
    outcomes: list[pa.Table] = []
    backwards = np.argsort(wanted)[::-1]
    for start in range(0, len(backwards), chunk):
        rows = take(plan, backwards[start : start + chunk])

        def keep(columns: Columns) -> None:
            parts.append(pa.table(columns))

        # a small capacity moves the hand-overs, too
        outcomes.append(simulate(blocks, rows, settings, keep, threads, capacity=97).simulations)
    again = pa.concat_tables(parts)
    kept = pa.concat_tables(production)
    mask = np.isin(kept.column("simulation").to_numpy(), wanted)
    kept = kept.filter(pa.array(mask)).select(
        [name for name in kept.column_names if name in again.column_names]
    )
    again = pa.table({f.name: again.column(f.name).cast(f.type) for f in kept.schema})
    difference: Any = first_difference(kept, again)
    before = simulations.filter(
        pa.array(np.isin(simulations.column("simulation").to_numpy(), wanted))
    ).sort_by("simulation")
    after = pa.concat_tables(outcomes).sort_by("simulation")
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
