"""Normalization of one recording: a file, a formula or a time series becomes a plume file.

The order of the steps is that of :class:`plumenav.config.normalization.Normalization`; the image is
turned downwind, and its pixels made square, together with `lens`. The recording is decoded once,
and once more before that for each of the steps that have to look at it first
(:mod:`plumenav.normalization.sources`).
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import cv2

from plumenav.config.recording_files import WILDCARD, parts_of
from plumenav.config.recordings import Recording
from plumenav.errors import UserError
from plumenav.normalization import kinds
from plumenav.normalization.movie import Loss, Movie
from plumenav.recordings import _contract as readers
from plumenav.recordings._recognize import open_recording
from plumenav.tables import atomic

logger = logging.getLogger(__name__)


def normalize(
    label: str,
    settings: dict[str, Any],
    source: Path | None,
    plume: Path,
    quality_file: Path,
    companions: Mapping[str, Path] | None = None,
    section: str = "recordings",
) -> dict[str, Any]:
    """Turn one recording into a plume file and a quality file.

    Parameters
    ----------
    label : str
        Of the recording in the config.
    settings : dict
        JSON dump of a resolved :class:`plumenav.config.recordings.Recording`.
    source : Path or None
        The recording, a file or a folder; None for analytic and signal plumes.
    plume, quality_file : Path
        Written atomically: after a failure neither exists.
    companions : mapping, optional
        Files named in the settings, by their key (``normalize.background.image``).
    section : str
        Of the config in which the recording stands, for messages.

    Returns
    -------
    dict
        The content of the quality file.

    Raises
    ------
    UserError
        If the recording cannot be read or the settings do not fit it.
    """
    recording = Recording.model_validate(settings)
    where = f"{section}.{label}"
    # written before the plume takes its name, and named after it: both exist, or neither
    with atomic(quality_file) as unnamed:
        if recording.analytic is not None:
            record = kinds.write_analytic(plume, unnamed, recording.analytic, where)
        elif recording.signal is not None:
            file = (companions or {}).get("signal.file")
            record = kinds.write_signal(plume, unnamed, recording.signal, where, file)
        elif source is None:
            raise UserError(where, "no file was given for a movie", "a path or synthetic settings")
        else:
            record = _movie(recording, source, companions or {}, plume, unnamed, where)
    logger.info("%s: %s frames written", label, record["frames_written"])
    return record


def sha256_of(path: Path, pattern: str | None = None) -> str:
    """Hexadecimal sha256 of a file's content; of a folder, of names and digests of its parts."""
    if path.is_dir():
        parts = parts_of(path, pattern)
        lines = [f"{part.relative_to(path).as_posix()} {sha256_of(part)}" for part in parts]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def reader_settings(recording: Recording) -> readers.Settings:
    """What the reader of a recording is told."""
    reader, expected = recording.reader, recording.expected
    path = recording.path or ""
    return readers.Settings(
        name=reader.name,
        dataset=reader.dataset,
        time_dataset=reader.time_dataset,
        axes=reader.axes,
        channel=reader.channel,
        pattern=path if WILDCARD.search(path) else None,
        shape=(expected.frames, expected.rows, expected.columns),
        colour=recording.normalize.false_colour.map is not None,
    )


def _movie(
    recording: Recording,
    source: Path,
    companions: Mapping[str, Path],
    plume: Path,
    unnamed: Path,
    where: str,
) -> dict[str, Any]:
    # one thread here: the workflow decides how many jobs run, and sums must not depend on it
    cv2.setNumThreads(1)
    try:
        return _complete(recording, source, companions, plume, unnamed, where, None)
    except readers.DamageError as damage:
        if recording.reader.on_damage == "fail":
            raise
        _check_other_frames(recording, damage, where)
        sound = _sound_part(recording, damage)
        logger.warning("%s: %s; what is sound before it is used", where, damage.found)
        # a plume does not know the folder that its recording lay in
        told = f"{damage.where}: {damage.found}".replace(str(source), source.name)
        loss = Loss(damage.lost, told)
        return _complete(sound, source, companions, plume, unnamed, where, loss)


def _check_other_frames(recording: Recording, damage: readers.DamageError, where: str) -> None:
    """Refuse frames that a step looks at and that are not readable."""
    steps = recording.normalize
    of_frames = steps.background.method in ("mean", "median", "percentile")
    found = steps.calibration.method != "two_points"
    looked_at = {
        "flat_field.dark": steps.flat_field.dark,
        "flat_field.flat": steps.flat_field.flat,
        "background.frames": steps.background.frames if of_frames else None,
        "calibration.frames": steps.calibration.frames if found else None,
    }
    for key, frames in looked_at.items():
        if isinstance(frames, tuple) and frames[1] > damage.readable:
            raise UserError(
                f"{where}.normalize.{key}",
                f"[{frames[0]}, {frames[1]}), and on_damage: truncate leaves {damage.readable}"
                f" frames ({damage.where}: {damage.found})",
                f"within [0, {damage.readable})",
            )


def _sound_part(recording: Recording, damage: readers.DamageError) -> Recording:
    """The same recording, with the frames that are readable."""
    first, end = recording.reader.frames or (0, damage.readable)
    end = min(end, damage.readable)
    if end - first < 2:
        raise UserError(
            damage.where,
            f"{damage.found}; {max(0, end - first)} sound frames are left for on_damage: truncate",
            "at least 2",
            damage.hint,
        )
    reader = recording.reader.model_copy(update={"frames": (first, end)})
    return recording.model_copy(update={"reader": reader})


def _complete(
    recording: Recording,
    source: Path,
    companions: Mapping[str, Path],
    plume: Path,
    unnamed: Path,
    where: str,
    loss: Loss | None,
) -> dict[str, Any]:
    settings = reader_settings(recording)
    opened = open_recording(source, settings)
    with ThreadPoolExecutor(1) as pool, closing(opened):
        digest = pool.submit(sha256_of, source, settings.pattern)
        movie = Movie(recording, opened, source, companions, where, loss)
        return movie.write(plume, unnamed, digest.result)


__all__ = ["normalize", "reader_settings", "sha256_of"]
