"""From measures to checks: a value against its limits, and a sentence that names the fault."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

PASS, WARN, FAIL = "pass", "warn", "fail"
NOT_MEASURED, NOT_JUDGED = "not measured", "not judged"
SEVERITY = (PASS, WARN, FAIL)

# A fault spoils other measures too: once it is named, these are not judged.
SPOILS: dict[str, tuple[str, ...]] = {
    "polarity": (
        "clipping",
        "conservation",
        "fidelity",
        "residual_background",
        "background_structure",
        "source",
        "orientation",
        "noise_on",
        "noise",
    ),
    "residual_background": ("background_structure", "noise_on"),
    "isotropy": ("scale", "source", "orientation", "wind_direction", "fidelity"),
    "orientation": ("source", "wind_direction"),
}


class Check(NamedTuple):
    """One check of a recording.

    Attributes
    ----------
    name : str
    value : float or None
    unit : str
    limit_warn, limit_fail : float or None
    status : {"pass", "warn", "fail", "not measured", "not judged"}
    says : str
        A sentence; for a fault, with the key to change.
    """

    name: str
    value: float | None
    unit: str
    limit_warn: float | None
    limit_fail: float | None
    status: str
    says: str


def judged(
    name: str,
    value: float,
    unit: str,
    limits: Mapping[str, float | None],
    good: str,
    bad: str,
    *,
    falling: bool = False,
) -> Check:
    """Check of a value against its limits.

    Parameters
    ----------
    name, unit : str
    value : float
    limits : mapping
        warn and fail.
    good, bad : str
        What is said if it passes, and if it does not.
    falling : bool
        Small values are bad.
    """
    sign = -1.0 if falling else 1.0
    status = PASS
    for candidate in (WARN, FAIL):
        limit = limits[candidate]
        if limit is not None and sign * value > sign * limit:
            status = candidate
    says = good if status == PASS else bad
    return Check(name, float(value), unit, limits["warn"], limits["fail"], status, says)


def unmeasured(name: str, unit: str, limits: Mapping[str, float | None], why: str) -> Check:
    """Check of something that could not be measured."""
    return Check(name, None, unit, limits["warn"], limits["fail"], NOT_MEASURED, why)


def unjudged(check: Check, why: str) -> Check:
    """The same value without a verdict."""
    if check.status in (NOT_MEASURED, NOT_JUDGED):
        return check
    return check._replace(status=NOT_JUDGED, says=why)


def explained(checks: Sequence[Check]) -> list[Check]:
    """Checks with those not judged that another fault spoils."""
    by_name = {check.name: check for check in checks}
    for cause, spoiled in SPOILS.items():
        if cause in by_name and by_name[cause].status == FAIL:
            for name in spoiled:
                if name in by_name:
                    why = f"not judged: spoiled by what the check {cause!r} found"
                    by_name[name] = unjudged(by_name[name], why)
    return list(by_name.values())


def worst(checks: Sequence[Check]) -> str:
    """Overall status: that of the worst check."""
    ranks = [SEVERITY.index(check.status) for check in checks if check.status in SEVERITY]
    return SEVERITY[max(ranks)] if ranks else NOT_MEASURED


def as_rows(checks: Sequence[Check]) -> list[dict[str, Any]]:
    """Checks as JSON-able dictionaries."""
    return [check._asdict() for check in checks]
