"""The whole suite: everything measured in turn, judged, written and told."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from plumenav import config
from plumenav.errors import UserError, nearest
from plumenav.performance.benchmark import (
    infotaxis,
    length,
    machine,
    measure,
    normalization,
    reactive,
    reading,
)
from plumenav.performance.benchmark._contract import Benchmark, Judged, Scope, Seen
from plumenav.performance.benchmark.intervals import summary
from plumenav.tables import read_json, write_json, write_text

logger = logging.getLogger(__name__)

# In the order of running. (Reading reads the plumes that normalization wrote.)
BENCHMARKS: dict[str, Benchmark] = {
    "normalization": normalization,
    "reading": reading,
    "length": length,
    "reactive": reactive,
    "infotaxis": infotaxis,
}

Record = dict[str, Any]

DEMONSTRATION = Path("config/config.yaml")
# Enough to be more than start-up: 15 s of the complex recording, a minute of the smooth one.
QUICK_FRAMES = 900
BEGIN, END = "<!-- benchmark: begin -->", "<!-- benchmark: end -->"


def cells(name: str, benchmark: Benchmark, scope: Scope) -> list[Record]:
    """Measure all variants of a benchmark, interleaved, each in a process of its own.

    Returns
    -------
    list of dict
        {benchmark, variant, repetition, load, wall_s, cpu_s, peak_mb, ...}, in order of time.
    """
    variants = benchmark.prepare(scope)
    found: list[Record] = []
    for repetition in range(benchmark.repetitions(scope.quick)):
        for variant in variants:
            load = machine.load()
            measured = measure.in_process(variant)
            about = {"benchmark": name, "variant": variant.name, "repetition": repetition}
            found.append({**about, "load": load, **measured})
            logger.info(
                "%s %d: %.2f s, CPU %.2f s, %.0f MB",
                f"{name}.{variant.name}",
                repetition,
                *(measured[key] for key in ("wall_s", "cpu_s", "peak_mb")),
            )
    return found


def judged(names: Sequence[str], measured: Sequence[Record]) -> tuple[Record, Record]:
    """Ratios that are required, and those that are only shown, by name."""
    ratios: Judged = {}
    for name in names:
        own = [cell for cell in measured if cell["benchmark"] == name]
        ratios.update(BENCHMARKS[name].judge(Seen(own)))
    required = {key: summary(r) for key, r in ratios.items() if r.required is not None}
    shown = {key: summary(r) for key, r in ratios.items() if r.required is None}
    return required, shown


def scope_of(folder: Path, quick: bool) -> Scope:
    """The demonstration's recordings; in the quick form, their beginning."""
    resolved = config.load(DEMONSTRATION)
    if not quick:
        return Scope(folder, quick, resolved)
    for entry in resolved["recordings"].values():
        entry["synthetic"]["parameters"]["frames"] = QUICK_FRAMES
    return Scope(folder / "quick", quick, resolved)


def run(folder: Path, quick: bool = False, only: Sequence[str] = ()) -> Record:
    """Run benchmarks and write benchmark.json.

    Parameters
    ----------
    folder : Path
        For benchmark.json, and for recordings that are kept for the next time.
    quick : bool
    only : sequence of str
        Names of benchmarks; all if empty.

    Returns
    -------
    dict
        Content of benchmark.json.

    Raises
    ------
    UserError
        If a name is not that of a benchmark.
    """
    for name in only:
        if name not in BENCHMARKS:
            known = ", ".join(BENCHMARKS)
            raise UserError("benchmark", f"{name!r}", known, nearest(name, BENCHMARKS))
    names = [name for name in BENCHMARKS if name in only or not only]
    scope = scope_of(folder, quick)
    before = machine.load()
    measured: list[Record] = []
    for name in names:
        measured += cells(name, BENCHMARKS[name], scope)
    ratios, shown = judged(names, measured)
    content = {
        "quick": quick,
        "ratios": ratios,
        "shown": shown,
        "cells": measured,
        "recommended": None,
        "machine": {
            **machine.describe(),
            "load_before": before,
            "load_after": machine.load(),
        },
    }
    write_json(folder / "benchmark.json", content)
    return content


def missed(content: Record) -> list[str]:
    """Names of the ratios that are not what is required."""
    return [name for name, ratio in content["ratios"].items() if not ratio["passed"]]


def table(content: Record) -> str:
    """The ratios as a table in Markdown, and where they were measured."""
    lines = [
        "| ratio | median | 95 % interval | required | passed |",
        "|---|---|---|---|---|",
    ]
    for name, one in {**content["ratios"], **content["shown"]}.items():
        unit = "" if one["unit"] == "1" else f" {one['unit']}"
        required = f"{one['bound']} {one['required']:g}{unit}" if "required" in one else "shown"
        passed = {True: "yes", False: "no", None: ""}[one.get("passed")]
        interval = f"{one['ci_low']:.3g} - {one['ci_high']:.3g}"
        lines.append(
            f"| `{name}` | {one['median']:.3g}{unit} | {interval} (n = {one['n']}) | {required}"
            f" | {passed} |"
        )
    where = content["machine"]
    lines += [
        "",
        f"Measured on {where['cores']} cores of {where['cpu']}, Python {where['python']}, load"
        f" {where['load_before']:.1f} before and {where['load_after']:.1f} after;"
        f" {'quick' if content['quick'] else 'full'} form.",
    ]
    return "\n".join(lines)


def document(folder: Path, path: Path) -> None:
    """Write the table of the last run into a document, between its two marks.

    Raises
    ------
    UserError
        If there is no run, or the document has no marks.
    """
    file = folder / "benchmark.json"
    if not file.exists():
        raise UserError(str(file), "is not there", "", "Run `make bench` first.")
    text = path.read_text(encoding="utf-8")
    if BEGIN not in text or END not in text.partition(BEGIN)[2]:
        raise UserError(str(path), "has no place for the table", f"{BEGIN} and {END} in it")
    head, _, rest = text.partition(BEGIN)
    tail = rest.partition(END)[2]
    write_text(path, f"{head}{BEGIN}\n{table(read_json(file))}\n{END}{tail}")
