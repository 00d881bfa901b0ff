"""What a second core brings to simulating, beside what it brings to plain arithmetic.

Two simulate processes at once take longer than one where cores share memory, caches or heat. A loop
that touches no memory tells what the machine itself can do at that moment.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from plumenav.performance.benchmark import reactive
from plumenav.performance.benchmark._contract import Judged, Ratio, Scope, Seen, Timed, Variant

REQUIRED = 0.93
MODEL = "on_off"
AGENTS = {False: 1_500, True: 300}  # by `quick`
ROUNDS = {False: 600_000_000, True: 100_000_000}


def repetitions(scope: Scope) -> int:
    """How often each is measured."""
    return 15 if scope.full else 2 if scope.quick else 5


def prepare(scope: Scope) -> list[Variant]:
    """One process and two, simulating and counting."""
    path = scope.folder / "plumes" / "reactive.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    reactive.write_plume(path)
    work = {
        "simulate": {"plume": str(path), "agents": AGENTS[scope.quick]},
        "arithmetic": {"rounds": ROUNDS[scope.quick]},
    }
    return [
        Variant(f"{kind}.{n}", "cores:together", {"n": n, "kind": kind, "arguments": arguments})
        for kind, arguments in work.items()
        for n in (1, 2)
    ]


def judge(seen: Seen) -> Judged:
    """Speed-up of simulating over that of arithmetic, and both."""
    speedup = {
        kind: 2.0 * seen.values(f"{kind}.1") / seen.values(f"{kind}.2")
        for kind in ("simulate", "arithmetic")
    }
    ratio = speedup["simulate"] / speedup["arithmetic"]
    return {
        "second_core_speedup": Ratio(ratio, "1", REQUIRED, "at least"),
        **{f"second_core_speedup.{kind}": Ratio(value) for kind, value in speedup.items()},
    }


# ------------------------------------------------------------------------------------- tasks


def together(n: int, kind: str, arguments: dict[str, Any]) -> Timed:
    """Task: the same work in n processes, which are ready and wait for one another."""
    order = [sys.executable, "-m", __name__, json.dumps({"kind": kind, "arguments": arguments})]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    workers = [subprocess.Popen(order, **pipes) for _ in range(n)]
    _expect(workers, "ready")

    def run() -> dict[str, float]:
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.write("go\n")
            worker.stdin.flush()
        _expect(workers, "done")
        for worker in workers:
            worker.communicate()
        return {"processes": float(n)}

    return run


def _expect(workers: Sequence[subprocess.Popen[str]], word: str) -> None:
    """Wait until all have said a word; end all if one says something else, or nothing."""
    for worker in workers:
        assert worker.stdout is not None
        line = worker.stdout.readline().strip()
        if line != word:
            for one in workers:
                one.kill()
                one.communicate()
            raise RuntimeError(f"a process said {line!r}, not {word!r}")


def simulating(plume: str, agents: int) -> Callable[[], None]:
    """Read a plume, simulate, and write trajectories, as a simulate job does."""
    from plumenav.engine.run import Blocks, simulate
    from plumenav.tables import TRAJECTORIES, PlumeReader, TableStream

    plan = reactive.plan_of(agents)
    settings = reactive.settings_of(MODEL, reactive.STEPS)
    facts = {
        "model": MODEL,
        "behaviours": ["walk"],
        "dt_s": settings["dt_s"],
        "record_every_steps": 5,
        "variables": [],
    }

    def work(plan: dict[str, Any]) -> None:
        with (
            tempfile.TemporaryDirectory() as folder,
            PlumeReader(plume) as reader,
            TableStream(Path(folder) / "t.parquet", TRAJECTORIES, facts) as stream,
        ):
            simulate(Blocks(reader), plan, {**settings, "record_every": 5}, stream.write)

    work({name: column[:2] for name, column in plan.items()})
    return lambda: work(plan)


def counting(rounds: int) -> Callable[[], None]:
    """Multiply and add, without memory."""
    from numba import njit

    @njit
    def count(n: int) -> float:
        x = 0.5
        for _ in range(n):
            x = x * 1.0000001 + 1e-9
        return x

    count(1)
    return lambda: _use(count(rounds))


def _use(value: float) -> None:
    if not value > 0.0:
        raise RuntimeError("arithmetic went wrong")


WORK: dict[str, Callable[..., Callable[[], None]]] = {
    "simulate": simulating,
    "arithmetic": counting,
}


def main(order: str) -> None:
    """Get ready, wait for a line, work."""
    told = json.loads(order)
    work = WORK[told["kind"]](**told["arguments"])
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    work()
    sys.stdout.write("done\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
