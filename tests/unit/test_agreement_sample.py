"""Choosing the simulations that the reference computes again."""

import pyarrow as pa

from plumenav.analysis.agreement_sample import choose_sample, sample_counts

ARENA = (0.0, 100.0, -50.0, 50.0)


def row(simulation, *, end="horizon", encounters=0, outside_s=0.0, final=(50.0, 0.0), **more):
    return {
        "simulation": simulation,
        "status": "ok",
        "success": end == "source",
        "end": end,
        "encounters": encounters,
        "time_outside_s": outside_s,
        "final_x_mm": final[0],
        "final_y_mm": final[1],
        **more,
    }


def mixed():
    reached = [row(i, end="source", encounters=i % 3) for i in range(0, 40)]
    left = [row(i, end="left", encounters=i % 2) for i in range(40, 80)]
    others = [row(i, encounters=200 - i) for i in range(80, 120)]
    return pa.Table.from_pylist(reached + left + others)


def chosen_rows(table, n, arena=None):
    chosen = choose_sample(table, n, arena)
    assert chosen == sorted(set(chosen))
    return [one for one in table.to_pylist() if one["simulation"] in set(chosen)]


def test_a_third_reached_a_third_left_and_half_smelled():
    rows = chosen_rows(mixed(), 21)
    counts = sample_counts(rows, 21)
    assert counts == {"reached": 7, "left": 7, "smelled": 21, "missing": []}
    # the rest are those with most encounters
    assert [one["simulation"] for one in rows][-7:] == list(range(80, 87))


def test_the_choice_does_not_depend_on_the_order_of_rows():
    table = mixed()
    assert choose_sample(table.take(list(range(119, -1, -1))), 20) == choose_sample(table, 20)


def test_what_is_missing_is_filled_up_and_said():
    table = pa.Table.from_pylist([row(i, encounters=2) for i in range(30)])
    rows = chosen_rows(table, 9)
    assert len(rows) == 9
    assert sample_counts(rows, 9)["missing"] == [
        "reached the source: 0 of 3",
        "left or ended outside: 0 of 3",
    ]
    few = chosen_rows(table.slice(0, 4), 9)
    assert len(few) == 4
    assert sample_counts(few, 9)["missing"][-2:] == [
        "smelled something: 4 of 5",
        "in the sample: 4 of 9",
    ]


def test_simulations_that_smelled_replace_some_that_did_not():
    # nobody who left smelled anything, hardly anybody who reached did
    rows = [row(i, end="source") for i in range(10)]
    rows += [row(i, end="left") for i in range(10, 20)]
    rows += [row(i, encounters=1) for i in range(20, 40)]
    rows = chosen_rows(pa.Table.from_pylist(rows), 10)
    counts = sample_counts(rows, 10)
    assert counts["smelled"] == 5
    assert counts["reached"] == 3
    assert counts["missing"] == ["left or ended outside: 2 of 3"]


def test_failed_simulations_are_never_chosen():
    rows = [row(0, end="source", encounters=5) | {"status": "no draws left", "encounters": None}]
    rows += [row(i) for i in range(1, 5)]
    assert choose_sample(pa.Table.from_pylist(rows), 5) == [1, 2, 3, 4]


def test_ended_outside_is_told_by_the_arena():
    back = row(0, outside_s=3.0, final=(50.0, 0.0))
    out = row(1, outside_s=3.0, final=(50.0, 60.0))
    never = row(2, final=(50.0, 0.0))
    assert sample_counts([back, out, never], 3, ARENA)["left"] == 1
    assert sample_counts([back, out, never], 3)["left"] == 2
    table = pa.Table.from_pylist([never, back, out])
    assert choose_sample(table, 3, ARENA) == [0, 1, 2]
    assert (
        choose_sample(pa.Table.from_pylist([*[row(i) for i in range(3, 9)], out]), 3, ARENA)[0] == 1
    )
