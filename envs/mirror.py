"""Mirror the lock for conda users: envs/environment.yaml, from one source of truth.

The hash-locked pip set (requirements.lock) is what is tested. The conda file pins the same versions
of the direct dependencies; transitive ones are conda's choice. A test compares the two.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# names that differ on conda-forge
CONDA_NAMES = {
    "opencv-python-headless": "py-opencv",
    "types-pyyaml": "types-pyyaml",
    "matplotlib": "matplotlib-base",
    "h5py": "h5py",
}
# not on conda-forge under the same versioning, or built from PyPI only
PIP_ONLY = {"opencv-python-headless", "scipy-stubs", "setuptools"}


def locked() -> dict[str, str]:
    """Versions in requirements.lock by package name."""
    text = (ROOT / "envs" / "requirements.lock").read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9._-]+)==([^\s;\\]+)", text, re.MULTILINE))


def direct(*extras: str) -> list[str]:
    """Names of the project's own dependencies, as in pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = list(project["dependencies"])
    for extra in extras:
        lines += project["optional-dependencies"][extra]
    return [re.match(r"[A-Za-z0-9._-]+", line)[0].lower() for line in lines]


def environment(name: str, *extras: str) -> str:
    """Text of a conda environment file."""
    versions = locked()
    conda, pip = [], []
    for package in direct(*extras):
        if package in PIP_ONLY:
            pip.append(f"{package}=={versions[package]}")
        else:
            conda.append(f"{CONDA_NAMES.get(package, package)}={versions[package]}")
    lines = [
        "# Generated from requirements.lock by envs/mirror.py. The pip set is what is tested; this",
        "# file was not exercised where it was made.",
        f"name: {name}",
        "channels:",
        "  - conda-forge",
        "  - bioconda",
        "  - nodefaults",
        "dependencies:",
        "  - python=3.11",
        "  - pip",
        *[f"  - {line}" for line in sorted(conda)],
    ]
    if pip:
        lines += ["  - pip:", *[f"      - {line}" for line in sorted(pip)]]
    return "\n".join(lines) + "\n"


def mirrors() -> dict[Path, str]:
    """The mirrored files and what they should hold."""
    return {
        ROOT / "envs" / "environment.yaml": environment("plumenav", "slurm", "zarr"),
        ROOT / "envs" / "environment-dev.yaml": environment("plumenav-dev", "slurm", "zarr", "dev"),
    }


if __name__ == "__main__":
    for path, text in mirrors().items():
        path.write_text(text, encoding="utf-8")
