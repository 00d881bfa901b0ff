"""Runs of other names take from the cache what they share, and nothing else."""

import json
import shutil

import pytest

from workflow_helpers import tiny

pytestmark = pytest.mark.workflow

LEVELS = ("plumes", "results")


def study(run, n_agents, turn_sd=20.0):
    """A config of agents of two models, with one parameter of one of them."""
    walk, fly = tiny(run)["agents"]["walk"], tiny(run)["agents"]["fly"]
    agents = {
        f"walk_{n}": {**walk, "parameters": {"speed_mm_s": 5.0 + n}} for n in range(n_agents - 1)
    }
    agents["fly"] = {**fly, "parameters": {"turn_sd_deg": turn_sd}}
    content = tiny(run, agents=agents)
    return {**content, "batch": {"chunk_simulations": 12}}


def asked(checkout, run):
    """Hits and misses of a run's jobs, by level."""
    total = {level: [0, 0] for level in LEVELS}
    for path in (checkout.folder / "results" / run / "performance/jobs").rglob("*.json"):
        for level, counted in json.loads(path.read_text())["details"].get("cache", {}).items():
            if level in LEVELS:
                total[level][0] += counted["hits"]
                total[level][1] += counted["misses"]
    return total


def outputs(checkout, run):
    """Content of what the jobs wrote, by name."""
    root = checkout.folder / "results" / run
    files = [p for part in ("plumes", "prepared", "simulations") for p in (root / part).rglob("*")]
    assert not any(path.is_symlink() for path in files)
    return {path.relative_to(root): path.read_bytes() for path in files if path.is_file()}


@pytest.mark.parametrize("n_agents", [3, pytest.param(10, marks=pytest.mark.slow)])
def test_one_changed_parameter_of_one_agent_recomputes_that_agent(checkout, n_agents):
    def simulate(run, **changes):
        config = checkout.write_config(run, study(run, n_agents, **changes))
        done = checkout.run(config, "simulate")
        assert done.returncode == 0, done.stdout + done.stderr
        return outputs(checkout, run)

    first = simulate("first")
    assert asked(checkout, "first") == {"plumes": [0, 1], "results": [0, 2 * n_agents]}
    second = simulate("second", turn_sd=25.0)
    hits, misses = asked(checkout, "second")["results"]
    assert asked(checkout, "second")["plumes"] == [1, 0]
    # the fly's simulations; what it knows of the plume does not depend on how it turns
    assert (hits, misses) == (2 * n_agents - 1, 1)
    assert hits / (hits + misses) >= 0.8
    assert set(first) == set(second)
    different = {path.parts[-2] for path in first if first[path] != second[path]}
    assert different == {"fly"}

    # limits are no parameters: another cache, or none, reruns nothing
    content = study("second", n_agents, turn_sd=25.0)
    content["cache"] = {"plumes": {"limit_mb": 7}, "results": {"enabled": False}}
    config = checkout.write_config("second", content)
    again = checkout.snakemake("simulate", "--configfile", config, "--dry-run")
    assert "Nothing to be done" in again.stdout + again.stderr

    # what was kept may be thrown away
    shutil.rmtree(checkout.folder / "cache/results")
    shutil.rmtree(checkout.folder / "cache/plumes")
    assert outputs(checkout, "first") == first
    again = checkout.snakemake("simulate", "--configfile", "config/first.yaml", "--dry-run")
    assert "Nothing to be done" in again.stdout + again.stderr
