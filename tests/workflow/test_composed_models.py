"""A hybrid of a user's model and a user's table goes all the way, and follows their files."""

import json

import pytest

from workflow_helpers import ROOT, tiny

pytestmark = [pytest.mark.workflow, pytest.mark.slow]
TABLE = (
    "memory,odor,action,next_memory,probability\n1,0,left,1,0.5\n1,0,right,1,0.5\n1,1,upwind,1,1\n"
)


FUTURE = "from __future__ import annotations\n"
# jobs of one agent: three chunks, the checks, the reference
ONE_AGENT = {"simulate_chunk": 3, "recheck_agent": 1, "reference_agent": 1}


def test_a_users_model_and_table_behind_the_gate(checkout):
    folder = checkout.folder / "config"
    (folder / "mine.csv").write_text(TABLE)
    (folder / "models").mkdir()
    (folder / "references").mkdir()
    for kind in ("model", "reference"):
        source = ROOT / f"scripts/plumenav/{kind}s/correlated_random_walk.py"
        text = source.read_text().replace(FUTURE, f'{FUTURE}PLUGIN_KIND = "{kind}"\n')
        (folder / f"{kind}s" / "my_walk.py").write_text(text)
    model = folder / "models" / "my_walk.py"
    parameters = {
        "inside": {"model": "my_walk"},
        "outside": {"model": "finite_state", "parameters": {"table": "mine.csv"}},
    }
    level = {"threshold": {"value": 0.05}}
    agents = {
        "both": {"model": "hybrid", "parameters": parameters, "sensor": level},
        "fly": {"model": "on_off", "sensor": level},
    }
    content = tiny("composed", agents=agents)
    content["plugins"] = ["models/my_walk.py", "references/my_walk.py"]
    config = checkout.write_config("composed", content)
    done = checkout.run(config)
    assert done.returncode == 0, done.stdout + done.stderr
    verdict = json.loads((checkout.folder / "results/composed/validation/verdict.json").read_text())
    assert verdict["passed"]
    assert {one["agent"] for one in verdict["mutants"] if one["caught"]} == {"both", "fly"}
    assert of_agents(checkout.planned(config)) == {}

    (folder / "mine.csv").write_text(TABLE.replace("0.5", "0.500"))
    assert of_agents(checkout.planned(config)) == {}, "the same content, written otherwise"
    (folder / "mine.csv").write_text(TABLE.replace("upwind", "downwind"))
    assert of_agents(checkout.planned(config)) == ONE_AGENT
    (folder / "mine.csv").write_text(TABLE)

    model.write_text(model.read_text().replace("math.cos", "1.0 * math.cos"))
    assert of_agents(checkout.planned(config)) == ONE_AGENT


def of_agents(planned):
    return {rule: n for rule, n in planned.items() if rule in ONE_AGENT}
