"""Where a result comes from: versions, instruction set, commit, hashes; no host name, no path."""

from __future__ import annotations

import hashlib
import json
import platform
import subprocess
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from plumenav.tables import PlumeReader

PACKAGES = (
    "plumenav",
    "snakemake",
    "numpy",
    "scipy",
    "pandas",
    "pyarrow",
    "numba",
    "llvmlite",
    "matplotlib",
    "opencv-python-headless",
    "h5py",
    "pydantic",
    "jinja2",
)
UNKNOWN = "unknown"

# Flags of /proc/cpuinfo that change what compiled code does, widest last.
_LEVELS = (
    ("x86-64-v2", {"sse4_2", "popcnt"}),
    ("x86-64-v3", {"avx2", "bmi2", "fma"}),
    ("x86-64-v4", {"avx512f", "avx512vl", "avx512bw", "avx512dq"}),
)


def versions(packages: Sequence[str] = PACKAGES) -> dict[str, str]:
    """Versions of Python and of packages; "not installed" where there is none."""
    result = {"python": platform.python_version()}
    for name in packages:
        try:
            result[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            result[name] = "not installed"
    return result


def instruction_set(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """Instruction set of the processor, as far as results may depend on it.

    Returns
    -------
    str
        Machine and, on x86-64 under Linux, its micro-architecture level (v2, v3: AVX2 and FMA, v4:
        AVX-512). Bits are promised to be the same within one level.
    """
    machine = platform.machine() or UNKNOWN
    try:
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return machine
    listed = (line.split(":", 1)[1] for line in lines if line.startswith("flags"))
    flags = set(next(listed, "").split())
    level = machine
    for name, needed in _LEVELS:
        if not needed <= flags:
            break
        level = name
    return level


def git_commit(folder: Path) -> str:
    """Commit of the checkout that `folder` lies in; "unknown" where there is no git or no commit.

    A checkout with changed files is marked "-modified".
    """
    try:
        commit = _git(folder, "rev-parse", "HEAD")
        changed = _git(folder, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.SubprocessError):
        return UNKNOWN
    return f"{commit}-modified" if changed else commit


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "--no-optional-locks", "-C", str(folder), *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=20,
    )
    return done.stdout.strip()


def config_sha256(config: dict[str, Any]) -> str:
    """Hash of a resolved config: the same for every order and formatting of the file.

    Examples
    --------
    >>> config_sha256({"a": 1, "b": [2.0]}) == config_sha256({"b": [2.0], "a": 1})
    True
    """
    text = json.dumps(config, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def plume_facts(path: Path) -> dict[str, Any]:
    """What a plume file says of itself: kind, scale, frames, hash of its recording, decoder.

    Returns
    -------
    dict
        kind, frames, mm_per_px, and of the provenance keys those that the file has.
    """
    with PlumeReader(path) as reader:
        facts = reader.metadata
        frames = 0 if facts["kind"] == "analytic" else reader.n_frames
        time_s = reader.time_s
    known = ("recording_sha256", "reader", "decoder", "decoder_version", "source_dtype", "unit")
    return {
        "kind": facts["kind"],
        "frames": frames,
        "length_s": float(time_s[-1] - time_s[0]) if frames else 0.0,
        "mm_per_px": float(facts["mm_per_px"]),
        "height": int(facts["height"]),
        "width": int(facts["width"]),
        **{key: facts[key] for key in known if facts.get(key) is not None},
    }


def provenance(folder: Path) -> dict[str, Any]:
    """Versions, commit and instruction set of this machine.

    Parameters
    ----------
    folder : Path
        The checkout of the workflow.
    """
    return {
        "versions": versions(),
        "git_commit": git_commit(folder),
        "instruction_set": instruction_set(),
        "system": platform.system() or UNKNOWN,
    }
