"""The store: what is kept is taken back bit for bit, or not at all."""

import errno
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from plumenav import ownership
from plumenav.store import Store, digests, folders, key_of, leases, shelf
from plumenav.store.entries import FACTS, USES, Entry
from plumenav.store.pruning import judge

KEY = key_of("simulate", "code", {"dt_s": 0.1}, {"plume": ["aa"]}, "machine")
DAY_S = 86400.0


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    """Notes of digests, too, are the test's own."""
    monkeypatch.setenv("PLUMENAV_CACHE", str(tmp_path / "root"))
    return tmp_path / "root"


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "root" / "results", 100, DAY_S)


@pytest.fixture
def made(tmp_path):
    """Two outputs of a run."""
    files = {"table": tmp_path / "run/table.parquet", "list": tmp_path / "run/list.json"}
    files["table"].parent.mkdir()
    files["table"].write_bytes(bytes(range(256)) * 40)
    files["list"].write_text("[1, 2]\n")
    return files


def places(tmp_path, folder="other"):
    return {"table": tmp_path / folder / "t.parquet", "list": tmp_path / folder / "l.json"}


def key(n):
    return key_of("simulate", "code", {"n": n}, {}, "machine")


def test_what_was_kept_comes_back_bit_for_bit(store, made, tmp_path):
    assert not store.fetch(KEY, places(tmp_path))
    assert store.keep(KEY, made, {"rule": "simulate"}) == 10240 + 7
    assert store.fetch(KEY, places(tmp_path))
    for name, path in places(tmp_path).items():
        assert path.read_bytes() == made[name].read_bytes()


def test_outputs_are_files_of_their_own_and_new(store, made, tmp_path):
    old = time.time() - 1000
    os.utime(made["table"], (old, old))
    store.keep(KEY, made, {})
    store.fetch(KEY, places(tmp_path))
    for path in places(tmp_path).values():
        assert not path.is_symlink()
        assert path.stat().st_nlink == 1
        # Snakemake compares times: what was taken now is newer than its inputs
        assert path.stat().st_mtime > old + 900
    # and the run that made it has not become newer by that
    assert made["table"].stat().st_mtime == pytest.approx(old)


def test_an_emptied_cache_changes_no_finished_run(store, made, tmp_path):
    before = {name: path.read_bytes() for name, path in made.items()}
    store.keep(KEY, made, {})
    store.fetch(KEY, places(tmp_path))
    shutil.rmtree(store.folder / leases.FOLDER)  # the run has ended
    assert [why for _, _, why in Store(store.folder, 0, DAY_S).prune().removed] == [
        "larger than the limit"
    ]
    assert store.entries() == []
    for name in made:
        assert made[name].read_bytes() == before[name]
        assert places(tmp_path)[name].read_bytes() == before[name]


def flipped(entry):
    content = bytearray((entry / "table").read_bytes())
    content[5000] ^= 1
    (entry / "table").unlink()
    (entry / "table").write_bytes(content)


def shortened(entry):
    content = (entry / "table").read_bytes()
    (entry / "table").unlink()
    (entry / "table").write_bytes(content[:-1])


def linked(entry):
    content = (entry / "table").read_bytes()
    (entry / "table").unlink()
    elsewhere = entry.parent / "elsewhere"
    elsewhere.write_bytes(content)
    (entry / "table").symlink_to(elsewhere)


def piped(entry):
    (entry / "table").unlink()
    os.mkfifo(entry / "table")


def with_facts(change):
    def damage(entry):
        facts = json.loads((entry / FACTS).read_text())
        change(facts)
        (entry / FACTS).write_text(json.dumps(facts))

    return damage


def renamed(facts):
    facts["files"]["../../escaped"] = facts["files"].pop("list")


DAMAGE = {
    "a flipped bit": flipped,
    "a lost byte": shortened,
    "a link": linked,
    "a pipe": piped,
    "a missing file": lambda entry: (entry / "list").unlink(),
    "no facts": lambda entry: (entry / FACTS).unlink(),
    "facts that are none": lambda entry: (entry / FACTS).write_text("{"),
    "facts that are a list": lambda entry: (entry / FACTS).write_text("[]"),
    "another key": with_facts(lambda facts: facts.update(key=key(3))),
    "another hash": with_facts(lambda facts: facts["files"]["list"].update(sha256="0" * 64)),
    "no hash": with_facts(lambda facts: facts["files"]["list"].update(sha256="")),
    "a file too few": with_facts(lambda facts: facts["files"].pop("list")),
    "a name that leads elsewhere": with_facts(renamed),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_a_damaged_entry_is_refused_reported_and_removed(store, made, tmp_path, caplog, what):
    store.keep(KEY, made, {})
    DAMAGE[what](store.folder / KEY)
    assert [name for name, _ in store.verify()] == ([KEY] if what != "a file too few" else [])
    assert not store.fetch(KEY, places(tmp_path))
    assert not any(path.exists() for path in places(tmp_path).values())
    assert not list(tmp_path.glob("other/.*"))
    assert "damaged and not used" in caplog.text
    assert not (store.folder / KEY).exists()
    # and is kept again
    assert store.keep(KEY, made, {}) is not None
    assert store.fetch(KEY, places(tmp_path))


def test_an_output_that_is_edited_in_place_spoils_its_entry_and_nothing_else(
    store, made, tmp_path, caplog
):
    store.keep(KEY, made, {})
    with open(made["table"], "r+b") as file:
        file.write(b"edited")
    assert not store.fetch(KEY, places(tmp_path))
    assert "the content of table is not what was kept" in caplog.text
    assert made["table"].read_bytes().startswith(b"edited")


def test_an_output_that_is_replaced_spoils_nothing(store, made, tmp_path):
    before = made["table"].read_bytes()
    store.keep(KEY, made, {})
    other = made["table"].with_suffix(".new")
    other.write_bytes(b"new")
    os.replace(other, made["table"])
    assert store.fetch(KEY, places(tmp_path))
    assert places(tmp_path)["table"].read_bytes() == before


@pytest.mark.parametrize("call", ["link", "copy_file_range"])
def test_file_systems_that_can_do_less(store, made, tmp_path, monkeypatch, call):
    def refused(*_, **__):
        raise OSError(errno.EXDEV, "another file system")

    monkeypatch.setattr(os, call, refused)
    store.keep(KEY, made, {})
    assert store.fetch(KEY, places(tmp_path))
    for name, path in places(tmp_path).items():
        assert path.read_bytes() == made[name].read_bytes()
    # a copy is not spoilt by an edit in place
    assert made["list"].stat().st_nlink == (1 if call == "link" else 2)


def test_a_full_disk_costs_a_warning(store, made, tmp_path, monkeypatch, caplog):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "no space left")

    store.keep(KEY, made, {})
    with monkeypatch.context() as patch:
        patch.setattr(shelf, "copy", full)
        assert not store.fetch(KEY, places(tmp_path))
        patch.setattr(os, "link", full)
        assert store.keep(key(2), made, {}) is None
    assert caplog.text.count("no space left") == 2
    assert not list(store.folder.glob(".[0-9]*"))
    # the entry is sound, and stays
    assert store.fetch(KEY, places(tmp_path))


@pytest.mark.parametrize("bad", ["", "x", "../simulate-0", KEY + "/..", KEY.upper()])
def test_keys_are_names(store, made, tmp_path, bad):
    with pytest.raises(ValueError, match="is no key"):
        store.fetch(bad, places(tmp_path))
    with pytest.raises(ValueError, match="is no key"):
        store.keep(bad, made, {})


def test_many_who_keep_the_same_at_once(store, made, tmp_path):
    with ThreadPoolExecutor(8) as pool:
        kept = list(pool.map(lambda _: store.keep(KEY, made, {}), range(32)))
    assert sum(n is not None for n in kept) == 1
    assert store.verify() == []
    assert not list(store.folder.glob(".[0-9]*"))
    assert store.fetch(KEY, places(tmp_path))


PROGRAM = """
    import os, signal, sys
    from pathlib import Path
    from plumenav.store import Store, shelf
    key, folder, file, when = sys.argv[1:]
    if when == "dies":
        shelf.sync = lambda path: os.kill(os.getpid(), signal.SIGKILL)
    print(Store(folder, 100, 86400).keep(key, {"table": Path(file)}, {}))
"""


def keeping(store, file, when):
    command = [sys.executable, "-c", textwrap.dedent(PROGRAM), KEY, store.folder, file, when]
    return subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, text=True)


def test_processes_that_keep_the_same_at_once_and_one_that_is_killed(store, made, tmp_path):
    killed = keeping(store, made["table"], "dies")
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    # nothing of it is found, and it is in nobody's way
    assert not store.fetch(KEY, {"table": tmp_path / "t"})
    left = list(store.folder.glob(".[0-9]*"))
    assert len(left) == 1
    both = [keeping(store, made["table"], "lives") for _ in range(2)]
    said = sorted(process.communicate()[0].strip() for process in both)
    assert said == ["10240", "None"]
    assert store.fetch(KEY, {"table": tmp_path / "t"})
    # what it left goes when it is old
    store.prune()
    assert left[0].exists()
    os.utime(left[0], (0, 0))
    store.prune()
    assert not left[0].exists()
    assert [entry.key for entry in store.entries()] == [KEY]


def test_a_store_that_cannot_be_written_fails_no_job(tmp_path, made, caplog):
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "results").write_text("a file is in the way")
    store = Store(tmp_path / "root" / "results", 100, DAY_S)
    assert store.keep(KEY, made, {}) is None
    assert "nothing was kept" in caplog.text
    assert not store.fetch(KEY, places(tmp_path))


def test_modes_follow_the_umask(store, made, tmp_path):
    before = os.umask(0o027)
    try:
        store.keep(KEY, made, {})
        store.fetch(KEY, places(tmp_path))
    finally:
        os.umask(before)
    assert stat.S_IMODE((store.folder / KEY).stat().st_mode) == 0o750
    assert stat.S_IMODE((store.folder / KEY / FACTS).stat().st_mode) == 0o640
    assert stat.S_IMODE(places(tmp_path)["list"].stat().st_mode) == 0o640


# ------------------------------------------------------------------------------------ pruning


def entry(name, mb=1.0, created=0.0, used=0.0, uses=0):
    files = {"table": (int(mb * 1e6), "0" * 64)}
    return Entry(name, Path(name), files, created, max(created, used), uses, {})


def test_uses_are_counted_and_dated(store, made, tmp_path):
    store.keep(KEY, made, {})
    os.utime(store.folder / KEY / USES, (5, 5))
    assert store.entries()[0].uses == 0
    for n in range(3):
        store.fetch(KEY, places(tmp_path, str(n)))
    (only,) = store.entries()
    assert only.uses == 3
    assert time.time() - only.used_s < 60


FOUR = [
    entry("a", created=1, used=9, uses=1),
    entry("b", created=2, used=5, uses=4),
    entry("c", created=3, used=7, uses=1),
    entry("d", created=4, used=6, uses=2),
]


@pytest.mark.parametrize(
    ("policy", "first", "second"), [("lru", "b", "d"), ("lfu", "c", "a"), ("fifo", "a", "b")]
)
def test_what_goes_first(policy, first, second):
    def gone(limit_mb, held=()):
        verdict = judge(FOUR, limit_mb * 1e6, 100, policy, 10.0, held)
        return [one.key for one, _ in verdict.removed]

    assert gone(4) == []
    assert gone(3) == [first]
    assert gone(2) == [first, second]
    # what is in use is passed over
    assert gone(3, {first}) == [second]


@pytest.mark.parametrize(("policy", "gone"), [("lru", []), ("lfu", []), ("fifo", ["a", "b"])])
def test_age_counts_from_the_last_use_or_with_fifo_from_the_making(policy, gone):
    verdict = judge(FOUR, 100e6, 7.5, policy, 10.0)
    assert [one.key for one, _ in verdict.removed] == gone


def test_one_that_is_too_large_makes_no_other_go():
    entries = [entry("film", mb=50), entry("a"), entry("b")]
    verdict = judge(entries, 10e6, 100, "lru", 1.0, {"film"})
    assert verdict.removed == []
    assert [one.key for one in verdict.spared] == ["film"]
    assert [one.key for one, _ in judge(entries, 10e6, 100, "lru", 1.0).removed] == ["film"]


def test_keeping_prunes(tmp_path, made):
    dead = ownership.me()._replace(started_s=1.0)
    store = Store(tmp_path / "root/results", 0.025, DAY_S, owner=dead)
    for n in range(4):  # 10 kB each
        store.keep(key(n), made, {})
        (store.folder / ".pruning").unlink(missing_ok=True)
        os.utime(store.folder / key(n) / USES, (time.time() + n - 9, time.time() + n - 9))
    assert sorted(one.key for one in store.entries()) == sorted([key(2), key(3)])


def test_what_a_living_workflow_uses_stays_and_goes_after_its_end(tmp_path, made, caplog):
    child = subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    import psutil

    process = psutil.Process(child.pid)
    owner = ownership.me()._replace(pid=child.pid, started_s=process.create_time())
    store = Store(tmp_path / "root/results", 0.001, DAY_S, owner=owner)
    try:
        store.keep(KEY, made, {})
        assert "it stays for this run only" in caplog.text
        assert Store(store.folder, 0.001, 0.0).prune().spared == [(KEY, 10247)]
        assert store.fetch(KEY, places(tmp_path))
    finally:
        child.communicate(b"\n")
    assert [name for name, _, _ in Store(store.folder, 0.001, DAY_S).prune().removed] == [KEY]
    assert not list((store.folder / leases.FOLDER).iterdir())


def test_a_workflow_elsewhere_is_believed_for_a_day(tmp_path, made):
    owner = ownership.me()._replace(host=f"not-{socket.gethostname()}")
    store = Store(tmp_path / "root/results", 0, DAY_S, owner=owner)
    store.keep(KEY, made, {})
    assert leases.held(store.folder) == {KEY}
    (folder,) = (store.folder / leases.FOLDER).iterdir()
    for path in (*folder.iterdir(), folder):
        os.utime(path, (1, 1))
    assert leases.held(store.folder) == set()


# ------------------------------------------------------------------------------------ digests


def test_a_large_files_digest_is_remembered_until_it_changes(tmp_path, monkeypatch):
    file = tmp_path / "film"
    file.write_bytes(b"a" * digests.REMEMBERED_BYTES)
    os.utime(file, (1000, 1000))
    read = []
    real = digests.read_sha256
    monkeypatch.setattr(digests, "read_sha256", lambda path: read.append(path) or real(path))
    first = digests.of_file(file)
    assert digests.of_file(file) == first == real(file)
    assert len(read) == 1
    with open(file, "r+b") as content:  # one byte, same size, same inode
        content.write(b"b")
    assert digests.of_file(file) == real(file) != first
    assert len(read) == 2


def test_nobody_elses_word_or_code_is_taken(tmp_path, monkeypatch):
    file = tmp_path / "film"
    file.write_bytes(b"a" * digests.REMEMBERED_BYTES)
    os.utime(file, (1000, 1000))
    digests.remember(file, "0" * 64)
    assert digests.of_file(file) == "0" * 64
    own = folders.kernels()
    real = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: real + 1)
    assert digests.of_file(file) == digests.read_sha256(file)
    assert folders.kernels() != own


def test_the_root_is_where_the_user_says_or_private(tmp_path, monkeypatch):
    assert folders.root() == tmp_path / "root"
    monkeypatch.delenv("PLUMENAV_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert folders.root() == tmp_path / "xdg" / "plumenav"
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("PLUMENAV_CACHE", str(tmp_path / "file" / "cache"))
    monkeypatch.setattr(folders.tempfile, "gettempdir", lambda: str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    private = folders.root()
    assert private.parent == tmp_path / "tmp"
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    # a name that somebody else has taken is not used: code is read from there
    monkeypatch.setenv("PLUMENAV_CACHE", str(tmp_path / "file" / "other"))
    private.rmdir()
    private.symlink_to(tmp_path / "xdg")
    with pytest.raises(PermissionError, match="is not ours"):
        folders.root()


def test_a_folders_digest_is_that_of_names_and_contents(tmp_path):
    folder = tmp_path / "frames"
    folder.mkdir()
    (folder / "0.png").write_bytes(b"x")
    (folder / "1.png").write_bytes(b"y")
    first = digests.of_input(folder)
    (folder / "1.png").rename(folder / "2.png")
    second = digests.of_input(folder)
    (folder / "2.png").write_bytes(b"z")
    assert len({first, second, digests.of_input(folder)}) == 3
