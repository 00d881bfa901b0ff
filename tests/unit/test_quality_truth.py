"""A synthetic recording's plume against its truth."""

from __future__ import annotations

import numpy as np
import pytest

from factories_recordings import Normalized, lopsided, write_hdf5
from plumenav.quality.truth import against_truth
from plumenav.recordings.synthesis._truth_frames import TrueFrames
from plumenav.tables import PlumeReader


def truth_of(n: int) -> np.ndarray:
    return np.clip((lopsided(n).astype(np.float32) - 30) / 200, 0, 1)


def compared(tmp_path, changes, wind="+column"):
    n = 30
    concentration = truth_of(n)
    if wind == "+row":
        concentration = np.rot90(concentration, -1, axes=(1, 2))
    rng = np.random.default_rng(8)
    raw = 20 + 100 * concentration + rng.normal(0, 0.5, concentration.shape)
    made = Normalized(
        tmp_path,
        write_hdf5(tmp_path / "a.h5", raw),
        wind_toward=wind,
        normalize={
            "calibration": {"zero": 20, "one": 120},
            "blank": {"rows": [33, 40], "columns": [0, 56]},
            "storage": {"dtype": "uint16"},
            **changes,
        },
    )
    number = np.array([4, 11, 25])
    frames = TrueFrames(number, number / 10.0, np.ascontiguousarray(concentration[number]))
    with PlumeReader(made.plume) as reader:
        return against_truth(reader, frames)


@pytest.mark.parametrize("wind", ["+column", "+row"])
@pytest.mark.parametrize("mm_per_px", [1.0, 2.0])
def test_a_right_normalization_is_the_truth(tmp_path, wind, mm_per_px):
    found = compared(tmp_path, {"resample": {"mm_per_px": mm_per_px}, "blank": {}}, wind)
    assert found.frames == 3
    assert found.r > 0.999
    assert found.slope == pytest.approx(1, abs=0.005)
    assert found.offset == pytest.approx(0, abs=0.001)


def test_a_wrong_gain_shows_in_the_slope_and_a_wrong_zero_in_the_offset(tmp_path):
    gain = compared(tmp_path, {"calibration": {"zero": 20, "one": 145}})
    assert gain.slope == pytest.approx(0.8, abs=0.005)
    zero = compared(tmp_path, {"calibration": {"zero": 0, "one": 100}})
    assert zero.slope == pytest.approx(1, abs=0.005)
    assert zero.offset == pytest.approx(0.2, abs=0.002)


def test_a_wrong_exponent_shows_in_the_correlation(tmp_path):
    found = compared(
        tmp_path,
        {
            "transfer": {"kind": "gamma", "exponent": 4.0, "full_scale": 120},
            "calibration": {"zero": 0, "one": 1},
        },
    )
    assert found.r < 0.95


def test_without_odour_there_is_nothing_to_compare(tmp_path):
    made = Normalized(tmp_path, write_hdf5(tmp_path / "a.h5", truth_of(6)))
    empty = np.zeros((2, 40, 56), np.float32)
    with PlumeReader(made.plume) as reader:
        assert against_truth(reader, TrueFrames(np.arange(2), np.arange(2) / 10, empty)) is None
