"""Results do not depend on how the work is cut: bit for bit."""

import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import factories
from plumenav import registry
from plumenav.batch.settings import take
from plumenav.engine.donors import with_donors
from plumenav.tables import plume as plume_files

N = 10
FRAMES = factories.movie_frames()
# what any model can be given: together, in one piece and in another
GIVEN = {
    "noise, adaptation, turning, first half": {
        "sensor": {"noise": 0.02, "adaptation": {"tau_s": 1.0, "half_level": 0.2}},
        "boundary": "turn",
        "boundary_margin_mm": 30.0,
        "movie_part": "first_half",
    },
    "shuffled, stopping, second half": {
        "sensor": {"noise": 0.02},
        "boundary": "stop",
        "control": "shuffled",
        "movie_part": "second_half",
    },
}


@pytest.fixture(scope="module")
def truth(tmp_path_factory):
    """Every model's bits, computed in one piece."""
    folder = tmp_path_factory.mktemp("plume")
    movie = factories.write_movie(folder / "whole.parquet", FRAMES)
    plan = with_donors(factories.plan_columns(N, len(FRAMES)))
    whole = {}
    for name in registry.names("model"):
        chosen = factories.engine_settings(name, duration_s=5.0, record_every=3)
        whole[name] = (chosen, plan, *factories.run(movie, plan, chosen))
    half = len(FRAMES) // 2
    for name, extra in GIVEN.items():
        first = half if extra["movie_part"] == "second_half" else 0
        part = factories.plan_columns(N, len(FRAMES))
        part["start_frame"] = (first + part["start_frame"] % half).astype(np.int32)
        part = with_donors(part)
        chosen = factories.engine_settings("on_off", duration_s=5.0, record_every=3, **extra)
        rows, outcomes = factories.run(movie, part, chosen)
        assert first <= rows["frame"].min() <= rows["frame"].max() < first + half
        assert max(outcomes.column("wraps").to_pylist()) > 1
        whole[name] = (chosen, part, rows, outcomes)
    return folder, whole


@pytest.mark.parametrize("name", [*registry.names("model"), *GIVEN])
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    order=st.permutations(range(N)),
    cuts=st.sets(st.integers(1, N - 1)),
    threads=st.integers(1, 4),
    capacity=st.integers(1, 40),
    budget_mb=st.sampled_from([0.0, 0.01, 100.0]),
    frames_per_block=st.integers(1, len(FRAMES)),
)
def test_chunks_order_threads_and_blocks_change_no_bit(
    truth, name, order, cuts, threads, capacity, budget_mb, frames_per_block
):
    folder, whole = truth
    chosen, plan, expected, simulations = whole[name]
    movie = folder / f"blocks{frames_per_block}.parquet"
    if not movie.exists():
        with pytest.MonkeyPatch.context() as patch:
            bytes_per_frame = FRAMES[0].size * 2
            patch.setattr(plume_files, "ROW_GROUP_BYTES", frames_per_block * bytes_per_frame)
            factories.write_movie(movie, FRAMES)
    columns, outcomes = [], []
    bounds = [0, *sorted(cuts), N]
    for first, last in itertools.pairwise(bounds):
        part, outcome = factories.run(
            movie,
            take(plan, np.array(order[first:last])),
            chosen,
            threads=threads,
            capacity=capacity,
            budget_mb=budget_mb,
        )
        columns.append(part)
        outcomes.append(outcome)
    again = {key: np.concatenate([part[key] for part in columns]) for key in expected}
    rows = np.lexsort((again["step"], again["simulation"]))
    for key, values in expected.items():
        assert values.tobytes() == again[key][rows].tobytes(), key
    import pyarrow as pa

    assert pa.concat_tables(outcomes).sort_by("simulation").equals(simulations)


STARTS = {
    "region": {"x_mm": [50, 150], "y_mm": [-20, 20]},
    "ring": {"radius_mm": [50, 90], "angle_deg": [-40, 40]},
    "grid": {"x_mm": [50, 150], "y_mm": [-20, 20], "columns": 3, "rows": 4},
    "list": {"points": [[60, 3], [80, -9, 45], [70, 0, None, 7]]},
    "in_plume": {"x_mm": [50, 150], "y_mm": [-40, 40], "level": 0.2},
}


@pytest.mark.parametrize("kind", STARTS)
def test_another_agent_changes_no_other_agents_plan(kind, tmp_path):
    from plumenav.batch.plan import make_plan
    from plumenav.tables import PlumeReader

    start = {"kind": kind, **STARTS[kind], "heading_deg": [0, 360], "frame": "uniform"}
    with PlumeReader(factories.write_movie(tmp_path / "movie.parquet")) as reader:
        plan = make_plan(1, "smooth", "a", start, 20, reader)
        longer = make_plan(1, "smooth", "a", start, 30, reader)
        other = make_plan(1, "smooth", "b", start, 20, reader)
    assert longer.slice(0, 20).equals(plan)
    assert other.drop(["key"]).equals(plan.drop(["key"]))
    keys = set(plan.column("key").to_pylist())
    assert keys.isdisjoint(other.column("key").to_pylist())
    assert len(keys) == 20
