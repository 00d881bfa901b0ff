"""Where the time of the cores went, against schedules worked out by hand."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factories_results import job
from plumenav.performance.idle import lanes, segments, utilization, waited_for_memory
from plumenav.performance.inside import caches, memory_events, phases


def test_a_schedule_by_hand() -> None:
    # core 0: a 0-10, then nothing, then c 12-16; core 1: b 0-4
    jobs = [
        job("a", 0.0, 10.0, cpu_s=10.0),
        job("b", 0.0, 4.0, cpu_s=3.0),
        job("c", 12.0, 4.0, cpu_s=4.0),
        job("c", 100.0, 4.0, cpu_s=4.0),  # after a pause
    ]
    found = utilization(jobs, 2)
    assert found["wall_s"] == 20.0  # 0-16 and 100-104
    assert found["between_jobs_s"] == 4.0
    assert found["inside_jobs_s"] == 1.0
    assert found["beside_s"] == {"c": 8.0, "a": 6.0}
    assert found["busy_s"] == [18.0, 4.0]
    assert found["share"] == pytest.approx(21 / 40)
    assert (found["required"], found["passed"]) == (0.85, False)
    assert found["reasons"] == [
        {"where": "beside c", "core_s": 8.0, "share": 0.2},
        {"where": "beside a", "core_s": 6.0, "share": 0.15},
        {"where": "between jobs", "core_s": 4.0, "share": 0.1},
        {"where": "inside jobs", "core_s": 1.0, "share": 0.025},
    ]


def test_cores_that_were_busy_need_no_reason() -> None:
    found = utilization([job("a", 0.0, 10.0, cpu_s=18.0, threads=2)], 2)
    assert (found["share"], found["passed"], found["reasons"]) == (0.9, True, [])
    assert found["busy_s"] == [10.0, 10.0]
    nothing = utilization([], 2)
    assert (nothing["share"], nothing["reasons"]) == (0.0, [])


def test_jobs_of_several_threads_take_several_cores() -> None:
    jobs = [
        job("a", 0.0, 4.0), job("b", 1.0, 2.0, threads=2), job("c", 3.0, 2.0), job("d", 5.0, 1.0),
    ]  # fmt: skip
    assert lanes(jobs) == [0, 1, 1, 0]


spans = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 8)), min_size=1, max_size=12)


@given(spans)
def test_the_parts_add_up_and_no_core_has_two_jobs(rows: list[tuple[int, int]]) -> None:
    jobs = [job("a", float(s), float(n), cpu_s=0.75 * n) for s, n in sorted(rows)]
    at_work = [sum(s <= t < s + n for s, n in rows) for t in range(40)]
    cores = max(at_work)
    for since, until, running in segments(jobs):
        assert len(running) == at_work[int(since)]
        assert until > since
    assert max(lanes(jobs)) + 1 == cores
    held = sorted((lane, j["start_s"], j["wall_s"]) for lane, j in zip(lanes(jobs), jobs, strict=1))
    for (lane, start, wall), (other, after, _) in pairwise(held):
        assert lane != other or start + wall <= after
    found = utilization(jobs, cores)
    parts = found["between_jobs_s"] + found["inside_jobs_s"] + sum(found["beside_s"].values())
    cpu = sum(j["cpu_s"] for j in jobs)
    assert cpu + parts == pytest.approx(cores * found["wall_s"])
    assert found["share"] == pytest.approx(cpu / (cores * found["wall_s"]))


def waiting(declared: float) -> list[dict[str, Any]]:
    """On two cores, b starts when a ends; c was beside a for its first second."""
    return [
        job("a", 0.0, 10.0, declared_mb=3000.0),
        job("c", 0.0, 1.0, declared_mb=500.0),
        job("b", 10.2, 5.0, declared_mb=declared),
    ]


def test_waiting_for_memory() -> None:
    assert waited_for_memory(waiting(2000.0), 2, 4000.0) == (9.0, 5000.0, "b")
    assert waited_for_memory(waiting(1000.0), 2, 4000.0) == (0.0, 0.0, None)  # would have fitted
    assert waited_for_memory(waiting(2000.0), 1, 4000.0) == (0.0, 0.0, None)  # no core either
    late = [*waiting(2000.0)[:2], job("b", 14.0, 5.0, declared_mb=2000.0)]
    assert waited_for_memory(late, 2, 4000.0) == (0.0, 0.0, None)  # started for another reason
    two = [*waiting(2000.0), job("d", 10.2, 1.0, declared_mb=3000.0)]
    assert waited_for_memory(two, 2, 4000.0) == (9.0, 6000.0, "b")  # the same time counts once
    assert waited_for_memory([], 2, 4000.0) == (0.0, 0.0, None)


def test_what_jobs_say_of_their_work() -> None:
    jobs = [
        job("a", 0.0, 5.0, details={"phases": {"start": 1.0, "steps": 3.0}}),
        job("a", 0.0, 5.0, details={"phases": {"start": 2.0, "writing": 3.0}}),
        job("b", 0.0, 5.0, details={"cache": {"plumes": {"hits": 1, "misses": 0, "mb": 20.0}}}),
        job("b", 0.0, 5.0, details={"cache": {"plumes": {"hits": 0, "misses": 3, "mb": 5.0}}}),
        job("b", 0.0, 5.0, details={"memory_events": 2 * [{"kind": "smaller_blocks"}]}),
        job("a", 0.0, 5.0, details={"cache": {"blocks": {"hits": 0, "misses": 0, "mb": 0}}}),
    ]
    assert phases(jobs) == {"a": {"start": 3.0, "steps": 3.0, "writing": 3.0, "not told": 1.0}}
    assert list(phases(jobs)["a"])[-1] == "not told"
    assert caches(jobs) == {
        "blocks": {"hits": 0, "misses": 0, "mb": 0, "evicted": 0, "hit_rate": None},
        "plumes": {"hits": 1, "misses": 3, "mb": 25.0, "evicted": 0, "hit_rate": 0.25},
    }
    assert memory_events(jobs) == {"smaller_blocks": {"b": 2}}
