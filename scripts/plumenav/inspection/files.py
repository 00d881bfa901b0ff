"""Do the files of a run fit its config? Asked before anything is computed, of headers only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from plumenav.batch.plan import check_start
from plumenav.config.recordings import Recording
from plumenav.errors import UserError
from plumenav.normalization.geometry import geometry
from plumenav.normalization.pipeline import reader_settings
from plumenav.recordings._recognize import open_recording

# Headers of healthy recordings may be off by so many frames.
SLACK = 2


def check_files(resolved: dict[str, Any]) -> list[str]:
    """Open every recording that lies in a file, and hold the config against its header.

    Parameters
    ----------
    resolved : dict
        A resolved config.

    Returns
    -------
    list of str
        Labels of the recordings that were opened; the others are made by the workflow.

    Raises
    ------
    UserError
        If a recording cannot be opened, or frames, crop or start region do not fit it.
    """
    opened = []
    for label, entry in resolved["recordings"].items():
        if "file" in entry and entry["kind"] == "movie":
            check_file(label, entry, resolved["simulation"])
            opened.append(label)
    return opened


def check_file(label: str, entry: dict[str, Any], simulation: dict[str, Any]) -> None:
    """Hold one recording's settings against its header; see :func:`check_files`."""
    where = f"recordings.{label}"
    known = {key: value for key, value in entry.items() if key in Recording.model_fields}
    recording = Recording.model_validate(known)
    with closing(open_recording(Path(entry["file"]), reader_settings(recording))) as opened:
        facts = opened.facts
    shape = geometry(recording, facts.height, facts.width, where)
    promised = facts.frames_header
    for key, (first, end) in _ranges(recording):
        if promised is not None and end > promised + SLACK:
            raise UserError(
                f"{where}.{key}",
                f"[{first}, {end})",
                f"within [0, {promised}), the frames that the file promises",
            )
    first, end = recording.reader.frames or (0, promised or 2**31)
    metadata = {"kind": "movie", **shape.grid._asdict()}
    check_start(label, simulation["start"], metadata, end - first, simulation["movie_part"])


def _ranges(recording: Recording) -> Iterator[tuple[str, tuple[int, int]]]:
    """Ranges of the file's frames that the settings name, with their keys."""
    steps = recording.normalize
    named = {
        "reader.frames": recording.reader.frames,
        "normalize.background.frames": steps.background.frames,
        "normalize.flat_field.dark": steps.flat_field.dark,
        "normalize.flat_field.flat": steps.flat_field.flat,
        "normalize.calibration.frames": steps.calibration.frames,
    }
    for key, value in named.items():
        if isinstance(value, tuple):
            yield key, value
