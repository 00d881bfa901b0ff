"""The machine that a run is planned for: what may be used of it, not what is built in."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple


class Machine(NamedTuple):
    """What a run may use.

    Attributes
    ----------
    cores : int
    memory_mb : float
        In all.
    available_mb : float
        Not in use by others.
    load : float
        Processes that wanted to run in the last minute, on average.
    """

    cores: int
    memory_mb: float
    available_mb: float
    load: float = 0.0


# control groups of containers and batch queues: version 2, version 1
LIMITS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    (
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/memory.usage_in_bytes",
    ),
)


def _number(file: str) -> float | None:
    try:
        return float(Path(file).read_text())
    except (OSError, ValueError):  # not there, or "max"
        return None


def here() -> Machine:
    """This machine: cores that this process may use, memory within the container's limit."""
    import psutil

    memory = psutil.virtual_memory()
    total, available = float(memory.total), float(memory.available)
    for limit_file, used_file in LIMITS:
        limit, used = _number(limit_file), _number(used_file)
        if limit is not None and limit < total:
            total = limit
            available = min(available, limit - (used or 0.0))
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS
        cores = os.cpu_count() or 1
    return Machine(cores, total / 2**20, available / 2**20, os.getloadavg()[0])
