"""The benchmark's arithmetic against numbers worked out by hand, and that its tasks do their work.

Nothing here depends on how long anything takes.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from factories_recordings import settings, write_hdf5
from plumenav.errors import UserError
from plumenav.performance.benchmark import (
    infotaxis,
    kept,
    length,
    machine,
    measure,
    normalization,
    reading,
    recordings,
    suite,
)
from plumenav.performance.benchmark._contract import Ratio, Scope, Seen, Variant
from plumenav.performance.benchmark.intervals import bootstrap_interval, summary
from plumenav.tables import PlumeReader


def cell(variant: str, repetition: int, **numbers: float) -> dict[str, Any]:
    return {"benchmark": "b", "variant": variant, "repetition": repetition, **numbers}


def timed(variant: str, repetition: int, wall_s: float, cpu_s: float = 1.0) -> dict[str, Any]:
    return cell(variant, repetition, wall_s=wall_s, cpu_s=cpu_s, peak_mb=100.0)


# ------------------------------------------------------------------------------- arithmetic


def test_interval_of_equal_values_is_that_value() -> None:
    assert bootstrap_interval(np.array([1.25] * 5)) == (1.25, 1.25)


def test_interval_of_one_value_is_that_value() -> None:
    assert bootstrap_interval(np.array([1.1])) == (1.1, 1.1)


def test_interval_is_the_same_every_time_and_holds_the_median() -> None:
    values = np.array([1.0, 1.4, 1.1, 1.3, 1.2])
    low, high = bootstrap_interval(values)
    assert bootstrap_interval(values) == (low, high)
    assert values.min() <= low < np.median(values) < high <= values.max()
    # P(median of 5 draws is the smallest of 5) = P(Binomial(5, 1/5) >= 3) = 5.8 % > 2.5 %
    assert (low, high) == (1.0, 1.4)


def test_interval_covers_the_true_median_about_as_often_as_it_says() -> None:
    generator = np.random.default_rng(3)
    draws = generator.normal(2.0, 0.3, (300, 15))
    hits = [
        low <= 2.0 <= high
        for low, high in (bootstrap_interval(values, resamples=400) for values in draws)
    ]
    assert 0.88 <= np.mean(hits) <= 0.99


def test_more_repetitions_make_the_interval_narrower() -> None:
    values = np.random.default_rng(1).normal(1.0, 0.1, 400)
    few, many = bootstrap_interval(values[:20]), bootstrap_interval(values)
    assert many[1] - many[0] < 0.5 * (few[1] - few[0])


@pytest.mark.parametrize(
    ("bound", "required", "passed"),
    [("at most", 1.5, True), ("at most", 1.19, False), ("at least", 1.2, True)],
)
def test_the_median_is_judged(bound: str, required: float, passed: bool) -> None:
    found = summary(Ratio(np.array([1.0, 9.0, 1.2]), "1", required, bound))
    assert found["median"] == 1.2
    assert (found["required"], found["bound"], found["passed"]) == (required, bound, passed)
    assert found["n"] == 3


def test_what_is_only_shown_has_no_verdict() -> None:
    assert set(summary(Ratio(np.array([1.0, 2.0])))) == {"median", "ci_low", "ci_high", "n", "unit"}


@pytest.mark.parametrize("values", [[], [1.0, np.nan], [np.inf]])
def test_no_median_without_numbers(values: list[float]) -> None:
    with pytest.raises(ValueError, match="no median"):
        summary(Ratio(np.array(values)))


def test_measurements_are_paired_by_repetition_whatever_their_order() -> None:
    seen = Seen([timed("a", 1, 10.0), timed("b", 0, 2.0), timed("a", 0, 6.0), timed("b", 1, 4.0)])
    assert seen.variants == ["b", "a"]
    np.testing.assert_array_equal(seen.values("a") / seen.values("b"), [3.0, 2.5])


# ----------------------------------------------------------------------------------- ratios


def test_normalization_is_compared_with_the_sum_of_its_parts_over_all_recordings() -> None:
    numbers = {
        "one": {"normalize": 3.0, "decode": 1.0, "write": 1.0},
        "two": {"normalize": 5.0, "decode": 2.0, "write": 1.0},
    }
    cells = [
        timed(f"{label}.{part}", repetition, wall_s * (1 + repetition), cpu_s=2 * wall_s)
        for repetition in range(3)
        for label, parts in numbers.items()
        for part, wall_s in parts.items()
    ]
    judged = normalization.judge(Seen(cells))
    np.testing.assert_allclose(judged["normalization_vs_decode"].values, [1.6] * 3)
    assert judged["normalization_vs_decode"].required == 1.5
    assert judged["normalization_vs_decode.one"].required is None
    np.testing.assert_allclose(judged["normalization_vs_decode.one"].values, [1.5] * 3)
    np.testing.assert_allclose(judged["normalization_vs_decode.two"].values, [5 / 3] * 3)
    np.testing.assert_allclose(judged["normalization_vs_decode_cpu"].values, [1.6] * 3)
    assert judged["normalization_vs_decode_cpu"].required is None


def test_reading_is_judged_in_bytes_per_second() -> None:
    cells = [
        {**timed("one.plume", 0, 2.0), "decoded_bytes": 3e9},
        timed("one.raw", 0, 0.5),
        {**timed("two.plume", 0, 1.0), "decoded_bytes": 6e9},
        timed("two.raw", 0, 0.25),
    ]
    judged = reading.judge(Seen(cells))
    assert judged["read_back_gb_s"].values == pytest.approx([3.0])
    assert judged["read_back_gb_s.one"].values == pytest.approx([1.5])
    assert judged["read_back_vs_raw"].values == pytest.approx([4.0])
    assert summary(judged["read_back_gb_s"])["passed"] is True


def test_memory_is_judged_by_growth_and_by_its_limit() -> None:
    cells = [cell("short", 0, peak_mb=300.0), cell("long", 0, peak_mb=360.0)]
    judged = length.judge(Seen(cells))
    assert judged["length_memory_ratio"].values == pytest.approx([1.2])
    assert summary(judged["length_memory_ratio"])["passed"] is False
    assert summary(judged["length_memory_peak_mb"])["passed"] is True
    assert judged["length_memory_peak_mb"].values == pytest.approx([360.0])


def test_decisions_are_counted_per_second_of_one_core() -> None:
    cpu_s = {"ours": 0.5, "space_aware": 0.25, "update": 1.0, "numpy": 0.2}
    cells = [timed(name, 0, wall_s=9.0, cpu_s=seconds) for name, seconds in cpu_s.items()]
    judged = infotaxis.judge(Seen(cells))
    assert judged["infotaxis_decisions_s"].values == pytest.approx([120_000.0])
    assert judged["infotaxis_vs_numpy"].values == pytest.approx([120_000.0 / 5_000.0])
    assert judged["infotaxis_vs_otto"].values == pytest.approx([120_000.0 / 1502.0])
    assert summary(judged["infotaxis_vs_numpy"])["passed"] is True


# ------------------------------------------------------------------------------------ tasks


def recording(tmp_path: Path, **normalize: Any) -> tuple[dict[str, Any], Path, np.ndarray]:
    frames = np.random.default_rng(2).integers(0, 200, (40, 16, 24)).astype(np.uint8)
    path = write_hdf5(tmp_path / "movie.h5", frames)
    return settings(normalize=normalize, path=path.name), path, frames


def test_the_passes_are_those_that_normalization_makes(tmp_path: Path) -> None:
    how, path, _ = recording(tmp_path, background={"method": "mean", "frames": [2, 12]})
    parsed, opened = normalization._open(how, str(path))
    first, last = normalization.passes_needed(parsed, opened)
    opened.close()
    assert (first.first, first.end, first.frames) == (2, 12, 10)
    assert (last.first, last.end) == (0, None)
    assert normalization.decode(how, str(path))() == {"frames": 50}


def test_a_pass_that_ends_early_is_repeated_only_as_far(tmp_path: Path) -> None:
    rolling = {"method": "rolling", "window_s": 0.4, "samples": 4}
    how, path, frames = recording(tmp_path, background=rolling)
    parsed, opened = normalization._open(how, str(path))
    first, _ = normalization.passes_needed(parsed, opened)
    opened.close()
    assert 0 < first.frames <= len(frames)
    assert normalization.decode(how, str(path))() == {"frames": first.frames + len(frames)}


def test_tasks_do_what_they_say(tmp_path: Path) -> None:
    how, path, frames = recording(tmp_path)
    plume, again = tmp_path / "plume.parquet", tmp_path / "again.parquet"
    assert normalization.normalize(how, str(path), str(plume))() == {"frames": len(frames)}
    details = normalization.write(str(plume), str(again))()
    assert details == {"frames": len(frames), "file_bytes": again.stat().st_size}
    assert again.read_bytes() == plume.read_bytes()
    with PlumeReader(plume) as reader:
        decoded = sum(block.frames.nbytes for block in reader.blocks())
    assert reading.read_plume(str(plume))() == {"decoded_bytes": decoded}
    assert reading.read_raw(str(plume))() == {"decoded_bytes": decoded}
    assert not plume.with_suffix(".raw").exists()


def test_a_measurement_in_a_process_of_its_own(tmp_path: Path) -> None:
    how, path, frames = recording(tmp_path)
    arguments = {"settings": how, "source": str(path)}
    measured = measure.in_process(Variant("decode", "normalization:decode", arguments))
    assert measured["frames"] == len(frames)
    assert measured["wall_s"] > 0
    assert measured["cpu_s"] >= 0
    # an interpreter with numpy, and nothing of this process
    assert 20 < measured["peak_mb"] < 1000


def test_a_measurement_that_fails_says_which(tmp_path: Path, capfd: Any) -> None:
    lost = Variant("lost", "reading:read_plume", {"plume": str(tmp_path / "none.parquet")})
    with pytest.raises(RuntimeError, match=r"lost \(reading:read_plume\)"):
        measure.in_process(lost)
    assert "none.parquet" in capfd.readouterr().err


def test_peak_memory_is_that_of_this_program() -> None:
    before = measure.peak_mb()
    block = np.ones(40 * 2**20 // 8)
    assert measure.peak_mb() >= before
    assert measure.peak_mb() * 2**20 > block.nbytes


def test_the_movie_whose_length_is_measured_holds_its_frames(tmp_path: Path) -> None:
    import h5py

    path = tmp_path / "long.h5"
    frames = length.DISTINCT + 2
    details = length.make(str(path), frames)()
    assert details == {"file_bytes": path.stat().st_size}
    with h5py.File(path) as file:
        movie = file["movie"]
        assert movie.shape == (frames, length.HEIGHT, length.WIDTH)
        for number in (0, 7, length.DISTINCT + 1):
            np.testing.assert_array_equal(movie[number], length.image(number % length.DISTINCT))
    assert path.stat().st_size < 0.1 * frames * length.HEIGHT * length.WIDTH


def test_a_recording_is_made_once_and_again_when_it_would_differ(tmp_path: Path) -> None:
    synthetic = {
        "generator": "filament",
        "format": "hdf5",
        "seed": 1,
        "parameters": {"frames": 3, "height_px": 40, "width_px": 30, "spin_up_s": 0.2},
    }

    def made() -> tuple[int, bytes]:
        scope = Scope(tmp_path, True, {"recordings": {"one": {"synthetic": synthetic}}})
        path = recordings.synthetic_file(scope, "one")
        return path.stat().st_mtime_ns, path.read_bytes()

    first, again = made(), made()
    assert first == again
    synthetic["seed"] = 2
    assert made()[1] != first[1]


# ------------------------------------------------------------------------------------ suite


class Sleepless:
    """A benchmark of two tasks that do nothing, to see how a suite goes about it."""

    def prepare(self, scope: Scope) -> list[Variant]:
        return [Variant(name, "nothing:at_all", {}) for name in ("a", "b")]

    def repetitions(self, scope: Scope) -> int:
        return 2 if scope.quick else 3

    def judge(self, seen: Seen) -> dict[str, Ratio]:
        return {
            "good": Ratio(seen.values("a") / seen.values("b"), "1", 0.5),
            "bad": Ratio(seen.values("b") / seen.values("a"), "1", 1.0),
            "memory": Ratio(seen.values("a", "peak_mb"), "MB"),
        }


@pytest.fixture
def sleepless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(suite, "BENCHMARKS", {"sleepless": Sleepless()})
    monkeypatch.setenv("PLUMENAV_HISTORY", str(tmp_path / "history"))
    times = iter(range(1, 100))

    def pretended(variant: Variant) -> dict[str, float]:
        return {"wall_s": {"a": 1.0, "b": 2.0}[variant.name], "cpu_s": 0.1, "peak_mb": next(times)}

    monkeypatch.setattr(measure, "in_process", pretended)
    return tmp_path


@pytest.fixture
def content(sleepless: Path) -> dict[str, Any]:
    return suite.run(sleepless, quick=True)


def test_variants_take_turns(content: dict[str, Any]) -> None:
    turns = [(one["variant"], one["repetition"]) for one in content["cells"]]
    assert turns == [("a", 0), ("b", 0), ("a", 1), ("b", 1)]


def test_the_file_has_the_agreed_form(content: dict[str, Any], tmp_path: Path) -> None:
    assert json.loads((tmp_path / "benchmark.json").read_text()) == content
    assert set(content) == {
        *("ratios", "shown", "cells", "recommended", "machine", "quick", "form"),
        *("started_s", "seconds", "unfinished", "failed", "slower"),
    }
    assert (content["form"], content["unfinished"], content["failed"]) == ("quick", [], {})
    assert set(content["seconds"]) == {"sleepless"}
    assert set(content["ratios"]) == {"good", "bad"}
    for ratio in content["ratios"].values():
        assert {"median", "ci_low", "ci_high", "required", "passed"} <= set(ratio)
    assert set(content["shown"]) == {"memory"}
    assert content["recommended"] is None
    assert {"cpu", "cores", "load_before", "load_after", "versions"} <= set(content["machine"])
    for one in content["cells"]:
        assert {"benchmark", "variant", "repetition", "wall_s", "cpu_s", "peak_mb"} <= set(one)


def test_what_is_missed_is_named_and_told(content: dict[str, Any]) -> None:
    assert suite.missed(content) == ["bad"]
    table = suite.table(content)
    assert "| `bad` | 2 | 2 - 2 (n = 2) | at most 1 | no |" in table
    assert "| `good` | 0.5 | 0.5 - 0.5 (n = 2) | at most 0.5 | yes |" in table
    assert "| `memory` | 2 MB | 1 - 3 (n = 2) | shown |  |" in table


class Failing(Sleepless):
    """A benchmark that cannot be prepared."""

    def prepare(self, scope: Scope) -> list[Variant]:
        raise RuntimeError("nothing to measure\nand more")


class Interrupted(Sleepless):
    """A benchmark during which somebody loses patience."""

    def prepare(self, scope: Scope) -> list[Variant]:
        raise KeyboardInterrupt


def test_a_benchmark_that_fails_is_named_and_the_others_go_on(sleepless: Path) -> None:
    suite.BENCHMARKS.clear()
    suite.BENCHMARKS.update({"failing": Failing(), "sleepless": Sleepless()})
    found = suite.run(sleepless, quick=True)
    assert found["failed"] == {"failing": "nothing to measure"}
    assert found["unfinished"] == ["failing"]
    assert set(found["ratios"]) == {"good", "bad"}
    assert "failing failed: nothing to measure" in suite.missed(found)
    assert "Not measured: failing." in suite.table(found)
    # what was not finished is no run of the suite
    assert not (sleepless / "history").exists()


def test_an_interrupted_suite_goes_on_where_it_was(sleepless: Path) -> None:
    suite.BENCHMARKS.update({"interrupted": Interrupted()})
    with pytest.raises(KeyboardInterrupt):
        suite.run(sleepless, quick=True)
    left = json.loads((sleepless / "benchmark.json").read_text())
    assert left["unfinished"] == ["interrupted"]
    assert set(left["ratios"]) == {"good", "bad"}
    suite.BENCHMARKS.update({"sleepless": Failing(), "interrupted": Sleepless()})
    found = suite.run(sleepless, quick=True)
    assert (found["unfinished"], found["failed"]) == ([], {})
    assert [c["benchmark"] for c in found["cells"]] == ["sleepless"] * 4 + ["interrupted"] * 4
    # finished: the next call begins anew
    assert suite.run(sleepless, quick=True)["failed"] == {"sleepless": "nothing to measure"}


def test_another_form_does_not_go_on(sleepless: Path) -> None:
    suite.BENCHMARKS.update({"interrupted": Interrupted()})
    with pytest.raises(KeyboardInterrupt):
        suite.run(sleepless, quick=True)
    suite.BENCHMARKS.pop("interrupted")
    found = suite.run(sleepless)
    assert (found["form"], len(found["cells"])) == ("default", 6)


def test_a_benchmark_may_be_left_out_of_the_quick_form(sleepless: Path) -> None:
    long = Sleepless()
    long.QUICK = False  # type: ignore[attr-defined]
    suite.BENCHMARKS.update({"long": long})
    assert suite.names_of([], quick=True) == ["sleepless"]
    assert suite.names_of([], quick=False) == ["sleepless", "long"]
    assert suite.names_of(["long"], quick=True) == ["long"]


def test_a_run_of_the_suite_is_kept_in_the_history(content: dict[str, Any]) -> None:
    (record,) = kept.read(content["machine"]["fingerprint"], "quick")
    assert record["cpu_s"] == {"sleepless.a": 0.1, "sleepless.b": 0.1}
    assert record["ratios"] == {"good": 0.5, "bad": 2.0}
    assert kept.read(content["machine"]["fingerprint"], "full") == []
    assert kept.read("another", "quick") == []


def test_what_became_slower_is_found() -> None:
    """Medians of 1.00, 1.02, ... before; now 30 % more in one of two measurements."""

    def record(code: str, slow: float, same: float) -> dict[str, Any]:
        return {"code": code, "cpu_s": {"slow": slow, "same": same}}

    before = [record("old", 1.0 + 0.02 * i, 2.0 - 0.02 * i) for i in range(6)]
    now = [record("new", 1.3 + 0.02 * i, 2.0 - 0.02 * i) for i in range(3)]
    (row,) = kept.slower([*now, *before])
    assert (row["what"], row["n_before"], row["n_now"]) == ("slow", 6, 3)
    assert row["ratio"] == pytest.approx(1.26, abs=0.01)
    assert row["p"] < 0.05
    assert kept.slower([*now[:2], *before]) == []
    assert kept.slower([*now, *before[:4]]) == []
    assert kept.slower(before) == []
    assert kept.slower([]) == []


def test_the_table_is_written_between_the_marks_of_a_document(
    content: dict[str, Any], tmp_path: Path
) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"above\n{suite.BEGIN}\nold\n{suite.END}\nbelow\n")
    for _ in range(2):
        suite.document(tmp_path, page)
        text = page.read_text()
        assert text.startswith("above\n")
        assert text.endswith("\nbelow\n")
        assert "old" not in text
        assert text.count("| `bad` |") == 1


def test_a_document_without_marks_is_refused(content: dict[str, Any], tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("nothing here")
    with pytest.raises(UserError, match="no place for the table"):
        suite.document(tmp_path, page)
    with pytest.raises(UserError, match="make bench"):
        suite.document(tmp_path / "none", page)


def test_an_unknown_benchmark_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="normalization"):
        suite.run(tmp_path, only=["normalisation"])


def test_the_machine_is_described_without_the_name_of_the_host() -> None:
    import platform

    assert platform.node() not in json.dumps(machine.describe())
    assert machine.describe()["cores"] >= 1
