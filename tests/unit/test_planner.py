"""Plans of runs against numbers worked out by hand."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import factories
from plumenav import config, fingerprint, registry
from plumenav.batch import memory, planner, typical
from plumenav.batch.layout import START_UP_S, chunk_size, cost_of, layout, steps_of
from plumenav.batch.machine import Machine
from plumenav.batch.memory import Shape, Weights, Work, block_mb, expected_peak_mb, split, work_of
from plumenav.batch.planner import COMPILE_MB, EXPECTED_SHARE, FIRST_TIME_MB, measured_movies, plan
from plumenav.batch.settings import chunk_names
from plumenav.engine import run as engine_run
from plumenav.engine.outcome import make_rows
from plumenav.errors import UserError
from plumenav.tables import files as table_files
from plumenav.tables import plume as plume_files

ROOT = Path(__file__).resolve().parents[2]
LAPTOP = Machine(cores=2, memory_mb=16000.0, available_mb=12000.0)
MOVIE = {"frames": 3600, "height": 216, "width": 406, "itemsize": 2}


def resolved(**changes):
    agents = {name: {"model": model} for name, model in changes.pop("agents", {}).items()}
    agents = agents or {"fly": {"model": "on_off"}}
    for agent in agents.values():
        agent["sensor"] = {"threshold": {"value": 0.1}}
    simulation = {"simulations": 286, "duration_s": 120, **changes.pop("simulation", {})}
    content = {
        "run": "planned",
        "recordings": {"hill": {"analytic": {"field": "windy_detections"}}},
        "agents": agents,
        "simulation": simulation,
        "validation": {"sample": 6},
        **changes,
    }
    return config.resolve(content, ROOT)


def job(**changes):
    """A simulate job of the history."""
    shape = {**MOVIE, "simulations": 286, "steps": 6000, "model": "on_off"}
    return {
        "rule": "simulate",
        "wildcards": {"recording": "hill", "agent": "fly", "chunk": "0000"},
        "wall_s": 2.0,
        "max_rss_mb": 500.0,
        "shape": shape,
        "compiled": False,
        "cached": False,
        **changes,
    }


# ------------------------------------------------------------------------------ chunks


def test_a_number_in_the_config_is_the_size_of_chunks():
    assert chunk_size(resolved(batch={"chunk_simulations": 7}), "fly") == 7


@pytest.mark.parametrize(
    ("model", "simulations", "size"),
    [
        ("on_off", 286, 286),  # 6000 steps of 0.15 us: 10 s are 11111 simulations
        ("on_off", 5000, 5000),  # but no more than max_chunk_simulations
        ("on_off", 12000, 4000),  # three equal parts instead of 5000 + 5000 + 2000
        ("infotaxis", 3333, 3333),  # 0.5 us
        ("infotaxis", 3334, 1667),
    ],
)
def test_chunks_by_cost(model, simulations, size):
    chosen = resolved(agents={"a": model}, simulation={"simulations": simulations})
    assert chunk_size(chosen, "a") == size


def test_limits_of_chunks():
    long = {"simulations": 100, "duration_s": 1e6}
    assert chunk_size(resolved(simulation=long), "fly") == 10
    assert chunk_size(resolved(simulation=long, batch={"min_chunk_simulations": 50}), "fly") == 50
    short = {"simulations": 100, "duration_s": 10}
    assert chunk_size(resolved(simulation=short, batch={"max_chunk_simulations": 30}), "fly") == 25
    with pytest.raises(UserError, match="min_chunk_simulations"):
        resolved(batch={"min_chunk_simulations": 50, "max_chunk_simulations": 20})


@pytest.mark.parametrize("name", sorted(set(registry.names("model")) - {"hybrid", "finite_state"}))
def test_a_full_chunk_is_mostly_work_and_ends_soon(name):
    chosen = resolved(agents={"a": name}, simulation={"simulations": 100_000})
    agent = chosen["agents"]["a"]
    work_s = chunk_size(chosen, "a") * steps_of(chosen["simulation"], agent) * 1e-6
    work_s *= cost_of(agent).step_us
    assert START_UP_S / (START_UP_S + work_s) < 0.2
    assert START_UP_S + work_s < 120


def test_agents_that_cost_more():
    chosen = resolved(agents={"a": "on_off"})
    plain = cost_of(chosen["agents"]["a"])
    assert cost_of({**chosen["agents"]["a"], "control": "shuffled"}).step_us == 2 * plain.step_us


def test_the_demonstration_has_as_few_jobs_as_agents_and_recordings():
    demo = config.load(ROOT / "config/config.yaml")
    names = [chunk_names(demo["simulation"]["simulations"], n) for n in layout(demo).values()]
    assert names == [["0000"]] * 7


def test_ten_times_the_simulations_cost_at_most_ten_and_a_half_times_as_much():
    demo = config.load(ROOT / "config/config.yaml")

    def seconds(simulations):
        run = {**demo, "simulation": {**demo["simulation"], "simulations": simulations}}
        return sum(one.expected_wall_s for _, one in plan(run, LAPTOP).simulate_jobs())

    assert seconds(2860) <= 10.5 * seconds(286)


@given(
    cores=st.integers(1, 256),
    available_mb=st.floats(100, 1e6),
    load=st.floats(0, 100),
    wall_s=st.floats(0.1, 1e4),
    simulations=st.integers(20, 100_000),
)
def test_machine_and_history_decide_no_chunk(cores, available_mb, load, wall_s, simulations):
    chosen = resolved(simulation={"simulations": simulations})
    machine = Machine(cores, 1e6, available_mb, load)
    records = [{"run": "planned", "jobs": [job(wall_s=wall_s)]}]
    assert plan(chosen, machine, records).layout == layout(chosen)


# ------------------------------------------------------------------------------ memory


def test_constants_said_twice_are_the_same():
    assert memory.BLOCK_BYTES == plume_files.ROW_GROUP_BYTES
    assert memory.ROWS_PER_GROUP == table_files.ROWS_PER_GROUP
    assert memory.CAPACITY == engine_run.CAPACITY


def test_bytes_of_a_row_on_its_way(tmp_path):
    movie = factories.write_movie(tmp_path / "movie.parquet")
    plan, settings = factories.plan_columns(2, 40), factories.engine_settings("on_off")
    columns, _ = factories.run(movie, plan, settings)
    assert sum(column.itemsize for column in columns.values()) == memory.ROW_BYTES
    room = make_rows(1, 1, 0)
    assert room.codes.nbytes + room.numbers.nbytes == memory.ROOM_BYTES


def test_blocks_are_those_of_the_file():
    shape = Shape(3600, 216, 406, 2, 10, 10, "on_off")
    per_group = plume_files.frames_per_row_group(216, 406, 2)
    assert block_mb(shape) == per_group * 216 * 406 * 2 / 2**20
    assert block_mb(shape._replace(frames=3)) == 3 * 216 * 406 * 2 / 2**20
    assert block_mb(shape._replace(height=5000, width=5000)) == 5000 * 5000 * 2 / 2**20


def test_rows_of_a_job():
    shape = Shape(3600, 216, 406, 2, 10, 6000, "on_off")
    # 95 frames of 15 Hz in a block: 6.33 s, 63 rows and two ends
    assert work_of(shape, 0.02, 0.1, 15.0)[:2] == (65, 12010)
    # nothing is known of the movie, or it has no frames
    assert work_of(shape, 0.02, 0.1)[:2] == (1201, 12010)
    assert work_of(shape, 0.02, 0.0).rows_per_agent_and_block == memory.CAPACITY


WEIGHTS = Weights(base_mb=200.0, block=4.0, kept=1.0, group=2.0, at_once=1.0, agents=1.0)
SHAPE = Shape(3600, 216, 406, 2, 4000, 6000, "on_off")
WORK = Work(2000, 48_000_000)


def peak(keep_mb, agents, shape=SHAPE, work=WORK):
    return expected_peak_mb(shape, work, keep_mb, agents, WEIGHTS)


def test_less_is_held_only_as_far_as_needed():
    roomy = split(SHAPE, WORK, 256.0, 10_000.0, WEIGHTS)
    assert roomy == (256.0, 4000, peak(256.0, 4000))
    tighter = split(SHAPE, WORK, 256.0, peak(100.0, 4000), WEIGHTS)
    assert tighter.agents_per_pass == 4000
    assert tighter.keep_mb == pytest.approx(100.0)
    tight = split(SHAPE, WORK, 256.0, peak(0.0, 1000), WEIGHTS)
    assert tight == (0.0, 1000, peak(0.0, 1000))
    assert split(SHAPE, WORK, 256.0, 1.0, WEIGHTS)[:2] == (0.0, 1)


def test_a_short_movie_keeps_no_more_than_itself():
    short = SHAPE._replace(frames=100)
    assert split(short, WORK, 1e9, 1e9, WEIGHTS).keep_mb == 100 * 216 * 406 * 2 / 2**20


def test_a_movie_ten_times_longer_changes_the_expected_peak_little():
    for keep_mb in (0.0, 256.0):
        long = SHAPE._replace(frames=36_000)
        assert peak(keep_mb, 0, long) == peak(keep_mb, 0)


def test_weights_are_found_again():
    trials = list(typical.grid())
    true = Weights(210.0, 4.0, 1.0, 2.0, 0.5, 1.0)
    found = typical.fitted(trials, [typical.expected_mb(trial, true) for trial in trials])
    assert found == pytest.approx(true, abs=0.02)


# ------------------------------------------------------------------------------ machine


def planned(chosen=None, machine=LAPTOP, jobs=(), movies=None):
    records = [{"run": "planned", "jobs": list(jobs)}]
    return plan(chosen or resolved(), machine, records, movies)


def test_workers_and_memory_of_a_machine():
    assert planned().workers == 2
    assert planned(resolved(resources={"max_workers": 1})).workers == 1
    few = Machine(2, 1e5, 1e5)
    assert planned(resolved(resources={"min_workers": 8}), few).workers == 2
    many = Machine(64, 1e6, 1e6)
    wide = planned(machine=many)
    assert wide.workers == 64
    largest = max(one.mem_mb for _, one in wide.simulate_jobs())
    assert wide.jobs_at_once() == 8000 // largest
    assert wide.jobs_at_once() * largest <= 8000
    assert "do not fit" in wide.reasons()["jobs_at_once"]
    small = planned(machine=Machine(2, 4000.0, 1000.0))
    assert small.limit_mb == 900.0
    assert "available" in small.reasons()["limit_mb"]
    assert planned(machine=Machine(2, 1e5, 1e5, 50.0)).workers == 2  # a load changes words only


@pytest.mark.parametrize("job_memory_mb", [500, 800, 2000])
@pytest.mark.parametrize("use", ["conservative", "balanced", "aggressive"])
def test_a_job_stays_within_its_memory(job_memory_mb, use):
    limits = {"job_memory_mb": job_memory_mb, "memory_use": use}
    for model in ("on_off", "infotaxis"):
        chosen = resolved(agents={"fly": model}, simulation={"simulations": 4000}, resources=limits)
        for movies in (None, {"hill": MOVIE}):
            for _, one in planned(chosen, movies=movies).simulate_jobs():
                assert one.mem_mb <= job_memory_mb
                assert one.expected_peak_mb <= EXPECTED_SHARE * one.mem_mb or job_memory_mb == 500
                assert set(one.reasons) == {
                    *("mem_mb", "runtime_min", "expected_wall_s", "expected_peak_mb"),
                    *("block_mb", "agents_per_pass"),
                }
                assert all(one.reasons.values())


def test_memory_use_decides_what_is_kept():
    kept = {}
    for use in ("conservative", "balanced", "aggressive"):
        chosen = resolved(resources={"memory_use": use})
        kept[use] = next(iter(planned(chosen, movies={"hill": MOVIE}).simulate_jobs()))[1].block_mb
    assert kept["conservative"] == 0
    assert kept["balanced"] == 64
    assert 256 < kept["aggressive"] <= 3600 * 216 * 406 * 2 / 2**20


def test_a_retried_job_has_more_memory_and_time_and_fewer_agents_at_once():
    one = planned().job("simulate", recording="hill", agent="fly", chunk="0000")
    assert one.again(1) == one
    again = one.again(3)
    assert again.mem_mb >= 2.25 * one.mem_mb
    assert again.runtime_min >= 2.25 * one.runtime_min
    assert again.agents_per_pass == 72  # of 286, a quarter


# ------------------------------------------------------------------------------ history


def first(plan):
    return next(iter(plan.simulate_jobs()))[1]


def test_what_jobs_cost_before_is_what_they_are_expected_to_cost():
    before = [job(wall_s=START_UP_S + 3.0), job(wall_s=START_UP_S + 5.0)]
    before.append(job(wall_s=START_UP_S + 4.0))
    assert first(planned(jobs=before)).expected_wall_s == pytest.approx(START_UP_S + 4.0)
    double = planned(resolved(simulation={"simulations": 572}), jobs=before)
    assert first(double).expected_wall_s == pytest.approx(START_UP_S + 8.0)
    high = first(planned(jobs=[job(max_rss_mb=1200.0)]))
    assert high.expected_peak_mb == 1200.0
    assert high.mem_mb >= (1200 + COMPILE_MB) / EXPECTED_SHARE
    assert "before" in high.reasons["expected_peak_mb"]


@pytest.mark.parametrize("other", [{"cached": True}, {"compiled": True, "max_rss_mb": 1.0}])
def test_jobs_that_were_not_like_this_one_say_nothing(other):
    assert first(planned(jobs=[job(wall_s=1000.0, **other)])).expected_wall_s < 10
    records = [{"run": "another", "jobs": [job(wall_s=1000.0)]}]
    assert first(plan(resolved(), LAPTOP, records)).expected_wall_s < 10


def test_other_rules_are_expected_as_before_or_as_usual():
    usual = typical.read()["rules"]["validate"]
    never = planned().job("validate")
    assert never.mem_mb == FIRST_TIME_MB  # a larger run than the demonstration needs more than it
    assert (never.expected_wall_s, never.expected_peak_mb) == (usual["wall_s"], usual["peak_mb"])
    past = {"rule": "validate", "wildcards": {}, "wall_s": 70.0, "max_rss_mb": 3000.0}
    seen = planned(jobs=[past]).job("validate")
    assert (seen.expected_wall_s, seen.expected_peak_mb) == (70.0, 3000.0)
    assert seen.mem_mb > 3000
    assert planned().job("never heard of").mem_mb > 0


def test_movies_that_are_there_are_known(tmp_path):
    folder = tmp_path / "performance/jobs/normalize"
    folder.mkdir(parents=True)
    (folder / "a.json").write_text(json.dumps({"details": {"shape": MOVIE}}))
    (folder / "b.json").write_text("{")
    assert measured_movies(tmp_path, ["a", "b", "c"]) == {"a": MOVIE}


def test_a_plan_in_a_sentence():
    said = planned().in_short()
    assert "1 jobs simulate, 1 at once" not in said
    assert "`plumenav plan`" in said


@pytest.mark.parametrize("name", ["simulate", "prepare", "recheck", "reference", "normalize"])
def test_what_jobs_usually_cost_is_no_code_of_theirs(name):
    plans = {typical.FILE, Path(typical.__file__), Path(planner.__file__)}
    code = fingerprint.closure([registry.PACKAGE.parent / f"{name}.py"])
    assert not plans & (code | fingerprint.data_beside(code))
