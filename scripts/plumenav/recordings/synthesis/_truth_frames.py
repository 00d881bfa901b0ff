"""True frames of a synthetic recording, kept beside it: what a normalization should have given."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from plumenav import registry
from plumenav.errors import UserError
from plumenav.recordings.synthesis._contract import resolve
from plumenav.tables import atomic

FRAMES = 6


class TrueFrames(NamedTuple):
    """True concentration of some frames, in the file's own orientation.

    Attributes
    ----------
    number : ndarray, shape (n,), int64
        Of the frames in the file.
    time_s : ndarray, shape (n,), float64
        Since the first frame.
    concentration : ndarray, shape (n, height, width), float32
    """

    number: np.ndarray
    time_s: np.ndarray
    concentration: np.ndarray


def true_frames(generator: str, seed: int, parameters: dict[str, Any]) -> TrueFrames:
    """Evenly spread true frames after the lead-in.

    Parameters
    ----------
    generator : str
        Its name.
    seed, parameters
        As the recording was made with.
    """
    module = registry.get("synthesis", generator)
    params = resolve(module.Params, module.PRESETS, parameters)
    every = max(1, (params.frames - params.lead_in_frames) // FRAMES)
    kept = [
        (i * every, frame.copy())
        for i, frame in enumerate(module.concentration_frames(params, seed, every))
        if i * every >= params.lead_in_frames
    ][-FRAMES:]
    number = np.array([i for i, _ in kept], np.int64)
    return TrueFrames(number, number / params.frame_rate_hz, np.stack([f for _, f in kept]))


def write_true_frames(path: Path, frames: TrueFrames) -> None:
    """Write them as npz, atomically and the same bytes every time."""
    with atomic(path) as temporary, open(temporary, "wb") as file:
        np.savez(file, allow_pickle=False, **frames._asdict())


def read_true_frames(path: Path) -> TrueFrames:
    """Read them back.

    Raises
    ------
    UserError
        If the file is damaged.
    """
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as content:
            return TrueFrames(**{name: content[name] for name in TrueFrames._fields})
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(
            str(path),
            f"cannot be read ({error})",
            "true frames of a synthetic recording",
            "Remove the file and run `snakemake` (or `make run`) again.",
        ) from None
