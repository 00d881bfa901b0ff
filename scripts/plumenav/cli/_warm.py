"""Warming: the first stages of a planned run, by the workflow itself, with a few short simulations.

The keys of the cache are the workflow's; doing the same by another way would be a second workflow.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from plumenav.config import load
from plumenav.config.yaml_file import read_yaml
from plumenav.errors import UserError
from plumenav.fingerprint import ROOT
from plumenav.plain_files import unique
from plumenav.store.folders import PLUMES, RESULTS, kernels, root
from plumenav.store.reading import size_of
from plumenav.store.shelf import Store

PROJECT = ROOT.parent
# enough for every kernel to be compiled; an even number, as shuffled agents need
SIMULATIONS = 6
DURATION_S = 2.0


def small_run(content: dict[str, Any]) -> dict[str, Any]:
    """A config with the same recordings and agents, and next to nothing to simulate."""
    given = {key: content.get(key) or {} for key in ("simulation", "batch", "validation", "cache")}
    on = {
        level: {**(given["cache"].get(level) or {}), "enabled": True} for level in (PLUMES, RESULTS)
    }
    few = {"simulations": SIMULATIONS, "duration_s": DURATION_S}
    return {
        **content,
        "simulation": {**given["simulation"], **few},
        "batch": {**given["batch"], "chunk_simulations": SIMULATIONS},
        "validation": {**given["validation"], "sample": SIMULATIONS},
        "cache": on,
    }


@contextmanager
def _beside(config: Path, content: dict[str, Any]) -> Iterator[Path]:
    """A config in the same folder, so that what it names is found; it goes afterwards."""
    path = unique(config).with_suffix(".yaml")
    try:
        path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
        yield path
    except PermissionError:
        raise UserError(str(config.parent), "cannot be written", "a folder of your own") from None
    finally:
        path.unlink(missing_ok=True)


def _count() -> dict[str, Any]:
    plumes = Store(root() / PLUMES, 0, 0).entries()
    results = Store(root() / RESULTS, 0, 0).entries()
    return {
        "plumes": len(plumes),
        "plumes_mb": sum(entry.n_bytes for entry in plumes) / 1e6,
        "prepared": sum(entry.key.startswith("prepare-") for entry in results),
        "kernels": size_of(kernels())[0],
    }


def warm(config: Path, cores: str) -> dict[str, Any]:
    """Run the workflow up to a few short simulations in a folder that is thrown away.

    Parameters
    ----------
    config : Path
        Of the planned run.
    cores : str
        A number, or all.

    Returns
    -------
    dict
        What is new: plumes, plumes_mb, prepared, kernels; and the folder of the cache.

    Raises
    ------
    UserError
        If the config is wrong, or a job failed: in the words of the jobs.
    """
    if not (PROJECT / "Snakefile").is_file():
        raise UserError(
            str(PROJECT), "holds no Snakefile", "a checkout of the project", "Run it from there."
        )
    load(config)
    before = _count()
    # beside the cache: what is kept is then linked and not copied
    with (
        tempfile.TemporaryDirectory(prefix=".warm-", dir=root()) as folder,
        _beside(config.absolute(), small_run(read_yaml(config))) as small,
    ):
        command = [sys.executable, "-m", "snakemake", "--cores", cores, "normalize", "simulate"]
        command += ["--directory", folder, "--snakefile", str(PROJECT / "Snakefile")]
        command += ["--configfile", str(small)]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            cwd=PROJECT,
            env={**os.environ, "PLUMENAV_CACHE": str(root().absolute())},
        )
        if done.returncode:
            raise UserError(str(config), _reason(done.stdout + done.stderr, Path(folder)))
    after = _count()
    new = {key: max(0, after[key] - before[key]) for key in before}
    return {"folder": str(root()), **new}


def _reason(said: str, folder: Path) -> str:
    """What went wrong, in the words of the jobs, else in Snakemake's."""
    mark = "plumenav: "
    logs = [log.read_text(errors="replace") for log in sorted(folder.rglob("*.log"))]
    lines = [line for text in (*logs, said) for line in text.splitlines() if mark in line]
    told = dict.fromkeys(line.split(mark, 1)[1].rstrip(".") for line in lines)
    return "; ".join(told) or said.strip().rsplit("\n", 1)[-1]
