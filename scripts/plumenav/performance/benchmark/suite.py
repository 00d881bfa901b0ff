"""The whole suite: everything measured in turn, judged, written and told."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from plumenav import config
from plumenav.errors import UserError, nearest
from plumenav.performance.benchmark import (
    cores,
    cost,
    factorial,
    infotaxis,
    kept,
    length,
    machine,
    measure,
    normalization,
    prediction,
    reactive,
    reading,
    whole_run,
)
from plumenav.performance.benchmark._contract import Benchmark, Judged, Scope, Seen
from plumenav.performance.benchmark.intervals import summary
from plumenav.tables import read_json, write_json, write_text

logger = logging.getLogger(__name__)

# In the order of running: reading reads the plumes that normalization wrote, and cost goes on in
# the folder of the whole run.
BENCHMARKS: dict[str, Benchmark] = {
    "normalization": normalization,
    "reading": reading,
    "length": length,
    "reactive": reactive,
    "infotaxis": infotaxis,
    "cores": cores,
    "prediction": prediction,
    "whole_run": whole_run,
    "cost": cost,
    "factorial": factorial,
}

Record = dict[str, Any]

DEMONSTRATION = Path("config/config.yaml")
# Enough to be more than start-up: 15 s of the complex recording, a minute of the smooth one.
QUICK_FRAMES = 900
BEGIN, END = "<!-- benchmark: begin -->", "<!-- benchmark: end -->"


def form_of(scope: Scope) -> str:
    """Name of the form: quick, default or full."""
    return "quick" if scope.quick else "full" if scope.full else "default"


def cells(name: str, benchmark: Benchmark, scope: Scope) -> list[Record]:
    """Measure all variants of a benchmark, interleaved, each in a process of its own.

    Returns
    -------
    list of dict
        {benchmark, variant, repetition, load, wall_s, cpu_s, peak_mb, ...}, in order of time.
    """
    logger.info("%s: getting ready", name)
    variants = benchmark.prepare(scope)
    rounds = benchmark.repetitions(scope)
    logger.info("%s: %d rounds of %d measurements", name, rounds, len(variants))
    found: list[Record] = []
    began_s = time.monotonic()
    for repetition in range(rounds):
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
        left_s = (time.monotonic() - began_s) / (repetition + 1) * (rounds - repetition - 1)
        if left_s:
            logger.info("%s: about %.0f s more", name, left_s)
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


def scope_of(folder: Path, quick: bool, full: bool = False) -> Scope:
    """The demonstration's recordings; in the quick form, their beginning."""
    resolved = config.load(DEMONSTRATION)
    if not quick:
        return Scope(folder, quick, resolved, full)
    for entry in resolved["recordings"].values():
        entry["synthetic"]["parameters"]["frames"] = QUICK_FRAMES
    return Scope(folder / "quick", quick, resolved)


def names_of(only: Sequence[str], quick: bool) -> list[str]:
    """Benchmarks to be run, in their order.

    Raises
    ------
    UserError
        If a name is not that of a benchmark.
    """
    for name in only:
        if name not in BENCHMARKS:
            known = ", ".join(BENCHMARKS)
            raise UserError("benchmark", f"{name!r}", known, nearest(name, BENCHMARKS))
    if only:
        return [name for name in BENCHMARKS if name in only]
    left_out = [n for n, b in BENCHMARKS.items() if quick and not getattr(b, "QUICK", True)]
    if left_out:
        logger.info("left out of the quick form: %s", ", ".join(left_out))
    return [name for name in BENCHMARKS if name not in left_out]


def begun(folder: Path, form: str, names: Sequence[str], here: Record) -> Record | None:
    """What an interrupted run of the same form, code and machine has left, to go on with."""
    file = folder / "benchmark.json"
    if not file.exists():
        return None
    content: Record = read_json(file)
    same = content.get("form") == form and all(
        content["machine"].get(key) == here[key] for key in ("fingerprint", "code")
    )
    going_on = same and content.get("unfinished") and set(names) >= set(content["seconds"])
    return content if going_on else None


def run(
    folder: Path,
    quick: bool = False,
    only: Sequence[str] = (),
    full: bool = False,
) -> Record:
    """Run benchmarks and write benchmark.json, again after each of them.

    Parameters
    ----------
    folder : Path
        For benchmark.json, and for recordings that are kept for the next time.
    quick : bool
    only : sequence of str
        Names of benchmarks; all if empty.
    full : bool
        Everything there is.

    Returns
    -------
    dict
        Content of benchmark.json.

    Raises
    ------
    UserError
        If a name is not that of a benchmark.

    Notes
    -----
    An interrupted run is gone on with: what it has finished is not measured again. A benchmark that
    fails is named under `failed`, and the others go on.
    """
    names = names_of(only, quick)
    scope = scope_of(folder, quick, full)
    form, here = form_of(scope), machine.describe()
    before = before_s(folder)
    content = begun(folder, form, names, here)
    if content is None:
        content = {
            "form": form,
            "quick": quick,
            "started_s": time.time(),
            "machine": {**here, "load_before": machine.load()},
            "recommended": None,
            **{key: {} for key in ("ratios", "shown", "seconds", "failed")},
            **{key: [] for key in ("cells", "unfinished", "slower")},
        }
    else:
        logger.info("going on after: %s", ", ".join(content["seconds"]))
    content["failed"] = {}
    todo = [name for name in names if name not in content["seconds"]]
    expected = [before[name] for name in todo if before.get(name)]
    if expected:
        logger.info("as last time, about %.0f s for %d parts", sum(expected), len(expected))
    for done, name in enumerate(todo):
        if before.get(name):
            logger.info("%s: took %.0f s last time", name, before[name])
        began_s = time.monotonic()
        try:
            add(content, name, cells(name, BENCHMARKS[name], scope))
        except RuntimeError as error:
            logger.error("%s failed: %s", name, error)
            content["failed"][name] = str(error).splitlines()[0]
        else:
            content["seconds"][name] = time.monotonic() - began_s
        content["unfinished"] = [*content["failed"], *todo[done + 1 :]]
        content["machine"]["load_after"] = machine.load()
        write_json(folder / "benchmark.json", content)
    finish(content, folder, keep=not only)
    return content


def before_s(folder: Path) -> dict[str, float]:
    """Seconds that each benchmark took last time."""
    file = folder / "benchmark.json"
    seconds: dict[str, float] = read_json(file).get("seconds", {}) if file.exists() else {}
    return seconds


def add(content: Record, name: str, measured: list[Record]) -> None:
    """Add what a benchmark has found to the content of benchmark.json."""
    required, shown = judged([name], measured)
    content["ratios"].update(required)
    content["shown"].update(shown)
    content["cells"] += measured
    sections = getattr(BENCHMARKS[name], "sections", None)
    if sections:
        content.update(sections(Seen(measured)))


def finish(content: Record, folder: Path, keep: bool) -> None:
    """Keep a finished run in the history, and say what became slower."""
    if keep and not content["unfinished"]:
        kept.append(kept.record_of(content, content["started_s"]))
        records = kept.read(content["machine"]["fingerprint"], content["form"])
        content["slower"] = [*kept.slower(records), *kept.slower_runs()]
    write_json(folder / "benchmark.json", content)


def missed(content: Record) -> list[str]:
    """What fails a check: requirements that are missed, parts that failed, what became slower."""
    return [
        *(name for name, ratio in content["ratios"].items() if not ratio["passed"]),
        *(f"{name} failed: {why}" for name, why in content["failed"].items()),
        *(f"{row['what']} is {row['ratio']:.2f} times what it was" for row in content["slower"]),
    ]


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
        f" {content['form']} form.",
    ]
    lines += [f"\nNot measured: {', '.join(content['unfinished'])}."] * bool(content["unfinished"])
    if content["recommended"]:
        one = content["recommended"]
        lines.append(f"\nRecommended: `{one['setting']}` ({one['reason']}).")
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
