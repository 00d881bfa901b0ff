"""Slower or not: known answers, few runs, and how often the test errs on simulated noise."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from plumenav.performance.regression import (
    compare,
    holm,
    quantities,
    regressions,
    slower_p,
    split,
)

RULES = {"simulate": 50.0, "published": 30.0, "reference": 20.0, "figures": 10.0, "plan": 1.0}
MODELS = {"on_off": 0.01, "infotaxis": 0.03}


def record(
    scale: dict[str, float] | float = 1.0,
    *,
    config: str = "ab",
    machine: str = "m1",
    complete: bool = True,
    cores: int = 2,
    code: str = "1",
    shape: dict[str, Any] | None = None,
    **flags: bool,
) -> dict[str, Any]:
    """A run whose rules cost RULES times `scale` (by rule, or all)."""
    by = scale if isinstance(scale, dict) else dict.fromkeys([*RULES, *MODELS], scale)
    rules = {rule: {"cpu_s": value * by.get(rule, 1.0)} for rule, value in RULES.items()}
    jobs = [
        {
            "rule": rule,
            "wildcards": {"agent": "a"},
            "shape": shape,
            "cached": flags.get("cached", False) and rule == "simulate",
            "compiled": flags.get("compiled", False) and rule == "simulate",
        }
        for rule in RULES
    ]
    cpu_s = sum(values["cpu_s"] for values in rules.values())
    return {
        "machine": {"fingerprint": machine},
        "versions": {"code": code},
        "config_sha256": config,
        "complete": complete,
        "cores": cores,
        "wall_s": cpu_s / 1.8,
        "cpu_s": cpu_s,
        "rules": rules,
        "models": {
            model: {"simulations": 10, "core_seconds_per_simulation": value * by.get(model, 1.0)}
            for model, value in MODELS.items()
        },
        "jobs": jobs,
    }


def noisy(
    rng: np.random.Generator, n: int, sd: float, shared: float, slow: float = 1.0, **how: Any
) -> list[dict[str, Any]]:
    """Runs with noise of the machine (shared by all rules) and of each rule; log-normal."""
    result = []
    for _ in range(n):
        machine = rng.normal(0, shared)
        scale = {
            key: float(np.exp(machine + rng.normal(0, sd))) * (slow if key == "simulate" else 1.0)
            for key in [*RULES, *MODELS]
        }
        result.append(record(scale, **how))
    return result


def test_what_is_compared() -> None:
    found = quantities(record())
    assert set(found) == {
        "wall time of the run", "CPU time of the run", "CPU time of simulate",
        "CPU time of published", "CPU time of reference", "CPU time of figures",
        "CPU time per simulation of on_off", "CPU time per simulation of infotaxis",
    }  # fmt: skip
    assert found["CPU time of simulate"][1] == 50.0
    assert "CPU time of plan" not in found  # below a twentieth of the run
    assert "wall time of the run" not in quantities(record(complete=False))


@pytest.mark.parametrize(
    "other",
    [
        {"config": "cd"}, {"cores": 4}, {"cached": True}, {"compiled": True}, {"complete": False},
    ],
)  # fmt: skip
def test_only_the_same_work_is_compared(other: dict[str, Any]) -> None:
    rng = np.random.default_rng(1)
    before = noisy(rng, 12, 0.02, 0.0, **other)
    now = noisy(rng, 5, 0.02, 0.0, slow=3.0)
    rows = {row.what: row for row in compare(before, now)}
    run = rows["CPU time of the run"]
    assert (run.verdict, run.n_before, run.n_now) == ("too few runs to say", 0, 5)
    simulate = rows["CPU time of simulate"]
    # a run that was partly done before may still have done all of a rule
    expected = "slower" if other == {"complete": False} else "too few runs to say"
    assert simulate.verdict == expected


def test_jobs_of_the_same_shape_are_compared_between_configs() -> None:
    rng = np.random.default_rng(2)
    shape = {"frames": 100, "height": 9, "width": 9, "model": "on_off"}
    before = noisy(rng, 12, 0.02, 0.0, config="cd", shape=shape)
    now = noisy(rng, 5, 0.02, 0.0, slow=1.5, shape=shape)
    rows = {row.what: row for row in compare(before, now)}
    assert rows["CPU time of simulate"].verdict == "slower"
    assert rows["CPU time of simulate"].ratio == pytest.approx(1.5, rel=0.05)
    assert rows["CPU time of the run"].verdict == "too few runs to say"


def test_other_machines_do_not_count() -> None:
    rng = np.random.default_rng(3)
    before = noisy(rng, 12, 0.02, 0.0, machine="m2")
    assert regressions(before, noisy(rng, 5, 0.02, 0.0, slow=3.0)) == []


@pytest.mark.parametrize(("n_before", "n_now"), [(0, 5), (4, 5), (12, 1), (12, 2)])
def test_few_runs_say_nothing(n_before: int, n_now: int) -> None:
    rng = np.random.default_rng(4)
    rows = compare(noisy(rng, n_before, 0.02, 0.0), noisy(rng, n_now, 0.02, 0.0, slow=5.0))
    assert {row.verdict for row in rows} == {"too few runs to say"}
    assert {(row.n_before, row.n_now) for row in rows} == {(n_before, n_now)}


def test_before_and_now_are_split_where_the_code_changed() -> None:
    runs = [record(code=code) for code in "3322222222221"]
    assert [len(side) for side in split(runs)] == [11, 2]
    assert [len(side) for side in split(runs[2:])] == [6, 5]
    assert split([]) == ([], [])
    assert compare([], []) == []
    assert len(split([record()] * 60)[0]) == 30


def test_p_is_that_of_the_named_tests() -> None:
    rng = np.random.default_rng(5)
    a, b = rng.normal(0, 0.1, 12), rng.normal(0.2, 0.2, 5)
    assert min(stats.shapiro(a).pvalue, stats.shapiro(b).pvalue) > 0.05
    welch = stats.ttest_ind(b, a, equal_var=False, alternative="greater").pvalue
    assert slower_p(a, b) == pytest.approx(welch)
    a[0] = 5.0  # one run beside which something else was going on
    assert stats.shapiro(a).pvalue < 0.05
    ranks = stats.mannwhitneyu(b, a, alternative="greater").pvalue
    assert slower_p(a, b) == pytest.approx(ranks)
    assert slower_p(np.zeros(5), np.ones(3)) < 0.05  # clocks too coarse to see noise
    assert slower_p(np.zeros(5), np.zeros(3)) > 0.4


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


# noise of a rule and of the machine as a whole, as standard deviations of log times
NOISE = [(0.03, 0.02), (0.1, 0.05), (0.1, 0.2)]


@pytest.mark.parametrize(("sd", "shared"), NOISE)
def test_false_alarms_are_rare(sd: float, shared: float) -> None:
    rng = np.random.default_rng(6)
    trials = 300
    alarms = sum(
        bool(regressions(noisy(rng, 10, sd, shared), noisy(rng, 4, sd, shared)))
        for _ in range(trials)
    )
    # any of eight quantities in one report: at most 5 %, and not by more than counting allows
    assert alarms <= stats.binom.ppf(0.999, trials, 0.05)


@pytest.mark.parametrize(("sd", "shared", "power"), [(0.03, 0.02, 0.95), (0.05, 0.03, 0.6)])
def test_a_fifth_slower_is_found(sd: float, shared: float, power: float) -> None:
    rng = np.random.default_rng(7)
    trials = 100
    found = 0
    for _ in range(trials):
        rows = regressions(noisy(rng, 20, sd, shared), noisy(rng, 5, sd, shared, slow=1.2))
        found += any(row.what == "CPU time of simulate" for row in rows)
    assert found >= power * trials


def test_a_tenth_is_no_regression_however_certain() -> None:
    rng = np.random.default_rng(8)
    rows = compare(noisy(rng, 30, 0.001, 0.0), noisy(rng, 5, 0.001, 0.0, slow=1.08))
    assert {row.verdict for row in rows} == {"not slower"}
