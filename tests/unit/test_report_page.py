"""numbers.json and report.html: complete, honest, self-contained."""

import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import factories_results as factory
from plumenav.analysis.stage import write_plume_maps, write_statistics
from plumenav.errors import UserError
from plumenav.figures._run import draw_all
from plumenav.performance.gate import gate_table
from plumenav.performance.review import write_review
from plumenav.performance.usage import job_files, write_summary
from plumenav.report import provenance
from plumenav.report.numbers import (
    build_numbers,
    validation_section,
    without_costs,
    write_numbers,
)
from plumenav.report.page import page_text, picture, write_page
from plumenav.tables import read_json, write_json

REPOSITORY = Path(__file__).parents[2]
CONTRACT = {
    "run", "config_sha256", "git_commit", "versions", "simulations", "agents", "validation",
    "published", "performance", "targets",
}  # fmt: skip
COST_KEYS = {
    "wall_s", "cpu_s", "cores", "seconds_per_simulation", "core_seconds_per_simulation",
    "simulations_per_hour", "projected_hours_for_4000", "peak_rss_mb", "within_budget",
    "wall_over_floor", "rules",
}  # fmt: skip
VOID = {"meta", "img", "br", "link", "input", "hr"}


def made(root: Path, figures: tuple[str, ...] = (), **how: Any) -> dict[str, Any]:
    kinds = how.pop("kinds", {"smooth": "movie", "pulse": "signal"})
    config = factory.config(kinds, simulations=10, nominal=how.pop("nominal", ()))
    factory.write_run(root, config, **how)
    write_plume_maps(root, list(config["recordings"]))
    write_statistics(root, config)
    write_summary(root, 80, 8000)
    draw_all(root, config, figures)
    return config


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], dict[str, Any]]:
    root = tmp_path_factory.mktemp("good")
    config = made(root, ("fig3_success", "fig_performance"))
    return root, config, build_numbers(root, config, REPOSITORY, trajectories_sha256="cd" * 32)


class Outline(HTMLParser):
    """Checks that tags are balanced; collects attributes and table headers."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag


def outline(text: str) -> Outline:
    parser = Outline()
    parser.feed(text)
    assert parser.open == []
    return parser


def test_numbers_hold_the_contract(good: tuple[Path, dict[str, Any], dict[str, Any]]) -> None:
    root, config, numbers = good
    assert set(numbers) >= CONTRACT | {"recordings", "trajectories_sha256", "passed"}
    assert set(numbers["performance"]) >= COST_KEYS
    assert set(numbers["agents"]) == set(config["agents"])
    one = numbers["agents"]["on_off"]["smooth"]
    assert {"n", "success_rate", "ci_low", "ci_high", "median_time_s"} <= set(one)
    assert one["null"]["null_agent"] == "correlated_random_walk"
    assert numbers["agents"]["correlated_random_walk"]["smooth"]["null"] is None
    assert numbers["simulations"] == {
        "requested": 80, "completed": 80, "failed": 0, "missing": 0,
    }  # fmt: skip
    assert set(numbers["validation"]["agents"]["on_off"]) == {
        "min_r", "n", "max_abs_error_mm", "p_value", "original_code", "passed",
    }  # fmt: skip
    assert numbers["passed"] is True
    assert all(set(t) == {"name", "required", "measured", "passed"} for t in numbers["targets"])
    assert read_json(write_numbers(root, numbers)) == numbers
    assert str(root) not in json.dumps(numbers)


def test_what_is_doubtful_about_an_agent_is_in_numbers_and_page(good) -> None:
    root, config, numbers = good
    first, second, *_ = config["agents"]
    for agent, expected in ((first, ["it is only an example"]), (second, [])):
        assert [row["warnings"] for row in numbers["agents"][agent].values()] == 2 * [expected]
    text = page_text(root, config, numbers)
    assert text.count("it is only an example") == len(config["recordings"])


def test_numbers_and_page_hold_the_quality_of_every_recording(good) -> None:
    root, config, numbers = good
    smooth = numbers["recordings"]["smooth"]
    assert smooth["status"] == "pass"
    assert (smooth["wind_mm_s"], smooth["wind_deg"]) == (98.0, 0.5)
    assert [check["name"] for check in smooth["checks"]] == ["scale"]
    assert numbers["recordings"]["pulse"]["status"] == "not applicable"
    text = page_text(root, config, numbers)
    part = text.split('<article id="recording-smooth">')[1]
    assert '<p class="verdict good">Passes: nothing found wrong in 1 check.' in part
    assert "the pattern moves at 98 mm/s" in text
    assert "Not judged: a plume of kind signal has no frames to measure." in text


@pytest.mark.parametrize("gate", [True, False])
def test_a_recording_that_fails_its_checks_fails_the_run(tmp_path: Path, gate: bool) -> None:
    config = made(tmp_path)
    config["quality"]["gate"] = gate
    path = tmp_path / "quality" / "smooth.json"
    content = read_json(path)
    content["status"] = content["checks"][0]["status"] = "fail"
    write_json(path, content)
    numbers = build_numbers(tmp_path, config, REPOSITORY)
    missed = [t["name"] for t in numbers["targets"] if not t["passed"]]
    assert missed == (["recordings that fail their checks"] if gate else [])
    assert numbers["passed"] is not gate
    verdict = read_json(tmp_path / "validation" / "verdict.json")
    assert ("smooth (scale)" in gate_table(verdict, numbers, [])) is gate
    assert '<span class="bad">✗ fail</span>' in page_text(tmp_path, config, numbers)


def test_a_failed_share_fails_the_run(tmp_path: Path) -> None:
    config = made(tmp_path, failed=1)  # 1 of 10 in each group: 10 % > 5 %
    numbers = build_numbers(tmp_path, config, REPOSITORY)
    missed = [t for t in numbers["targets"] if not t["passed"]]
    assert [t["name"] for t in missed] == ["failed simulations, share"]
    assert missed[0]["measured"] == pytest.approx(0.1)
    assert numbers["passed"] is False
    assert "8 of 80 simulations failed" in page_text(tmp_path, config, numbers)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"min_correlation": 0.94}, "smallest correlation of increments"),
        ({"reproducibility_icc": 0.98}, "reproducibility ICC(A,1)"),
        ({"bitwise_identical": False}, "bitwise identical under other chunks and threads"),
        ({"mutants": []}, "wrong engines caught by the gate"),
    ],
)
def test_each_missed_requirement_fails_the_run(
    good: tuple[Path, dict[str, Any], dict[str, Any]], change: dict[str, Any], name: str
) -> None:
    root, config, _ = good
    path = root / "validation/verdict.json"
    kept = read_json(path)
    try:
        write_json(path, {**kept, **change})
        numbers = build_numbers(root, config, REPOSITORY)
    finally:
        write_json(path, kept)
    assert [t["name"] for t in numbers["targets"] if not t["passed"]] == [name]
    assert numbers["passed"] is False


def test_a_null_in_the_verdict_is_refused() -> None:
    verdict = factory.verdict(factory.config())
    verdict["agents"]["on_off"]["min_r"] = None
    with pytest.raises(UserError, match=r"validation\.agents\.on_off\.min_r"):
        validation_section(verdict)


def test_a_missing_stage_is_named(tmp_path: Path) -> None:
    config = factory.config()
    write_statistics(tmp_path, config)
    write_json(tmp_path / "validation/verdict.json", factory.verdict(config))
    with pytest.raises(UserError, match="snakemake performance"):
        build_numbers(tmp_path, config, REPOSITORY)


def test_published_numbers_become_requirements(
    good: tuple[Path, dict[str, Any], dict[str, Any]],
) -> None:
    root, config, _ = good
    entry = {
        "name": "max ON", "source": "a paper", "published": 0.826, "ours": 0.7,
        "tolerance": 1e-6, "n": 1, "passed": False, "model": "on_off", "column": "authors",
        "how": "by the engine", "rule": "absolute",
    }  # fmt: skip
    numbers = build_numbers(root, config, REPOSITORY, published=[entry])
    assert numbers["published"] == [entry]
    assert numbers["passed"] is False
    assert "a paper" in page_text(root, config, numbers)
    name = "numbers of publications that are met"
    asked = next(t for t in numbers["targets"] if t["name"] == name)
    assert asked["measured"] == "0 of 1 (not: on_off: max ON)"
    assert asked["passed"] is False
    better = build_numbers(
        root, config, REPOSITORY, published=[{**entry, "ours": 0.826, "passed": True}]
    )
    asked = next(t for t in better["targets"] if t["name"] == name)
    assert asked == {"name": name, "required": "all", "measured": "1 of 1", "passed": True}
    with pytest.raises(UserError, match=r"published\[0\]\.ours"):
        build_numbers(root, config, REPOSITORY, published=[{**entry, "ours": None}])


def test_only_costs_differ_between_runs(
    good: tuple[Path, dict[str, Any], dict[str, Any]],
) -> None:
    root, config, numbers = good
    path = root / "performance/summary.json"
    kept = read_json(path)
    try:
        write_summary(root, 80, 10.0)  # memory promise broken
        slower = build_numbers(root, config, REPOSITORY, trajectories_sha256="cd" * 32)
    finally:
        write_json(path, kept)
    assert slower != numbers
    assert without_costs(slower) == without_costs(numbers)
    assert {t["name"] for t in without_costs(numbers)["targets"]} < {
        t["name"] for t in numbers["targets"]
    }


def test_page_stands_alone_and_is_accessible(
    good: tuple[Path, dict[str, Any], dict[str, Any]],
) -> None:
    root, config, numbers = good
    path = write_page(root, config, numbers)
    text = path.read_text()
    found = outline(text)
    assert path.stat().st_size < 10_000_000
    tags = [tag for tag, _ in found.seen]
    assert "script" not in tags
    assert "link" not in tags
    for tag, attributes in found.seen:
        for key in ("src", "href"):
            target = attributes.get(key) or ""
            assert target == "" or target.startswith(("data:", "#")), target
        if tag == "img":
            assert attributes.get("alt")
        if tag == "th":
            assert attributes.get("scope")
    assert tags.count("table") == tags.count("caption")
    assert tags.count("img") == 2
    assert found.seen[0][1]["lang"] == "en"
    ids = [attributes["id"] for _, attributes in found.seen if attributes.get("id")]
    assert len(ids) == len(set(ids))
    links = {a["href"] for tag, a in found.seen if tag == "a"}
    assert {str(link)[1:] for link in links} <= set(ids)
    assert str(root) not in text


def test_the_performance_part_with_its_review(
    good: tuple[Path, dict[str, Any], dict[str, Any]], tmp_path: Path
) -> None:
    root, config, numbers = good
    shutil.copytree(root, tmp_path / "run")
    jobs = job_files(tmp_path / "run")
    facts = {"config_sha256": numbers["config_sha256"], "versions": numbers["versions"]}
    review = write_review(tmp_path / "run", config, jobs, 80, 2, **facts)
    again = build_numbers(tmp_path / "run", config, REPOSITORY, trajectories_sha256="cd" * 32)
    assert again["performance"]["goals"] == review["goals"]
    assert without_costs(again) == without_costs(numbers)
    text = page_text(tmp_path / "run", config, again)
    found = outline(text)
    tags = [tag for tag, _ in found.seen]
    assert tags.count("table") == tags.count("caption")
    part = text.split('<section id="performance">')[1].split("</section>")[0]
    for goal in review["goals"]:
        assert f'<th scope="row">{goal["name"]}</th>' in part
    assert "Nothing that was measured asks for another setting." in part
    assert "Slower than before" not in part
    assert "too few runs to say" in part
    review["recommendations"] = [{"setting": "a.b", "change": "raise it", "because": "it is 5"}]
    review["memory_events"] = {"smaller_blocks": {"simulate": 3}}
    review["caches"] = {"plumes": {"hits": 1.0, "misses": 3.0, "mb": 2.0, "hit_rate": 0.25}}
    review["phases"] = {"simulate": {"start_up": 1.0, "not told": 2.0}}
    row = {"what": "CPU time of x", "ratio": 1.24, "p": 0.003, "n_now": 4, "n_before": 9}
    review["regressions"] = [{**row, "verdict": "slower"}]
    write_json(tmp_path / "run/performance/review.json", review)
    text = page_text(tmp_path / "run", config, again)
    assert "<code>a.b</code>: raise it. It is 5." in text
    assert "CPU time of x +24 % (p = 0.003, 4 runs against 9)" in text
    assert "smaller blocks 3 in simulate" in text
    assert "<td>25.0</td>" in text
    assert "start up 1, not told 2" in text
    assert "too few runs to say" not in text


def test_dates_stand_only_in_the_performance_part(
    good: tuple[Path, dict[str, Any], dict[str, Any]],
) -> None:
    root, config, numbers = good
    text = page_text(root, config, numbers)
    before, rest = text.split('<section id="performance">')
    part, after = rest.split('<section id="provenance">')
    date = re.compile(r"\b20\d\d-\d\d-\d\d")
    assert date.search(part)
    assert not date.search(re.sub(r"base64,[^\"]*", "", before))
    assert not date.search(after)


def test_verdict_comes_first_and_names_what_missed(tmp_path: Path) -> None:
    config = made(tmp_path, passed=False, exceeded=True, nominal=("smooth",))
    numbers = build_numbers(tmp_path, config, REPOSITORY)
    text = page_text(tmp_path, config, numbers)
    outline(text)
    assert text.index("Failed:") < text.index('id="run"')
    assert "mutants caught" in text[: text.index('id="run"')]
    assert "success rates here are not science" in text[: text.index('id="run"')]
    assert "Jobs that used more memory than declared" in text
    assert "none yet" in text  # the authors' own code


def test_page_shows_the_success_rates_of_the_numbers(
    good: tuple[Path, dict[str, Any], dict[str, Any]],
) -> None:
    root, config, numbers = good
    text = page_text(root, config, numbers)
    s = numbers["agents"]["on_off"]["smooth"]
    cell = f"{100 * s['success_rate']:.1f} ({100 * s['ci_low']:.1f} to {100 * s['ci_high']:.1f})"
    assert f"<td>{cell}</td>" in text


def test_tables_of_agents_keep_the_order_of_the_config(
    good: tuple[Path, dict[str, Any], dict[str, Any]],
) -> None:
    root, config, numbers = good
    turned = {**config, "agents": dict(reversed(config["agents"].items()))}
    for asked in (config, turned):
        text = page_text(root, asked, numbers).split('<section id="success">')[1]
        for part in text.split("<tbody>")[1], text.split('<section id="validation">')[1]:
            places = [part.index(f'<th scope="row">{label}<') for label in asked["agents"]]
            assert places == sorted(places)


def test_met_numbers_of_publications_are_one_requirement_missed_ones_are_named(
    good: tuple[Path, dict[str, Any], dict[str, Any]],
) -> None:
    root, config, _ = good
    entry = {
        "name": "max ON", "source": "a paper", "published": 0.826, "ours": 0.826,
        "tolerance": 1e-6, "n": 1, "passed": True, "model": "on_off", "column": "authors",
        "how": "by the engine", "rule": "absolute",
    }  # fmt: skip
    missed = {**entry, "name": "max OFF", "passed": False}
    numbers = build_numbers(root, config, REPOSITORY, published=[entry, missed])
    part = page_text(root, config, numbers).split('<section id="requirements">')[1]
    assert "on_off: max ON" not in part.split("</section>")[0]
    assert "on_off: max OFF" in part
    assert "<td>1 of 2 (not: on_off: max OFF)</td>" in part


def test_text_from_a_config_is_escaped(
    good: tuple[Path, dict[str, Any], dict[str, Any]],
) -> None:
    root, config, numbers = good
    evil = json.loads(json.dumps(numbers))
    evil["recordings"]["smooth"]["quality"]["notes"] = ["<script>alert(1)</script>"]
    text = page_text(root, config, evil)
    assert "<script>" not in text
    assert "&lt;script&gt;" in text


def test_a_large_drawing_is_embedded_as_picture(tmp_path: Path) -> None:
    base = tmp_path / "f"
    (tmp_path / "f.svg").write_bytes(b"x" * 800_000)
    (tmp_path / "f.png").write_bytes(b"x" * 10)
    assert picture(base).suffix == ".png"
    (tmp_path / "f.svg").write_bytes(b"x" * 1000)
    assert picture(base).suffix == ".svg"


def test_config_hash_ignores_order_only() -> None:
    a = {"seed": 1, "recordings": {"x": {"wind": [1.0, 2.0]}}}
    b = {"recordings": {"x": {"wind": [1.0, 2.0]}}, "seed": 1}
    assert provenance.config_sha256(a) == provenance.config_sha256(b)
    assert provenance.config_sha256({**a, "seed": 2}) != provenance.config_sha256(a)


def test_commit_of_a_checkout(tmp_path: Path) -> None:
    assert provenance.git_commit(tmp_path) == "unknown"

    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
        subprocess.run(
            ["git", "-C", str(tmp_path), *identity, *arguments], check=True, capture_output=True
        )

    git("init", "-q")
    (tmp_path / "f").write_text("1")
    git("add", "f")
    git("commit", "-q", "-m", "x")
    clean = provenance.git_commit(tmp_path)
    assert re.fullmatch(r"[0-9a-f]{40}", clean)
    (tmp_path / "f").write_text("2")
    assert provenance.git_commit(tmp_path) == f"{clean}-modified"


def test_instruction_set_levels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provenance.platform, "machine", lambda: "x86_64")
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("model name : x\nflags\t\t: sse4_2 popcnt avx2 bmi2 fma avx512f\n")
    assert provenance.instruction_set(cpuinfo) == "x86-64-v3"
    cpuinfo.write_text("flags\t\t: sse2\n")
    assert provenance.instruction_set(cpuinfo) == "x86_64"
    assert provenance.instruction_set(tmp_path / "none") == "x86_64"


def test_versions_say_what_is_not_there() -> None:
    found = provenance.versions(["numpy", "no-such-package-at-all"])
    assert found["python"] == ".".join(map(str, sys.version_info[:3]))
    assert found["numpy"][0].isdigit()
    assert found["no-such-package-at-all"] == "not installed"
