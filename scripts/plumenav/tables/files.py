"""Writing files so that a half-written one is never seen, and reading tables with their schema."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from plumenav.errors import UserError
from plumenav.tables.schemas import Schema

METADATA_KEY = b"plumenav"
# of a table that is written piece by piece: its bytes do not depend on the pieces
ROWS_PER_GROUP = 2**17


@contextmanager
def atomic(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary name next to `path` and rename it to `path` if the block succeeds.

    The name is unique per process and call, the content is on disk before the rename, and a block
    that fails leaves nothing behind.

    Yields
    ------
    Path
        Where to write.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.parent / f".{os.getpid()}-{uuid.uuid4().hex[:8]}.{target.name}"
    try:
        yield temporary
        with open(temporary, "rb") as written:
            os.fsync(written.fileno())
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write a text file atomically (UTF-8, as given)."""
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: str | os.PathLike[str], content: Any) -> None:
    """Write JSON atomically: sorted keys, no NaN (None stands for what does not exist)."""
    write_text(path, json.dumps(content, indent=1, sort_keys=True, allow_nan=False) + "\n")


def read_json(path: str | os.PathLike[str]) -> Any:
    """Read a JSON file."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def file_metadata(schema: Schema, extra: dict[str, Any] | None) -> dict[bytes, bytes]:
    """Key-value metadata of a file: the schema's name and version and what else is said of it."""
    content = {"schema": schema.name, "version": schema.version, **(extra or {})}
    return {METADATA_KEY: json.dumps(content, sort_keys=True, allow_nan=False).encode()}


def write_table(
    path: str | os.PathLike[str],
    table: pa.Table,
    schema: Schema,
    metadata: dict[str, Any] | None = None,
) -> None:
    """Write a table with its schema, atomically.

    Parameters
    ----------
    path : path
        Target file.
    table : pyarrow.Table
        Its columns must be the schema's, in any order; further columns are allowed only if
        `metadata["variables"]` lists them (model variables of a trajectory).
    schema : Schema
    metadata : dict, optional
        JSON-able facts stored in the file.
    """
    extra = list((metadata or {}).get("variables", []))
    wanted = pa.schema([*schema.arrow, *[pa.field(name, pa.float64()) for name in extra]])
    table = table.select(wanted.names).cast(wanted)
    table = table.replace_schema_metadata(file_metadata(schema, metadata))
    floats = [f.name for f in wanted if pa.types.is_floating(f.type)]
    with atomic(path) as temporary:
        # dictionary pages on float columns cost five times the time and save nothing
        pq.write_table(
            table,
            temporary,
            compression="zstd",
            use_dictionary=[name for name in wanted.names if name not in floats],
            write_statistics=False,
        )


def check_schema(
    path: str | os.PathLike[str], file: pq.ParquetFile, schema: Schema
) -> dict[str, Any]:
    """Check a file's schema and return its plumenav metadata.

    Raises
    ------
    UserError
        Naming the file, the column, what was expected and what to run.
    """
    redo = f"Remove the file and run `snakemake {schema.written_by}` (or `make run`) again."
    found = file.schema_arrow
    raw = (file.metadata.metadata or {}).get(METADATA_KEY)
    if raw is None:
        raise UserError(str(path), "not a file of plumenav", f"a {schema.name} table", redo)
    metadata: dict[str, Any] = json.loads(raw)
    if (metadata.get("schema"), metadata.get("version")) != (schema.name, schema.version):
        raise UserError(
            str(path),
            f"holds {metadata.get('schema')} version {metadata.get('version')}",
            f"{schema.name} version {schema.version}",
            redo,
        )
    for field in schema.arrow:
        index = found.get_field_index(field.name)
        if index < 0:
            raise UserError(str(path), f"column {field.name!r} is missing", str(field.type), redo)
        if found.field(index).type != field.type:
            raise UserError(
                str(path),
                f"column {field.name!r} is {found.field(index).type}",
                str(field.type),
                redo,
            )
    return metadata


@contextmanager
def readable(path: str | os.PathLike[str], schema: Schema) -> Iterator[None]:
    """Turn the library's complaint about a damaged or missing file into a user's message."""
    try:
        yield
    except (pa.ArrowInvalid, OSError) as error:
        first_line = (str(error).splitlines() or [""])[0]
        raise UserError(
            str(path),
            f"cannot be read ({first_line})",
            f"a complete {schema.name} table",
            f"Remove the file and run `snakemake {schema.written_by}` (or `make run`) again.",
        ) from None


def read_table(
    path: str | os.PathLike[str], schema: Schema, columns: list[str] | None = None
) -> pa.Table:
    """Read a table, checking its schema; its metadata is in `metadata_of(table)`."""
    with readable(path, schema), pq.ParquetFile(path) as file:
        check_schema(path, file, schema)
        return file.read(columns=columns)


def metadata_of(table: pa.Table) -> dict[str, Any]:
    """plumenav's metadata of a table that was read with :func:`read_table`."""
    content: dict[str, Any] = json.loads((table.schema.metadata or {})[METADATA_KEY])
    return content


class TableStream:
    """Write a table piece by piece; use as a context manager, the file appears on success.

    Row groups are of ROWS_PER_GROUP rows, whatever the pieces were: the same rows in the same order
    make the same file.

    Parameters
    ----------
    path : path
    schema : Schema
    metadata : dict, optional
        As in :func:`write_table`.
    """

    def __init__(
        self, path: str | os.PathLike[str], schema: Schema, metadata: dict[str, Any] | None = None
    ) -> None:
        extra = list((metadata or {}).get("variables", []))
        arrow = pa.schema([*schema.arrow, *[pa.field(name, pa.float64()) for name in extra]])
        self.arrow = arrow.with_metadata(file_metadata(schema, metadata))
        self._atomic = atomic(path)
        self._pending: list[pa.Table] = []
        self._n_pending = self.rows = 0

    def __enter__(self) -> TableStream:
        temporary = self._atomic.__enter__()
        floats = {f.name for f in self.arrow if pa.types.is_floating(f.type)}
        self._writer = pq.ParquetWriter(
            temporary,
            self.arrow,
            compression="zstd",
            use_dictionary=[name for name in self.arrow.names if name not in floats],
            write_statistics=False,
        )
        return self

    def write(self, columns: dict[str, Any]) -> None:
        """Append rows given as one array per column."""
        arrays = [pa.array(columns[f.name], f.type) for f in self.arrow]
        piece = pa.Table.from_arrays(arrays, schema=self.arrow)
        self.rows += piece.num_rows
        while piece.num_rows:
            taken = piece.slice(0, ROWS_PER_GROUP - self._n_pending)
            piece = piece.slice(taken.num_rows)
            self._n_pending += taken.num_rows
            if taken.column(0).chunk(0).offset and self._n_pending < ROWS_PER_GROUP:
                taken = taken.take(pa.array(range(taken.num_rows)))  # a slice keeps what it is of
            self._pending.append(taken)
            if self._n_pending == ROWS_PER_GROUP:
                self._flush()

    def _flush(self) -> None:
        # in one piece: where a column is cut would show in the file
        self._writer.write_table(pa.concat_tables(self._pending).combine_chunks())
        self._pending, self._n_pending = [], 0

    def __exit__(self, *exc: Any) -> None:
        if exc[0] is None and self._pending:
            self._flush()
        self._writer.close()
        self._atomic.__exit__(*exc)
