"""Which axis of an array counts frames, rows and columns: declared, recognized, or supposed."""

from __future__ import annotations

from itertools import permutations
from typing import NamedTuple

from plumenav.errors import UserError
from plumenav.recordings._contract import AXES, Settings

# A last axis so many times longer than both others is hardly an image's width.
LONG = 4


class Layout(NamedTuple):
    """Meaning of three axes.

    Attributes
    ----------
    order : tuple of int
        Axis of the array that counts frames, rows and columns.
    axes : tuple of str
        The same from the other side: meaning of each axis of the array, in its order.
    notes : list of str
        What was supposed, and what is doubtful.
    """

    order: tuple[int, int, int]
    axes: tuple[str, ...]
    notes: list[str]


def _layout(order: tuple[int, ...], notes: list[str]) -> Layout:
    frame, row, column = order
    axes = tuple(AXES[order.index(axis)] for axis in range(3))
    return Layout((frame, row, column), axes, notes)


def _known(expected: tuple[int | None, ...]) -> str:
    """Known lengths, for messages."""
    pairs = zip(("frames", "rows", "columns"), expected, strict=True)
    return ", ".join(f"{length} {name}" for name, length in pairs if length is not None)


def _difference(shape: tuple[int, ...], expected: tuple[int | None, ...]) -> str:
    """Lengths that are nowhere in the shape."""
    pairs = zip(("frames", "rows", "columns"), expected, strict=True)
    missing = [f"{n} ({name})" for name, n in pairs if n is not None and n not in shape]
    if missing:
        return f"No axis has length {', nor '.join(missing)}."
    return "Each length is there, but not on an axis of its own."


def find_layout(where: str, shape: tuple[int, ...], settings: Settings) -> Layout:
    """Meaning of the axes of an array.

    Declared axes win. Else the known shape decides, if exactly one order of axes fits it. Else the
    array is taken as (frame, row, column), and a note says so where that is doubtful.

    Parameters
    ----------
    where : str
        File, for messages.
    shape : tuple of int, length 3
        Lengths of the array's axes, as numpy gives them.
    settings : Settings
        Used: `axes` and `shape`.

    Returns
    -------
    Layout

    Raises
    ------
    UserError
        If no order of axes fits the known shape, or several do and (frame, row, column) does not.

    Examples
    --------
    >>> find_layout("x", (406, 216, 3600), Settings(shape=(3600, 406, 216))).axes
    ('row', 'column', 'frame')
    """
    expected = settings.shape
    if settings.axes is not None:
        declared = tuple(settings.axes.index(axis) for axis in AXES)
        notes = []
        if not _fits(shape, declared, expected):
            found = tuple(shape[axis] for axis in declared)
            notes.append(
                f"as the axes are declared, the movie has (frames, rows, columns) {found}, where"
                f" {_known(expected)} are expected"
            )
        return _layout(declared, notes)
    if expected == (None, None, None):
        return _layout((0, 1, 2), _doubts(shape))
    fitting = [order for order in permutations(range(3)) if _fits(shape, order, expected)]
    if not fitting:
        raise UserError(
            f"{where}: shape of the movie",
            f"the array is {shape}",
            f"{_known(expected)}, in any order of the axes",
            _difference(shape, expected)
            + " Correct what is expected of the recording, or set reader.axes to read it as it is.",
        )
    if len(fitting) == 1:
        layout = _layout(fitting[0], [])
        note = f"axes ({', '.join(layout.axes)}), recognized from the known shape"
        return layout._replace(notes=[note])
    if (0, 1, 2) not in fitting:
        raise UserError(
            f"{where}: reader.axes",
            f"not given, and {len(fitting)} orders of the axes {shape} fit {_known(expected)}",
            ", ".join(AXES) + " in the order of the array",
            "Set reader.axes.",
        )
    note = (
        f"several orders of the axes {shape} fit {_known(expected)}: taken as (frame, row, column)"
    )
    return _layout((0, 1, 2), [note])


def _fits(shape: tuple[int, ...], order: tuple[int, ...], expected: tuple[int | None, ...]) -> bool:
    lengths = (shape[axis] for axis in order)
    return all(want in (None, have) for want, have in zip(expected, lengths, strict=True))


def _doubts(shape: tuple[int, ...]) -> list[str]:
    if shape[2] < LONG * max(shape[:2]):
        return []
    return [
        f"taken as (frame, row, column), though the last of the axes {shape} is by far the longest:"
        " if it counts the frames, set reader.axes"
    ]
