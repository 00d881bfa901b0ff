"""The clock of a normalized movie: stamps, their faults, other frame rates."""

from __future__ import annotations

import numpy as np
import pytest

from factories_recordings import Normalized, lopsided, write_hdf5
from plumenav.errors import UserError

FLOAT = {"storage": {"dtype": "float32"}}


def test_rates_stamps_and_their_faults_are_reported(tmp_path):
    stamps = 5.0 + np.array([0.0, 0.1, 0.1, 0.2, 0.3, 0.7, 0.8])
    source = write_hdf5(tmp_path / "a.h5", lopsided(n=7), t=stamps)
    reader = {"dataset": "movie", "time_dataset": "t"}
    made = Normalized(tmp_path, source, reader=reader, frame_rate_hz=None)
    np.testing.assert_allclose(made.time_s, stamps - 5.0)
    quality = made.quality
    assert (quality["gaps"], quality["duplicate_stamps"]) == (1, 1)
    assert quality["longest_interval_s"] == pytest.approx(0.4)
    assert quality["rate_measured_hz"] == pytest.approx(6 / 0.8)
    assert quality["rate_nominal_hz"] is None
    assert made.metadata["period_s"] == pytest.approx(0.8 + 0.1)
    # the config's own rate overrides the stamps
    made = Normalized(tmp_path, source, reader=reader, frame_rate_hz=20.0)
    np.testing.assert_allclose(made.time_s, np.arange(7) / 20)


def test_time_running_backwards_is_refused(tmp_path):
    source = write_hdf5(tmp_path / "a.h5", lopsided(n=4), t=np.array([0, 0.1, 0.05, 0.2]))
    reader = {"dataset": "movie", "time_dataset": "t"}
    with pytest.raises(UserError, match=r"backwards at frame 2: 0\.100000 s, then 0\.050000 s"):
        Normalized(tmp_path, source, reader=reader, frame_rate_hz=None)


def test_no_clock_at_all_is_refused(tmp_path):
    source = write_hdf5(tmp_path / "a.h5", lopsided())
    with pytest.raises(UserError, match=r"recordings\.x\.frame_rate_hz"):
        Normalized(tmp_path, source, frame_rate_hz=None)


@pytest.mark.parametrize("time", ["nearest", "linear"])
def test_another_frame_rate_from_true_time_stamps(tmp_path, time):
    stamps = np.array([0.0, 0.09, 0.21, 0.21, 0.4, 0.52])
    values = np.array([0.0, 1.0, 2.0, 3.0, 4.0, 5.0])
    frames = np.ones((6, 8, 8)) * values[:, None, None]
    made = Normalized(
        tmp_path,
        write_hdf5(tmp_path / "a.h5", frames, t=stamps),
        reader={"dataset": "movie", "time_dataset": "t"},
        frame_rate_hz=None,
        normalize={**FLOAT, "resample": {"frame_rate_hz": 20.0, "time": time}},
    )
    ticks = np.arange(11) / 20
    np.testing.assert_allclose(made.time_s, ticks)
    if time == "nearest":
        # of the two frames at 0.21 the first is next after 0.20, the second last before 0.25
        truth = [0, 1, 1, 1, 2, 3, 3, 4, 4, 4, 5]
    else:
        truth = [0, 0.05 / 0.09, 1 + 0.01 / 0.12, 1 + 0.06 / 0.12, 1 + 0.11 / 0.12]
        truth += [3 + (t - 0.21) / 0.19 for t in (0.25, 0.30, 0.35)] + [4.0]
        truth += [4 + (t - 0.4) / 0.12 for t in (0.45, 0.5)]
    np.testing.assert_allclose(made.concentration[:, 3, 3], truth, atol=1e-6)
    assert made.metadata["period_s"] == pytest.approx(11 / 20)
    assert (made.quality["frames_read"], made.quality["frames_written"]) == (6, 11)
