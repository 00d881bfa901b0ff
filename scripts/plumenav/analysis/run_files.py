"""The tables of a run: which files they are and how they are read back.

The layout under results/<run>/ is written here once for the stages that read results.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from plumenav.errors import UserError
from plumenav.tables import SIMULATIONS, TRAJECTORIES, Schema, read_table
from plumenav.tables.files import check_schema, readable


def plume_path(root: Path, recording: str) -> Path:
    """File of a normalized plume."""
    return root / "plumes" / f"{recording}.parquet"


def maps_path(root: Path, recording: str) -> Path:
    """File of a plume's time-averaged maps."""
    return root / "statistics" / "maps" / f"{recording}.npz"


# names of the chunks that belong to a run, by agent: they are cut by what agents cost
Chunks = Mapping[str, Sequence[str]]


def blank_path(root: Path, recording: str, agent: str) -> Path:
    """File of an agent's simulations in plume-free air."""
    return root / "checks" / recording / agent / "blank.parquet"


def chunk_files(folder: Path, chunks: Sequence[str] | None = None) -> list[Path]:
    """Parquet files of a folder, sorted.

    Parameters
    ----------
    folder : Path
    chunks : sequence of str, optional
        Names (without suffix) of the chunks that belong to the run; all files if not given. A run
        that was cut differently before leaves files behind that are not part of it.

    Raises
    ------
    UserError
        If a named chunk is missing.
    """
    if chunks is None:
        return sorted(folder.glob("*.parquet"))
    files = [folder / f"{chunk}.parquet" for chunk in chunks]
    for file in files:
        if not file.is_file():
            raise UserError(
                str(file), "no such file", "every chunk of the run", "Run `snakemake simulate`."
            )
    return files


def read_simulations(
    root: Path, recording: str, agent: str, chunks: Chunks | None = None
) -> pa.Table:
    """All simulations of an agent in a recording, sorted by number.

    Returns
    -------
    pyarrow.Table
        SIMULATIONS schema; no rows if there are no files.

    Raises
    ------
    UserError
        If a simulation occurs twice (chunks of two different cuts in one folder).
    """
    folder = root / "simulations" / recording / agent
    own = None if chunks is None else chunks[agent]
    tables = [read_table(file, SIMULATIONS) for file in chunk_files(folder, own)]
    if not tables:
        return SIMULATIONS.arrow.empty_table()
    table = pa.concat_tables([t.replace_schema_metadata(None) for t in tables])
    table = table.sort_by("simulation").combine_chunks()
    numbers = table.column("simulation").to_numpy()
    if len(np.unique(numbers)) < len(numbers):
        raise UserError(
            str(folder),
            "holds a simulation twice",
            "one row per simulation",
            "Files of an earlier cut into chunks are left over: remove this folder and the one of"
            " the same name under trajectories/, then run again.",
        )
    return table


def read_blank(root: Path, recording: str, agent: str) -> pa.Table | None:
    """The same agent's simulations in plume-free air; None if they were not run."""
    path = blank_path(root, recording, agent)
    return read_table(path, SIMULATIONS) if path.is_file() else None


def trajectory_blocks(
    files: Sequence[Path],
    columns: list[str],
    simulations: np.ndarray | None = None,
    schema: Schema = TRAJECTORIES,
) -> Iterator[pa.Table]:
    """Rows of trajectory files, a row group at a time.

    Parameters
    ----------
    files : sequence of Path
    columns : list of str
        What to read; must include `simulation` if `simulations` is given.
    simulations : ndarray of int, optional
        Only rows of these.
    schema : Schema
        What the files must be.

    Yields
    ------
    pyarrow.Table
    """
    wanted = None if simulations is None else pa.array(simulations, pa.int64())
    for path in files:
        with readable(path, schema), pq.ParquetFile(path) as file:
            check_schema(path, file, schema)
            for group in range(file.num_row_groups):
                table = file.read_row_group(group, columns=columns)
                if wanted is not None:
                    table = table.filter(pc.is_in(table.column("simulation"), wanted))
                yield table


def read_trajectories(
    root: Path,
    recording: str,
    agent: str,
    columns: list[str],
    simulations: np.ndarray | None = None,
    chunks: Chunks | None = None,
) -> dict[str, np.ndarray]:
    """Columns of an agent's trajectories, sorted by (simulation, step).

    Returns
    -------
    dict of ndarray
        `simulation`, `step` and the asked-for columns; empty arrays if there is nothing.
    """
    names = ["simulation", "step", *columns]
    own = None if chunks is None else chunks[agent]
    files = chunk_files(root / "trajectories" / recording / agent, own)
    blocks = list(trajectory_blocks(files, names, simulations))
    if not blocks:
        return {
            name: np.empty(0, TRAJECTORIES.arrow.field(name).type.to_pandas_dtype())
            for name in names
        }
    table = pa.concat_tables([block.replace_schema_metadata(None) for block in blocks])
    arrays = {name: table.column(name).to_numpy() for name in names}
    order = np.lexsort((arrays["step"], arrays["simulation"]))
    return {name: array[order] for name, array in arrays.items()}


def columns_of(table: pa.Table) -> dict[str, np.ndarray]:
    """Columns as NumPy arrays: missing numbers become NaN, missing truth values False."""
    result: dict[str, np.ndarray] = {}
    for name in table.column_names:
        column = table.column(name)
        if pa.types.is_boolean(column.type):
            result[name] = column.fill_null(False).to_numpy().astype(bool)
        elif pa.types.is_string(column.type):
            result[name] = np.array(column.fill_null("").to_pylist(), dtype=str)
        else:
            result[name] = column.to_numpy()
    return result


def labels(config: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Labels of recordings and agents, in the order of the config."""
    return list(config["recordings"]), list(config["agents"])


def kind_of(recording: dict[str, Any]) -> str:
    """Kind of a recording's section of the resolved config: movie, analytic or signal."""
    if recording.get("analytic"):
        return "analytic"
    return "signal" if recording.get("signal") else "movie"
