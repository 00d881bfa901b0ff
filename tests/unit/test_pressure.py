"""What a job does when its memory comes near to what it declared: with a made-up memory."""

import json

import numpy as np
import pytest

import factories
from plumenav.engine import pressure as pressure_module
from plumenav.engine.pressure import Cache, Level, OutOfBudgetError, Pressure, relieve, resident_mb
from plumenav.engine.run import Blocks, simulate
from plumenav.tables import PlumeReader


class Memory:
    """A memory that is as full as it is told to be, plus what a cache keeps."""

    def __init__(self, mb, cache=None):
        self.mb, self.cache = mb, cache

    def __call__(self):
        return self.mb + (self.cache.kept_mb if self.cache else 0.0)


def filled(limit_mb, sizes, memory_mb, budget_mb=1000.0):
    memory = Memory(memory_mb)
    pressure = Pressure(budget_mb, memory, clock=iter(range(100)).__next__)
    cache = Cache(limit_mb, pressure)
    memory.cache = cache
    for key, size in enumerate(sizes):
        cache.get(key, lambda key: f"block {key}", lambda _, size=size: size)
    return pressure, cache


@pytest.mark.parametrize(
    ("rss_mb", "level"),
    [
        (0, Level.CALM),
        (749.9, Level.CALM),
        (750, Level.SMALLER_BLOCKS),
        (869, Level.SMALLER_BLOCKS),
        (870, Level.DROPPED_CACHES),
        (939, Level.DROPPED_CACHES),
        (940, Level.GAVE_UP),
        (2000, Level.GAVE_UP),
    ],
)
def test_levels_are_shares_of_the_budget(rss_mb, level):
    assert Pressure(1000.0, lambda: rss_mb).check() == level


def test_no_budget_no_pressure():
    assert Pressure(0.0, lambda: 1e9).check() == Level.CALM


def test_what_came_first_is_kept_and_counted():
    _, cache = filled(100.0, [40.0, 40.0, 40.0], 0.0)
    read = []
    for _ in range(2):
        for key in range(3):
            cache.get(key, lambda key: read.append(key), lambda _: 40.0)
    assert read == [2, 2]
    assert cache.figures() == {"hits": 4, "misses": 5, "mb": 80.0}


def test_at_three_quarters_half_stays():
    pressure, cache = filled(400.0, [100.0] * 4, 360.0)  # 760 MB in all
    assert relieve(pressure, cache, 64) == 32
    assert cache.kept_mb == 200.0
    assert pressure.events == [
        {"kind": "smaller_blocks", "rss_mb": 760.0, "budget_mb": 1000.0, "at_s": 1}
    ]
    assert relieve(pressure, cache, 32) == 32  # 560 MB: calm again, and nothing is said
    assert len(pressure.events) == 1


def test_higher_everything_goes():
    pressure, cache = filled(400.0, [100.0] * 4, 480.0)  # 880 MB
    assert relieve(pressure, cache, 64) == 32
    assert (cache.kept_mb, cache.limit_mb) == (0.0, 0.0)
    assert [event["kind"] for event in pressure.events] == ["dropped_caches"]


def test_giving_up_only_when_giving_back_does_not_help():
    pressure, cache = filled(400.0, [100.0] * 4, 560.0)  # 960, of which 400 can go
    relieve(pressure, cache, 8)
    assert [event["kind"] for event in pressure.events] == ["dropped_caches"]
    pressure, cache = filled(400.0, [], 960.0)
    with pytest.raises(OutOfBudgetError, match=r"memory: 960 MB .* 1000 MB") as refused:
        relieve(pressure, cache, 8)
    assert "job_memory_mb" in str(refused.value)
    assert [event["kind"] for event in pressure.events] == ["dropped_caches", "gave_up"]
    json.dumps(pressure.events)


def test_memory_of_this_process():
    before = resident_mb()
    held = np.ones(40 * 2**17)  # 40 MB
    assert 30 < resident_mb() - before < 60
    assert len(held)


@pytest.fixture(scope="module")
def movie(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plume")
    frames = factories.movie_frames()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("plumenav.tables.plume.ROW_GROUP_BYTES", 3 * frames[0].size * 2)
        return factories.write_movie(folder / "movie.parquet", frames)


def simulated(movie, pressure=None, keep_mb=100.0, agents_at_once=0, capacity=2048):
    chosen = factories.engine_settings("on_off", duration_s=5.0, record_every=1)
    plan = factories.plan_columns(7, 40)
    rows = []
    with PlumeReader(movie) as reader:
        blocks = Blocks(reader, keep_mb, pressure=pressure, agents_at_once=agents_at_once)
        outcome = simulate(blocks, plan, chosen, rows.append, capacity=capacity)
    columns = {name: np.concatenate([part[name] for part in rows]) for name in rows[0]}
    return columns, outcome.simulations, blocks


@pytest.mark.parametrize("capacity", [2048, 5])
@pytest.mark.parametrize("agents_at_once", [1, 3, 7, 100])
def test_agents_at_a_time_change_no_bit_and_no_order(movie, agents_at_once, capacity):
    expected, simulations, _ = simulated(movie, capacity=capacity)
    columns, others, _ = simulated(movie, agents_at_once=agents_at_once, capacity=capacity)
    assert others.equals(simulations)
    for name, column in expected.items():
        np.testing.assert_array_equal(columns[name], column)


def test_pressure_changes_no_bit(movie, monkeypatch):
    released = []
    monkeypatch.setattr(pressure_module, "release_pools", lambda: released.append(1))
    expected, simulations, _ = simulated(movie)
    fullness = iter([0.0, 0.0, 0.8, 0.8, 0.0, 0.8, 0.8, 0.9, 0.9, 0.9] + [0.1] * 1000)
    pressure = Pressure(1.0, fullness.__next__)
    columns, others, blocks = simulated(movie, pressure)
    assert others.equals(simulations)
    for name, column in expected.items():
        np.testing.assert_array_equal(columns[name], column)
    assert [e["kind"] for e in pressure.events] == [
        "smaller_blocks",
        "smaller_blocks",
        "dropped_caches",
    ]
    assert len(released) == 3
    assert blocks.cache.limit_mb == 0.0


def test_a_job_that_gives_up_writes_nothing_more(movie):
    with pytest.raises(OutOfBudgetError):
        simulated(movie, Pressure(1.0, lambda: 0.95))
