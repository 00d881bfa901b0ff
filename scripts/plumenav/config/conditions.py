"""Replicates of a condition: one synthetic recording with several seeds is several recordings."""

from __future__ import annotations

from typing import Any

from plumenav.config.sections import LABEL
from plumenav.errors import UserError


def replicates(label: str, seeds: list[int]) -> dict[str, int]:
    """Labels of the recordings that one entry with several seeds stands for.

    A label is made of the seed and not of its place in the list, so that a recording keeps its
    label, and with it its starts and noise, when seeds are added or taken away.

    Examples
    --------
    >>> replicates("smooth", [1, 7])
    {'smooth_1': 1, 'smooth_7': 7}
    """
    return {f"{label}_{seed}": seed for seed in seeds}


def expand_seeds(recordings: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Replace every synthetic recording that has `seeds` by one recording per seed.

    Parameters
    ----------
    recordings : dict
        Resolved recordings by label.

    Returns
    -------
    dict
        Resolved recordings by label, in the same order; none has `seeds`.

    Raises
    ------
    UserError
        If a label that is made would be too long, or is that of another recording.
    """
    expanded: dict[str, dict[str, Any]] = {}
    for label, entry in recordings.items():
        synthetic = dict(entry["synthetic"] or {})
        seeds = synthetic.pop("seeds", None)
        if seeds is None:
            copies = {label: {**entry, "synthetic": synthetic or None}}
        else:
            copies = {
                name: {**entry, "synthetic": {**synthetic, "seed": seed}}
                for name, seed in replicates(label, seeds).items()
            }
        for name in copies:
            where = f"recordings.{label}" + ("" if seeds is None else ".synthetic.seeds")
            if not LABEL.fullmatch(name):
                raise UserError(
                    where, f"the label {name!r} has {len(name)} characters", "at most 40"
                )
            if name in expanded:
                raise UserError(
                    where,
                    f"the label {name!r} is also that of another recording",
                    "one label per recording",
                    f"Rename {label!r} or the other one.",
                )
        expanded.update(copies)
    return expanded
