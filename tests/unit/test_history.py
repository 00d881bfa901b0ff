"""The history of runs: where it is, what is in it, and that it never fails a run."""

import json
import logging
import os
import re
from pathlib import Path
from typing import Any

import pytest

from plumenav import history


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PLUMENAV_HISTORY", str(tmp_path / "history"))
    return tmp_path / "history"


def record(started_s: float, machine: str = "0123456789ab", **more: Any) -> dict[str, Any]:
    jobs = [
        {"rule": "simulate", "wildcards": {"agent": "a"}, "start_s": started_s, "wall_s": 2.0},
        {"rule": "figures", "wildcards": {}, "start_s": started_s + 2, "wall_s": 1.0},
    ]
    return {"machine": {"fingerprint": machine}, "started_s": started_s, "jobs": jobs, **more}


def test_where_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PLUMENAV_HISTORY", str(tmp_path / "mine"))
    assert history.folder() == tmp_path / "mine"
    monkeypatch.setenv("PLUMENAV_HISTORY", "")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert history.folder() == tmp_path / "state/plumenav/history"
    monkeypatch.setenv("HOME", str(tmp_path))
    for unusable in ("", "relative/folder"):
        monkeypatch.setenv("XDG_STATE_HOME", unusable)
        assert history.folder() == tmp_path / ".local/state/plumenav/history"
    monkeypatch.delenv("XDG_STATE_HOME")
    assert history.folder() == tmp_path / ".local/state/plumenav/history"


def test_what_is_written_is_read_newest_first(own: Path) -> None:
    assert history.read() == []
    for started_s in (1000.0, 3000.0, 2000.0):
        assert history.append(record(started_s, run="demo")) is not None
    history.append(record(2500.0, machine="ba9876543210"))
    found = history.read()
    assert [r["started_s"] for r in found] == [3000.0, 2500.0, 2000.0, 1000.0]
    assert found[0] == {**record(3000.0, run="demo"), "version": 1}
    assert [r["started_s"] for r in history.read("0123456789ab")] == [3000.0, 2000.0, 1000.0]
    assert [r["started_s"] for r in history.read("0123456789ab", newest=2)] == [3000.0, 2000.0]
    assert history.read("ffffffffffff") == []
    assert not list(own.glob(".*"))  # nothing half-written


def test_the_same_work_is_recorded_once(own: Path) -> None:
    one = record(1000.0)
    history.append(one)
    history.append({**one, "jobs": one["jobs"][::-1]})
    assert len(history.read()) == 1
    os.utime(next(own.glob("*.json")), (5000.0, 5000.0))
    again = {**one["jobs"][0], "start_s": 1500.0}
    assert history.recorded([*one["jobs"], again]) == {history.job_key(j) for j in one["jobs"]}
    assert history.recorded([]) == set()


def test_files_older_than_the_jobs_are_not_opened(
    own: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = history.append(record(1000.0))
    assert path is not None
    path.write_text("damaged")
    os.utime(path, (1010.0, 1010.0))
    assert history.recorded([{"rule": "x", "wildcards": {}, "start_s": 2000.0}]) == set()
    assert not caplog.records
    assert history.recorded([{"rule": "x", "wildcards": {}, "start_s": 500.0}]) == set()
    assert [r.levelname for r in caplog.records] == ["WARNING"]


def test_old_files_are_removed(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "FILES_KEPT", 3)
    (own / "notes.txt").parent.mkdir()
    (own / "notes.txt").write_text("mine")
    for started_s in range(1000, 6000, 1000):
        history.append(record(float(started_s)))
    assert [r["started_s"] for r in history.read()] == [5000.0, 4000.0, 3000.0]
    assert (own / "notes.txt").is_file()


def test_what_cannot_be_used_is_left_out(own: Path, caplog: pytest.LogCaptureFixture) -> None:
    history.append(record(1000.0))
    name = history.file_name(record(2000.0))
    for suffix, text in (
        ("cut", '{"version": 1, "mach'),
        ("list", "[]"),
        ("newer", json.dumps({"version": 2})),
    ):
        (own / name.replace(".json", f"-{suffix}.json")).write_text(text)
    (own / name.replace(".json", "-bytes.json")).write_bytes(b"\xff\xfe\x00")
    with caplog.at_level(logging.WARNING):
        assert [r["started_s"] for r in history.read()] == [1000.0]
    assert len(caplog.records) == 2  # the cut one and the bytes; another version is no fault


def test_a_folder_that_cannot_be_written_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PLUMENAV_HISTORY", str(tmp_path / "file" / "history"))
    assert history.append(record(1000.0)) is None
    assert "cannot be written" in caplog.text
    assert history.read() == []
    assert history.recorded(record(1000.0)["jobs"]) == set()


def test_a_user_without_a_home_has_no_history(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def homeless(path: Path) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("PLUMENAV_HISTORY")
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setattr(Path, "expanduser", homeless)
    assert history.append(record(1000.0)) is None
    assert history.read() == []
    assert "home" in caplog.text


def test_the_machine_is_known_without_names() -> None:
    facts = history.machine()
    assert set(facts) == {"fingerprint", "processor", "cores", "memory_mb"}
    assert re.fullmatch("[0-9a-f]{12}", facts["fingerprint"])
    assert history.fingerprint() == facts["fingerprint"]
    assert facts["cores"] >= 1
    assert facts["memory_mb"] > 100
    assert os.uname().nodename not in json.dumps(facts)


def test_another_machine_has_another_fingerprint(monkeypatch: pytest.MonkeyPatch) -> None:
    here = history.fingerprint()
    total = history.psutil.virtual_memory().total
    try:
        for name, value, same in (
            ("processor", lambda: "another", False),
            ("processor", history.processor, True),
        ):
            monkeypatch.setattr(history, name, value)
            history.machine.cache_clear()
            assert (history.fingerprint() == here) is same
        for change, same in ((total + 2**20, True), (2 * total, False)):
            memory = type("Memory", (), {"total": change})
            monkeypatch.setattr(history.psutil, "virtual_memory", lambda memory=memory: memory)
            history.machine.cache_clear()
            assert (history.fingerprint() == here) is same
    finally:
        history.machine.cache_clear()
