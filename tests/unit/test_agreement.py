"""Measuring agreement: identical runs pass, and every single kind of deviation is found."""

import numpy as np
import pyarrow as pa
import pytest

from plumenav.analysis.agreement import (
    UNDEFINED_ERROR,
    compare,
    correlation,
    cross_correlations,
    increment_correlations,
    pairing_p_value,
)
from plumenav.analysis.verdict import judge
from plumenav.tables import AGREEMENT, REFERENCE, read_table, write_table

LIMITS = {"max_error_mm": 1e-6, "min_correlation": 0.95, "min_icc": 0.99, "max_p": 0.05}
N, STEPS, DT = 8, 400, 0.02


def walks(seed=1, n=N, steps=STEPS):
    """Columns of n correlated random walks with odour whiffs, as dict of arrays (n, steps)."""
    g = np.random.default_rng(seed)
    heading = np.cumsum(g.normal(0.0, 0.2, (n, steps)), axis=1)
    x = 100.0 - np.cumsum(10.0 * DT * (0.5 + np.cos(heading)), axis=1)
    y = np.cumsum(10.0 * DT * np.sin(heading), axis=1)
    odor = np.where(g.random((n, steps)) < 0.1, g.random((n, steps)), 0.0)
    return {
        "x_mm": x,
        "y_mm": y,
        "heading_rad": heading,
        "odor": odor,
        "state": (g.random((n, steps)) < 0.5).astype(np.int8),
        "margin": np.full((n, steps), 0.01),
    }


def table(columns, lengths=None):
    """REFERENCE table of walks, cut to `lengths` steps."""
    n, steps = columns["x_mm"].shape
    lengths = [steps] * n if lengths is None else lengths
    keep = np.arange(steps) < np.array(lengths)[:, None]
    simulation, step = np.nonzero(keep)
    arrays = {
        "simulation": simulation,
        "step": step,
        **{name: values[keep] for name, values in columns.items()},
    }
    return pa.table(
        {field.name: pa.array(arrays[field.name], field.type) for field in REFERENCE.arrow}
    )


def simulations(n=N, **changes):
    row = {
        **{"status": "ok", "success": False, "time_to_source_s": None, "end": "horizon"},
        **{"encounters": 3, "time_outside_s": 0.0, "final_x_mm": 1.0, "final_y_mm": 2.0},
        **changes,
    }
    return pa.Table.from_pylist([{"simulation": i, **row} for i in range(n)])


def agreement(engine, reference, sims=None, **options):
    sims = simulations() if sims is None else sims
    return compare(
        engine, reference, sims, recording="smoke", agent="fly", limits=LIMITS, **options
    )


def changed(columns, **changes):
    return {**{name: values.copy() for name, values in columns.items()}, **changes}


def failures(result, limits=LIMITS):
    entry, missed = judge(result, limits)
    assert entry["passed"] is (not missed)
    return [one["what"].split(": ")[1] for one in missed]


# -------------------------------------------------------------------------------- it passes


def test_identical_tables_pass_in_any_order_of_rows(tmp_path):
    reference = table(walks())
    order = np.random.default_rng(2).permutation(reference.num_rows)
    result = agreement(reference.take(order), reference)
    rows = result.rows.to_pylist()
    assert result.rows.schema.equals(AGREEMENT.arrow)
    assert [row["simulation"] for row in rows] == list(range(N))
    for row in rows:
        assert row["passed"]
        assert (row["steps"], row["steps_recorded"], row["tie_step"]) == (STEPS, STEPS, None)
        assert (row["max_error_mm"], row["max_odor_error"]) == (0.0, 0.0)
        assert row["r_dx"] == pytest.approx(1.0)
        assert row["r_x"] == pytest.approx(1.0)
        assert (row["constant_series"], row["encounters"], row["end"]) == (0, 3, "horizon")
    assert failures(result) == []
    assert result.summary["p_value"] == 1 / 1000
    path = tmp_path / "agreement.parquet"
    write_table(path, result.rows, AGREEMENT, result.summary)
    assert read_table(path, AGREEMENT).to_pylist() == rows


def test_rounding_passes():
    columns = walks()
    noise = np.random.default_rng(3).normal(0.0, 1e-10, (N, STEPS))
    engine = changed(columns, x_mm=columns["x_mm"] + noise, odor=columns["odor"] * (1 + 1e-8))
    assert failures(agreement(table(engine), table(columns))) == []


# -------------------------------------------------------------------------------- it fails


def test_a_shift_of_a_hundredth_of_a_micrometre_is_found():
    columns = walks()
    engine = changed(columns)
    engine["y_mm"][3, 200:] += 1e-5
    result = agreement(table(engine), table(columns))
    assert failures(result) == ["largest position error, mm"]
    assert [row["passed"] for row in result.rows.to_pylist()].count(False) == 1
    assert result.rows.column("max_error_mm").to_pylist()[3] == pytest.approx(1e-5)


def test_one_behaviour_code_is_found():
    columns = walks()
    engine = changed(columns)
    engine["state"][5, 17] ^= 1
    result = agreement(table(engine), table(columns))
    assert failures(result) == ["simulations with another behaviour"]
    assert result.rows.column("states_equal").to_pylist()[5] is False


def test_a_mirrored_or_weakened_plume_is_found_where_the_agent_does_not_care():
    columns = walks()
    for odor in (columns["odor"] / 2.0, columns["odor"][:, ::-1], columns["odor"] + 1e-5):
        result = agreement(table(changed(columns, odor=odor)), table(columns))
        assert failures(result) == ["largest odour error, relative"]


def test_odour_errors_are_relative_where_odour_is_strong():
    columns = changed(walks(), odor=np.full((N, STEPS), 1e4))
    near = changed(columns, odor=np.full((N, STEPS), 1e4 + 1e-3))
    assert failures(agreement(table(near), table(columns))) == []
    far = changed(columns, odor=np.full((N, STEPS), 1e4 + 1e-1))
    assert failures(agreement(table(far), table(columns))) == ["largest odour error, relative"]


def test_a_simulation_that_lags_one_step_is_found():
    columns = walks()
    late = {name: np.concatenate([v[:, :1], v[:, :-1]], axis=1) for name, v in columns.items()}
    found = failures(agreement(table(late), table(columns)))
    assert "largest position error, mm" in found
    assert "simulations with another behaviour" in found


def test_uncorrelated_steps_are_found_even_where_no_other_limit_is():
    columns = walks()
    g = np.random.default_rng(4)
    engine = changed(columns, heading_rad=np.cumsum(g.normal(0.0, 0.2, (N, STEPS)), axis=1))
    assert "smallest correlation of increments" in failures(
        agreement(table(engine), table(columns))
    )


def test_missing_steps_are_found():
    columns = walks()
    lengths = [STEPS] * N
    lengths[2] -= 1
    result = agreement(table(columns, lengths), table(columns))
    assert failures(result) == ["simulations with another length or end"]
    assert result.rows.column("passed").to_pylist() == [i != 2 for i in range(N)]
    # the same length, but one step number left out
    gap = table(columns).to_pandas()
    gap.loc[(gap.simulation == 2) & (gap.step >= 100), "step"] += 1
    holed = pa.Table.from_pandas(gap, schema=REFERENCE.arrow, preserve_index=False)
    assert failures(agreement(holed, table(columns))) == ["simulations with another length or end"]


def test_a_missing_simulation_is_found_and_has_numbers_all_the_same():
    columns = walks()
    lengths = [STEPS] * N
    lengths[0] = 0
    result = agreement(table(columns, lengths), table(columns))
    first = result.rows.to_pylist()[0]
    assert (first["steps"], first["passed"]) == (0, False)
    assert first["max_error_mm"] == UNDEFINED_ERROR
    assert "largest position error, mm" in failures(result)


def test_a_simulation_nobody_asked_for_is_an_error():
    columns = walks()
    with pytest.raises(ValueError, match=r"unknown simulations \[7\]"):
        agreement(table(columns), table(columns), simulations(N - 1))


@pytest.mark.parametrize("name", ["x_mm", "odor", "heading_rad"])
def test_not_a_number_is_never_agreement(name):
    columns = walks()
    engine = changed(columns)
    engine[name][1, 50] = np.nan
    result = agreement(table(engine), table(columns))
    assert failures(result)
    for column in ("max_error_mm", "max_odor_error", "r_dx", "r_dheading", "r_x"):
        assert np.isfinite(result.rows.column(column).to_numpy()).all()


@pytest.mark.parametrize(
    "change",
    [
        {"end": "source"},
        {"time_to_source_s": 3.0},
        {"final_x_mm": 1.0 + 1e-5},
        {"final_y_mm": float("nan")},
    ],
)
def test_another_end_is_found(change):
    columns = walks()
    ends = simulations().to_pylist()
    good = agreement(table(columns), table(columns), outcomes=ends)
    assert failures(good) == []
    ends[4] |= change
    bad = agreement(table(columns), table(columns), outcomes=ends)
    assert failures(bad) == ["simulations with another length or end"]


def test_swapped_references_fail_and_are_not_significant():
    columns = walks()
    swapped = {name: np.roll(values, 1, axis=0) for name, values in columns.items()}
    result = agreement(table(columns), table(swapped))
    assert result.summary["p_value"] > 0.3
    assert "p-value of the pairing" in failures(result)


def test_two_unrelated_agents_that_drift_upwind_fail_though_their_positions_correlate():
    n, steps = 8, 24000
    g = np.random.default_rng(6)

    def drifting():
        return changed(
            walks(7, n, steps),
            x_mm=np.cumsum(-0.02 + g.normal(0.0, 0.05, (n, steps)), axis=1),
            y_mm=np.cumsum(0.02 + g.normal(0.0, 0.05, (n, steps)), axis=1),
            heading_rad=np.cumsum(g.normal(0.0, 0.1, (n, steps)), axis=1),
        )

    result = agreement(table(drifting()), table(drifting()))
    assert min(result.rows.column("r_x").to_pylist()) > 0.998
    assert max(result.rows.column("r_dx").to_pylist()) < 0.05
    assert result.summary["p_value"] > 0.05
    assert set(failures(result)) >= {
        "smallest correlation of increments",
        "p-value of the pairing",
        "largest position error, mm",
    }


# ------------------------------------------------------------------------------------- ties


def split_at(columns, simulation, at, tie_at=None):
    """An engine that goes another way after step `at`, and its reference, with a tie or none."""
    engine, reference = changed(columns), changed(columns)
    engine["x_mm"][simulation, at + 1 :] += 3.0
    engine["state"][simulation, at + 1 :] ^= 1
    if tie_at is not None:
        reference["margin"][simulation, tie_at] = 1e-12
    return table(engine), table(reference)


def test_what_follows_a_tie_is_not_compared_but_counted():
    result = agreement(*split_at(walks(), 2, at=150, tie_at=150))
    row = result.rows.to_pylist()[2]
    assert (row["tie_step"], row["steps"], row["passed"]) == (150, 151, True)
    assert row["max_error_mm"] == 0.0
    entry, missed = judge(result, LIMITS)
    assert (entry["ties"], missed) == (1, [])


@pytest.mark.parametrize("tie_at", [None, 152])
def test_a_tie_after_the_parting_of_ways_excuses_nothing(tie_at):
    result = agreement(*split_at(walks(), 2, at=150, tie_at=tie_at))
    row = result.rows.to_pylist()[2]
    assert (row["tie_step"], row["passed"]) == (None, False)
    assert row["max_error_mm"] == pytest.approx(3.0)


def test_a_tie_that_falls_the_same_way_is_no_cut():
    columns = walks()
    reference = changed(columns)
    reference["margin"][:, 10] = 0.0
    rows = agreement(table(columns), table(reference)).rows
    assert rows.column("tie_step").null_count == N
    assert set(rows.column("steps").to_pylist()) == {STEPS}


def test_a_tie_may_end_a_simulation_earlier():
    columns = walks()
    reference = changed(columns)
    reference["margin"][1, 299] = 0.0
    lengths = [STEPS] * N
    lengths[1] = 300
    result = agreement(table(columns, lengths), table(reference))
    assert failures(result) == []
    assert result.rows.column("tie_step").to_pylist()[1] == 299


def test_differences_before_the_tie_still_count():
    engine, reference = split_at(walks(), 2, at=150, tie_at=150)
    wrong = engine.to_pandas()
    wrong.loc[(wrong.simulation == 2) & (wrong.step == 100), "y_mm"] += 1e-3
    engine = pa.Table.from_pandas(wrong, schema=REFERENCE.arrow, preserve_index=False)
    assert failures(agreement(engine, reference))


def test_many_ties_show_nothing():
    columns = walks()
    engine, reference = changed(columns), changed(columns)
    reference["margin"][:, 20] = 0.0
    engine["odor"][:, 21:] *= 0.5
    assert failures(agreement(table(engine), table(reference))) == [
        "simulations cut short at a tie"
    ]


# ------------------------------------------------------------------------------ correlation


def test_correlation_is_pearsons():
    g = np.random.default_rng(8)
    a, b = g.normal(size=(2, 500))
    b = b + a
    assert correlation(a, b) == (pytest.approx(np.corrcoef(a, b)[0, 1]), False)
    assert correlation(1e-7 * a, -1e-7 * a) == (pytest.approx(-1.0), False)


def test_constant_series_are_counted_and_never_nan():
    flat = np.full(50, 0.3)
    moving = np.linspace(0.0, 1.0, 50)
    assert correlation(flat, flat + 1e-12) == (1.0, True)
    assert correlation(flat, flat + 1e-8) == (0.0, True)
    assert correlation(flat, moving) == (0.0, True)
    assert correlation(moving, flat) == (0.0, True)
    assert correlation(np.zeros(0), np.zeros(0)) == (1.0, True)
    columns = changed(walks(), heading_rad=np.full((N, STEPS), 2.0))
    result = agreement(table(columns), table(columns))
    entry, missed = judge(result, LIMITS)
    assert (entry["constant_series"], entry["min_r"], missed) == (N, pytest.approx(1.0), [])
    engine = changed(columns, heading_rad=2.0 + 1e-3 * walks(9)["heading_rad"])
    assert failures(agreement(table(engine), table(columns))) == [
        "smallest correlation of increments"
    ]


def test_increments_are_compared_over_the_common_part():
    g = np.random.default_rng(10)
    a = g.normal(size=(3, 100))
    r, constant = increment_correlations(a, a[:, :60])
    assert r == pytest.approx([1.0, 1.0, 1.0])
    assert constant == [False, False, False]


# ---------------------------------------------------------------------------------- p-value


def tracks(seed, lengths):
    g = np.random.default_rng(seed)
    return [np.cumsum(g.normal(size=(3, n)), axis=1) for n in lengths]


def test_p_value_of_true_pairs_counts_only_the_true_pairing():
    ours = tracks(1, (300, 200, 250, 300, 120, 280, 300))
    assert pairing_p_value(ours, ours, 199) == 1 / 200
    # among four, 1 of 24 pairings is the true one
    assert pairing_p_value(ours[:4], ours[:4], 4799) == pytest.approx(1 / 24, abs=0.012)
    assert pairing_p_value(ours[:1], ours[:1], 99) == 1.0
    assert pairing_p_value([], [], 99) == 1.0


def test_p_value_of_identical_simulations_shows_no_pairing():
    same = tracks(2, (200,)) * 6
    assert pairing_p_value(same, same, 199) == 1.0


def test_p_values_of_strangers_are_spread_evenly():
    p = [
        pairing_p_value(tracks(100 + i, (60,) * 6), tracks(900 + i, (60,) * 6), 199)
        for i in range(60)
    ]
    # the mean of 60 uniform numbers has standard error 0.037
    assert abs(np.mean(p) - 0.5) < 4 * 0.037
    assert 1 <= sum(one <= 0.25 for one in p) <= 30


def test_all_pairs_at_once_are_the_correlations_of_each():
    g = np.random.default_rng(7)
    ours = [g.normal(3.0, 1.0, length).cumsum() for length in (400, 7, 120, 2, 1)]
    ours += [np.zeros(60), np.full(60, 1e3), np.r_[np.full(300, 5.0), g.normal(5.0, 1.0, 100)]]
    ours += [1e6 + 1e-3 * g.normal(size=200), 1e-10 * g.normal(size=200), np.zeros(0)]
    ours += [np.r_[1e-11 * g.normal(size=50), [1.0, -1.0]], np.r_[g.normal(size=30), np.nan]]
    theirs = [*reversed(ours), *(one + 1e-5 * g.normal(size=len(one)) for one in ours)]
    found = cross_correlations(ours, theirs)
    for i, a in enumerate(ours):
        for j, b in enumerate(theirs):
            n = min(len(a), len(b))
            assert found[i, j] == pytest.approx(correlation(a[:n], b[:n])[0], abs=1e-10), (i, j)
