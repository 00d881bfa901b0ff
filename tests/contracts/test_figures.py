"""Every registered figure on runs of every shape: what it draws, what it says, and its bytes."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import matplotlib
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.text import Text

import factories_results as factory
from plumenav import registry
from plumenav.analysis.stage import write_plume_maps, write_statistics
from plumenav.errors import UserError
from plumenav.figures import _style as style
from plumenav.figures._contract import RunData
from plumenav.figures._run import caption_of, draw_all
from plumenav.figures._save import save_pictures
from plumenav.performance.usage import write_summary

FIGURES = registry.names("figure")
TWO = ("on_off", "correlated_random_walk")
EIGHT = (*factory.MODELS, "e", "f", "g", "a_label_that_is_forty_characters_long_aa")


def made(root: Path, config: dict[str, Any], **how: Any) -> dict[str, Any]:
    """A run with its statistics and its summary of costs."""
    factory.write_run(root, config, **how)
    write_plume_maps(root, list(config["recordings"]))
    write_statistics(root, config)
    write_summary(root, 100, 8000)
    return config


def drawn(root: Path, config: dict[str, Any], name: str) -> tuple[Figure, pd.DataFrame]:
    with matplotlib.rc_context(style.RC):  # type: ignore[arg-type]
        return registry.get("figure", name).draw(RunData(root, config))


def words(figure: Figure) -> str:
    return "\n".join(text.get_text() for text in figure.findobj(Text))


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    root = tmp_path_factory.mktemp("mixed")
    kinds = {"m": "movie", "g": "analytic", "s": "signal"}
    config = factory.config(kinds, TWO, simulations=8, nominal=("m",))
    return root, made(root, config, failed=1)


SHAPES: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {
    "one": ({"only": "movie"}, ("on_off",)),
    "thirty-two": ({"a": "movie", "b": "movie", "c": "movie", "d": "movie"}, EIGHT),
    "signal": ({"pulse": "signal"}, TWO),
}


@pytest.fixture(scope="module", params=SHAPES)
def shape(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, Any]]:
    root = tmp_path_factory.mktemp("shape")
    return root, made(root, factory.config(*SHAPES[request.param], simulations=3))


@pytest.mark.parametrize("name", FIGURES)
def test_figure_keeps_its_contract(mixed: tuple[Path, dict[str, Any]], name: str) -> None:
    root, config = mixed
    module = registry.get("figure", name)
    written = draw_all(root, config, [name])
    assert [path.suffix for path in written] == [".pdf", ".svg", ".png", ".csv", ".json"]
    assert all(path.stat().st_size > 0 for path in written)
    record = json.loads(written[-1].read_text())
    assert record["title"] == module.TITLE
    assert name not in record["caption"]
    assert "{" not in record["caption"]
    assert record["inputs"]
    assert all((root / name).is_file() for name in record["inputs"])
    assert str(root) not in written[-1].read_text()
    table = pd.read_csv(written[-2])
    assert len(table) == record["plotted_rows"] > 0
    assert list(table.columns) == record["plotted_columns"]
    assert record["settings"]["width_mm"] in (style.COLUMN_MM, style.PAGE_MM)
    assert record["settings"]["height_mm"] <= 245  # a printed page
    assert b"/Type3" not in written[0].read_bytes()


@pytest.mark.parametrize("name", FIGURES)
def test_figure_of_every_shape(shape: tuple[Path, dict[str, Any]], name: str) -> None:
    root, config = shape
    figure, data = drawn(root, config, name)
    assert len(data)
    assert figure.axes


@pytest.mark.parametrize("name", FIGURES)
def test_figure_of_a_run_without_files_says_so(tmp_path: Path, name: str) -> None:
    figure, data = drawn(tmp_path, factory.config(simulations=3), name)
    assert not len(data)
    text = words(figure)
    assert any(word in text for word in ("no ", "nothing"))


def test_captions_say_n_radius_start_edges_and_what_is_nominal(
    mixed: tuple[Path, dict[str, Any]],
) -> None:
    root, config = mixed
    (_, _, _, _, record) = draw_all(root, config, ["fig3_success"])
    caption = json.loads(record.read_text())["caption"]
    for part in (
        "7 per agent and recording", "within 15 mm", "within 20 s", "x 100 to 200 mm",
        "walk on beyond", "starts again", "6 simulations failed",
        "Scale and wind of m are nominal", "n = 20",
    ):  # fmt: skip
        assert part in caption, part


def test_a_caption_with_an_unknown_name_fails() -> None:
    with pytest.raises(Exception, match="missing"):
        caption_of("{{ missing }}", {})


@pytest.mark.parametrize("name", ["fig4_arrival", "fig5_agreement", "fig6_detection"])
@pytest.mark.parametrize("places", [{"a": "movie"}, {"a": "movie", "b": "movie"}])
def test_legends_are_not_cut(tmp_path: Path, places: dict[str, str], name: str) -> None:
    labels = (*factory.MODELS, *(f"infotaxis_misfit_{i}" for i in range(6)))
    config = made(tmp_path, factory.config(places, labels, simulations=8))
    with matplotlib.rc_context(style.RC):  # type: ignore[arg-type]
        figure, _ = drawn(tmp_path, config, name)
        figure.draw_without_rendering()
        whole = figure.bbox.padded(1.0)
        for legend in figure.findobj(Legend):
            box = legend.get_window_extent()
            assert whole.x0 <= box.x0 < box.x1 <= whole.x1
            assert whole.y0 <= box.y0 < box.y1 <= whole.y1


@pytest.mark.parametrize("half_mm", [40.0, 90.0, 110.0])
def test_titles_are_not_cut(tmp_path: Path, half_mm: float) -> None:
    config = factory.config({"a": "movie"}, TWO, simulations=4)
    config["simulation"]["start"]["y_mm"] = [-half_mm, half_mm]  # panels of other heights
    made(tmp_path, config)
    with matplotlib.rc_context(style.RC):  # type: ignore[arg-type]
        figure, _ = drawn(tmp_path, config, "fig2_trajectories")
        save_pictures(figure, tmp_path / "picture")
        for axes in figure.axes:
            assert axes._left_title.get_window_extent().y1 <= figure.bbox.y1  # type: ignore[attr-defined]


def test_no_arrivals_are_said_and_drawn(tmp_path: Path) -> None:
    config = made(tmp_path, factory.config(agents=TWO, simulations=6), arrivals=False)
    figure, data = drawn(tmp_path, config, "fig4_arrival")
    assert "no arrivals" in words(figure)
    assert (data["incidence"] == 0).all()
    figure, _ = drawn(tmp_path, config, "fig2_trajectories")
    assert "0 of 6 arrive" in words(figure)


def test_drawn_numbers_are_those_of_the_tables(mixed: tuple[Path, dict[str, Any]]) -> None:
    root, config = mixed
    _, data = drawn(root, config, "fig2_trajectories")
    way = data[(data["recording"] == "m") & (data["agent"] == "on_off")]
    assert 0 not in set(way["simulation"])  # it failed
    run = RunData(root, config)
    rows = run.simulations("m", "on_off")
    arrived = dict(zip(rows["simulation"], rows["success"], strict=True))
    for simulation, part in way.groupby("simulation"):
        i = list(rows["simulation"]).index(simulation)
        assert part["x_mm"].iloc[0] == pytest.approx(rows["x_mm"][i], abs=0.01)
        assert part["x_mm"].iloc[-1] == pytest.approx(rows["final_x_mm"][i], abs=0.01)
        assert part["arrived"].all() == arrived[simulation]


def test_missed_limits_are_marked(tmp_path: Path) -> None:
    config = made(tmp_path, factory.config(agents=TWO, simulations=3))
    rows = factory.agreement_rows("smooth", "on_off")
    rows[3] |= {"passed": False, "max_error_mm": 0.5, "r_dx": 0.2}
    factory.write_agreement(tmp_path, rows)
    (*_, record) = draw_all(tmp_path, config, ["fig5_agreement"])
    assert "1 miss a limit" in json.loads(record.read_text())["caption"]
    figure, _ = drawn(tmp_path, config, "fig5_agreement")
    assert "missed" in words(figure)
    assert figure.axes[0].get_xlim()[1] > 0.5
    assert figure.axes[1].get_xlim()[0] < 0.2


def test_bytes_are_the_same_in_another_process(tmp_path: Path) -> None:
    root = tmp_path
    config = made(root, factory.config(agents=TWO[:1], simulations=4))
    names = ["fig2_trajectories"]
    first = {path: path.read_bytes() for path in draw_all(root, config, names)}
    code = (
        "import json, sys, pathlib; from plumenav.figures._run import draw_all;"
        "root = pathlib.Path(sys.argv[1]); config = json.loads((root / 'config.yaml').read_text());"
        "draw_all(root, config, sys.argv[2:])"
    )
    # another hash seed: the order of sets must not reach a file
    subprocess.run(
        [sys.executable, "-c", code, str(root), *names],
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "7"},
    )
    for path, before in first.items():
        assert path.read_bytes() == before, path.name


def test_unknown_figure_is_named_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="fig3_success"):
        draw_all(tmp_path, factory.config(), ["fig3_sucess"])


def test_neither_pyplot_nor_statistics_are_imported() -> None:
    code = (
        "import sys, plumenav.figures._run, plumenav.figures.fig2_trajectories;"
        "bad = {'matplotlib.pyplot', 'scipy.stats', 'cv2', 'numba'} & set(sys.modules);"
        "sys.exit(str(bad) if bad else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_template_is_a_figure(mixed: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    root, config = mixed
    source = Path(registry.PACKAGE / "figures" / "_template.py").read_text()
    own = tmp_path / "closest_approach.py"
    own.write_text(source.replace("TITLE =", 'PLUGIN_KIND = "figure"\nTITLE =', 1))
    registry.register_file(own)
    try:
        written = draw_all(root, config, ["closest_approach"])
    finally:
        del registry._user_files["figure", "closest_approach"]
    assert "line: success radius" in json.loads(written[-1].read_text())["caption"].lower()


def test_figures_that_wait_only_for_statistics_read_nothing_of_the_validation(
    mixed: tuple[Path, dict[str, Any]],
) -> None:
    root, config = mixed
    early = [n for n in FIGURES if registry.stated("figure", n, "AFTER") == "statistics"]
    assert {"fig1_plumes", "fig3_success"} <= set(early)
    assert "fig5_agreement" not in early
    for name in early:
        run = RunData(root, config)
        with matplotlib.rc_context(style.RC):  # type: ignore[arg-type]
            registry.get("figure", name).draw(run)
        assert not {path for path in run.inputs if path.startswith("validation/")}, name
