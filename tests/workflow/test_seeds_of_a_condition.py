"""Another seed of a condition makes one more recording, and nothing again."""

import pytest

from workflow_helpers import tiny

pytestmark = [pytest.mark.workflow, pytest.mark.slow]


def smooth(*seeds):
    """A small plume in the layout of the demonstration's."""
    small = {"frames": 40, "height_px": 203, "width_px": 108, "mm_per_px": 1.48}
    parameters = {"preset": "smooth", "source_column_px": 53.5, **small}
    return {
        "synthetic": {
            "generator": "filament",
            "format": "hdf5",
            "seeds": list(seeds),
            "parameters": parameters,
        },
        "mm_per_px": 1.48,
        "frame_rate_hz": 15,
        "source_px": {"row": 0, "column": 53.5},
        "wind_toward": "+row",
    }


def test_another_seed_runs_only_what_is_new(checkout):
    agents = {"walk": {"model": "correlated_random_walk", "sensor": {"threshold": {"value": 1}}}}
    once = tiny("seeds", recordings={"smooth": smooth(1, 2)}, agents=agents)
    config = checkout.write_config("seeds", once)
    done = checkout.snakemake("simulate", "--configfile", config)
    assert done.returncode == 0, done.stdout + done.stderr
    simulated = checkout.folder / "results" / "seeds" / "simulations"
    assert sorted(path.name for path in simulated.iterdir()) == ["smooth_1", "smooth_2"]
    assert checkout.planned(config).get("simulate_chunk") is None
    checkout.write_config("seeds", {**once, "recordings": {"smooth": smooth(3, 1, 2)}})
    planned = checkout.planned(config)
    of_one = ("synthesize_recording", "normalize_recording", "prepare_agent")
    assert {rule: planned.get(rule) for rule in of_one} == dict.fromkeys(of_one, 1)
    assert planned["simulate_chunk"] == 3  # chunks of 4 of the 12 simulations
