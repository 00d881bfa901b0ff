"""`plumenav cache`: what it says, and its exit codes."""

import json

import pytest
from typer.testing import CliRunner

from plumenav import ownership
from plumenav.cli import app
from plumenav.cli._warm import small_run
from plumenav.store import Store, key_of, lookups

DAY_S = 86400.0


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A cache with two plumes and a result, of a run that has ended."""
    folder = tmp_path / "root"
    monkeypatch.setenv("PLUMENAV_CACHE", str(folder))
    monkeypatch.setenv("COLUMNS", "120")
    ended = ownership.me()._replace(started_s=1.0)
    file = tmp_path / "file"
    for level, n, size in (("plumes", 0, 2000), ("plumes", 1, 3000), ("results", 2, 500)):
        file.unlink(missing_ok=True)
        file.write_bytes(bytes([n]) * size)
        key = key_of("normalize", "code", {"n": n}, {}, "machine")
        Store(folder / level, 100, DAY_S, owner=ended).keep(key, {"plume": file}, {"cpu_s": 1.5})
        lookups.note(folder, ended, level, "normalize", n % 2, 1 - n % 2, size / 1e6, 1.5)
    lookups.note(folder, ended, "blocks", "simulate", 30, 10, 2.0)
    return folder


def said(*words):
    done = CliRunner().invoke(app, ["cache", *words])
    return done.exit_code, done.output


def answer(*words):
    code, text = said(*words, "--json")
    return code, json.loads(text)


def test_status(root):
    code, content = answer("status")
    assert code == 0
    plumes = content["levels"]["plumes"]
    assert (plumes["entries"], plumes["size_mb"], plumes["hit_rate"]) == (2, 0.005, 0.5)
    assert (plumes["limit_mb"], plumes["max_age_h"], plumes["policy"]) == (4000, 24, "lru")
    results = content["levels"]["results"]
    assert (results["entries"], results["hit_rate"]) == (1, 0.0)
    assert (results["limit_mb"], results["max_age_h"]) == (2000, 168)
    assert content["levels"]["blocks"]["hit_rate"] == 0.75
    code, text = said("status")
    assert code == 0
    for word in (
        "2 plumes",
        "50 %",
        "75 %",
        "at most 4,000 MB, 24 h since the last use; lru",
        str(root),
    ):
        assert word in text


def test_an_empty_cache_has_a_status(tmp_path, monkeypatch):
    monkeypatch.setenv("PLUMENAV_CACHE", str(tmp_path / "none"))
    code, content = answer("status")
    assert code == 0
    assert content["levels"]["plumes"]["hit_rate"] is None
    assert said("status")[0] == said("verify")[0] == said("prune")[0] == 0


def test_verify_names_what_is_damaged_and_fails(root):
    assert said("verify")[0] == 0
    (entry, _) = sorted((root / "plumes").glob("normalize-*"))
    (entry / "plume").unlink()
    (entry / "plume").write_bytes(b"x" * 2000)
    code, text = said("verify")
    assert code == 1
    assert entry.name in text
    assert "3 entries" in text
    assert "1 damaged" in text
    code, content = answer("verify", "--level", "plumes")
    assert code == 1
    assert [bad["key"] for bad in content["bad"]["plumes"]] == [entry.name]
    assert said("verify", "--remove")[0] == 1
    assert not entry.exists()
    assert said("verify")[0] == 0


def test_prune_by_size_age_and_all(root):
    assert answer("prune")[1]["plumes"]["removed"] == []
    code, content = answer("prune", "--level", "plumes", "--limit-mb", "0.004")
    assert code == 0
    assert [one["bytes"] for one in content["plumes"]["removed"]] == [2000]
    assert answer("prune", "--max-age-h", "1")[1]["plumes"]["removed"] == []
    code, text = said("prune", "--all")
    assert "2 entries removed" in text
    assert answer("status")[1]["levels"]["results"]["entries"] == 0


def test_mistakes_are_named(root):
    code, text = said("prune", "--level", "plume")
    assert code == 1
    assert "Did you mean 'plumes'?" in text
    code, text = said("prune", "--policy", "lfru")
    assert code == 1
    assert "lru" in text


def test_the_limits_are_those_of_a_config(root, tmp_path):
    config = tmp_path / "mine.yaml"
    config.write_text(
        "run: mine\n"
        "recordings: {hill: {analytic: {field: uniform}}}\n"
        "agents: {walk: {model: correlated_random_walk}}\n"
        "cache: {plumes: {limit_mb: 0.004, policy: fifo}, results: {enabled: false}}\n"
    )
    levels = answer("status", "--config", str(config))[1]["levels"]
    assert levels["plumes"]["max_age_h"] == 24
    assert levels["plumes"]["policy"] == "fifo"
    assert not levels["results"]["enabled"]
    removed = answer("prune", "--config", str(config))[1]["plumes"]["removed"]
    assert [one["bytes"] for one in removed] == [2000]


def test_warming_runs_the_same_with_few_and_short_simulations():
    content = {
        "run": "mine",
        "agents": {"a": {"model": "on_off"}},
        "simulation": {"simulations": 500, "boundary": "turn"},
        "cache": {"plumes": {"enabled": False, "limit_mb": 7}},
    }
    small = small_run(content)
    assert small["agents"] == content["agents"]
    assert small["simulation"] == {"simulations": 6, "duration_s": 2.0, "boundary": "turn"}
    assert small["cache"]["plumes"] == {"enabled": True, "limit_mb": 7}
    assert content["simulation"]["simulations"] == 500
