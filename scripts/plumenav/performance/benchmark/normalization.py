"""Normalization of the recordings, beside what no normalization can do without.

That is: decoding, with the same reader, as often and as far as the settings ask for it, plus
compressing and writing the plume. Each of them is measured alone; their sum is the denominator.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from plumenav.config.recordings import Recording
from plumenav.performance.benchmark import measure, recordings
from plumenav.performance.benchmark._contract import Judged, Ratio, Scope, Seen, Timed, Variant
from plumenav.recordings import _contract as readers

REQUIRED = 1.5
PARTS = ("normalize", "decode", "write")


def repetitions(scope: Scope) -> int:
    """How often each part is measured."""
    return 7 if scope.full else 2 if scope.quick else 5


def plumes(scope: Scope) -> list[Variant]:
    """What normalizes each recording, named by its label."""
    variants = []
    for label in recordings.labels(scope):
        settings = recordings.normalization_settings(scope.config["recordings"][label])
        arguments = {
            "settings": settings,
            "source": str(recordings.synthetic_file(scope, label)),
            "plume": str(recordings.plume(scope, label)),
        }
        variants.append(Variant(label, "normalization:normalize", arguments))
    return variants


def prepare(scope: Scope) -> list[Variant]:
    """Normalize, decode and write, for each recording."""
    variants = []
    for made in plumes(scope):
        # the plume that is written again, and the recording in the system's cache
        measure.in_process(made)
        label, plume = made.name, Path(made.arguments["plume"])
        again = str(plume.with_suffix(".again.parquet"))
        arguments = {key: made.arguments[key] for key in ("settings", "source")}
        written = {"plume": str(plume), "target": again}
        variants += [
            Variant(f"{label}.normalize", made.task, {**arguments, "plume": again}),
            Variant(f"{label}.decode", "normalization:decode", arguments),
            Variant(f"{label}.write", "normalization:write", written),
        ]
    return variants


def judge(seen: Seen) -> Judged:
    """Time of normalization over that of decoding and writing: of all recordings, and of each."""
    judged: Judged = {}
    labels = [
        variant.removesuffix(".normalize")
        for variant in seen.variants
        if variant.endswith(".normalize")
    ]
    for name, key, required in (
        ("normalization_vs_decode", "wall_s", REQUIRED),
        # shown: what it would be where nothing can be done at the same time
        ("normalization_vs_decode_cpu", "cpu_s", None),
    ):
        parts = {
            label: np.array([seen.values(f"{label}.{part}", key) for part in PARTS])
            for label in labels
        }
        total = np.sum(list(parts.values()), axis=0)
        for label, (whole, decoding, writing) in {"": total, **parts}.items():
            full = f"{name}.{label}" if label else name
            # required of the recordings together; each of them is shown
            judged[full] = Ratio(whole / (decoding + writing), "1", None if label else required)
    return judged


# ------------------------------------------------------------------------------------- tasks


class Pass(NamedTuple):
    """One look at a recording: from frame `first`, and how many frames were taken of it."""

    first: int
    end: int | None
    frames: int


class Recorded:
    """An open recording that notes how it is read; see the contract of readers."""

    def __init__(self, opened: readers.Recording) -> None:
        self.facts, self.notes, self._opened = opened.facts, opened.notes, opened
        self.passes: list[Pass] = []

    def blocks(self, first: int = 0, end: int | None = None) -> Iterator[readers.Frames]:
        """Blocks of the recording."""
        number = len(self.passes)
        self.passes.append(Pass(first, end, 0))
        for block in self._opened.blocks(first, end):
            before = self.passes[number]
            self.passes[number] = before._replace(frames=before.frames + len(block.frames))
            yield block

    def close(self) -> None:
        """Close the recording."""
        self._opened.close()


def passes_needed(recording: Recording, opened: readers.Recording) -> list[Pass]:
    """How normalization reads a recording: what it looks at first, then everything it uses.

    Parameters
    ----------
    recording : Recording
        Without files beside it.
    opened : readers.Recording

    Returns
    -------
    list of Pass
        The last one has `frames` 0: all there are.
    """
    from plumenav.normalization.movie import Movie

    recorded = Recorded(opened)
    Movie(recording, recorded, Path(), {}, "benchmark")
    first, end = recording.reader.frames or (0, None)
    return [*recorded.passes, Pass(first, end, 0)]


def _open(settings: dict[str, Any], source: str) -> tuple[Recording, readers.Recording]:
    from plumenav.normalization.pipeline import reader_settings
    from plumenav.recordings._recognize import open_recording

    recording = Recording.model_validate(settings)
    return recording, open_recording(Path(source), reader_settings(recording))


def normalize(settings: dict[str, Any], source: str, plume: str) -> Timed:
    """Task: a recording becomes a plume."""
    from plumenav.normalization import pipeline

    _open(settings, source)[1].close()  # imports the reader
    target = Path(plume)

    def run() -> dict[str, float]:
        quality = target.with_suffix(".quality.json")
        record = pipeline.normalize("benchmark", settings, Path(source), target, quality)
        return {"frames": record["frames_written"]}

    return run


def decode(settings: dict[str, Any], source: str) -> Timed:
    """Task: the passes over the recording that its normalization needs, and nothing else."""
    import cv2

    cv2.setNumThreads(1)  # as normalization does
    recording, opened = _open(settings, source)
    with closing(opened):
        needed = passes_needed(recording, opened)

    def run() -> dict[str, float]:
        n = 0
        with closing(_open(settings, source)[1]) as again:
            for one in needed:
                taken = 0
                for block in again.blocks(one.first, one.end):
                    taken += len(block.frames)
                    if one.frames and taken >= one.frames:
                        break
                n += taken
        return {"frames": n}

    return run


def decode_once(settings: dict[str, Any], source: str) -> Timed:
    """Task: one pass over all of a recording."""
    import cv2

    cv2.setNumThreads(1)  # as normalization does
    _open(settings, source)[1].close()  # imports the reader

    def run() -> dict[str, float]:
        with closing(_open(settings, source)[1]) as opened:
            return {"frames": sum(len(block.frames) for block in opened.blocks())}

    return run


def write(plume: str, target: str) -> Timed:
    """Task: compress and write the frames of a plume that are in memory."""
    from plumenav.tables import PlumeReader, PlumeWriter

    with PlumeReader(plume) as reader:
        metadata = reader.metadata
        blocks = [(block.time_s, block.frames.copy()) for block in reader.blocks()]
        shape, dtype = reader.shape, reader.dtype.name

    def run() -> dict[str, float]:
        how = (*shape, dtype, metadata["scale"], metadata["offset"])
        with PlumeWriter(target, *how) as writer:
            for times, frames in blocks:
                writer.write(times, frames)
            writer.metadata.update(metadata)
        return {"frames": writer.n_frames, "file_bytes": Path(target).stat().st_size}

    return run
