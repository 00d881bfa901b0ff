"""Statistics of the factorial against numbers worked out by hand; which cells are measured."""

import math
from typing import Any

import numpy as np
import pytest

from plumenav.performance.benchmark import factorial, improvements
from plumenav.performance.benchmark._contract import Seen
from plumenav.performance.benchmark.factorial import BASELINE, PRODUCTION, Setting

# ------------------------------------------------------------------------------- statistics


def test_interval_and_p_of_paired_log_ratios() -> None:
    # logs 0.1, 0.2, 0.3: mean 0.2, standard error 0.1 / sqrt(3); t(0.975, 2) = 4.302653
    baseline = np.array([1.0, 10.0, 100.0])
    cell = baseline / np.exp([0.1, 0.2, 0.3])
    mean, low, high, p = improvements.log_ratio(baseline, cell)
    half = 4.302653 * 0.1 / math.sqrt(3)
    assert (mean, low, high) == pytest.approx((0.2, 0.2 - half, 0.2 + half))
    # of Student's t with 2 degrees of freedom: p = 1 - t / sqrt(2 + t^2), t = 2 sqrt(3)
    assert p == pytest.approx(1.0 - math.sqrt(12.0 / 14.0))


def test_pairs_cancel_what_slows_down_both() -> None:
    slow = np.array([1.0, 1.7, 3.1, 1.2])
    _, low, high, p = improvements.log_ratio(2.0 * slow, slow * np.array([1.0, 1.01, 0.99, 1.0]))
    assert math.log(1.9) < low < math.log(2.0) < high < math.log(2.1)
    assert p < 1e-4


def test_equal_ratios_have_no_spread() -> None:
    assert improvements.log_ratio(np.ones(3), np.ones(3)) == (0.0, 0.0, 0.0, 1.0)
    mean, low, high, p = improvements.log_ratio(np.full(3, 2.0), np.ones(3))
    assert (low, high, p) == (mean, mean, 0.0)


@pytest.mark.parametrize("n", [0, 1])
def test_no_interval_of_less_than_two(n: int) -> None:
    with pytest.raises(ValueError, match="pairs"):
        improvements.log_ratio(np.ones(n), np.ones(n))
    with pytest.raises(ValueError, match="pairs"):
        improvements.log_ratio(np.ones(3), np.ones(2))


def test_the_interval_covers_as_often_as_it_says() -> None:
    generator = np.random.default_rng(5)
    logs = generator.normal(0.25, 0.1, (400, 5))
    found = [improvements.log_ratio(np.exp(one), np.ones(5))[1:3] for one in logs]
    assert 0.92 <= np.mean([low <= 0.25 <= high for low, high in found]) <= 0.98


def test_half_the_time_is_twice_the_throughput() -> None:
    before = {"wall_s": np.array([2.0, 4.0]), "memory_mb": np.array([100.0, 100.0])}
    after = {"wall_s": np.array([1.0, 2.0]), "memory_mb": np.array([125.0, 125.0])}
    found = improvements.compare(before, after)
    assert found["time"]["improvement"] == pytest.approx(0.5)
    assert found["throughput"]["improvement"] == pytest.approx(1.0)
    assert found["memory"]["improvement"] == pytest.approx(-0.25)
    assert found["time"]["p"] == found["throughput"]["p"] == 0.0


def row(setting: str, improvement: float, p: float, fits: bool = True) -> dict[str, Any]:
    values = {"improvement": improvement, "ci_low": 0.0, "ci_high": 1.0, "p": p, "p_holm": p}
    same = {name: dict(values) for name in ("time", "throughput", "memory")}
    return {"setting": setting, "simulations": 10, "fits": fits, **same}


def test_p_is_corrected_over_all_rows() -> None:
    rows = improvements.corrected([row("a", 0.2, 0.01), row("a", 0.2, 0.04), row("b", 0.2, 0.03)])
    assert [one["time"]["p_holm"] for one in rows] == pytest.approx([0.03, 0.06, 0.06])
    assert [one["time"]["p"] for one in rows] == [0.01, 0.04, 0.03]


def test_the_largest_sure_improvement_is_recommended() -> None:
    rows = [
        *[row("good", 0.3, 0.01)] * 4,
        *[row("better", 0.5, 0.01)] * 4,
        *[row("unsure", 0.9, 0.06)] * 4,
        *[row("small", 0.10, 0.001)] * 4,
        # three of four are not more than 75 %
        *[row("often", 0.7, 0.01)] * 3,
        row("often", 0.05, 0.01),
        *[row("large", 0.8, 0.01, fits=False)] * 4,
    ]
    found = improvements.recommended(rows, "base")
    assert (found["setting"], found["cases"], found["significant"]) == ("better", 4, 4)
    assert found["improvement"] == pytest.approx(0.5)


def test_four_of_five_cases_are_enough() -> None:
    rows = [*[row("often", 0.5, 0.01)] * 4, row("often", 0.0, 0.5)]
    found = improvements.recommended(rows, "base")
    assert (found["setting"], found["cases"], found["significant"]) == ("often", 5, 4)
    assert found["improvement"] == pytest.approx(1.0 - 0.5**0.8)


def test_else_the_baseline_stands() -> None:
    found = improvements.recommended([row("unsure", 0.9, 0.06)], "base")
    assert found["setting"] == "base"
    assert "the baseline stands" in found["reason"]


# ----------------------------------------------------------------------------------- design


def test_the_full_design_has_every_cell_once() -> None:
    assert len(factorial.design("full", 8)) == 4 * 3 * 3 * 3
    # two workers are all there are
    two = factorial.design("full", 2)
    assert len(two) == len(set(two)) == 4 * 2 * 3 * 3
    assert len(factorial.design("full", 1)) == 4 * 2 * 3 * 3


def test_the_default_is_a_fraction_with_each_factor_alone_and_the_production_setting() -> None:
    cells = factorial.design("default", 2)
    assert len(cells) == 18
    assert len(factorial.design("default", 8)) == 20
    for n in factorial.SIMULATIONS:
        own = [setting for simulations, setting in cells if simulations == n]
        assert own[0] == BASELINE
        assert PRODUCTION in own
    alone = [s for n, s in cells if n == 500 and sum(map(str.__ne__, s, BASELINE)) == 1]
    assert {s.workers for s in alone} == {"1", "2"}
    assert {s.memory for s in alone} == set(factorial.MEMORY)
    assert {s.cache for s in alone} == set(factorial.CACHES)


def test_the_quick_design_has_the_baseline_of_its_cells() -> None:
    cells = factorial.design("quick", 2)
    assert cells[0][1] == BASELINE
    assert len({n for n, _ in cells}) == 1


def measured(times: dict[str, float], memory_mb: float = 500.0) -> Seen:
    cells = [
        {
            "variant": variant,
            "repetition": i,
            "wall_s": wall_s * (1.0 + 0.01 * i),
            "memory_mb": memory_mb * (1.0 + 0.001 * i),
        }
        for variant, wall_s in times.items()
        for i in range(5)
    ]
    return Seen(cells)


def test_cells_are_compared_with_the_baseline_of_as_many_simulations() -> None:
    seen = measured(
        {
            f"10.{BASELINE.name}": 1.0,
            f"10.{PRODUCTION.name}": 0.5,
            f"500.{BASELINE.name}": 8.0,
            f"500.{PRODUCTION.name}": 2.0,
        }
    )
    rows = factorial.comparisons(seen)
    assert [one["simulations"] for one in rows] == [10, 500]
    assert [one["time"]["improvement"] for one in rows] == pytest.approx([0.5, 0.75])
    found = factorial.sections(seen)
    assert found["recommended"]["setting"] == PRODUCTION.name
    assert found["recommended"]["baseline"] == "1.conservative.off"
    assert found["recommended"]["improvement"] == pytest.approx(1.0 - math.sqrt(0.125))
    assert found["validation"]["by"] == f"500 simulations, {PRODUCTION.name}"


def test_the_requirements_are_judged_by_the_best_that_was_measured() -> None:
    seen = measured({f"10.{BASELINE.name}": 100.0, f"10.{PRODUCTION.name}": 50.0})
    judged = factorial.judge(seen)
    assert judged["seconds_per_simulation"].values[0] == pytest.approx(5.0)
    assert judged["simulations_per_hour"].values[0] == pytest.approx(720.0)
    assert judged["seconds_per_simulation"].required == 7.2
    assert judged["simulations_per_hour"].bound == "at least"
    assert judged["simulate_memory_mb"].values[0] == pytest.approx(500.0)


def test_what_needs_too_much_memory_is_not_the_best() -> None:
    few = {f"10.{BASELINE.name}": 100.0}
    cells = measured(few)._cells + measured({f"10.{PRODUCTION.name}": 50.0}, 9000.0)._cells
    assert factorial.best(Seen(cells)) == (10, BASELINE)


def test_workers() -> None:
    assert factorial.workers_of("2") == 2
    assert factorial.workers_of("all") >= 1
    assert Setting("all", "balanced", "all").name == "all.balanced.all"
