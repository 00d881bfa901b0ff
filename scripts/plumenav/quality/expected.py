"""Statistics of a plume against what is known of the recording beforehand, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

# of the config's `expected` section, and their names in the plume's quality record
STATISTICS = {
    "mean": "mean",
    "median": "median",
    "p95": "p95",
    "p99": "p99",
    "minimum": "min",
    "maximum": "max",
}
# a difference smaller than this share of the source is no disagreement, whatever it is relative to
LEAST = 0.005


# a rate that differs by less is the same (89.94 and 90 Hz are not)
RATE_TOLERANCE = 2e-4


def file_disagreements(found: Mapping[str, Any], expected: Mapping[str, Any]) -> list[str]:
    """What of the file is not as known beforehand, in words.

    Parameters
    ----------
    found, expected : mapping
        frames, rows, columns, dtype, frame_rate_hz; None where not known.

    Examples
    --------
    >>> file_disagreements({"rows": 216, "columns": 406}, {"rows": 406, "columns": 216})
    ['rows and columns are exchanged (216 x 406): reader.axes']
    >>> file_disagreements({"frame_rate_hz": 90.0}, {"frame_rate_hz": 89.94})
    ['frame_rate_hz 90, expected 89.94']
    """
    pairs: dict[str, tuple[Any, Any]] = {
        key: (found.get(key), expected.get(key))
        for key in ("frames", "rows", "columns", "dtype", "frame_rate_hz")
        if found.get(key) is not None and expected.get(key) is not None
    }
    rows, columns = pairs.get("rows"), pairs.get("columns")
    result = []
    if rows and columns and rows == columns[::-1] and rows[0] != columns[0]:
        sides = f"{rows[0]} x {columns[0]}"
        result.append(f"rows and columns are exchanged ({sides}): reader.axes")
        pairs = {key: pair for key, pair in pairs.items() if key not in ("rows", "columns")}
    for key, (here, known) in pairs.items():
        if key == "frame_rate_hz":
            if abs(here / known - 1) > RATE_TOLERANCE:
                result.append(f"{key} {here:.6g}, expected {known:.6g}")
        elif here != known:
            result.append(f"{key} {here}, expected {known}")
    return result


class Disagreement(NamedTuple):
    """One statistic that is not as expected.

    Attributes
    ----------
    statistic : str
        Key of the config's `expected` section.
    found, expected : float
    relative : float
        Difference over the expected size of it.
    cause : str
        Likely cause; empty if none is obvious.
    """

    statistic: str
    found: float
    expected: float
    relative: float
    cause: str


def disagreements(
    found: Mapping[str, float | None],
    expected: Mapping[str, Any],
    tolerance: float,
) -> list[Disagreement]:
    """Statistics that differ by more than a share of what is expected.

    Parameters
    ----------
    found : mapping
        mean, median, p95, p99, min, max of concentration.
    expected : mapping
        The config's `expected` section; None where nothing is known.
    tolerance : float
        Relative difference that is no disagreement.
    """
    pairs = {}
    for key, name in STATISTICS.items():
        here, known = found.get(name), expected.get(key)
        if here is not None and known is not None:
            pairs[key] = (float(here), float(known))
    cause = likely_cause(pairs)
    result = []
    for key, (here, known) in pairs.items():
        off = abs(here - known)
        relative = off / max(abs(known), LEAST)
        if off > LEAST and relative > tolerance:
            result.append(Disagreement(key, here, known, relative, cause))
    return result


def likely_cause(pairs: Mapping[str, tuple[float, float]]) -> str:
    """What would make found statistics out of the expected ones; empty if nothing obvious does.

    Examples
    --------
    >>> likely_cause({"median": (0.498, 0.0), "mean": (0.51, 0.01)})
    'a background was not subtracted (normalize.background)'
    >>> likely_cause({"p95": (0.4, 0.2), "p99": (0.6, 0.3), "maximum": (2.0, 1.0)})
    'concentrations are 2 times what they should be: normalize.calibration, or applied twice'
    >>> likely_cause({"mean": (0.06, 0.06)})
    ''
    """
    central = [pairs[key] for key in ("median", "mean") if key in pairs]
    shifts = [here - known for here, known in central]
    if shifts and min(shifts) > 0.05 and max(shifts) < 1.5 * min(shifts):
        high = pairs.get("p99") or pairs.get("p95")
        # a gain moves high values much farther than the middle
        if high is None or high[0] - high[1] < 2.0 * max(shifts):
            return "a background was not subtracted (normalize.background)"
    ratios = [
        here / known
        for key, (here, known) in pairs.items()
        if key not in ("minimum", "median") and known > LEAST
    ]
    if not ratios:
        return ""
    middle = sorted(ratios)[len(ratios) // 2]
    alike = all(abs(ratio / middle - 1) < 0.15 for ratio in ratios) if middle > 0 else False
    if middle < 0:
        return "odour makes pixels darker (normalize.polarity)"
    if alike and abs(middle - 1) > 0.05:
        return (
            f"concentrations are {middle:.3g} times what they should be: normalize.calibration, or"
            " applied twice"
        )
    if "maximum" in pairs and pairs["maximum"][0] < 0.9 * pairs["maximum"][1]:
        return "the top is cut off (saturation, or normalize.storage.maximum)"
    return ""
