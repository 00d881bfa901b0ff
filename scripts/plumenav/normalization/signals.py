"""Odour in time: pulses, trains of pulses, time series and encounters from files.

A value holds until the next time stamp; nothing is interpolated and no time grid is laid over what
a file says.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np

from plumenav.config.signals import Signal
from plumenav.errors import UserError, nearest

SLACK_S = 1e-9
GRID_SLACK_S = 1e-7  # a sample so close to an onset or end is that onset or end
PARQUET = b"PAR1"


class Series(NamedTuple):
    """A signal.

    Attributes
    ----------
    time_s : ndarray, shape (n,), float64
        Rising; each value holds until the next one.
    odor : ndarray, shape (n,), float32
    period_s : float
        Length, from the first time stamp.
    rate_hz : float or None
        Samples per second, where they are even.
    notes : list of str
    """

    time_s: np.ndarray
    odor: np.ndarray
    period_s: float
    rate_hz: float | None
    notes: list[str]

    def weights(self) -> np.ndarray:
        """How long each value holds, s, shape (n,)."""
        end = self.time_s[0] + self.period_s
        return np.diff(self.time_s, append=end)


def pulse(settings: Signal, where: str) -> Series:
    """Samples of a square pulse.

    Sample i, at i / frame_rate_hz, is inside if it is at or after start_s and before stop_s (with
    1e-9 s of slack against rounding); there are samples for times before duration_s.

    Raises
    ------
    UserError
        If the pulse does not end after it starts.
    """
    start_s, stop_s, duration_s = settings.start_s, settings.stop_s, settings.duration_s
    assert start_s is not None
    assert stop_s is not None
    assert duration_s is not None
    if not start_s < stop_s:
        raise UserError(f"{where}.stop_s", f"{stop_s} s", f"more than start_s ({start_s} s)")
    rate = settings.frame_rate_hz
    n = max(1, math.ceil(duration_s * rate - 1e-6))
    time_s = np.arange(n) / rate
    inside = (time_s >= start_s - SLACK_S) & (time_s < stop_s - SLACK_S)
    odor = np.where(inside, np.float32(settings.level), np.float32(0)).astype(np.float32)
    cut = stop_s > duration_s
    notes = [f"the pulse is cut at the end of the signal ({duration_s} s)"] if cut else []
    return Series(time_s, odor, n / rate, rate, notes)


def encounters(
    onsets_s: Sequence[float],
    offsets_s: Sequence[float],
    settings: Signal,
    where: tuple[str, str],
) -> Series:
    """A signal that is `level` from each onset until its end, and 0 otherwise, with exact times.

    Between them there are samples at i / frame_rate_hz, which change nothing that is smelled: they
    are where behaviour is looked at (time courses have one point per sample).

    Parameters
    ----------
    onsets_s, offsets_s : sequence of float
    settings : Signal
        Used: `level`, `duration_s`, `frame_rate_hz`.
    where : tuple of str
        Names of onsets and offsets, for messages.

    Raises
    ------
    UserError
        If they are not as many, not in order, overlap, or lie outside the signal.
    """
    duration_s = settings.duration_s
    assert duration_s is not None
    if len(onsets_s) != len(offsets_s):
        raise UserError(where[1], f"{len(offsets_s)} ends", f"one per onset ({len(onsets_s)})")
    times, values = [0.0], [0.0]
    last = 0.0
    for i, (onset, offset) in enumerate(zip(onsets_s, offsets_s, strict=True)):
        if onset < last:
            raise UserError(
                where[0],
                f"number {i + 1} begins at {onset:g} s, before {last:g} s",
                "rising times from 0, each at or after the end of the encounter before",
            )
        if not offset > onset:
            raise UserError(
                where[1],
                f"number {i + 1} ends at {offset:g} s and begins at {onset:g} s",
                "an end after its onset",
            )
        if onset >= duration_s:
            raise UserError(
                where[0],
                f"number {i + 1} begins at {onset:g} s",
                f"before duration_s ({duration_s:g} s)",
                "Give a longer duration_s.",
            )
        for time, value in ((onset, settings.level), (min(offset, duration_s), 0.0)):
            if time == times[-1]:
                values[-1] = value
            elif time < duration_s:
                times.append(time)
                values.append(value)
        last = offset
    notes = []
    if last > duration_s:
        notes.append(f"the last encounter is cut at the end of the signal ({duration_s:g} s)")
    grid = np.arange(math.ceil(duration_s * settings.frame_rate_hz - 1e-6)) / settings.frame_rate_hz
    held = np.searchsorted(times, grid + GRID_SLACK_S, side="right") - 1
    between = grid > np.array(times)[held] + GRID_SLACK_S
    time_s = np.concatenate([times, grid[between]])
    odor = np.concatenate([values, np.array(values)[held][between]]).astype(np.float32)
    order = np.argsort(time_s)
    return Series(time_s[order], odor[order], duration_s, None, notes)


def _csv_columns(path: Path) -> dict[str, list[str]]:
    """Columns of a text table with headings, cells as text."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise UserError(str(path), f"cannot be read ({reason})", "CSV or Parquet") from None
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise UserError(str(path), "is empty", "a row of headings and rows of numbers")
    delimiter = max(",;\t", key=lines[0].count)
    headings, *rows = csv.reader(lines, delimiter=delimiter)
    headings = [heading.strip() for heading in headings]
    for i, row in enumerate(rows):
        if len(row) != len(headings):
            raise UserError(
                str(path), f"row {i + 1} has {len(row)} cells", f"{len(headings)}, as the headings"
            )
    return {name: [row[k].strip() for row in rows] for k, name in enumerate(headings)}


def _parquet_columns(path: Path) -> dict[str, list[object]]:
    """Columns of a Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(path).read()
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(str(path), f"cannot be read ({reason})", "CSV or Parquet") from None
    return {name: table.column(name).to_pylist() for name in table.column_names}


def read_columns(path: Path, names: dict[str, str], where: str) -> list[np.ndarray]:
    """Columns of numbers of a CSV or Parquet file, recognized by its content.

    Parameters
    ----------
    path : Path
    names : dict
        {key of the config: column that it names}.
    where : str
        Config key of the signal, for messages.

    Returns
    -------
    list of ndarray, float64
        In the order of `names`.

    Raises
    ------
    UserError
        If a column is missing (lists those there), there are no rows, or something in it is not a
        finite number.
    """
    with open(path, "rb") as file:
        is_parquet = file.read(len(PARQUET)) == PARQUET
    columns: dict[str, list[str]] | dict[str, list[object]] = (
        _parquet_columns(path) if is_parquet else _csv_columns(path)
    )
    found = []
    for key, name in names.items():
        if name not in columns:
            raise UserError(
                f"{where}.{key}",
                f"{path.name} has no column {name!r}",
                ", ".join(map(str, columns)),
                nearest(name, list(columns)),
            )
        cells = columns[name]
        if not cells:
            raise UserError(str(path), "has headings and no rows", "rows of numbers")
        values = np.full(len(cells), np.nan)
        for i, cell in enumerate(cells):
            with suppress(TypeError, ValueError):
                values[i] = float(cell)  # type: ignore[arg-type]
            if not math.isfinite(values[i]):
                raise UserError(
                    f"{path.name}, column {name!r}, row {i + 1}",
                    "nothing" if cell in ("", None) else f"{cell}",
                    "a finite number",
                    "Remove the row: the value before it then holds until the next row.",
                )
        found.append(values)
    return found


def time_series(settings: Signal, where: str, path: Path) -> Series:
    """A file's own samples at its own times.

    Raises
    ------
    UserError
        If time does not rise from row to row, or one row has no duration.
    """
    assert settings.time_column is not None
    assert settings.odor_column is not None
    names = {"time_column": settings.time_column, "odor_column": settings.odor_column}
    time_s, odor = read_columns(path, names, where)
    steps = np.diff(time_s)
    if not (steps > 0).all():
        i = int(np.flatnonzero(steps <= 0)[0])
        raise UserError(
            f"{path.name}, column {settings.time_column!r}, row {i + 2}",
            f"{time_s[i + 1]:g} s after {time_s[i]:g} s",
            "times in seconds that rise from row to row",
            "Sort the rows, and keep one of those with equal times.",
        )
    notes = []
    duration_s = settings.duration_s
    if duration_s is None:
        if len(time_s) == 1:
            raise UserError(f"{where}.duration_s", "not given, and the file has one row", "seconds")
        duration_s = float(time_s[-1] - time_s[0] + np.median(steps))
    elif time_s[-1] - time_s[0] >= duration_s:
        kept = time_s - time_s[0] < duration_s
        notes.append(f"{np.count_nonzero(~kept)} rows after {duration_s:g} s are not used")
        time_s, odor = time_s[kept], odor[kept]
    return Series(time_s, odor.astype(np.float32), duration_s, None, notes)


def _pulse(settings: Signal, where: str, path: Path | None) -> Series:
    return pulse(settings, where)


def _train(settings: Signal, where: str, path: Path | None) -> Series:
    assert settings.onsets_s is not None
    onsets, offsets, ends = settings.onsets_s, settings.offsets_s, "offsets_s"
    if offsets is None:
        assert settings.width_s is not None
        offsets, ends = tuple(onset + settings.width_s for onset in onsets), "width_s"
    return encounters(onsets, offsets, settings, (f"{where}.onsets_s", f"{where}.{ends}"))


def _series(settings: Signal, where: str, path: Path | None) -> Series:
    return time_series(settings, where, _required(path, where))


def _encounters(settings: Signal, where: str, path: Path | None) -> Series:
    path = _required(path, where)
    assert settings.onsets_column is not None
    assert settings.offsets_column is not None
    names = {"onsets_column": settings.onsets_column, "offsets_column": settings.offsets_column}
    onsets, offsets = read_columns(path, names, where)
    places = [f"{path.name}, column {name!r}" for name in names.values()]
    return encounters(onsets.tolist(), offsets.tolist(), settings, (places[0], places[1]))


def _required(path: Path | None, where: str) -> Path:
    if path is None:
        raise UserError(f"{where}.file", "was not found", "a CSV or Parquet file")
    return path


MAKERS = {"pulse": _pulse, "train": _train, "series": _series, "encounters": _encounters}


def make(settings: Signal, where: str, path: Path | None = None) -> Series:
    """The signal that a config describes.

    Parameters
    ----------
    settings : Signal
    where : str
        Config key, for messages.
    path : Path or None
        The file that `settings.file` names.
    """
    return MAKERS[settings.form](settings, where, path)
