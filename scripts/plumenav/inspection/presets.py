"""Published recordings whose known shape fits a file."""

from __future__ import annotations

from itertools import permutations
from typing import Any, NamedTuple

from plumenav.config.presets import load_preset, names
from plumenav.recordings._contract import AXES


class Fit(NamedTuple):
    """A preset that may be of this file.

    Attributes
    ----------
    name, title : str
    axes : tuple of str
        Meaning of the file's axes, as the reader handed them out, if it is this recording:
        (frame, row, column) if the order is right.
    """

    name: str
    title: str
    axes: tuple[str, ...]


def fitting_axes(
    shape: tuple[int | None, int, int], expected: dict[str, Any]
) -> tuple[str, ...] | None:
    """Order of axes in which a shape is the expected one; None if it is so in no order.

    Parameters
    ----------
    shape : tuple
        (frames, rows, columns) as read; None where the file does not promise it.
    expected : dict
        `frames`, `rows` and `columns`, each may be missing.

    Examples
    --------
    >>> fitting_axes((406, 216, 3600), {"frames": 3600, "rows": 406, "columns": 216})
    ('row', 'column', 'frame')
    """
    known = {axis: expected.get(f"{axis}s") for axis in AXES}
    if known["row"] is None or known["column"] is None:
        return None
    orders = permutations(AXES) if shape[0] is not None else [AXES]
    for order in orders:  # the right order comes first
        fits = (
            size is None or known[axis] is None or known[axis] == size
            for axis, size in zip(order, shape, strict=True)
        )
        if all(fits):
            return tuple(order)
    return None


def fitting(shape: tuple[int | None, int, int]) -> list[Fit]:
    """Presets whose expected shape is that of the file, in whatever order of axes."""
    found = []
    for name in names():
        preset = load_preset(name)
        axes = fitting_axes(shape, preset.recording.get("expected", {}))
        if axes is not None:
            found.append(Fit(name, preset.title, axes))
    return found


def disagreements(name: str, expected: dict[str, Any], read: dict[str, Any]) -> list[str]:
    """How a copy differs from what its preset knows, in words.

    Parameters
    ----------
    name : str
    expected : dict
        The preset's `expected`.
    read : dict
        `frames`, `rows`, `columns`, `dtype`, `frame_rate_hz` of the file; None where not known.
    """
    said = []
    for key, value in read.items():
        known = expected.get(key)
        if known is None or value is None:
            continue
        same = abs(value - known) <= 1e-3 * known if key == "frame_rate_hz" else value == known
        if not same:
            shown = f"{value:.5g}" if isinstance(value, float) else value
            said.append(f"preset {name} knows {key}: {known}, this file has {shown}")
    return said
