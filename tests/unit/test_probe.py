"""`plumenav probe`: recordings with known content, and what is said of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from factories_recordings import write_hdf5, write_video
from plumenav.cli import app
from plumenav.config import presets, resolve
from plumenav.errors import UserError
from plumenav.inspection import findings
from plumenav.inspection.block import label_of
from plumenav.inspection.probe import Request, probe

ROOT = Path(__file__).resolve().parents[2]
SOURCE = (24, 10)
LEAD_IN = 30


def smoke(n: int = 60, lead_in: int = LEAD_IN, sign: int = 1, noise: float = 1.5) -> np.ndarray:
    """Puffs that leave the source to the right after `lead_in` frames, on a ground of 60; uint8."""
    rng = np.random.default_rng(5)
    releases = lead_in + np.concatenate([[0], np.cumsum(rng.integers(2, 8, n))])
    row, column = np.mgrid[:48, :80]
    frames = np.full((n, 48, 80), 60.0) + 4 * np.sin(column / 9.0)
    for k in range(lead_in, n):
        for release in releases[releases <= k]:
            x = SOURCE[1] + 2.5 * (k - release)
            if x < 90:
                width = 2.0 + 0.05 * (x - SOURCE[1])
                distance = (row - SOURCE[0]) ** 2 + (column - x) ** 2
                frames[k] += sign * 45 * (2 / width) ** 2 * np.exp(-distance / width**2)
    return (frames + rng.normal(0, noise, frames.shape)).clip(0, 255).round().astype(np.uint8)


def look(path: Path, **options: Any) -> dict[str, Any]:
    return probe(Request(path, **options))


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("probe") / "smoke film.avi", smoke(), "FFV1")


# --------------------------------------------------------------------------------- measures


def test_facts_counts_and_clock_of_a_film(film: Path) -> None:
    report = look(film)
    assert report["reader"]["reader"] == "video"
    assert (report["reader"]["rows"], report["reader"]["columns"]) == (48, 80)
    assert report["reader"]["frames_promised"] == 60
    assert report["read"] == {"frames": 60, "complete": True, "repeated_frames": 0}
    assert report["time"]["rate_measured_hz"] == pytest.approx(30.0, rel=1e-3)
    assert report["time"]["gaps"] == report["time"]["duplicates"] == 0


def test_intensities_are_those_of_numpy(film: Path) -> None:
    frames, levels = smoke(), look(film)["intensity"]
    assert (levels["minimum"], levels["maximum"]) == (frames.min(), frames.max())
    assert levels["mean"] == pytest.approx(frames.mean(), rel=1e-12)
    for percent, value in levels["percentiles"].items():
        assert value == np.percentile(frames, float(percent), method="inverted_cdf")
    assert levels["saturated_fraction"] == 0


def test_only_the_first_frames_are_read_unless_all_are_asked_for(film: Path) -> None:
    first = look(film, frames=20)
    assert first["read"]["frames"] == 20
    assert not first["read"]["complete"]
    assert first["intensity"]["maximum"] == smoke()[:20].max()
    for frames in (60, 1000, None):
        read = look(film, frames=frames)["read"]
        assert read == {"frames": 60, "complete": True, "repeated_frames": 0}


def test_noise_is_found_beside_a_plume(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    frames = 100 * (smoke(40, 10, noise=0) > 70) + rng.normal(0, 3.0, (40, 48, 80))
    path = write_hdf5(tmp_path / "noisy.h5", frames.astype(np.float32))
    assert look(path)["intensity"]["noise_sd"] == pytest.approx(3.0, rel=0.1)


def test_plume_free_frames_background_polarity_and_peak(film: Path) -> None:
    plume = look(film)["plume"]
    assert plume["quiet_frames"] == pytest.approx(LEAD_IN, abs=2)
    first, end = plume["background_frames"]
    assert first == 0
    assert 20 <= end <= LEAD_IN
    ground = np.median(60 + 4 * np.sin(np.arange(80) / 9.0))
    assert plume["background_level"] == pytest.approx(ground, abs=0.2)
    assert plume["polarity"] == "bright"
    assert abs(plume["peak_px"]["row"] - SOURCE[0]) <= 2
    assert abs(plume["peak_px"]["column"] - SOURCE[1]) <= 4


def test_a_dark_plume_is_called_dark(tmp_path: Path) -> None:
    report = look(write_hdf5(tmp_path / "dark.h5", smoke(sign=-1)))
    assert report["plume"]["polarity"] == "dark"
    assert abs(report["plume"]["peak_px"]["row"] - SOURCE[0]) <= 2
    assert any("darkens" in doubt for doubt in report["doubts"])
    assert "polarity: {kind: dark}" in report["config"]


@pytest.mark.parametrize("sign", [1, -1])
def test_a_plume_from_the_start_has_no_plume_free_frames(tmp_path: Path, sign: int) -> None:
    frames = smoke(120, 10, sign)[60:]
    plume = look(write_hdf5(tmp_path / "later.h5", frames))["plume"]
    assert plume["background_frames"] is None
    assert plume["polarity"] == ("bright" if sign > 0 else "dark")


def test_a_film_without_plume_says_so(tmp_path: Path) -> None:
    report = look(write_hdf5(tmp_path / "empty.h5", smoke(40, 40)))
    assert report["plume"]["all_quiet"]
    assert report["plume"]["peak_px"] is None
    ground = np.median(60 + 4 * np.sin(np.arange(80) / 9.0))
    assert report["plume"]["background_level"] == pytest.approx(ground, abs=0.2)
    assert "no plume in the whole recording" in report["doubts"]


# ----------------------------------------------------------------------------------- doubts


def doubts_of(tmp_path: Path, frames: np.ndarray, **others: Any) -> list[str]:
    path = write_hdf5(tmp_path / "movie.h5", frames, **others)
    time_dataset = "t" if "t" in others else None
    return list(look(path, dataset="movie", time_dataset=time_dataset)["doubts"])


def said(doubts: list[str], words: str) -> bool:
    return any(words in doubt for doubt in doubts)


def test_a_ten_bit_camera_in_sixteen_bits(tmp_path: Path) -> None:
    frames = smoke().astype(np.uint16) * 4 + 1
    assert said(doubts_of(tmp_path, frames), "below 1024: a 10-bit camera?")
    shifted = smoke().astype(np.uint16) * 256
    assert said(doubts_of(tmp_path, shifted), "multiples of 256: 8 bits, shifted up")
    full = smoke().astype(np.uint16) * 255 + 1
    assert not said(doubts_of(tmp_path, full), "bit")


def test_saturation_and_clipping(tmp_path: Path) -> None:
    frames = smoke()
    frames[:, :4, :10] = 255
    share = 40 / (48 * 80)
    assert said(doubts_of(tmp_path, frames), f"{100 * share:.2g} % of pixel-frames are saturated")
    clipped = np.minimum(smoke(), 80)
    assert said(doubts_of(tmp_path, clipped), "have exactly the largest value 80")
    assert not said(doubts_of(tmp_path, smoke()), "largest value")


def test_the_clock_is_doubted(tmp_path: Path) -> None:
    stamps = np.arange(60) / 89.94
    stamps[30:] += 0.4
    stamps[10] = stamps[9]
    doubts = doubts_of(tmp_path, smoke(), t=stamps)
    # the frame after the repeated stamp comes two intervals later
    assert said(doubts, "2 gaps (the longest interval is 0.4111 s), 1 intervals of 0 s")
    backwards = np.arange(60) / 90.0
    backwards[20] = 0.0
    assert said(doubts_of(tmp_path, smoke(), t=backwards), "time runs backwards 1 times")
    assert said(doubts_of(tmp_path, smoke()), "neither time stamps nor a frame rate")


def test_repeated_frames_and_values_that_are_no_numbers(tmp_path: Path) -> None:
    frames = smoke().astype(np.float32)
    frames[40] = frames[39]
    frames[3, 0, 0] = np.nan
    doubts = doubts_of(tmp_path, frames)
    assert said(doubts, "1 frames equal the one before")
    assert said(doubts, "1 values are not finite")


def test_a_background_that_nobody_subtracted(tmp_path: Path) -> None:
    assert said(doubts_of(tmp_path, smoke()), "something stands still at")
    subtracted = (smoke().astype(np.float32) - smoke(noise=0)[0]) / 100
    assert not said(doubts_of(tmp_path, subtracted), "stands still")


def test_axes_in_the_wrong_order(tmp_path: Path) -> None:
    turned = smoke(340).transpose(1, 2, 0)
    assert said(doubts_of(tmp_path, turned), "images of 80 x 340 pixels are unlikely")
    assert not said(doubts_of(tmp_path, smoke()), "unlikely")


def test_colour_maps_are_told_from_gray_and_from_coloured_light() -> None:
    ramp = smoke()[40:43]
    gray = np.repeat(ramp[..., None], 3, axis=-1)
    assert findings.colour_of(gray).equal
    jet = np.stack([cv2.applyColorMap(frame * 2, cv2.COLORMAP_JET) for frame in ramp])
    assert findings.colour_of(jet).false_colour
    green = gray * np.array([0, 1, 0], np.uint8)
    assert not findings.colour_of(green).equal
    assert not findings.colour_of(green).false_colour


def test_a_film_in_false_colour_asks_for_its_map(tmp_path: Path) -> None:
    path = tmp_path / "jet.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"HFYU"), 30, (80, 48), True)
    for frame in smoke():
        writer.write(cv2.applyColorMap((frame - 50) * 4, cv2.COLORMAP_JET))
    writer.release()
    report = look(path)
    assert report["colour"]["false_colour"]
    assert said(report["doubts"], "normalize.false_colour must name its map")
    entry = yaml.safe_load(report["config"])["recordings"]["jet"]
    assert entry["normalize"]["false_colour"] == {"map": None, "low": None, "high": None}


def test_bits_that_the_decoder_cuts_are_named(recordings_folder: Path) -> None:
    doubts = look(recordings_folder / "formats" / "h264_10bit.mp4")["doubts"]
    assert said(doubts, "the file has 10 bits per channel and the decoder hands out 8")
    sixteen = look(recordings_folder / "formats" / "ffv1_gray16_true.mkv")
    assert not said(sixteen["doubts"], "bits")
    assert sixteen["intensity"]["maximum"] > 255


def test_the_pattern_moves_as_the_puffs_do(film: Path) -> None:
    motion = look(film)["motion"]
    assert motion["toward"] == "+column"
    assert motion["px_s"] == pytest.approx(2.5 * 30, rel=0.1)


@pytest.mark.parametrize("what", ["folder", "pattern", "npy"])
def test_arrays_and_image_sequences_are_probed_too(tmp_path: Path, what: str) -> None:
    frames = smoke(40)
    folder = tmp_path / "frames"
    folder.mkdir()
    for i, frame in enumerate(frames):
        cv2.imwrite(str(folder / f"img_{i}.png"), frame)
    np.save(tmp_path / "movie.npy", frames)
    paths = {"folder": folder, "pattern": folder / "img_*.png", "npy": tmp_path / "movie.npy"}
    report = look(paths[what])
    assert report["read"]["frames"] == 40
    assert report["intensity"]["mean"] == pytest.approx(frames.mean())
    (entry,) = yaml.safe_load(report["config"])["recordings"].values()
    assert entry["path"] == str(paths[what])


# ---------------------------------------------------------------------------------- presets


@pytest.fixture
def preset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    folder = tmp_path / "presets"
    folder.mkdir()
    known = {
        "title": "a small movie",
        "citation": "nobody 2026",
        "licence": "none",
        "where": "nowhere",
        "known": [{"fact": "it is small", "source": "this test"}],
        "unknown": {"source_px": "who knows", "wind_toward": "who knows", "wind": "who knows"},
        "traps": ["it is smaller than it looks"],
        "recording": {
            "frame_rate_hz": 15,
            "mm_per_px": 0.74,
            "expected": {"frames": 60, "rows": 48, "columns": 80},
        },
    }
    (folder / "known.yaml").write_text(yaml.safe_dump(known))
    monkeypatch.setattr(presets, "FOLDER", folder)
    return "known"


def test_a_preset_is_recognized_by_shape_in_any_order_of_axes(tmp_path: Path, preset: str) -> None:
    right = look(write_hdf5(tmp_path / "right.h5", smoke()))
    assert [(fit["name"], fit["axes"]) for fit in right["presets"]] == [
        (preset, ["frame", "row", "column"])
    ]
    turned = look(write_hdf5(tmp_path / "turned.h5", smoke().transpose(1, 2, 0)))
    assert [fit["axes"] for fit in turned["presets"]] == [["row", "column", "frame"]]
    assert said(turned["doubts"], "reader.axes must say [row, column, frame]")
    other = look(write_hdf5(tmp_path / "other.h5", smoke(59)))
    assert other["presets"] == []


def test_a_copy_that_disagrees_with_its_preset_is_told_how(tmp_path: Path, preset: str) -> None:
    path = write_hdf5(tmp_path / "copy.h5", smoke(50)[:, :40])
    report = look(path, preset=preset)
    assert said(report["doubts"], "preset known knows frames: 60, this file has 50")
    assert said(report["doubts"], "preset known knows rows: 48, this file has 40")
    assert "preset: known" in report["config"]
    assert not said(report["doubts"], "frame_rate_hz must")  # it knows that, too
    assert report["traps"] == ["it is smaller than it looks"]
    assert "mm_per_px" not in report["config"]  # the preset knows it
    assert "wind_toward" in report["config"]


def test_an_unknown_preset_is_answered_with_the_nearest(film: Path, preset: str) -> None:
    with pytest.raises(UserError, match="Did you mean 'known'"):
        look(film, preset="knwon")


# -------------------------------------------------------------------------------- the block

MEASURED: dict[str, Any] = {
    "mm_per_px": 0.5,
    "source_px": {"row": 24, "column": 10},
    "wind_toward": "+column",
}


def config_with(recordings: dict[str, Any]) -> dict[str, Any]:
    small = yaml.safe_load((ROOT / "config" / "small.yaml").read_text())
    return {**small, "recordings": recordings}


def test_a_check_asks_for_each_empty_key_and_then_the_block_resolves(film: Path) -> None:
    recordings = yaml.safe_load(look(film)["config"])["recordings"]
    entry = recordings["smoke_film"]
    assert entry["path"] == str(film)
    assert entry["normalize"]["background"]["method"] == "mean"
    for key, value in MEASURED.items():
        assert entry[key] is None
        with pytest.raises(UserError, match=rf"recordings\.smoke_film\.{key}"):
            resolve(config_with(recordings), ROOT)
        entry[key] = value
    with pytest.raises(UserError, match=r"normalize\.calibration\.one"):
        resolve(config_with(recordings), ROOT)
    entry["normalize"]["calibration"]["one"] = 45
    with pytest.raises(UserError, match=r"wind\.speed_mm_s"):
        resolve(config_with(recordings), ROOT)
    entry["wind"]["speed_mm_s"] = 100
    resolved = resolve(config_with(recordings), ROOT)
    assert resolved["recordings"]["smoke_film"]["file"] == str(film)


def test_labels_are_made_of_file_names() -> None:
    assert label_of("my smoke-1.avi") == "my_smoke_1"
    assert label_of("2018-09-12.mat") == "recording_2018_09_12"
    assert len(label_of("x" * 90)) == 40


# ----------------------------------------------------------------------------- command line


def run(*arguments: Any) -> Any:
    return CliRunner().invoke(app, [str(a) for a in arguments])


def test_the_page_ends_with_a_block_that_can_be_pasted(film: Path) -> None:
    result = run("probe", film)
    assert result.exit_code == 0, result.output
    page, _, pasted = result.stdout.partition("\nrecordings:\n")
    assert yaml.safe_load(f"recordings:\n{pasted}") == yaml.safe_load(look(film)["config"])
    for words in ("60 promised, 60 read", "the first 30 frames", "it brightens", "Doubts"):
        assert words in page


def test_json_is_the_whole_answer_and_nothing_else(film: Path) -> None:
    result = run("probe", film, "--json", "--full")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == look(film, frames=None)


def test_mistakes_in_the_command_line_exit_with_2_and_in_files_with_1(tmp_path: Path) -> None:
    assert run("probe").exit_code == 2
    assert run("probe", "x", "--frames", "0").exit_code == 2
    missing = run("probe", tmp_path / "none.avi", "--json")
    assert missing.exit_code == 1
    assert missing.stdout == ""
    assert "none.avi" in missing.stderr
    axes = run("probe", write_hdf5(tmp_path / "a.h5", smoke(12)), "--axes", "frame,row,row")
    assert axes.exit_code == 1
    assert "--axes" in axes.stderr


CRASHING = """
import os
import plumenav.recordings._recognize as recognize
if {crash}:
    recognize.open_recording = lambda path, settings: os.abort()
from plumenav.cli import app
app()
"""


@pytest.mark.parametrize("crash", [False, True])
def test_a_decoder_that_crashes_ends_in_a_message(tmp_path: Path, film: Path, crash: bool) -> None:
    program = tmp_path / "plumenav"
    program.write_text(CRASHING.format(crash=crash))
    done = subprocess.run(
        [sys.executable, program, "probe", film, "--json"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT / "scripts")},
    )
    if crash:
        assert done.returncode == 1
        assert "the decoder crashed (SIGABRT)" in done.stderr
        assert done.stdout == ""
    else:
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["read"]["frames"] == 60


def test_broken_files_get_a_message_and_no_traceback(recordings_folder: Path) -> None:
    broken = sorted((recordings_folder / "broken").iterdir())
    assert broken
    for path in broken:
        result = run("probe", path, "--full")
        if path.stem == "single_frame":
            assert result.exit_code == 0
            continue
        assert result.exit_code == 1, path.name
        assert isinstance(result.exception, SystemExit)
        assert path.name in result.stderr
        assert "Traceback" not in result.stderr


def test_a_real_plume_is_described(recordings_folder: Path) -> None:
    report = look(recordings_folder / "stromboli" / "stromboli_roi_centidegC_u16.h5")
    plume = report["plume"]
    assert plume["background_level"] == pytest.approx(2450, abs=150)  # 24.5 degrees C of sky
    assert 20 <= plume["background_frames"][1] <= 90
    assert plume["polarity"] == "bright"
    assert abs(plume["peak_px"]["row"] - 352) < 15
    assert abs(plume["peak_px"]["column"] - 143) < 15


def test_check_and_names_answer_in_json_too() -> None:
    checked = run("check", ROOT / "config" / "small.yaml", "--json")
    assert checked.exit_code == 0, checked.output
    assert json.loads(checked.stdout)["simulations"] == 24 * 4 * 2
    named = run("names", "sensor", "--json")
    assert "point" in json.loads(named.stdout)
    assert run("names", "sensr").exit_code == 1
