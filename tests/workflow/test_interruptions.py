"""One kill of each kind: the same command again continues, and ends with the same bits."""

import json
import os
import signal
import subprocess
import sys
import time

import psutil
import pyarrow.parquet as pq
import pytest

from plumenav.analysis.reproducibility import trajectories_sha256
from workflow_helpers import Checkout, tiny

pytestmark = pytest.mark.workflow


def fingerprint(checkout, run):
    """Hash of all merged trajectories and the results that follow from them."""
    folder = checkout.folder / "results" / run
    hashes = []
    for agent in ("fly", "walk"):
        files = sorted((folder / "trajectories" / "hill" / agent).glob("*.parquet"))
        hashes.append(trajectories_sha256([pq.read_table(file) for file in files]))
    numbers = json.loads((folder / "numbers.json").read_text())
    return hashes, numbers["agents"], numbers["validation"]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    made = Checkout(tmp_path_factory.mktemp("undisturbed"))
    done = made.run(made.write_config("tiny", tiny("tiny")))
    assert done.returncode == 0, done.stdout + done.stderr
    return fingerprint(made, "tiny")


def processes_of(group, word):
    """Living processes of a started run whose command line holds a word."""
    found = []
    for process in psutil.Process(group).children(recursive=True):
        try:
            if any(word in part for part in process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue
    return found


def wait_for(what, limit_s=120):
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        found = what()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("it never came to that")


def finish(started):
    out, _ = started.communicate(timeout=300)
    return started.returncode, out


def test_a_killed_job_is_done_again(checkout, undisturbed):
    config = checkout.write_config("tiny", tiny("tiny"))
    started = checkout.start(config)
    job = wait_for(lambda: processes_of(started.pid, "scripts/simulate.py"))[-1]
    job.kill()
    finish(started)
    done = checkout.run(config)
    assert done.returncode == 0, done.stdout + done.stderr
    assert fingerprint(checkout, "tiny") == undisturbed


def test_after_a_killed_snakemake_the_same_command_continues(checkout, undisturbed):
    config = checkout.write_config("tiny", tiny("tiny"))
    started = checkout.start(config)
    wait_for(lambda: list((checkout.folder / "results/tiny/simulations").rglob("*.parquet")))
    jobs = wait_for(lambda: processes_of(started.pid, "--usage"))
    workflow = processes_of(started.pid, "snakemake")[0]
    os.kill(workflow.pid, signal.SIGKILL)
    os.kill(started.pid, signal.SIGKILL)
    started.communicate()
    # the jobs notice that their workflow is gone, and end
    psutil.wait_procs(jobs, timeout=20)
    assert not any(job.is_running() and job.status() != "zombie" for job in jobs)
    bare = checkout.snakemake("--configfile", config)
    assert bare.returncode != 0, "bare snakemake must not take over silently"
    done = checkout.run(config)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "was interrupted" in done.stderr
    assert fingerprint(checkout, "tiny") == undisturbed
    leftovers = [p for p in (checkout.folder / "results").rglob(".*") if p.is_file()]
    assert leftovers == []


def test_a_living_run_is_respected(checkout):
    config = checkout.write_config("tiny", tiny("tiny"))
    started = checkout.start(config)
    try:
        owner = checkout.folder / ".snakemake/plumenav/tiny.owner.json"
        wait_for(owner.exists)
        second = checkout.run(config)
        assert second.returncode == 1
        assert "is going on in this folder" in second.stderr
        assert "Traceback" not in second.stderr
    finally:
        code, out = finish(started)
    assert code == 0, out


def test_the_owner_file_tells_dead_from_alive(tmp_path):
    from plumenav import ownership

    ownership.claim("a", tmp_path)
    mine = ownership.read_owner("a", tmp_path)
    assert mine == ownership.me()
    assert ownership.is_alive(mine) is True
    assert ownership.is_alive(mine._replace(boot="before the restart")) is False
    assert ownership.is_alive(mine._replace(started_s=mine.started_s - 60)) is False
    assert ownership.is_alive(mine._replace(host="elsewhere")) is None
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    dead = mine._replace(pid=child.pid)
    child.wait()
    assert ownership.is_alive(dead) is False
    ownership.release("a", tmp_path)
    assert ownership.read_owner("a", tmp_path) is None


def test_half_written_files_of_the_dead_are_removed_and_of_the_living_kept(tmp_path):
    from plumenav import ownership

    child = subprocess.Popen([sys.executable, "-c", "pass"])
    child.wait()
    folder = tmp_path / "results/x/trajectories"
    folder.mkdir(parents=True)
    dead, alive = folder / f".{child.pid}-ab.a.parquet", folder / f".{os.getpid()}-ab.a.parquet"
    dead.touch()
    alive.touch()
    assert ownership.remove_leftovers("x", tmp_path) == 1
    assert not dead.exists()
    assert alive.exists()
