"""The gate over a whole run: what recheck and reference wrote, compared and judged."""

from __future__ import annotations

import math
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from plumenav.analysis.agreement import Agreement, compare
from plumenav.analysis.check_rows import MUTANTS, arena_of, mutant_sample, read_all, sample_of
from plumenav.analysis.verdict import judge, verdict
from plumenav.tables import (
    AGREEMENT,
    REFERENCE,
    SIMULATIONS,
    PlumeReader,
    metadata_of,
    read_json,
    read_table,
)


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

    def against(table: pa.Table, numbers: np.ndarray, wanted: int, permutations: int) -> Agreement:
        def only(whole: pa.Table) -> pa.Table:
            return whole.filter(pa.array(np.isin(whole.column("simulation").to_numpy(), numbers)))

        return compare(
            table,
            only(_without(reference)),
            only(simulations),
            recording=recording,
            agent=agent,
            limits=limits,
            permutations=permutations,
            outcomes=[one for one in outcomes if one["simulation"] in set(numbers.tolist())],
            arena_mm=arena,
            wanted=wanted,
        )

    sample = sample_of(simulations, limits["sample"], {**reader.metadata})
    agreement = against(engine, sample, limits["sample"], limits["permutations"])
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
        # four simulations are too few for a p-value: the other conditions have to fail it
        entry, _ = judge(against(wrong, few, len(few), 0), {**limits, "max_p": math.inf})
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
