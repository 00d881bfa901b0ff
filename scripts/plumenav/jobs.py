"""What every job does around its work: messages, a record of its true cost, an end with its parent.

Imported first by every script: it also sets the environment that libraries read when they load.
"""

from __future__ import annotations

import argparse
import importlib.abc
import json
import logging
import opcode
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

import psutil

from plumenav.errors import UserError

log = logging.getLogger(__name__)
LOADED_S = time.time()
PLUGINS_VARIABLE = "PLUMENAV_PLUGINS"

# one thread per library unless the rule says otherwise; mimalloc keeps pages that the next block of
# a plume needs: the system allocator returned them each time, at half the speed and more memory
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "mimalloc")
os.environ.setdefault("MPLBACKEND", "agg")

POLL_S = 0.5
GRACE_S = 5.0


def inherit_environment(plugins: Sequence[str]) -> None:
    """Let the jobs of this workflow use its own Python, and know the user's plug-ins.

    Where the plug-ins' files lie is not a parameter of any rule: two machines would differ. What is
    in them is, by its fingerprint.
    """
    own = str(Path(sys.executable).parent)
    if os.environ.get("PATH", "").split(os.pathsep)[0] != own:
        os.environ["PATH"] = os.pathsep.join([own, os.environ.get("PATH", "")])
    os.environ[PLUGINS_VARIABLE] = json.dumps(list(plugins))


def plugin_files() -> list[str]:
    """Files of the user's plug-ins, as the workflow handed them over."""
    files: list[str] = json.loads(os.environ.get(PLUGINS_VARIABLE, "[]"))
    return files


def parser(description: str | None) -> argparse.ArgumentParser:
    """Command line of a job, with the flags that all jobs share."""
    result = argparse.ArgumentParser(description=description, allow_abbrev=False)
    result.add_argument("--usage", type=Path, help="where to record what the job cost (JSON)")
    result.add_argument("--rule", default="", help="name of the rule")
    result.add_argument("--declared-mb", type=float, default=0.0, help="memory the rule declared")
    result.add_argument("--threads", type=int, default=1, help="threads the job may use")
    return result


def _workflow_process() -> psutil.Process | None:
    """The nearest ancestor that is Snakemake, or None when a script is run by hand."""
    for process in psutil.Process().parents():
        try:
            words = process.cmdline()
        except psutil.Error:
            continue
        if any("snakemake" in Path(word).name for word in words[:3]):
            return process
    return None


def _die_with(workflow: psutil.Process) -> None:
    """End this process soon after its workflow has ended, whatever ended it."""
    while workflow.is_running() and workflow.status() != psutil.STATUS_ZOMBIE:
        time.sleep(POLL_S)
    os.kill(os.getpid(), signal.SIGTERM)  # unwinds, so that temporary files go
    time.sleep(GRACE_S)
    os._exit(1)


def _terminated(signum: int, frame: Any) -> NoReturn:
    sys.exit(128 + signum)


def started_s() -> float:
    """When this process started, seconds since the epoch.

    From the kernel's clock ticks since boot (psutil's start time rests on whole seconds); where
    there are none, when this module was loaded.
    """
    try:
        ticks = int(Path("/proc/self/stat").read_text().rsplit(")", 1)[1].split()[19])
        age_s = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, AttributeError, ValueError):
        return LOADED_S
    return time.time() - age_s


def peak_rss_mb(usage: resource.struct_rusage) -> float:
    """Largest resident memory of an account, MB; Linux counts kB, macOS bytes."""
    return usage.ru_maxrss / (1024.0**2 if sys.platform == "darwin" else 1024.0)


def _record_usage(args: argparse.Namespace, details: dict[str, Any]) -> None:
    from plumenav.tables import write_json

    own, children = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    start = started_s()
    write_json(
        args.usage,
        {
            "rule": args.rule,
            "wildcards": {
                name: getattr(args, name)
                for name in ("recording", "agent", "chunk")
                if getattr(args, name, None)
            },
            "start_s": start,
            "wall_s": time.time() - start,
            "cpu_s": own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime,
            "max_rss_mb": max(peak_rss_mb(own), peak_rss_mb(children)),
            "declared_mb": args.declared_mb,
            "threads": args.threads,
            "details": details,
        },
    )


class _Absent(importlib.abc.MetaPathFinder):
    """Import machinery that does not find some packages, unless code of ours asks for them."""

    def __init__(self, packages: tuple[str, ...]) -> None:
        self.packages = packages

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        if name in self.packages and not _asked_by_us():
            raise ModuleNotFoundError(f"this job does without {name}", name=name)


def _asked_by_us() -> bool:
    """Whether the import that is going on was written in this package.

    Compiled libraries have no frame of their own: when pyarrow looks for pandas, the nearest frame
    is ours, which called it. Ours is an import only if that frame is at an import statement.
    """
    frame = sys._getframe(2)
    while frame is not None and "importlib" in frame.f_code.co_filename:
        frame = frame.f_back  # type: ignore[assignment]
    if frame is None or not str(frame.f_globals.get("__name__", "")).startswith("plumenav"):
        return False
    return frame.f_code.co_code[frame.f_lasti] == opcode.opmap["IMPORT_NAME"]


def without(*packages: str) -> None:
    """Do without packages that others import only to look whether they are there.

    pyarrow imports pandas to ask whether an array is a Series, numba imports scipy.linalg to know
    where BLAS is: half a second and 100 MB in every job, for an answer that is no. Both take the
    absence of the package for that answer. What this package itself imports is found.
    """
    if plugin_files():
        return  # a user's own file may need them
    sys.meta_path.insert(0, _Absent(packages))


def run(work: Callable[[argparse.Namespace], dict[str, Any] | None], args: Any) -> NoReturn:
    """Do a job's work and exit.

    A user's mistake becomes one message and exit code 1; a fault of the program keeps its
    traceback.

    Parameters
    ----------
    work : callable
        Takes the parsed flags; may return details for the usage record.
    args : argparse.Namespace
        Flags from a :func:`parser`.
    """
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    signal.signal(signal.SIGTERM, _terminated)
    workflow = _workflow_process()
    if workflow is not None:
        threading.Thread(target=_die_with, args=(workflow,), daemon=True).start()
    try:
        from plumenav import registry

        for plugin in plugin_files():
            registry.register_file(Path(plugin))
        details = work(args) or {}
        if args.usage:
            _record_usage(args, details)
    except UserError as error:
        log.error("plumenav: %s", error)
        sys.exit(1)
    sys.exit(0)
