"""Every fault of a recording is named by the right check, and by no other."""

from __future__ import annotations

import functools
import re

import numpy as np
import pytest

from factories_quality import FRAMES, LEAD_IN, Assessed, declared, filmed, plume

true_plume = functools.cache(plume)


@functools.cache
def true_film() -> np.ndarray:
    return filmed(true_plume())


EVERY = slice(LEAD_IN + 20, FRAMES - 12, 23)
NO_BACKGROUND = {**declared()["normalize"], "background": {"method": "none"}}


def without_some(frames: np.ndarray) -> np.ndarray:
    return np.delete(frames, np.arange(FRAMES)[EVERY], axis=0)


def with_repeats(frames: np.ndarray) -> np.ndarray:
    source = np.arange(FRAMES)
    source[EVERY] -= 1
    return frames[source]


def turned(k: int):
    return lambda frames: np.rot90(frames, k, axes=(1, 2))


# name of the fault: (what is done to the file, what is changed in the settings, the check, words)
FAULTS = {
    "rotated": (turned(1), {}, "orientation", ["rotated by 90 degrees", "wind_toward"]),
    "upside down": (turned(2), {}, "orientation", ["rotated by 180 degrees", "wind_toward"]),
    "rotated back": (turned(3), {}, "orientation", ["rotated by 270 degrees", "wind_toward"]),
    "mirrored across the wind": (
        lambda frames: frames[:, ::-1],
        {},
        "orientation",
        ["mirrored, top and bottom", "mirrored"],
    ),
    "mirrored along the wind": (
        lambda frames: frames[:, :, ::-1],
        {},
        "orientation",
        ["mirrored, left and right", "mirrored"],
    ),
    "swapped axes": (
        lambda frames: frames.transpose(0, 2, 1),
        {},
        "orientation",
        ["axes swapped", "reader.axes"],
    ),
    "wind declared in another direction": (
        None,
        {"wind_toward": "-row"},
        "orientation",
        ["wind_toward: +column"],
    ),
    "scale 1.3 times too large": (None, {"mm_per_px": 1.3}, "scale", ["mm_per_px", "times"]),
    "scale 1.3 times too small": (None, {"mm_per_px": 1 / 1.3}, "scale", ["mm_per_px", "times"]),
    "wrong rate": (None, {"frame_rate_hz": 15.0}, "scale", ["frame_rate_hz", "times"]),
    "published scales exchanged": (
        None,
        {"mm_per_px": {"row": 1.391 / 0.74, "column": 0.394 / 0.74}},
        "isotropy",
        ["not square", "mm_per_px"],
    ),
    "published scales exchanged, other way": (
        None,
        {"mm_per_px": {"row": 0.394 / 0.74, "column": 1.391 / 0.74}},
        "isotropy",
        ["not square", "mm_per_px"],
    ),
    "wrong source": (
        None,
        {"source_px": {"row": 60, "column": 60}},
        "source",
        ["source_px"],
    ),
    "unsubtracted background": (
        None,
        {"normalize": NO_BACKGROUND},
        "residual_background",
        ["not subtracted", "normalize.background"],
    ),
    "inverted polarity": (
        lambda frames: filmed(true_plume(), sign=-1.0, level=100.0),
        {},
        "polarity",
        ["darker", "normalize.polarity"],
    ),
    "inverted picture": (
        lambda frames: 255 - frames,
        {"normalize": NO_BACKGROUND},
        "polarity",
        ["darker", "normalize.polarity"],
    ),
    "dropped frames": (without_some, {}, "missing_frames", ["missing at 12 places", "time stamps"]),
    "repeated frames": (with_repeats, {}, "repeated_frames", ["12 frames repeat", "(frames 50,"]),
}


def test_a_clean_movie_passes_every_check(tmp_path):
    made = Assessed(tmp_path, true_film())
    assert made.bad == {}
    assert made.content["status"] == "pass"
    judged = {name for name, check in made.checks.items() if check["status"] == "pass"}
    assert judged >= {check for _, _, check, _ in FAULTS.values()}
    measures = made.content["measures"]
    assert abs(measures["wind_mm_s"] / 75.0 - 1) < 0.1
    assert abs(measures["wind_deg"]) < 10
    assert np.hypot(measures["source_x_mm"], measures["source_y_mm"]) < 5


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named_by_the_right_check_and_no_other(tmp_path, fault):
    spoil, changes, check, words = FAULTS[fault]
    film = true_film() if spoil is None else np.ascontiguousarray(spoil(true_film()))
    made = Assessed(tmp_path, film, **changes)
    failed = {name for name, c in made.checks.items() if c["status"] == "fail"}
    assert failed == {check}, made.bad
    assert set(made.bad) == {check}, made.bad
    for word in words:
        assert word in made.checks[check]["says"]
    if check == "scale":
        told = float(re.search(r"should be ([0-9.]+) times", made.checks[check]["says"]).group(1))
        wrong = changes.get("mm_per_px", 1.0) * changes.get("frame_rate_hz", 30.0) / 30.0
        assert told == pytest.approx(1 / wrong, rel=0.1)
    assert made.content["status"] == "fail"
    assert check in made.content["says"]
