"""One measurement in this process: the task of a variant, its time and its peak memory.

``python -m plumenav.performance.benchmark.measure '{"task": ..., "arguments": ...}'`` prints JSON.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from plumenav import jobs
from plumenav.performance import benchmark
from plumenav.performance.benchmark._contract import Variant

PACKAGE = benchmark.__name__


def peak_mb() -> float:
    """Largest resident memory of this process since it began its program, MB.

    ``ru_maxrss`` would count that of the parent, too, from which this process was forked.
    """
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return jobs.peak_rss_mb(resource.getrusage(resource.RUSAGE_SELF))
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024.0


def cpu_s() -> float:
    """CPU time of all threads of this process and of its children that have ended, s."""
    own, children = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def here(task: str, arguments: Mapping[str, Any]) -> dict[str, float]:
    """Prepare a task, and measure what it returns.

    Parameters
    ----------
    task : str
        "module:function" below this package.
    arguments : mapping

    Returns
    -------
    dict
        wall_s, cpu_s (both of the call alone), peak_mb (of the process, until the call has ended),
        and what the call says of itself.
    """
    module, name = task.split(":")
    timed = getattr(importlib.import_module(f"{PACKAGE}.{module}"), name)(**arguments)
    gc.collect()
    cpu, start = cpu_s(), time.perf_counter()
    details = timed()
    wall = time.perf_counter() - start
    return {"wall_s": wall, "cpu_s": cpu_s() - cpu, "peak_mb": peak_mb(), **details}


def in_process(variant: Variant) -> dict[str, float]:
    """Measure a variant in a fresh process.

    Raises
    ------
    RuntimeError
        If it fails; its own messages are on standard error.
    """
    order = json.dumps({"task": variant.task, "arguments": variant.arguments})
    root = str(Path(__file__).parents[3])
    found = os.environ.get("PYTHONPATH")
    done = subprocess.run(
        [sys.executable, "-m", f"{PACKAGE}.measure", order],
        stdout=subprocess.PIPE,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([root, found] if found else [root])},
    )
    if done.returncode:
        raise RuntimeError(f"measuring {variant.name} ({variant.task}) ended with an error")
    measured: dict[str, float] = json.loads(done.stdout)
    return measured


if __name__ == "__main__":
    # as in the jobs: pyarrow would import it just to look
    jobs.without("pandas")
    json.dump(here(**json.loads(sys.argv[1])), sys.stdout)
