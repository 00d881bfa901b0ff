"""Ways of damaging a file, each a function of its bytes and a random generator."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np

HEAD_BYTES = 1024


def truncated(data: bytes, rng: np.random.Generator, other: bytes) -> bytes:
    return data[: int(rng.integers(0, max(1, len(data))))]


def _flipped(data: bytes, rng: np.random.Generator, among: int) -> bytes:
    array = np.frombuffer(data, np.uint8).copy()
    where = rng.integers(0, max(1, min(among, len(array))), int(rng.integers(1, 20)))
    array[where] ^= rng.integers(1, 256, len(where)).astype(np.uint8)
    return array.tobytes()


def bytes_flipped(data: bytes, rng: np.random.Generator, other: bytes) -> bytes:
    return _flipped(data, rng, len(data))


def head_flipped(data: bytes, rng: np.random.Generator, other: bytes) -> bytes:
    return _flipped(data, rng, HEAD_BYTES)


def run_zeroed(data: bytes, rng: np.random.Generator, other: bytes) -> bytes:
    start = int(rng.integers(0, max(1, len(data))))
    n = min(int(rng.integers(16, 4096)), len(data) - start)
    return data[:start] + bytes(n) + data[start + n :]


def runs_swapped(data: bytes, rng: np.random.Generator, other: bytes) -> bytes:
    if len(data) < 8:
        return data[::-1]
    n = int(rng.integers(1, max(2, min(512, len(data) // 3))))
    a, b = sorted(int(k) for k in rng.integers(0, len(data) - 2 * n + 1, 2))
    b += n
    return data[:a] + data[b : b + n] + data[a + n : b] + data[a : a + n] + data[b + n :]


def head_of_another(data: bytes, rng: np.random.Generator, other: bytes) -> bytes:
    n = int(rng.integers(4, 512))
    return other[:n] + data[n:]


def bytes_lost(data: bytes, rng: np.random.Generator, other: bytes) -> bytes:
    start = int(rng.integers(0, max(1, len(data))))
    return data[:start] + data[start + int(rng.integers(1, 600)) :]


WAYS: dict[str, Callable[[bytes, np.random.Generator, bytes], bytes]] = {
    way.__name__: way
    for way in (
        truncated,
        bytes_flipped,
        head_flipped,
        run_zeroed,
        runs_swapped,
        head_of_another,
        bytes_lost,
    )
}


def damaged(sample: Path, target: Path, way: str, rng: np.random.Generator, other: Path) -> Path:
    """A damaged copy of a recording; in a folder, one of its files is damaged.

    Parameters
    ----------
    sample, other : Path
        The recording, and one of another format.
    target : Path
        Where the copy goes, without extension.
    way : str
    rng : Generator

    Returns
    -------
    Path
        The copy.
    """
    copy = target.with_suffix(sample.suffix)
    if sample.is_dir():
        shutil.copytree(sample, copy)
    else:
        shutil.copyfile(sample, copy)
    files = sorted(p for p in copy.rglob("*") if p.is_file()) if copy.is_dir() else [copy]
    victim = files[int(rng.integers(len(files)))]
    others = sorted(p for p in other.rglob("*") if p.is_file()) if other.is_dir() else [other]
    data = victim.read_bytes()
    victim.write_bytes(WAYS[way](data, rng, others[0].read_bytes()))
    return copy
