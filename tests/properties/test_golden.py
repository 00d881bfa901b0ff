"""Trajectories that were stored once: an engine made faster walks the same ways.

The numbers in golden.json were computed by the engine when they were stored (``python
tests/properties/test_golden.py``), so they say nothing about right or wrong; the references do. They
say that nothing changed, on other machines within a tolerance.
"""

import json
from pathlib import Path

import numpy as np
import pytest

import factories
from plumenav import registry
from plumenav.engine.donors import with_donors

STORED = Path(__file__).with_name("golden.json")
N = 4
DURATION_S = 6.0
ROWS = 6
COLUMNS = ("x_mm", "y_mm", "heading_rad", "odor")
# other processors compute the last bits of exp and log differently; noise does not grow them much
# in this time
TOLERANCE = 1e-6
CASES = {
    **{name: (name, {}) for name in registry.names("model")},
    "noise, adaptation, turning, first half": (
        "on_off",
        {
            "sensor": {"noise": 0.02, "adaptation": {"tau_s": 1.0, "half_level": 0.2}},
            "boundary": "turn",
            "boundary_margin_mm": 30.0,
            "movie_part": "first_half",
        },
    ),
    "shuffled, stopping at the edge": (
        "on_off",
        {"sensor": {"noise": 0.02}, "boundary": "stop", "control": "shuffled"},
    ),
    "reflected, bilinear, in plume-free air": (
        "surge_cast",
        {"sensor": {"interpolation": "bilinear"}, "boundary": "reflect", "control": "blank_region"},
    ),
}


def walked(name, folder):
    """Rows of a case, and how its simulations ended."""
    model, changes = CASES[name]
    frames = factories.movie_frames()
    blank = {"row_start": 0, "row_stop": 5, "column_start": 0, "column_stop": 40}
    movie = factories.write_movie(folder / "movie.parquet", frames, blank=blank)
    half = len(frames) // 2 if changes.get("movie_part") else len(frames)
    plan = factories.plan_columns(N, half)
    settings = factories.engine_settings(model, duration_s=DURATION_S, **changes)
    settings["record_every"] = max(1, round(DURATION_S / settings["dt_s"]) // ROWS)
    rows, outcomes = factories.run(movie, with_donors(plan), settings)
    return {
        **{column: rows[column].tolist() for column in COLUMNS},
        "state": rows["state"].tolist(),
        "end": outcomes.column("end").to_pylist(),
        "path_mm": outcomes.column("path_mm").to_pylist(),
        "encounters": outcomes.column("encounters").to_pylist(),
    }


@pytest.mark.parametrize("name", CASES)
def test_ways_are_those_that_were_stored(name, tmp_path):
    stored = json.loads(STORED.read_text())[name]
    now = walked(name, tmp_path)
    assert now["end"] == stored["end"]
    assert now["state"] == stored["state"]
    assert now["encounters"] == stored["encounters"]
    for column in (*COLUMNS, "path_mm"):
        np.testing.assert_allclose(now[column], stored[column], rtol=0, atol=TOLERANCE)


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        cases = {name: walked(name, Path(folder)) for name in CASES}
    lines = ",\n".join(f'"{name}": {json.dumps(case)}' for name, case in cases.items())
    STORED.write_text("{\n" + lines + "\n}\n")
