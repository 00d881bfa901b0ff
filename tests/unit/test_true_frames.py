"""True frames of a synthetic recording are those that the camera saw."""

from __future__ import annotations

import numpy as np
import pytest

from plumenav import registry
from plumenav.errors import UserError
from plumenav.recordings.synthesis._truth_frames import (
    read_true_frames,
    true_frames,
    write_true_frames,
)

SMALL = {"preset": "smooth", "frames": 40, "height_px": 50, "width_px": 40, "mm_per_px": 6.0}


def test_they_are_the_recording_without_its_noise(tmp_path):
    import h5py

    parameters = {**SMALL, "source_column_px": 20.0}
    registry.get("synthesis", "filament").synthesize(tmp_path / "a.h5", "hdf5", 3, parameters)
    truth = true_frames("filament", 3, parameters)
    assert len(truth.number) == 6
    np.testing.assert_allclose(truth.time_s, truth.number / 15)
    with h5py.File(tmp_path / "a.h5") as file:
        seen = file["dataset2"][truth.number.tolist()]
    noise = seen - truth.concentration
    assert noise.std() == pytest.approx(0.004, rel=0.05)
    assert np.corrcoef(seen.ravel(), truth.concentration.ravel())[0, 1] > 0.99


def test_none_is_from_the_lead_in():
    truth = true_frames("filament", 3, {**SMALL, "lead_in_frames": 16, "spin_up_s": 0.0})
    assert truth.number.min() >= 16


def test_written_and_read_the_same_bytes(tmp_path):
    truth = true_frames("filament", 3, SMALL)
    for name in ("a.npz", "b.npz"):
        write_true_frames(tmp_path / name, truth)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    again = read_true_frames(tmp_path / "a.npz")
    for mine, theirs in zip(again, truth, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    (tmp_path / "a.npz").write_bytes(b"PK\3\4 broken")
    with pytest.raises(UserError, match=r"a\.npz.*cannot be read"):
        read_true_frames(tmp_path / "a.npz")
