"""What a result depends on besides its inputs, settings and our code: libraries and the CPU."""

from __future__ import annotations

import hashlib
import os
import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version

# what computes, reads or writes numbers
PACKAGES = (
    "numpy",
    "scipy",
    "pyarrow",
    "opencv-python-headless",
    "h5py",
    "tifffile",
    "imagecodecs",
    "zarr",
)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"


@cache
def machine() -> str:
    """What compiled code depends on besides its source: compiler versions and the CPU.

    Costs an import of llvmlite, not of numba.
    """
    import llvmlite.binding as llvm

    features = hashlib.sha256(llvm.get_host_cpu_features().flatten().encode()).hexdigest()[:8]
    return "-".join(
        [
            f"py{platform.python_version()}",
            f"numba{version('numba')}",
            f"llvmlite{version('llvmlite')}",
            llvm.get_host_cpu_name(),
            features,
            os.environ.get("NUMBA_OPT", ""),
        ]
    )


@cache
def environment() -> str:
    """Compiler, CPU and libraries: results are promised to be the same only where these are."""
    libraries = " ".join(f"{package}{_version(package)}" for package in PACKAGES)
    return f"{machine()} {libraries}"
