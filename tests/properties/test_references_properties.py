"""Properties of the references' geometry and clock, for any numbers."""

import math

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from plumenav.references._arena import entry, reflect
from plumenav.references._plume import Arena, Plume, clock
from plumenav.references._sensor import fold
from plumenav.references._ties import closest_mm

numbers = st.floats(-1e3, 1e3)
ARENA = Arena(40, 70, 0.5, 13.0, 4.0, False)


@given(numbers, numbers, numbers)
def test_reflection_ends_inside_and_is_a_mirror_in_each_axis(x, y, heading):
    x1, y1, heading1 = reflect(ARENA, x, y, heading)
    x_low, x_high, y_low, y_high = ARENA.edges_mm()
    assert x_low <= x1 <= x_high
    assert y_low <= y1 <= y_high
    # speed is kept, the direction is mirrored in neither, one or both axes
    assert math.isclose(abs(math.cos(heading1)), abs(math.cos(heading)), abs_tol=1e-9)
    assert math.isclose(abs(math.sin(heading1)), abs(math.sin(heading)), abs_tol=1e-9)
    # an even number of folds is a shift by whole periods, an odd number a mirrored one
    folds = math.floor((x - x_low) / (x_high - x_low))
    assert math.isclose(
        math.cos(heading1), (-1) ** folds * math.cos(heading), abs_tol=1e-9
    ) or math.isclose(abs(x1 - x_low) * abs(x1 - x_high), 0.0, abs_tol=1e-6)


@given(numbers, st.floats(-50, 50), st.floats(0.1, 100))
def test_folding_ends_inside_and_leaves_what_is_inside(value, low, length):
    high = low + length
    folded = fold(value, low, high)
    assert low - 1e-9 <= folded <= high + 1e-9
    if low <= value <= high:
        assert math.isclose(folded, value, abs_tol=1e-9)
    assert math.isclose(fold(2 * low - value, low, high), folded, abs_tol=1e-6)


@given(numbers, numbers, numbers, numbers, st.floats(0.5, 200))
def test_entry_is_the_first_point_inside_the_circle(x0, y0, x1, y1, radius):
    s = entry(x0, y0, x1, y1, radius)
    closest = closest_mm(x0, y0, x1, y1)
    if s is None:
        assert closest >= radius - 1e-6
        return
    assert 0.0 <= s <= 1.0
    distance = math.hypot(x0 + s * (x1 - x0), y0 + s * (y1 - y0))
    assert closest <= radius + 1e-6
    if s == 0.0:
        assert distance <= radius + 1e-6
    else:
        assert math.isclose(distance, radius, abs_tol=1e-5)
        assert closest_mm(x0, y0, x0 + s * (x1 - x0), y0 + s * (y1 - y0)) >= radius - 1e-5


@given(
    st.lists(st.integers(0, 40), min_size=1, max_size=12),
    st.integers(1, 40),
    st.integers(0, 200),
    st.sampled_from(["loop", "hold", "stop"]),
    st.sampled_from(["whole", "first_half", "second_half"]),
    st.data(),
)
def test_clock_against_counting_in_whole_milliseconds(
    gaps, last_ms, n_steps, movie_end, movie_part, data
):
    """Integers know no rounding: the frame is the last one that has come."""
    stamps_ms = np.cumsum([0, *gaps])
    period_ms = int(stamps_ms[-1]) + last_ms
    n = len(stamps_ms)
    first, last = {"first_half": (0, n // 2), "second_half": (n // 2, n)}.get(movie_part, (0, n))
    end_ms = period_ms if last == n else int(stamps_ms[last])
    assume(end_ms > stamps_ms[first])
    start = data.draw(st.integers(first, last - 1))
    dt_ms = data.draw(st.integers(1, 30))
    plume = Plume(
        {"kind": "movie", "period_s": period_ms / 1000.0},
        ARENA,
        5.0 + stamps_ms / 1000.0,
        np.zeros((len(stamps_ms), 1, 1)),
    )
    seen = clock(plume, start, n_steps, dt_ms / 1000.0, movie_end, movie_part)
    stamps_ms, period_ms = stamps_ms[first:last] - stamps_ms[first], end_ms - stamps_ms[first]
    want, wraps = [], []
    for i in range(n_steps):
        elapsed = int(stamps_ms[start - first]) + i * dt_ms
        if movie_end == "stop" and elapsed >= period_ms:
            break
        wraps.append(elapsed // period_ms if movie_end == "loop" else 0)
        elapsed -= wraps[-1] * period_ms
        want.append(first + int(np.flatnonzero(stamps_ms <= elapsed)[-1]))
    assert seen.frame.tolist() == want
    assert seen.wraps.tolist() == wraps
    assert seen.ended == (len(want) < n_steps)
