"""The performance part of the page: which targets it shows, and numbers with a sense of size."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from plumenav.tables import read_json

# what no optimization may touch is a target of performance, too
UNTOUCHED = (
    "smallest correlation of increments",
    "largest p-value",
    "reproducibility ICC(A,1)",
    "bitwise identical under other chunks and threads",
)


def review_of(root: Path) -> dict[str, Any]:
    """Content of performance/review.json; nothing where it was not written."""
    path = root / "performance" / "review.json"
    content: dict[str, Any] = read_json(path) if path.is_file() else {}
    return content


def performance_targets(
    targets: Sequence[dict[str, Any]], review: dict[str, Any]
) -> list[dict[str, Any]]:
    """Targets and goals for the page, those that fail a run first.

    Parameters
    ----------
    targets : sequence of dict
        The `targets` of numbers.json, those on time and memory first.
    review : dict
        performance/review.json.

    Returns
    -------
    list of dict
        {name, required, measured, passed (None: does not apply or not measured), note}.
    """
    names = [entry["name"] for entry in targets]
    costs = names.index(UNTOUCHED[0]) if UNTOUCHED[0] in names else len(names)
    shown = [
        {**entry, "note": "required of every run"}
        for i, entry in enumerate(targets)
        if i < costs or entry["name"] in UNTOUCHED
    ]
    return [*shown, *review.get("goals", [])]


def about(seconds: float | None) -> str:
    """A duration for readers.

    Examples
    --------
    >>> about(0.04), about(7.26), about(83.0), about(5400.0), about(90000.0), about(None)
    ('0.04 s', '7.3 s', '83 s', '1 h 30 min', '25 h', '–')
    """
    if seconds is None:
        return "–"
    if seconds < 100:
        return f"{seconds:.2g} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if rest and hours < 24 else f"{hours} h"
