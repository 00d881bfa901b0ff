"""Tables of finite-state controllers: read from CSV files, and checked."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from plumenav.errors import UserError, nearest

FOLDER = Path(__file__).parent / "controllers"
COLUMNS = ("memory", "odor", "action", "next_memory", "probability")
# left and right as seen looking downwind
ACTIONS = {"stay": 0, "upwind": 1, "downwind": 2, "left": 3, "right": 4}
CROSSWIND = 3
# probabilities are written with few digits
SUM_SLACK = 1e-6

Row = tuple[int, int, str, int, float]


def shipped() -> list[str]:
    """Names of the tables that come along."""
    return sorted(path.stem for path in FOLDER.glob("*.csv"))


def read_controller(table: str, folder: Path, where: str) -> list[Row]:
    """Read a controller.

    Parameters
    ----------
    table : str
        Name of one that comes along, or path of a CSV file; lines that begin with # are comments.
    folder : Path
        What a path is relative to.
    where : str
        Key that named it, for messages.

    Raises
    ------
    UserError
        If it cannot be read, or is no controller: file and line are named.
    """
    path = FOLDER / f"{table}.csv" if table in shipped() else folder / Path(table).expanduser()
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is no text"
        raise UserError(
            where,
            f"found {table!r}, and {path} cannot be read ({reason})",
            f"{', '.join(shipped())}, or the path of a CSV file",
            nearest(table, shipped()),
        ) from None
    lines = [
        (f"{path}, line {number}", fields)
        for number, line in enumerate(text.splitlines(), 1)
        if line.strip() and not line.startswith("#")
        for fields in csv.reader([line], skipinitialspace=True)
    ]
    if not lines or tuple(field.strip() for field in lines[0][1]) != COLUMNS:
        place, found = lines[0] if lines else (str(path), [])
        raise UserError(place, f"found {','.join(found)!r}", f"the header {','.join(COLUMNS)}")
    return checked_rows(lines[1:], str(path))


def _row(place: str, fields: Sequence[object]) -> Row:
    """One row with its types."""
    if len(fields) != len(COLUMNS):
        raise UserError(place, f"{len(fields)} values", f"{len(COLUMNS)}: {', '.join(COLUMNS)}")
    memory, odor, action, after, probability = (str(field).strip() for field in fields)
    for name, found in (("memory", memory), ("next_memory", after)):
        if not found.isascii() or not found.isdigit() or int(found) < 1:
            raise UserError(f"{place}: {name}", f"found {found!r}", "a whole number from 1")
    if odor not in ("0", "1"):
        raise UserError(f"{place}: odor", f"found {odor!r}", "0 or 1")
    if action not in ACTIONS:
        raise UserError(
            f"{place}: action",
            f"found {action!r}",
            ", ".join(ACTIONS),
            nearest(action, list(ACTIONS)),
        )
    try:
        chance = float(probability)
    except ValueError:
        chance = -1.0
    if not 0.0 <= chance <= 1.0:
        raise UserError(f"{place}: probability", f"found {probability!r}", "0 to 1")
    return int(memory), int(odor), action, int(after), chance


def checked_rows(rows: Sequence[tuple[str, Sequence[object]]], where: str) -> list[Row]:
    """Rows of a controller, if they are one.

    Parameters
    ----------
    rows : sequence of (str, sequence)
        Place of each row, for messages, and its values in the order of COLUMNS.
    where : str
        The whole table, for messages.

    Returns
    -------
    list of tuple
        (memory, odor, action, next_memory, probability), in the order given.

    Raises
    ------
    UserError
        If a value is not allowed, a row is there twice, a memory or an observation is missing, or
        the probabilities of one do not sum to 1.
    """
    found = [_row(place, fields) for place, fields in rows]
    first: dict[tuple[object, ...], str] = {}
    for (place, _), row in zip(rows, found, strict=True):
        if row[:4] in first:
            raise UserError(
                place,
                f"the same as in {first[row[:4]]}: {', '.join(map(str, row[:4]))}",
                "every (memory, odor, action, next_memory) once",
                "Add up the two probabilities in one row.",
            )
        first[row[:4]] = place
    if not found:
        raise UserError(where, "no rows", "rows for every memory, with and without odour")
    memories = max(row[0] for row in found)
    for (place, _), row in zip(rows, found, strict=True):
        if row[3] > memories:
            raise UserError(
                f"{place}: next_memory",
                f"found {row[3]}, which has no rows of its own",
                f"1 to {memories}",
            )
    for memory, odor, total in _sums(found, memories):
        if abs(total - 1.0) > SUM_SLACK:
            raise UserError(
                where,
                f"the probabilities of memory {memory}, odor {odor} sum to {total:.9g}",
                "1",
                "Every memory from 1 needs rows for odor 0 and for odor 1.",
            )
    return found


def _sums(rows: Sequence[Row], memories: int) -> Iterator[tuple[int, int, float]]:
    """Sum of the probabilities of every memory and observation."""
    totals: dict[tuple[int, int], float] = {}
    for memory, odor, _, _, probability in rows:
        totals[memory, odor] = totals.get((memory, odor), 0.0) + probability
    for memory in range(1, memories + 1):
        for odor in (0, 1):
            yield memory, odor, totals.get((memory, odor), 0.0)
