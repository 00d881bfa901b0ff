"""Measures of quality on arrays whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from plumenav.quality import maps, sensor_noise
from plumenav.quality.continuity import continuity
from plumenav.quality.expected import disagreements, file_disagreements, likely_cause
from plumenav.quality.isotropy import peak_widths
from plumenav.quality.orientation import (
    DIRECTION_DEG,
    SYMMETRIES,
    Declared,
    Measured,
    explanations,
    from_world,
)
from plumenav.quality.sample import burst_starts, shrunk
from plumenav.quality.source import beginning, turned, turned_back
from plumenav.quality.stream import above
from plumenav.quality.whiffs import EDGES_S, Durations, correlation_time_s

# -------------------------------------------------------------------------------------- maps


def test_moments_are_those_of_numpy():
    frames = np.random.default_rng(0).gamma(2.0, 1.0, (50, 3, 4)).astype(np.float32)
    found = maps.moments(frames)
    assert found.mean == pytest.approx(frames.mean(axis=0), rel=1e-5)
    assert found.sd == pytest.approx(frames.std(axis=0), rel=1e-5)
    third = ((frames - frames.mean(axis=0)) ** 3).mean(axis=0)
    assert found.third == pytest.approx(third, rel=1e-3)


def test_plume_and_quiet_pixels_are_told_by_their_fluctuations():
    sd = np.array([[0.01, 0.012, 0.05]])
    assert maps.plume_mask(sd, 0.01).tolist() == [[False, False, True]]
    assert maps.quiet_mask(sd, 0.01).tolist() == [[True, True, False]]


def test_a_sample_is_bounded_and_spread_over_the_movie():
    for n in (1000, 100_000):
        starts = burst_starts(n, 60, 5)
        assert len(starts) == 60
        assert (starts[0], starts[-1]) == (0, n - 5)
        assert np.diff(starts).min() >= 5
    assert shrunk(np.arange(12.0).reshape(3, 4), 2).tolist() == [[2.5, 4.5]]


# ------------------------------------------------------------------------------------ source


def wedge(height: int = 60, width: int = 90, row: float = 22.0, column: int = 15) -> np.ndarray:
    """A plume that begins at a column, on a row, and spreads: the same amount in every section."""
    r, c = np.mgrid[:height, :width]
    spread = 2.0 + 0.05 * (c - column)
    plume = np.exp(-(((r - row) / np.maximum(spread, 1.0)) ** 2) / 2) / np.maximum(spread, 1.0)
    return np.where(c >= column, plume, 0.0)


WINDS = [(0.0, 1.0), (1.0, 0.0), (0.0, -1.0), (-1.0, 0.0)]


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_the_source_is_found_whichever_way_the_wind_blows(turns):
    field = np.rot90(wedge(), -turns)  # clockwise: +column, +row, -column, -row
    found = beginning(field, WINDS[turns])
    row, column = np.argwhere(np.rot90(_mark(), -turns))[0]
    assert found.row == pytest.approx(row, abs=1.0)
    assert found.column == pytest.approx(column, abs=1.0)
    assert not found.at_edge


def _mark() -> np.ndarray:
    mark = np.zeros((60, 90), bool)
    mark[22, 15] = True
    return mark


def test_a_plume_that_is_already_there_at_the_edge_says_so():
    found = beginning(wedge()[:, 30:])
    assert found.at_edge
    assert found.column == 0
    assert found.row == pytest.approx(22, abs=1.0)


def test_nothing_begins_nowhere():
    assert beginning(np.zeros((10, 12))) is None


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_turned_back_undoes_turned(turns):
    field = np.arange(35).reshape(5, 7)
    image = turned(field, turns)
    for row in range(image.shape[0]):
        for column in range(image.shape[1]):
            r, c = turned_back(row, column, 5, 7, turns)
            assert field[int(r), int(c)] == image[row, column]


# ------------------------------------------------------------------------------- orientation

SIZE, SOURCE = (110, 170), (38.0, 14.0)


def moved(symmetry, wind_deg: float) -> tuple[Declared, Measured]:
    """Settings for the file as it was, and what is measured in a turned or mirrored copy of it.

    What is measured is worked out with a picture: a mark at the source, and one downwind of it.
    """
    angle = np.radians(wind_deg)
    marks = []
    for distance in (0, 10):
        image = np.zeros(SIZE)
        row, column = SOURCE[0] - distance * np.sin(angle), SOURCE[1] + distance * np.cos(angle)
        image[round(row), round(column)] = 1
        marks.append(np.argwhere(symmetry(image))[0].astype(float))
    size = symmetry(np.zeros(SIZE)).shape
    declared = Declared(SOURCE, wind_deg, False, (2.0, 2.0), size)

    def to_world(rows: float, columns: float) -> tuple[float, float]:
        right, up = columns * 2.0, -rows * 2.0
        return (
            right * np.cos(angle) + up * np.sin(angle),
            -right * np.sin(angle) + up * np.cos(angle),
        )

    x, y = to_world(*(marks[1] - marks[0]))
    source = to_world(*(marks[0] - np.array(SOURCE)))
    return declared, Measured(float(np.degrees(np.arctan2(y, x))), source, False)


COPIES = {
    "rotated by 90 degrees": np.rot90,
    "rotated by 180 degrees": lambda image: np.rot90(image, 2),
    "rotated by 270 degrees": lambda image: np.rot90(image, 3),
    "axes swapped (transposed)": np.transpose,
    "mirrored, left and right exchanged": np.fliplr,
    "mirrored, top and bottom exchanged": np.flipud,
    "axes swapped and rotated by 180 degrees": lambda image: np.rot90(image.T, 2),
}


@pytest.mark.parametrize("wind", ["+column", "+row", "-row"])
@pytest.mark.parametrize("copy", COPIES)
def test_each_turned_or_mirrored_copy_is_named_and_no_other(copy, wind):
    wind_deg = DIRECTION_DEG[wind]
    declared, measured = moved(COPIES[copy], wind_deg)
    fits, found = explanations(declared, measured, 20.0, 8.0)
    assert not fits
    assert [one.what for one in found] == [f"the image is {copy}"]


def test_the_file_as_declared_fits():
    declared, measured = moved(lambda image: image, 0.0)
    assert explanations(declared, measured, 20.0, 8.0) == (True, [])


def test_a_centred_source_hides_a_mirror():
    declared = Declared((50.0, 10.0), 0.0, False, (1.0, 1.0), (101, 150))
    fits, found = explanations(declared, Measured(1.0, (0.5, 0.3), False), 20.0, 8.0)
    assert fits
    assert [one.what for one in found] == ["the image is mirrored, top and bottom exchanged"]


def test_a_wind_declared_wrongly_leaves_the_source_in_its_place():
    declared = Declared(SOURCE, 90.0, False, (1.0, 1.0), SIZE)  # declared -row, blows +column
    fits, found = explanations(declared, Measured(-90.0, (0.0, 0.0), False), 20.0, 8.0)
    assert not fits
    assert [one.change for one in found] == ["wind_toward: +column"]


def test_a_mirrored_file_is_read_from_the_right():
    plain = Declared(SOURCE, 0.0, False, (1.0, 1.0), SIZE)
    assert from_world(3.0, 2.0, plain).tolist() == [-2.0, 3.0]
    assert from_world(3.0, 2.0, plain._replace(mirrored=True)).tolist() == [-2.0, -3.0]


def test_every_symmetry_moves_pixels_as_numpy_moves_images():
    for symmetry in SYMMETRIES:
        copy = COPIES[symmetry.what](np.arange(20).reshape(4, 5))
        for row in range(4):
            for column in range(5):
                r, c = symmetry.move(row, column, 4, 5)
                assert copy[int(r), int(c)] == row * 5 + column
        assert (copy.shape != (4, 5)) is symmetry.swaps_sides


# ------------------------------------------------------------------------------------ frames


def changes(frames: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    one = ((frames[1:] - frames[:-1]) ** 2).mean(axis=1)
    two = ((frames[2:] - frames[:-2]) ** 2).mean(axis=1)
    return one[:, None], two[:, None]


def drifting(n: int = 200, noise: float = 0.1) -> np.ndarray:
    """A pattern that moves evenly past 400 pixels, with noise."""
    rng = np.random.default_rng(0)
    k = np.arange(n)[:, None]
    phase = rng.uniform(0, 2 * np.pi, 8)
    x = np.linspace(0, 20, 400) - 0.08 * k
    waves = sum(np.sin(f * x + p) for f, p in zip(range(1, 9), phase, strict=True))
    return waves + rng.normal(0, noise, (n, 400))


@pytest.mark.parametrize("noise", [0.0, 0.1, 0.5])
def test_missing_and_repeated_frames_are_counted_and_placed(noise):
    frames = drifting(noise=noise)
    clean = continuity(*changes(frames))
    assert (clean.missing.tolist(), clean.repeated.tolist()) == ([], [])
    assert clean.can_tell_missing
    lost = continuity(*changes(np.delete(frames, [50, 90, 141], axis=0)))
    assert lost.missing.tolist() == [50, 89, 139]
    assert lost.repeated.tolist() == []
    source = np.arange(200)
    source[[30, 99]] -= 1
    twice = continuity(*changes(frames[source]))
    assert twice.repeated.tolist() == [30, 99]
    assert twice.missing.tolist() == []


def test_noise_alone_does_not_tell_missing_frames():
    frames = np.random.default_rng(0).normal(0, 1, (100, 300))
    assert not continuity(*changes(frames)).can_tell_missing


def test_a_still_picture_repeats_nothing():
    found = continuity(*changes(np.ones((100, 30))))
    assert not found.can_tell_repeated
    assert found.repeated.tolist() == []


def test_a_plume_that_appears_is_not_a_missing_frame():
    frames = drifting()
    frames[:60] = np.random.default_rng(1).normal(0, 0.1, (60, 400))
    assert continuity(*changes(frames)).missing.tolist() == []


# ------------------------------------------------------------------------------------ whiffs


def test_whiffs_and_blanks_are_timed_by_the_stamps_and_censored_at_the_ends():
    odor = [[1, 0], [1, 0], [0, 1], [0, 1], [1, 1], [0, 0], [0, 0]]
    time_s = [0.0, 0.1, 0.25, 0.3, 0.7, 0.8, 1.0]
    durations = Durations(2)
    for row, t in zip(odor, time_s, strict=True):
        durations.update(np.array(row, bool), t)
    durations.finish()
    # place 0: censored whiff, blank 0.25 to 0.7, whiff 0.7 to 0.8, censored blank
    # place 1: censored blank, whiff 0.25 to 0.8, censored blank
    found = durations.summary()
    assert (found["whiffs"], found["blanks"]) == (2, 1)
    assert (found["censored_whiffs"], found["censored_blanks"]) == (1, 3)
    assert found["whiff_mean_s"] == pytest.approx((0.1 + 0.55) / 2)
    assert found["blank_mean_s"] == pytest.approx(0.45)
    assert found["blank_median_s"] == pytest.approx(0.45, rel=0.13)  # a bin is 26 % wide
    assert len(durations.whiffs) == len(EDGES_S) - 1


def test_what_is_above_a_level_is_the_same_in_every_type():
    values = np.array([0, 1, 2, 3, 255])
    for dtype in (np.uint8, np.uint16, np.int16, np.float32):
        stored = values.astype(dtype)
        for level in (-3.0, 0.0, 1.5, 2.0, 254.9, 255.0, 1e9):
            assert above(stored, level).tolist() == (values > level).tolist()


@pytest.mark.parametrize("noise", [0.0, 0.7])
def test_the_correlation_time_of_a_process_that_forgets_exponentially(noise):
    rng = np.random.default_rng(2)
    tau_s, interval_s = 0.5, 0.05
    keep = np.exp(-interval_s / tau_s)
    x = np.empty((4, 1500, 150))
    x[:, 0] = rng.normal(size=(4, 150))
    for k in range(1, 1500):
        x[:, k] = keep * x[:, k - 1] + np.sqrt(1 - keep**2) * rng.normal(size=(4, 150))
    x += rng.normal(0, noise, x.shape) if noise else 0.0
    found = correlation_time_s(x, interval_s, noise, np.zeros(150))
    assert found == pytest.approx(tau_s, rel=0.05)


def test_no_correlation_time_where_it_does_not_fall():
    assert correlation_time_s(np.ones((1, 50, 3)), 0.1, 0.0, np.zeros(3)) is None
    assert correlation_time_s(np.zeros((1, 50, 3)), 0.1, 0.1, np.zeros(3)) is None


# ------------------------------------------------------------------------------ sensor noise


def test_the_on_filter_gives_the_values_of_the_published_code():
    # samples (from 1) of the authors' own run: a pulse C = 1 in samples 1500 to 2000 at 50 Hz
    odor = np.zeros((3000, 1))
    odor[1499:2000] = 1.0
    on = sensor_noise.on_response(odor)
    known = {1501: 0.027503, 1536: 0.606707, 1600: 0.823990, 1750: 0.734218, 2000: 0.616989}
    for sample, value in {**known, 2050: 0.155087, 2100: 0.037919, 2200: 0.002267}.items():
        assert on[sample - 1] == pytest.approx(value, abs=1e-6)
    assert on.argmax() + 1 == 1610


def test_noise_steers_a_bare_fly_and_a_dead_zone_stops_it():
    readings = np.random.default_rng(0).normal(0.0, 0.004, (1000, 200))
    bare = sensor_noise.mean_on(sensor_noise.on_response(readings))
    # with A small, the mean of c / (c + 0.01) over half of a Gaussian of sd 0.004
    c = np.abs(np.random.default_rng(1).normal(0, 0.004, 10**6))
    assert bare == pytest.approx(0.5 * (c / (c + 0.01 + 0.0012)).mean(), rel=0.05)
    zone = sensor_noise.mean_on(sensor_noise.on_response(readings, 0.012))
    assert zone < 0.02 < bare


def test_frames_are_held_and_the_series_is_repeated():
    series = np.array([[1.0], [2.0], [3.0]])
    found = sensor_noise.held(series, np.array([5.0, 5.05, 5.1]), seconds=0.3)[:, 0]
    # every 0.02 s; the series lasts 0.15 s
    assert found.tolist() == [1, 1, 1, 2, 2, 3, 3, 3, 1, 1, 2, 2, 2, 3, 3]


# ---------------------------------------------------------------------------------- isotropy


def test_widths_of_a_peak_off_the_middle():
    r, c = np.mgrid[-30:31, -40:41]
    surface = np.exp(-((r - 3) ** 2 / (2 * 4.0**2) + (c + 9) ** 2 / (2 * 8.0**2)))
    widths = peak_widths(surface)
    half = np.sqrt(2 * np.log(2))
    assert widths.row == pytest.approx(4 * half, rel=0.02)
    assert widths.column == pytest.approx(8 * half, rel=0.02)
    assert peak_widths(np.full((5, 5), np.nan)) == (None, None)
    assert peak_widths(np.ones((5, 5))) == (None, None)  # never falls to half


# ---------------------------------------------------------------------------------- expected


def test_disagreements_say_what_was_found_expected_and_why():
    found = {"mean": 0.359, "median": 0.498, "max": 0.506}
    known = {"mean": 0.02, "median": 0.0, "maximum": None, "p95": None}
    off = disagreements(found, known, 0.1)
    assert [d.statistic for d in off] == ["mean", "median"]
    assert off[1].found == 0.498
    assert "background was not subtracted" in off[0].cause
    same = {"mean": 0.0580, "median": 0.0390, "p95": 0.1826}
    plif = {"mean": 0.059, "median": 0.038, "p95": 0.190}
    assert disagreements(same, plif, 0.1) == []


def test_a_scale_applied_twice_and_a_cut_off_top_are_recognized():
    twice = {"mean": (0.44, 0.2), "p95": (0.88, 0.4), "p99": (1.76, 0.8)}
    assert "2.2 times" in likely_cause(twice)
    assert "cut off" in likely_cause({"p99": (0.3, 0.3), "maximum": (0.5, 1.29)})
    assert "darker" in likely_cause({"mean": (-0.06, 0.06), "p95": (-0.01, 0.19)})


def test_facts_of_the_file_against_what_is_known():
    known = {"frames": 3600, "rows": 406, "columns": 216, "dtype": "float32", "frame_rate_hz": 15.0}
    assert file_disagreements(dict(known), known) == []
    swapped = {**known, "rows": 216, "columns": 406}
    assert file_disagreements(swapped, known) == [
        "rows and columns are exchanged (216 x 406): reader.axes"
    ]
    assert file_disagreements({**known, "frames": 150}, known) == ["frames 150, expected 3600"]
    assert file_disagreements(known, {"rows": None}) == []


def test_masked_pixels_are_not_quiet_air():
    sd = np.full((10, 12), 0.01)
    sd[:, :4] = 0.0  # a mask
    sd[4:6, 4:] = 0.3  # a plume
    quiet = maps.quiet_mask(sd, 0.01)
    assert not quiet[:, :4].any()
    assert quiet[0, 4:].all()
    assert not quiet[4, 4:].any()
    # without any noise, as in a simulated plume, nothing can be told apart
    assert maps.quiet_mask(np.where(sd < 0.1, 0.0, sd), 0.0)[0, 0]
