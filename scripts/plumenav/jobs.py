"""What every job does around its work: messages, a record of its true cost, an end with its parent.

Imported first by every script: it also sets the environment that libraries read when they load.
"""

from __future__ import annotations

import argparse
import atexit
import gc
import json
import logging
import opcode
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

from plumenav.errors import UserError
from plumenav.plain_files import write_json

log = logging.getLogger(__name__)
LOADED_S = time.time()
PLUGINS_VARIABLE = "PLUMENAV_PLUGINS"
CORES_VARIABLE = "PLUMENAV_CORES"

# one thread per library unless the rule says otherwise; mimalloc keeps pages that the next block of
# a plume needs: the system allocator returned them each time, at half the speed and more memory
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "mimalloc")
os.environ.setdefault("MPLBACKEND", "agg")
# pydantic would look through all installed packages for plug-ins of its own: 30 ms of every job
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

# imports make many objects and no garbage: looking for it among them took a tenth of their time
gc.set_threshold(50_000)

POLL_S = 0.5
GRACE_S = 5.0


def inherit_environment(plugins: Sequence[str], cores: int | None) -> None:
    """Let the jobs of this workflow use its own Python, know the user's plug-ins and its cores.

    Where the plug-ins' files lie is not a parameter of any rule: two machines would differ. What is
    in them is, by its fingerprint. Nor are the cores, which only the record of costs asks for.
    """
    own = str(Path(sys.executable).parent)
    if os.environ.get("PATH", "").split(os.pathsep)[0] != own:
        os.environ["PATH"] = os.pathsep.join([own, os.environ.get("PATH", "")])
    os.environ[PLUGINS_VARIABLE] = json.dumps(list(plugins))
    os.environ[CORES_VARIABLE] = str(cores or 0)


def plugin_files() -> list[str]:
    """Files of the user's plug-ins, as the workflow handed them over."""
    files: list[str] = json.loads(os.environ.get(PLUGINS_VARIABLE, "[]"))
    return files


def cores_of_the_run() -> int:
    """Cores that the workflow was given; 0 if it did not say, or a script is run by hand."""
    return int(os.environ.get(CORES_VARIABLE, "0"))


def parser(description: str | None) -> argparse.ArgumentParser:
    """Command line of a job, with the flags that all jobs share."""
    result = argparse.ArgumentParser(description=description, allow_abbrev=False)
    result.add_argument("--usage", type=Path, help="where to record what the job cost (JSON)")
    result.add_argument("--rule", default="", help="name of the rule")
    result.add_argument("--code", default="", help="fingerprint of all code that does the work")
    result.add_argument("--declared-mb", type=float, default=0.0, help="memory the rule declared")
    result.add_argument("--threads", type=int, default=1, help="threads the job may use")
    return result


def per_recording(
    args: argparse.Namespace, single: Sequence[str], several: Sequence[str]
) -> Iterator[argparse.Namespace]:
    """Flags of a job for several recordings, for each of them: as if it had a job of its own.

    Parameters
    ----------
    args : argparse.Namespace
        With `recordings`, `settings` (one entry each) and `wind` (of those whose wind is recorded).
    single, several : sequence of str
        Flags with one value per recording, and with equally many values for each.
    """
    winds = iter(args.wind)
    for i, recording in enumerate(args.recordings):
        own = {name: value for name, value in vars(args).items() if name != "recordings"}
        own |= {"recording": recording, "settings": args.settings[i]}
        own |= {name: own[name][i] for name in single}
        for name in several:
            each = len(own[name]) // len(args.recordings)
            own[name] = own[name][i * each : (i + 1) * each]
        own["wind"] = next(winds) if args.settings[i]["wind"]["field"] is not None else None
        yield argparse.Namespace(**own)


def one_after_another(
    work: Callable[[argparse.Namespace], dict[str, Any] | None],
    parts: Iterable[argparse.Namespace],
) -> dict[str, Any]:
    """Do a job's work part by part; numbers in the details are added up.

    Parameters
    ----------
    work : callable
        Takes the flags of a part; may return details.
    parts : iterable of argparse.Namespace
        From :func:`per_recording`.
    """
    total: dict[str, Any] = {}
    for part in parts:
        total = _added(total, work(part) or {})
    return total


def _added(a: dict[str, Any], b: dict[str, Any]) -> dict[str, Any]:
    """Two (nested) dicts of numbers, added.

    Examples
    --------
    >>> _added({"steps": 2, "cache": {"hits": 1}}, {"cache": {"hits": 1, "mb": 0.5}})
    {'steps': 2, 'cache': {'hits': 2, 'mb': 0.5}}
    """
    return {
        key: _added(a.get(key, {}), b.get(key, {}))
        if isinstance(a.get(key, b.get(key)), dict)
        else a.get(key, 0) + b.get(key, 0)
        for key in {**a, **b}
    }


def _is_snakemake(words: Sequence[str]) -> bool:
    return any("snakemake" in Path(word).name for word in words[:3])


def _stat(pid: int | str) -> tuple[str, int, int]:
    """State, parent and start (clock ticks since boot) of a process, from /proc."""
    fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rsplit(")", 1)[1].split()
    return fields[0], int(fields[1]), int(fields[19])


def _workflow() -> Callable[[], bool] | None:
    """Whether the nearest ancestor that is Snakemake still runs; None if there is no such one.

    psutil, 40 ms of every job, is asked only where there is no /proc.
    """
    if not Path("/proc/self/stat").is_file():
        return _workflow_by_psutil()
    try:
        pid = os.getppid()
        while pid:
            _, parent, start = _stat(pid)
            words = Path(f"/proc/{pid}/cmdline").read_text(errors="replace").split("\0")
            if _is_snakemake(words):
                return lambda: _lives(pid, start)
            pid = parent
    except (OSError, ValueError, IndexError):
        pass  # an ancestor ended meanwhile, or may not be seen
    return None


def _lives(pid: int, start: int) -> bool:
    try:
        state, _, since = _stat(pid)
    except (OSError, ValueError, IndexError):
        return False
    return since == start and state not in "ZX"


def _workflow_by_psutil() -> Callable[[], bool] | None:
    import psutil

    for process in psutil.Process().parents():
        try:
            words = process.cmdline()
        except psutil.Error:
            continue
        if _is_snakemake(words):
            return lambda: process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return None


def _die_with(lives: Callable[[], bool]) -> None:
    """End this process soon after its workflow has ended, whatever ended it."""
    while lives():
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
        ticks = _stat("self")[2]
        age_s = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, AttributeError, ValueError, IndexError):
        return LOADED_S
    return time.time() - age_s


def peak_rss_mb(usage: resource.struct_rusage) -> float:
    """Largest resident memory of an account, MB; Linux counts kB, macOS bytes."""
    return usage.ru_maxrss / (1024.0**2 if sys.platform == "darwin" else 1024.0)


def own_peak_mb() -> float:
    """Largest resident memory of this process, MB.

    Linux' getrusage also counts what the parent held when it started this process (vfork shares its
    memory until the program is loaded); /proc counts this program alone.
    """
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return float(line.split()[1]) / 1024.0
    except OSError:
        pass
    return peak_rss_mb(resource.getrusage(resource.RUSAGE_SELF))


def read_and_written_mb() -> tuple[float | None, float | None]:
    """What this process and its finished children read and wrote, MB; None where nobody counts.

    Linux counts what was asked for, from the disk or from its cache, and nothing that is read
    through a mapped file.
    """
    try:
        lines = Path("/proc/self/io").read_text().splitlines()
        counted = {name: int(value) for name, value in (line.split(": ") for line in lines)}
        return counted["rchar"] / 1e6, counted["wchar"] / 1e6
    except (OSError, ValueError, KeyError):
        return _disk_mb()


def _disk_mb() -> tuple[float | None, float | None]:
    """What went from and to the disk, where that is all that is counted."""
    import psutil

    try:
        counted = psutil.Process().io_counters()
    except (AttributeError, psutil.Error):
        return None, None  # macOS
    return counted.read_bytes / 1e6, counted.write_bytes / 1e6


def _record_usage(args: argparse.Namespace, details: dict[str, Any]) -> None:
    own, children = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    start = started_s()
    read_mb, written_mb = read_and_written_mb()
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
            "max_rss_mb": max(own_peak_mb(), peak_rss_mb(children)),
            "read_mb": read_mb,
            "written_mb": written_mb,
            "declared_mb": args.declared_mb,
            "threads": args.threads,
            "details": details,
        },
    )


class _Absent:
    """Import machinery that does not find some packages, unless code of ours asks for them."""

    def __init__(self, packages: tuple[str, ...]) -> None:
        self.packages = packages

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        if name in self.packages and not _asked_by_us():
            raise ModuleNotFoundError(f"this job does without {name}", name=name)


def _asked_by_us() -> bool:
    """Whether the import that is going on is an import statement of this package.

    Compiled libraries have no frames: what they import seems to be asked by whoever called them.
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
    logging.getLogger("fontTools").setLevel(logging.WARNING)  # a page of glyphs for every PDF
    signal.signal(signal.SIGTERM, _terminated)
    lives = _workflow()
    if lives is not None:
        threading.Thread(target=_die_with, args=(lives,), daemon=True).start()
    try:
        from plumenav import registry

        for plugin in plugin_files():
            registry.register_file(Path(plugin))
        details = work(args) or {}
        if args.usage:
            _record_usage(args, details)
    except UserError as error:
        log.error("plumenav: %s", error)
        sys.exit(error.exit_code)
    _end()


def _end() -> NoReturn:
    """End a process that has done its work, without taking the interpreter to pieces.

    That took 0.1 to 0.3 s of every job. As the interpreter does, first the threads end, pools of
    idle ones included, then what is registered to happen at the end does happen.
    """
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
