"""The same bits again? Bitwise comparison, hashes of trajectories, and the coefficient ICC(A,1)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa

KEYS = ("simulation", "step")


def icc_a1(ratings: np.ndarray) -> float:
    """Intraclass correlation of absolute agreement, two-way random effects, single rater.

    ICC(A,1) of McGraw & Wong (1996), Psychological Methods 1:30-46; ICC(2,1) of Shrout & Fleiss
    (1979), Psychological Bulletin 86:420-428.

    Parameters
    ----------
    ratings : ndarray, shape (n targets, k raters)
        Here: one measure of n simulations or conditions, from k runs.

    Returns
    -------
    float
        At most 1; 1 if all raters agree exactly, even where the targets do not vary; 0 where
        neither targets nor raters vary enough for the coefficient to exist.

    Raises
    ------
    ValueError
        If there are fewer than two targets or raters, or a number is not finite.
    """
    x = np.asarray(ratings, np.float64)
    if x.ndim != 2 or min(x.shape) < 2 or not np.isfinite(x).all():
        raise ValueError(f"ratings must be finite, at least 2 x 2; got shape {x.shape}")
    if (x == x[:, :1]).all():
        return 1.0
    n, k = x.shape
    grand, targets, raters = x.mean(), x.mean(axis=1), x.mean(axis=0)
    residual = x - targets[:, None] - raters[None, :] + grand
    ms_targets = k * float(np.sum((targets - grand) ** 2)) / (n - 1)
    ms_raters = n * float(np.sum((raters - grand) ** 2)) / (k - 1)
    ms_error = float(np.sum(residual**2)) / ((n - 1) * (k - 1))
    total = ms_targets + (k - 1) * ms_error + k / n * (ms_raters - ms_error)
    return (ms_targets - ms_error) / total if total > 0.0 else 0.0


# ------------------------------------------------------------------------------------- bits


def _row_order(table: pa.Table) -> np.ndarray:
    """Order of rows by (simulation, step); only by `simulation` where there is no `step`."""
    keys = [table.column(name).to_numpy() for name in KEYS if name in table.column_names]
    return np.lexsort(keys[::-1])


def _bits(column: pa.ChunkedArray, order: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values of a column as bytes, shape (n, width) uint8 (nulls are 0), and which are null."""
    null = column.is_null().to_numpy()[order]
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        texts = np.array(column.fill_null("").to_pylist(), dtype=np.str_)
        values = np.char.encode(texts, "utf-8") if texts.size else np.zeros(0, "S1")
    else:
        filled = column.fill_null(False if pa.types.is_boolean(kind) else 0)
        values = filled.to_numpy()
    values = np.ascontiguousarray(values[order])
    little_endian = values.astype(values.dtype.newbyteorder("<"), copy=False)
    width = max(1, values.dtype.itemsize)
    return little_endian.view(np.uint8).reshape(len(values), width), null


def first_difference(a: pa.Table, b: pa.Table) -> dict[str, Any] | None:
    """First difference between two tables of the same simulations, on the bytes.

    Rows are compared in the order of (simulation, step), whatever their order or chunking in the
    tables. Equal NaNs are equal; 0.0 and -0.0 are not, nor are a null and a value.

    Parameters
    ----------
    a, b : pyarrow.Table
        Trajectories (or simulations: then rows are ordered by `simulation` alone).

    Returns
    -------
    dict or None
        None: the same bits. Otherwise `what` (columns, types, rows, value), `column`,
        `simulation`, `step` (None where they do not apply), `a` and `b`, what was found, as text.
    """
    nothing: dict[str, Any] = {"column": None, "simulation": None, "step": None}
    if a.column_names != b.column_names:
        return {"what": "columns", **nothing, "a": str(a.column_names), "b": str(b.column_names)}
    for one, other in zip(a.schema, b.schema, strict=True):
        if one.type != other.type:
            types = {"a": str(one.type), "b": str(other.type)}
            return {"what": "types", **nothing, "column": one.name, **types}
    if a.num_rows != b.num_rows:
        return {"what": "rows", **nothing, "a": str(a.num_rows), "b": str(b.num_rows)}
    orders = _row_order(a), _row_order(b)
    first: tuple[int, str] | None = None
    for name in a.column_names:
        (bits_a, null_a), (bits_b, null_b) = (
            _bits(table.column(name), order) for table, order in zip((a, b), orders, strict=True)
        )
        if bits_a.shape != bits_b.shape:  # texts of different longest length
            width = max(bits_a.shape[1], bits_b.shape[1])
            bits_a, bits_b = (
                np.pad(bits, ((0, 0), (0, width - bits.shape[1]))) for bits in (bits_a, bits_b)
            )
        rows = np.flatnonzero((bits_a != bits_b).any(axis=1) | (null_a != null_b))
        if rows.size and (first is None or rows[0] < first[0]):
            first = int(rows[0]), name
    if first is None:
        return None
    row, name = first
    at = {
        key: a.column(key)[int(orders[0][row])].as_py() if key in a.column_names else None
        for key in KEYS
    }
    found = {
        label: repr(table.column(name)[int(order[row])].as_py())
        for label, table, order in (("a", a, orders[0]), ("b", b, orders[1]))
    }
    return {"what": "value", "column": name, **at, **found}


def trajectories_sha256(tables: Iterable[pa.Table]) -> str:
    """Fingerprint of the trajectories of one agent in one recording.

    It is a function of the rows alone: not of their order, of chunks, files or compression.

    Parameters
    ----------
    tables : iterable of pyarrow.Table
        All with the same columns and types.

    Returns
    -------
    str
        sha256 over the rows in the order of (simulation, step), column by column (name, type,
        which values are null, little-endian bytes of the values), columns in alphabetical order.

    Raises
    ------
    ValueError
        If there is no table, or columns or types differ.
    """
    parts = list(tables)
    if not parts:
        raise ValueError("no trajectories to hash")
    schema = parts[0].schema.remove_metadata()
    for part in parts:
        if not part.schema.remove_metadata().equals(schema):
            raise ValueError(f"columns differ: {part.schema.names} and {schema.names}")
    merged = pa.concat_tables([part.replace_schema_metadata(None) for part in parts])
    digest = hashlib.sha256(str(merged.num_rows).encode())
    for piece in _pieces(merged):
        digest.update(piece)
    return digest.hexdigest()


def _pieces(table: pa.Table) -> Iterator[bytes]:
    """What is hashed, column by column, so that only one column is copied at a time."""
    order = _row_order(table)
    for name in sorted(table.column_names):
        column = table.column(name)
        bits, null = _bits(column, order)
        yield f"\x1f{name}\x1f{column.type}\x1f{bits.shape[1]}\x1f".encode()
        yield np.packbits(null).tobytes()
        yield bits.tobytes()
