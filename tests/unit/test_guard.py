"""A crash or a hang in a decoder becomes a message, and nothing is left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest

from conftest import ROOT
from factories_recordings import lopsided, settings, write_video
from plumenav import guard
from plumenav.errors import UserError

SCRIPTS = ROOT / "scripts"


@pytest.fixture(autouse=True)
def _finds_the_package(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(SCRIPTS))


def program(folder: Path, body: str) -> list[str]:
    path = folder / "work.py"
    path.write_text(
        "import os, signal, sys, time\nfrom plumenav import guard\n" + textwrap.dedent(body)
    )
    return [sys.executable, str(path)]


def test_the_exit_code_is_the_program_s(tmp_path):
    command = program(tmp_path, "assert guard.guarded(); sys.exit(7)")
    assert guard.guard(command, "x.avi", 60) == 7
    assert guard.guard(program(tmp_path, "guard.progress(3, 0.1)"), "x.avi", 60) == 0


@pytest.mark.parametrize("name", ["SIGSEGV", "SIGABRT", "SIGFPE", "SIGBUS"])
def test_a_crash_says_what_was_readable(tmp_path, name):
    work = program(
        tmp_path,
        f"""
        for n in range(1, 6):
            guard.progress(8 * n, 0.5 * n)
        os.kill(os.getpid(), signal.{name})
        """,
    )
    with pytest.raises(UserError, match=rf"x\.avi: the decoder crashed \({name}\)") as caught:
        guard.guard(work, "x.avi", 60)
    assert "40 frames (2.500 s) were readable" in str(caught.value)
    assert "reader.frames: [0, 40]" in caught.value.hint
    assert "copy it again" in caught.value.hint


def test_a_kill_by_the_system_speaks_of_memory(tmp_path):
    work = program(tmp_path, "guard.progress(2); os.kill(os.getpid(), signal.SIGKILL)")
    with pytest.raises(UserError, match=r"memory runs out; before that, 2 frames were readable"):
        guard.guard(work, "x.avi", 60)


def test_a_hang_is_ended_and_its_temporary_files_go(tmp_path):
    work = program(
        tmp_path,
        """
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # as deaf as a decoder in C
        name = f".{os.getpid()}-12345678.plume.parquet"
        open(os.path.join(os.path.dirname(__file__), name), "w").close()
        guard.progress(10, 1.0)
        time.sleep(600)
        """,
    )
    other = tmp_path / ".1-12345678.plume.parquet"
    other.touch()
    with pytest.raises(UserError, match=r"gave nothing for 2 s and was stopped") as caught:
        guard.guard(work, "x.avi", 2.0, [tmp_path])
    assert "10 frames (1.000 s) were readable" in str(caught.value)
    assert "reader.stall_s" in caught.value.hint
    assert sorted(p.name for p in tmp_path.iterdir()) == [other.name, "work.py"]


def test_slow_progress_is_no_hang(tmp_path):
    work = program(
        tmp_path,
        """
        for n in range(8):
            time.sleep(0.5)
            guard.progress(n)
        """,
    )
    assert guard.guard(work, "x.avi", 3.0) == 0


def test_without_a_guard_progress_is_nothing():
    assert not guard.guarded()
    guard.progress(1, 2.0)


def test_a_full_pipe_does_not_stop_the_work(tmp_path):
    command = program(tmp_path, "[guard.progress(n) for n in range(20_000)]")
    receiving, sending = os.pipe()
    try:
        environment = {**os.environ, guard.PIPE_VARIABLE: str(sending)}
        # nobody reads
        subprocess.run(command, pass_fds=[sending], env=environment, timeout=60, check=True)
    finally:
        os.close(receiving)
        os.close(sending)


def supervised(folder: Path) -> tuple[subprocess.Popen, int]:
    """A guard with a working child; returns the guard and the child's number."""
    work = program(
        folder,
        """
        open(os.path.join(os.path.dirname(__file__), "pid"), "w").write(str(os.getpid()))
        while True:
            guard.progress(1)
            time.sleep(0.1)
        """,
    )
    code = (
        "import sys, signal; from plumenav import guard, jobs;"
        f"signal.signal(signal.SIGTERM, jobs._terminated); guard.guard({work!r}, 'x', 60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code])
    end = time.monotonic() + 30
    while not (folder / "pid").exists() or not (folder / "pid").read_text():
        assert time.monotonic() < end
        time.sleep(0.05)
    return parent, int((folder / "pid").read_text())


@pytest.mark.parametrize("name", ["SIGTERM", "SIGKILL"])
def test_the_work_ends_with_its_guard(tmp_path, name):
    parent, child = supervised(tmp_path)
    parent.send_signal(signal.Signals[name])
    code = parent.wait(30)
    assert code == (143 if name == "SIGTERM" else -9)
    end = time.monotonic() + 30
    while psutil.pid_exists(child) and psutil.Process(child).status() != "zombie":
        assert time.monotonic() < end
        time.sleep(0.1)


# ------------------------------------------------------------------------- the job itself


CRASHER = '''
"""Reads what it should, then crashes or hangs as a decoder in C may."""
import ctypes, os, time
from plumenav import guard
from plumenav.recordings import video
PLUGIN_KIND = "reader"
SIGNATURES = {}

class Crasher(video.Video):
    def blocks(self, first=0, end=None):
        for block in super().blocks(first, end):
            yield block
        guard.progress(block.first + len(block.frames), float(block.time_s[-1]))
        END

def open(path, settings):
    return Crasher(path, settings)
'''


def normalize(folder: Path, source: Path, end: str = "", **reader: object):
    """Run the job on a file; `end` is what the reader does after the last frame."""
    environment = dict(os.environ)
    if end:
        plugin = folder / "crasher.py"
        plugin.write_text(CRASHER.replace("END", end))
        environment["PLUMENAV_PLUGINS"] = json.dumps([str(plugin)])
        reader["name"] = "crasher"
    out = folder / "out"
    out.mkdir()
    flags = {
        "rule": "normalize",
        "recording": "r",
        "settings": json.dumps({**settings(frame_rate_hz=None, reader=reader), "companions": []}),
        "source": source,
        "plume": out / "r.parquet",
        "quality": out / "r.quality.json",
        "usage": out / "r.usage.json",
    }
    words = [str(word) for flag, value in flags.items() for word in (f"--{flag}", value)]
    job = subprocess.run(
        [sys.executable, SCRIPTS / "normalize.py", *words],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return job, sorted(path.name for path in out.iterdir())


@pytest.fixture
def movie(tmp_path):
    return write_video(tmp_path / "movie.avi", lopsided(n=20), "FFV1", rate_hz=20.0)


def test_the_job_works_under_its_guard_and_records_what_the_work_cost(tmp_path, movie):
    job, files = normalize(tmp_path, movie)
    assert job.returncode == 0, job.stderr
    assert files == ["r.parquet", "r.quality.json", "r.usage.json"]
    usage = json.loads((tmp_path / "out" / "r.usage.json").read_text())
    # numpy, OpenCV and pyarrow are in it: the process that waits has a fraction of this
    assert usage["max_rss_mb"] > 80
    # at least the recording, read by it and by the process that decodes; at least the plume
    assert usage["read_mb"] >= movie.stat().st_size / 1e6
    assert usage["written_mb"] >= (tmp_path / "out" / "r.parquet").stat().st_size / 1e6


def test_a_crash_of_the_job_s_decoder_is_a_message(tmp_path, movie):
    job, files = normalize(tmp_path, movie, "os.kill(os.getpid(), 11)")
    assert job.returncode == 1
    assert files == []
    assert f"plumenav: {movie}: the decoder crashed (SIGSEGV)" in job.stderr
    assert "20 frames (0.950 s) were readable" in job.stderr
    assert "Traceback" not in job.stderr


def test_a_hang_of_the_job_s_decoder_is_a_message(tmp_path, movie):
    # sleeps in C with the interpreter's lock, so that not even a signal is handled
    hang = "ctypes.PyDLL(None).sleep(600)"
    job, files = normalize(tmp_path, movie, hang, stall_s=6.0)
    assert job.returncode == 1
    assert files == []
    assert f"plumenav: {movie}: reading gave nothing for 6 s and was stopped" in job.stderr
    assert "20 frames (0.950 s) were readable" in job.stderr


def test_a_mistake_of_the_user_is_said_once(tmp_path):
    source = tmp_path / "x.avi"
    source.write_bytes(b"RIFF....AVI LIST")
    job, files = normalize(tmp_path, source)
    assert job.returncode == 1
    assert files == []
    assert job.stderr.count("plumenav: ") == 1
