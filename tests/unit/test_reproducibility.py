"""ICC(A,1) against a textbook, bitwise comparison, fingerprints."""

import numpy as np
import pyarrow as pa
import pytest

from plumenav.analysis.reproducibility import first_difference, icc_a1, trajectories_sha256
from plumenav.tables import TRAJECTORIES

# Shrout & Fleiss 1979, table 2: six targets, four judges
JUDGES = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
)


def test_icc_gives_the_textbook_value():
    assert icc_a1(JUDGES) == pytest.approx(0.2898, abs=5e-5)


def test_icc_asks_for_agreement_not_for_correlation():
    x = np.linspace(0.0, 1.0, 20)
    assert icc_a1(np.column_stack([x, x])) == 1.0
    assert icc_a1(np.column_stack([x, x + 1.0])) < 0.2
    assert icc_a1(np.column_stack([x, 1.0 - x])) < 0.0
    assert icc_a1(np.full((5, 2), 3.0)) == 1.0


def test_icc_of_noisy_ratings_is_the_share_of_true_variance():
    g = np.random.default_rng(1)
    truth = g.normal(0.0, 2.0, (20000, 1))
    ratings = truth + g.normal(0.0, 1.0, (20000, 2))
    assert icc_a1(ratings) == pytest.approx(4.0 / 5.0, abs=0.02)


@pytest.mark.parametrize("bad", [np.ones((1, 2)), np.ones((4, 1)), np.array([[1, np.nan]] * 3)])
def test_icc_refuses_what_has_no_coefficient(bad):
    with pytest.raises(ValueError, match="finite, at least 2 x 2"):
        icc_a1(bad)


def trajectories(n=4, steps=50, seed=1):
    g = np.random.default_rng(seed)
    simulation, step = (part.ravel() for part in np.mgrid[0:n, 0:steps])
    columns = {"simulation": simulation, "step": step, "frame": step // 2}
    columns |= {
        name: g.normal(size=n * steps) for name in ("time_s", "x_mm", "y_mm", "heading_rad", "odor")
    }
    columns["state"] = g.integers(0, 3, n * steps)
    return pa.table(
        {field.name: pa.array(columns[field.name], field.type) for field in TRAJECTORIES.arrow}
    )


def replaced(table, name, values):
    index = table.column_names.index(name)
    return table.set_column(index, table.schema.field(name), pa.chunked_array([values]))


def set_value(table, name, row, value):
    values = table.column(name).to_pylist()
    values[row] = value
    return replaced(table, name, pa.array(values, table.schema.field(name).type))


def test_same_rows_in_another_order_are_the_same_bits():
    table = trajectories()
    shuffled = table.take(np.random.default_rng(2).permutation(table.num_rows))
    assert first_difference(table, shuffled) is None


def test_the_first_difference_is_told_by_simulation_step_and_column():
    table = trajectories()
    other = set_value(table, "y_mm", 130, np.nextafter(table.column("y_mm")[130].as_py(), 9.0))
    other = set_value(other, "state", 170, 9)
    shuffled = other.take(np.random.default_rng(3).permutation(table.num_rows))
    found = first_difference(table, shuffled)
    assert (found["what"], found["column"]) == ("value", "y_mm")
    assert (found["simulation"], found["step"]) == (2, 30)
    assert float(found["a"]) != float(found["b"])


def test_equal_nans_are_equal_and_signed_zeros_are_not():
    nan = set_value(trajectories(), "odor", 3, float("nan"))
    assert first_difference(nan, set_value(trajectories(), "odor", 3, float("nan"))) is None
    assert first_difference(nan, trajectories())["column"] == "odor"
    zero, negative = (set_value(trajectories(), "x_mm", 3, value) for value in (0.0, -0.0))
    assert first_difference(zero, negative)["a"] == "0.0"


def test_nulls_booleans_and_texts_are_compared_too():
    table = pa.table(
        {
            "simulation": [2, 1],
            "time_to_source_s": pa.array([None, 0.0]),
            "success": [False, True],
            "end": ["source", "left"],
        }
    )
    assert first_difference(table, table.take([1, 0])) is None
    filled = set_value(table, "time_to_source_s", 0, 0.0)
    found = first_difference(table, filled)
    assert (found["simulation"], found["step"], found["a"], found["b"]) == (2, None, "None", "0.0")
    assert first_difference(table, set_value(table, "success", 1, False))["column"] == "success"
    assert first_difference(table, set_value(table, "end", 1, "left it"))["column"] == "end"


def test_other_columns_types_or_lengths_are_told():
    table = trajectories()
    assert first_difference(table, table.drop_columns(["odor"]))["what"] == "columns"
    assert first_difference(table, table.slice(1))["what"] == "rows"
    other = table.set_column(7, "odor", table.column("odor").cast(pa.float64()))
    assert first_difference(table, other) == {
        **{"what": "types", "column": "odor", "simulation": None, "step": None},
        **{"a": "float", "b": "double"},
    }


def test_fingerprint_does_not_see_files_chunks_or_order():
    table = trajectories()
    whole = trajectories_sha256([table])
    order = np.random.default_rng(4).permutation(table.num_rows)
    assert trajectories_sha256([table.take(order)]) == whole
    assert trajectories_sha256([table.slice(120), table.slice(0, 120)]) == whole
    chunks = pa.concat_tables([table.slice(i, 7) for i in range(0, table.num_rows, 7)])
    assert trajectories_sha256([chunks.replace_schema_metadata({"made": "elsewhere"})]) == whole
    assert trajectories_sha256([table.select(table.column_names[::-1])]) == whole


def test_fingerprint_sees_everything_else():
    table = trajectories()
    seen = {trajectories_sha256([table])}
    for name in table.column_names:
        value = table.column(name)[60].as_py()
        other = set_value(table, name, 60, value + 1)
        seen.add(trajectories_sha256([other]))
    seen.add(trajectories_sha256([set_value(table, "odor", 60, None)]))
    seen.add(trajectories_sha256([set_value(table, "odor", 60, 0.0)]))
    seen.add(trajectories_sha256([table.slice(0, table.num_rows - 1)]))
    seen.add(trajectories_sha256([table.rename_columns([*table.column_names[:-1], "code"])]))
    assert len(seen) == 1 + len(table.column_names) + 4
    with pytest.raises(ValueError, match="columns differ"):
        trajectories_sha256([table, table.drop_columns(["odor"])])
    with pytest.raises(ValueError, match="no trajectories"):
        trajectories_sha256([])
