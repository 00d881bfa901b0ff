"""Long-lived workers that read recordings; one that crashes or hangs is replaced."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any

WORKER = Path(__file__).parent / "worker.py"


class Worker:
    """One process."""

    def __init__(self, scripts: Path, limit_s: float) -> None:
        self._scripts, self._limit_s = scripts, limit_s
        self._process: subprocess.Popen[bytes] | None = None

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [sys.executable, str(WORKER)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": str(self._scripts), "OMP_NUM_THREADS": "1"},
            )
        return self._process

    def read(self, path: Path) -> dict[str, Any]:
        """How reading a recording ends."""
        process = self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(str(path)).encode() + b"\n")
        process.stdin.flush()
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            in_time = selector.select(self._limit_s)
        line = process.stdout.readline() if in_time else b""
        if line:
            answer: dict[str, Any] = json.loads(line)
            return answer
        self.close()
        if not in_time:
            return {"verdict": "hang", "message": f"{path}: {self._limit_s:g} s"}
        return {"verdict": "crash", "message": f"{path}: {signal.Signals(-process.returncode)}"}

    def close(self) -> None:
        if self._process is not None:
            if self._process.stdin is not None:
                self._process.stdin.close()
            try:
                self._process.wait(2 if self._process.poll() is None else 0)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            if self._process.stdout is not None:
                self._process.stdout.close()
            self._process = None


def read_all(paths: Iterable[Path], scripts: Path, n: int, limit_s: float) -> list[dict[str, Any]]:
    """How reading each recording ends, in order."""
    idle: SimpleQueue[Worker] = SimpleQueue()
    workers = [Worker(scripts, limit_s) for _ in range(n)]
    for worker in workers:
        idle.put(worker)

    def one(path: Path) -> dict[str, Any]:
        worker = idle.get()
        try:
            return worker.read(path)
        finally:
            idle.put(worker)

    try:
        with ThreadPoolExecutor(n) as threads:
            return list(threads.map(one, paths))
    finally:
        for worker in workers:
            worker.close()
