"""`plumenav check` opens the recordings: what does not fit them is said before a run."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from factories_recordings import lopsided, write_video
from plumenav.cli import app


def checked(folder: Path, **changes: object):
    movie = {
        "path": "movie.avi",
        "mm_per_px": 5.0,
        "source_px": {"row": 17, "column": 3},
        **changes,
    }
    content = {
        "run": "mine",
        "data_folder": str(folder),
        "recordings": {"m": movie},
        "agents": {"walk": {"model": "correlated_random_walk"}},
        "simulation": {"simulations": 8, "start": {"x_mm": [50, 200], "y_mm": [-40, 40]}},
        "validation": {"sample": 6},
    }
    (folder / "mine.yaml").write_text(yaml.safe_dump(content))
    return CliRunner().invoke(app, ["check", str(folder / "mine.yaml")])


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.delenv("PLUMENAV_DATA", raising=False)
    write_video(tmp_path / "movie.avi", lopsided(n=40), "MJPG")
    return tmp_path


def test_what_fits_passes(folder):
    done = checked(folder, normalize={"background": {"method": "mean", "frames": [0, 10]}})
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"normalize": {"background": {"method": "mean", "frames": [100, 160]}}},
            ["recordings.m.normalize.background.frames", "[0, 40)"],
        ),
        ({"reader": {"axes": ["frame", "column", "row"]}}, ["reader.axes", "no meaning"]),
        ({"normalize": {"crop": {"rows": [0, 90]}}}, ["recordings.m.normalize.crop.rows"]),
        ({"wind_toward": "-column"}, ["simulation.start.x_mm", "not inside the arena"]),
        ({"mm_per_px": 0.5}, ["simulation.start.x_mm", "check mm_per_px"]),
    ],
)
def test_what_does_not_fit_is_said(folder, changes, words):
    done = checked(folder, **changes)
    assert done.exit_code == 1
    for word in words:
        assert word in " ".join(done.output.split())


def test_a_file_that_cannot_be_opened_is_said(folder):
    content = (folder / "movie.avi").read_bytes()
    (folder / "movie.avi").write_bytes(content[:300])
    done = checked(folder)
    assert done.exit_code == 1
    assert "movie.avi" in done.output
    assert "Traceback" not in done.output
