"""Properties of agreement and reproducibility measures, for any numbers."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from plumenav.analysis.agreement import correlation
from plumenav.analysis.reproducibility import first_difference, icc_a1, trajectories_sha256

series = hnp.arrays(np.float64, st.integers(0, 30), elements=st.floats(-1e6, 1e6))
matrices = hnp.arrays(
    np.float64, st.tuples(st.integers(2, 8), st.integers(2, 4)), elements=st.floats(-1e3, 1e3)
)


@given(series, st.data())
def test_correlation_is_symmetric_bounded_and_one_with_itself(a, data):
    b = data.draw(hnp.arrays(np.float64, len(a), elements=st.floats(-1e6, 1e6)))
    r, constant = correlation(a, b)
    assert -1.0 <= r <= 1.0
    assert correlation(b, a) == (r, constant)
    assert correlation(a, a)[0] > 1.0 - 1e-9


@given(matrices, st.data())
def test_icc_is_at_most_one_and_does_not_depend_on_who_comes_first(ratings, data):
    icc = icc_a1(ratings)
    assert np.isfinite(icc)
    assert icc <= 1.0 + 1e-9
    raters = data.draw(st.permutations(range(ratings.shape[1])))
    targets = data.draw(st.permutations(range(ratings.shape[0])))
    other = icc_a1(ratings[targets][:, raters])
    assert abs(other - icc) < 1e-6 * max(1.0, abs(icc))


@given(st.integers(1, 12), st.data())
def test_any_order_and_any_cut_is_the_same_trajectory_and_any_flipped_bit_is_not(n, data):
    x = data.draw(hnp.arrays(np.uint64, n)).view(np.float64)  # any bits: NaN, infinite, -0.0
    table = pa.table(
        {"simulation": np.arange(n) % 3, "step": np.arange(n) // 3, "x_mm": pa.array(x)}
    )
    order = data.draw(st.permutations(range(n)))
    cut = data.draw(st.integers(0, n))
    shuffled = table.take(order)
    assert first_difference(table, shuffled) is None
    digest = trajectories_sha256([table])
    assert trajectories_sha256([shuffled.slice(cut), shuffled.slice(0, cut)]) == digest
    flipped = x.view(np.uint64).copy()
    row, bit = data.draw(st.integers(0, n - 1)), data.draw(st.integers(0, 63))
    flipped[row] ^= np.uint64(1) << np.uint64(bit)
    other = table.set_column(2, "x_mm", pa.array(flipped.view(np.float64)))
    found = first_difference(table, other)
    assert (found["simulation"], found["step"]) == (row % 3, row // 3)
    assert trajectories_sha256([other]) != digest
