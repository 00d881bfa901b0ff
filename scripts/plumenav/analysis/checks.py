"""The checks of one agent in one recording, as files: what recheck, reference, validate exchange.

checks/{recording}/{agent}/engine.parquet     the sample again, every step
                           mutants.parquet    wrong engines on a few of them
                           blank.parquet      simulations in plume-free air
                           replicate.json     the repetition, compared bit for bit
reference/{recording}/{agent}.parquet         the sample by the reference; outcomes in its metadata
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from plumenav import registry, world
from plumenav.analysis.agreement import Agreement, compare
from plumenav.analysis.agreement_sample import Edges, choose_sample
from plumenav.analysis.recheck import (
    MUTANT_SIMULATIONS,
    blank_air,
    every_step,
    mutants,
    replicate,
)
from plumenav.analysis.verdict import judge, verdict
from plumenav.batch.chunk import agent_plan
from plumenav.batch.prepare import read_prepared
from plumenav.batch.settings import engine_settings, take
from plumenav.batch.wind import opened
from plumenav.models._binding import parts
from plumenav.references._run import run_sample
from plumenav.tables import (
    AGREEMENT,
    PLAN,
    REFERENCE,
    SIMULATIONS,
    TRAJECTORIES,
    PlumeReader,
    metadata_of,
    read_json,
    read_table,
    write_json,
    write_table,
)

MUTANTS = REFERENCE._replace(
    name="mutants",
    written_by="validate",
    arrow=REFERENCE.arrow.append(pa.field("mutant", pa.string())),
)


def arena_of(metadata: dict[str, Any]) -> Edges | None:
    """Edges of the recorded image, mm; None for a signal, which has none."""
    if metadata["kind"] == "signal":
        return None
    return world.extent_mm(world.grid_of(metadata))


def read_all(files: list[str], schema: Any) -> pa.Table:
    """Tables of the chunks as one."""
    tables = [read_table(file, schema).replace_schema_metadata(None) for file in files]
    return pa.concat_tables(tables).combine_chunks()


def sample_of(simulations: pa.Table, size: int, metadata: dict[str, Any]) -> np.ndarray:
    """Numbers of the simulations that are checked against the reference."""
    return np.array(choose_sample(simulations, size, arena_of(metadata)), np.int64)


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
    """Ask the engine again (see :mod:`plumenav.analysis.recheck`) and write what it says.

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
    with opened(plume, wind) as blocks:
        reader = blocks.reader
        settings = engine_settings(job, reader.frame_interval_s, read_prepared(prepared))
        sample = sample_of(simulations, limits["sample"], reader.metadata)
        rows = take(plan, np.isin(plan["simulation"], sample))
        engine = every_step(blocks, rows, settings)
        write_table(folder / "engine.parquet", engine, REFERENCE)

        wrong: dict[str, pa.Table] = {}
        if limits["mutants"]:
            few = mutant_sample(simulations, sample)
            truth = engine.filter(pa.array(np.isin(engine.column("simulation").to_numpy(), few)))
            some = take(plan, np.isin(plan["simulation"], few))
            wrong = mutants(blocks, some, settings, truth)
        labelled = [
            table.append_column("mutant", pa.array([name] * table.num_rows, pa.string()))
            for name, table in sorted(wrong.items())
        ]
        inert = sorted(name for name, table in wrong.items() if not table.num_rows)
        together = pa.concat_tables([MUTANTS.arrow.empty_table(), *labelled])
        write_table(folder / "mutants.parquet", together, MUTANTS, {"inert": inert})

        first = take(plan, slice(0, limits["blank_simulations"]))
        write_table(folder / "blank.parquet", blank_air(blocks, first, settings), SIMULATIONS)

        repetition = replicate(
            blocks,
            replicate_sample(plan, limits["replicate"]),
            settings,
            [read_all(trajectory_files, TRAJECTORIES)],
            simulations,
            limits["replicate_chunk"],
            limits["replicate_threads"],
        )
    write_json(folder / "replicate.json", repetition)


def mutant_sample(simulations: pa.Table, sample: np.ndarray) -> np.ndarray:
    """The few of a sample that mutants run: those that met most odour."""
    rows = [row for row in simulations.to_pylist() if row["simulation"] in set(sample.tolist())]
    rows.sort(key=lambda row: (-row["encounters"], row["simulation"]))
    return np.array([row["simulation"] for row in rows[:MUTANT_SIMULATIONS]], np.int64)


def reference_agent(
    job: dict[str, Any],
    sample_size: int,
    plume: str,
    plan_file: str,
    prepared: str,
    wind: str | None,
    simulation_files: list[str],
    output: str,
) -> int:
    """Recompute the sample with the independent reference.

    Returns
    -------
    int
        Agent-steps computed.
    """
    plan = read_table(plan_file, PLAN)
    with PlumeReader(plume) as reader:
        settings = engine_settings(job, reader.frame_interval_s, read_prepared(prepared))
        sample = sample_of(read_all(simulation_files, SIMULATIONS), sample_size, reader.metadata)
    rows = plan.filter(pa.array(np.isin(plan.column("simulation").to_numpy(), sample)))
    # a reference that is made of others finds users' own ones here; it knows no plug-ins
    names = parts(job["agent"]["model"], job["agent"]["parameters"])
    settings["references"] = {name: registry.get("reference", name) for name in names}
    simulate = None
    if registry.module_name("reference", job["agent"]["model"]).startswith("plumenav_plugin"):
        simulate = registry.get("reference", job["agent"]["model"]).simulate
    steps, outcomes = run_sample(rows, settings, plume, simulate, wind, plan)
    write_table(output, steps, REFERENCE, {"outcomes": outcomes})
    return int(steps.num_rows)


def _without(table: pa.Table) -> pa.Table:
    return table.replace_schema_metadata(None)


def compare_agent(
    root: Path, recording: str, agent: str, limits: dict[str, Any], simulation_files: list[str]
) -> tuple[Agreement, list[dict[str, Any]]]:
    """Agreement and caught mutants of one agent in one recording.

    Returns
    -------
    agreement : Agreement
    caught : list of dict
        {agent, recording, mutant, caught, applicable}.
    """
    folder = root / "checks" / recording / agent
    reference = read_table(root / "reference" / recording / f"{agent}.parquet", REFERENCE)
    outcomes = metadata_of(reference)["outcomes"]
    engine = _without(read_table(folder / "engine.parquet", REFERENCE))
    simulations = read_all(simulation_files, SIMULATIONS)
    with PlumeReader(root / "plumes" / f"{recording}.parquet") as reader:
        arena = arena_of(reader.metadata)

    def against(table: pa.Table, numbers: np.ndarray, wanted: int) -> Agreement:
        def only(whole: pa.Table) -> pa.Table:
            return whole.filter(pa.array(np.isin(whole.column("simulation").to_numpy(), numbers)))

        return compare(
            table,
            only(_without(reference)),
            only(simulations),
            recording=recording,
            agent=agent,
            limits=limits,
            permutations=limits["permutations"],
            outcomes=[one for one in outcomes if one["simulation"] in set(numbers.tolist())],
            arena_mm=arena,
            wanted=wanted,
        )

    sample = sample_of(simulations, limits["sample"], {**reader.metadata})
    agreement = against(engine, sample, limits["sample"])
    table = read_table(folder / "mutants.parquet", MUTANTS)
    inert = metadata_of(table)["inert"]
    table = _without(table)
    few = mutant_sample(simulations, sample)
    caught: list[dict[str, Any]] = [
        {
            "agent": agent,
            "recording": recording,
            "mutant": name,
            "caught": False,
            "applicable": False,
        }
        for name in inert
    ]
    for name in sorted(set(table.column("mutant").to_pylist())):
        wrong = table.filter(pc.equal(table.column("mutant"), name)).drop(["mutant"])
        entry, _ = judge(against(wrong, few, len(few)), {**limits, "max_p": 1.0})
        caught.append(
            {
                "agent": agent,
                "recording": recording,
                "mutant": name,
                "caught": not entry["passed"],
                "applicable": True,
            }
        )
    return agreement, caught


def validate_run(
    root: Path,
    pairs: dict[tuple[str, str], list[str]],
    limits: dict[str, Any],
    original_code: dict[str, dict[str, Any]],
    validated: Collection[str],
) -> tuple[pa.Table, dict[str, Any]]:
    """The gate over a whole run.

    Parameters
    ----------
    root : Path
        results/<run>.
    pairs : dict
        {(recording, agent): files of its simulations}.
    limits : dict
        The config's validation section.
    original_code : dict
        {agent: {source, n, passed}}: agreement with data or code of the authors.
    validated : collection of str
        Agents whose model has a reference. The others are repeated, and that is all.

    Returns
    -------
    rows : pyarrow.Table
        Schema AGREEMENT.
    verdict : dict
        Content of validation/verdict.json.
    """
    compared = [
        compare_agent(root, recording, agent, limits, files)
        for (recording, agent), files in sorted(pairs.items())
        if agent in validated
    ]
    repetitions = [
        read_json(root / "checks" / recording / agent / "replicate.json")
        for recording, agent in pairs
    ]
    result = verdict(
        [agreement for agreement, _ in compared],
        reproducibility_icc=min(repetition["icc"] for repetition in repetitions),
        bitwise_identical=all(repetition["identical"] for repetition in repetitions),
        mutants=[one for _, caught in compared for one in caught],
        limits=limits,
        original_code=original_code,
        without_reference=sorted({agent for _, agent in pairs} - set(validated)),
    )
    tables = [agreement.rows for agreement, _ in compared]
    rows = pa.concat_tables([AGREEMENT.arrow.empty_table(), *tables])
    return rows.select(AGREEMENT.arrow.names), result
