"""Figure, numbers and page of runs with belief-based agents: labelled, with the fit shown."""

import json
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.text import Text

import factories_results as factory
from factories_detection import DETECTION, blinking_movie, settings, write_believer
from plumenav import registry
from plumenav.analysis.beliefs import beliefs, privileged
from plumenav.analysis.stage import write_plume_maps, write_statistics
from plumenav.batch.detection import detection_arrays
from plumenav.batch.prepare import write_prepared
from plumenav.figures import _style as style
from plumenav.figures._contract import RunData
from plumenav.figures._run import draw_all
from plumenav.performance.usage import write_summary
from plumenav.report.numbers import build_numbers
from plumenav.report.page import page_text
from plumenav.tables import PlumeReader

AGENTS = ("seeker", "mistaken", "cheat", "correlated_random_walk")
CHANGES = {
    "seeker": {},
    "mistaken": {"misfit": {"rate": 2.0, "length": 0.5}},
    "cheat": {"fit": {"recording": None, "part": "whole"}, "overlap": "allowed"},
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished run with three believers in one movie."""
    root = tmp_path_factory.mktemp("run")
    model, _ = write_believer(tmp_path_factory.mktemp("plugins"))
    registry.register_file(Path(model))
    config = factory.config({"m": "movie"}, AGENTS, simulations=6, movie_part="second_half")
    for label, changes in CHANGES.items():
        config["agents"][label] |= {"model": "believer", "detection": {**DETECTION, **changes}}
    factory.write_run(root, config)
    blinking_movie(root / "movie.parquet")
    for label, changes in CHANGES.items():
        with PlumeReader(root / "movie.parquet") as reader:
            arrays = detection_arrays(reader, None, label, settings(**changes))
        levels = {"threshold": 0.5, "dead_zone": None, "blank_mean": None, "blank_sd": None}
        write_prepared(str(root / f"prepared/m/{label}.npz"), levels, arrays)
    write_plume_maps(root, ["m"])
    write_statistics(root, config)
    write_summary(root, 24, 8000)
    yield root, config
    del registry._user_files["model", "believer"]


def drawn(root, config, name):
    with matplotlib.rc_context(style.RC):
        return registry.get("figure", name).draw(RunData(root, config))


def test_privileged_agents_are_those_whose_models_say_so(finished):
    _, config = finished
    assert privileged(config) == dict.fromkeys(CHANGES, "the mean rate of hits")


def test_beliefs_tell_the_fit_and_what_it_was_made_of(finished):
    root, config = finished
    found = beliefs(root, config)
    assert set(found) == set(CHANGES)
    seeker, mistaken, cheat = (found[label]["m"] for label in CHANGES)
    assert seeker["fit_length_mm"] == seeker["detection_length_mm"]
    assert seeker["fit_length_se_mm"] > 0
    assert mistaken["fit_length_mm"] == seeker["fit_length_mm"]
    assert mistaken["detection_length_mm"] == pytest.approx(0.5 * seeker["fit_length_mm"])
    assert 0 < seeker["test"]["deviance_explained"] < 1
    assert cheat["test"] is None
    assert [one["overlap"] for one in (seeker, mistaken, cheat)] == [False, False, True]
    json.dumps(found, allow_nan=False)


def test_the_figure_shows_what_was_measured_and_believed(finished):
    root, config = finished
    figure, data = drawn(root, config, "fig6_detection")
    text = "\n".join(t.get_text() for t in figure.findobj(Text))
    assert "mistaken believes" in text
    assert "not tested" in text  # whoever lives where it was fitted
    assert set(data["agents"]) == {"seeker mistaken", "cheat"}
    mine = data[(data["agents"] == "seeker mistaken") & (data["map"] == "measured, fitted to")]
    stored = np.load(root / "prepared/m/seeker.npz")
    assert mine["value"].sum() == pytest.approx(stored["fit_rate_hz"].sum(), rel=1e-4)
    (*_, record) = draw_all(root, config, ["fig6_detection"])
    record = json.loads(record.read_text())
    assert "seeker, mistaken in m: fitted to the first half of m" in record["caption"]
    assert record["inputs"] == [f"prepared/m/{label}.npz" for label in sorted(CHANGES)]
    assert "the agents live not tested" in record["caption"]


def test_a_run_without_believers_says_so(tmp_path):
    config = factory.config(simulations=3)
    factory.write_run(tmp_path, config)
    (*_, record) = draw_all(tmp_path, config, ["fig6_detection"])
    assert "No agent of this run believes" in json.loads(record.read_text())["caption"]


def test_page_and_success_figure_label_the_privileged(finished):
    root, config = finished
    (*_, record) = draw_all(root, config, ["fig3_success"])
    caption = json.loads(record.read_text())["caption"]
    assert "* Privileged: seeker, mistaken, cheat (each knows the mean rate of hits)." in caption
    figure, _ = drawn(root, config, "fig3_success")
    ticks = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert ticks == ["seeker*", "mistaken*", "cheat*", "correlated_random_walk"]
    numbers = build_numbers(root, config, Path(__file__).parents[2])
    page = page_text(root, config, numbers, ["fig3_success"])
    assert page.count('seeker <span class="bad" title="the mean rate of hits">privileged') == 3
    assert "correlated_random_walk <span" not in page
    part = page.split('<section id="knowledge">')[1].split("</section>")[0]
    assert "cheat lives in m in frames that its knowledge was fitted to" in part
    assert "seeker lives in" not in part
    assert "rate × 2, lengths × 0.5" in part
    assert "not tested" in part


def test_a_page_without_privileged_agents_has_no_such_section(tmp_path):
    config = factory.config(simulations=3)
    factory.write_run(tmp_path, config)
    write_plume_maps(tmp_path, ["smooth"])
    write_statistics(tmp_path, config)
    write_summary(tmp_path, 12, 8000)
    numbers = build_numbers(tmp_path, config, Path(__file__).parents[2])
    assert numbers["privileged"] == numbers["beliefs"] == {}
    page = page_text(tmp_path, config, numbers, [])
    assert "privileged" not in page.lower()
