"""Reading finished plumes back, beside reading as many raw bytes from the system's cache."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from plumenav.performance.benchmark import recordings
from plumenav.performance.benchmark._contract import Judged, Ratio, Scope, Seen, Timed, Variant

REQUIRED_GB_S = 1.0


def repetitions(scope: Scope) -> int:
    """How often each plume is read."""
    return 9 if scope.full else 3 if scope.quick else 7


def prepare(scope: Scope) -> list[Variant]:
    """Each plume that `normalization` wrote, and its raw numbers."""
    variants = []
    for label in recordings.labels(scope):
        arguments = {"plume": str(recordings.plume(scope, label))}
        variants += [
            Variant(f"{label}.plume", "reading:read_plume", arguments),
            Variant(f"{label}.raw", "reading:read_raw", arguments),
        ]
    return variants


def judge(seen: Seen) -> Judged:
    """Decoded bytes per second, of all plumes together and of each; and over raw reading."""
    labels = [v.removesuffix(".raw") for v in seen.variants if v.endswith(".raw")]
    gb = {label: seen.values(f"{label}.plume", "decoded_bytes") / 1e9 for label in labels}
    plume_s = {label: seen.values(f"{label}.plume") for label in labels}
    raw_s = {label: seen.values(f"{label}.raw") for label in labels}
    together = [np.sum(list(each.values()), axis=0) for each in (gb, plume_s, raw_s)]
    judged = {"read_back_gb_s": Ratio(together[0] / together[1], "GB/s", REQUIRED_GB_S, "at least")}
    for label in labels:
        speed = gb[label] / plume_s[label]
        judged[f"read_back_gb_s.{label}"] = Ratio(speed, "GB/s", REQUIRED_GB_S, "at least")
    judged["read_back_vs_raw"] = Ratio(together[1] / together[2])
    return judged


# ------------------------------------------------------------------------------------- tasks


def read_plume(plume: str) -> Timed:
    """Task: all blocks of a plume, decompressed; opening included."""
    from plumenav.tables import PlumeReader

    _touch(Path(plume))

    def run() -> dict[str, float]:
        decoded = 0
        with PlumeReader(plume) as reader:
            for block in reader.blocks():
                decoded += block.frames.nbytes
        return {"decoded_bytes": decoded}

    return run


def read_raw(plume: str) -> Timed:
    """Task: the same numbers from a file that holds nothing else, in blocks of the same size."""
    from plumenav.tables import PlumeReader

    raw = Path(plume).with_suffix(".raw")
    with PlumeReader(plume) as reader, open(raw, "wb") as file:
        sizes = [file.write(block.frames.data) for block in reader.blocks()]

    def run() -> dict[str, float]:
        decoded = 0
        with open(raw, "rb", buffering=0) as file:
            for size in sizes:
                decoded += file.readinto(np.empty(size, np.uint8).data) or 0
        raw.unlink()
        return {"decoded_bytes": decoded}

    return run


def _touch(path: Path) -> None:
    """Bring a file into the system's cache."""
    with open(path, "rb", buffering=0) as file:
        while file.read(2**24):
            pass
