"""How a job ends, and how it finds the workflow that started it."""

import os
import subprocess
import sys
import textwrap

import pytest

from conftest import ROOT
from plumenav import jobs


def called(script, *words):
    """Run a script as jobs are run."""
    return subprocess.run(
        [sys.executable, script, *words],
        env={"PYTHONPATH": str(ROOT / "scripts"), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture
def job(tmp_path):
    """Write a job's script; returns its path."""

    def write(work):
        body = textwrap.indent(textwrap.dedent(work), "    ")
        path = tmp_path / "job.py"
        path.write_text(
            "from plumenav import jobs\n"
            f"def main(args):\n{body}\n"
            "jobs.run(main, jobs.parser(None).parse_args())\n"
        )
        return path

    return write


def test_what_is_left_to_the_end_is_done(job, tmp_path):
    left = tmp_path / "left.txt"
    script = job(f"""
        import atexit, threading, time
        from concurrent.futures import ThreadPoolExecutor
        from pathlib import Path
        path = Path({str(left)!r})
        atexit.register(lambda: path.write_text(path.read_text() + " exit"))
        def late():
            time.sleep(0.2)
            path.write_text("thread")
        threading.Thread(target=late).start()
        ThreadPoolExecutor().submit(int)  # its idle thread waits for work
        print("said", end="")
    """)
    usage = tmp_path / "usage.json"
    done = called(script, "--usage", usage)
    assert (done.returncode, done.stdout, done.stderr) == (0, "said", "")
    assert left.read_text() == "thread exit"
    assert usage.is_file()


def test_a_mistake_ends_with_a_sentence_and_a_fault_with_its_traceback(job):
    mistake = job("""
        from plumenav.errors import UserError
        raise UserError("here", "this", "that")
    """)
    done = called(mistake)
    assert done.returncode == 1
    assert done.stderr.startswith("plumenav: here")
    assert "Traceback" not in done.stderr
    done = called(job("raise ValueError('unforeseen')"))
    assert done.returncode == 1
    assert "Traceback" in done.stderr


@pytest.mark.parametrize(("parent", "found"), [("snakemake", "True True"), ("make", "False")])
def test_the_workflow_is_the_nearest_ancestor_that_is_snakemake(tmp_path, parent, found):
    job = tmp_path / "look.py"
    job.write_text(
        "from plumenav import jobs\n"
        "lives = jobs._workflow()\n"
        "print(lives is not None, *([lives()] if lives else []))\n"
    )
    starts = tmp_path / parent
    starts.write_text(
        f"import subprocess\nsubprocess.run(['sh', '-c', '{sys.executable} {job}'])\n"
    )
    done = called(starts)
    assert done.stdout.split("\n")[0] == found, done.stderr


def test_another_process_with_the_number_of_the_workflow_is_not_the_workflow():
    _, _, start = jobs._stat(os.getpid())
    assert jobs._lives(os.getpid(), start)
    assert not jobs._lives(os.getpid(), start + 1)
    gone = subprocess.Popen([sys.executable, "-c", ""])
    _, _, start = jobs._stat(gone.pid)
    gone.wait()
    assert not jobs._lives(gone.pid, start)
