"""Which rows of a run are checked again, and how they are read. Jobs that check share it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from plumenav import world
from plumenav.analysis.agreement_sample import Edges, choose_sample
from plumenav.tables import REFERENCE, read_table

MUTANT_SIMULATIONS = 4
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


def mutant_sample(simulations: pa.Table, sample: np.ndarray) -> np.ndarray:
    """The few of a sample that mutants run: those that met most odour."""
    rows = [row for row in simulations.to_pylist() if row["simulation"] in set(sample.tolist())]
    rows.sort(key=lambda row: (-row["encounters"], row["simulation"]))
    return np.array([row["simulation"] for row in rows[:MUTANT_SIMULATIONS]], np.int64)
