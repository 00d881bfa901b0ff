"""Published numbers: the data file, the judgement, and that ours meet them."""

import math
from pathlib import Path

import pytest

from plumenav import registry
from plumenav.analysis.published import targets
from plumenav.analysis.published._contract import Measurement
from plumenav.analysis.published.targets import (
    Target,
    compared,
    families,
    judge,
    load_targets,
    measure,
    models_of,
    not_computed,
    original_code,
)

FOLDER = Path(targets.__file__).parent
FAMILIES = sorted(
    path.stem
    for path in FOLDER.glob("*.py")
    if not path.stem.startswith("_") and path.stem != "targets"
)


def target(**changes):
    entry = {
        **{"name": "a rate", "model": "on_off", "source": "a paper", "tag": "ran"},
        **{"column": "authors", "published": 2.0, "kind": "absolute", "tolerance": 0.5},
        **{"how": "counted", "measured_by": "on_off_pulse"},
    }
    return Target(**{**entry, **changes})


@pytest.mark.parametrize(
    ("changes", "ours", "error", "n", "passed"),
    [
        ({}, 2.5, None, 1, True),
        ({}, 2.51, None, 1, False),
        ({}, math.nan, None, 1, False),
        ({"kind": "exact", "tolerance": 0}, 2.0, None, 1, True),
        ({"kind": "exact", "tolerance": 0}, 2.0 + 1e-12, None, 1, False),
        ({"kind": "at_least", "tolerance": 0}, 2.0, None, 1, True),
        ({"kind": "at_least", "tolerance": 0}, 1.99, None, 1, False),
        ({"kind": "at_most", "tolerance": 0}, 2.01, None, 1, False),
        ({"kind": "at_most", "tolerance": 0}, math.nan, None, 1, False),
        # theory: only our error counts
        ({"kind": "standard_errors", "tolerance": 3}, 2.29, 0.1, 50, True),
        ({"kind": "standard_errors", "tolerance": 3}, 2.31, 0.1, 50, False),
        # sqrt(0.3^2 + 0.4^2) = 0.5
        ({"kind": "standard_errors", "tolerance": 3, "standard_error": 0.4}, 3.49, 0.3, 9, True),
        ({"kind": "standard_errors", "tolerance": 3, "standard_error": 0.4}, 3.51, 0.3, 9, False),
        # a fourth of our n: twice our error; sqrt(0.1^2 + 0.2^2) = 0.2236
        ({"kind": "standard_errors", "tolerance": 1, "n": 25}, 2.22, 0.1, 100, True),
        ({"kind": "standard_errors", "tolerance": 1, "n": 25}, 2.23, 0.1, 100, False),
        ({"kind": "standard_errors", "tolerance": 1, "rounding": 0.05}, 2.14, 0.1, 9, True),
    ],
)
def test_judgement(changes, ours, error, n, passed):
    assert judge(target(**changes), Measurement("k", ours, error, n)).passed is passed


@pytest.mark.parametrize(
    "changes",
    [
        {"measured_by": None},
        {"not_computed": "no data"},
        {"tag": "recall"},
        {"tag": "theory"},  # in the column of the authors
        {"kind": "exact"},  # with a tolerance
        {"tolerance": 0.0},
        {"colour": "red"},
    ],
)
def test_entries_that_would_mislead_are_refused(changes):
    with pytest.raises(ValueError, match="Target"):
        target(**changes)


def test_every_entry_is_of_a_model_and_a_preset_that_exist():
    for key, entry in load_targets().items():
        assert entry.model in registry.names("model") or entry.not_computed, key
        if entry.preset:
            assert entry.preset in registry.get("model", entry.model).PRESETS, key


def test_every_file_of_entries_is_there_and_every_file_has_entries():
    assert {t.measured_by for t in load_targets().values() if t.measured_by} == set(FAMILIES)


@pytest.mark.parametrize("family", FAMILIES)
def test_published_values_are_met(family):
    models = registry.names("model")
    rows = compared(family, models, measure(family, models))  # raises where keys differ
    missed = [
        (r["key"], r["published"], r["ours"], r["tolerance"]) for r in rows if not r["passed"]
    ]
    assert missed == []
    assert all(row["n"] >= 1 for row in rows)


def test_another_model_misses_the_published_pulse(monkeypatch):
    # the corrected equations have no lag: OFF is another
    presets = registry.get("model", "on_off").PRESETS
    monkeypatch.setitem(presets, "alvarez_salvado_2018", {"fidelity": "corrected"})
    rows = compared("on_off_pulse", ["on_off"], measure("on_off_pulse", ["on_off"]))
    missed = [row["key"] for row in rows if not row["passed"]]
    assert "on_off.pulse.off.2050" in missed
    assert "on_off.pulse.max_off_sample" in missed
    assert "on_off.pulse.on.1600" not in missed


def test_measurements_and_entries_must_be_the_same():
    with pytest.raises(ValueError, match=r"on_off\.pulse\.on\.1501"):
        compared("on_off_pulse", ["on_off"], [Measurement("stranger", 1.0, None, 1)])


def test_a_family_measures_the_models_of_the_run_and_what_they_are_ranked_against():
    assert models_of("casting", ["surge_cast_robot", "on_off"]) == ["surge_cast_robot", "zigzag"]
    measured = measure("casting", ["surge_cast_robot"])
    assert {one.key for one in measured} == {
        "robots.surge_cast.overhead",
        "robots.casting.overhead",
    }
    [row] = compared("casting", ["surge_cast_robot"], measured)
    assert row["key"] == "robots.surge_cast.overhead"
    assert row["published"] == measured[-1].ours != row["ours"]
    assert row["passed"]


def test_families_are_those_of_the_models_of_a_run():
    assert families(["on_off"]) == ["on_off_pulse"]
    assert families(["no_such_model"]) == []
    assert models_of("on_off_pulse", ["on_off", "surge_cast"]) == ["on_off"]
    assert {row["model"] for row in not_computed(["on_off"])} == {"on_off"}


def test_numbers_of_the_authors_speak_for_agents_of_that_preset_only():
    rows = [
        {"model": "on_off", "preset": "alvarez_salvado_2018", "column": column, "source": column,
         "passed": column == "authors"}
        for column in ("authors", "equations")
    ]  # fmt: skip
    model = registry.get("model", "on_off")

    def agent(control="none", **parameters):
        values = model.Params(**parameters).model_dump(mode="json")
        return {"model": "on_off", "control": control, "parameters": values}

    agents = {
        "fly": agent(),
        "blind": agent(control="blind"),
        "corrected": agent(fidelity="corrected"),
        "other": agent(beta=0.02),
    }
    expected = {"fly": {"source": "authors", "n": 1, "passed": True}}
    assert original_code(rows, agents, "publication") == expected
    assert original_code(rows, agents, 0.02) == expected
    assert original_code(rows, agents, 0.01) == {}
