"""The quality page of a recording: what is in it, what it says of what is missing, its bytes."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

import factories
import factories_quality as movies
from factories_recordings import lopsided, settings, write_video
from plumenav.config.quality import Quality
from plumenav.figures import _style as style
from plumenav.figures.quality import contents, series, table
from plumenav.figures.quality.page import draw_page, write_page
from plumenav.normalization.pipeline import normalize
from plumenav.quality.assess import assess

SUFFIXES = [".pdf", ".svg", ".png", ".csv", ".json"]
DEFAULTS = Quality().model_dump(mode="json")
PANELS = set("abcdefghijk")


class Case(NamedTuple):
    """A recording with its quality, and what it is declared to be."""

    plume: Path
    json: Path
    npz: Path
    declared: dict[str, Any]

    @property
    def inputs(self) -> tuple[Any, ...]:
        return ("trial", self.declared, self.plume, self.json, self.npz)

    @property
    def quality(self) -> dict[str, Any]:
        return json.loads(self.json.read_text())


def assessed(
    folder: Path,
    plume: Path,
    nominal: bool = False,
    zones: Sequence[dict[str, Any]] = (),
    speed_mm_s: float = 100.0,
) -> Case:
    wind = {"speed_mm_s": speed_mm_s, "toward_deg": 0.0}
    told = {"quality": DEFAULTS, "wind": wind, "nominal": nominal, "dead_zones": zones}
    case = Case(plume, folder / "q.json", folder / "q.npz", {"wind": wind, "nominal": nominal})
    assess("trial", told, plume, case.json, case.npz)
    return case


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Case:
    made = movies.Assessed(tmp_path_factory.mktemp("good"), movies.filmed(movies.plume()))
    assert made.content["status"] == "pass"
    declared = {key: made.settings[key] for key in ("wind", "nominal")}
    return Case(made.plume, made.json, made.npz, declared)


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Case:
    """Declared wrongly in every way at once, with missing and repeated frames."""
    film = movies.filmed(movies.plume())
    frames = np.delete(film, np.arange(60, 300, 31), axis=0)
    frames[100:300:40] = frames[99:299:40]
    made = movies.Assessed(
        tmp_path_factory.mktemp("faulty"),
        frames,
        source_px={"row": 100, "column": 160},
        wind={"speed_mm_s": 20.0, "toward_deg": 90.0},
        expected={"dtype": "uint16", "frame_rate_hz": 31.0, "mean": 0.4, "p99": 3.0},
    )
    assert made.content["status"] == "fail"
    return Case(made.plume, made.json, made.npz, {"wind": made.settings["wind"], "nominal": False})


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Case:
    """Noise without plume, motion or blank air."""
    folder = tmp_path_factory.mktemp("bare")
    noise = np.random.default_rng(3).uniform(0.0, 1.0, (40, 30, 20))
    return assessed(folder, factories.write_movie(folder / "x.parquet", noise))


@pytest.fixture(scope="module")
def truncated(tmp_path_factory: pytest.TempPathFactory) -> Case:
    folder = tmp_path_factory.mktemp("truncated")
    source = write_video(folder / "a.avi", lopsided(n=60), "MJPG", 30.0)
    whole = source.read_bytes()
    source.write_bytes(whole[: int(len(whole) * 0.6)])
    told = settings(reader={"on_damage": "truncate"}, frame_rate_hz=None)
    normalize("trial", told, source, folder / "x.parquet", folder / "x.quality.json", None)
    return assessed(folder, folder / "x.parquet", nominal=True)


class Drawn(NamedTuple):
    """A page as it was drawn, its numbers, and every text that was drawn with its place."""

    figure: Any
    plotted: contents.Plotted
    boxes: list[tuple[str, Any]]


_pages: dict[Path, Drawn] = {}
_files: dict[Path, list[Path]] = {}


def drawn(case: Case) -> Drawn:
    """Draw a page once for all tests."""
    if case.plume in _pages:
        return _pages[case.plume]
    texts: list[Text] = []
    original = Text.draw

    def spy(text: Text, renderer: Any, *more: Any) -> Any:
        texts.append(text)
        return original(text, renderer, *more)

    with matplotlib.rc_context(style.RC), pytest.MonkeyPatch.context() as patch:  # type: ignore[arg-type]
        sheet, plotted = draw_page(contents.read_contents(*case.inputs))
        canvas = FigureCanvasAgg(sheet.figure)
        patch.setattr(Text, "draw", spy)
        canvas.draw()
        shown = [text for text in texts if text.get_text().strip() and text.get_visible()]
        boxes = [(text.get_text(), text.get_window_extent()) for text in shown]
    _pages[case.plume] = Drawn(sheet.figure, plotted, boxes)
    return _pages[case.plume]


def written(case: Case) -> list[Path]:
    """Write a page once for all tests."""
    if case.plume not in _files:
        _files[case.plume] = write_page(*case.inputs, case.plume.parent / "page" / "trial")
    return _files[case.plume]


def words(figure: Any) -> str:
    return " ".join("\n".join(text.get_text() for text in figure.findobj(Text)).split())


def rows(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


@pytest.fixture(params=["good", "faulty", "bare", "truncated"])
def case(request: pytest.FixtureRequest) -> Case:
    return request.getfixturevalue(request.param)


def test_a_page_is_five_files_and_keeps_the_contract_of_figures(case: Case) -> None:
    files = written(case)
    assert [path.suffix for path in files] == SUFFIXES
    record = json.loads(files[-1].read_text())
    assert record["title"] == "Quality of recording trial"
    assert "{" not in record["caption"]
    assert sorted(Path(name).name for name in record["inputs"]) == sorted(
        path.name for path in (case.plume, case.json, case.npz)
    )
    assert str(case.plume.parent.parent) not in files[-1].read_text()
    table = rows(files[-2])
    assert len(table) == record["plotted_rows"]
    assert list(table[0]) == record["plotted_columns"]
    assert {row["panel"] for row in table} == PANELS
    assert record["settings"]["width_mm"] == style.PAGE_MM
    assert record["settings"]["height_mm"] <= 277  # A4 with margins of 10 mm
    assert b"/Type3" not in files[0].read_bytes()


def test_no_text_is_cut_off_or_lies_on_another(case: Case) -> None:
    page = drawn(case)
    width, height = page.figure.canvas.get_width_height()
    for text, box in page.boxes:
        assert box.x0 >= 0, text
        assert box.x1 <= width, text
        assert box.y0 >= 0, text
        assert box.y1 <= height, text
    # a box holds room for letters higher and lower than those it has
    inner = [(text, box.shrunk(0.98, 0.6)) for text, box in page.boxes]
    for (one, a), (other, b) in combinations(inner, 2):
        assert not a.overlaps(b), (one, other)


def test_bytes_are_the_same_in_another_process(good: Case, tmp_path: Path) -> None:
    first = {path.name: path.read_bytes() for path in written(good)}
    code = (
        "import json, sys, pathlib; from plumenav.figures.quality.page import write_page;"
        "label, declared, *paths = sys.argv[1:];"
        "write_page(label, json.loads(declared), *map(pathlib.Path, paths));"
        "bad = {'matplotlib.pyplot', 'scipy.stats', 'cv2', 'numba'} & set(sys.modules);"
        "sys.exit(str(bad) if bad else 0)"
    )
    label, declared, *paths = good.inputs
    arguments = [label, json.dumps(declared), *map(str, paths), str(tmp_path / "trial")]
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    subprocess.run([sys.executable, "-c", code, *arguments], check=True, env=environment)
    for name, before in first.items():
        assert (tmp_path / name).read_bytes() == before, name


def test_the_drawn_numbers_are_those_of_the_quality(good: Case) -> None:
    table = rows(written(good)[-2])
    arrays = np.load(good.npz)

    def column(panel: str, name: str, key: str = "value") -> np.ndarray:
        found = [row[key] for row in table if row["panel"] == panel and row["series"] == name]
        return np.array([float(value) if value else np.nan for value in found])

    np.testing.assert_allclose(column("g", "mean of frame"), arrays["frame_mean"], rtol=1e-5)
    np.testing.assert_array_equal(column("i", "whiffs"), arrays["whiffs"])
    np.testing.assert_allclose(column("j", "bare"), arrays["on_bare"], rtol=1e-5)
    zone = "dead zone 3 noise_sd"
    np.testing.assert_allclose(column("j", zone), arrays["on_dead_zone_0"], rtol=1e-5, atol=1e-9)
    # a drawn map keeps the mean of what it shrinks, up to a rim of one block
    assert column("b", "mean").mean() == pytest.approx(arrays["mean"].mean(), rel=0.03)
    # 75 mm/s towards +x: found and declared
    assert column("a", "declared wind", "x") == pytest.approx(75.0)
    assert column("a", "measured wind", "x") == pytest.approx(75.0, rel=0.1)
    found = column("h", "found, along x", "y") / column("h", "found, along x", "x")
    np.testing.assert_allclose(found, 75.0, rtol=0.1)
    said = {row["series"]: row for row in table if row["panel"] == "k"}
    checks = {check["name"]: check for check in good.quality["checks"]}
    assert set(said) == set(checks)
    for name, check in checks.items():
        assert said[name]["says"] == f"{check['status']}: {check['says']}"


def test_maps_lie_where_the_source_is(good: Case) -> None:
    """The brightest column of the mean field begins at x 0 and its row at y 0, in the CSV too."""
    plotted = drawn(good).plotted
    mean = [row for row in plotted.rows if row[0] == "b"]
    x, y, value = (np.array([float(row[k]) for row in mean]) for k in (2, 4, 6))
    top = value.argmax()
    assert np.hypot(x[top], y[top]) < 8
    assert x.min() == pytest.approx(-14 * 1.0, abs=1.0)
    assert y.max() == pytest.approx(38 * 1.0, abs=1.0)


def test_a_good_page_says_what_it_is(good: Case) -> None:
    figure = drawn(good).figure
    text = words(figure)
    for part in (
        "✓ pass", "movie.h5", "reader hdf5, h5py", "pixels of 1 mm", "320 frames", "30 Hz",
        "1 is the source", "declared wind, 75 mm/s to 0.0°", "measured wind", "blank air, frames",
        "dead zone 3 noise_sd: mean", "fails above a mean of 0.02", "censored", "confidence",
    ):  # fmt: skip
        assert part in text, part
    assert "Nominal" not in text
    assert "fail," not in text


def test_every_fault_is_on_the_page_in_words(faulty: Case) -> None:
    figure = drawn(faulty).figure
    text = words(figure)
    bad = [c for c in faulty.quality["checks"] if c["status"] in ("fail", "warn")]
    assert {"missing_frames", "repeated_frames", "file", "statistics"} <= {c["name"] for c in bad}
    assert "✗ fail" in text
    for check in bad:
        assert check["name"].replace("_", " ") in text
        # long sentences end in dots, in the CSV they are whole
        assert " ".join(check["says"].split()[:8]) in text
    found = faulty.quality["measures"]
    assert f"missing ({found['missing_frames']})" in text
    assert f"repeated ({found['repeated_frames']})" in text
    # the sign beside the colour: the page must be understood in gray
    symbols = {mark[0] for mark in table.MARKS.values()}
    assert len(symbols) == len(table.MARKS)


def test_what_is_missing_says_why(bare: Case) -> None:
    figure, plotted, _ = drawn(bare)
    text = words(figure)
    assert bare.quality["measures"]["wind_reason"] in text
    for part in ("no intermittency", "no whiffs and blanks", "no ON response", "no wind:"):
        assert part in text, part
    silent = {row[0] for row in plotted.rows if row[0] in "dehij" and row[8]}
    assert silent == set("dehij")


def test_checks_that_one_reason_forbids_share_a_row(bare: Case) -> None:
    unmeasured = [c for c in bare.quality["checks"] if c["status"] == "not measured"]
    reasons = {check["says"] for check in unmeasured}
    rows, _ = table.rows_of(bare.quality["checks"])
    shared = [row for row in rows if row.status == "not measured"]
    assert len(shared) == len(reasons) < len(unmeasured)
    named = ", ".join(" ".join(row.name) for row in shared).split(", ")
    assert sorted(named) == sorted(check["name"].replace("_", " ") for check in unmeasured)


def test_lost_frames_and_nominal_scales_are_told(truncated: Case) -> None:
    figure, plotted, _ = drawn(truncated)
    text = words(figure)
    record = contents.read_contents(*truncated.inputs).record
    lost = record["frames_lost"]
    assert "Lost: " in text
    assert record["loss"] in text
    # what is lost is known by the file's name, not by where it lay
    assert "a.avi" in record["loss"]
    assert str(truncated.plume.parent) not in record["loss"]
    assert f"{lost} frames lost" in text if lost else "unknown number of frames lost" in text
    assert "Nominal: scale and wind were assumed" in text
    assert "nominal wind, 100 mm/s" in text
    assert [row for row in plotted.rows if row[1] == "lost frames"]
    # the axis goes on beyond the last frame
    (axes,) = [
        a for a in figure.axes if a.get_xlabel() == "time (s)" and "interval" in a.get_ylabel()
    ]
    assert axes.get_xlim()[1] > 1.05 * record["seconds"]


@pytest.mark.parametrize("kind", ["analytic", "signal", "short"])
def test_a_recording_without_frames_is_a_sentence(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x.parquet"
    if kind == "analytic":
        factories.write_analytic(path, "gaussian", sigma_mm=20.0)
    elif kind == "signal":
        factories.write_signal(path, np.ones(20))
    else:
        factories.write_movie(path, factories.movie_frames(2))
    case = assessed(tmp_path, path)
    assert [path.suffix for path in written(case)] == SUFFIXES
    figure, plotted, _ = drawn(case)
    assert case.quality["says"] in words(figure)
    assert not plotted.rows
    assert figure.get_figheight() * 25.4 < 60


def test_a_long_series_keeps_its_extremes() -> None:
    x = np.arange(100_000.0)
    y = np.zeros(len(x))
    y[77_777], y[5] = 9.0, -4.0
    drawn_series = series.binned(x, y)
    assert len(drawn_series.x) <= series.MOST_POINTS
    assert drawn_series.high.max() == 9.0
    assert drawn_series.low.min() == -4.0


def test_gaps_are_found_by_the_stamps() -> None:
    time_s = np.array([0.0, 0.1, 0.2, 0.5, 0.6, 0.7, 0.7, 0.8])
    assert series.gaps_of(time_s).tolist() == [3]
    assert series.gaps_of(np.zeros(1)).tolist() == []


def test_a_long_movie_with_far_source_calm_air_and_many_dead_zones(tmp_path: Path) -> None:
    n = 4000
    time_s = np.arange(n) / 60.0
    time_s[2000:] += 40.0
    blank = {"row_start": 0, "row_stop": 5, "column_start": 0, "column_stop": 6}
    plume = factories.write_movie(
        tmp_path / "x.parquet",
        np.tile(factories.movie_frames(n=400, height=24, width=14), (10, 1, 1)),
        time_s=time_s,
        blank={**blank, "frame_start": 0, "frame_stop": n},
        source=(400.0, -90.0),
    )
    zones = [{"value": value, "unit": "noise_sd"} for value in (4.0, 0.5, 1.0, 2.0)]
    case = assessed(tmp_path, plume, zones=zones, speed_mm_s=0.0)
    page = drawn(case)
    text = words(page.figure)
    for part in (
        "declared source (not in view)", "gap in time (1)", "interval (s)",
        "highest 3 of 4 dead zones", "dead zone 0.5 noise_sd",
    ):  # fmt: skip
        assert part in text, part
    assert "dead zone 4 noise_sd:" not in text
    assert not [text for text, _ in page.boxes if text.startswith("declared wind")]
    drawn_rows = [row for row in page.plotted.rows if row[0] == "g"]
    assert len(drawn_rows) < 2 * n - 1
    inner = [(text, box.shrunk(0.98, 0.6)) for text, box in page.boxes]
    assert [(a[0], b[0]) for a, b in combinations(inner, 2) if a[1].overlaps(b[1])] == []
