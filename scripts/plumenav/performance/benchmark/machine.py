"""Where a benchmark ran: what has to be equal before two of them are compared."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from typing import Any

import psutil

from plumenav import fingerprint, history

PACKAGES = ("numpy", "opencv-python-headless", "pyarrow", "h5py", "numba", "scipy", "plumenav")


def load() -> float:
    """Processes that were running or waiting to, mean over the last minute."""
    return os.getloadavg()[0]


def describe() -> dict[str, Any]:
    """Processor, cores, memory, system and versions; no names of machine or user."""
    return {
        # what the report asks before it shows a measurement as that of its own run
        "fingerprint": history.fingerprint(),
        "code": fingerprint.of_package(),
        "cpu": history.processor(),
        "cores": psutil.cpu_count(),
        "cores_physical": psutil.cpu_count(logical=False),
        "memory_mb": round(psutil.virtual_memory().total / 1024**2),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
    }
