"""What reruns when a file or a setting is changed: exactly what depends on it."""

from pathlib import Path

import pytest

pytestmark = pytest.mark.workflow

AFTER_SIMULATIONS = {
    "analyze",
    "validate_run",
    "draw_figures",
    "draw_verdict",
    "write_report",
    "gate",
    "all",
}
ONE_AGENT = {"simulate_chunk": 6, "recheck_agent": 1, "reference_agent": 1}
NOTHING: dict[str, int] = {}


def rules(planned):
    return set(planned)


@pytest.fixture
def edited(finished):
    """Edit files of the finished checkout; they are put back afterwards."""
    kept: dict[Path, str] = {}

    def edit(name, old, new):
        path = finished.folder / name
        kept.setdefault(path, path.read_text())
        assert old in path.read_text(), f"{old!r} is not in {name}"
        path.write_text(path.read_text().replace(old, new, 1))

    yield edit
    for path, text in kept.items():
        path.write_text(text)


def test_nothing_changed(finished):
    assert finished.planned("config/small.yaml") == NOTHING


def test_a_models_file_reruns_that_models_chunks_and_what_hangs_on_them(finished, edited):
    edited("scripts/plumenav/models/on_off.py", "odor = max(", "odor = 1.0 * max(")
    planned = finished.planned("config/small.yaml")
    assert {rule: planned.get(rule) for rule in ONE_AGENT} == ONE_AGENT
    # and the published numbers of that model
    assert rules(planned) == AFTER_SIMULATIONS | set(ONE_AGENT) | {"published_targets"}


def test_a_reference_reruns_no_simulation(finished, edited):
    edited("scripts/plumenav/references/on_off.py", "import math", "import math  # edited")
    planned = finished.planned("config/small.yaml")
    assert not {"simulate_chunk", "recheck_agent"} & rules(planned)
    assert planned["reference_agent"] == 1


@pytest.mark.parametrize("name", ["kernel", "philox", "run", "settings"])
def test_the_engine_reruns_every_simulation_and_no_normalization(finished, edited, name):
    edited(f"scripts/plumenav/engine/{name}.py", "import annotations", "import annotations  # x")
    planned = finished.planned("config/small.yaml")
    assert planned["simulate_chunk"] == 24
    assert not {"normalize_recording", "prepare_agent"} & rules(planned)


@pytest.mark.parametrize(
    ("figure", "rule"), [("fig3_success", "draw_figures"), ("fig5_agreement", "draw_verdict")]
)
def test_a_figure_reruns_only_figures_and_report(finished, edited, figure, rule):
    edited(f"scripts/plumenav/figures/{figure}.py", "import annotations", "import annotations #")
    assert rules(finished.planned("config/small.yaml")) == {rule, "write_report", "gate", "all"}


def test_an_analysis_of_costs_reruns_the_report_only(finished, edited):
    edited("scripts/performance.py", "import json", "import json  # edited")
    assert rules(finished.planned("config/small.yaml")) == {"write_report", "gate", "all"}


def test_the_fit_of_beliefs_reruns_nothing_where_nobody_believes(finished, edited):
    edited("scripts/plumenav/detection/fit.py", "import annotations", "import annotations  # x")
    edited("scripts/plumenav/batch/detection.py", "import annotations", "import annotations  # x")
    assert finished.planned("config/small.yaml") == NOTHING


def test_the_style_of_figures_reruns_no_simulation(finished, edited):
    edited("scripts/plumenav/figures/_style.py", "import annotations", "import annotations #")
    planned = finished.planned("config/small.yaml")
    assert {"draw_figures", "draw_verdict"} <= rules(planned)
    assert not {"simulate_chunk", "analyze", "validate_run"} & rules(planned)


def test_the_quality_page_is_no_part_of_the_run(finished, edited):
    edited(
        "scripts/plumenav/figures/quality/table.py", "import annotations", "import annotations #"
    )
    assert finished.planned("config/small.yaml") == NOTHING


def test_a_reader_reruns_normalization(finished, edited):
    edited("scripts/plumenav/recordings/hdf5.py", "import annotations", "import annotations #")
    planned = finished.planned("config/small.yaml")
    assert planned["normalize_recording"] == 2
    assert "synthesize_recording" not in planned


def test_the_template_of_the_report_reruns_the_report_only(finished, edited):
    edited("scripts/plumenav/report/page.html.j2", "What was run", "What was done")
    assert rules(finished.planned("config/small.yaml")) == {"write_report", "gate", "all"}


def test_published_values_rerun_the_validation(finished, edited):
    edited("scripts/plumenav/analysis/published/targets.yaml", "0.027503", "0.027504")
    planned = finished.planned("config/small.yaml")
    assert {"published_targets", "validate_run"} <= rules(planned)
    assert "simulate_chunk" not in planned


def test_a_recording_of_another_kind_reruns_no_simulation(finished, edited):
    hill = "  hill: {analytic: {field: gaussian, parameters: {sigma_mm: 40}}}\n"
    edited("config/small.yaml", "recordings:\n", f"recordings:\n{hill}")
    planned = finished.planned("config/small.yaml")
    assert planned["simulate_chunk"] == 12


def test_limits_of_the_cache_rerun_nothing(finished, edited):
    edited("config/small.yaml", "recordings:\n", "cache: {plumes: {limit_mb: 7}}\nrecordings:\n")
    edited("scripts/plumenav/store/shelf.py", "import annotations", "import annotations  # x")
    assert finished.planned("config/small.yaml") == NOTHING


def test_messages_are_no_results(finished, edited):
    edited("scripts/plumenav/errors.py", "Did you mean", "Perhaps you mean")
    assert finished.planned("config/small.yaml") == NOTHING


@pytest.mark.parametrize(
    ("old", "new", "expected", "not_expected"),
    [
        ("success_radius_mm: 15", "success_radius_mm: 14", {"simulate_chunk"}, {"prepare_agent"}),
        ("seed: 8", "seed: 9", {"prepare_agent", "simulate_chunk"}, {"normalize_recording"}),
        (
            "wind: {speed_mm_s: 150}",
            "wind: {speed_mm_s: 140}",
            {"simulate_chunk"},
            {"normalize_recording", "prepare_agent"},
        ),
        (
            "one: 120",
            "one: 110",
            {"normalize_recording", "simulate_chunk"},
            {"synthesize_recording"},
        ),
        (
            "replicate_chunk: 5",
            "replicate_chunk: 4",
            {"recheck_agent"},
            {"simulate_chunk", "reference_agent"},
        ),
    ],
)
def test_a_setting_reruns_what_depends_on_it(finished, edited, old, new, expected, not_expected):
    edited("config/small.yaml", old, new)
    planned = finished.planned("config/small.yaml")
    assert expected <= rules(planned)
    assert not not_expected & rules(planned)


def test_another_agent_reruns_no_other_agent(finished, edited):
    edited(
        "config/small.yaml", "agents:\n", "agents:\n  upstart: {model: correlated_random_walk}\n"
    )
    planned = finished.planned("config/small.yaml")
    assert planned["simulate_chunk"] == 6
    assert planned["prepare_agent"] == 2


def test_another_configs_run_mentions_no_recording_of_the_demo(finished):
    content = finished.read_config()
    content["run"] = "other"
    del content["recordings"]["complex"]
    config = finished.write_config("other", content)
    done = finished.snakemake("--dry-run", "--configfile", config)
    assert done.returncode == 0, done.stderr
    text = done.stdout + done.stderr
    assert "results/other/" in text
    assert "complex" not in text
    assert "results/demo" not in text
    assert "results/small" not in text
