"""What every reference promises; a new file in references/ is tested by being there."""

import ast
import math

import numpy as np
import pytest

from factories import DETECTIONS
from plumenav import registry
from plumenav.models._contract import declared
from plumenav.references import _template
from plumenav.references._run import find, run_sample
from plumenav.tables import REFERENCE, PlumeWriter

NAMES = registry.names("reference")
MODULES = [*(registry.get("reference", name) for name in NAMES), _template]
ALLOWED = ("plumenav.references", "plumenav.tables", "plumenav.rng")


@pytest.fixture(scope="module")
def plume_path(tmp_path_factory):
    """A noisy movie with a moving band of odour, 24 x 40 pixels of 2 mm, 5 Hz, 8 s."""
    path = tmp_path_factory.mktemp("references") / "plume.parquet"
    generator = np.random.default_rng(5)
    row, column = np.mgrid[0:24, 0:40]
    frames = []
    for frame in range(40):
        band = np.sin(0.5 * column - 0.8 * frame) * np.exp(-(((row - 9) / 5.0) ** 2))
        frames.append(120 * np.clip(band, 0, 1) + generator.integers(0, 9, band.shape))
    stored = np.stack(frames).astype(np.uint8)
    with PlumeWriter(path, 24, 40, "uint8", 1 / 120, 0.0) as writer:
        writer.metadata = {
            **{"kind": "movie", "height": 24, "width": 40, "dtype": "uint8", "scale": 1 / 120},
            **{"offset": 0.0, "mm_per_px": 2.0, "source_row": 9, "source_column": 0},
            **{"period_s": 8.0, "field": "movie", "field_constants": {}},
            "blank": {"row_start": 20, "row_stop": 24, "column_start": 0, "column_stop": 40},
        }
        writer.write(np.arange(40) / 5.0, stored)
    return path


def two_sided(name):
    return name in registry.names("model") and declared(registry.get("model", name), "BILATERAL")


def settings(module, **changes):
    name = module.__name__.rsplit(".", 1)[-1]
    shape = {"shape": "point", "parameters": {}}
    if two_sided(name):
        shape = {"shape": "pair", "parameters": {"separation_mm": 2.0, "ahead_mm": 0.5}}
    return {
        "model": name,
        "parameters": module.EXAMPLE_PARAMETERS,
        "dt_s": 0.02,
        "duration_s": 12.0,
        "success_radius_mm": 4.0,
        "arrival": "continue",
        "boundary": "open",
        "movie_end": "loop",
        "wind_speed_mm_s": 10.0,
        "wind_toward_rad": 0.1,
        "sensor": {
            **shape,
            "interpolation": "nearest",
            "threshold": 0.25,
            "dead_zone": 0.05,
        },
        "control": "none",
        "prepared": DETECTIONS,
        **changes,
    }


PLAN = [
    {
        "simulation": number,
        "key": 1000 + number,
        "x_mm": 60.0 - 9.0 * number,
        "y_mm": 3.0 * number - 2.0,
        "heading_rad": 2.5 + 0.3 * number,
        "start_frame": 7 * number,
    }
    for number in (2, 0, 1)
]


@pytest.mark.parametrize("module", MODULES)
def test_every_step_is_given_in_the_schema(module, plume_path):
    table, outcomes = run_sample(PLAN, settings(module), plume_path, module.simulate)
    assert table.schema.equals(REFERENCE.arrow)
    assert table.column("simulation").to_pylist() == sorted([0, 1, 2] * 600)
    assert table.column("step").to_pylist() == list(range(600)) * 3
    for field in REFERENCE.arrow:
        assert not np.isnan(table.column(field.name).to_numpy().astype(float)).any()
    assert table.column("margin").to_numpy().min() >= 0.0
    assert [one["simulation"] for one in outcomes] == [0, 1, 2]
    first = table.slice(0, 1).to_pylist()[0]
    assert (first["x_mm"], first["y_mm"], first["heading_rad"]) == (60.0, -2.0, 2.5)


@pytest.mark.parametrize("module", MODULES)
def test_the_same_again_alone_or_in_company(module, plume_path):
    chosen = settings(module, boundary="reflect")
    together, _ = run_sample(PLAN, chosen, plume_path, module.simulate)
    alone, _ = run_sample(PLAN[:1], chosen, plume_path, module.simulate)
    assert together.slice(1200).equals(alone)


@pytest.mark.parametrize("module", MODULES)
def test_a_shorter_run_is_the_beginning_of_a_longer_one(module, plume_path):
    long, _ = run_sample(PLAN[:1], settings(module), plume_path, module.simulate)
    short, outcomes = run_sample(
        PLAN[:1], settings(module, duration_s=3.0), plume_path, module.simulate
    )
    assert long.slice(0, 150).equals(short)
    # and ends where the longer one goes on
    at = long.slice(150, 1).to_pylist()[0]
    assert (outcomes[0]["final_x_mm"], outcomes[0]["final_y_mm"]) == (at["x_mm"], at["y_mm"])


@pytest.mark.parametrize("module", MODULES)
def test_controls(module, plume_path):
    blind, outcomes = run_sample(
        PLAN, settings(module, control="blind"), plume_path, module.simulate
    )
    assert not blind.column("odor").to_numpy().any()
    assert {one["encounters"] for one in outcomes} == {0}
    blank, _ = run_sample(
        PLAN, settings(module, control="blank_region"), plume_path, module.simulate
    )
    assert 0.0 < blank.column("odor").to_numpy().max() < 0.25


@pytest.mark.parametrize("module", MODULES)
def test_noise_matters_and_is_keyed(module, plume_path):
    def track(key):
        row = {**PLAN[0], "key": key}
        table, _ = run_sample([row], settings(module, duration_s=2.0), plume_path, module.simulate)
        return table.select(["x_mm", "y_mm"])

    # one draw may decide between two sides only: eight keys agree by chance once in 128 cases
    tracks = [track(key) for key in range(8)]
    assert any(not one.equals(tracks[0]) for one in tracks[1:])
    assert track(0).equals(tracks[0])


def turns_freely(module):
    """Whether the model of a reference does not declare that only some angles turn its track."""
    name = module.__name__.rsplit(".", 1)[-1]
    if name not in NAMES:  # the template
        return True
    model = registry.get("model", name)
    params = model.Params(
        **({"fidelity": "corrected"} if "fidelity" in model.Params.model_fields else {})
    )
    return "rotation" not in declared(model, "broken_symmetries")(params)


@pytest.mark.parametrize("module", [module for module in MODULES if turns_freely(module)])
def test_turning_world_and_wind_turns_the_track(module, tmp_path):
    """No model knows a direction but the wind's: what is turned together stays together."""
    path = tmp_path / "signal.parquet"
    with PlumeWriter(path, 1, 1, "float32", 1.0, 0.0) as writer:
        writer.metadata = {
            **{"kind": "signal", "height": 1, "width": 1, "dtype": "float32", "scale": 1.0},
            **{"offset": 0.0, "mm_per_px": 1.0, "source_row": 0, "source_column": 0},
            **{"period_s": 4.0, "field": "signal", "field_constants": {}, "blank": None},
        }
        values = (np.arange(200) % 50 < 12).astype(np.float32)
        writer.write(np.arange(200) / 50.0, values.reshape(-1, 1, 1))
    parameters = {**module.EXAMPLE_PARAMETERS}
    parameters |= {"fidelity": "corrected"} if "fidelity" in parameters else {}
    angle = 0.7
    tracks = []
    for turn in (0.0, angle):
        row = {**PLAN[0], "start_frame": 0, "heading_rad": 2.5 + turn}
        x, y = 400.0, 90.0
        row["x_mm"] = x * math.cos(turn) - y * math.sin(turn)
        row["y_mm"] = x * math.sin(turn) + y * math.cos(turn)
        chosen = settings(module, parameters=parameters, wind_toward_rad=turn)
        table, _ = run_sample([row], chosen, path, module.simulate)
        tracks.append(table.column("x_mm").to_numpy() + 1j * table.column("y_mm").to_numpy())
    assert np.abs(tracks[0] * np.exp(1j * angle) - tracks[1]).max() < 1e-8


@pytest.mark.parametrize("module", MODULES)
def test_it_says_where_it_comes_from(module):
    assert module.SOURCE
    assert "Source:" in module.__doc__
    assert len(set(module.DRAWS)) == len(module.DRAWS) > 0


def imports(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module


def test_references_share_nothing_with_the_engine():
    folder = registry.PACKAGE / "references"
    files = sorted(folder.glob("*.py"))
    assert len(files) > len(NAMES)
    for file in files:
        ours = {name for name in imports(file) if name.split(".")[0] == "plumenav"}
        assert all(name.startswith(ALLOWED) for name in ours), file.name


def test_a_reference_that_does_not_exist_is_named():
    with pytest.raises(ValueError, match="no reference for model 'walk_stop'"):
        find("walk_stop")
