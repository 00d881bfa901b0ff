"""Statistics of groups of simulations against numbers worked out by hand."""

from fractions import Fraction
from math import comb
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import factories_results as factory
from plumenav import registry
from plumenav.analysis import contracts, run_files
from plumenav.analysis.proportions import mcnemar_exact, wilson_interval
from plumenav.analysis.stage import csv_text, table_of, write_plume_maps, write_statistics
from plumenav.analysis.statistics import (
    against_null_row,
    completed_rows,
    describe,
    measure_rows,
    null_agent,
    summary_row,
)
from plumenav.errors import UserError
from plumenav.tables import SIMULATIONS, read_table, write_table


def rows(**changes: list[Any]) -> pa.Table:
    """Simulations in which all went well, with some columns changed."""
    n = len(next(iter(changes.values())))
    defaults: dict[str, Any] = {
        "status": "ok", "success": False, "time_to_source_s": None, "end": "horizon",
        "duration_s": 20.0, "path_efficiency": None, "encounters": 2, "encounter_rate_hz": 0.1,
    }  # fmt: skip
    columns = {}
    for field in SIMULATIONS.arrow:
        values = changes.get(field.name)
        if values is None:
            default = defaults.get(field.name, 0)
            values = list(range(n)) if field.name == "simulation" else [default] * n
        columns[field.name] = pa.array(values, field.type)
    return pa.table(columns, schema=SIMULATIONS.arrow)


def test_wilson_interval_known_values() -> None:
    # Newcombe (1998) Stat Med 17:857, Table I, method 3: 81/263, 15/148, 0/20, 1/29
    for k, n, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        assert wilson_interval(k, n) == pytest.approx((low, high), abs=5e-5)
    assert wilson_interval(0, 0) == (0.0, 1.0)
    with pytest.raises(ValueError, match="3 successes of 2"):
        wilson_interval(3, 2)


@settings(deadline=None)
@given(st.integers(0, 300), st.integers(0, 300))
def test_wilson_is_symmetric_and_holds_the_estimate(a: int, b: int) -> None:
    low, high = wilson_interval(a, a + b)
    mirrored = wilson_interval(b, a + b)
    assert (1 - mirrored[1], 1 - mirrored[0]) == pytest.approx((low, high), abs=1e-12)
    if a + b:
        assert low <= a / (a + b) <= high


@settings(deadline=None)
@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_is_the_exact_binomial(b: int, c: int) -> None:
    n, k = b + c, min(b, c)
    exact = min(Fraction(1), 2 * Fraction(sum(comb(n, i) for i in range(k + 1)), 2**n))
    assert mcnemar_exact(b, c) == pytest.approx(float(exact), rel=1e-10)


def test_describe_by_hand() -> None:
    found = describe(np.array([1.0, 2.0, 3.0, 4.0, np.nan]))
    assert found == {
        "n": 4,
        "mean": 2.5,
        "sd": pytest.approx((5 / 3) ** 0.5),
        "minimum": 1.0,
        "q25": 1.75,
        "median": 2.5,
        "q75": 3.25,
        "maximum": 4.0,
    }
    assert describe(np.array([np.nan]))["median"] is None
    assert describe(np.array([7.0]))["sd"] is None


def test_summary_by_hand() -> None:
    table = rows(
        success=[True, True, False, False, False, None],
        time_to_source_s=[4.0, 10.0, None, None, None, None],
        end=["source", "source", "horizon", "left", "movie", ""],
        duration_s=[4.0, 10.0, 20.0, 6.0, 12.0, 0.0],
        status=["ok"] * 5 + ["not finite"],
        path_efficiency=[0.5, 0.9, None, None, None, None],
        net_upwind_mm=[100.0, 50.0, 20.0, -60.0, 0.0, 9e9],
        encounters=[3, 1, 0, 0, 1, 99],
        clipped_rates=[0, 2, 0, 0, 0, 5],
    )
    row = summary_row(table, None, 20.0)
    assert (row["n"], row["completed"], row["failed"]) == (6, 5, 1)
    assert (row["successes"], row["success_rate"]) == (2, 0.4)
    assert (row["ci_low"], row["ci_high"]) == wilson_interval(2, 5)
    assert row["median_time_s"] == 7.0
    assert (row["left"], row["censored"]) == (1, 1)
    # both arrivals precede the censoring, so nothing is lost: 2 of 5
    assert row["incidence"] == 0.4
    # 20 - (16 + 10) / 5
    assert row["restricted_mean_time_s"] == pytest.approx(14.8)
    assert row["path_efficiency_median"] == pytest.approx(0.7)
    assert row["net_upwind_mm_mean"] == 22.0
    assert row["encounters_mean"] == 1.0
    assert (row["smelled_nothing"], row["clipped_simulations"]) == (2, 1)
    # 25, 5, 1, -10, 0 mm/s
    assert row["upwind_velocity_mm_s_mean"] == pytest.approx(4.2)
    assert row["blank_n"] == 0
    assert row["blank_success_rate"] is None


def test_blank_control_stands_beside() -> None:
    blank = rows(success=[True, False, False, False], net_upwind_mm=[40.0, 0.0, 0.0, 0.0])
    row = summary_row(rows(success=[False]), blank, 20.0)
    assert (row["blank_n"], row["blank_successes"], row["blank_success_rate"]) == (4, 1, 0.25)
    assert row["blank_net_upwind_mm_mean"] == 10.0
    assert row["blank_upwind_velocity_mm_s_mean"] == 0.5


def test_nothing_completed_has_no_rate() -> None:
    row = summary_row(rows(success=[None, None], status=["lost", "lost"]), None, 20.0)
    assert (row["completed"], row["failed"], row["success_rate"]) == (0, 2, None)
    assert row["restricted_mean_time_s"] is None
    assert row["median_time_s"] is None


def test_against_null_pairs_by_simulation_number() -> None:
    mine = rows(simulation=[3, 1, 2, 9], success=[True, True, False, True])
    null = rows(simulation=[1, 2, 3, 4], success=[False, True, False, True])
    row = against_null_row(mine, null)
    assert (row["pairs"], row["both"], row["agent_only"], row["null_only"]) == (3, 0, 2, 1)
    assert row["neither"] == 0
    assert row["difference"] == pytest.approx(1 / 3)
    assert row["p_value"] == 1.0


def test_null_agent_is_the_null_model_then_the_blind_one() -> None:
    walk = {"model": "correlated_random_walk", "control": "none"}
    blind, normal = {"model": "on_off", "control": "blind"}, {"model": "on_off"}
    assert null_agent({"a": normal, "b": blind, "c": walk}) == "c"
    assert null_agent({"a": normal, "b": blind}) == "b"
    assert null_agent({"a": normal}) is None


@pytest.mark.parametrize("name", registry.names("measure"))
def test_every_measure_keeps_its_contract(name: str) -> None:
    measure = registry.get("measure", name)
    assert measure.UNIT
    assert measure.DESCRIPTION
    assert measure.SOURCE
    w = factory.walks(12, 0.2, 1, 5.0, 15.0)
    columns = completed_rows(factory.simulations_table(w, 15.0, failed=2))
    values = measure.values(columns)
    assert values.shape == (10,)
    assert values.dtype == np.float64
    assert not np.isinf(values).any()
    # a simulation of no length must not divide by zero
    columns = {**columns, "duration_s": np.zeros(10)}
    assert not np.isinf(measure.values(columns)).any()


def test_measures_that_are_ratios() -> None:
    columns = completed_rows(rows(time_in_plume_s=[5.0], time_outside_s=[10.0], net_upwind_mm=[8]))
    names = ["time_in_plume_fraction", "time_outside_fraction", "upwind_velocity_mm_s"]
    assert [row["mean"] for row in measure_rows(columns, names)] == [0.25, 0.5, 0.4]


def test_stage_writes_sorted_tables_that_say_what_is_in_the_files(tmp_path: Path) -> None:
    config = factory.config({"b": "movie", "a": "signal"}, simulations=12)
    factory.write_run(tmp_path, config, failed=2)
    write_statistics(tmp_path, config)
    summary = read_table(tmp_path / "statistics/summary.parquet", contracts.SUMMARY).to_pylist()
    assert [(r["recording"], r["agent"]) for r in summary] == [
        (r, a) for r in ("a", "b") for a in sorted(factory.MODELS)
    ]
    for row in summary:
        table = run_files.read_simulations(tmp_path, row["recording"], row["agent"])
        assert row["successes"] == sum(bool(s) for s in table.column("success").to_pylist())
        assert (row["n"], row["failed"], row["blank_n"]) == (12, 2, 20)
    nulls = read_table(tmp_path / "statistics/against_null.parquet", contracts.AGAINST_NULL)
    assert set(nulls.column("null_agent").to_pylist()) == {"correlated_random_walk"}
    assert nulls.num_rows == 6
    text = (tmp_path / "statistics/summary.csv").read_text()
    assert len(text.splitlines()) == 9
    # cutting the same simulations into other chunks changes no byte
    other = tmp_path / "other"
    factory.write_run(other, config, failed=2, chunks=5)
    write_statistics(other, config)
    for name in ("summary", "measures", "arrival", "against_null", "time_courses"):
        for suffix in ("csv", "parquet"):
            file = f"statistics/{name}.{suffix}"
            assert (tmp_path / file).read_bytes() == (other / file).read_bytes(), file


def test_chunks_of_an_earlier_cut_are_noticed(tmp_path: Path) -> None:
    table = factory.simulations_table(factory.walks(4, 0.1, 1, 3.0, 15.0), 15.0)
    folder = tmp_path / "simulations/r/a"
    write_table(folder / "0000.parquet", table, SIMULATIONS)
    write_table(folder / "0001.parquet", table.slice(2), SIMULATIONS)
    with pytest.raises(UserError, match="holds a simulation twice"):
        run_files.read_simulations(tmp_path, "r", "a")
    assert run_files.read_simulations(tmp_path, "r", "a", {"a": ["0000"]}).num_rows == 4
    with pytest.raises(UserError, match="no such file"):
        run_files.read_simulations(tmp_path, "r", "a", {"a": ["0007"]})


def test_csv_is_exact_and_leaves_missing_cells_empty() -> None:
    row = dict.fromkeys(contracts.ARRIVAL.arrow.names, None)
    row |= {"recording": 'a "b", c', "agent": "x", "time_s": 0.1 + 0.2, "at_risk": 3}
    text = csv_text(table_of([row], contracts.ARRIVAL))
    assert text.splitlines()[1] == '"a ""b"", c",x,0.30000000000000004,,,,3'


def test_maps_are_written_for_every_kind(tmp_path: Path) -> None:
    kinds = {"m": "movie", "g": "analytic", "s": "signal"}
    for label, kind in kinds.items():
        factory.write_plume(tmp_path, label, kind)
    first = [p.read_bytes() for p in write_plume_maps(tmp_path, list(kinds))]
    assert first == [p.read_bytes() for p in write_plume_maps(tmp_path, list(kinds))]
