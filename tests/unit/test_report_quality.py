"""The quality of recordings in the report: verdict, sentences, and how the pages are drawn."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

import factories_results as factory
from plumenav.analysis.stage import write_plume_maps, write_statistics
from plumenav.config.quality import Quality
from plumenav.performance.usage import write_summary
from plumenav.quality.assess import assess
from plumenav.report import page as report
from plumenav.report.numbers import build_numbers
from plumenav.tables import read_json, write_json

REPOSITORY = Path(__file__).parents[2]
KINDS = {"smooth": "movie", "rough": "movie", "pulse": "signal", "cloud": "analytic"}
Run = tuple[Path, dict[str, Any], dict[str, Any]]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run whose recordings were assessed; `smooth` is nominal and lost frames."""
    root = tmp_path_factory.mktemp("run")
    agents = ("on_off", "correlated_random_walk")
    config = factory.config(KINDS, agents, simulations=4, nominal=("smooth",))
    config["recordings"]["smooth"]["preset"] = "a_known_one"
    factory.write_run(root, config)
    limits = Quality().model_dump(mode="json")
    for label, kind in KINDS.items():
        if kind != "movie":
            continue
        told = {key: config["recordings"][label][key] for key in ("wind", "nominal")}
        inputs = (
            root / f"plumes/{label}.parquet",
            root / f"quality/{label}.json",
            root / f"quality/{label}.npz",
        )
        assess(label, {**told, "quality": limits, "dead_zones": []}, *inputs)
    lost = {"frames_lost": 7, "loss": "smooth.h5: ends <early>", "frames_read": 40, "seconds": 3.9}
    record = root / "plumes/smooth.quality.json"
    write_json(record, {**read_json(record), **lost})
    quality = read_json(root / "quality/smooth.json")
    for check in quality["checks"]:
        if check["name"] in ("scale", "file"):
            check["status"] = {"scale": "fail", "file": "warn"}[check["name"]]
            check["says"] = f"{check['name']} is off by <much>"
    write_json(root / "quality/smooth.json", {**quality, "status": "fail"})
    passes = read_json(root / "quality/rough.json")
    for check in passes["checks"]:
        check["status"] = "pass"
    write_json(root / "quality/rough.json", {**passes, "status": "pass"})
    write_plume_maps(root, list(config["recordings"]))
    write_statistics(root, config)
    write_summary(root, 80, 8000)
    return root, config, build_numbers(root, config, REPOSITORY)


def part_of(text: str, label: str) -> str:
    """The article on a recording."""
    return text.split(f'<article id="recording-{label}">')[1].split("</article>")[0]


def test_a_failing_recording_is_named_at_the_top_and_explained_in_its_part(run: Run) -> None:
    root, config, numbers = run
    text = report.page_text(root, config, numbers)
    top = text[: text.index('id="run"')]
    assert "The quality of smooth fails its checks" in top
    part = part_of(text, "smooth")
    assert part.index('class="verdict bad"') < part.index("<ul>") < part.index("<table")
    for check in ("scale", "file"):
        assert f"<b>{check}</b>: {check} is off by &lt;much&gt;." in part
    assert "<b>Lost:</b> 7 frames at the damaged end of the file (smooth.h5: ends &lt;early" in part
    assert "40 frames, 3.9 s" in part
    assert "<b>Nominal:</b> scale and wind were assumed" in part
    assert "Against the preset a_known_one: file is off by &lt;much&gt;" in part
    # every check in the table, with its result in words
    checks = numbers["recordings"]["smooth"]["checks"]
    assert part.count("<tr>") == len(checks) + 1
    for check in checks:
        assert check["status"] in part


def test_every_movie_has_its_table_and_others_a_sentence(run: Run) -> None:
    root, config, numbers = run
    text = report.page_text(root, config, numbers)
    for label in ("smooth", "rough"):
        part = part_of(text, label)
        assert part.count("<table") == 1
        assert "<img" not in part
    for label, kind in (("pulse", "signal"), ("cloud", "analytic")):
        part = part_of(text, label)
        assert "<img" not in part
        assert "<table" not in part
        assert f"Not judged: a plume of kind {kind} has no frames to measure." in part
    assert len(text.encode()) < report.PAGE_LIMIT
    assert "Nominal" not in part_of(text, "rough")
    assert "Lost" not in part_of(text, "rough")


def test_the_command_for_pages_is_told_and_drawn_ones_change_nothing(run: Run) -> None:
    root, config, numbers = run
    before = report.page_text(root, config, numbers)
    assert "<code>make quality</code>" in before
    folder = root / "figures/quality"
    folder.mkdir(parents=True)
    try:
        for suffix in ("json", "svg", "png"):
            (folder / f"smooth.{suffix}").write_text("{}")
        assert report.page_text(root, config, numbers) == before
    finally:
        shutil.rmtree(folder)
    nothing = {**numbers, "recordings": {"pulse": numbers["recordings"]["pulse"]}}
    assert "make quality" not in report.page_text(root, config, nothing)
