"""What a benchmark is: one file that says what runs side by side, and by which ratios it is judged.

A benchmark file defines

    prepare(scope) -> list of Variant
        What is measured, in the order in which it is repeated: A B C A B C. Files that they read
        are made here, not measured.
    repetitions(scope) -> int
    judge(seen) -> Judged
        The ratios of what was measured.

and, if it wants to,

    QUICK = False
        It is no part of the quick form.
    sections(seen) -> dict
        Further top-level entries of benchmark.json.

A **task** is what a variant names, "module:function" below this package: a function that takes the
variant's arguments, does whatever does not count (imports, opening, reading into memory) and
returns a function without arguments. Only that one is timed. It returns what else there is to say
of the measurement, as numbers. Every measurement runs in a process of its own, so that its peak
memory is its own.

To add a benchmark, write such a file and list it in :data:`plumenav.performance.benchmark.suite`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

Timed = Callable[[], Mapping[str, float]]


class Scope(NamedTuple):
    """For what a benchmark prepares.

    Attributes
    ----------
    folder : Path
        For its files, kept from run to run.
    quick : bool
        Small sizes and few repetitions.
    config : dict
        Resolved config whose recordings are used: the demonstration, or a small one.
    full : bool
        Everything there is, however long it takes.
    """

    folder: Path
    quick: bool
    config: dict[str, Any]
    full: bool = False


class Variant(NamedTuple):
    """One thing that is measured.

    Attributes
    ----------
    name : str
        Unique in its benchmark.
    task : str
        "module:function", the module below this package.
    arguments : dict
        JSON-able arguments of the task.
    """

    name: str
    task: str
    arguments: dict[str, Any]


class Seen:
    """What was measured, by variant.

    Parameters
    ----------
    cells : list of dict
        {variant, repetition, wall_s, cpu_s, peak_mb, ...}.
    """

    def __init__(self, cells: list[dict[str, Any]]) -> None:
        self._cells = sorted(cells, key=lambda cell: int(cell["repetition"]))

    @property
    def variants(self) -> list[str]:
        """Names, in the order in which they were measured first."""
        return list(dict.fromkeys(cell["variant"] for cell in self._cells))

    def values(self, variant: str, key: str = "wall_s") -> np.ndarray:
        """One number of each repetition, shape (repetitions,), float64."""
        return np.array([c[key] for c in self._cells if c["variant"] == variant], np.float64)


class Ratio(NamedTuple):
    """A number per repetition, and what is required of its median.

    Attributes
    ----------
    values : ndarray, shape (repetitions,)
        Each from measurements of one repetition, which lie next to each other in time.
    unit : str
        "1" for a ratio.
    required : float or None
        None: shown, not judged.
    bound : {"at most", "at least"}
    """

    values: np.ndarray
    unit: str = "1"
    required: float | None = None
    bound: str = "at most"


Judged = dict[str, Ratio]


class Benchmark(Protocol):
    """A benchmark file; see above."""

    def prepare(self, scope: Scope) -> list[Variant]:
        """Variants in the order of measuring; makes their files."""
        ...

    def repetitions(self, scope: Scope) -> int:
        """How often each variant is measured."""
        ...

    def judge(self, seen: Seen) -> Judged:
        """Ratios of the measurements."""
        ...
