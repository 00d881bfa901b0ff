"""Maps of a plume against frames whose statistics are known."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plumenav.analysis.plume_maps import plume_maps, read_maps, stored_above, write_maps
from plumenav.analysis.time_courses import UNITS, interval_sums, upwind_vector
from plumenav.tables import PlumeWriter
from plumenav.world import Grid, x_of_column, y_of_row


def write_movie(path: Path, frames: np.ndarray, **facts: object) -> None:
    n, height, width = frames.shape
    scale, offset = 0.01, -0.1
    with PlumeWriter(path, height, width, str(frames.dtype), scale, offset) as writer:
        writer.metadata = {
            "kind": "movie", "height": height, "width": width, "dtype": str(frames.dtype),
            "scale": scale, "offset": offset, "mm_per_px": 1.0, "source_row": 0.0,
            "source_column": 0.0, "period_s": n / 10, "field": "movie", "field_constants": {},
            "blank": None, **facts,
        }  # fmt: skip
        writer.write(np.arange(n) / 10, frames)


def test_mean_intermittency_and_frame(tmp_path: Path) -> None:
    # pixel (0, 1) is on (stored 60: 0.5) in every fourth frame, the rest is stored 10: 0
    frames = np.full((8, 2, 3), 10, np.uint8)
    frames[::4, 0, 1] = 60
    write_movie(tmp_path / "p.parquet", frames, noise={"mean": 0.0, "sd": 0.05})
    maps = plume_maps(tmp_path / "p.parquet")
    assert maps is not None
    assert maps.threshold == 0.25
    assert maps.mean[0, 1] == pytest.approx(0.125)
    assert maps.intermittency[0, 1] == 0.25
    assert np.count_nonzero(maps.intermittency) == 1
    assert maps.frame == pytest.approx(np.zeros((2, 3)), abs=1e-7)  # frame 3 is off
    assert maps.frame_time_s == pytest.approx(0.3)
    assert (maps.frames_used, maps.n_frames) == (8, 8)


def test_long_movies_are_sampled_evenly_over_blocks(tmp_path: Path) -> None:
    frames = np.zeros((10, 1, 1), np.int16)
    frames[:, 0, 0] = np.arange(10) * 100
    write_movie(tmp_path / "p.parquet", frames)
    maps = plume_maps(tmp_path / "p.parquet", max_frames=4)
    assert maps is not None
    assert maps.frames_used == 4  # 0, 3, 6, 9
    assert maps.mean[0, 0] == pytest.approx(450 * 0.01 - 0.1)
    assert np.isnan(maps.intermittency).all()  # noise not known


def test_a_level_exactly_reached_is_not_above() -> None:
    frames = np.array([0, 9, 10, 11, 255], np.uint8)
    assert stored_above(frames, 10.0).tolist() == [False, False, False, True, True]
    assert stored_above(frames, -3.0).all()
    assert not stored_above(frames, 255.0).any()
    assert not stored_above(frames, 1e9).any()


@settings(deadline=None)
@given(st.floats(-40000, 40000), st.lists(st.integers(-32768, 32767), min_size=1, max_size=20))
def test_integers_are_compared_as_numbers(level: float, values: list[int]) -> None:
    found = stored_above(np.array(values, np.int16), level)
    assert found.tolist() == [value > level for value in values]


def test_analytic_fields_lie_right(tmp_path: Path) -> None:
    path = tmp_path / "g.parquet"
    with PlumeWriter(path, 40, 60, "float32", 1.0, 0.0) as writer:
        writer.metadata = {
            "kind": "analytic", "height": 40, "width": 60, "dtype": "float32", "scale": 1.0,
            "offset": 0.0, "mm_per_px": 2.0, "source_row": 10.0, "source_column": 5.0,
            "period_s": 1e12, "field": "gaussian", "field_constants": {"sigma_mm": 20.0},
            "blank": None,
        }  # fmt: skip
    maps = plume_maps(path)
    assert maps is not None
    row, column = np.mgrid[:40, :60].astype(float)
    grid = Grid(40, 60, 2.0, 10.0, 5.0)
    x, y = np.asarray(x_of_column(column, grid)), np.asarray(y_of_row(row, grid))  # type: ignore[arg-type]
    assert maps.mean == pytest.approx(np.exp(-(x**2 + y**2) / 800), rel=1e-6)


def test_maps_survive_the_file(tmp_path: Path) -> None:
    write_movie(tmp_path / "p.parquet", np.full((2, 2, 2), 7, np.uint8))
    maps = plume_maps(tmp_path / "p.parquet")
    write_maps(tmp_path / "m.npz", maps)
    again = read_maps(tmp_path / "m.npz")
    assert maps is not None
    assert again is not None
    assert (again.mean == maps.mean).all()
    assert again.n_frames == 2
    write_maps(tmp_path / "none.npz", None)
    assert read_maps(tmp_path / "none.npz") is None


def test_speeds_between_rows_by_hand() -> None:
    # two simulations; the step from one to the other must not count
    rows = {
        "simulation": np.array([0, 0, 0, 1, 1]),
        "frame": np.array([0, 1, 2, 1, 2]),
        "time_s": np.array([0.0, 0.5, 1.0, 0.0, 0.5]),
        "x_mm": np.array([10.0, 7.0, 7.0, 50.0, 46.0]),
        "y_mm": np.array([0.0, 4.0, 4.0, 0.0, 0.0]),
        "heading_rad": np.array([0.0, np.pi / 2, 0.0, 7.0, 7.0]),
        "odor": np.array([0.0, 1.0, 0.0, 0.5, 0.0]),
    }
    sums = interval_sums(rows, upwind_vector({"toward_deg": 0.0}), 3) / UNITS
    assert sums[0].tolist() == [1, 2, 0]
    assert sums[1].tolist() == pytest.approx([6, 8, 0])  # upwind is towards -x
    assert sums[2].tolist() == pytest.approx([10, 8, 0])
    assert sums[3].tolist() == pytest.approx([180, 180, 0])
    assert sums[4].tolist() == pytest.approx([0, 1.5, 0])
    assert upwind_vector({"toward_deg": 90.0}) == pytest.approx([0, -1], abs=1e-12)
