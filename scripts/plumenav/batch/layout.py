"""How simulations are cut into jobs: by what they cost, and by the config alone.

A run that moves to another machine, or learns from its history, keeps its chunks: a chunk is a file
name, and every other name would be computed again. So costs are nominal (COST in
models/_contract.py), and what the machine decides is only how many chunks run at once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from plumenav import registry
from plumenav.models._binding import bound, parts
from plumenav.models._contract import Cost, declared

# of a job that finds its kernel compiled: Python, imports, the plume's facts (docs/performance.md)
START_UP_S = 0.8


def steps_of(simulation: Mapping[str, Any], agent: Mapping[str, Any]) -> int:
    """Steps of a simulation of an agent, as far as the config alone tells.

    Parameters
    ----------
    simulation, agent : mapping
        Resolved sections. A step of the movie's frames counts as the model's published one.
    """
    dt_s = simulation["dt_s"]
    if isinstance(dt_s, str):
        dt_s = bound(agent["model"], agent["parameters"]).PUBLICATION_DT_S
    return max(1, round(simulation["duration_s"] / dt_s))


def cost_of(agent: Mapping[str, Any]) -> Cost:
    """What an agent costs: its model, or the dearest of those that it is made of."""
    names = (agent["model"], *parts(agent["model"], agent["parameters"]))
    costs = [declared(registry.get("model", name), "COST") for name in names]
    # an agent with donors is simulated twice
    factor = 2.0 if agent["control"] == "shuffled" else 1.0
    return Cost(
        factor * max(cost.step_us for cost in costs),
        sum(cost.agent_kb for cost in costs),
        sum(cost.tables_mb for cost in costs),
    )


def chunk_size(config: Mapping[str, Any], agent: str) -> int:
    """Simulations per job of an agent.

    Parameters
    ----------
    config : mapping
        Resolved.
    agent : str
        Label.

    Returns
    -------
    int
        `batch.chunk_simulations`; if that is `auto`: as many as take `batch.chunk_s`, within the
        limits, and the same for all jobs of the agent.
    """
    batch, simulation = config["batch"], config["simulation"]
    n = simulation["simulations"]
    if batch["chunk_simulations"] != "auto":
        return int(batch["chunk_simulations"])
    entry = config["agents"][agent]
    seconds = steps_of(simulation, entry) * cost_of(entry).step_us / 1e6
    most = int(batch["chunk_s"] / seconds)
    most = max(batch["min_chunk_simulations"], min(most, batch["max_chunk_simulations"]))
    chunks = math.ceil(n / most)
    # a last chunk of a few simulations would be mostly start-up
    return math.ceil(n / chunks)


def layout(config: Mapping[str, Any]) -> dict[str, int]:
    """Simulations per job, by agent."""
    return {agent: chunk_size(config, agent) for agent in config["agents"]}
