"""The requirements of a run: what is asked, what was measured, whether it is met.

Those on time and memory are in :mod:`plumenav.performance.targets`.
"""

from __future__ import annotations

from typing import Any

from plumenav.performance.targets import Target, target

MAX_FAILED = 0.05  # share of simulations that may fail


def validation_targets(
    validation: dict[str, Any], verdict: dict[str, Any], limits: dict[str, Any]
) -> list[Target]:
    """Agreement, reproducibility and the test of the gate itself.

    Parameters
    ----------
    validation : dict
        The `validation` part of numbers.json.
    verdict : dict
        validation/verdict.json.
    limits : dict
        The config's `validation` section.
    """
    agents = validation["agents"].values()
    compared = bool(agents) or not validation["not_validated"]
    largest_p = max((agent["p_value"] for agent in agents), default=1.0)
    r, icc = validation["min_correlation"], validation["reproducibility_icc"]
    mutants = [m for m in verdict.get("mutants", []) if m["applicable"]]
    caught = sum(m["caught"] for m in mutants)
    agreement = [
        target(
            "smallest correlation of increments",
            f">= {limits['min_correlation']:g}",
            r,
            r >= limits["min_correlation"],
        ),
        target("largest p-value", f"< {limits['max_p']:g}", largest_p, largest_p < limits["max_p"]),
    ]
    # where no agent has a reference there is nothing to require, and nothing is validated
    result = [
        *(agreement if compared else []),
        target(
            "reproducibility ICC(A,1)", f">= {limits['min_icc']:g}", icc, icc >= limits["min_icc"]
        ),
        target(
            "bitwise identical under other chunks and threads",
            "yes",
            validation["bitwise_identical"],
            validation["bitwise_identical"],
        ),
    ]
    if limits.get("mutants", True) and compared:
        result.append(
            target(
                "wrong engines caught by the gate",
                "all",
                f"{caught} of {len(mutants)}",
                bool(mutants) and caught == len(mutants),
            )
        )
    return result


def failure_target(simulations: dict[str, int]) -> Target:
    """Share of simulations that were asked for and did not run through."""
    requested = max(simulations["requested"], 1)
    share = 1 - simulations["completed"] / requested
    return target("failed simulations, share", f"<= {MAX_FAILED:g}", share, share <= MAX_FAILED)


def quality_targets(recordings: dict[str, dict[str, Any]], gate: bool) -> list[Target]:
    """Quality of the recordings; `gate`: a recording that fails its checks fails the run."""
    if not gate:
        return []
    failed = [
        f"{label} ({', '.join(c['name'] for c in entry['checks'] if c['status'] == 'fail')})"
        for label, entry in recordings.items()
        if entry["status"] == "fail"
    ]
    return [
        target("recordings that fail their checks", "none", ", ".join(failed) or "none", not failed)
    ]


def published_targets(published: list[dict[str, Any]]) -> list[Target]:
    """Numbers of publications, if the run supplies any: all of them are met, or which are not."""
    if not published:
        return []
    missed = [f"{entry['model']}: {entry['name']}" for entry in published if not entry["passed"]]
    met = f"{len(published) - len(missed)} of {len(published)}"
    measured = f"{met} (not: {'; '.join(missed)})" if missed else met
    return [target("numbers of publications that are met", "all", measured, not missed)]
