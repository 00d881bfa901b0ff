"""The response of the ON/OFF model to a pulse of odour, as its authors' own code gives it.

The MATLAB code of Alvarez-Salvado et al. 2018 (eLife 7:e37815), run unmodified: odour 1 in samples
1500 to 2000 (counted from 1) at 50 Hz. ON and OFF are deterministic. A run is checked where it
holds that pulse, that model with its published parameters and step, and records its variables.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from plumenav import registry
from plumenav.tables import TRAJECTORIES, metadata_of, read_table

SOURCE = "Alvarez-Salvado et al. 2018, authors' code"
TOLERANCE = 1e-6
PULSE = {"start_s": 29.98, "stop_s": 40.0, "level": 1.0, "frame_rate_hz": 50.0}
DT_S = 0.02


def pulse_table() -> list[dict[str, Any]]:
    """Rows of on_off_pulse.csv: sample (from 1), variable, published value."""
    with open(Path(__file__).with_name("on_off_pulse.csv"), encoding="utf-8", newline="") as file:
        return [
            {
                "sample": int(row["sample"]),
                "variable": row["variable"],
                "published": float(row["published"]),
            }
            for row in csv.DictReader(file)
        ]


def applies(recording: dict[str, Any], agent: dict[str, Any], simulation: dict[str, Any]) -> bool:
    """Whether an agent in a recording is the published experiment."""
    signal = recording["signal"]
    if not signal or agent["model"] != "on_off" or agent["control"] != "none":
        return False
    defaults = registry.get("model", "on_off").Params().model_dump(mode="json")
    return (
        signal["start_s"] is not None  # a pulse, not a train or a file
        and all(abs(signal[key] - value) < 1e-9 for key, value in PULSE.items())
        and agent["parameters"] == defaults
        and simulation["dt_s"] in ("publication", DT_S)
        and simulation["record"]["variables"]
        and simulation["start"]["frame"] == 0
    )


def compared(agent: str, recording: str, files: Sequence[Path]) -> list[dict[str, Any]]:
    """Published and our values; ours is the value of the simulation that is farthest off."""
    table = pulse_table()
    worst = np.full(len(table), np.nan)
    simulations: set[int] = set()
    for file in files:
        rows = read_table(file, TRAJECTORIES)
        if metadata_of(rows)["dt_s"] != DT_S:
            raise ValueError(f"{file}: time step is not {DT_S} s")
        step = rows.column("step").to_numpy()
        simulations |= set(rows.column("simulation").unique().to_pylist())
        for i, target in enumerate(table):
            ours = rows.column(target["variable"]).to_numpy()[step == target["sample"] - 1]
            for value in ours:
                if not abs(value - target["published"]) <= abs(worst[i] - target["published"]):
                    worst[i] = value
    return [
        {
            "agent": agent,
            "name": f"{agent} in {recording}: {target['variable'].upper()} at sample "
            f"{target['sample']}",
            "source": SOURCE,
            "published": target["published"],
            "ours": float(ours),
            "tolerance": TOLERANCE,
            "n": len(simulations),
            "passed": bool(abs(ours - target["published"]) <= TOLERANCE),
        }
        for target, ours in zip(table, worst, strict=True)
    ]


def published_rows(
    root: Path, config: dict[str, Any], chunks: Sequence[str]
) -> list[dict[str, Any]]:
    """Published targets that this run can be checked against.

    Parameters
    ----------
    root : Path
        results/<run>.
    config : dict
        Resolved config.
    chunks : sequence of str
        Names of the run's chunks.

    Returns
    -------
    list of dict
        {agent, name, source, published, ours, tolerance, n, passed}.
    """
    rows = []
    for recording, entry in config["recordings"].items():
        for agent, settings in config["agents"].items():
            if applies(entry, settings, config["simulation"]):
                folder = root / "trajectories" / recording / agent
                files = [folder / f"{chunk}.parquet" for chunk in chunks]
                rows += compared(agent, recording, files)
    return rows
