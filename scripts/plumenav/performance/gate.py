"""What makes a run fail after its report is written: a missed check or a broken promise."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

MAX_FAILED_SHARE = 0.05  # simulations that may fail before the run does


def memory_misses(usage: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Jobs, or summaries of jobs, whose memory exceeded what was declared."""
    missed = []
    for record in usage:
        over = record.get("exceeded", [record])  # a summary of jobs, or one job
        missed += [
            {
                "what": f"memory of {job['rule']} "
                + " ".join(str(v) for v in job["wildcards"].values()),
                "found": f"{job['max_rss_mb']:.0f} MB",
                "required": f"<= {job['declared_mb']:.0f} MB declared",
            }
            for job in over
            if job["max_rss_mb"] > job["declared_mb"]
        ]
    return missed


def failure_misses(numbers: dict[str, Any]) -> list[dict[str, Any]]:
    """Too many simulations that went wrong."""
    simulations = numbers["simulations"]
    share = simulations["failed"] / max(1, simulations["requested"])
    if share <= MAX_FAILED_SHARE:
        return []
    return [
        {
            "what": "simulations that failed",
            "found": f"{100 * share:.1f} %",
            "required": f"<= {100 * MAX_FAILED_SHARE:g} %",
        }
    ]


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Rows of {what, found, required} as text."""
    head = {"what": "missed", "found": "found", "required": "required"}
    cells = [[str(row[key]) for key in head] for row in [head, *rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    )


def gate_table(
    verdict: dict[str, Any], numbers: dict[str, Any], usage: Iterable[dict[str, Any]]
) -> str:
    """What a run missed, as a table; empty if nothing.

    Parameters
    ----------
    verdict : dict
        validation/verdict.json.
    numbers : dict
        numbers.json.
    usage : iterable of dict
        Usage records and performance/summary.json.
    """
    missed = [*verdict["missed"], *failure_misses(numbers), *memory_misses(usage)]
    if not missed and not verdict["passed"]:
        missed = [{"what": "validation", "found": "failed", "required": "passed"}]
    if not missed:
        return ""
    return (
        f"plumenav: the run {numbers['run']!r} does not pass.\n"
        f"{table(missed)}\n"
        f"The report marks it: results/{numbers['run']}/report.html"
    )
