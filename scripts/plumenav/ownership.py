"""Who is running a workflow here: telling a dead lock from a live one.

Snakemake's own lock says only that somebody once started. The owner file says who: host, boot,
process and the process's start time, so that a process number that was given away again, or a
machine that was restarted, is not mistaken for a living owner.
"""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from plumenav.plain_files import read_json, write_json

STATE = Path(".snakemake") / "plumenav"


class Owner(NamedTuple):
    """One process that runs, or ran, a workflow.

    Attributes
    ----------
    host, boot : str
        Machine, and which start of it.
    pid : int
    started_s : float
        When the process started, seconds since the epoch.
    """

    host: str
    boot: str
    pid: int
    started_s: float


def boot_id() -> str:
    """Identity of this start of the machine."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:  # not Linux
        return f"{psutil.boot_time():.0f}"


def me() -> Owner:
    """Note of the process that asks."""
    process = psutil.Process()
    return Owner(socket.gethostname(), boot_id(), process.pid, process.create_time())


def owner_file(run: str, folder: Path = Path()) -> Path:
    """Where a run's owner is noted."""
    return folder / STATE / f"{run}.owner.json"


def claim(run: str, folder: Path = Path()) -> None:
    """Note that this process runs the workflow."""
    write_json(owner_file(run, folder), me()._asdict())


def release(run: str, folder: Path = Path()) -> None:
    """Take the note away, if it is ours."""
    if read_owner(run, folder) == me():
        owner_file(run, folder).unlink(missing_ok=True)


def read_owner(run: str, folder: Path = Path()) -> Owner | None:
    """The noted owner; None if there is none or the note is unreadable."""
    return read_note(owner_file(run, folder))


def read_note(path: Path) -> Owner | None:
    """The owner noted in a file; None if there is none or it is unreadable."""
    try:
        content: dict[str, Any] = read_json(path)
        return Owner(
            str(content["host"]),
            str(content["boot"]),
            int(content["pid"]),
            float(content["started_s"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def is_alive(owner: Owner) -> bool | None:
    """Whether the owner still runs; None if that cannot be known from this machine."""
    if owner.host != socket.gethostname():
        return None
    if owner.boot != boot_id() or not psutil.pid_exists(owner.pid):
        return False
    try:
        process = psutil.Process(owner.pid)
        same = abs(process.create_time() - owner.started_s) < 0.05
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def owners(folder: Path = Path()) -> dict[str, Owner]:
    """All noted owners by run."""
    found = {}
    for path in (folder / STATE).glob("*.owner.json"):
        run = path.name.removesuffix(".owner.json")
        # a note that cannot be read tells of somebody, but not of whom
        found[run] = read_owner(run, folder) or Owner("an unknown machine", "", 0, 0.0)
    return found


def working_here(folder: Path = Path()) -> list[psutil.Process]:
    """Living Snakemake processes of this user whose working folder is this one."""
    here = os.path.realpath(folder)
    found = []
    for process in psutil.process_iter():
        try:
            words = process.cmdline()[:3]
            if any(Path(word).name == "snakemake" for word in words) and (
                os.path.realpath(process.cwd()) == here
            ):
                found.append(process)
        except psutil.Error:
            continue
    return found


def jobs_of(run: str, folder: Path = Path()) -> list[psutil.Process]:
    """Living job processes of a run in this folder."""
    here, mark = os.path.realpath(folder), f"results/{run}/"
    found = []
    for process in psutil.process_iter():
        try:
            words = process.cmdline()
            ours = "--usage" in words and any(word.startswith(mark) for word in words)
            if ours and os.path.realpath(process.cwd()) == here:
                found.append(process)
        except psutil.Error:
            continue
    return found


def wait_for_orphans(run: str, folder: Path = Path(), limit_s: float = 15.0) -> None:
    """Wait until the jobs that a killed workflow left behind have ended; they notice by themselves.

    Raises
    ------
    TimeoutError
        Naming the processes that did not end.
    """
    end = time.monotonic() + limit_s
    while left := jobs_of(run, folder):
        if time.monotonic() > end:
            raise TimeoutError(f"processes {[p.pid for p in left]}")
        time.sleep(0.2)


def remove_leftovers(run: str, folder: Path = Path()) -> int:
    """Remove temporary files of processes that were killed while writing; return how many."""
    leftovers = [
        path
        for path in (folder / "results" / run).rglob(".[0-9]*-*")
        if path.is_file() and not psutil.pid_exists(int(path.name[1:].split("-")[0] or 0))
    ]
    for path in leftovers:
        path.unlink(missing_ok=True)
    return len(leftovers)
