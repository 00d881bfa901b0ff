"""Where a benchmark ran: what has to be equal before two of them are compared."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from pathlib import Path
from typing import Any

import psutil

PACKAGES = ("numpy", "opencv-python-headless", "pyarrow", "h5py", "numba", "scipy", "plumenav")


def cpu_model() -> str:
    """Name of the processor, as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()


def load() -> float:
    """Processes that were running or waiting to, mean over the last minute."""
    return os.getloadavg()[0]


def describe() -> dict[str, Any]:
    """Processor, cores, memory, system and versions; no names of machine or user."""
    return {
        "cpu": cpu_model(),
        "cores": psutil.cpu_count(),
        "cores_physical": psutil.cpu_count(logical=False),
        "memory_mb": round(psutil.virtual_memory().total / 1024**2),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
    }
