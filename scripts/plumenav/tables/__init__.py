"""File contracts: the schema of every table, atomic writing, checked reading."""

from plumenav.tables.files import (
    TableStream,
    atomic,
    metadata_of,
    read_json,
    read_table,
    write_json,
    write_table,
    write_text,
)
from plumenav.tables.plume import Block, PlumeReader, PlumeWriter
from plumenav.tables.schemas import (
    AGREEMENT,
    PLAN,
    PLUME,
    REFERENCE,
    SIMULATIONS,
    TRAJECTORIES,
    Schema,
)

__all__ = [
    "AGREEMENT",
    "PLAN",
    "PLUME",
    "REFERENCE",
    "SIMULATIONS",
    "TRAJECTORIES",
    "Block",
    "PlumeReader",
    "PlumeWriter",
    "Schema",
    "TableStream",
    "atomic",
    "metadata_of",
    "read_json",
    "read_table",
    "write_json",
    "write_table",
    "write_text",
]
