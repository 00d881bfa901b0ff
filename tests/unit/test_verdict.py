"""The verdict: worst cases win, and every miss is named with what was required."""

import json

import pyarrow as pa
import pytest

from plumenav.analysis.agreement import Agreement
from plumenav.analysis.verdict import judge, verdict
from plumenav.tables import AGREEMENT

LIMITS = {"max_error_mm": 1e-6, "min_correlation": 0.95, "min_icc": 0.99, "max_p": 0.05}


def agreement(agent="fly", recording="smoke", n=5, p_value=0.001, **changes):
    row = {
        **{"recording": recording, "agent": agent, "steps": 100, "steps_recorded": 100},
        **{"max_error_mm": 1e-9, "max_odor_error": 0.0, "states_equal": True},
        **{"lengths_equal": True, "r_dx": 1.0, "r_dy": 0.999, "r_dheading": 0.998},
        **{"r_x": 1.0, "r_y": 0.9999, "constant_series": 0, "tie_step": None},
        **{"encounters": 2, "end": "horizon", "passed": True},
    }
    rows = [{**row, "simulation": i} for i in range(n)]
    if changes:
        rows[n // 2] |= changes
    sample = {"reached": 1, "left": 2, "smelled": 5, "missing": []}
    summary = {"recording": recording, "agent": agent, "n": n, "p_value": p_value}
    table = pa.Table.from_pylist(rows, schema=AGREEMENT.arrow)
    return Agreement(table, {**summary, "sample": sample})


def decide(*agreements, icc=1.0, bitwise=True, mutants=(), **options):
    return verdict(
        agreements or [agreement()],
        reproducibility_icc=icc,
        bitwise_identical=bitwise,
        mutants=mutants,
        limits=LIMITS,
        **options,
    )


def test_a_good_run_passes_and_is_json():
    result = decide(agreement(), agreement(recording="water", p_value=0.02))
    assert result["passed"] is True
    assert result["missed"] == []
    fly = result["agents"]["fly"]
    assert (fly["n"], fly["min_r"], fly["p_value"]) == (10, 0.998, 0.02)
    assert fly["original_code"] is None
    assert sorted(fly["by_recording"]) == ["smoke", "water"]
    smoke = fly["by_recording"]["smoke"]
    assert (smoke["position_r"], smoke["ties"], smoke["sample"]["left"]) == (0.9999, 0, 2)
    assert result["min_correlation"] == 0.998
    assert result["limits"]["max_p"] == 0.05
    assert json.loads(json.dumps(result, allow_nan=False)) == result


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"max_error_mm": 2e-6}, "largest position error, mm"),
        ({"max_odor_error": 2e-6}, "largest odour error, relative"),
        ({"states_equal": False}, "simulations with another behaviour"),
        ({"lengths_equal": False}, "simulations with another length or end"),
        ({"r_dheading": 0.94}, "smallest correlation of increments"),
        ({"p_value": 0.06}, "p-value of the pairing"),
    ],
)
def test_one_bad_simulation_fails_the_agent_and_the_run(changes, what):
    result = decide(agreement("snail"), agreement(**changes))
    assert result["passed"] is False
    assert result["agents"]["snail"]["passed"] is True
    assert result["agents"]["fly"]["passed"] is False
    assert [one["what"] for one in result["missed"]] == [f"fly in smoke: {what}"]


def test_one_tie_is_allowed_and_two_of_five_are_not():
    one = agreement(tie_step=7, lengths_equal=False)
    entry, missed = judge(one, LIMITS)
    assert (entry["ties"], missed) == (1, [])
    twice = one.rows.set_column(
        one.rows.column_names.index("tie_step"),
        "tie_step",
        pa.array([None, 7, 7, None, None], pa.int64()),
    )
    _, missed = judge(one._replace(rows=twice), LIMITS)
    assert [miss["what"] for miss in missed] == ["fly in smoke: simulations cut short at a tie"]


def test_reproducibility_is_required():
    assert [one["what"] for one in decide(icc=0.98)["missed"]] == ["reproducibility, ICC(A,1)"]
    assert decide(icc=float("inf"))["passed"]
    assert not decide(icc=float("nan"))["passed"]
    assert not decide(bitwise=False)["passed"]


def test_a_wrong_engine_that_passes_fails_the_gate():
    mutant = {"agent": "fly", "recording": "smoke", "mutant": "mirrored"}
    caught = {**mutant, "caught": True, "applicable": True}
    idle = {**mutant, "mutant": "half gain", "caught": False, "applicable": False}
    assert decide(mutants=[caught, idle])["passed"] is True
    result = decide(mutants=[caught, {**idle, "applicable": True}])
    assert result["passed"] is False
    assert "'half gain'" in result["missed"][0]["what"]


def test_data_of_the_authors_own_code_is_kept_apart():
    data = {"source": "their repository", "n": 12, "passed": True}
    result = decide(original_code={"fly": data})
    assert result["agents"]["fly"]["original_code"] == data
    assert decide(original_code={"fly": {**data, "passed": False}})["passed"] is False


def test_nothing_compared_is_no_agreement():
    none = verdict([], reproducibility_icc=1.0, bitwise_identical=True, mutants=[], limits=LIMITS)
    assert (none["passed"], none["min_correlation"]) == (False, 0.0)
    empty = decide(agreement(n=0))
    assert empty["passed"] is False
    assert empty["missed"][0]["required"] == "at least 1"


def test_an_agent_without_a_reference_is_named_and_neither_fails_nor_is_validated():
    result = decide(agreement(), without_reference=["mine"])
    assert result["passed"] is True
    assert result["not_validated"] == ["mine"]
    assert set(result["agents"]) == {"fly"}
    # not even where there is nobody else
    alone = verdict(
        [],
        reproducibility_icc=1.0,
        bitwise_identical=True,
        mutants=(),
        limits=LIMITS,
        without_reference=["mine"],
    )
    assert alone["passed"] is True
    assert alone["agents"] == {}
