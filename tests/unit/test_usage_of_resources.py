"""Costs of a run against intervals and sums worked out by hand."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factories_results import config, job, write_jobs
from plumenav import jobs as jobs_module
from plumenav.performance.usage import (
    RULES,
    busy_s,
    concurrent_peak,
    job_files,
    known_sum,
    read_jobs,
    summarize,
    write_summary,
)
from plumenav.tables import read_json, read_table


def test_wall_time_is_the_union_of_intervals() -> None:
    jobs = [job("a", 100.0, 10.0), job("b", 105.0, 10.0), job("a", 500.0, 5.0)]
    assert summarize(jobs, 10, 8000.0)["wall_s"] == 20.0  # 100-115, 500-505
    assert busy_s([(0, 10), (2, 3)]) == 10
    assert busy_s([]) == 0


def test_memory_adds_up_where_jobs_overlap() -> None:
    jobs = [
        job("a", 0.0, 10.0, max_rss_mb=300.0),
        job("b", 5.0, 10.0, max_rss_mb=500.0),
        job("b", 10.0, 10.0, max_rss_mb=100.0),  # starts when the first ends
    ]
    summary = summarize(jobs, 10, 799.0)
    assert summary["peak_rss_mb"] == 800.0
    assert summary["largest_job_mb"] == 500.0
    assert summary["budget"]["memory"] is False
    assert summary["within_budget"] is False
    assert summarize(jobs, 10, 800.0)["within_budget"] is True


def test_rates_by_hand() -> None:
    jobs = [job("a", 0.0, 36.0, cpu_s=30.0), job("a", 0.0, 20.0, cpu_s=18.0, threads=2)]
    summary = summarize(jobs, 5, 8000.0)
    assert summary["cores"] == 3
    assert summary["seconds_per_simulation"] == 7.2
    assert summary["core_seconds_per_simulation"] == pytest.approx(9.6)
    assert summary["simulations_per_hour"] == 500.0
    assert summary["projected_hours_for_4000"] == 8.0
    assert summary["within_budget"] is True  # exactly at the limits
    assert summarize(jobs, 4, 8000.0)["within_budget"] is False
    two = summarize(jobs, 5, 8000.0, cores=1)
    assert two["floor_s"] == 48.0
    assert two["wall_over_floor"] == 0.75
    assert summary["floor_s"] == 36.0


def test_nothing_completed_is_never_within_budget() -> None:
    for jobs in ([], [job("a", 0.0, 1.0)]):
        summary = summarize(jobs, 0, 8000.0)
        assert summary["within_budget"] is False
        assert summary["simulations_per_hour"] == 0.0


def test_rules_and_jobs_that_exceed(tmp_path: Path) -> None:
    settings_of_run = config({"r": "movie", "s": "movie"})
    write_jobs(tmp_path, settings_of_run, exceeded=True)
    summary = write_summary(tmp_path, 8, 8000.0, cores=2)
    assert summary == read_json(tmp_path / "performance/summary.json")
    assert list(summary["rules"]) == ["normalize", "simulate"]
    assert summary["rules"]["simulate"]["jobs"] == 8
    assert summary["rules"]["simulate"]["exceeded"] == 1
    assert summary["rules"]["normalize"]["wall_s"] == 5.0
    assert [(e["rule"], e["max_rss_mb"]) for e in summary["exceeded"]] == [("simulate", 900.0)]
    table = read_table(tmp_path / "performance/summary.parquet", RULES).to_pylist()
    assert {row["rule"]: row["cpu_s"] for row in table} == {
        rule: values["cpu_s"] for rule, values in summary["rules"].items()
    }
    one = write_summary(tmp_path, 8, 8000.0, files=job_files(tmp_path)[:1])
    assert list(one["rules"]) == ["normalize"]
    starts = [record["start_s"] for record in read_jobs(job_files(tmp_path))]
    assert starts == sorted(starts)


intervals = st.lists(st.tuples(st.integers(0, 50), st.integers(1, 20)), max_size=15)


@settings(deadline=None)
@given(intervals)
def test_union_and_peak_against_counting_seconds(rows: list[tuple[int, int]]) -> None:
    spans = [(float(start), float(start + length)) for start, length in rows]
    at_work = [sum(a <= t < b for a, b in spans) for t in range(80)]
    assert busy_s(spans) == sum(n > 0 for n in at_work)
    assert concurrent_peak([(a, b, 1.0) for a, b in spans]) == max(at_work, default=0)


def test_what_a_process_and_its_children_read_and_wrote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, written = jobs_module.read_and_written_mb()
    if read is None or written is None:
        pytest.skip("this system does not count")
    (tmp_path / "file").write_bytes(bytes(3_000_000))
    command = f"open({str(tmp_path / 'file')!r}, 'rb').read()"
    subprocess.run([sys.executable, "-c", command], check=True)
    more_read, more_written = jobs_module.read_and_written_mb()
    assert more_read is not None
    assert more_written is not None
    assert more_read - read >= 3.0
    assert 3.0 <= more_written - written < 4.0
    # where there is no /proc, psutil is asked; where it knows nothing, nothing is said
    monkeypatch.setattr(jobs_module.Path, "read_text", lambda _: "nothing of use")
    assert jobs_module.read_and_written_mb() != (None, None)
    monkeypatch.delattr("psutil.Process.io_counters")
    assert jobs_module.read_and_written_mb() == (None, None)


def test_rules_that_count_nothing_have_no_sum() -> None:
    records = [job("a", 0.0, 1.0, read_mb=None), job("a", 1.0, 1.0), job("b", 0.0, 1.0)]
    rules = summarize(records, 1, 8000.0)["rules"]
    assert (rules["a"]["read_mb"], rules["a"]["written_mb"]) == (10.0, 4.0)
    assert known_sum([]) is None
