"""Real recordings: two files of one eruption have to tell the same story."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from factories_recordings import Normalized
from plumenav.errors import UserError

FLOAT = {"storage": {"dtype": "float32"}}


def test_8_and_16_bit_recordings_of_one_eruption_agree_in_degrees(tmp_path, recordings_folder):
    """Both describe the same 400 frames; the 8-bit file holds only 20 .. 160 degrees.

    Above that (1 % of all pixel-frames, several hundred degrees) it is saturated, so the 16-bit
    file is given the same range by its transfer table; without it, slope and r are those of the
    saturation, not of normalization (r = 0.948, slope 0.78 over all 400 frames).
    """
    data = recordings_folder / "stromboli"
    common = {"background": {"method": "mean", "frames": [0, 80]}, **FLOAT}
    degrees = {"zero": 0, "one": 100, "unit": "100 deg C above background"}
    (tmp_path / "8").mkdir()
    (tmp_path / "16").mkdir()
    eight = Normalized(
        tmp_path / "8",
        data / "stromboli_8bit_mjpeg.avi",
        frame_rate_hz=None,
        wind_toward="-row",
        source_px={"row": 472, "column": 343},
        reader={"frames": [100, 180]},
        normalize={
            **common,
            "crop": {"rows": [120, 480], "columns": [200, 520]},
            "transfer": {"kind": "square_root", "low": 20, "high": 160, "full_scale": 255},
            "calibration": degrees,
        },
    )
    sixteen = Normalized(
        tmp_path / "16",
        data / "stromboli_roi_centidegC_u16.h5",
        frame_rate_hz=None,
        wind_toward="-row",
        source_px={"row": 352, "column": 143},
        reader={"frames": [100, 180], "dataset": "frames", "time_dataset": "t_s"},
        normalize={
            **common,
            "transfer": {"kind": "table", "table": [[2000, 20], [16000, 160]]},
            "calibration": degrees,
        },
    )
    for key in ("height", "width", "source_row", "source_column"):
        assert eight.metadata[key] == sixteen.metadata[key]
    # each frame by itself, and all of them together
    pairs = list(zip(sixteen.concentration, eight.concentration, strict=True))
    assert min(np.corrcoef(x.ravel(), y.ravel())[0, 1] for x, y in pairs) >= 0.98
    (xx, xy), (_, yy) = np.cov(sixteen.concentration.ravel(), eight.concentration.ravel())
    assert xy / np.sqrt(xx * yy) >= 0.99
    assert xy / xx == pytest.approx(1, abs=0.02)
    # the camera's irregular clock survives
    assert sixteen.quality["duplicate_stamps"] > 0
    with h5py.File(data / "stromboli_roi_centidegC_u16.h5") as file:
        stamps = file["t_s"][100:180]
    assert sixteen.quality["duplicate_stamps"] == (np.diff(stamps) == 0).sum()
    np.testing.assert_allclose(sixteen.time_s, stamps - stamps[0])


def test_single_frame_video_is_refused(tmp_path, recordings_folder):
    source = recordings_folder / "broken" / "single_frame.mp4"
    with pytest.raises(UserError, match="holds 1 frame"):
        Normalized(tmp_path, source, frame_rate_hz=None)
    assert list(tmp_path.iterdir()) == []
