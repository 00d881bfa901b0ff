"""Replicates of a condition: any number of seeds of one synthetic recording."""

import copy
from pathlib import Path

import pytest

from plumenav import config
from plumenav.batch.settings import SIMULATION_KEYS, job_settings
from plumenav.errors import UserError

SMOOTH = {
    "synthetic": {"format": "hdf5", "seeds": [1, 2, 30], "parameters": {"preset": "smooth"}},
    "frame_rate_hz": 15,
    "mm_per_px": 0.74,
    "source_px": {"row": 0, "column": 107},
    "wind_toward": "+row",
}
HILL = {"analytic": {"field": "gaussian", "parameters": {"sigma_mm": 40}}}


def recordings(**entries):
    """Resolved recordings of a config."""
    content = {"run": "mine", "recordings": entries, "agents": {"fly": {"model": "on_off"}}}
    return config.resolve(content, Path())["recordings"]


def with_seeds(*seeds, **changes):
    entry = {**copy.deepcopy(SMOOTH), **changes}
    entry["synthetic"]["seeds"] = list(seeds)
    return entry


def test_one_recording_per_seed_all_of_one_condition_in_the_place_of_the_entry():
    found = recordings(first=HILL, smooth=with_seeds(1, 2, 30), last=HILL)
    assert list(found) == ["first", "smooth_1", "smooth_2", "smooth_30", "last"]
    for label, seed in (("smooth_1", 1), ("smooth_2", 2), ("smooth_30", 30)):
        assert found[label]["synthetic"]["seed"] == seed
        assert "seeds" not in found[label]["synthetic"]
        assert found[label]["condition"] == "smooth"


def test_a_replicate_is_the_recording_with_that_seed():
    (replicate,) = recordings(smooth=with_seeds(7)).values()
    alone = copy.deepcopy(SMOOTH)
    del alone["synthetic"]["seeds"]
    alone["synthetic"]["seed"] = 7
    assert replicate == recordings(smooth=alone)["smooth"]


def test_a_condition_of_ones_own_stays():
    found = recordings(smooth=with_seeds(1, 2, condition="near_bed"))
    assert {entry["condition"] for entry in found.values()} == {"near_bed"}


def test_another_seed_changes_nothing_of_the_others():
    few, more = recordings(smooth=with_seeds(2, 5)), recordings(smooth=with_seeds(9, 5, 1, 2))
    assert set(few) < set(more)
    for label, entry in few.items():
        # all that a job is told of a recording: this entry, under this label
        assert more[label] == entry
    content = {"recordings": more, "agents": {"fly": {}}, "simulation": {}}
    content["simulation"] = dict.fromkeys(SIMULATION_KEYS)
    assert job_settings(content, "smooth_5", "fly") == job_settings(
        {**content, "recordings": few}, "smooth_5", "fly"
    )


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ({"s": with_seeds(1, 1)}, ["recordings.s.synthetic", "each one once"]),
        ({"s": with_seeds()}, ["recordings.s.synthetic.seeds", "at least 1"]),
        ({"s": with_seeds(-1)}, ["recordings.s.synthetic.seeds.0", "greater than or equal to 0"]),
        ({"s": with_seeds(1.5)}, ["recordings.s.synthetic.seeds.0", "integer"]),
        (
            {"s": {**SMOOTH, "synthetic": {**SMOOTH["synthetic"], "seed": 0}}},
            ["recordings.s.synthetic", "seed or seeds, not both"],
        ),
        (
            {"s": with_seeds(1, 2), "s_2": HILL},
            ["recordings.s_2", "'s_2' is also that of another recording"],
        ),
        (
            {"s_2": HILL, "s": with_seeds(1, 2)},
            ["recordings.s.synthetic.seeds", "'s_2' is also that of another recording"],
        ),
        ({"s" * 38: with_seeds(1, 10)}, ["synthetic.seeds", "has 41 characters", "at most 40"]),
    ],
)
def test_mistakes_with_seeds(entries, words):
    with pytest.raises(UserError) as caught:
        recordings(**entries)
    for word in words:
        assert word in str(caught.value)


def test_a_mistake_is_told_under_the_label_that_was_written():
    entry = with_seeds(1, 2)
    entry["synthetic"]["parameters"] = {"presett": "smooth"}
    with pytest.raises(UserError, match=r"recordings\.smooth\.synthetic\.parameters"):
        recordings(smooth=entry)
