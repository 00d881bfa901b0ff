"""What decides whether a job's outputs are taken from the store: everything that changes them."""

import argparse
import json
import os
from pathlib import Path

import pytest

from plumenav import fingerprint, jobs, store
from plumenav.store import digests, lookups, settings

LEVELS = {
    level: {"enabled": True, "limit_mb": 100, "max_age_h": 1, "policy": "lru"}
    for level in ("plumes", "results")
}


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("PLUMENAV_CACHE", str(tmp_path / "root"))
    monkeypatch.setenv("PLUMENAV_STORE", "")
    store.hand_over(LEVELS)
    return tmp_path / "root"


@pytest.fixture
def job(tmp_path):
    """A job in a folder of its own that writes a text made of its settings and its inputs."""

    def run(folder="one", text="plume", level="results", work=None, **changes):
        home = tmp_path / folder
        home.mkdir(exist_ok=True)
        (home / "plume.parquet").write_text(text)
        flags = {
            "usage": home / "usage.json",
            "rule": "simulate",
            "declared_mb": 100.0,
            "threads": 1,
            "code": "c0de",
            "recording": folder,
            "settings": {"model": "on_off", "gain": 1.0},
            "plume": str(home / "plume.parquet"),
            "wind": None,
            "simulations": str(home / "simulations.json"),
        }
        args = argparse.Namespace(**(flags | changes))
        done = []

        def compute(args):
            done.append(1)
            content = [args.settings, Path(args.plume).read_text()]
            Path(args.simulations).write_text(json.dumps(content))
            return {"rows": 7, "cache": {"blocks": {"hits": 3, "misses": 1, "mb": 2.0}}}

        details = store.through(
            args,
            level,
            work or compute,
            inputs=("plume", "wind"),
            outputs={"simulations": args.simulations},
            ignored=("recording",),
        )
        return bool(done), details, Path(args.simulations)

    return run


def test_the_second_run_takes_what_the_first_has_made(job):
    worked, details, first = job("one")
    assert worked
    assert details["rows"] == 7
    assert details["cache"]["results"] == {"hits": 0, "misses": 1, "mb": first.stat().st_size / 1e6}
    assert details["cache"]["blocks"] == {"hits": 3, "misses": 1, "mb": 2.0}
    # another run's name, folder, threads and memory
    worked, details, second = job("two", threads=2, declared_mb=5.0, rule="simulate")
    assert not worked
    assert details == {
        "cache": {"results": {"hits": 1, "misses": 0, "mb": first.stat().st_size / 1e6}}
    }
    assert second.read_bytes() == first.read_bytes()


@pytest.mark.parametrize(
    "change",
    [
        {"text": "another plume"},
        {"settings": {"model": "on_off", "gain": 1.1}},
        {"settings": {"model": "on_off", "gain": 1}, "text": "plume "},
        {"code": "c0df"},
        {"rule": "recheck"},
        {"something": "new"},
    ],
)
def test_whatever_changes_an_output_is_in_its_key(job, change):
    job("one")
    assert job("two", **change)[0]


def test_another_machine_computes_for_itself(job, monkeypatch):
    job("one")
    content = json.loads(os.environ[settings.VARIABLE])
    monkeypatch.setenv(settings.VARIABLE, json.dumps({**content, "machine": "another"}))
    assert job("two")[0]


def test_inputs_are_read_only_if_anything_could_fit(job, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(digests, "of_input", lambda path: pytest.fail("was read"))
        patch.setattr(store.Job, "keep", lambda *_: None)
        assert job("one")[0]
    job("two")
    monkeypatch.setattr(digests, "of_input", lambda path: "no such content")
    assert job("three")[0]


def test_an_input_that_changes_meanwhile_is_not_kept(job, tmp_path):
    def work(args):
        Path(args.simulations).write_text("old or new?")
        Path(args.plume).write_text("changed meanwhile")

    job("one", work=work)
    assert settings.open_level("results", LEVELS["results"]).entries() == []


def test_a_job_that_fails_keeps_nothing(job):
    def work(args):
        Path(args.simulations).write_text("half")
        raise KeyError("no")

    with pytest.raises(KeyError):
        job("one", work=work)
    assert job("two")[0]


def test_a_level_can_be_switched_off(job, root):
    store.hand_over({**LEVELS, "results": {**LEVELS["results"], "enabled": False}})
    assert job("one")[0]
    assert job("two")[0]
    assert not (root / "results").exists()
    assert job("three", level="plumes")[0]
    assert not job("four", level="plumes")[0]


def test_without_a_workflow_nothing_is_kept(job, root, monkeypatch):
    off = {level: {**limits, "enabled": False} for level, limits in LEVELS.items()}
    store.hand_over(off)
    assert settings.VARIABLE not in os.environ
    assert job("one")[0]
    monkeypatch.setenv(settings.VARIABLE, "")
    assert job("two")[0]
    assert not root.exists()


def test_a_study_of_ten_models_in_which_one_parameter_changes(job):
    def study(gain_of_the_fourth):
        for n in range(10):
            gain = gain_of_the_fourth if n == 3 else 1.0
            job(f"agent{n}", settings={"model": f"model_{n}", "gain": gain})

    study(1.0)
    lookups_before = lookups.read(Path(os.environ["PLUMENAV_CACHE"]))
    assert sum(one.misses for one in lookups_before if one.level == "results") == 10
    study(1.1)
    new = lookups.read(Path(os.environ["PLUMENAV_CACHE"]))[len(lookups_before) :]
    asked = [one for one in new if one.level == "results"]
    assert (sum(one.hits for one in asked), sum(one.misses for one in asked)) == (9, 1)


def test_rates_are_of_the_newest_runs(tmp_path):
    from plumenav import ownership

    me = ownership.me()
    for run in range(25):
        owner = me._replace(pid=run)
        lookups.note(tmp_path, owner, "results", "simulate", 1, 0, 5.0, 2.0)
        lookups.note(tmp_path, owner, "results", "simulate", 0, int(run < 5), 5.0)
        lookups.note(tmp_path, owner, "plumes", "normalize", 0, 1, 5.0)
    with open(tmp_path / lookups.FILE, "a") as file:
        file.write("half a li")
    noted = lookups.read(tmp_path)
    assert len(noted) == 75
    assert lookups.rate(noted, "results").hit_rate == 1.0
    assert lookups.rate(noted, "results", newest=25).hit_rate == 25 / 30
    assert lookups.rate(noted, "results").saved_s == 40
    assert lookups.rate(noted, "plumes").hit_rate == 0.0
    assert lookups.rate(noted, "blocks").hit_rate is None


def test_the_store_is_no_part_of_a_results_code():
    code = fingerprint.closure([fingerprint.ROOT / "simulate.py"])
    assert not {path for path in code if path.parent.name == "store"}


def test_a_hit_imports_neither_arrow_nor_numba(job):
    import subprocess
    import sys

    text = "import sys; from plumenav import jobs, store; print(sorted(sys.modules))"
    said = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert not {"'numpy'", "'pyarrow'", "'numba'", "'llvmlite'"} & set(
        said.stdout[1:-2].split(", ")
    )


def test_flags_of_every_job_include_its_code():
    assert jobs.parser("x").parse_args(["--code", "ab"]).code == "ab"
