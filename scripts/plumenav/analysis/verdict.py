"""The gate: from measured agreement and reproducibility to one verdict, with what was missed.

Two claims are never mixed: *agrees with our second implementation* is what is judged here; *agrees
with data from the authors' own code* is `original_code`, handed in by those who have such data.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow.compute as pc

from plumenav.analysis.agreement import MAX_ODOR_ERROR, Agreement

# more simulations than this cut short at a tie: the sample shows nothing
MAX_TIE_SHARE = 0.1
LIMITS = ("max_error_mm", "min_correlation", "min_icc", "max_p")
COMPARISONS = {"<": operator.lt, "<=": operator.le, ">=": operator.ge}
CORRELATIONS = ("r_dx", "r_dy", "r_dheading")

Missed = dict[str, Any]  # {"what", "found", "required"}


def _miss(what: str, found: Any, required: Any) -> Missed:
    return {"what": what, "found": found, "required": required}


def judge(agreement: Agreement, limits: Mapping[str, float]) -> tuple[dict[str, Any], list[Missed]]:
    """Judge one agent in one recording.

    Parameters
    ----------
    agreement : Agreement
    limits : dict
        `max_error_mm`, `min_correlation`, `max_p`.

    Returns
    -------
    entry : dict
        `min_r` (smallest of all increment correlations of all simulations), `n` (simulations),
        `max_abs_error_mm`, `max_odor_error`, `p_value`, `original_code` (None), `passed`, `ties`
        (simulations cut short at one), `constant_series`, `position_r` (smallest; shown, not
        judged), `sample`.
    missed : list of dict
        {what, found, required} of each condition that is not met.
    """
    rows, summary = agreement
    n = rows.num_rows
    where = f"{summary['agent']} in {summary['recording']}"
    if n == 0:
        entry = {
            **{"min_r": 0.0, "n": 0, "max_abs_error_mm": 0.0, "max_odor_error": 0.0},
            **{"p_value": 1.0, "original_code": None, "passed": False, "ties": 0},
            **{"constant_series": 0, "position_r": 0.0, "sample": summary["sample"]},
        }
        return entry, [_miss(f"{where}: simulations compared", 0, "at least 1")]
    ties = n - rows.column("tie_step").null_count
    untied = rows.filter(pc.is_null(rows.column("tie_step")))
    entry = {
        "min_r": min(pc.min(rows.column(name)).as_py() for name in CORRELATIONS),
        "n": n,
        "max_abs_error_mm": pc.max(rows.column("max_error_mm")).as_py(),
        "max_odor_error": pc.max(rows.column("max_odor_error")).as_py(),
        "p_value": summary["p_value"],
        "original_code": None,
        "ties": ties,
        "constant_series": pc.sum(rows.column("constant_series")).as_py(),
        "position_r": min(pc.min(rows.column(name)).as_py() for name in ("r_x", "r_y")),
        "sample": summary["sample"],
    }
    other_states = n - pc.sum(rows.column("states_equal")).as_py()
    other_lengths = untied.num_rows - (pc.sum(untied.column("lengths_equal")).as_py() or 0)
    tie_limit = max(1, int(MAX_TIE_SHARE * n))
    conditions = [
        ("largest position error, mm", entry["max_abs_error_mm"], "<=", limits["max_error_mm"]),
        ("largest odour error, relative", entry["max_odor_error"], "<=", MAX_ODOR_ERROR),
        ("smallest correlation of increments", entry["min_r"], ">=", limits["min_correlation"]),
        ("p-value of the pairing", entry["p_value"], "<", limits["max_p"]),
        ("simulations with another behaviour", other_states, "<=", 0),
        ("simulations with another length or end", other_lengths, "<=", 0),
        ("simulations cut short at a tie", ties, "<=", tie_limit),
    ]
    missed = [
        _miss(f"{where}: {what}", found, f"{sign} {limit:g}")
        for what, found, sign, limit in conditions
        if not COMPARISONS[sign](found, limit)
    ]
    entry["passed"] = not missed and bool(pc.all(rows.column("passed")).as_py())
    return entry, missed


def _agent(entries: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """One agent over its recordings: always the worst of them."""
    parts = list(entries.values())
    return {
        "min_r": min(part["min_r"] for part in parts),
        "n": sum(part["n"] for part in parts),
        "max_abs_error_mm": max(part["max_abs_error_mm"] for part in parts),
        "max_odor_error": max(part["max_odor_error"] for part in parts),
        "p_value": max(part["p_value"] for part in parts),
        "original_code": None,
        "passed": all(part["passed"] for part in parts),
        "by_recording": dict(entries),
    }


def verdict(
    agreements: Iterable[Agreement],
    *,
    reproducibility_icc: float,
    bitwise_identical: bool,
    mutants: Iterable[Mapping[str, Any]],
    limits: Mapping[str, float],
    original_code: Mapping[str, Mapping[str, Any]] | None = None,
    without_reference: Sequence[str] = (),
) -> dict[str, Any]:
    """Put the whole verdict together.

    Parameters
    ----------
    agreements : iterable of Agreement
        One per agent and recording.
    reproducibility_icc : float
        ICC(A,1) between a run and its repetition under other chunks and threads.
    bitwise_identical : bool
        Whether the repetition gave the same bits.
    mutants : iterable of dict
        {agent, recording, mutant, caught, applicable}: wrong engines, and whether the gate failed
        them. Those that are not applicable (say, a halved gain for a blind agent) do not count.
    limits : dict
        `max_error_mm`, `min_correlation`, `min_icc`, `max_p` (the config's validation section).
    original_code : dict, optional
        {agent: {source, n, passed}}: agreement with data from the authors' own code.
    without_reference : sequence of str
        Agents that nothing was compared with. They are named and do not fail; they are not
        validated either, and `agents` does not hold them.

    Returns
    -------
    dict
        JSON-able: `agents`, `min_correlation`, `reproducibility_icc`, `bitwise_identical`,
        `mutants`, `not_validated`, `passed`, `missed`, `limits`.
    """
    missed: list[Missed] = []
    entries: dict[str, dict[str, dict[str, Any]]] = {}
    for agreement in agreements:
        entry, misses = judge(agreement, limits)
        missed += misses
        summary = agreement.summary
        entries.setdefault(summary["agent"], {})[summary["recording"]] = entry
    agents = {label: _agent(entries[label]) for label in sorted(entries)}
    for label, original in (original_code or {}).items():
        if label in agents:
            agents[label]["original_code"] = dict(original)
            if not original["passed"]:
                missed.append(_miss(f"{label}: data of {original['source']}", False, True))
    if not agents and not without_reference:
        missed.append(_miss("agents compared with their references", 0, "at least 1"))
    if not reproducibility_icc >= limits["min_icc"]:
        required = f">= {limits['min_icc']:g}"
        missed.append(_miss("reproducibility, ICC(A,1)", reproducibility_icc, required))
    if not bitwise_identical:
        missed.append(_miss("same bits under other chunks and threads", False, True))
    wrong_engines = [dict(mutant) for mutant in mutants]
    for mutant in wrong_engines:
        if mutant["applicable"] and not mutant["caught"]:
            what = f"{mutant['agent']} in {mutant['recording']}: wrong engine {mutant['mutant']!r}"
            missed.append(_miss(what, "passes the gate", "fails it"))
    return {
        "agents": agents,
        "min_correlation": min((agent["min_r"] for agent in agents.values()), default=0.0),
        "reproducibility_icc": reproducibility_icc,
        "bitwise_identical": bitwise_identical,
        "mutants": wrong_engines,
        "not_validated": list(without_reference),
        "passed": not missed and all(agent["passed"] for agent in agents.values()),
        "missed": missed,
        "limits": {
            **{name: limits[name] for name in LIMITS},
            "max_odor_error": MAX_ODOR_ERROR,
            "max_tie_share": MAX_TIE_SHARE,
        },
    }
