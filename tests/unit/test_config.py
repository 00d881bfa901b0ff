"""A mistake in a config is answered with one message: what, where, what is allowed, what to do."""

import copy
from pathlib import Path

import pytest
import yaml

import factories
from plumenav import config, registry
from plumenav.batch.prepare import Prepared
from plumenav.batch.settings import engine_settings, job_settings
from plumenav.config.document import documents
from plumenav.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
GOOD = {
    "run": "mine",
    "recordings": {
        "hill": {"analytic": {"field": "gaussian", "parameters": {"sigma_mm": 40}}},
    },
    "agents": {"fly": {"model": "on_off", "sensor": {"threshold": {"value": 0.1}}}},
    "simulation": {"simulations": 20},
}
DELETE = "DELETE"  # instead of a value: take the key away


def changed(path, value):
    """The good config with one key changed."""
    content = copy.deepcopy(GOOD)
    *parents, last = path.split(".")
    at = content
    for part in parents:
        at = at.setdefault(part, {})
    if value is DELETE:
        del at[last]
    else:
        at[last] = value
    return content


def test_the_good_config_is_complete_with_all_defaults():
    resolved = config.resolve(GOOD, Path())
    fly = resolved["agents"]["fly"]
    assert fly["parameters"]["tau_on_s"] == 0.72
    assert fly["preset"] == "alvarez_salvado_2018"
    assert fly["sensor"]["threshold"] == {"value": 0.1, "unit": "absolute"}
    assert fly["sensor"]["interpolation"] == "nearest"
    assert resolved["recordings"]["hill"]["analytic"]["parameters"] == {
        "peak": 1.0,
        "sigma_mm": 40,
    }
    assert resolved["simulation"]["success_radius_mm"] == 15.0


MISTAKES = [
    ("agent", {}, ["agent", "unknown key", "Did you mean 'agents'?"]),
    ("simulation.succes_radius_mm", 5, ["simulation.succes_radius_mm", "success_radius_mm'?"]),
    ("simulation.duration_s", "long", ["simulation.duration_s", "'long'", "number"]),
    ("simulation.duration_s", -1, ["simulation.duration_s", "-1", "greater than 0"]),
    ("simulation.duration_s", float("nan"), ["simulation.duration_s", "finite"]),
    ("simulation.boundary", "reflct", ["simulation.boundary", "Did you mean 'reflect'?"]),
    ("simulation.simulations", 2.5, ["simulation.simulations", "2.5", "integer"]),
    ("simulation.start.x_mm", [200, 100], ["simulation.start.x_mm", "must not exceed"]),
    ("simulation.start.x_mm", [5, 100], ["simulation.start", "success radius of 15 mm"]),
    ("simulation.start.x_mm", [-20, 100], ["simulation.start", "success radius"]),
    ("simulation.start.x_mm", [100, 300], ["simulation.start.x_mm", "arena", "250"]),
    ("simulation.start.y_mm", [-500, 0], ["simulation.start.y_mm", "arena", "-80"]),
    ("run", "../escape", ["run", "'../escape'", "letters, digits or underscores"]),
    ("run", DELETE, ["run", "missing"]),
    ("agents", {}, ["agents", "at least 1"]),
    ("agents", {"a b": {"model": "on_off"}}, ["'a b'", "letters, digits"]),
    ("agents", {"$(rm -rf)": {"model": "on_off"}}, ["'$(rm -rf)'", "letters, digits"]),
    ("agents", {"x;y": {"model": "on_off"}}, ["'x;y'", "letters, digits"]),
    ("recordings", {"a/b": GOOD["recordings"]["hill"]}, ["'a/b'", "letters, digits"]),
    ("agents.fly.model", "on_of", ["agents.fly.model", "'on_of'", "Did you mean 'on_off'?"]),
    ("agents.fly.model", "../on_off", ["agents.fly.model", "../on_off"]),
    ("agents.fly.model", "mine.py", ["agents.fly.model", "under plugins, and write model: mine."]),
    ("agents.fly", {"modell": "on_off"}, ["agents.fly.modell: unknown key", "mean 'model'?"]),
    ("agents.fly", {}, ["agents.fly.model: missing"]),
    ("agents.fly.preset", "best", ["agents.fly.preset", "alvarez_salvado_2018"]),
    ("agents.fly.parameters", {"tau_on": 1}, ["agents.fly.parameters.tau_on", "tau_on_s'?"]),
    ("agents.fly.parameters", {"tau_on_s": -1}, ["agents.fly.parameters.tau_on_s", "greater"]),
    ("agents.fly.control", "shufled", ["agents.fly.control", "Did you mean 'shuffled'?"]),
    ("agents.fly.sensor.noise", {"value": -1}, ["sensor.noise.value", "greater than or equal"]),
    ("agents.fly.sensor.noise", {}, ["agents.fly.sensor.noise.value", "missing"]),
    ("agents.fly.sensor.adaptation", {"tau_s": 0}, ["sensor.adaptation.", "tau_s"]),
    ("simulation.boundary_margin_mm", -3, ["boundary_margin_mm", "greater than or equal to 0"]),
    ("simulation.movie_part", "half", ["simulation.movie_part", "'half'", "first_half"]),
    ("agents.fly.sensor.shape", "nose", ["agents.fly.sensor.shape", "'nose'", "pair, point"]),
    ("agents.fly.sensor.parameters", {"size": 1}, ["agents.fly.sensor.parameters.size"]),
    ("agents.fly.control", "blank_region", ["agents.fly.control", "no meaning", "hill"]),
    ("recordings.hill.analytic.field", "gauss", ["analytic.field", "Did you mean 'gaussian'?"]),
    ("recordings.hill.analytic.parameters", {"sigma": 1}, ["parameters.sigma", "sigma_mm"]),
    ("recordings.hill.mm_per_px", 0, ["recordings.hill.mm_per_px", "greater than 0"]),
    ("recordings.hill.mm_per_px", -0.7, ["recordings.hill.mm_per_px", "greater than 0"]),
    ("recordings.hill.mm_per_px", "x", ["mm_per_px: found 'x'", "number", "or a section of keys"]),
    ("recordings.hill.mm_per_px", {"row": 1}, ["recordings.hill.mm_per_px.column: missing"]),
    (
        "recordings.hill.mm_per_px",
        {"rows": 1, "column": 1},
        ["recordings.hill.mm_per_px.rows: unknown key", "Did you mean 'row'?"],
    ),
    (
        "recordings.hill.wind_toward",
        "+colum",
        [
            "recordings.hill.wind_toward: found '+colum'",
            "-row; or a valid number.",
            "mean '+column'?",
        ],
    ),
    (
        "recordings.hill.normalize",
        {"flat_field": {"dark": [5, 2]}},
        ["recordings.hill.normalize.flat_field.dark: found [5, 2]", "0 <= first < end"],
    ),
    ("recordings.hill.path", "x.avi", ["recordings.hill", "exactly one of path"]),
    ("recordings.hill.reader", {"axes": ["row", "row", "frame"]}, ["axes", "each once"]),
    ("recordings.hill.reader", {"name": "vidio"}, ["reader.name", "Did you mean 'video'?"]),
    ("recordings.hill.normalize", {"backgroud": {}}, ["backgroud", "Did you mean 'background'?"]),
    ("recordings.hill.normalize", {"background": {"method": "mean"}}, ["background", "frames"]),
    ("validation.sample", 30, ["validation.sample", "only 20 simulations"]),
    ("plugins", ["nowhere.py"], ["plugins", "nowhere.py", "cannot be read"]),
    (
        "recordings",
        {"m": {"path": "no.avi", "mm_per_px": 1, "source_px": {"row": 0, "column": 0}}},
        ["recordings.m.path", "there is no file", "PLUMENAV_DATA"],
    ),
    ("recordings", {"m": {"path": "no.avi"}}, ["recordings.m", "mm_per_px and source_px"]),
    (
        "recordings",
        {
            "s": {
                "synthetic": {"format": "hdf5", "parameters": {"wind": 1}},
                "mm_per_px": 1,
                "source_px": {"row": 0, "column": 0},
            }
        },
        ["recordings.s.synthetic.parameters", "wind"],
    ),
    (
        "recordings",
        {
            "s": {
                "synthetic": {"format": "hdf5", "generator": "smoke"},
                "mm_per_px": 1,
                "source_px": {"row": 0, "column": 0},
            }
        },
        ["recordings.s.synthetic.generator", "'smoke'", "filament"],
    ),
]


@pytest.mark.parametrize(
    ("path", "value", "words"), MISTAKES, ids=[f"{m[0]}={m[1]!r:.25}" for m in MISTAKES]
)
def test_mistake_gets_one_message(path, value, words):
    with pytest.raises(UserError) as caught:
        config.resolve(changed(path, value), Path())
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message


@pytest.mark.parametrize(
    ("agent", "dt_s", "words"),
    [
        ({}, 0.7, ["steps of 0.7 s", "time constant", "0.62", "0.02 s"]),
        ({"parameters": {"tau_on_s": 0.01}}, "publication", ["steps of 0.02 s", "0.01"]),
        (
            {"parameters": {"fidelity": "corrected", "turn_base_hz": 60.0}},
            "publication",
            ["turn_base_hz 60", "1/dt = 50"],
        ),
        ({"model": "walk_stop_turn", "parameters": {"turn_hz": 200.0}}, 0.01, ["turn_hz 200"]),
        ({"model": "walk_stop_turn"}, 2.0, ["stop_base_hz 0.78", "1/dt = 0.5"]),
    ],
)
def test_parameters_that_do_not_fit_the_step_are_refused(agent, dt_s, words):
    content = changed("simulation.dt_s", dt_s)
    content["agents"]["fly"] |= agent
    with pytest.raises(UserError) as caught:
        config.resolve(content, Path())
    assert str(caught.value).startswith("agents.fly")
    for word in [*words, "Change its parameters or simulation.dt_s."]:
        assert word in str(caught.value)


def test_published_rates_above_the_step_are_counted_not_refused():
    content = changed("agents.fly.parameters", {"turn_base_hz": 60.0})
    assert config.resolve(content, Path())["agents"]["fly"]["parameters"]["turn_base_hz"] == 60.0


def test_a_frame_interval_that_does_not_fit_is_refused_when_it_is_known():
    content = changed("simulation.dt_s", "frame")
    resolved = config.resolve(content, Path())
    job = job_settings(resolved, "hill", "fly")
    prepared = Prepared({"threshold": 0.1, "dead_zone": None}, {})
    assert engine_settings(job, 0.1, prepared)["dt_s"] == 0.1
    with pytest.raises(UserError, match=r"steps of 1 s: .* time constant"):
        engine_settings(job, 1.0, prepared)


def test_a_model_that_needs_wind_is_not_run_in_still_air():
    content = changed("agents.fly", {"model": "surge_cast", "sensor": {"threshold": {"value": 1}}})
    content["recordings"]["hill"]["wind"] = {"speed_mm_s": 0}
    with pytest.raises(UserError, match="needs wind"):
        config.resolve(content, Path())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("run: [1", ["not valid YAML"]),
        ("- a\n- b\n", ["holds no keys"]),
        ("", ["holds no keys"]),
        ("run: a\nrun: b\n", ["'run' is given twice", "line"]),
        ("x: !!python/object/apply:os.system ['true']\n", ["not valid YAML"]),
        ("run: \x00", ["not valid YAML"]),
    ],
)
def test_a_file_that_is_no_config(tmp_path, text, words):
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(UserError) as caught:
        config.load(path)
    for word in words:
        assert word in str(caught.value)


def test_a_missing_config_file(tmp_path):
    with pytest.raises(UserError, match="No such file"):
        config.load(tmp_path / "none.yaml")


def test_the_environment_variable_names_the_data_folder(tmp_path, monkeypatch):
    (tmp_path / "m.avi").write_bytes(b"x")
    content = changed(
        "recordings", {"m": {"path": "m.avi", "mm_per_px": 1, "source_px": {"row": 0, "column": 0}}}
    )
    monkeypatch.setenv("PLUMENAV_DATA", str(tmp_path))
    assert config.resolve(content, Path())["recordings"]["m"]["file"] == str(tmp_path / "m.avi")


@pytest.mark.parametrize("name", ["config", "small"])
def test_shipped_configs_are_valid(name):
    content = yaml.safe_load((ROOT / "config" / f"{name}.yaml").read_text())
    resolved = config.resolve(content, ROOT / "config")
    if name == "config":
        each = resolved["simulation"]["simulations"]
        assert len(resolved["recordings"]) * len(resolved["agents"]) * each >= 4000
        models = {agent["model"] for agent in resolved["agents"].values()}
        families = {registry.get("model", model).FAMILY for model in models}
        assert families >= {"fly", "casting", "gradient", "belief", "null"}


def test_documentation_of_the_config_is_current():
    for path, text in documents(ROOT / "config").items():
        assert path.read_text() == text, "run: python -m plumenav.config.document"


def test_shuffled_agents_need_pairs_of_simulations():
    content = changed("agents.fly.control", "shuffled")
    assert config.resolve(content, Path())["agents"]["fly"]["control"] == "shuffled"
    content["simulation"]["simulations"] = 21
    with pytest.raises(UserError, match=r"simulation.simulations: found 21.*even"):
        config.resolve(content, Path())


def test_a_signal_has_no_halves():
    content = changed("simulation.movie_part", "first_half")
    config.resolve(content, Path())  # an analytic plume is the same at all times
    pulse = {"duration_s": 20.0, "start_s": 5.0, "stop_s": 10.0}
    content["recordings"] = {"pulse": {"signal": pulse}}
    with pytest.raises(UserError, match=r"simulation.movie_part.*signal"):
        config.resolve(content, Path())


def test_what_is_not_given_is_none_and_null_takes_it_away():
    fly = config.resolve(GOOD, Path())["agents"]["fly"]
    assert (fly["sensor"]["noise"], fly["sensor"]["adaptation"]) == (None, None)
    content = changed("agents.fly.sensor.noise", {"value": 2, "unit": "noise_sd"})
    content["agents"]["fly"]["sensor"]["adaptation"] = {"tau_s": 9.8, "half_level": 3}
    fly = config.resolve(content, Path())["agents"]["fly"]
    assert fly["sensor"]["noise"] == {"value": 2.0, "unit": "noise_sd"}
    assert fly["sensor"]["adaptation"] == {"tau_s": 9.8, "half_level": 3.0}
    content["agents"]["fly"]["sensor"]["adaptation"] = None
    assert config.resolve(content, Path())["agents"]["fly"]["sensor"]["adaptation"] is None


def test_who_compares_sides_needs_a_sensor_that_has_some(tmp_path, monkeypatch):
    factories.add_model(tmp_path, monkeypatch, "two_sided", "    return None", BILATERAL=True)
    file = tmp_path / "reference" / "two_sided.py"
    file.parent.mkdir()
    file.write_text('"""Of a test."""\nPLUGIN_KIND = "reference"\n', encoding="utf-8")
    content = changed("agents.fly.model", "two_sided")
    content["plugins"] = ["two_sided.py", "reference/two_sided.py"]
    with pytest.raises(UserError, match=r"agents.fly.sensor.shape.*'point'.*motion_pair, pair"):
        config.resolve(content, tmp_path)
    content["agents"]["fly"]["sensor"]["shape"] = "pair"
    sensor = config.resolve(content, tmp_path)["agents"]["fly"]["sensor"]
    assert sensor["parameters"] == {"separation_mm": 1.0, "ahead_mm": 0.0}


def test_what_cannot_run_at_the_time_step_is_refused(tmp_path, monkeypatch):
    content = changed("agents.fly.sensor.adaptation", {"tau_s": 0.01, "half_level": 1})
    with pytest.raises(UserError, match=r"agents.fly.sensor.adaptation.tau_s.*step of 0.02 s"):
        config.resolve(content, Path())
    content["simulation"]["dt_s"] = 0.005
    config.resolve(content, Path())

    def problem(params, dt_s):
        return f"turns {params.turn_base_hz * dt_s:g} times per step" if dt_s > 1 else None

    monkeypatch.setattr(registry.get("model", "on_off"), "problem", problem, raising=False)
    content = changed("simulation.dt_s", 2.0)
    with pytest.raises(UserError, match=r"agents.fly: .*turns .* per step.*dt_s"):
        config.resolve(content, Path())
