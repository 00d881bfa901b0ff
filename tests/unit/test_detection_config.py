"""What a belief-based agent may be given; what would be cheating is refused with what to write."""

import copy
from pathlib import Path

import pytest

import factories_detection as factory
from plumenav import config, fingerprint, registry
from plumenav.errors import UserError
from plumenav.models._contract import declared

MOVIE = {
    "synthetic": {"generator": "filament", "format": "hdf5", "seed": 1},
    "frame_rate_hz": 15,
    "mm_per_px": 0.74,
    "source_px": {"row": 0, "column": 107},
    "wind_toward": "+row",
    "wind": {"speed_mm_s": 100},
}
GOOD = {
    "run": "mine",
    "recordings": {"a": MOVIE, "b": copy.deepcopy(MOVIE)},
    "agents": {"seeker": {"model": "believer"}, "walk": {"model": "correlated_random_walk"}},
    "simulation": {"simulations": 20, "movie_part": "second_half"},
}


@pytest.fixture
def resolve(tmp_path):
    """Resolve the good config with some keys changed."""
    plugins = factory.write_believer(tmp_path)
    before = set(registry._user_files)

    def resolved(**changes):
        content = copy.deepcopy({**GOOD, "plugins": plugins})
        for path, value in changes.items():
            *parents, last = path.split("__")
            at = content
            for part in parents:
                at = at.setdefault(part, {})
            at[last] = value
        return config.resolve(content, Path())

    yield resolved
    for key in set(registry._user_files) - before:
        del registry._user_files[key]


def test_the_section_is_complete_for_believers_and_absent_for_others(resolve):
    agents = resolve()["agents"]
    assert agents["seeker"]["detection"] == {
        "fit": {"recording": None, "part": "first_half"},
        "cell_mm": 5.0,
        "radius_mm": 2.5,
        "hit": {"refractory_s": 0.0},
        "overlap": "refused",
        "misfit": {"rate": 1.0, "length": 1.0},
    }
    assert "detection" not in agents["walk"]
    with pytest.raises(UserError, match=r"agents\.walk\.detection.*Remove the section"):
        resolve(agents__walk__detection={})
    with pytest.raises(UserError, match=r"agents\.seeker\.detection\.cell_m: unknown key"):
        resolve(agents__seeker__detection={"cell_m": 3})


def test_the_refractory_time_is_the_models_unless_given():
    from plumenav.config.detection import Detection, resolve_detection

    def refractory(given, parameters):
        section = Detection.model_validate({"hit": given})
        return resolve_detection("x", section, True, parameters)["detection"]["hit"]

    assert refractory({}, {"refractory_s": 0.2}) == {"refractory_s": 0.2}
    assert refractory({"refractory_s": 0.0}, {"refractory_s": 0.2}) == {"refractory_s": 0.0}
    assert refractory({}, {}) == {"refractory_s": 0.0}


@pytest.mark.parametrize(
    ("part", "lived", "write"),
    [
        ("first_half", "whole", r"simulation\.movie_part: second_half"),
        ("first_half", "first_half", r"simulation\.movie_part: second_half"),
        ("second_half", "second_half", r"simulation\.movie_part: first_half"),
        ("whole", "second_half", "fit.part: first_half"),
    ],
)
def test_an_agent_does_not_live_where_its_knowledge_is_from(resolve, part, lived, write):
    changes = {"agents__seeker__detection": {"fit": {"part": part}}}
    with pytest.raises(UserError) as caught:
        resolve(simulation__movie_part=lived, **changes)
    text = str(caught.value)
    assert "agents.seeker.detection.fit.part" in text
    assert "simulation.movie_part" in text
    assert "detection.overlap: allowed" in text
    assert write.replace("\\", "") in text
    changes["agents__seeker__detection"]["overlap"] = "allowed"
    resolve(simulation__movie_part=lived, **changes)


def test_another_recording_may_be_fitted_whole(resolve):
    fit = {"fit": {"recording": "b", "part": "whole"}}
    with pytest.raises(UserError, match="in 'b' the agent would live"):
        resolve(agents__seeker__detection=fit, simulation__movie_part="whole")
    recordings = {"a": MOVIE, "hits": {"analytic": {"field": "windy_detections"}}}
    threshold = {"threshold": {"value": 0.5}}
    agents = {"seeker": {"model": "believer", "sensor": threshold}}
    # constants of a field are known wherever the agent lives
    known = {"fit": {"recording": "hits"}}
    agents["seeker"]["detection"] = known
    resolve(recordings=recordings, agents=agents, simulation__movie_part="whole")


def test_what_cannot_be_fitted_to_is_refused(resolve):
    with pytest.raises(UserError, match=r"fit\.recording: found 'bb'.*Did you mean 'b'"):
        resolve(agents__seeker__detection={"fit": {"recording": "bb"}})
    hill = {"analytic": {"field": "gaussian"}}
    with pytest.raises(UserError, match=r"nothing can be fitted to 'hill' \(analytic\)"):
        resolve(recordings={"a": MOVIE, "hill": hill})


def test_concentrations_are_not_counted_as_hits(resolve):
    seeker = {"model": "infotaxis", "preset": "loisy_eloy_2022"}
    with pytest.raises(UserError, match=r"agents\.seeker\.parameters\.count: found 'hits'.*'a'"):
        resolve(agents={"seeker": seeker})
    resolve(agents={"seeker": {**seeker, "parameters": {"count": "onsets", "hit_values": 2}}})
    seeker["sensor"] = {"threshold": {"value": 0.5}}
    field = {"analytic": {"field": "isotropic_detections"}}
    resolve(recordings={"hits": field}, agents={"seeker": seeker})


@pytest.mark.parametrize("name", registry.names("model"))
def test_who_believes_in_a_detection_model_is_privileged(name):
    model = registry.get("model", name)
    if declared(model, "DETECTION"):
        assert declared(model, "PRIVILEGED")
        assert model.FAMILY == "belief"
    else:
        assert model.FAMILY != "belief"


def test_only_those_who_believe_depend_on_the_code_of_fits():
    """The rules add batch/detection.py to the fingerprint of such agents, and of no other."""
    scripts = registry.PACKAGE.parent
    for script in scripts.glob("*.py"):
        names = {path.relative_to(scripts).as_posix() for path in fingerprint.closure([script])}
        assert not {"plumenav/detection/fit.py", "plumenav/batch/detection.py"} & names
    own = fingerprint.closure([registry.PACKAGE / "batch" / "detection.py"])
    assert registry.PACKAGE / "detection" / "hit_map.py" in own
