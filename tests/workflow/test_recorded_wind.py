"""Recorded wind on its way from two files to agents and their references."""

import json

import h5py
import numpy as np
import pytest

from plumenav.tables import PlumeReader
from workflow_helpers import tiny

pytestmark = [pytest.mark.workflow, pytest.mark.slow]

PLACE = {
    "mm_per_px": 5.0,
    "source_px": {"row": 10, "column": 0},
    "frame_rate_hz": 10,
    "reader": {"axes": ["frame", "row", "column"]},
}


def write(folder):
    """A plume that bends with a wind which turns crosswind from row to row and in time."""
    frame, row, column = np.meshgrid(*(np.arange(n) for n in (30, 20, 30)), indexing="ij")
    centre = 10 - 3 * np.sin(column / 6 - frame / 5)
    plume = np.exp(-((row - centre) ** 2) / 8) * np.exp(-column / 30)
    folder.mkdir()
    with h5py.File(folder / "flow.h5", "w") as file:
        file["odor"] = plume.astype(np.float32)
        file["u"] = np.full(plume.shape, 0.1, np.float32)
        file["v"] = (0.05 * np.cos(column / 6 - frame / 5)).astype(np.float32)


def test_wind_fields_reach_agents_and_references(checkout, monkeypatch):
    monkeypatch.delenv("PLUMENAV_DATA", raising=False)
    write(checkout.folder / "data")

    def movie(dataset, **normalize):
        reader = {**PLACE["reader"], "dataset": dataset}
        return {**PLACE, "path": "flow.h5", "reader": reader, "normalize": normalize}

    stored = {"storage": {"dtype": "float32"}}
    config = tiny(
        "windy",
        data_folder="../data",
        recordings={
            "film": {
                **movie("odor", blank={"rows": [0, 3], "columns": [0, 30]}, **stored),
                "wind": {"speed_mm_s": 100, "field": "flow"},
            }
        },
        wind_fields={"flow": {"downwind": movie("u", **stored), "crosswind": movie("v", **stored)}},
        simulation={"simulations": 6, "start": {"x_mm": [40, 80], "y_mm": [-20, 20]}},
        agents={
            "fly": {"model": "on_off", "sensor": {"threshold": {"value": 0.05}}},
            "deaf": {"model": "on_off", "wind": "off", "sensor": {"threshold": {"value": 0.05}}},
            "flyer": {
                "model": "surge_cast",
                "parameters": {"speeds": "matched"},
                "sensor": {"threshold": {"value": 0.05}},
            },
        },
    )
    name = checkout.write_config("windy", config)
    done = checkout.snakemake("validate", "--configfile", name)
    assert done.returncode == 0, done.stdout + done.stderr
    results = checkout.folder / "results" / "windy"
    with PlumeReader(results / "winds" / "film.parquet") as wind:
        first = wind.block(0).frames[0]
    assert first[5, 7] == pytest.approx(100.0, rel=1e-5)
    assert first[20 + 5, 7] == pytest.approx(50.0 * np.cos(7 / 6), abs=1e-3)
    verdict = json.loads((results / "validation" / "verdict.json").read_text())
    for label in ("fly", "deaf", "flyer"):
        assert verdict["agents"][label]["max_abs_error_mm"] < 1e-6
