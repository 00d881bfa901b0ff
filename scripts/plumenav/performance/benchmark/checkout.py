"""A copy of this checkout in which runs are made and timed from outside, as by a new user.

Home, caches and history are the copy's own and begin empty, so that nothing an earlier run has left
makes a run faster; the Python environment is the one at hand.
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from plumenav import registry
from plumenav.tables import read_json

PARTS = ("Snakefile", "config", "workflow", "profiles", "scripts", "envs", "pyproject.toml")
# variables that would lead a run back to this user's own files
FOREIGN = ("XDG_", "NUMBA_", "PLUMENAV_", "SNAKEMAKE_")
JOB = re.compile(r"\bpython (?:\S*/)?scripts/(\w+)\.py ")
CACHES = ("plumes", "results")  # beside the kernels


class Cost(NamedTuple):
    """What a command cost, seen from outside, s."""

    wall_s: float
    cpu_s: float


class Command(NamedTuple):
    """What Snakemake would hand to a shell: the script's name, and the text."""

    script: str
    text: str


def project_root() -> Path:
    """The checkout that this code is part of."""
    return registry.PACKAGE.parents[1]


class Checkout:
    """The copy.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.cache = self.folder / "home" / "cache"

    def make(self) -> None:
        """Copy the code, in place of whatever was in the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        # compiled Python, too, is for a new user to make
        ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
        for part in PARTS:
            source, target = project_root() / part, self.folder / part
            if source.is_dir():
                shutil.copytree(source, target, ignore=ignored)
            else:
                shutil.copy2(source, target)
        (self.folder / "home").mkdir()

    def environment(self) -> dict[str, str]:
        """Environment of commands."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(FOREIGN)}
        home = self.folder / "home"
        path = [str(Path(sys.executable).parent), os.environ.get("PATH", "")]
        return {
            **kept,
            "PATH": os.pathsep.join(path),
            "PYTHONPATH": str(self.folder / "scripts"),
            "HOME": str(home),
            "PLUMENAV_CACHE": str(self.cache),
            "PLUMENAV_HISTORY": str(home / "history"),
        }

    def call(self, *words: str) -> tuple[Cost, str]:
        """Run a command here.

        Returns
        -------
        Cost, str
            Of it and all its children that it waited for; what it said.

        Raises
        ------
        RuntimeError
            If it fails; with the end of what it said.
        """
        before, began = _children_cpu_s(), time.perf_counter()
        done = subprocess.run(
            list(words),
            cwd=self.folder,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            check=False,
        )
        cost = Cost(time.perf_counter() - began, _children_cpu_s() - before)
        if done.returncode:
            said = "\n".join(done.stdout.splitlines()[-30:])
            raise RuntimeError(f"{' '.join(words)[:200]} failed in {self.folder}:\n{said}")
        return cost, done.stdout

    def snakemake(self, cores: int, *words: str) -> tuple[Cost, str]:
        """Run Snakemake here, as a user would."""
        return self.call(sys.executable, "-m", "snakemake", "--cores", str(cores), *words)

    def commands(self, *words: str) -> list[Command]:
        """Commands of all jobs of a run, whether they are done or not."""
        _, said = self.snakemake(1, "--dry-run", "--printshellcmds", "--forceall", *words)
        return commands_in(said)

    def at_once(self, commands: Sequence[Command], workers: int) -> Cost:
        """Run commands of jobs here, so many at a time; see :func:`at_once`."""
        before, began = _children_cpu_s(), time.perf_counter()
        orders = [["sh", "-c", command.text] for command in commands]
        at_once(orders, workers, cwd=self.folder, env=self.environment())
        return Cost(time.perf_counter() - began, _children_cpu_s() - before)

    def forget(self) -> None:
        """Empty the caches of plumes and results; compiled kernels stay."""
        for name in CACHES:
            shutil.rmtree(self.cache / name, ignore_errors=True)

    def usage(self, run: str) -> list[dict[str, Any]]:
        """Records of what each job of a run cost."""
        found = sorted((self.folder / "results" / run / "performance" / "jobs").rglob("*.json"))
        return [read_json(path) for path in found]


def at_once(orders: Sequence[Sequence[str]], workers: int, **how: Any) -> None:
    """Run commands, so many at a time.

    Parameters
    ----------
    orders : sequence of sequences of str
    workers : int
    **how
        For subprocess.Popen.

    Raises
    ------
    RuntimeError
        If one fails; with the end of what it said.
    """
    waiting = list(orders)
    running: list[subprocess.Popen[str]] = []
    while waiting or running:
        while waiting and len(running) < workers:
            order = list(waiting.pop(0))
            running.append(subprocess.Popen(order, stderr=subprocess.PIPE, text=True, **how))
        for process in [one for one in running if one.poll() is not None]:
            running.remove(process)
            _, said = process.communicate()
            if process.returncode:
                raise RuntimeError(f"{str(process.args)[:300]} failed:\n{said[-2000:]}")
        time.sleep(0.002)


def commands_in(said: str) -> list[Command]:
    r"""Commands that run a script of ours, in what Snakemake printed.

    Examples
    --------
    >>> commands_in("Shell command: python scripts/plan.py --rule plan\nrule gate:")
    [Command(script='plan', text='python scripts/plan.py --rule plan')]
    """
    found = []
    for line in said.splitlines():
        scripts = list(JOB.finditer(line))
        if scripts:
            # a rule of several scripts is one command; each of them has its start
            found.append(Command(scripts[0][1], line[scripts[0].start() :]))
            found += [Command(one[1], "true") for one in scripts[1:]]
    return found


def _children_cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
