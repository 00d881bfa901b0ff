"""The references' own plume, sensor, edges and clock, against known answers."""

import math

import numpy as np
import pytest

from plumenav.references import _ties
from plumenav.references._arena import entry, reflect
from plumenav.references._plume import (
    Arena,
    FramesOfFile,
    Plume,
    clock,
    opened_plume,
    sampler,
)
from plumenav.references._sensor import Nose, ellipse, fold
from plumenav.tables import PlumeReader, PlumeWriter


def plume(frames, *, time_s=None, period_s=None, kind="movie", **facts):
    """A plume in memory: 1 mm pixels, source at pixel (0, 0), unless told otherwise."""
    frames = np.asarray(frames)
    time_s = np.arange(len(frames), dtype=float) if time_s is None else np.asarray(time_s, float)
    metadata = {
        "kind": kind,
        "scale": 1.0,
        "offset": 0.0,
        "period_s": float(len(frames)) if period_s is None else period_s,
        "blank": None,
        "mm_per_px": 1.0,
        "source_row": 0.0,
        "source_column": 0.0,
        **facts,
    }
    arena = Arena(
        *frames.shape[1:],
        metadata["mm_per_px"],
        metadata["source_row"],
        metadata["source_column"],
        kind == "signal",
    )
    return Plume(metadata, arena, time_s, frames)


def analytic(field, constants, **facts):
    made = plume(
        np.zeros((1, 21, 41)), kind="analytic", field=field, field_constants=constants, **facts
    )
    return made._replace(frames=np.zeros((1, 1, 1)))


def nose(made, interpolation="nearest", shape="point", control="none", dead_zone=None, **sizes):
    sensor = {
        "shape": shape,
        "parameters": sizes,
        "interpolation": interpolation,
        "threshold": 0.1,
        "dead_zone": dead_zone,
    }
    return Nose({"sensor": sensor, "control": control}, made)


def margin(smelled, x, y, heading=0.0):
    """How near one step's reading was to another one."""
    smelled.raw.clear()
    smelled.read(0, x, y, heading)
    here = (np.array([value]) for value in (x, y, heading))
    return min(_ties.of_places(smelled, *here)[0], _ties.of_dead_zone(smelled, 1)[0])


# ------------------------------------------------------------------------------------- world


def test_check_values_of_the_world_frame():
    arena = Arena(216, 406, 0.74, 107.0, 0.0, False)
    assert arena.row_column(0.0, 0.0) == (107.0, 0.0)
    # to the left when looking downwind is up in the image
    row, column = arena.row_column(0.74 * 10, 0.74 * 5)
    assert (row, column) == pytest.approx((102.0, 10.0))
    assert arena.edges_mm() == pytest.approx((-0.37, 405.5 * 0.74, -108.5 * 0.74, 107.5 * 0.74))


def test_edges_of_the_arena_are_half_open():
    arena = Arena(3, 5, 1.0, 0.0, 0.0, False)
    assert arena.contains(-0.5, -0.5)
    assert arena.contains(2.4999, 4.4999)
    assert not arena.contains(2.5, 0.0)
    assert not arena.contains(0.0, 4.5)
    assert not arena.contains(-0.5001, 0.0)


def test_a_bright_corner_is_found_where_it_is():
    frames = np.zeros((1, 4, 6))
    frames[0, 0, 5] = 1.0  # top row: the largest y
    made = plume(frames, mm_per_px=2.0, source_row=3.0, source_column=1.0)
    assert nose(made).read(0, 8.0, 6.0, 0.0)[0] == 1.0
    assert nose(made).read(0, 8.0, 0.0, 0.0)[0] == 0.0


# ---------------------------------------------------------------------------------- sampling


def test_bilinear_reproduces_a_linear_ramp():
    rows, columns = np.mgrid[0:6, 0:9]
    made = plume((7 + 3 * rows + 5 * columns).astype(np.uint16)[None], scale=0.5, offset=-1.0)
    sample = sampler(made, "bilinear")
    generator = np.random.default_rng(1)
    for row, column in generator.uniform((0, 0), (5, 8), (200, 2)):
        want = (7 + 3 * row + 5 * column) * 0.5 - 1.0
        assert sample(0, [(row, column)])[0] == pytest.approx(want, abs=1e-12)


def test_bilinear_continues_the_outermost_centres():
    made = plume(np.array([[[1.0, 2.0], [5.0, 9.0]]]))
    sample = sampler(made, "bilinear")
    assert sample(0, [(-0.4, -0.5)])[0] == 1.0
    assert sample(0, [(1.4, 1.49)])[0] == 9.0
    assert sample(0, [(-0.3, 0.25)])[0] == pytest.approx(1.25)
    assert sample(0, [(0.5, 1.3)])[0] == pytest.approx(5.5)


def test_nearest_changes_at_half_pixels_and_takes_the_upper_one_there():
    made = plume(np.arange(12.0).reshape(1, 3, 4))
    sample = sampler(made, "nearest")
    assert sample(0, [(0.0, 1.4999)])[0] == 1.0
    assert sample(0, [(0.0, 1.5)])[0] == 2.0
    assert sample(0, [(1.4999, 0.0)])[0] == 4.0
    assert sample(0, [(1.5, 0.0)])[0] == 8.0


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
def test_outside_smells_of_nothing_even_where_zero_is_not_stored(interpolation):
    made = plume(np.full((1, 3, 3), 4, np.uint8), offset=0.5)
    smelled = nose(made, interpolation)
    assert smelled.read(0, 1.0, -1.0, 0.0)[0] == 4.5
    for x, y in [(-0.51, 0.0), (2.5, 0.0), (0.0, 0.51), (0.0, -2.5)]:
        assert smelled.read(0, x, y, 0.0)[0] == 0.0


def test_margin_is_the_distance_to_the_nearest_pixel_or_image_edge():
    made = plume(np.ones((1, 9, 9)), source_row=4.0, source_column=4.0)
    assert margin(nose(made), 0.3, 0.1) == pytest.approx(0.2)
    assert margin(nose(made, "bilinear"), 4.25, 0.1) == pytest.approx(0.25)
    assert margin(nose(made, "bilinear"), 4.75, 0.1) == pytest.approx(0.25)
    assert nose(made, control="blind").read(0, 0.5, 0.0, 0.0) == (0.0, 0.0, 0.0)


def test_margin_of_a_wide_sensor_is_that_of_its_nearest_point():
    made = plume(np.ones((1, 9, 9)), source_row=4.0, source_column=4.0)
    sizes = {"centre_mm": 1.0, "along_mm": 0.1, "across_mm": 1.1, "spacing_mm": 1.1}
    # points 1 mm ahead and 1.1 mm to both sides of it: columns 5.3, rows 3.9 and 3.9 -+ 1.1
    assert margin(nose(made, shape="ellipse", **sizes), 0.3, 0.1) == pytest.approx(0.2)
    # turned to the left: columns 4.3 and 4.3 -+ 1.1 (0.1 from an edge), row 2.9
    turned = margin(nose(made, shape="ellipse", **sizes), 0.3, 0.1, math.pi / 2)
    assert turned == pytest.approx(0.1)
    # between pixels only the image's edge counts: column 8.2, 0.3 inside
    assert margin(nose(made, "bilinear", "ellipse", **sizes), 3.2, 0.0) == pytest.approx(0.3)


def test_margin_of_a_blank_region_is_that_of_its_pixels():
    blank = {"row_start": 1, "row_stop": 4, "column_start": 2, "column_stop": 7}
    made = nose(plume(np.ones((1, 6, 8)), blank=blank), control="blank_region")
    # far outside: folded at pixel centres, so as far from an edge between pixels as unfolded
    assert margin(made, -100.2, 55.1) == pytest.approx(0.3)
    assert margin(made, 3.45, -2.0) == pytest.approx(0.05)


def test_analytic_fields():
    gaussian = nose(analytic("gaussian", {"peak": 2.0, "sigma_mm": 3.0}, source_row=10.0))
    assert gaussian.read(0, 0.0, 0.0, 0.0)[0] == 2.0
    assert gaussian.read(0, 3.0, 0.0, 0.0)[0] == pytest.approx(2.0 * math.exp(-0.5))
    assert gaussian.read(0, 3.0, 3.0, 0.0)[0] == pytest.approx(2.0 * math.exp(-1.0))
    gradient = nose(
        analytic("gradient", {"level_at_source": 1.0, "slope_per_mm": 0.1}, source_row=10.0)
    )
    assert gradient.read(0, 3.0, 4.0, 0.0)[0] == pytest.approx(0.5)
    assert gradient.read(0, 12.0, 5.0, 0.0)[0] == 0.0
    uniform = nose(analytic("uniform", {"level": 0.7}, source_row=10.0))
    assert uniform.read(0, 40.0, -10.0, 0.0)[0] == 0.7
    assert uniform.read(0, 41.0, 0.0, 0.0)[0] == 0.0


def test_a_signal_is_everywhere():
    made = plume(np.array([0.25, 0.5]).reshape(2, 1, 1), kind="signal")
    assert nose(made).read(1, 1e6, -1e6, 0.0)[0] == 0.5
    assert reflect(made.arena, 1e6, -1e6, 0.3) == (1e6, -1e6, 0.3)


# ------------------------------------------------------------------------------------ sensor


def test_ellipse_is_the_lattice_inside_it():
    points = ellipse(centre_mm=2.0, along_mm=1.0, across_mm=2.0, spacing_mm=1.0)
    assert sorted(points) == [
        (1.0, 0.0),
        (2.0, -2.0),
        (2.0, -1.0),
        (2.0, 0.0),
        (2.0, 1.0),
        (2.0, 2.0),
        (3.0, 0.0),
    ]
    fine = ellipse(1.24, 0.23, 0.86, 0.01)
    assert len(fine) * 0.01**2 == pytest.approx(math.pi * 0.23 * 0.86, rel=0.02)


def test_ellipse_lies_ahead_and_turns_with_the_body():
    made = plume(np.zeros((1, 21, 21)), source_row=10.0, source_column=10.0)
    sizes = {"centre_mm": 5.0, "along_mm": 0.5, "across_mm": 2.0, "spacing_mm": 1.0}
    made.frames[0, 10, 15] = 1.0  # 5 mm downwind
    made.frames[0, 9, 15] = 0.5  # and 1 mm to its left
    five = nose(made, shape="ellipse", **sizes)
    assert len(five.points) == 5
    assert five.read(0, 0.0, 0.0, 0.0)[0] == pytest.approx(1.5 / 5)
    assert five.read(0, 0.0, 0.0, math.pi)[0] == 0.0
    # from below, looking to the left, the same two pixels lie along the body's axis
    assert five.read(0, 5.0, -5.0, math.pi / 2)[0] == pytest.approx(1.0 / 5)


def test_ellipse_turns_with_the_body_by_any_angle():
    row, column = np.mgrid[0:21, 0:21]
    # x * y, which bilinear sampling reproduces
    made = plume(((column - 10.0) * (10.0 - row))[None], source_row=10.0, source_column=10.0)
    sizes = {"centre_mm": 5.0, "along_mm": 0.5, "across_mm": 2.0, "spacing_mm": 1.0}
    five = nose(made, "bilinear", shape="ellipse", **sizes)
    for heading in (0.3, math.pi / 4, 2.0, 4.0):
        # mean of (5 c - l s)(5 s + l c) over l = -2 .. 2, whose mean square is 2
        want = (25.0 - 2.0) * math.sin(heading) * math.cos(heading)
        assert five.read(0, 0.0, 0.0, heading)[0] == pytest.approx(want)


def test_one_point_outside_silences_the_whole_sensor():
    made = plume(np.ones((1, 9, 9)), source_row=4.0)
    sizes = {"centre_mm": 1.0, "along_mm": 0.5, "across_mm": 2.0, "spacing_mm": 1.0}
    five = nose(made, "bilinear", shape="ellipse", **sizes)
    assert five.read(0, 3.0, 2.4, 0.0)[0] == 1.0
    assert five.read(0, 3.0, 2.6, 0.0) == (0.0, 0.0, 0.0)
    assert margin(five, 3.0, 2.6) == pytest.approx(0.1)


def test_dead_zone_silences_what_is_below_it():
    made = plume(np.array([[[0.2, 0.3, -0.1]]]))
    smelled = nose(made, dead_zone=0.3)
    assert [smelled.read(0, x, 0.0, 0.0)[0] for x in (0.0, 1.0, 2.0)] == [0.0, 0.3, 0.0]
    assert margin(smelled, 0.0, 0.0) == pytest.approx(0.1)
    assert margin(smelled, 1.0, 0.0) == pytest.approx(0.0)


def test_folding_reflects_at_both_ends():
    inside = [fold(v, 2.0, 5.0) for v in (2.0, 3.5, 5.0, 5.5, 8.0, 9.0, 1.5, -1.0, -1.5)]
    assert inside == pytest.approx([2.0, 3.5, 5.0, 4.5, 2.0, 3.0, 2.5, 5.0, 4.5])
    assert fold(7.3, 4.0, 4.0) == 4.0


def test_blank_region_is_smelled_wherever_the_agent_is():
    frames = np.ones((1, 6, 8))
    frames[0, 1:4, 2:7] = [[10, 11, 12, 13, 14], [20, 21, 22, 23, 24], [30, 31, 32, 33, 34]]
    blank = {"row_start": 1, "row_stop": 4, "column_start": 2, "column_stop": 7}
    smelled = nose(plume(frames, blank=blank), control="blank_region")
    assert smelled.read(0, 3.0, -2.0, 0.0)[0] == 21.0  # row 2, column 3: inside
    assert smelled.read(0, 7.0, 0.0, 0.0)[0] == 23.0  # row 0 -> 2, column 7 -> 5
    assert smelled.read(0, -100.0, 55.0, 0.0)[0] == 12.0  # row -55 -> 1, column -100 -> 4
    with pytest.raises(ValueError, match="no blank region"):
        nose(plume(frames), control="blank_region")


# ------------------------------------------------------------------------------------- clock

STAMPS = [10.0, 10.1, 10.1, 10.5]  # one interval of zero, one long one


def test_clock_shows_the_last_frame_that_has_come():
    made = plume(np.zeros((4, 1, 1)), time_s=STAMPS, period_s=0.6)
    seen = clock(made, 0, 6, 0.1, "hold").frame
    assert seen.tolist() == [0, 2, 2, 2, 2, 3]
    assert clock(made, 1, 2, 0.05, "hold").frame.tolist() == [2, 2]


def test_loop_hold_and_stop_at_the_end_of_the_movie():
    made = plume(np.zeros((4, 1, 1)), time_s=STAMPS, period_s=0.6)
    loop = clock(made, 3, 10, 0.1, "loop")
    assert loop.frame.tolist() == [3, 0, 2, 2, 2, 2, 3, 0, 2, 2]
    assert loop.wraps.tolist() == [0, 1, 1, 1, 1, 1, 1, 2, 2, 2]
    hold = clock(made, 3, 10, 0.1, "hold")
    assert set(hold.frame.tolist()) == {3}
    assert not hold.ended
    stop = clock(made, 0, 10, 0.1, "stop")
    assert stop.frame.tolist() == [0, 2, 2, 2, 2, 3]
    assert stop.ended
    assert not clock(made, 0, 6, 0.1, "stop").ended


def test_clock_does_not_drift_by_rounding():
    n = 3600
    made = plume(np.zeros((n, 1, 1)), time_s=np.arange(n) / 15.0, period_s=n / 15.0)
    seen = clock(made, 0, 3 * n, 1.0 / 15.0, "loop")
    assert np.array_equal(seen.frame, np.arange(3 * n) % n)
    assert np.array_equal(seen.wraps, np.arange(3 * n) // n)


def test_analytic_fields_have_no_clock():
    made = analytic("uniform", {"level": 1.0}, period_s=0.0)
    seen = clock(made, 0, 4, 0.1, "stop")
    assert seen.frame.tolist() == [0, 0, 0, 0]
    assert not seen.ended


# ------------------------------------------------------------------------- edges and arrival


def test_reflection_folds_position_and_heading():
    arena = Arena(11, 21, 1.0, 5.0, 0.0, False)  # x -0.5 .. 20.5, y -5.5 .. 5.5
    assert reflect(arena, 21.0, 0.0, 0.2) == pytest.approx((20.0, 0.0, math.pi - 0.2))
    assert reflect(arena, 3.0, 6.0, 0.2) == pytest.approx((3.0, 5.0, -0.2))
    assert reflect(arena, -1.5, -6.0, 0.2) == pytest.approx((0.5, -5.0, -(math.pi - 0.2)))
    # further than the arena is wide: folded twice in x, the heading is as it was
    assert reflect(arena, 20.5 + 21.0 + 2.0, 0.0, 0.2) == pytest.approx((1.5, 0.0, 0.2))
    assert reflect(arena, 20.5, 5.5, 0.2) == (20.5, 5.5, 0.2)


def test_entry_is_found_along_the_segment():
    assert entry(-30.0, 0.0, 30.0, 0.0, 15.0) == pytest.approx(0.25)  # jumps over the circle
    assert entry(30.0, 9.0, 0.0, 9.0, 15.0) == pytest.approx(0.6)
    assert entry(3.0, 4.0, 100.0, 0.0, 5.0) == 0.0  # starts on the rim
    assert entry(30.0, 0.0, 16.0, 0.0, 15.0) is None  # too short
    assert entry(30.0, 0.0, 15.0, 0.0, 15.0) == pytest.approx(1.0)
    assert entry(16.0, 0.0, 30.0, 0.0, 15.0) is None  # going away
    assert entry(30.0, 15.1, -30.0, 15.1, 15.0) is None  # passes by
    assert entry(20.0, 0.0, 20.0, 0.0, 15.0) is None  # stands


def test_closest_point_of_a_segment():
    ends = [(-3.0, 4.0, 3.0, 4.0), (3.0, 4.0, 6.0, 8.0), (6.0, 8.0, 3.0, 4.0), (0.6, 0.8, 0.6, 0.8)]
    found = _ties.closest_mm(*np.array(ends).T)
    assert found == pytest.approx([4.0, 5.0, 5.0, 1.0])
    near = _ties.to_source(*np.array(ends).T, radius_mm=4.5)
    assert near == pytest.approx([0.5, 0.5, 0.5, 3.5])


# -------------------------------------------------------------------------------------- file


def test_a_plume_file_is_read_as_it_was_written(tmp_path, monkeypatch):
    monkeypatch.setattr("plumenav.tables.plume.ROW_GROUP_BYTES", 100)  # several blocks
    frames = np.arange(7 * 3 * 5, dtype=np.uint16).reshape(7, 3, 5)
    time_s = np.array([1.0, 1.1, 1.1, 1.3, 1.4, 1.9, 2.0])
    path = tmp_path / "plume.parquet"
    with PlumeWriter(path, 3, 5, "uint16", 0.01, -0.25) as writer:
        writer.metadata = {
            **{"kind": "movie", "height": 3, "width": 5, "dtype": "uint16", "scale": 0.01},
            **{"offset": -0.25, "mm_per_px": 0.5, "source_row": 1, "source_column": 0},
            **{"period_s": 1.1, "field": "movie", "field_constants": {}, "blank": None},
        }
        writer.write(time_s, frames)
    with opened_plume(path) as made:
        assert [made.frames[i].tolist() for i in range(7)] == frames.tolist()
        assert made.frames[0].dtype == np.uint16
        assert len(made.frames) == 7
        assert np.array_equal(made.time_s, time_s)
        assert made.arena == Arena(3, 5, 0.5, 1.0, 0.0, False)
        # row 2, column 3 of frame 4
        smelled = nose(made).read(4, 1.5, -0.5, 0.0)[0]
        assert smelled == pytest.approx(0.01 * (60 + 10 + 3) - 0.25)


@pytest.mark.parametrize(("kept_mb", "decoded"), [(1e-9, 14), (4 * 90e-6, 11), (1.0, 7)])
def test_memory_for_frames_is_bounded_and_changes_nothing(tmp_path, monkeypatch, kept_mb, decoded):
    monkeypatch.setattr("plumenav.tables.plume.ROW_GROUP_BYTES", 100)  # blocks of three frames
    frames = np.arange(21 * 3 * 5, dtype=np.uint16).reshape(21, 3, 5)
    with PlumeWriter(tmp_path / "plume.parquet", 3, 5, "uint16", 0.01, -0.25) as writer:
        writer.metadata = {
            **{"kind": "movie", "height": 3, "width": 5, "dtype": "uint16", "scale": 0.01},
            **{"offset": -0.25, "mm_per_px": 0.5, "source_row": 1, "source_column": 0},
            **{"period_s": 21.0, "field": "movie", "field_constants": {}, "blank": None},
        }
        writer.write(np.arange(21.0), frames)
    with PlumeReader(tmp_path / "plume.parquet") as reader:
        seen = FramesOfFile(reader, kept_mb)
        # twice through the movie, the second time from its middle: those used last are there
        for i in [*range(21), *range(12, 21), *range(12)]:
            assert np.array_equal(seen[i], frames[i])
            assert sum(block.nbytes for block in seen.kept.values()) <= max(90, kept_mb * 1e6)
        assert seen.decoded == decoded
