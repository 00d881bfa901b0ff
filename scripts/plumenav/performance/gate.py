"""What makes a run fail after its report is written: exactly what the report says was missed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Missed = dict[str, Any]  # {"what", "found", "required"}


def target_misses(numbers: dict[str, Any]) -> list[Missed]:
    """Requirements of numbers.json that are not met."""
    return [
        {"what": entry["name"], "found": entry["measured"], "required": entry["required"]}
        for entry in numbers["targets"]
        if not entry["passed"]
    ]


def memory_misses(jobs: Sequence[dict[str, Any]]) -> list[Missed]:
    """Jobs too late for numbers.json (the report itself) that used more than they declared."""
    return [
        {
            "what": f"memory of {job['rule']}",
            "found": f"{job['max_rss_mb']:.0f} MB",
            "required": f"<= {job['declared_mb']:.0f} MB declared",
        }
        for job in jobs
        if job["max_rss_mb"] > job["declared_mb"]
    ]


def _shown(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def table(rows: Sequence[Missed]) -> str:
    """Rows of {what, found, required} as text."""
    head = {"what": "missed", "found": "found", "required": "required"}
    cells = [[_shown(row[key]) for key in head] for row in [head, *rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    )


def gate_table(
    verdict: dict[str, Any], numbers: dict[str, Any], late_jobs: Sequence[dict[str, Any]]
) -> str:
    """What a run missed, as a table; empty if nothing.

    Parameters
    ----------
    verdict : dict
        validation/verdict.json.
    numbers : dict
        numbers.json.
    late_jobs : sequence of dict
        Usage records of jobs that ended after numbers.json was written.
    """
    missed = [*verdict["missed"], *target_misses(numbers), *memory_misses(late_jobs)]
    if not missed and not numbers["passed"]:
        missed = [{"what": "the run", "found": "failed", "required": "passed"}]
    if not missed:
        return ""
    return (
        f"plumenav: the run {numbers['run']!r} does not pass.\n"
        f"{table(missed)}\n"
        f"The report marks it: results/{numbers['run']}/report.html"
    )
