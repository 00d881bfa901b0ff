"""Recommendations: each fires on jobs made for it, says the number, and is silent otherwise."""

from typing import Any

import pytest

from factories_results import job
from plumenav.performance.idle import utilization
from plumenav.performance.recommendations import Measured, recommendations


def measured(
    jobs: list[dict[str, Any]],
    cores: int = 2,
    machine_cores: int = 2,
    earlier: tuple[dict[str, Any], ...] = (),
    **config: Any,
) -> Measured:
    sections: dict[str, Any] = {
        "batch": {"chunk_simulations": config.get("chunk", 500), "chunk_s": 10.0, "threads": 1},
        "resources": {
            "memory_mb": config.get("memory_mb", 8000),
            "max_workers": config.get("workers"),
        },
    }
    jobs = sorted(jobs, key=lambda j: j["start_s"])
    return Measured(
        jobs=jobs, config=sections, cores=cores, machine_cores=machine_cores,
        utilization=utilization(jobs, cores), earlier=earlier, config_sha256="ab",
        versions={"code": "1"},
    )  # fmt: skip


def simulate(start_s: float, wall_s: float, agent: str = "fly", **how: Any) -> dict[str, Any]:
    details = {"simulations": 500, **how.pop("details", {})}
    wildcards = {"recording": "smooth", "agent": agent, "chunk": "0000"}
    return job("simulate", start_s, wall_s, wildcards=wildcards, details=details, **how)


def said(found: Measured) -> list[tuple[str, str]]:
    return [(row.setting, f"{row.change}: {row.because}") for row in recommendations(found)]


def test_a_run_without_cause_is_told_nothing() -> None:
    assert said(measured([])) == []
    phases = {"phases": {"start_up": 1.0, "simulate": 9.0}}
    cache = {"cache": {"plumes": {"hits": 0, "misses": 5, "mb": 1.0}}, "memory_events": []}
    kernel = {"kernel": {"cache_hits": 0, "cache_misses": 1}}
    jobs = [simulate(10.0 * k, 10.0, details={**phases, **cache, **kernel}) for k in range(3)]
    assert said(measured([*jobs, *jobs], chunk=100)) == []


def test_jobs_that_waited_for_memory() -> None:
    jobs = [
        simulate(0.0, 10.0, declared_mb=3000.0),
        simulate(0.0, 1.0, declared_mb=900.0),
        job("recheck", 10.1, 9.0, declared_mb=2000.0),
        job("recheck", 10.1, 9.0, declared_mb=2000.0),
    ]
    (found,) = said(measured(jobs, memory_mb=4000))
    assert found == (
        "resources.memory_mb",
        "raise it to 5000, if the machine has that: cores stood idle for 9.0 s (24 % of their "
        "time) while recheck jobs did not fit into 4000 MB",
    )
    assert "resources.memory_mb" not in dict(said(measured(jobs, memory_mb=5000)))


def test_memory_that_ran_short() -> None:
    events = {"memory_events": [{"kind": "smaller_blocks"}, {"kind": "gave_up"}]}
    short = simulate(0.0, 5.0, details=events, max_rss_mb=950.0, declared_mb=1000.0)
    (found,) = said(measured([short, simulate(0.0, 5.0)]))
    assert found[0] == "resources.job_memory_mb"
    assert "raise it above 1000" in found[1]
    assert "ran short of memory 2 times and gave up 1 times" in found[1]
    assert "the largest used 950 of 1000 MB" in found[1]


@pytest.mark.parametrize(
    ("start_up", "agents", "chunk", "expected"),
    [
        (2.0, ("fly", "fly"), 100, []),  # exactly a fifth
        (2.1, ("fly", "moth"), 100, []),  # there is one chunk to an agent already
        (3.0, ("fly", "fly"), 100, ["raise it from 100 to 180"]),  # 4 x 3 / 7 of 100, in tens
        (3.0, ("fly", "fly"), "auto", ["raise it from 10 s to 18 s"]),
    ],
)
def test_chunks_that_mostly_start(
    start_up: float, agents: tuple[str, ...], chunk: int | str, expected: list[str]
) -> None:
    details = {"phases": {"start_up": start_up, "simulate": 10.0 - start_up}}
    jobs = [simulate(0.0, 10.0, agent, details=details) for agent in agents]
    rows = recommendations(measured(jobs, chunk=chunk))
    assert [row.change for row in rows] == expected
    for row in rows:
        assert row.setting == f"batch.{'chunk_s' if chunk == 'auto' else 'chunk_simulations'}"
        assert f"starting takes {10 * start_up:.0f} % of a simulate job" in row.because


def test_a_long_chunk_at_the_end() -> None:
    jobs = [simulate(0.0, 10.0), simulate(0.0, 14.0, "slow"), job("analyze", 14.0, 2.0)]
    (row,) = recommendations(measured(jobs))
    assert row.setting == "batch.chunk_simulations"
    assert row.change.startswith("lower it to 250,")
    assert "(slow in smooth) left other cores idle for 4.0 s (12 % of their time)" in row.because
    (row,) = recommendations(measured(jobs, chunk="auto"))
    assert row.setting == "batch.chunk_s"
    assert row.change.startswith("lower it to 5 s,")
    # alone, but another one came after it: what it waited for was something else
    more = [*jobs[:2], simulate(15.0, 9.0), simulate(15.0, 9.0)]
    assert said(measured(more)) == []
    # alone for a moment only
    assert said(measured([simulate(0.0, 10.0), simulate(0.0, 10.5)])) == []
    # the only other core worked on something else
    assert said(measured([*jobs[:2], job("reference", 10.0, 4.0)])) == []


def earlier(done: list[dict[str, Any]], **other: Any) -> dict[str, Any]:
    """A record of the same jobs an hour before."""
    entries = [
        {"rule": j["rule"], "wildcards": j["wildcards"], "compiled": True, "cached": False}
        for j in done
    ]
    record = {"versions": {"code": "1"}, "config_sha256": "ab", "started_s": 10_000.0 - 3600}
    return {**record, "jobs": entries} | other


OTHERS: tuple[dict[str, Any], ...] = (
    {"versions": {"code": "2"}}, {"config_sha256": "cd"}, {"jobs": []},
)  # fmt: skip


def test_stores_that_lose_what_they_need() -> None:
    missed, hit = (
        {"cache": {"results": {"hits": hits, "misses": 1 - hits, "mb": 1.0}}} for hits in (0, 1)
    )
    jobs = [
        simulate(10_000.0, 5.0, "a", details=missed),
        simulate(10_000.0, 5.0, "b", details=hit),
    ]
    (found,) = said(measured(jobs, earlier=(earlier(jobs),)))
    assert found[0] == "cache.results.limit_mb"
    assert "1 of 2 jobs that asked the store of results did again, in 5.0 s, what" in found[1]
    # of other work, or done for the first time, or taken from the store then, too
    for other in OTHERS:
        assert said(measured(jobs, earlier=(earlier(jobs, **other),))) == []
    then = earlier(jobs)
    for entry in then["jobs"]:
        entry["cached"] = True
    assert said(measured(jobs, earlier=(then,))) == []
    # dropped for its age, as asked for; or nothing was to be kept
    for limits, fires in (
        ({"max_age_h": 0.9, "enabled": True}, False),
        ({"max_age_h": 1.1, "enabled": True}, True),
        ({"max_age_h": 1.1, "enabled": False}, False),
    ):
        given = measured(jobs, earlier=(earlier(jobs),))
        given.config["cache"] = {"results": limits}
        assert bool(said(given)) is fires


def test_kernels_that_were_compiled_before() -> None:
    kernel = {"kernel": {"cache_hits": 0, "cache_misses": 1}}
    jobs = [simulate(0.0, 5.0, agent, details=kernel) for agent in ("a", "b")]
    (found,) = said(measured(jobs, earlier=(earlier(jobs),)))
    assert found[0] == "$PLUMENAV_CACHE"
    assert "2 of 2 simulate jobs compiled" in found[1]
    for other in OTHERS:
        assert said(measured(jobs, earlier=(earlier(jobs, **other),))) == []


def test_cores_that_are_not_used() -> None:
    jobs = [simulate(5.0 * k, 5.0, cpu_s=4.5) for k in range(3)]
    (found,) = said(measured(jobs, cores=1, machine_cores=4))
    assert found == (
        "--cores",
        "raise it from 1 up to 4: the run's 1 core was busy 90 % of the time; this machine has 4",
    )
    lazy = [{**j, "cpu_s": 4.0} for j in jobs]
    assert said(measured(lazy, cores=1, machine_cores=4)) == []
    assert said(measured(jobs, cores=1, machine_cores=1)) == []


def test_workers_that_are_not_allowed() -> None:
    jobs = [simulate(5.0 * k, 5.0, cpu_s=4.6) for k in range(3)]
    jobs += [job("reference", 15.0, 5.0, cpu_s=4.6)]
    (found,) = said(measured(jobs, cores=4, workers=1))
    assert found == (
        "resources.max_workers",
        "raise it from 1 up to 4: 1 of the run's 4 cores may work at once, and those were busy "
        "92 % of the time",
    )
    for limits in ({"cores": 1, "workers": 1}, {"cores": 4, "workers": 2}, {"cores": 4}):
        rows = said(measured(jobs, machine_cores=limits["cores"], **limits))
        assert "resources.max_workers" not in dict(rows)
