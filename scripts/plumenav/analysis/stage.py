"""The analyze stage: from simulations to statistics/*.parquet and .csv."""

from __future__ import annotations

import csv
import io
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from plumenav.analysis import contracts
from plumenav.analysis.plume_maps import plume_maps, write_maps
from plumenav.analysis.run_files import (
    Chunks,
    kind_of,
    labels,
    maps_path,
    plume_path,
    read_blank,
    read_simulations,
)
from plumenav.analysis.statistics import (
    against_null_row,
    arrival_rows,
    completed_rows,
    measure_rows,
    null_agent,
    summary_row,
)
from plumenav.analysis.time_courses import time_course_rows
from plumenav.tables import Schema, write_table, write_text

logger = logging.getLogger(__name__)

Row = dict[str, Any]
TABLES = (
    contracts.SUMMARY,
    contracts.MEASURES,
    contracts.ARRIVAL,
    contracts.AGAINST_NULL,
    contracts.TIME_COURSES,
)


def table_of(rows: Sequence[Row], schema: Schema) -> pa.Table:
    """Table of a schema from rows; a missing key is an error, an empty list an empty table."""
    columns = {
        field.name: pa.array([row[field.name] for row in rows], field.type)
        for field in schema.arrow
    }
    return pa.table(columns, schema=schema.arrow)


def csv_text(table: pa.Table) -> str:
    """Table as CSV: shortest exact decimals, empty cells for missing values, Unix line ends."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.column_names)
    writer.writerows(zip(*(column.to_pylist() for column in table.columns), strict=True))
    return text.getvalue()


def statistics_rows(
    root: Path, config: dict[str, Any], chunks: Chunks | None = None
) -> Iterator[tuple[str, Row]]:
    """Rows of all tables, each with its table's name, by recording and agent.

    Parameters
    ----------
    root : Path
        results/<run>.
    config : dict
        Resolved config.
    chunks : mapping of sequence of str, optional
        Names of the chunks that belong to the run, by agent; all files if not given.
    """
    horizon_s = float(config["simulation"]["duration_s"])
    recordings, agents = labels(config)
    null = null_agent(config["agents"])
    for recording in sorted(recordings):
        settings = config["recordings"][recording]
        null_table = read_simulations(root, recording, null, chunks) if null else None
        for agent in sorted(agents):
            who = {"recording": recording, "agent": agent}
            simulations = read_simulations(root, recording, agent, chunks)
            blank = read_blank(root, recording, agent)
            condition = {"condition": settings.get("condition") or recording}
            yield "summary", {**who, **condition, **summary_row(simulations, blank, horizon_s)}
            for air, table in (("plume", simulations), ("blank", blank)):
                if table is not None:
                    for row in measure_rows(completed_rows(table)):
                        yield "measures", {**who, "air": air, **row}
            for row in arrival_rows(simulations, horizon_s):
                yield "arrival", {**who, **row}
            if null_table is not None and agent != null:
                row = against_null_row(simulations, null_table)
                yield "against_null", {**who, "null_agent": null, **row}
            if kind_of(settings) == "signal":
                wind = settings["wind"]
                for row in time_course_rows(root, recording, agent, wind, chunks):
                    yield "time_courses", {**who, **row}


def write_statistics(
    root: Path, config: dict[str, Any], chunks: Chunks | None = None
) -> list[Path]:
    """Write statistics/{summary,measures,arrival,against_null,time_courses}.{parquet,csv}.

    All tables are always written, empty where a run has nothing of the kind. Rows are sorted by
    recording and agent, so the bytes do not depend on the order in the config.

    Parameters
    ----------
    root : Path
        results/<run>.
    config : dict
        Resolved config.
    chunks : mapping of sequence of str, optional
        Names of the chunks that belong to the run, by agent; all files if not given.

    Returns
    -------
    list of Path
    """
    rows: dict[str, list[Row]] = {schema.name: [] for schema in TABLES}
    for name, row in statistics_rows(root, config, chunks):
        rows[name].append(row)
    written = []
    for schema in TABLES:
        table = table_of(rows[schema.name], schema)
        path = root / "statistics" / f"{schema.name}.parquet"
        write_table(path, table, schema)
        write_text(path.with_suffix(".csv"), csv_text(table))
        written += [path, path.with_suffix(".csv")]
    failed = sum(row["failed"] for row in rows["summary"])
    if failed:
        logger.warning("%d simulations failed; they are in no rate and no mean", failed)
    return written


def write_plume_maps(root: Path, recordings: Sequence[str]) -> list[Path]:
    """Write statistics/maps/{recording}.npz of each recording."""
    written = []
    for recording in recordings:
        path = maps_path(root, recording)
        write_maps(path, plume_maps(plume_path(root, recording)))
        written.append(path)
    return written
