"""Results of the benchmark in the user's history, and whether something has become slower.

One small file per run of the suite, in `benchmarks/` below the folder of the history of runs. What
is compared is the median CPU time of each measurement: runs with this code against runs with other
code, on the same machine, in the same form; the rules are those of plumenav.performance.regression.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from plumenav import history
from plumenav.errors import UserError
from plumenav.performance import regression
from plumenav.tables import read_json, write_json

logger = logging.getLogger(__name__)

VERSION = 1
FILES_KEPT = 200
LEAST_S = 0.02  # a shorter measurement is noise

Record = dict[str, Any]


def folder() -> Path:
    """Where they lie."""
    return history.folder() / "benchmarks"


def record_of(content: Mapping[str, Any], started_s: float) -> Record:
    """What is kept of a benchmark.json.

    Parameters
    ----------
    content : mapping
    started_s : float
        Seconds since the epoch.

    Returns
    -------
    dict
        {version, machine (fingerprint), code, form, started_s, cpu_s {measurement: median}, ratios
        {name: median}}.
    """
    times: dict[str, list[float]] = {}
    for cell in content["cells"]:
        times.setdefault(f"{cell['benchmark']}.{cell['variant']}", []).append(cell["cpu_s"])
    medians = {name: float(np.median(values)) for name, values in times.items()}
    return {
        "version": VERSION,
        "machine": content["machine"]["fingerprint"],
        "code": content["machine"]["code"],
        "form": content["form"],
        "started_s": started_s,
        "cpu_s": {name: median for name, median in medians.items() if median >= LEAST_S},
        "ratios": {name: one["median"] for name, one in content["ratios"].items()},
    }


def append(record: Record) -> None:
    """Add a record; a folder that cannot be written costs a warning."""
    began = datetime.fromtimestamp(record["started_s"], UTC).strftime("%Y%m%dT%H%M%S")
    path = folder() / f"{began}-{record['machine']}-{record['form']}.json"
    try:
        write_json(path, record)
        for old in sorted(folder().glob("*.json"), reverse=True)[FILES_KEPT:]:
            old.unlink(missing_ok=True)
    except OSError as error:
        logger.warning("the benchmark cannot be kept in %s (%s)", path.parent, error)


def read(machine: str, form: str) -> list[Record]:
    """Records of a machine in one form, newest first; what cannot be read is left out."""
    found = []
    for path in sorted(folder().glob(f"*-{machine}-{form}.json"), reverse=True):
        try:
            record = read_json(path)
        except (OSError, ValueError, UserError) as error:
            logger.warning("%s cannot be read (%s)", path.name, error)
            continue
        if isinstance(record, dict) and record.get("version") == VERSION:
            found.append(record)
    return found


def slower(records: Sequence[Record]) -> list[Record]:
    """Measurements that became slower by more than 10 %, surely.

    Parameters
    ----------
    records : sequence of dict
        Newest first; the first is the run in question.

    Returns
    -------
    list of dict
        {what, ratio, p, n_before, n_now}. Empty with fewer than three runs of this code, or five
        before it.
    """
    if not records:
        return []
    code = records[0]["code"]
    n = next((i for i, r in enumerate(records) if r["code"] != code), len(records))
    now = records[: min(n, regression.NOW_RUNS)]
    before = records[n : n + regression.BEFORE_RUNS]
    found = []
    for what in records[0]["cpu_s"]:
        sides = [
            np.log([r["cpu_s"][what] for r in side if what in r["cpu_s"]]) for side in (before, now)
        ]
        if len(sides[0]) < regression.FEWEST_BEFORE or len(sides[1]) < regression.FEWEST_NOW:
            continue
        ratio = float(np.exp(sides[1].mean() - sides[0].mean()))
        p = regression.slower_p(*sides) if ratio > regression.SLOWER else 1.0
        numbers = {"n_before": len(sides[0]), "n_now": len(sides[1])}
        found.append({"what": what, "ratio": ratio, "p": p, **numbers})
    for row, p in zip(found, regression.holm([row["p"] for row in found]), strict=True):
        row["p"] = p
    return [
        row for row in found if row["ratio"] > regression.SLOWER and row["p"] < regression.MAX_P
    ]


def slower_runs() -> list[Record]:
    """The same of the workflow's own runs on this machine."""
    before, now = regression.split(history.read(history.fingerprint()))
    return [
        {
            "what": row.what,
            "ratio": row.ratio,
            "p": row.p,
            "n_before": row.n_before,
            "n_now": row.n_now,
        }
        for row in regression.regressions(before, now)
    ]
