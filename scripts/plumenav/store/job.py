"""One call around a job's work: take its outputs from the store, or do it and keep them.

What takes time to import is imported by the work itself, so that a hit costs next to nothing.
"""

from __future__ import annotations

import argparse
import logging
import resource
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from plumenav.store import digests, lookups
from plumenav.store.folders import root
from plumenav.store.keys import Key
from plumenav.store.settings import Given, given, open_level

log = logging.getLogger(__name__)

Details = dict[str, Any]

# flags that say where and with how much, and change no bit of a result
BOOKKEEPING = {"usage", "rule", "declared_mb", "threads", "code"}


def cpu_s() -> float:
    """CPU time of this process and of its ended children, s."""
    own, children = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def _paths(value: str | Path | Iterable[str] | None) -> list[Path]:
    """The files of a flag, in order; no file, one, or several."""
    if value is None:
        return []
    return [Path(value)] if isinstance(value, (str, Path)) else [Path(one) for one in value]


class Job:
    """The outputs of a job, as the store knows them.

    Parameters
    ----------
    args : argparse.Namespace
        The job's flags. All that are neither inputs, outputs, `ignored` nor bookkeeping are
        settings that its outputs depend on: a new flag cannot be forgotten.
    level : str
        plumes or results.
    inputs : iterable of str
        Flags that name files to read.
    outputs : mapping
        {flag or name: path}, all files that the job writes.
    ignored : iterable of str
        Flags that change no bit of the outputs.
    """

    def __init__(
        self,
        args: argparse.Namespace,
        level: str,
        inputs: Iterable[str],
        outputs: Mapping[str, str | Path],
        ignored: Iterable[str] = (),
    ) -> None:
        self.level, self.rule = level, args.rule
        self.outputs = {name: Path(path) for name, path in outputs.items()}
        self.details: Details = {}
        self.inputs = {name: _paths(getattr(args, name)) for name in inputs}
        self._began_s = cpu_s()
        workflow = given() if args.code and args.rule else None
        limits = workflow.levels[level] if workflow else {"enabled": False}
        self._workflow: Given | None = workflow if limits["enabled"] else None
        if self._workflow is None:
            return
        left_out = {*BOOKKEEPING, *self.inputs, *self.outputs, *ignored}
        settings = {name: value for name, value in vars(args).items() if name not in left_out}
        self._key = Key(args.rule, args.code, settings, self._workflow.machine)
        self._store = open_level(level, limits, self._workflow.owner)
        self._before = self._stamps()

    def _stamps(self) -> list[tuple[int, int]]:
        stats = [path.stat() for paths in self.inputs.values() for path in paths]
        return [(stat.st_size, stat.st_mtime_ns) for stat in stats]

    def _name(self) -> str:
        return self._key.name(
            {
                name: [digests.of_input(path) for path in paths]
                for name, paths in self.inputs.items()
            }
        )

    def fetch(self) -> bool:
        """Take the outputs from the store, if they are there and sound."""
        if self._workflow is None or not self._store.may_hold(self._key.context()):
            return False  # before any input is read
        name = self._name()
        if not self._store.fetch(name, self.outputs):
            return False
        n_bytes = sum(path.stat().st_size for path in self.outputs.values())
        cost_s = self._store.cost_s(name)
        log.info("taken from the cache: %s (it had cost %.1f CPU-s)", name, cost_s)
        self._tell(hits=1, n_bytes=n_bytes, saved_s=cost_s)
        return True

    def keep(self, known: Mapping[Path, str] | None = None) -> None:
        """Keep what was written; not if an input has changed meanwhile.

        Parameters
        ----------
        known : mapping, optional
            {input file: its sha256}, where the work has found it out.
        """
        if self._workflow is None:
            return
        cost_s = cpu_s() - self._began_s
        for path, sha256 in (known or {}).items():
            digests.remember(path, sha256)
        n_bytes = 0
        if self._stamps() == self._before:
            facts = {
                "rule": self.rule,
                "code": self._key.code,
                "machine": self._key.machine,
                "settings": self._key.settings,
                "inputs": {
                    name: [path.name for path in paths] for name, paths in self.inputs.items()
                },
                "cpu_s": round(cost_s, 3),
            }
            n_bytes = self._store.keep(self._name(), self.outputs, facts) or 0
        self._tell(misses=1, n_bytes=n_bytes)

    def count(self, level: str, counted: Mapping[str, Any]) -> None:
        """Note what the work itself has shared: blocks of a plume (level 1)."""
        if self._workflow is not None:
            owner, numbers = (
                self._workflow.owner,
                (counted[key] for key in ("hits", "misses", "mb")),
            )
            lookups.note(root(), owner, level, self.rule, *numbers)

    def _tell(self, hits: int = 0, misses: int = 0, n_bytes: int = 0, saved_s: float = 0.0) -> None:
        assert self._workflow is not None
        mb = n_bytes / 1e6
        self.details = {"cache": {self.level: {"hits": hits, "misses": misses, "mb": mb}}}
        lookups.note(root(), self._workflow.owner, self.level, self.rule, hits, misses, mb, saved_s)


def through(
    args: argparse.Namespace,
    level: str,
    work: Callable[[argparse.Namespace], Details | None],
    inputs: Iterable[str],
    outputs: Mapping[str, str | Path],
    ignored: Iterable[str] = (),
) -> Details:
    """Take a job's outputs from the store, or do its work and keep them.

    Parameters
    ----------
    args, level, inputs, outputs, ignored
        As of :class:`Job`.
    work : callable
        Writes the outputs; may return details for the usage record.

    Returns
    -------
    dict
        Details for the usage record. What the work would have said is not repeated after a hit:
        it was not done.
    """
    job = Job(args, level, inputs, outputs, ignored)
    if job.fetch():
        return job.details
    details = work(args) or {}
    job.keep()
    cache = {**details.get("cache", {}), **job.details.get("cache", {})}
    for name, counted in details.get("cache", {}).items():
        job.count(name, counted)
    return {**details, "cache": cache} if cache else details
