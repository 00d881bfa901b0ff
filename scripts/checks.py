"""Every check of the project in turn, each with its share of the time (`make test`)."""

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

BIN = Path(sys.executable).parent
PYTEST = [sys.executable, "-m", "pytest", "-q"]
MOST_WORKERS = 8
WORKERS = str(min(MOST_WORKERS, len(os.sched_getaffinity(0))))
# for rings whose tests each use one core
SPREAD = [*PYTEST, "-n", WORKERS, "--dist", "worksteal"]


def rings(long):
    """Name and command of each ring, in order: the quick ones first."""
    yield "format", [str(BIN / "ruff"), "format", "--check", "scripts", "tests", "envs"]
    yield "lint", [str(BIN / "ruff"), "check", "scripts", "tests", "envs"]
    yield "types", [str(BIN / "mypy")]
    yield "imports", [str(BIN / "lint-imports"), "--no-logo"]
    yield "snakefmt", [str(BIN / "snakefmt"), "--check", "Snakefile", "workflow"]
    yield (
        "snakemake lint",
        [sys.executable, "-m", "snakemake", "--lint", "--configfile", "config/small.yaml"],
    )
    yield "unit", [*SPREAD, "tests/unit", "-m", "not slow"]
    yield "contracts", [*SPREAD, "tests/contracts", "-m", "not slow"]
    yield "properties", [*SPREAD, "tests/properties", "-m", "not slow"]
    yield "fuzz", [*PYTEST, "tests/fuzz", "-m", "not slow"]
    yield "workflow", [*PYTEST, "tests/workflow", "-m", "not slow"]
    if long:
        yield "long", [*PYTEST, "tests", "-m", "slow"]


def say(text):
    """Tell the user on the terminal."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main():
    """Run the rings; the exit code is 0 only if all passed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--long", action="store_true", help="also what takes long")
    parser.add_argument("--only", help="one ring, by name")
    args = parser.parse_args()
    env = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"}
    # kernels are compiled once for all rings, in a folder that goes with the results
    env.setdefault("PLUMENAV_CACHE", str(Path("results/.test-cache").resolve()))
    took, failed = {}, []
    for name, command in rings(args.long):
        if args.only and name != args.only:
            continue
        if not shutil.which(command[0]):
            say(f"{name}: {command[0]} is not installed; run `make setup`")
            return 1
        say(f"---- {name}")
        start = time.monotonic()
        code = subprocess.call(command, env=env)
        took[name] = time.monotonic() - start
        if code:
            failed.append(name)
    total = sum(took.values())
    say("---- time")
    for name, seconds in took.items():
        mark = "FAILED" if name in failed else "passed"
        say(f"{name:16} {seconds:7.1f} s  {100 * seconds / total:4.0f} %  {mark}")
    say(f"{'all':16} {total:7.1f} s")
    say(f"{len(took) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
