"""Where agents start: each kind against places worked out by hand."""

import math

import numpy as np
import pytest

import factories
import factories_results
from plumenav import registry
from plumenav.batch.plan import check_start, make_plan
from plumenav.config import load
from plumenav.errors import UserError
from plumenav.figures._contract import common_numbers
from plumenav.starts import list as given
from plumenav.starts._contract import start_plugin
from plumenav.tables import PlumeReader

CONFIG = """
run: here
recordings:
  field: {analytic: {field: gaussian, x_mm: [-50, 300], y_mm: [-100, 100]}, wind: {speed_mm_s: 50}}
agents: {walk: {model: correlated_random_walk}}
simulation: {simulations: 8, start: START}
validation: {sample: 6, replicate: 6}
"""


def start(kind, **own):
    common = {"kind": kind, "heading_deg": [0, 360], "frame": "uniform"}
    plugin = registry.get("start", kind)
    return {**common, **plugin.Params(**own).model_dump(mode="json")}


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    """A movie in which there is plume from frame 10 on only, in rows 8 to 11."""
    frames = np.zeros((20, 24, 40))
    frames[10:, 8:12, 5:] = 1.0
    path = factories.write_movie(
        tmp_path_factory.mktemp("starts") / "movie.parquet", frames, dtype="float32"
    )
    with PlumeReader(path) as opened:
        yield opened


def plan(reader, made, n=400, seed=3):
    return make_plan(seed, "movie", "agent", made, n, reader).to_pandas()


@pytest.mark.parametrize("kind", registry.names("start"))
def test_every_kind_keeps_its_promises(kind, reader):
    own = {"points": [[60, 3], [80, -9]]} if kind == "list" else {}
    plugin, params = start_plugin(start(kind, **own))
    u = np.random.default_rng(0).random((500, 2))
    x, y = plugin.places(params, np.arange(500), u)
    corners = plugin.outline(params)
    assert (corners[0] == corners[-1]).all()
    assert x.min() >= corners[:, 0].min() - 1e-9
    assert x.max() <= corners[:, 0].max() + 1e-9
    assert y.min() >= corners[:, 1].min() - 1e-9
    assert y.max() <= corners[:, 1].max() + 1e-9
    assert np.hypot(x, y).min() >= plugin.closest_mm(params) - 1e-9
    assert "mm" in plugin.words(params)


def test_a_ring_is_filled_evenly(reader):
    rows = plan(reader, start("ring", radius_mm=[20, 40], angle_deg=[-90, 0]), n=4000)
    radius = np.hypot(rows.x_mm, rows.y_mm)
    angle = np.degrees(np.arctan2(rows.y_mm, rows.x_mm))
    assert radius.between(20, 40).all()
    assert angle.between(-90, 0).all()
    # half of the area lies beyond sqrt((20^2 + 40^2) / 2) = 31.6 mm; 5 standard errors
    assert (radius > math.sqrt(1000)).mean() == pytest.approx(0.5, abs=5 * 0.5 / math.sqrt(4000))
    assert (angle > -45).mean() == pytest.approx(0.5, abs=5 * 0.5 / math.sqrt(4000))


def test_a_grid_is_walked_point_by_point(reader):
    rows = plan(reader, start("grid", x_mm=[20, 60], y_mm=[-5, 5], columns=3, rows=2), n=8)
    assert rows.x_mm.tolist() == [20, 40, 60, 20, 40, 60, 20, 40]
    assert rows.y_mm.tolist() == [-5, -5, -5, 5, 5, 5, -5, -5]
    one = plan(reader, start("grid", x_mm=[20, 60], y_mm=[-5, 5], columns=1, rows=1), n=2)
    assert (one.x_mm.tolist(), one.y_mm.tolist()) == ([40, 40], [0, 0])


def test_a_list_may_say_heading_and_frame(reader):
    rows = plan(reader, start("list", points=[[50, 1], [60, 2, 90], [70, 3, None, 7]]), n=4)
    assert rows.x_mm.tolist() == [50, 60, 70, 50]
    assert rows.heading_rad[1] == math.pi / 2
    assert rows.start_frame[2] == 7
    drawn = plan(reader, start("region"), n=4)
    assert rows.heading_rad[[0, 2, 3]].tolist() == drawn.heading_rad[[0, 2, 3]].tolist()
    assert rows.start_frame[[0, 1, 3]].tolist() == drawn.start_frame[[0, 1, 3]].tolist()


def test_in_plume_starts_where_there_is_plume_at_that_time(reader):
    made = start("in_plume", x_mm=[0, 190], y_mm=[-40, 60], level=0.5)
    rows = plan(reader, made)
    # pixels of 5 mm: rows 8 to 11 are y = (14 - row) * 5, half a pixel around
    assert rows.y_mm.between(12.5, 32.5).all()
    assert rows.x_mm.between(22.5, 192.5).all()
    assert (rows.start_frame >= 10).all()
    # frames that were good at once are kept
    usual = plan(reader, start("region")).start_frame
    assert (rows.start_frame[usual >= 10] == usual[usual >= 10]).all()
    assert rows.y_mm.std() == pytest.approx(20 / math.sqrt(12), rel=0.15)
    with pytest.raises(UserError, match="no place at or above 2"):
        plan(reader, start("in_plume", x_mm=[0, 190], y_mm=[-40, 60], level=2.0))


def test_region_draws_what_it_always_drew(reader):
    rows = plan(reader, start("region"), n=2, seed=1)
    from plumenav.rng import noise_key, uniform_draws

    u = uniform_draws(noise_key(1, "movie", "start", 1), 1, 4)[0]
    assert rows.x_mm[1] == 100 + 100 * u[0]
    assert rows.y_mm[1] == -40 + 80 * u[1]
    assert rows.heading_rad[1] == math.radians(360 * u[2])
    assert rows.start_frame[1] == int(u[3] * 20)


def test_starts_outside_the_arena_are_refused(reader):
    with pytest.raises(UserError, match="not inside the arena") as caught:
        check_start("movie", start("ring", radius_mm=[20, 400]), reader.metadata, 20)
    assert caught.value.where == "simulation.start"
    with pytest.raises(UserError, match="frame 99"):
        plan(reader, start("list", points=[[60, 3, 0, 99]]), n=2)


def config(tmp_path, text):
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG.replace("START", text))
    return load(path)["simulation"]["start"]


def test_config_spells_out_the_kind(tmp_path):
    found = config(tmp_path, "{kind: ring, radius_mm: [40, 90]}")
    assert found == {
        "kind": "ring",
        "heading_deg": [0.0, 360.0],
        "frame": "uniform",
        "radius_mm": [40.0, 90.0],
        "angle_deg": [-90.0, 90.0],
    }
    assert config(tmp_path, "{}")["x_mm"] == [100.0, 200.0]


@pytest.mark.parametrize(
    ("text", "where", "says"),
    [
        ("{kind: rign}", "simulation.start.kind", "rign"),
        ("{radius_mm: [40, 90]}", "simulation.start.radius_mm", "unknown key"),
        ("{kind: ring, radius_mm: [-3, 90]}", "simulation.start.radius_mm", "-3"),
        ("{kind: ring, radius_mm: [3, 90]}", "simulation.start", "success radius"),
        ("{kind: ring, radius_mm: [30, 900]}", "simulation.start", "not inside the arena"),
        ("{kind: grid, x_mm: [-20, 20], columns: 3}", "simulation.start", "success radius"),
        ("{kind: list, points: [[1]]}", "simulation.start.points", "[1]"),
        ("{kind: list, file: nowhere.csv}", "simulation.start.file", "cannot be read"),
        ("{kind: in_plume}", "simulation.start.kind", "no meaning"),
    ],
)
def test_mistakes_are_named(tmp_path, text, where, says):
    with pytest.raises(UserError) as caught:
        config(tmp_path, text)
    assert caught.value.where == where
    assert says in str(caught.value)


def test_a_list_can_be_a_file(tmp_path):
    (tmp_path / "starts.csv").write_text("x_mm,y_mm,heading_deg\n60,3,\n80,-9,45\n")
    found = config(tmp_path, "{kind: list, file: starts.csv}")
    assert found["points"] == [[60.0, 3.0, None, None], [80.0, -9.0, 45.0, None]]
    (tmp_path / "starts.csv").write_text("x_mm,y_mm\n60,three\n")
    with pytest.raises(UserError, match="row 2"):
        given.read({"file": "starts.csv"}, tmp_path)
    (tmp_path / "starts.csv").write_text("x,y\n60,3\n")
    with pytest.raises(UserError, match="columns x, y"):
        given.read({"file": "starts.csv"}, tmp_path)


def test_points_that_are_no_list_are_told_what_is_allowed(tmp_path):
    with pytest.raises(UserError, match=r"points: found 'starts\.csv'\. Allowed: a list\."):
        config(tmp_path, "{kind: list, points: starts.csv}")


@pytest.mark.parametrize(
    ("points", "says"),
    [
        ([[60, 0], [70, 10]], "y 0 to 10 mm, heading 0 to 360"),
        ([[60, 0, 180], [70, 10]], "y 0 to 10 mm, 1 with a heading of their own, else heading 0"),
        ([[60, 0, 180, 4]], "1 with a heading and 1 with a frame of their own, else heading 0"),
    ],
)
def test_captions_say_what_a_list_gives_itself(points, says):
    start = {"kind": "list", "points": points, "heading_deg": [0.0, 360.0], "frame": "uniform"}
    run = factories_results.config(simulations=3)
    run["simulation"]["start"] = start
    assert says in common_numbers(run)["start"]
