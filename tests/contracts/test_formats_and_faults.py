"""One movie with known source, wind and scale: in every format, with every deliberate fault.

Each fault must be named by its check whatever the format, and once it is corrected in the config,
the plumes of all formats agree. The table of a run is written to results/tests/formats_faults.json.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from conftest import ROOT
from factories_quality import (
    FRAMES,
    HEIGHT,
    LEAD_IN,
    RATE_HZ,
    SOURCE,
    WIDTH,
    Assessed,
    declared,
    filmed,
    plume,
)
from factories_recordings import FORMATS, write_format, write_images, write_video
from plumenav.recordings.synthesis._params import FileParams
from plumenav.recordings.synthesis._writers import open_writer
from plumenav.tables import PlumeReader

LEAST_R = 0.99
# MPEG-4 part 2 at the encoder's default quality, the only one that OpenCV offers, smooths the
# noise away and quantizes the plume
LEAST_R_OF = {"mpeg-4 mp4": 0.98}
# its blocks change by fits and starts, so that a jump cannot be told: the check says that it cannot
UNTOLD = {("mpeg-4 mp4", "dropped frames")}
# one per reader, and the lossy video of the field: the rest is in the long form
SHORT = (
    "hdf5",
    "ffv1 avi",
    "cine",
    "tiff",
    "imagej",
    "png folder",
    "mat 5",
    "mat 7.3",
    "mat 5 folder",
    "npy, fortran",
    "npz",
    "zarr 3",
    "mjpeg avi",
    "vp9 webm",
)
DROPPED = np.arange(FRAMES)[LEAD_IN + 20 : FRAMES - 12 : 23]
NO_BACKGROUND = {**declared()["normalize"], "background": {"method": "none"}}


def write_mjpeg(path: Path, frames: np.ndarray) -> Path:
    n, height, width = frames.shape
    params = FileParams(frames=n, height_px=height, width_px=width, frame_rate_hz=RATE_HZ)
    with open_writer(path, "mjpeg_avi", params) as writer:
        for frame in frames:
            writer.write(frame)
    return path


# besides the lossless ones
LOSSY: dict[str, tuple[str, Callable[[Path, np.ndarray], Path]]] = {
    "mjpeg avi": (".avi", write_mjpeg),
    "mpeg-4 mp4": (".mp4", lambda p, f: write_video(p, f, "mp4v", RATE_HZ)),
    "vp9 webm": (".webm", lambda p, f: write_video(p, f, "VP90", RATE_HZ)),
    "jpeg folder": ("", lambda p, f: write_images(p, f, "jpg")),
}
ARRAYS = {"hdf5", "mat", "numpy", "zarr"}  # readers of formats that have axes


class Fault(NamedTuple):
    """What was done to the file, what the config says wrongly, and what corrects it."""

    check: str
    spoil: Callable[[np.ndarray], np.ndarray]
    declared: dict[str, Any]
    corrected: dict[str, Any]


def place(row: int, column: int) -> dict[str, int]:
    return {"row": row, "column": column}


def unchanged(frames: np.ndarray) -> np.ndarray:
    return frames


FAULTS = {
    "rotated": Fault(
        "orientation",
        lambda frames: np.rot90(frames, 1, axes=(1, 2)),
        {},
        {"wind_toward": "-row", "source_px": place(WIDTH - 1 - SOURCE[1], SOURCE[0])},
    ),
    "mirrored": Fault(
        "orientation",
        lambda frames: frames[:, :, ::-1],
        {},
        {"mirrored": True, "source_px": place(SOURCE[0], WIDTH - 1 - SOURCE[1])},
    ),
    "swapped axes": Fault(
        "orientation",
        lambda frames: frames.transpose(0, 2, 1),
        {},
        {"mirrored": True, "wind_toward": "+row", "source_px": place(SOURCE[1], SOURCE[0])},
    ),
    "wrong scale": Fault("scale", unchanged, {"mm_per_px": 1.3}, {}),
    "unsubtracted background": Fault(
        "residual_background", unchanged, {"normalize": NO_BACKGROUND}, {}
    ),
    "inverted polarity": Fault(
        "polarity",
        lambda frames: 255 - frames,
        {"normalize": NO_BACKGROUND},
        {"normalize": {**declared()["normalize"], "polarity": {"kind": "dark"}}},
    ),
    "dropped frames": Fault(
        "missing_frames", lambda frames: np.delete(frames, DROPPED, axis=0), {}, {}
    ),
}
ALL_FORMATS = [*FORMATS, *LOSSY]


@functools.cache
def film() -> np.ndarray:
    return filmed(plume())


def write(name: str, folder: Path, frames: np.ndarray) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    if name in LOSSY:
        ending, writer = LOSSY[name]
        return writer(folder / f"movie{ending}", frames)
    return write_format(name, folder, frames)


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    """The movie without fault, as HDF5: what all others must agree with."""
    made = Assessed(tmp_path_factory.mktemp("clean"), film())
    assert made.bad == {}
    return concentration(made.plume)


@pytest.fixture(scope="module")
def table():
    rows: dict[str, dict[str, Any]] = {}
    yield rows
    target = ROOT / "results" / "tests" / "formats_faults.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(rows, indent=1))


def concentration(path: Path) -> np.ndarray:
    with PlumeReader(path) as reader:
        stored = np.concatenate([block.frames.copy() for block in reader.blocks()])
        return stored * np.float32(reader.metadata["scale"]) + np.float32(reader.metadata["offset"])


def correction(fault: str, name: str, folder: Path) -> tuple[dict[str, Any], dict[str, Path]]:
    """Settings that correct a fault, and files that they name."""
    if fault == "dropped frames":
        stamps = folder / "stamps.csv"
        kept = np.delete(np.arange(FRAMES), DROPPED) / RATE_HZ
        stamps.write_text("\n".join(["t_s", *map(str, kept.tolist())]))
        reader = {"time_file": "stamps.csv", "time_column": "t_s"}
        return {"reader": reader, "frame_rate_hz": None}, {"reader.time_file": stamps}
    reads = FORMATS[name].reader if name in FORMATS else ""
    if fault == "swapped axes" and reads in ARRAYS and "folder" not in name:
        return {"reader": {"axes": ("frame", "column", "row")}}, {}
    return FAULTS[fault].corrected, {}


def examine(name: str, fault: str, folder: Path, clean: np.ndarray, table: dict[str, Any]) -> None:
    how = FAULTS[fault]
    movie = write(name, folder / "film", np.ascontiguousarray(how.spoil(film())))
    wrong = Assessed(folder / "wrong", movie, **how.declared)
    right, companions = correction(fault, name, folder)
    corrected = Assessed(folder / "right", movie, companions=companions, **right)
    ours = concentration(corrected.plume)
    theirs = np.delete(clean, DROPPED, axis=0) if fault == "dropped frames" else clean
    assert ours.shape == theirs.shape
    r = float(np.corrcoef(ours.ravel(), theirs.ravel())[0, 1])
    table[f"{name} | {fault}"] = {
        "named_by": sorted(n for n, c in wrong.checks.items() if c["status"] == "fail"),
        "says": wrong.checks[how.check]["says"],
        "corrected_status": corrected.content["status"],
        "corrected_bad": corrected.bad,
        "r": r,
    }
    if (name, fault) in UNTOLD:
        assert wrong.checks[how.check]["status"] == "not measured"
        assert wrong.checks[how.check]["says"]
        return
    assert wrong.checks[how.check]["status"] == "fail", wrong.content["says"]
    # a codec may repeat a frame or two of its own: a warning
    assert corrected.checks[how.check]["status"] in ("pass", "warn"), corrected.content["says"]
    assert corrected.content["status"] != "fail", corrected.content["says"]
    assert r >= LEAST_R_OF.get(name, LEAST_R)


@pytest.mark.parametrize(
    ("name", "fault"),
    [(name, list(FAULTS)[i % len(FAULTS)]) for i, name in enumerate(SHORT)],
)
def test_each_format_with_a_fault(tmp_path, clean, table, name, fault):
    examine(name, fault, tmp_path, clean, table)


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", ALL_FORMATS)
def test_every_format_with_every_fault(tmp_path, clean, table, name, fault):
    examine(name, fault, tmp_path, clean, table)


def test_the_source_is_off_centre():
    # else a mirrored movie could not be told from the true one
    assert abs(SOURCE[0] - HEIGHT / 2) > 10
