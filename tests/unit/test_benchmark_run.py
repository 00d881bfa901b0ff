"""The parts of the benchmark that look at a whole run: arithmetic, and what is asked of a shell."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from plumenav.performance.benchmark import checkout, cores, cost, prediction, whole_run
from plumenav.performance.benchmark._contract import Scope, Seen
from plumenav.performance.benchmark.intervals import summary


def cell(variant: str, **numbers: float) -> dict[str, Any]:
    return {"variant": variant, "repetition": 0, **numbers}


FLOOR = {
    "figures_s": 4.0,
    "decoding_s": 10.0,
    "roofline_s": 2.0,
    "references_s": 20.0,
    "imports_s": 8.0,
}


def test_the_floor_shares_what_can_be_shared() -> None:
    seen = Seen(
        [
            cell("run", wall_s=41.0, cpu_s=80.0, cores=2.0, all_jobs_mb=900.0),
            cell("again", wall_s=3.0, cpu_s=3.0),
            cell("floor", wall_s=99.0, cpu_s=99.0, **FLOOR),
        ]
    )
    assert whole_run.floor_s(seen).tolist() == [3.0 + 4.0 + 40.0 / 2]
    judged = whole_run.judge(seen)
    assert judged["run_vs_floor"].values == pytest.approx([41.0 / 27.0])
    assert summary(judged["run_vs_floor"])["passed"] is False
    assert summary(judged["run_wall_s"])["passed"] is True
    assert summary(judged["run_again_s"])["passed"] is True
    section = whole_run.sections(seen)["run"]
    assert section["wall_over_floor"] == pytest.approx(41.0 / 27.0)
    assert section["floor"] == {"start_s": 3.0, **FLOOR}


def test_commands_are_found_in_what_snakemake_prints() -> None:
    said = "\n".join(
        [
            "rule plan_agent:",
            "    input: results/demo/plumes/smooth.parquet",
            "Shell command: python scripts/plan.py --rule plan --settings '{\"a\":1}' 2> log",
            "    Shell command: python ../x/scripts/reference.py --rule reference",
            "python scripts/a.py --x && python scripts/b.py --y",
            "python elsewhere/plan.py --rule plan",
        ]
    )
    found = checkout.commands_in(said)
    assert [one.script for one in found] == ["plan", "reference", "a", "b"]
    assert found[0].text == "python scripts/plan.py --rule plan --settings '{\"a\":1}' 2> log"
    assert found[2].text == "python scripts/a.py --x && python scripts/b.py --y"


def test_what_a_script_imports() -> None:
    source = "\n".join(
        [
            "import json",
            "from plumenav import jobs",
            "def main(args):",
            "    from plumenav.batch.chunk import simulate_chunk",
            "    return simulate_chunk(args)",
            "if __name__ == '__main__':",
            "    jobs.without('pandas', 'scipy')",
            "    jobs.run(main, None)",
        ]
    )
    assert whole_run.imports_of(source).splitlines() == [
        "import json",
        "from plumenav import jobs",
        "jobs.without('pandas', 'scipy')",
        "from plumenav.batch.chunk import simulate_chunk",
    ]


@pytest.mark.parametrize("script", ["simulate", "reference", "gate"])
def test_the_imports_of_our_scripts_can_be_made(script: str) -> None:
    path = checkout.project_root() / "scripts" / f"{script}.py"
    text = whole_run.imports_of(path.read_text())
    assert subprocess.run([sys.executable, "-c", text], check=False).returncode == 0


def test_commands_run_so_many_at_a_time(tmp_path: Path) -> None:
    mark = tmp_path / "running"
    # each fails if another one runs at the same time
    alone = f"mkdir {mark} && sleep 0.02 && rmdir {mark}"
    checkout.at_once([["sh", "-c", alone]] * 3, 1)
    # each fails unless another one runs at the same time
    pair = [
        f"touch {tmp_path}/{me}; for i in $(seq 500); do test -e {tmp_path}/{other} && exit 0;"
        " sleep 0.02; done; exit 1"
        for me, other in (("a", "b"), ("b", "a"))
    ]
    checkout.at_once([["sh", "-c", one] for one in pair], 2)
    with pytest.raises(RuntimeError, match="what went wrong"):
        checkout.at_once([["sh", "-c", "echo what went wrong >&2; exit 3"]], 2)


def test_a_checkout_knows_nothing_of_its_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    monkeypatch.setenv("PLUMENAV_STORE", "{}")
    made = checkout.Checkout(tmp_path / "copy")
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "old").touch()
    made.make()
    assert not (made.folder / "old").exists()
    assert not list(made.folder.rglob("__pycache__"))
    assert (made.folder / "profiles" / "default").is_dir()
    environment = made.environment()
    assert not {"XDG_CACHE_HOME", "PLUMENAV_STORE"} & set(environment)
    own = ("HOME", "PLUMENAV_CACHE", "PLUMENAV_HISTORY", "PYTHONPATH")
    assert all(environment[name].startswith(str(made.folder)) for name in own)
    spent, said = made.call(
        sys.executable, "-c", "import plumenav; sum(range(10**6)); print(plumenav.__file__)"
    )
    assert said.startswith(str(made.folder))
    assert spent.cpu_s > 0.0
    with pytest.raises(RuntimeError, match="no such luck"):
        made.call("sh", "-c", "echo no such luck; exit 1")
    for name in ("plumes", "results", "kernels"):
        (made.cache / name).mkdir(parents=True)
    made.forget()
    assert [path.name for path in made.cache.iterdir()] == ["kernels"]


def test_ten_times_are_compared_with_once_before_and_after() -> None:
    seen = Seen(
        [
            cell("before", jobs_cpu_s=4.0, simulations=100.0),
            cell("ten", jobs_cpu_s=30.0, simulations=1000.0),
            cell("after", jobs_cpu_s=2.0, simulations=100.0),
        ]
    )
    judged = cost.judge(seen)
    assert judged["ten_times_cost"].values.tolist() == [10.0]
    assert judged["ten_times_cost"].required == 10.5
    assert judged["simulation_cpu_ms"].values.tolist() == [30.0]
    jobs = [{"cpu_s": 1.5, "details": {"simulations": n}} for n in (50, 36)]
    assert cost.summed(jobs) == {"jobs": 2.0, "jobs_cpu_s": 3.0, "simulations": 86.0}


def test_speed_up_is_judged_by_that_of_arithmetic() -> None:
    walls = {"simulate.1": 1.0, "simulate.2": 1.25, "arithmetic.1": 2.0, "arithmetic.2": 2.5}
    judged = cores.judge(Seen([cell(name, wall_s=wall) for name, wall in walls.items()]))
    assert judged["second_core_speedup"].values == pytest.approx([1.0])
    assert judged["second_core_speedup.simulate"].values == pytest.approx([1.6])
    assert judged["second_core_speedup"].bound == "at least"


def test_two_processes_do_the_same_work_and_wait_for_one_another() -> None:
    timed = cores.together(2, "arithmetic", {"rounds": 1000})
    assert timed() == {"processes": 2.0}


def test_a_process_that_fails_is_noticed() -> None:
    with pytest.raises(RuntimeError, match="not 'ready'"):
        cores.together(1, "arithmetic", {"wrong": 1})


def test_the_largest_error_of_the_grid_is_judged() -> None:
    expected = {"a": 110.0, "b": 75.0, "c": 100.0}
    cells = [cell(n, expected_mb=mb, measured_mb=100.0) for n, mb in expected.items()]
    judged = prediction.judge(Seen(cells))
    assert judged["prediction_error"].values == pytest.approx([0.25])
    assert summary(judged["prediction_error"])["passed"] is False
    assert judged["prediction_error.median"].values == pytest.approx([0.10])
    assert judged["prediction_error.too_low"].values == pytest.approx([0.25])


def test_the_grid_is_not_the_one_that_the_planner_was_fitted_to(tmp_path: Path) -> None:
    from plumenav.batch import typical

    own = {
        tuple(variant.arguments["shape"])
        for variant in prediction.prepare(Scope(tmp_path, False, {}))
    }
    assert len({shape[:4] for shape in own}) >= 3
    assert not own & {tuple(trial.shape) for trial in typical.grid()}
