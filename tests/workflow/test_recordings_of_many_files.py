"""Recordings that are folders, and files that their settings name, on their way to a plume."""

import json
import os
import shutil

import cv2
import numpy as np
import pytest

from plumenav.tables import PlumeReader
from workflow_helpers import tiny

pytestmark = pytest.mark.workflow

WRITES_OUTPUTS_ONLY = """
import sys
from pathlib import Path

for flag in ("--plume", "--quality", "--usage"):
    Path(sys.argv[sys.argv.index(flag) + 1]).write_text("{}")
"""
STAMPS = [0.0, 0.1, 0.2, 0.35, 0.4, 0.5]


def frames(n=6):
    """A plume towards +column, brighter from frame to frame."""
    row, column = np.mgrid[:20, :30]
    puff = np.exp(-((row - 10) ** 2) / 8) * np.exp(-column / 30)
    return np.stack([(100 + 20 * k) * puff for k in range(n)]).astype(np.uint8)


def sequence(folder):
    """PNG files whose order by text is not that in time, one that is no frame, and time stamps."""
    folder.mkdir(parents=True)
    for k, frame in enumerate(frames()):
        assert cv2.imwrite(str(folder / f"img_{k + 8}.png"), frame)
    assert cv2.imwrite(str(folder / "dark.png"), np.zeros((20, 30), np.uint8))
    (folder / "stamps.csv").write_text("time_s\n" + "\n".join(map(str, STAMPS)) + "\n")


def one_recording(run, **changes):
    entry = {
        "path": "day/img_*.png",
        "mm_per_px": 5.0,
        "source_px": {"row": 10, "column": 0},
        "reader": {"time_file": "stamps.csv"},
        "normalize": {"calibration": {"one": 200}, "blank": {"rows": [0, 3], "columns": [0, 30]}},
        **changes,
    }
    return tiny(
        run,
        data_folder="../data",
        recordings={"film": entry},
        simulation={"simulations": 6, "start": {"x_mm": [40, 80], "y_mm": [-20, 20]}},
        agents={"fly": {"model": "on_off", "sensor": {"threshold": {"value": 0.05}}}},
    )


@pytest.fixture
def here(checkout, monkeypatch):
    """A checkout whose data folder is its own."""
    monkeypatch.delenv("PLUMENAV_DATA", raising=False)
    return checkout


def test_thousands_of_parts_are_tracked_and_are_not_in_the_command(here):
    folder = here.folder / "data" / "day"
    folder.mkdir(parents=True)
    for k in range(3000):
        (folder / f"img_{k:04d}.png").write_bytes(b"x")
    (folder / "stamps.csv").write_text("x")
    config = here.write_config("film", one_recording("film"))
    plume = "results/film/plumes/film.parquet"
    done = here.snakemake("--dry-run", "-p", plume, "--configfile", config)
    text = done.stdout + done.stderr
    assert done.returncode == 0, text
    (command,) = [line for line in text.splitlines() if "scripts/normalize.py" in line]
    assert len(command) < 10_000
    assert f"--source {folder} " in command
    assert f"--companions {folder / 'stamps.csv'} " in command
    assert "img_0001.png" not in command
    # in the settings, names and no places
    settings = json.loads(command.split("--settings '")[1].split("'")[0])
    assert settings["companions"] == ["reader.time_file"]
    assert settings["reader"]["time_file"] == "stamps.csv"
    assert settings["path"] == "img_*.png"
    assert str(here.folder) not in json.dumps(settings)


def test_every_part_and_every_companion_is_watched(here):
    folder = here.folder / "data" / "day"
    sequence(folder)
    config = here.write_config("film", one_recording("film"))
    plume = "results/film/plumes/film.parquet"
    # a job that only writes its outputs: what is tested is when it would run again
    (here.folder / "scripts" / "normalize.py").write_text(WRITES_OUTPUTS_ONLY)
    done = here.snakemake(plume, "--configfile", config)
    assert done.returncode == 0, done.stdout + done.stderr

    def reasons():
        done = here.snakemake(plume, "--dry-run", "--configfile", config)
        text = done.stdout + done.stderr
        assert done.returncode == 0, text
        return [line for line in text.splitlines() if line.strip().startswith("Reason:")]

    (folder / "notes.txt").write_text("not a part of it")
    assert reasons() == []
    changed = [folder / "img_9.png", folder / "stamps.csv"]
    before = [(path.stat(), path.read_bytes()) for path in changed]
    for path in changed:
        path.write_bytes(path.read_bytes() + b"0")
    (reason,) = reasons()
    assert all(str(path) in reason for path in changed)
    for path, (times, content) in zip(changed, before, strict=True):
        path.write_bytes(content)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    shutil.copy2(folder / "img_9.png", folder / "img_99.png")
    (reason,) = reasons()
    assert "Set of input files has changed" in reason


def test_an_image_sequence_with_time_stamps_becomes_a_plume(here):
    sequence(here.folder / "data" / "day")
    config = here.write_config("film", one_recording("film"))
    plume = "results/film/plumes/film.parquet"
    done = here.snakemake(plume, "--configfile", config)
    assert done.returncode == 0, done.stdout + done.stderr
    with PlumeReader(here.folder / plume) as reader:
        step, offset = reader.metadata["scale"], reader.metadata["offset"]
        stored = np.concatenate([block.frames.copy() for block in reader.blocks()])
        assert reader.time_s == pytest.approx(STAMPS)
    np.testing.assert_allclose(stored * step + offset, frames() / 200, atol=step, rtol=0)
