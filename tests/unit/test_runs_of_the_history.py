"""A run as the history keeps it: by rule, by model, and every job once."""

import json
from pathlib import Path
from typing import Any

import pytest

from factories_results import job
from plumenav import history
from plumenav.performance.runs import record_of, remember

CONFIG: dict[str, Any] = {
    "run": "demo",
    "agents": {"fly": {"model": "on_off"}, "twin": {"model": "on_off"}, "moth": {"model": "moth"}},
    "batch": {"chunk_simulations": 500, "threads": 1},
    "resources": {"memory_mb": 8000},
}
FACTS: dict[str, Any] = {
    "config_sha256": "ab" * 32,
    "versions": {"python": "3.11.7", "code": "1"},
    "cores": 2,
}


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLUMENAV_HISTORY", str(tmp_path / "history"))


def simulate(agent: str, start_s: float, cpu_s: float, **details: Any) -> dict[str, Any]:
    wildcards = {"recording": "smooth", "agent": agent, "chunk": "0000"}
    details = {"simulations": 100, **details}
    return job("simulate", start_s, 3.0, cpu_s=cpu_s, wildcards=wildcards, details=details)


def jobs_of_a_run(start_s: float = 1000.0) -> list[dict[str, Any]]:
    return [
        job("normalize", start_s, 2.0, wildcards={"recording": "smooth"}, max_rss_mb=512.34567),
        simulate("fly", start_s + 2, 2.0, shape={"model": "on_off", "frames": 9}),
        simulate("twin", start_s + 3, 4.0, kernel={"cache_hits": 0, "cache_misses": 1}),
        simulate("moth", start_s + 10, 5.0, cache={"results": {"hits": 1, "misses": 0, "mb": 1.0}}),
    ]


def test_costs_by_hand() -> None:
    record = record_of(jobs_of_a_run(), CONFIG, **FACTS)
    assert record is not None
    assert record["complete"] is True
    assert record["started_s"] == 1000.0
    assert record["wall_s"] == 9.0  # 1000-1006 and 1010-1013
    assert record["cpu_s"] == 13.0
    assert record["simulations"] == 300
    assert record["settings"] == {"chunk_simulations": 500, "threads": 1, "memory_mb": 8000}
    assert record["rules"]["simulate"] == {
        "jobs": 3, "wall_s": 9.0, "cpu_s": 11.0, "max_rss_mb": 400.0, "read_mb": 30.0,
        "written_mb": 6.0,
    }  # fmt: skip
    # both agents of one model; what came from a store was not simulated
    assert record["models"] == {"on_off": {"simulations": 200, "core_seconds_per_simulation": 0.03}}
    assert [(j["cached"], j["compiled"]) for j in record["jobs"]] == [
        (False, False), (False, False), (False, True), (True, False),
    ]  # fmt: skip
    assert record["jobs"][0]["max_rss_mb"] == 512.3
    assert record["jobs"][1]["shape"] == {"model": "on_off", "frames": 9}
    assert record["machine"] == history.machine()


def test_a_report_written_again_adds_nothing() -> None:
    jobs = jobs_of_a_run()
    assert remember(jobs, CONFIG, **FACTS) is not None
    assert remember(jobs[::-1], CONFIG, **FACTS) is None
    (record,) = history.read()
    assert len(record["jobs"]) == 4
    assert record == {**json.loads(json.dumps(record_of(jobs, CONFIG, **FACTS))), "version": 1}


def test_a_run_that_was_partly_done_adds_what_it_did() -> None:
    jobs = jobs_of_a_run()
    remember(jobs, CONFIG, **FACTS)
    again = simulate("fly", 2000.0, 7.0)
    added = remember([*jobs[:1], again, *jobs[2:]], CONFIG, **FACTS)
    assert added is not None
    assert added["complete"] is False
    assert (added["started_s"], added["cpu_s"], added["simulations"]) == (2000.0, 7.0, 100)
    assert list(added["rules"]) == ["simulate"]
    assert [r["started_s"] for r in history.read()] == [2000.0, 1000.0]
    # and with nothing left that is new
    assert remember([*jobs[:1], again, *jobs[2:]], CONFIG, **FACTS) is None


def test_systems_that_count_nothing() -> None:
    jobs = [{**j, "read_mb": None, "written_mb": None} for j in jobs_of_a_run()]
    record = record_of(jobs, CONFIG, **FACTS)
    assert record is not None
    assert record["rules"]["simulate"]["read_mb"] is None
    json.dumps(record, allow_nan=False)
