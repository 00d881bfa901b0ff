"""What the planner says is what the workflow does, and decides no result."""

import json
import sys

import pytest

pytestmark = pytest.mark.workflow
CONFIG = "config/small.yaml"


def records(finished, rule="*"):
    folder = finished.folder / "results/small/performance/jobs"
    return [json.loads(path.read_text()) for path in folder.glob(f"{rule}/**/*.json")]


def test_jobs_stay_below_what_they_declared(finished):
    jobs = records(finished)
    assert {job["rule"] for job in jobs} >= {"normalize", "simulate", "recheck", "validate"}
    exceeded = [job for job in jobs if job["max_rss_mb"] > job["declared_mb"]]
    assert exceeded == []
    # resources.job_memory_mb is 2000 unless a config says otherwise
    simulate = [job for job in jobs if job["rule"] == "simulate"]
    assert all(job["max_rss_mb"] < job["declared_mb"] <= 2000 for job in simulate)


def test_jobs_tell_their_shape(finished):
    shapes = [job["details"]["shape"] for job in records(finished, "simulate")]
    assert {shape["model"] for shape in shapes} >= {"on_off", "walk_stop_turn"}
    movies = {job["wildcards"]["recording"]: job for job in records(finished, "normalize")}
    one = movies["smooth"]["details"]["shape"]
    assert set(one) == {"frames", "height", "width", "itemsize"}
    assert any(one.items() <= shape.items() for shape in shapes)


@pytest.mark.parametrize(
    "words",
    [
        ("--cores", "1", "--resources", "mem_mb=900"),
        *(
            ("--workflow-profile", f"workflow/profiles/{name}")
            for name in ("development", "testing", "production")
        ),
    ],
    ids=["little", "development", "testing", "production"],
)
def test_machine_and_profile_rerun_nothing(finished, words):
    made = finished.call(
        *(sys.executable, "-m", "snakemake", "--dry-run", "--configfile", CONFIG, *words)
    )
    assert made.returncode == 0, made.stdout + made.stderr
    assert "Nothing to be done" in made.stdout + made.stderr


def test_the_command_says_what_the_workflow_declares(finished):
    said = finished.call(
        *(sys.executable, "-c", "from plumenav.cli import app; app()"),
        *("plan", "--config", CONFIG, "--json"),
    )
    assert said.returncode == 0, said.stderr
    plan = json.loads(said.stdout)
    assert plan["chunk_simulations"] == dict.fromkeys(plan["chunk_simulations"], 10)
    assert len(plan["simulate"]) == 24
    # the movies are there now, and small: less memory than before anything was known
    for job in plan["simulate"]:
        assert job["mem_mb"] <= max(one["declared_mb"] for one in records(finished, "simulate"))
        assert job["expected_peak_mb"] < job["mem_mb"]
        assert all(job["reasons"].values())
    assert set(plan["reasons"]) == {"workers", "limit_mb", "jobs_at_once", "chunk_simulations"}


def test_a_run_says_its_plan_first(finished):
    done = finished.run(CONFIG, "--", "--dry-run")
    assert done.returncode == 0, done.stdout + done.stderr
    first = done.stderr.splitlines()[0]
    assert first.startswith("plumenav: 24 jobs simulate, ")
    assert "`plumenav plan` has the reasons" in first


def test_a_profile_that_does_not_exist(finished):
    done = finished.run(CONFIG, "--profile", "night")
    assert done.returncode == 1
    assert "development" in done.stderr
    assert "Traceback" not in done.stderr
