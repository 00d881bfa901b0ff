"""What earlier runs cost on this user's machines: one small file per run, in the user's own folder.

A run's results do not depend on it, and a history that cannot be read or written costs a warning,
never a run. Files are named by the start of the run, the machine and the jobs in them, so that the
same work is never recorded twice, and a machine's records are found without opening the others'.

Record (JSON): {version, machine {fingerprint, processor, cores, memory_mb}, versions {python,
numba, ..., code}, run, config_sha256, complete, started_s, wall_s, cpu_s, cores, settings
{chunk_simulations, threads, memory_mb, ...}, simulations, rules {rule: {jobs, wall_s, cpu_s,
max_rss_mb, read_mb, written_mb}}, models {model: {simulations, core_seconds_per_simulation}}, jobs
[{rule, wildcards, start_s, wall_s, cpu_s, max_rss_mb, declared_mb, shape, cached, compiled}]}.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import os
import platform
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import psutil

log = logging.getLogger(__name__)

VARIABLE = "PLUMENAV_HISTORY"
VERSION = 1
FILES_KEPT = 500  # about 20 kB each

Record = dict[str, Any]


def folder() -> Path:
    """Where the history is: $PLUMENAV_HISTORY, else plumenav/history in the user's state folder.

    The state folder is $XDG_STATE_HOME (if absolute, as its specification asks), else
    ~/.local/state.

    Raises
    ------
    RuntimeError
        If the user has no home.
    """
    own = os.environ.get(VARIABLE)
    if own:
        return Path(own)
    state = Path(os.environ.get("XDG_STATE_HOME", ""))
    if not state.is_absolute():
        state = Path("~/.local/state").expanduser()
    return state / "plumenav" / "history"


def processor() -> str:
    """Name of the processor, as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()


@cache
def machine() -> dict[str, Any]:
    """What times and memory depend on, of this machine; no name of machine or user.

    Returns
    -------
    dict
        fingerprint, processor, cores (logical), memory_mb (in all).

    Notes
    -----
    The fingerprint knows memory to the next gigabyte (what is built in, not what the kernel left):
    a new kernel keeps a few MB more or less for itself, and the machine is still the same.
    """
    total_mb = psutil.virtual_memory().total / 1024**2
    facts = {
        "processor": processor(),
        "cores": psutil.cpu_count() or 1,
        "memory_mb": round(total_mb),
    }
    known = [platform.machine(), facts["processor"], facts["cores"], math.ceil(total_mb / 1024)]
    return {"fingerprint": _digest(known)[:12], **facts}


def fingerprint() -> str:
    """What two runs must share before their times are compared: 12 hexadecimal digits."""
    known: str = machine()["fingerprint"]
    return known


def _digest(content: Any) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def job_key(job: dict[str, Any]) -> str:
    """What identifies one execution of a job: rule, wildcards and when it started, to the ms."""
    return _digest([job["rule"], job["wildcards"], round(job["start_s"], 3)])


def file_name(record: Record) -> str:
    """Name of a record's file: start of the run (UTC), machine, hash of the jobs in it."""
    started = datetime.fromtimestamp(record["started_s"], UTC).strftime("%Y%m%dT%H%M%S")
    jobs = _digest(sorted(job_key(job) for job in record["jobs"]))[:12]
    return f"{started}-{record['machine']['fingerprint']}-{jobs}.json"


def _files(machine: str | None) -> list[Path]:
    """Files of the history, newest first; of one machine or of all."""
    try:
        return sorted(folder().glob(f"*-{machine or '*'}-*.json"), reverse=True)
    except (OSError, RuntimeError):
        return []


def append(record: Record) -> Path | None:
    """Add a record to the history, and remove the oldest files beyond the number that is kept.

    Parameters
    ----------
    record : dict
        As described above, without `version`; must be JSON-able.

    Returns
    -------
    Path or None
        The file; None, with a warning, if the history cannot be written.
    """
    from plumenav.tables import write_text

    text = json.dumps({**record, "version": VERSION}, sort_keys=True, separators=(",", ":"))
    try:
        path = folder() / file_name(record)
        write_text(path, text + "\n")
        for old in _files(None)[FILES_KEPT:]:
            old.unlink(missing_ok=True)
    except (OSError, RuntimeError) as error:
        log.warning("the history of runs cannot be written (%s)", error)
        return None
    return path


def _content(path: Path) -> Record | None:
    """A record of this version; None for anything else."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        log.warning("%s in the history of runs cannot be read (%s)", path.name, error)
        return None
    usable = isinstance(record, dict) and record.get("version") == VERSION
    return record if usable else None


def _records(files: Sequence[Path]) -> Iterator[Record]:
    for path in files:
        record = _content(path)
        if record is not None:
            yield record


def read(machine: str | None = None, newest: int = 50) -> list[Record]:
    """Records of earlier runs, newest first.

    Parameters
    ----------
    machine : str, optional
        Fingerprint; of all machines if not given.
    newest : int
        At most so many.

    Returns
    -------
    list of dict
        Without files that are damaged (with a warning) or of another version.
    """
    found: list[Record] = []
    for record in _records(_files(machine)):
        if len(found) >= newest:
            break
        found.append(record)
    return found


def recorded(jobs: Sequence[dict[str, Any]]) -> set[str]:
    """Keys (:func:`job_key`) of those jobs that are in the history already.

    Only files that were written after the first of the jobs began are opened: no other can know
    one of them.
    """
    if not jobs:
        return set()
    first_s = min(job["start_s"] for job in jobs)
    later = []
    for path in _files(None):
        try:
            if path.stat().st_mtime >= first_s:
                later.append(path)
        except OSError:
            continue  # pruned by another run
    known = {job_key(job) for record in _records(later) for job in record["jobs"]}
    return known & {job_key(job) for job in jobs}
