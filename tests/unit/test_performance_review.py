"""What a run's costs mean: the file, the history behind it, and the page made of both."""

import json
from pathlib import Path
from typing import Any

import matplotlib
import pytest
from matplotlib.collections import PatchCollection

import factories_results as factory
from plumenav import history, registry
from plumenav.figures import _style as style
from plumenav.figures._contract import RunData
from plumenav.figures._run import caption_of
from plumenav.performance.review import timeline, trend, without_pauses, write_review
from plumenav.performance.usage import busiest, job_files, read_jobs, write_summary
from plumenav.report.performance import performance_targets, review_of
from plumenav.tables import write_json

FACTS: dict[str, Any] = {"config_sha256": "ab", "versions": {"python": "3.11.7"}}


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PLUMENAV_HISTORY", str(tmp_path / "history"))
    return tmp_path / "history"


@pytest.fixture
def config() -> dict[str, Any]:
    return factory.config({"smooth": "movie"}, simulations=10)


def run_again(root: Path, config: dict[str, Any], later_s: float, scale: float = 1.0) -> None:
    """The jobs of a small run, so much later and slower."""
    factory.write_jobs(root, config)
    for path in job_files(root):
        record = json.loads(path.read_text())
        for key in ("wall_s", "cpu_s"):
            record[key] *= scale
        write_json(path, {**record, "start_s": record["start_s"] + later_s})


def reviewed(root: Path, config: dict[str, Any], **facts: Any) -> dict[str, Any]:
    return write_review(root, config, job_files(root), 80, 2, **{**FACTS, **facts})


def test_every_run_is_one_file_and_a_report_written_again_is_none(
    tmp_path: Path, config: dict[str, Any], own: Path
) -> None:
    run_again(tmp_path, config, 0.0)
    first = reviewed(tmp_path, config)
    assert json.loads((tmp_path / "performance/review.json").read_text()) == first
    assert review_of(tmp_path) == first
    assert reviewed(tmp_path, config) == first
    (path,) = own.iterdir()
    assert path.stat().st_size < 10_000
    assert len(history.read(history.fingerprint())) == len(first["trend"]) == 1
    run_again(tmp_path, config, 1000.0)
    assert len(reviewed(tmp_path, config)["trend"]) == 2
    assert len(list(own.iterdir())) == 2


def test_a_report_of_an_earlier_run_does_not_see_later_ones(
    tmp_path: Path, config: dict[str, Any]
) -> None:
    for k, name in enumerate("abc"):
        run_again(tmp_path / name, config, 1000.0 * k)
        reviewed(tmp_path / name, config)
    assert [len(reviewed(tmp_path / name, config)["trend"]) for name in "abc"] == [1, 2, 3]


def test_a_history_that_cannot_be_written_costs_nothing_but_itself(
    tmp_path: Path, config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    run_again(tmp_path, config, 0.0)
    with_history = reviewed(tmp_path, config)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PLUMENAV_HISTORY", str(tmp_path / "file" / "history"))
    assert reviewed(tmp_path, config) == with_history


def test_a_slower_code_is_found_after_three_runs(tmp_path: Path, config: dict[str, Any]) -> None:
    found = []
    for k in range(9):
        slow = 1.3 if k >= 6 else 1.0
        run_again(tmp_path, config, 1000.0 * k, scale=slow * (1 + 0.01 * (k % 3)))
        versions = {"python": "3.11.7", "numba": str(k // 6)}
        rows = reviewed(tmp_path, config, versions=versions)["regressions"]
        found.append({row["verdict"] for row in rows})
    few = {"too few runs to say"}
    assert found[:6] == [few] * 6 or found[5] == few  # no change of the code: nothing to compare
    assert found[6:] == [few, few, {"slower"}]


def test_trend_has_complete_runs_of_this_configuration() -> None:
    def record(started_s: float, **other: Any) -> dict[str, Any]:
        costs = {"started_s": started_s, "wall_s": 2.0, "cpu_s": 3.0, "cores": 2}
        known = {"complete": True, "config_sha256": "ab", "versions": {"code": "1"}}
        return {**costs, **known, **other}

    records = [
        record(5.0, versions={"code": "2"}),
        record(4.0, complete=False),
        record(3.0, config_sha256="cd"),
        record(2.0),
        record(1.0),
    ]
    found = trend(records, "ab")
    assert [(run["started_s"], run["code"]) for run in found] == [(1.0, 0), (2.0, 0), (5.0, 1)]
    assert set(found[0]) == {"started_s", "wall_s", "cpu_s", "cores", "code"}
    assert trend([], "ab") == []


def test_timeline_begins_with_the_first_job(tmp_path: Path, config: dict[str, Any]) -> None:
    run_again(tmp_path, config, 0.0)
    jobs = read_jobs(job_files(tmp_path))
    bars = timeline(jobs)
    assert bars[0] == {
        "rule": "normalize", "core": 0, "threads": 1, "start_s": 0.0, "wall_s": 2.5,
        "max_rss_mb": 310.0, "declared_mb": 700,
    }  # fmt: skip
    assert max(bar["core"] for bar in bars) == busiest(jobs) - 1
    assert timeline([]) == []


def test_pauses_are_left_out_of_the_timeline() -> None:
    jobs = [
        factory.job("synthesize", 0.0, 5.0),
        factory.job("normalize", 86_400.0, 4.0),
        factory.job("prepare", 86_409.0, 1.0),  # 5 s in which the workflow worked
        factory.job("simulate", 90_000.0, 2.0),
    ]
    assert without_pauses(jobs) == [0.0, 5.0, 14.0, 15.0]


def test_a_benchmark_is_looked_for_beside_the_run(tmp_path: Path, config: dict[str, Any]) -> None:
    root = tmp_path / "results" / "demo"
    run_again(root, config, 0.0)
    assert all(entry["measured"] is None for entry in reviewed(root, config)["goals"][-11:])
    path = tmp_path / "results" / "benchmark" / "benchmark.json"
    path.parent.mkdir()
    path.write_text("{")
    notes = {entry["note"] for entry in reviewed(root, config)["goals"][-11:]}
    assert notes == {"measured by make bench"}


def test_targets_of_the_page_are_those_of_cost_and_what_must_not_suffer() -> None:
    def entry(name: str) -> dict[str, Any]:
        return {"name": name, "required": "1", "measured": 1, "passed": True}

    targets = [
        *map(entry, ("seconds per simulation", "memory", "smallest correlation of increments")),
        *map(entry, ("largest p-value", "wrong engines caught by the gate")),
    ]
    shown = performance_targets(targets, {"goals": [{"name": "CPU utilization"}]})
    assert [row["name"] for row in shown] == [
        "seconds per simulation", "memory", "smallest correlation of increments",
        "largest p-value", "CPU utilization",
    ]  # fmt: skip
    assert shown[0]["note"] == "required of every run"


def test_summary_and_review_agree(tmp_path: Path, config: dict[str, Any]) -> None:
    run_again(tmp_path, config, 0.0)
    summary = write_summary(tmp_path, 80, 8000.0, cores=2)
    review = reviewed(tmp_path, config)
    used = review["utilization"]
    # 2.5 s between normalize and simulate are not of any job
    assert used["wall_s"] == pytest.approx(summary["wall_s"] + 2.5, abs=1e-6)
    assert used["between_jobs_s"] == pytest.approx(5.0, abs=1e-6)
    assert used["share"] * used["wall_s"] * 2 == pytest.approx(summary["cpu_s"])


def drawn(root: Path, config: dict[str, Any]) -> tuple[Any, Any, str]:
    module = registry.get("figure", "fig_performance")
    run = RunData(root, config)
    with matplotlib.rc_context(style.RC):  # type: ignore[arg-type]
        figure, data = module.draw(run)
    return figure, data, caption_of(module.CAPTION, module.numbers(run, data))


def inside(figure: Any) -> bool:
    """Whether all that is drawn is on the page."""
    drawn_inch, page_inch = figure.get_tightbbox(), figure.bbox_inches
    return bool(
        drawn_inch.x0 >= 0
        and drawn_inch.y0 >= 0
        and drawn_inch.x1 <= page_inch.x1
        and drawn_inch.y1 <= page_inch.y1
    )


def test_the_figure_shows_cores_and_earlier_runs(tmp_path: Path, config: dict[str, Any]) -> None:
    run_again(tmp_path, config, 0.0)
    summary = write_summary(tmp_path, 80, 8000.0, cores=2)
    reviewed(tmp_path, config)
    figure, data, caption = drawn(tmp_path, config)
    assert set(data["panel"]) == {"rules", "cores"}
    assert len(figure.axes) == 4  # one run is no trend
    assert "c: which job" in caption
    assert "e: wall time" not in caption
    run_again(tmp_path, config, 1000.0)
    review = reviewed(tmp_path, config, versions={"python": "3.12"})
    figure, data, caption = drawn(tmp_path, config)
    assert data["panel"].value_counts().to_dict() == {
        "cores": len(review["timeline"]), "rules": 2, "runs": 2,
    }  # fmt: skip
    patches = sum(
        len(c.get_paths()) for c in figure.axes[2].collections if isinstance(c, PatchCollection)
    )
    assert patches == len(review["timeline"])
    # largest sum of peaks of jobs at work together, as the summary has it
    (peaks,) = (line for line in figure.axes[3].lines if line.get_label() == "peaks")
    assert max(peaks.get_ydata()) == pytest.approx(summary["peak_rss_mb"])
    assert "last 2 complete runs of this configuration" in caption
    assert "dashed: the code or a package changed" in caption
    assert inside(figure)


def test_the_figure_of_many_cores_and_long_names(tmp_path: Path, config: dict[str, Any]) -> None:
    jobs = [
        factory.job("a_rule_with_a_rather_long_name" if k % 3 else "b", 1e9 + k % 7, 100.0 + k)
        for k in range(64)
    ]
    for k, record in enumerate(jobs):
        write_json(tmp_path / f"performance/jobs/x/{k}.json", record)
    write_summary(tmp_path, 80, 8000.0, cores=64)
    reviewed(tmp_path, config)
    figure, _, _ = drawn(tmp_path, config)
    assert inside(figure)
    labels = [label.get_text() for label in figure.axes[2].get_yticklabels()]
    assert labels[0] == "core 1"
    assert len(labels) == 16
