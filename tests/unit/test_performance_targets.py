"""Targets and goals of performance: when they are met, when they do not apply, and who measures."""

from typing import Any

import pytest

from factories_results import job
from plumenav import history
from plumenav.performance.targets import (
    BENCHMARKED,
    benchmark_goals,
    cost_targets,
    run_goals,
    start_up_share,
)
from plumenav.performance.usage import summarize


def by_name(goals: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {entry["name"]: entry for entry in goals}


@pytest.mark.parametrize(
    ("wall_s", "missed"),
    [
        (719.9, set()),
        (720.1, {"seconds per simulation", "simulations per hour", "hours for 4000 simulations"}),
    ],
)
def test_time_is_required_of_runs_that_can_tell(wall_s: float, missed: set[str]) -> None:
    slow = summarize([job("simulate", 0.0, wall_s)], 100, 8000.0)
    assert {t["name"] for t in cost_targets(slow) if not t["passed"]} == missed
    few = summarize([job("simulate", 0.0, wall_s)], 99, 8000.0)
    assert all(t["passed"] for t in cost_targets(few))
    none = summarize([job("simulate", 0.0, 1.0)], 0, 8000.0)
    assert len([t for t in cost_targets(none) if not t["passed"]]) == 3


def default_run(wall_s: float = 59.0, **how: Any) -> list[dict[str, Any]]:
    """Two cores at work for so long, after the recordings have been made."""
    made = job("synthesize", 0.0, 20.0)
    return [made, *(job("simulate", 20.0, wall_s, cpu_s=0.9 * wall_s, **how) for _ in range(2))]


def test_the_default_run_is_timed_from_recordings() -> None:
    name = "wall time, recordings given, s"
    good = by_name(run_goals(default_run(), 4004, 2))[name]
    assert (good["measured"], good["passed"]) == (59.0, True)
    assert by_name(run_goals(default_run(61.0), 4004, 2))[name]["passed"] is False


@pytest.mark.parametrize(
    ("completed", "cores", "details", "why"),
    [
        (3999, 2, {}, "3999 simulations"),
        (4000, 1, {}, "1 core"),
        (4000, 8, {}, "8 cores"),
        (4000, 2, {"cache": {"plumes": {"hits": 1}}}, "2 jobs took their result from a store"),
    ],
)
def test_other_runs_are_not_judged_by_it(
    completed: int, cores: int, details: dict[str, Any], why: str
) -> None:
    found = run_goals(default_run(61.0, details=details), completed, cores)[0]
    assert found["passed"] is None
    assert found["note"] == f"does not apply: {why}"
    assert found["measured"] == 61.0


def test_utilization_says_what_is_lost() -> None:
    # 98 + 9 of 2 x 79: beside synthesize 20, inside jobs 11.8
    found = by_name(run_goals(default_run(), 4004, 2))["CPU utilization"]
    assert found["measured"] == pytest.approx((20 + 2 * 53.1) / 158)
    assert found["passed"] is False
    assert found["note"] == "lost: 13 % beside synthesize, 7 % inside jobs"
    busy = by_name(run_goals(default_run()[1:], 4004, 2))["CPU utilization"]
    assert (busy["measured"], busy["passed"], busy["note"]) == (pytest.approx(0.9), True, "")


def test_chunks_are_judged_where_jobs_tell() -> None:
    told = by_name(run_goals(default_run(130.0), 4004, 2))
    assert told["longest simulate job, s"]["passed"] is False
    share = told["start-up of simulate jobs, share of their time"]
    assert (share["measured"], share["passed"]) == (None, None)
    for start_up, passed in ((11.8, True), (11.9, False)):
        details = {"phases": {"start_up": start_up, "simulate": 40.0}}
        goals = by_name(run_goals(default_run(details=details), 4004, 2))
        share = goals["start-up of simulate jobs, share of their time"]
        assert share["measured"] == pytest.approx(start_up / 59)
        assert share["passed"] is passed
    nothing = [job("normalize", 0.0, 1.0)]
    assert "longest simulate job, s" not in by_name(run_goals(nothing, 0, 2))
    assert start_up_share(nothing) is None


def benchmark(**machine: str) -> dict[str, Any]:
    ratio = {
        "median": 95.0, "ci_low": 90.0, "ci_high": 99.0, "required": 80.0, "bound": "at least",
        "passed": True,
    }  # fmt: skip
    here = {"fingerprint": history.fingerprint(), "code": "c0de"}
    return {
        "machine": {**here, **machine},
        "quick": False,
        "ratios": {"engine_vs_python_loop": ratio},
    }


def test_a_benchmark_of_this_machine_and_code_is_shown() -> None:
    goals = benchmark_goals(benchmark(), "c0de")
    assert len(goals) == len(BENCHMARKED)
    shown = [entry for entry in goals if entry["measured"] is not None]
    assert shown == [
        {
            "name": "engine against a loop over agents in plain Python", "required": ">= 80",
            "measured": 95.0, "passed": True, "note": "make bench: 90 to 99",
        }
    ]  # fmt: skip
    assert {entry["note"] for entry in goals if entry not in shown} == {
        "measured by make bench; not by the one at hand"
    }
    quick = benchmark_goals({**benchmark(), "quick": True}, "c0de")
    assert any(entry["note"] == "make bench (quick form): 90 to 99" for entry in quick)


@pytest.mark.parametrize(
    ("found", "note"),
    [
        (None, "measured by make bench"),
        (
            benchmark(fingerprint="f"),
            "measured by make bench; the one at hand is of another machine",
        ),
        (benchmark(code="other"), "measured by make bench; the one at hand is of other code"),
        ({"ratios": {}}, "measured by make bench; the one at hand is of another machine"),
    ],
)
def test_any_other_benchmark_is_not_taken_for_this_run(
    found: dict[str, Any] | None, note: str
) -> None:
    for entry in benchmark_goals(found, "c0de"):
        assert (entry["measured"], entry["passed"], entry["note"]) == (None, None, note)
