"""Where our values of published numbers are kept: they depend on code alone, not on a run."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from plumenav.engine.compiling import cache_folder, machine


def kept_file(family: str, code: str) -> Path:
    """File for the numbers of a family, as one version of the code computes them on this machine.

    Parameters
    ----------
    family : str
        File of this folder that measures them.
    code : str
        Fingerprint of everything that computes them.
    """
    key = hashlib.sha256(f"{code} {machine()} numpy{np.__version__}".encode()).hexdigest()[:24]
    folder = cache_folder().parent / "published"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{family}-{key}.json"
