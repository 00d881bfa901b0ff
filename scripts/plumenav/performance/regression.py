"""Has it become slower? Runs of one machine and one kind of work, before and now.

*Now* are the newest runs since the code last changed, at most five; *before* are up to thirty runs
before those. What is compared is the same work only: see :func:`quantities`. A quantity is slower
if its geometric mean grew by more than 10 % and a one-sided test on log times finds p < 0.05 after
Holm's correction over everything that was compared: Welch's t test, or Mann-Whitney where
Shapiro-Wilk finds either group not normal. With few runs nothing is said.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from plumenav.history import Record

SLOWER = 1.10
MAX_P = 0.05
NOT_NORMAL_P = 0.05
NOW_RUNS = 5
BEFORE_RUNS = 30
FEWEST_NOW = 3
FEWEST_BEFORE = 5  # with three runs now, the smallest p of Mann-Whitney is 1/56
SHARE_TOLD = 0.05  # of a run's CPU time: rules below it are not compared one by one

Verdict = Literal["slower", "not slower", "too few runs to say"]


@dataclass(frozen=True)
class Regression:
    """One quantity, before and now.

    Attributes
    ----------
    what : str
        Of what: "CPU time of simulate", ...
    ratio : float
        Geometric mean now over before.
    p : float
        One-sided, after Holm's correction; 1 where the ratio is not above 1.1 or runs are too few.
    n_before, n_now : int
        Runs.
    verdict : str
    """

    what: str
    ratio: float
    p: float
    n_before: int
    n_now: int
    verdict: Verdict


def _kind_of_work(record: Record, jobs: Sequence[dict[str, Any]]) -> str:
    """What must be equal for times of these jobs to be comparable.

    The shapes of the jobs where all have one, else the run's settings; and which of them took their
    result from a store or compiled a kernel first.
    """
    shapes = all(job["shape"] for job in jobs)
    own = sorted(
        json.dumps(
            [job["shape"] if shapes else job["wildcards"], job["cached"], job["compiled"]],
            sort_keys=True,
        )
        for job in jobs
    )
    return json.dumps([None if shapes else record["config_sha256"], own])


def quantities(record: Record) -> dict[str, tuple[str, float]]:
    """What a record can be compared by.

    Returns
    -------
    dict
        {what: (kind of work, value)}: wall and CPU time of a complete run, CPU time of every rule
        that takes at least a twentieth of it, core-seconds per simulation of every model.

    Notes
    -----
    Rules are compared by CPU time: their wall time depends on what ran beside them.
    """
    result = {}
    cores = record["cores"]
    if record["complete"]:
        work = f"{cores} {_kind_of_work({**record}, record['jobs'])} {record['config_sha256']}"
        result["wall time of the run"] = (work, record["wall_s"])
        result["CPU time of the run"] = (work, record["cpu_s"])
    for rule, values in record["rules"].items():
        if values["cpu_s"] >= SHARE_TOLD * record["cpu_s"]:
            jobs = [job for job in record["jobs"] if job["rule"] == rule]
            work = f"{cores} {_kind_of_work(record, jobs)}"
            result[f"CPU time of {rule}"] = (work, values["cpu_s"])
    simulate = [job for job in record["jobs"] if job["rule"] == "simulate"]
    for model, values in record["models"].items():
        own = [job for job in simulate if (job["shape"] or {}).get("model") == model]
        work = f"{cores} {_kind_of_work(record, own or simulate)}"
        result[f"CPU time per simulation of {model}"] = (
            work,
            values["core_seconds_per_simulation"],
        )
    return {what: found for what, found in result.items() if found[1] > 0}


def split(records: Sequence[Record]) -> tuple[list[Record], list[Record]]:
    """Records before and now.

    Parameters
    ----------
    records : sequence of dict
        Newest first, all of one machine; the first is the run in question.
    """
    if not records:
        return [], []
    code = records[0]["versions"]
    since_change = next((i for i, r in enumerate(records) if r["versions"] != code), len(records))
    n = min(NOW_RUNS, since_change)
    return list(records[n : n + BEFORE_RUNS]), list(records[:n])


def slower_p(before: np.ndarray, now: np.ndarray) -> float:
    """One-sided p of the hypothesis that `now` is not larger than `before`.

    Parameters
    ----------
    before, now : array of float
        Logarithms of times, at least three each.
    """
    # half a CPU-second of imports, for runs that look slower only
    from scipy import stats

    constant = np.ptp(before) == 0 or np.ptp(now) == 0
    if not constant and min(stats.shapiro(before).pvalue, stats.shapiro(now).pvalue) > NOT_NORMAL_P:
        return float(stats.ttest_ind(now, before, equal_var=False, alternative="greater").pvalue)
    return float(stats.mannwhitneyu(now, before, alternative="greater").pvalue)


def holm(p: Sequence[float]) -> list[float]:
    """Holm's correction: p-values that hold for all of them together.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    order = sorted(range(len(p)), key=lambda i: p[i])
    corrected, largest = [1.0] * len(p), 0.0
    for rank, i in enumerate(order):
        largest = max(largest, min(1.0, (len(p) - rank) * p[i]))
        corrected[i] = largest
    return corrected


def compare(before: Sequence[Record], now: Sequence[Record]) -> list[Regression]:
    """Every quantity of the runs now against the same work before.

    Parameters
    ----------
    before, now : sequence of dict
        Records of one machine; `now` newest first.

    Returns
    -------
    list of Regression
        Of the quantities of the newest run, in its order.
    """
    if not now:
        return []
    machine = now[0]["machine"]["fingerprint"]
    sides = [
        [quantities(record) for record in side if record["machine"]["fingerprint"] == machine]
        for side in (before, now)
    ]
    rows = []
    for what, (work, _) in sides[1][0].items():
        times = [
            np.log([q[what][1] for q in side if what in q and q[what][0] == work]) for side in sides
        ]
        earlier, newest = times
        enough = len(earlier) >= FEWEST_BEFORE and len(newest) >= FEWEST_NOW
        ratio = float(np.exp(newest.mean() - earlier.mean())) if len(earlier) else 1.0
        # what is not slower by a tenth is no candidate, whatever its p
        p = slower_p(earlier, newest) if enough and ratio > SLOWER else 1.0
        rows.append((what, ratio, p, len(earlier), len(newest), enough))
    corrected = iter(holm([row[2] for row in rows if row[-1]]))
    result = []
    for what, ratio, _, n_before, n_now, enough in rows:
        p = next(corrected) if enough else 1.0
        verdict: Verdict = "too few runs to say"
        if enough:
            verdict = "slower" if ratio > SLOWER and p < MAX_P else "not slower"
        result.append(Regression(what, ratio, p, n_before, n_now, verdict))
    return result


def regressions(records: Sequence[Record], current: Sequence[Record]) -> list[Regression]:
    """What has become slower: the part of :func:`compare` that is to be acted on.

    Parameters
    ----------
    records : sequence of dict
        Earlier runs.
    current : sequence of dict
        The runs in question, newest first; fewer than three say nothing.
    """
    return [row for row in compare(records, current) if row.verdict == "slower"]
