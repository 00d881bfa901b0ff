"""A checkout of its own for tests that run the workflow, and a config that runs in seconds."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from plumenav.engine.compiling import cache_folder
from plumenav.store import folders

ROOT = Path(__file__).resolve().parents[1]
PARTS = ("Snakefile", "config", "workflow", "profiles", "scripts", "envs", "pyproject.toml")


class Checkout:
    """A copy of the project in which runs can be made, and its files changed."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        for part in PARTS:
            source = ROOT / part
            if source.is_dir():
                ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
                shutil.copytree(source, folder / part, ignore=ignored)
            else:
                shutil.copy2(source, folder / part)

    def call(self, *words: str, **how: Any) -> subprocess.CompletedProcess[str]:
        """Run a command here and return what it said."""
        return subprocess.run(
            [str(word) for word in words],
            cwd=self.folder,
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            **how,
        )

    def environment(self) -> dict[str, str]:
        """Environment of commands: the checkout's own code, not the installed one.

        Compiled kernels are shared by all checkouts; plumes and results are kept by none for
        another one: a test must do its own work.
        """
        cache = self.folder / "cache"
        if not cache.is_dir():
            cache.mkdir()
            (cache / folders.KERNELS).symlink_to(cache_folder().absolute())
        return {
            **os.environ,
            "PYTHONPATH": str(self.folder / "scripts"),
            "PYTHONWARNINGS": "",
            folders.VARIABLE: str(cache),
        }

    def start(self, config: str, *words: str) -> subprocess.Popen[str]:
        """Start a run and do not wait."""
        return subprocess.Popen(
            [sys.executable, "scripts/run.py", "--config", config, "--cores", "2", *words],
            cwd=self.folder,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )

    def run(self, config: str, *words: str) -> subprocess.CompletedProcess[str]:
        """What `make run CONFIG=...` does after set-up."""
        return self.call(
            sys.executable, "scripts/run.py", "--config", config, "--cores", "2", *words
        )

    def snakemake(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Bare snakemake."""
        return self.call(sys.executable, "-m", "snakemake", "--cores", "2", *words)

    def planned(self, config: str) -> dict[str, int]:
        """Jobs that a dry run would do, by rule."""
        done = self.snakemake("--dry-run", "--configfile", config)
        assert done.returncode == 0, done.stdout + done.stderr
        lines = (done.stdout + done.stderr).splitlines()
        if "job" not in "".join(line[:3] for line in lines if line.startswith("job ")):
            return {}
        first = next(i for i, line in enumerate(lines) if line.startswith("job "))
        jobs = {}
        for line in lines[first + 2 :]:
            words = line.split()
            if len(words) != 2 or words[0] == "total":
                break
            jobs[words[0]] = int(words[1])
        return jobs

    def write_config(self, name: str, content: dict[str, Any]) -> str:
        """Write config/{name}.yaml and return its path."""
        path = self.folder / "config" / f"{name}.yaml"
        path.write_text(yaml.safe_dump(content, sort_keys=False))
        return f"config/{name}.yaml"

    def read_config(self, name: str = "small") -> dict[str, Any]:
        """Content of config/{name}.yaml."""
        content: dict[str, Any] = yaml.safe_load(
            (self.folder / "config" / f"{name}.yaml").read_text()
        )
        return content


def tiny(run: str, **changes: Any) -> dict[str, Any]:
    """A config that runs in seconds: an analytic plume and a small movie, two agents."""
    content: dict[str, Any] = {
        "run": run,
        "seed": 3,
        "recordings": {
            "hill": {"analytic": {"field": "gaussian", "parameters": {"sigma_mm": 40}}},
        },
        "agents": {
            "fly": {"model": "on_off", "sensor": {"threshold": {"value": 0.05}}},
            "walk": {
                "model": "correlated_random_walk",
                "sensor": {"threshold": {"value": 0.05}},
            },
        },
        "simulation": {"simulations": 12, "duration_s": 10},
        "batch": {"chunk_simulations": 4},
        "validation": {"sample": 6, "replicate": 6, "replicate_chunk": 4, "blank_simulations": 0},
    }
    return {**content, **changes}
