"""The small run, from recordings to report, as a newcomer would start it."""

import json
import shutil
import zipfile

import pyarrow.parquet as pq
import pytest

from plumenav import history

pytestmark = pytest.mark.workflow


def test_it_ends_with_report_and_numbers(finished):
    results = finished.folder / "results/small"
    page = (results / "report.html").read_text()
    numbers = json.loads((results / "numbers.json").read_text())
    assert numbers["run"] == "small"
    assert numbers["simulations"] == {
        "requested": 192,
        "completed": 192,
        "failed": 0,
        "missing": 0,
    }
    assert numbers["validation"]["passed"] is True
    assert numbers["validation"]["bitwise_identical"] is True
    assert numbers["validation"]["reproducibility_icc"] == 1.0
    for agent in ("on_off", "walk_stop_turn", "surge_cast", "random_walk"):
        assert numbers["validation"]["agents"][agent]["min_r"] >= 0.9999
        for recording in ("smooth", "complex"):
            row = numbers["agents"][agent][recording]
            assert row["n"] == 24
            assert 0 <= row["ci_low"] <= row["success_rate"] <= row["ci_high"] <= 1
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert 'src="http' not in page
    assert len(page) < 10e6


def test_quality_pages_are_drawn_when_asked_for(finished):
    results = finished.folder / "results/small"
    assert not (results / "figures/quality").exists()
    page = (results / "report.html").read_text()
    for recording in ("smooth", "complex"):
        part = page.split(f'<article id="recording-{recording}">')[1].split("</article>")[0]
        assert "All " in part
    assert "<code>make quality</code>" in page
    try:
        done = finished.run("config/small.yaml", "quality")
        assert done.returncode == 0, done.stdout + done.stderr
        for recording in ("smooth", "complex"):
            base = results / "figures/quality" / recording
            for suffix in ("pdf", "svg", "png", "csv", "json"):
                assert base.with_suffix(f".{suffix}").stat().st_size > 0
        assert finished.planned("config/small.yaml") == {}
    finally:
        shutil.rmtree(results / "figures/quality", ignore_errors=True)


def test_recordings_alone_are_enough_to_start_from(finished, checkout):
    """Recordings, what is noted beside them, and nothing of any earlier run."""
    there = finished.folder / "results/small/recordings"
    here = checkout.folder / "results/small/recordings"
    shutil.copytree(there, here)
    planned = checkout.planned("config/small.yaml")
    assert "synthesize_recording" not in planned
    assert planned["normalize_recording"] == 2
    before = {path: path.stat().st_mtime_ns for path in here.iterdir()}
    done = checkout.snakemake("normalize", "--configfile", "config/small.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert {path: path.stat().st_mtime_ns for path in here.iterdir()} == before
    assert "synthesize_recording" not in checkout.planned("config/small.yaml")


def test_every_mutant_of_the_engine_fails_the_gate(finished):
    verdict = json.loads((finished.folder / "results/small/validation/verdict.json").read_text())
    mutants = verdict["mutants"]
    mutants = [mutant for mutant in mutants if mutant["applicable"]]
    assert all(mutant["caught"] for mutant in mutants)
    kinds = {mutant["mutant"] for mutant in mutants}
    assert {"mirrored y", "halved gain", "odour one frame late", "no refractory period"} <= kinds
    for agent in ("on_off", "walk_stop_turn", "surge_cast", "random_walk"):
        own = [mutant["mutant"] for mutant in mutants if mutant["agent"] == agent]
        assert len(own) >= 6
        assert sum("10 % off" in kind for kind in own) == 2


def test_a_second_call_does_nothing_and_says_so(finished):
    again = finished.run("config/small.yaml")
    assert again.returncode == 0
    assert "Nothing to be done" in again.stdout + again.stderr


def test_no_job_used_more_memory_than_it_declared(finished):
    records = list((finished.folder / "results/small/performance/jobs").rglob("*.json"))
    assert len(records) > 50
    for path in records:
        record = json.loads(path.read_text())
        assert 0 < record["max_rss_mb"] <= record["declared_mb"], path


def test_the_run_is_in_the_history_and_reviewed(finished):
    performance = finished.folder / "results/small/performance"
    # the report cannot tell of itself; pages are a target of their own, which other tests ask for
    apart = {"report", "quality_page"}
    files = [path for path in (performance / "jobs").rglob("*.json") if not apart & set(path.parts)]
    jobs = [json.loads(path.read_text()) for path in files]
    keys = {history.job_key(job) for job in jobs}
    (record,) = (
        found
        for found in history.read(history.fingerprint(), newest=500)
        if keys == {history.job_key(job) for job in found["jobs"] if job["rule"] != "synthesize"}
    )
    assert record["run"] == "small"
    assert record["complete"] is True
    assert record["simulations"] == 192
    assert set(record["models"]) >= {"on_off", "walk_stop_turn", "surge_cast"}
    assert all(job["read_mb"] > 0 for job in jobs)
    review = json.loads((performance / "review.json").read_text())
    numbers = json.loads((finished.folder / "results/small/numbers.json").read_text())
    assert numbers["performance"]["goals"] == review["goals"]
    assert len(review["timeline"]) == len(record["jobs"])
    assert review["trend"][-1]["cores"] == numbers["performance"]["cores"]


def test_trajectories_have_the_rows_they_should(finished):
    results = finished.folder / "results/small"
    for path in (results / "trajectories").rglob("*.parquet"):
        table = pq.read_table(path)
        assert table.num_rows > 0
        assert table.column("step").null_count == 0
    one = pq.read_table(results / "trajectories/smooth/walk_stop_turn/0000.parquet")
    # a row every 0.1 s: every 9th step of 1/89.94 s
    assert set(one.column("step").to_numpy() % 9) == {0}


def test_named_targets_exist(finished):
    for target in ("normalize", "simulate", "validate", "figures", "report"):
        done = finished.snakemake(target, "--dry-run", "--configfile", "config/small.yaml")
        assert done.returncode == 0, done.stderr
        assert "Nothing to be done" in done.stdout + done.stderr


def test_snakemakes_own_report_works(finished, tmp_path):
    done = finished.snakemake(
        "--report", tmp_path / "report.zip", "--configfile", "config/small.yaml"
    )
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(tmp_path / "report.zip") as report:
        pictures = [name for name in report.namelist() if name.endswith(".png")]
    assert len(pictures) >= 6
