"""The requirements of a run: what is asked, what was measured, whether it is met."""

from __future__ import annotations

from typing import Any

MAX_FAILED = 0.05  # share of simulations that may fail
SECONDS_PER_SIMULATION = 7.2
HOURS_FOR_4000 = 8.0
# of fewer simulations the time is that of starting up, not of simulating
FEWEST_TO_TIME = 100

Target = dict[str, Any]


def target(name: str, required: str, measured: Any, passed: bool) -> Target:
    """One requirement: `required` in words, `measured` a number, a truth value or text."""
    return {"name": name, "required": required, "measured": measured, "passed": bool(passed)}


def cost_targets(performance: dict[str, Any]) -> list[Target]:
    """Time and memory; `performance` is performance/summary.json."""
    seconds = performance["seconds_per_simulation"]
    hours = performance["projected_hours_for_4000"]
    peak, promised = performance["peak_rss_mb"], performance["memory_mb"]
    completed = performance["completed"]
    few = 0 < completed < FEWEST_TO_TIME
    exceeded = len(performance["exceeded"])
    return [
        target(
            "seconds per simulation",
            f"<= {SECONDS_PER_SIMULATION}",
            seconds,
            few or (completed > 0 and seconds <= SECONDS_PER_SIMULATION),
        ),
        target(
            "hours for 4000 simulations",
            f"<= {HOURS_FOR_4000:g}",
            hours,
            few or (completed > 0 and hours <= HOURS_FOR_4000),
        ),
        target("memory of all jobs at once, MB", f"<= {promised:g}", peak, peak <= promised),
        target("jobs above their declared memory", "0", exceeded, exceeded == 0),
    ]


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
