"""A store of files by key: keep, fetch, prune. It may fail to help, and never fails a job."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from plumenav import ownership
from plumenav.ownership import Owner
from plumenav.plain_files import unique, write_json
from plumenav.store import digests, leases
from plumenav.store.entries import (
    FACTS,
    USES,
    BadEntryError,
    Entry,
    entries_in,
    fault_of,
    open_checked,
    read_entry,
)
from plumenav.store.keys import KEY, NAME, VERSION
from plumenav.store.pruning import POLICIES, judge
from plumenav.store.writing import append, copy, sync

log = logging.getLogger(__name__)

# pruning looks at every entry; it is not done more often than this share of the time allows
PRUNING_SHARE = 0.01
# what a process that was killed left behind; no copy takes so long
LEFTOVER_S = 24 * 3600.0


class Pruned(NamedTuple):
    """What a pruning did.

    Attributes
    ----------
    removed : list of (str, int, str)
        Key, bytes, reason.
    spared : list of (str, int)
        What is over the limits, but in use by a running workflow.
    """

    removed: list[tuple[str, int, str]]
    spared: list[tuple[str, int]]


class Store:
    """One level of the cache on disk, shared by processes, runs and users.

    Parameters
    ----------
    folder : path
        Of the level; made when something is kept.
    limit_mb : float
        Size of all entries together.
    max_age_s : float
        Time without use after which an entry goes.
    policy : {"lru", "lfu", "fifo"}
    owner : Owner, optional
        The workflow for which this is done: what it keeps or takes stays while it runs. This
        process if not given.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        limit_mb: float,
        max_age_s: float,
        policy: str = "lru",
        owner: Owner | None = None,
    ) -> None:
        if policy not in POLICIES:
            raise ValueError(f"policy {policy!r} is none of {', '.join(POLICIES)}")
        self.folder = Path(folder)
        self.limit_bytes = limit_mb * 1e6
        self.max_age_s = max_age_s
        self.policy = policy
        self.owner = owner or ownership.me()

    # ------------------------------------------------------------------------------ fetch

    def may_hold(self, context: str) -> bool:
        """Whether anything was kept of this code with these settings, whatever the inputs."""
        return next(self.folder.glob(f"{context}-*"), None) is not None

    def fetch(self, key: str, files: Mapping[str, Path]) -> bool:
        """Copy the files of an entry to their places, after checking every byte.

        Parameters
        ----------
        key : str
            From :func:`plumenav.store.key_of`.
        files : mapping
            {name: where it is wanted}; all files of the entry.

        Returns
        -------
        bool
            False if there is no such entry, or if it is damaged: it is then reported and removed.
        """
        path = self._path(key)
        try:
            entry = read_entry(path)
            leases.hold(self.folder, self.owner, key)
            self._deliver(entry, files)
        except FileNotFoundError:
            if path.exists():
                self._refuse(path, "a file of it is missing")
            return False
        except BadEntryError as error:
            self._refuse(path, str(error))
            return False
        except OSError as error:
            log.warning("cache: %s could not be used (%s)", path, error)
            return False
        append(path / USES, b".")
        return True

    def cost_s(self, key: str) -> float:
        """CPU seconds that the outputs in an entry had cost; 0 if nobody knows."""
        with contextlib.suppress(OSError, BadEntryError, TypeError, ValueError):
            return float(read_entry(self._path(key)).facts["cpu_s"])
        return 0.0

    def _deliver(self, entry: Entry, files: Mapping[str, Path]) -> None:
        if set(entry.files) != set(files):
            raise BadEntryError(f"it holds {sorted(entry.files)} instead of {sorted(files)}")
        copies = {name: unique(Path(target)) for name, target in files.items()}
        try:
            for name, (size, sha256) in entry.files.items():
                copies[name].parent.mkdir(parents=True, exist_ok=True)
                with open_checked(entry.path / name) as handle:
                    if os.fstat(handle).st_size != size:
                        raise BadEntryError(f"{name} has not the size that was kept")
                    copy(handle, copies[name])
                # the copy is read, not the original: what is delivered is what was checked
                if digests.read_sha256(copies[name]) != sha256:
                    raise BadEntryError(f"the content of {name} is not what was kept")
            for name, target in files.items():
                os.replace(copies[name], target)
                digests.remember(Path(target), entry.files[name][1])
        finally:
            for temporary in copies.values():
                temporary.unlink(missing_ok=True)

    def _refuse(self, path: Path, why: str) -> None:
        """Report a damaged entry and remove it, so that it is computed again."""
        log.warning("cache: %s is damaged and not used: %s", path, why)
        if not self._remove(path):
            log.warning("cache: %s could not be removed; it belongs to somebody else", path)

    # ------------------------------------------------------------------------------- keep

    def keep(self, key: str, files: Mapping[str, Path], facts: Mapping[str, Any]) -> int | None:
        """Keep the files of a job; a cache that cannot be written costs a warning.

        Parameters
        ----------
        key : str
        files : mapping
            {name: file}. They are linked where the file system can: everything here replaces files
            and never changes them. A user's edit in place is noticed by the sha256.
        facts : mapping
            What else is to be noted, plain data.

        Returns
        -------
        int or None
            Bytes kept; None if nothing was, or if another process was first.
        """
        path = self._path(key)
        temporary = unique(path)
        try:
            if path.exists():
                return None
            temporary.mkdir(parents=True)
            noted = {
                name: self._take_in(Path(file), temporary / name) for name, file in files.items()
            }
            content = {
                **facts,
                "version": VERSION,
                "key": key,
                "created_s": time.time(),
                "files": noted,
            }
            write_json(temporary / FACTS, content)
            (temporary / USES).touch()
            sync(temporary)
            leases.hold(self.folder, self.owner, key)
            try:
                temporary.rename(path)
            except OSError:
                if not path.exists():
                    raise
                return None  # the same, by another process
        except OSError as error:
            log.warning("cache: nothing was kept in %s (%s)", self.folder, error)
            return None
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        n_bytes = sum(int(file["bytes"]) for file in noted.values())
        if n_bytes > self.limit_bytes:
            log.warning(
                "cache: %s is %.0f MB, and the limit of %s %.0f MB: it stays for this run only",
                key,
                n_bytes / 1e6,
                self.folder.name,
                self.limit_bytes / 1e6,
            )
        self._prune_now_and_then()
        return n_bytes

    def _take_in(self, file: Path, target: Path) -> dict[str, Any]:
        if not NAME.fullmatch(target.name):
            raise ValueError(f"{target.name!r} is no name of a file in the store")
        if not self._link(file, target):
            with open_checked(file) as handle:
                copy(handle, target)
        sha256 = digests.read_sha256(target)
        digests.remember(file, sha256)
        return {"bytes": target.stat().st_size, "sha256": sha256}

    @staticmethod
    def _link(file: Path, target: Path) -> bool:
        """Give a file a second name; not where it would belong to another group than the folder."""
        try:
            home = target.parent.stat()
            if home.st_mode & 0o2000 and home.st_gid != file.stat().st_gid:
                return False
            os.link(file, target, follow_symlinks=False)
        except OSError:
            return False
        return not target.is_symlink()

    # ------------------------------------------------------------------------------ prune

    def contents(self) -> tuple[list[Entry], list[tuple[Path, str]]]:
        """All entries that can be read, and what is damaged."""
        return entries_in(self.folder)

    def entries(self) -> list[Entry]:
        """All entries that can be read."""
        return self.contents()[0]

    def prune(self) -> Pruned:
        """Remove what is too old or too much, and what killed processes left behind."""
        self._remove_leftovers()
        digests.forget_old()
        entries, bad = entries_in(self.folder)
        removed = []
        for path, why in bad:
            if self._remove(path):
                removed.append((path.name, 0, f"damaged: {why}"))
        verdict = judge(
            entries,
            self.limit_bytes,
            self.max_age_s,
            self.policy,
            time.time(),
            leases.held(self.folder),
        )
        for entry, why in verdict.removed:
            # asked again: a job may have taken it meanwhile
            if not leases.is_held(self.folder, entry.key) and self._remove(entry.path):
                removed.append((entry.key, entry.n_bytes, why))
        return Pruned(removed, [(entry.key, entry.n_bytes) for entry in verdict.spared])

    def verify(self, remove: bool = False) -> list[tuple[str, str]]:
        """Read every byte of every entry.

        Returns
        -------
        list of (str, str)
            Bad entries, and what is wrong with each.
        """
        entries, bad = entries_in(self.folder)
        faults = [(path.name, why) for path, why in bad]
        faults += [(entry.key, fault) for entry in entries if (fault := fault_of(entry))]
        if remove:
            for key, _ in faults:
                self._remove(self.folder / key)
        return faults

    def _path(self, key: str) -> Path:
        if not KEY.fullmatch(key):
            raise ValueError(f"{key!r} is no key of the store")
        return self.folder / key

    def _remove(self, path: Path) -> bool:
        """Remove an entry as a whole: nobody finds half of it."""
        gone = unique(path)
        try:
            path.rename(gone)
        except OSError:
            return False
        shutil.rmtree(gone, ignore_errors=True)
        return True

    def _remove_leftovers(self) -> None:
        for path in self.folder.glob(".[0-9]*-*"):
            with contextlib.suppress(OSError):
                if time.time() - path.stat().st_mtime > LEFTOVER_S:
                    shutil.rmtree(path, ignore_errors=True)

    @contextmanager
    def _alone(self) -> Iterator[Any]:
        """The file that only one pruning process has at a time; None for the others."""
        with open(self.folder / ".pruning", "a+b") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                yield None
                return
            yield handle

    def _prune_now_and_then(self) -> None:
        with contextlib.suppress(OSError), self._alone() as noted:
            if noted is None:
                return
            noted.seek(0)
            before = noted.read(64).split()
            last_s, took_s = (float(word) for word in before) if len(before) == 2 else (0.0, 0.0)
            start_s = time.time()
            if 0 <= start_s - last_s < took_s / PRUNING_SHARE:
                return
            for key, n_bytes, why in self.prune().removed:
                log.info("cache: removed %s (%.0f MB, %s)", key, n_bytes / 1e6, why)
            noted.seek(0)
            noted.truncate()
            noted.write(b"%.6f %.6f" % (start_s, time.time() - start_s))
