"""`plumenav preview`: everything lies where it belongs, in the file and in the world."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import imread
from typer.testing import CliRunner

from factories_recordings import (
    SOURCE,
    as_filmed,
    filmed_source,
    lopsided,
    settings,
    write_hdf5,
    write_video,
)
from plumenav import world
from plumenav.cli import app
from plumenav.config.recordings import Recording
from plumenav.errors import UserError
from plumenav.inspection import preview
from plumenav.inspection.look import Look, Wanted, look_at
from plumenav.inspection.scene import Scene, scene_of
from plumenav.normalization.geometry import geometry
from plumenav.recordings._contract import Settings
from plumenav.recordings._recognize import open_recording

ROOT = Path(__file__).resolve().parents[2]
HEIGHT, WIDTH = 40, 56  # of `lopsided`
SIMULATION = {
    "start": {"kind": "region", "x_mm": [10, 20], "y_mm": [-4, 3]},
    "success_radius_mm": 2.0,
}
ORIENTATIONS = list(product(world.QUARTER_TURNS, (False, True)))


def recording_of(wind_toward: str, mirrored: bool, **changes: Any) -> Recording:
    source = filmed_source(wind_toward, mirrored, (HEIGHT, WIDTH))
    view = {"wind_toward": wind_toward, "mirrored": mirrored, "source_px": source}
    return Recording.model_validate(settings(**{**view, "mm_per_px": 0.5, **changes}))


def scene(recording: Recording, frames: np.ndarray) -> Scene:
    """The scene of a movie, on its last frame."""
    height, width = frames.shape[1:]
    grid = geometry(recording, height, width, "recordings.x").grid
    activity = np.abs(frames.astype(float) - frames[0]).mean(axis=0)
    look = Look(frames[-1].astype(np.float32), "frame 5", activity, 1)
    return scene_of(recording, SIMULATION, grid, look)


def mark(drawn: Scene, name: str) -> Any:
    return next(found for found in drawn.marks if found.name == name)


# -------------------------------------------------------------------------------- geometry


@pytest.mark.parametrize(("wind_toward", "mirrored"), ORIENTATIONS)
def test_marks_lie_on_the_same_smoke_however_it_was_filmed(
    wind_toward: str, mirrored: bool
) -> None:
    """A start region declared in mm covers the same smoke in the file and in the turned image."""
    frames = as_filmed(lopsided(), wind_toward, mirrored)
    drawn = scene(recording_of(wind_toward, mirrored), frames)
    upright = lopsided()[-1]
    start = mark(drawn, "start")
    compared = 0
    for row, column, x, y in zip(start.row, start.column, start.x_mm, start.y_mm, strict=True):
        expected = upright[int(SOURCE[0] - y / 0.5), int(SOURCE[1] + x / 0.5)]
        whole = (x / 0.5).is_integer() and (y / 0.5).is_integer()
        if whole:
            assert frames[-1][round(row), round(column)] == expected
            compared += 1
    assert compared > 20
    wind = mark(drawn, "wind")
    along = (wind.column[1] - wind.column[0], wind.row[0] - wind.row[1])
    right_up = {"+column": (1, 0), "-column": (-1, 0), "+row": (0, -1), "-row": (0, 1)}
    right, up = right_up[wind_toward]
    direction = np.array([-right if mirrored else right, up])
    np.testing.assert_allclose(along / np.hypot(*along), direction, atol=1e-12)
    assert drawn.warnings == []


def rendered(drawn: Scene) -> np.ndarray:
    """The panel in the world frame, as pixels."""
    figure = Figure(figsize=(4, 3), dpi=60)
    axes = figure.add_axes((0, 0, 1, 1))
    limits = (-5.0, 30.0, -14.0, 12.0)
    preview._panel(axes, drawn, preview._in_world, limits, drawn.view)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].astype(float)


def test_the_simulated_side_is_the_same_picture_however_it_was_filmed() -> None:
    upright = rendered(scene(recording_of("+column", False), lopsided()))
    assert upright.std() > 20
    for wind_toward, mirrored in ORIENTATIONS:
        frames = as_filmed(lopsided(), wind_toward, mirrored)
        turned = rendered(scene(recording_of(wind_toward, mirrored), frames))
        # pixels of the picture that straddle two pixels of the file may round either way
        assert np.abs(turned - upright).mean() < 1.5, (wind_toward, mirrored)
    wrong = rendered(scene(recording_of("+column", False), as_filmed(lopsided(), "+column", True)))
    assert np.abs(wrong - upright).mean() > 10


def test_what_is_declared_in_the_file_or_in_the_plume_is_drawn_where_it_is() -> None:
    steps = {
        "crop": {"rows": [4, 36], "columns": [2, 50]},
        "mask": {"polygon": [[5, 5], [5, 45], [30, 45]]},
        "blank": {"rows": [0, 8], "columns": [20, 48]},
    }
    drawn = scene(recording_of("+column", False, normalize=steps), lopsided())
    crop, plume, blank = (mark(drawn, name) for name in ("crop", "plume", "blank"))
    assert (crop.row.min(), crop.row.max()) == (3.5, 35.5)
    assert (crop.column.min(), crop.column.max()) == (1.5, 49.5)
    # nothing is resampled
    assert (plume.row.min(), plume.row.max()) == (3.5, 35.5)
    assert (plume.column.min(), plume.column.max()) == (1.5, 49.5)
    # the blank rectangle counts from the corner of the plume, not of the file
    assert (blank.row.min(), blank.row.max()) == (3.5, 11.5)
    assert (blank.column.min(), blank.column.max()) == (21.5, 49.5)
    np.testing.assert_array_equal(mark(drawn, "mask").row, [5, 5, 30, 5])


def test_any_angle_and_oblong_pixels_keep_marks_and_plume_together() -> None:
    """The plume is an upright rectangle in the world, and within the image in the file."""
    edges = {"row": 0.5, "column": 0.7}
    source = {"row": SOURCE[0], "column": SOURCE[1]}
    changed = settings(mm_per_px=edges, wind_toward=-20.0, source_px=source)
    drawn = scene(Recording.model_validate(changed), lopsided())
    plume = mark(drawn, "plume")
    assert plume.row.min() >= -0.5 - 1e-6
    assert plume.row.max() <= HEIGHT - 0.5 + 1e-6
    assert plume.column.min() >= -0.5 - 1e-6
    assert plume.column.max() <= WIDTH - 0.5 + 1e-6
    assert np.ptp(plume.x_mm) > 10
    wind = mark(drawn, "wind")
    right, down = np.diff(wind.column)[0] * 0.7, np.diff(wind.row)[0] * 0.5
    assert np.degrees(np.arctan2(-down, right)) == pytest.approx(-20)


# -------------------------------------------------------------------------------- warnings


def warned(drawn: Scene, words: str) -> bool:
    return any(words in warning for warning in drawn.warnings)


def test_a_wind_that_is_turned_round_is_noticed() -> None:
    right = scene(recording_of("+column", False), lopsided())
    assert right.warnings == []
    source = {"row": SOURCE[0], "column": SOURCE[1]}
    wrong = scene(recording_of("-column", False, source_px=source), lopsided())
    assert warned(wrong, "the wind blows out of the image")
    assert warned(wrong, "lies upwind of the source")
    assert warned(wrong, "the start region is outside the plume")


def test_a_source_or_a_start_region_outside_the_image_is_noticed() -> None:
    off = scene(recording_of("+column", False, source_px={"row": 60, "column": -4}), lopsided())
    assert warned(
        off, "the source (row 60, column -4) is outside the image of 40 rows x 56 columns"
    )
    late = {"crop": {"columns": [10, 50]}}
    cut = scene(recording_of("+column", False, normalize=late), lopsided())
    assert warned(cut, "the source is outside what is left of the image")
    narrow = {"crop": {"columns": [0, 34]}}
    drawn = scene(recording_of("+column", False, normalize=narrow), lopsided())
    # the image ends at x = 15.25 mm, the region reaches from 10 to 20 mm
    assert warned(drawn, "% of the start region is outside the plume")
    share = float(drawn.warnings[0].split(" %")[0])
    assert share == pytest.approx(47.5, abs=2)


def test_a_wind_off_the_axis_and_nominal_values_are_said() -> None:
    drawn = scene(recording_of("+column", False, wind={"toward_deg": 20}, nominal=True), lopsided())
    assert warned(drawn, "20 degrees off x")
    assert warned(drawn, "nominal")
    wind = mark(drawn, "wind")
    angle = np.degrees(np.arctan2(np.diff(wind.y_mm), np.diff(wind.x_mm)))
    assert angle == pytest.approx(20)


# ------------------------------------------------------------------------ which picture


@pytest.fixture
def movie(tmp_path: Path) -> Path:
    return write_video(tmp_path / "movie.avi", lopsided(12), "FFV1", rate_hz=10)


def picture(path: Path, wanted: Wanted, n_frames: int = 300) -> Look:
    opened = open_recording(path, Settings())
    return look_at(opened, wanted, None, None, path.name, n_frames)


def test_a_frame_is_chosen_by_number_by_time_or_averaged(movie: Path) -> None:
    frames = lopsided(12)
    for n_frames in (1, 300):
        by_number = picture(movie, Wanted(frame=7), n_frames)
        np.testing.assert_array_equal(by_number.image, frames[7])
        assert by_number.what == "frame 7, 0.700 s"
        np.testing.assert_array_equal(
            picture(movie, Wanted(time_s=0.39), n_frames).image, frames[3]
        )
    np.testing.assert_array_equal(picture(movie, Wanted(time_s=1.15)).image, frames[11])
    mean = picture(movie, Wanted(mean=True), 8)
    np.testing.assert_allclose(mean.image, frames[:8].mean(axis=0), rtol=1e-6)
    change = np.abs(frames.astype(float) - frames[0]).mean(axis=(1, 2))
    np.testing.assert_array_equal(picture(movie, Wanted()).image, frames[int(change.argmax())])


def test_a_file_of_time_stamps_wins(movie: Path, entry: dict[str, Any]) -> None:
    """Frame 3 of a movie at 10 Hz is at 7 s if the camera's own stamps say so."""
    stamps = [0, 1, 2, 7, 8, 9, 10, 11, 12, 13, 14, 15]
    movie.with_name("t.csv").write_text("\n".join(map(str, stamps)))
    timed = {**entry, "reader": {"time_file": "t.csv"}}
    config = write_config(movie.parent, {"a": timed})
    out = movie.with_name("t.png")
    result = run(config, "--time", "7.5", "--out", out, "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)[0]["what"] == "frame 3, 7.000 s"


def test_a_frame_that_is_not_there_is_refused(movie: Path) -> None:
    with pytest.raises(UserError, match=r"--frame: found 12\. Allowed: .* up to 11"):
        picture(movie, Wanted(frame=12))
    with pytest.raises(UserError, match=r"--time: found 1\.3 s"):
        picture(movie, Wanted(time_s=1.3))
    timeless = write_hdf5(movie.with_name("timeless.h5"), lopsided())
    with pytest.raises(UserError, match="no clock"):
        picture(timeless, Wanted(time_s=0.1))


# ----------------------------------------------------------------------------- command line


def write_config(folder: Path, recordings: dict[str, Any]) -> Path:
    small = yaml.safe_load((ROOT / "config" / "small.yaml").read_text())
    small["simulation"]["start"] = {"kind": "region", "x_mm": [10, 20], "y_mm": [-4, 3]}
    small["simulation"]["success_radius_mm"] = 2
    # paths here are absolute
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump({**small, "run": "mine", "recordings": recordings}))
    return path


def run(*arguments: Any) -> Any:
    return CliRunner().invoke(app, ["preview", *(str(a) for a in arguments)])


@pytest.fixture
def entry(movie: Path) -> dict[str, Any]:
    return {
        "path": str(movie),
        "mm_per_px": 0.5,
        "source_px": {"row": SOURCE[0], "column": SOURCE[1]},
    }


def test_the_picture_is_written_and_the_same_every_time(
    tmp_path: Path, entry: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = write_config(tmp_path, {"a": entry, "b": {**entry, "wind_toward": "-column"}})
    assert run(config).exit_code == 0
    first = (tmp_path / "results" / "mine" / "previews" / "a.png").read_bytes()
    result = run(config, "a", "--out", tmp_path / "again.png", "--json")
    assert result.exit_code == 0
    assert (tmp_path / "again.png").read_bytes() == first
    (said,) = json.loads(result.stdout)
    assert said["warnings"] == []
    assert said["picture"] == str(tmp_path / "again.png")
    # something is drawn in every colour of the legend
    pixels = imread(tmp_path / "again.png")[..., :3].reshape(-1, 3)
    for name in ("plume", "start", "success"):
        hexa = preview.STYLES[name][1]["color"]
        colour = np.array([int(hexa[i : i + 2], 16) for i in (1, 3, 5)]) / 255
        assert (np.abs(pixels - colour).max(axis=1) < 0.02).sum() > 200
    assert "out of the image" in run(config, "b").stdout


def test_mistakes_are_answered(
    tmp_path: Path, entry: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    formula = {"analytic": {"field": "gaussian"}}
    pulse = {"signal": {"start_s": 1, "stop_s": 2, "duration_s": 3}}
    small = yaml.safe_load((ROOT / "config" / "small.yaml").read_text())
    config = write_config(
        tmp_path,
        {
            "film": entry,
            "formula": formula,
            "pulse": pulse,
            "made": small["recordings"]["smooth"],
        },
    )
    for arguments, words in (
        (("flim",), "Did you mean 'film'?"),
        (("formula",), "is analytic: there is no picture"),
        (("pulse",), "is signal: there is no picture"),
        (("made",), f"Make it with: make run CONFIG={config}"),
        (("--out", "x.png"), "is one file for 2 recordings"),
    ):
        result = run(config, *arguments)
        assert result.exit_code == 1, arguments
        assert words in " ".join(result.stderr.split()), arguments
    assert run(config, "film", "--frame", "1", "--mean").exit_code == 2


def test_the_sound_part_of_a_damaged_file_is_drawn_if_the_config_takes_it(
    tmp_path: Path, recordings_folder: Path
) -> None:
    damaged = recordings_folder / "broken" / "trunc60.avi"
    entry = {"path": str(damaged), "mm_per_px": 0.5, "source_px": {"row": 120, "column": 160}}
    refused = run(write_config(tmp_path, {"a": entry}), "--out", tmp_path / "a.png")
    assert refused.exit_code == 1
    assert "36 frames" in refused.stderr
    assert not (tmp_path / "a.png").exists()
    entry["reader"] = {"on_damage": "truncate"}
    taken = run(write_config(tmp_path, {"a": entry}), "--out", tmp_path / "a.png")
    assert taken.exit_code == 0, taken.stderr
    assert "36 frames are sound, the rest is lost" in taken.stdout


def test_a_synthetic_recording_is_found_where_the_run_made_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    small = yaml.safe_load((ROOT / "config" / "small.yaml").read_text())
    made = {**small["recordings"]["smooth"], "mm_per_px": 0.5}
    made["source_px"] = {"row": SOURCE[0], "column": SOURCE[1]}
    made["wind_toward"] = "+column"
    config = write_config(tmp_path, {"smooth": made})
    folder = tmp_path / "results" / "mine" / "recordings"
    folder.mkdir(parents=True)
    write_hdf5(folder / "smooth.h5", lopsided().astype(np.float32), "dataset2")
    (folder / "smooth.h5.facts.json").write_text("{}")
    result = run(config)
    assert result.exit_code == 0, result.stderr
    assert (tmp_path / "results" / "mine" / "previews" / "smooth.png").is_file()
