"""What lies in the cache, and what it was good for: the figures of `plumenav cache status`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from plumenav.store import leases, lookups
from plumenav.store.folders import LEVELS, kernels
from plumenav.store.shelf import Store

BLOCKS = "blocks"


def size_of(folder: Path) -> tuple[int, int]:
    """Number of folders directly below a folder, and bytes of all files in it."""
    if not folder.is_dir():
        return 0, 0
    folders = sum(path.is_dir() for path in folder.iterdir())
    return folders, sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())


def _rate(noted: list[lookups.Lookup], level: str) -> dict[str, Any]:
    rate = lookups.rate(noted, level)
    return {**rate._asdict(), "hit_rate": rate.hit_rate, "last_hit_rate": rate.last_hit_rate}


def status(root: Path, limits: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Size and hit rate of every level.

    Parameters
    ----------
    root : Path
        Folder of all caches.
    limits : mapping
        The config's section `cache`.

    Returns
    -------
    dict
        folder; levels {blocks, plumes, results}: runs, hits, misses, mb, saved_s, hit_rate,
        last_hit_rate (None if nobody asked), and of those on disk entries, size_mb, in_use, bad,
        limit_mb, max_age_h, policy, enabled; kernels {entries, size_mb}.
    """
    noted = lookups.read(root)
    levels: dict[str, dict[str, Any]] = {BLOCKS: _rate(noted, BLOCKS)}
    for level in LEVELS:
        entries, bad = Store(root / level, 0, 0).contents()
        held = leases.held(root / level)
        levels[level] = {
            **_rate(noted, level),
            "entries": len(entries),
            "size_mb": sum(entry.n_bytes for entry in entries) / 1e6,
            "in_use": sum(entry.key in held for entry in entries),
            "bad": len(bad),
            **limits[level],
        }
    n, n_bytes = size_of(kernels())
    compiled = {"entries": n, "size_mb": n_bytes / 1e6}
    return {"folder": str(root), "levels": levels, "kernels": compiled}
