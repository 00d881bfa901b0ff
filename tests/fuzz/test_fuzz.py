"""Damaged files of every format: read completely, or refused with a message; never anything else.

Each file is read in a process of its own kind, since decoders in C crash. A crash or a hang is what
:mod:`plumenav.guard` turns into a message: they are counted, and few. What no file may do: end in
another exception, give fewer frames than its header promises without a word, hand out as sound what
is not, break the promise of what is readable, or take the memory of the machine.
"""

from __future__ import annotations

import zlib
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conftest import ROOT
from fuzz.damage import WAYS, damaged
from fuzz.pool import read_all
from fuzz.samples import REAL_SAMPLES, SAMPLES

SHORT, LONG = 14, 350
LIMIT_S = 30.0
LARGEST_RSS_MB = 1800.0
# of the files of one format
MOST_CRASHES = 0.02


ALL = {**SAMPLES, **REAL_SAMPLES}


def file_name(name: str) -> str:
    """A format's name without what a file's name does without."""
    return "".join(c for c in name if c.isalnum())


@pytest.fixture(scope="session")
def samples(tmp_path_factory):
    """A valid file of each format, and how it reads."""
    folder = tmp_path_factory.mktemp("samples")
    paths = {name: write(folder / file_name(name)) for name, write in ALL.items()}
    answers = read_all(list(paths.values()), ROOT / "scripts", 2, LIMIT_S)
    return paths, dict(zip(paths, answers, strict=True))


@pytest.mark.parametrize("name", ALL)
def test_the_healthy_file_is_read_completely(samples, name):
    answer = samples[1][name]
    assert answer["verdict"] == "complete", answer
    # MPEG streams have no header that promises: OpenCV's guess is one frame
    assert len(answer["frames"]) == (12 if name in SAMPLES else answer["header"])


def judged(answer: dict[str, Any], way: str, healthy: list[int], path: Path) -> str:
    """Name of the outcome; those in capitals must not be."""
    verdict, frames = answer["verdict"], answer.get("frames", [])
    if answer.get("rss_mb", 0.0) > LARGEST_RSS_MB:
        return "MEMORY"
    if verdict == "fault":
        return "FAULT"
    if verdict in ("crash", "hang"):
        return verdict
    if verdict == "complete":
        if len(frames) < (answer["header"] or 0) and not answer["notes"]:
            return "SILENTLY SHORT"
        told = any("may be cut off" in note for note in answer["notes"])
        if way == "truncated" and frames != healthy[: len(frames)] and not told:
            return "WRONG FRAMES"
        return "complete" if frames == healthy else "complete, other numbers"
    if path.name not in answer["message"]:
        return "FILE NOT NAMED"
    if verdict == "damage":
        if len(frames) != answer["readable"]:
            return "READABLE IS NOT"
        if way == "truncated" and frames != healthy[: len(frames)]:
            return "WRONG FRAMES"
    return verdict


def fuzz(
    names: list[str], each: int, samples: Any, folder: Path, seed: int
) -> tuple[dict[str, Counter[str]], list[str]]:
    """Outcomes by format, and what must not be."""
    paths, healthy = samples
    cases = []
    for name in names:
        for k in range(each):
            way = list(WAYS)[k % len(WAYS)]
            rng = np.random.default_rng([seed, k, zlib.crc32(name.encode())])
            other = paths[list(paths)[int(rng.integers(len(paths)))]]
            target = folder / f"{file_name(name)}-{k}-{way}"
            path = damaged(paths[name], target, way, rng, other)
            cases.append((name, way, path))
    answers = read_all([path for _, _, path in cases], ROOT / "scripts", 2, LIMIT_S)
    table: dict[str, Counter[str]] = {name: Counter() for name in names}
    wrong = []
    for (name, way, path), answer in zip(cases, answers, strict=True):
        outcome = judged(answer, way, healthy[name]["frames"], path)
        table[name][outcome] += 1
        if outcome.isupper():
            details = answer.get("traceback") or answer.get("message") or answer
            wrong.append(f"{name}, {way} ({path}): {outcome}\n{details}")
    return table, wrong


def report(table: dict[str, Counter[str]]) -> str:
    """The outcomes as a table."""
    columns = sorted({outcome for counts in table.values() for outcome in counts})
    lines = ["| format | " + " | ".join(columns) + " |"]
    lines.append("|---|" + "---:|" * len(columns))
    for name, counts in table.items():
        lines.append(f"| {name} | " + " | ".join(str(counts[c]) for c in columns) + " |")
    return "\n".join(lines)


def check(table: dict[str, Counter[str]], wrong: list[str]) -> None:
    assert not wrong, f"{len(wrong)} bad ends\n" + report(table) + "\n" + "\n".join(wrong[:8])
    for name, counts in table.items():
        ended_hard = counts["crash"] + counts["hang"]
        assert ended_hard <= max(1, MOST_CRASHES * counts.total()), f"{name}\n{report(table)}"


def test_damaged_files_of_all_formats_end_in_a_message_or_are_read(samples, tmp_path):
    check(*fuzz(list(SAMPLES), SHORT, samples, tmp_path, seed=1))


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
def test_many_damaged_files_of_one_format(samples, tmp_path, name, record_property):
    table, wrong = fuzz([name], LONG, samples, tmp_path, seed=2)
    record_property("fuzz", report(table))
    check(table, wrong)
