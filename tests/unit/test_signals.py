"""Odour in time: forms of a config, files, exact times, mistakes."""

import math

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import factories
from plumenav.config.load import resolve
from plumenav.config.signals import FORMS, Signal
from plumenav.errors import UserError
from plumenav.normalization.pipeline import normalize
from plumenav.tables import PlumeReader

TRAIN = "t_s,odor,note\n0.5,0,a\n0.61,0.8,b\n0.9,0.25,c\n1.7,0,d\n"
VISITS = "begin;end\n0.5;0.75\n1.013;1.2\n1.2;1.4\n"


def made(folder, path=None, **signal):
    """Normalize a signal; its times, values, metadata and quality."""
    settings = {"signal": signal}
    companions = {"signal.file": path} if path else None
    plume = folder / "p.parquet"
    quality = normalize("x", settings, None, plume, folder / "q.json", companions)
    with PlumeReader(plume) as reader:
        values = np.concatenate([block.frames.ravel() for block in reader.blocks()])
        return reader.time_s, values, reader.metadata, quality


def changes(time_s, values):
    """Times at which the value changes, and the values from then on."""
    first = np.concatenate([[True], values[1:] != values[:-1]])
    return time_s[first].tolist(), values[first].tolist()


def file(folder, text, name="train.csv"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


# --------------------------------------------------------------------------------------- forms


@pytest.mark.parametrize(
    ("signal", "form"),
    [
        ({"start_s": 1.0, "stop_s": 2.0, "duration_s": 5.0}, "pulse"),
        ({"onsets_s": [1.0], "width_s": 0.2, "duration_s": 5.0}, "train"),
        ({"onsets_s": [1.0], "offsets_s": [1.5], "duration_s": 5.0}, "train"),
        ({"file": "a.csv", "time_column": "t", "odor_column": "c"}, "series"),
        (
            {"file": "a", "onsets_column": "a", "offsets_column": "b", "duration_s": 5.0},
            "encounters",
        ),
    ],
)
def test_forms(signal, form):
    settings = Signal.model_validate(signal)
    assert settings.form == form
    assert Signal.model_validate(settings.model_dump(mode="json")) == settings
    assert FORMS[form].needed <= set(Signal.model_fields)


@pytest.mark.parametrize(
    ("signal", "message"),
    [
        ({}, "exactly one form"),
        ({"start_s": 1.0, "stop_s": 2.0}, "exactly one form"),
        ({"start_s": 1.0, "stop_s": 2.0, "duration_s": 5.0, "onsets_s": [1.0]}, "exactly one form"),
        ({"file": "a.csv", "time_column": "t"}, "exactly one form"),
        (
            {"file": "a", "time_column": "t", "odor_column": "c", "onsets_column": "o"},
            "exactly one form",
        ),
        ({"onsets_s": [1.0], "duration_s": 5.0}, "offsets_s or width_s"),
        (
            {"onsets_s": [1.0], "width_s": 0.2, "offsets_s": [2.0], "duration_s": 5.0},
            "offsets_s or width_s",
        ),
        (
            {"file": "a.csv", "time_column": "t", "odor_column": "c", "level": 0.5},
            "level means nothing to a series",
        ),
        (
            {"file": "a.csv", "time_column": "t", "odor_column": "c", "frame_rate_hz": 10.0},
            "frame_rate_hz means nothing",
        ),
    ],
)
def test_exactly_one_form(signal, message):
    with pytest.raises(ValueError, match=message):
        Signal.model_validate(signal)


# ------------------------------------------------------------------------------------- content


def test_a_series_keeps_its_irregular_times(tmp_path):
    columns = {"time_column": "t_s", "odor_column": "odor"}
    path = file(tmp_path, TRAIN)
    time_s, values, metadata, quality = made(tmp_path, path, file="train.csv", **columns)
    assert time_s.tolist() == [0.5, 0.61, 0.9, 1.7]
    assert values.tolist() == np.float32([0, 0.8, 0.25, 0]).tolist()
    # 1.2 s, and a usual step of 0.29 s after the last row
    assert metadata["period_s"] == pytest.approx(1.49)
    assert metadata["recording"] == "train.csv"
    assert len(metadata["recording_sha256"]) == 64
    held = 0.29 * 0.8 + 0.8 * 0.25
    assert quality["concentration"]["mean"] == pytest.approx(held / 1.49, rel=1e-6)
    assert quality["concentration"]["median"] == 0.25  # for more than half of the time
    assert quality["seconds"] == pytest.approx(1.2)
    assert quality["recording"] == "train.csv"


def test_what_agents_smell_is_the_series(tmp_path):
    """A whole engine call: the value holds until the next time stamp."""
    path = file(tmp_path, TRAIN)
    columns = {"time_column": "t_s", "odor_column": "odor"}
    made(tmp_path, path, file="train.csv", **columns)
    settings = factories.engine_settings(
        "correlated_random_walk", dt_s=0.1, duration_s=1.4, movie_end="hold"
    )
    rows, _ = factories.run(tmp_path / "p.parquet", factories.plan_columns(1, 1), settings)
    # from 0.11 s on 0.8, from 0.40 s on 0.25, from 1.2 s on 0
    expected = [0.0] * 2 + [0.8] * 2 + [0.25] * 8 + [0.0] * 2
    assert rows["odor"] == pytest.approx(expected, rel=1e-6)


def test_parquet_is_known_by_its_content(tmp_path):
    table = pa.table({"t": [0, 1, 3], "c": pa.array([0.0, 0.5, 0.0], pa.float32())})
    pq.write_table(table, tmp_path / "data.bin")
    columns = {"time_column": "t", "odor_column": "c"}
    time_s, values, metadata, _ = made(tmp_path, tmp_path / "data.bin", file="data.bin", **columns)
    assert time_s.tolist() == [0, 1, 3]
    assert values.tolist() == [0, 0.5, 0]
    assert metadata["period_s"] == 4.5


def test_duration_cuts_or_prolongs_a_series(tmp_path):
    path = file(tmp_path, TRAIN)
    columns = {"file": "train.csv", "time_column": "t_s", "odor_column": "odor"}
    time_s, _, metadata, quality = made(tmp_path, path, **columns, duration_s=1.0)
    assert time_s.tolist() == [0.5, 0.61, 0.9]
    assert metadata["period_s"] == 1.0
    assert quality["notes"] == ["1 rows after 1 s are not used"]
    _, _, metadata, quality = made(tmp_path, path, **columns, duration_s=9.0)
    assert metadata["period_s"] == 9.0
    assert quality["notes"] == []


def test_encounters_keep_their_exact_times(tmp_path):
    path = file(tmp_path, VISITS)
    columns = {"file": "v.csv", "onsets_column": "begin", "offsets_column": "end"}
    time_s, values, metadata, quality = made(
        tmp_path, path, **columns, duration_s=2.0, level=0.5, frame_rate_hz=10.0
    )
    # two encounters that touch are one
    assert changes(time_s, values) == ([0.0, 0.5, 0.75, 1.013, 1.4], [0, 0.5, 0, 0.5, 0])
    assert set(np.arange(20) / 10) <= set(time_s.tolist())
    assert (np.diff(time_s) > 1e-6).all()
    assert metadata["period_s"] == 2.0
    assert quality["concentration"]["mean"] == pytest.approx(0.5 * (0.25 + 0.387) / 2.0)


def test_a_train_of_pulses(tmp_path):
    train = {"onsets_s": [0.0, 1.0, 2.5], "duration_s": 3.0}
    time_s, values, _, quality = made(tmp_path, **train, width_s=0.25)
    assert changes(time_s, values) == ([0.0, 0.25, 1.0, 1.25, 2.5, 2.75], [1, 0, 1, 0, 1, 0])
    assert quality["concentration"]["mean"] == pytest.approx(0.25)
    time_s, values, _, quality = made(tmp_path, **train, offsets_s=[0.5, 1.125, 7.0])
    assert changes(time_s, values) == ([0.0, 0.5, 1.0, 1.125, 2.5], [1, 0, 1, 0, 1])
    assert "is cut at the end" in quality["notes"][0]


def test_a_train_of_one_is_a_pulse(tmp_path):
    timing = {"duration_s": 4.0, "level": 0.5}
    of_pulse = made(tmp_path, start_s=1.0, stop_s=2.0, **timing)
    of_train = made(tmp_path, onsets_s=[1.0], offsets_s=[2.0], **timing)
    for one, other in zip(of_pulse[:2], of_train[:2], strict=True):
        assert np.array_equal(one, other)


# ------------------------------------------------------------------------------------ mistakes


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("t_s,odor\n", "no rows"),
        ("t_s,odour\n0,1\n", r"no column 'odor'.*t_s, odour.*Did you mean 'odour'"),
        ("t_s,odor\n0,1\n0.5,\n", r"column 'odor', row 2.*nothing"),
        ("t_s,odor\n0,1\n0.5,nan\n", r"column 'odor', row 2.*nan"),
        ("t_s,odor\n0,1\nlater,0\n", r"column 't_s', row 2.*later"),
        ("t_s,odor\n0,1\n1,0\n0.5,0\n", r"column 't_s', row 3.*0.5 s after 1 s"),
        ("t_s,odor\n0,1\n0,0\n", r"row 2.*0 s after 0 s"),
        ("t_s,odor\n0,1,7\n", r"row 1 has 3 cells"),
        ("t_s,odor\n0,1\n", r"signal\.duration_s.*one row"),
    ],
)
def test_wrong_series(tmp_path, text, message):
    path = file(tmp_path, text)
    with pytest.raises(UserError, match=f"(?s){message}"):
        made(tmp_path, path, file="train.csv", time_column="t_s", odor_column="odor")
    assert [p.name for p in tmp_path.iterdir()] == ["train.csv"]


def test_files_that_are_no_tables(tmp_path):
    columns = {"file": "train.csv", "time_column": "t_s", "odor_column": "odor"}
    (tmp_path / "train.csv").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(UserError, match="not UTF-8"):
        made(tmp_path, tmp_path / "train.csv", **columns)
    (tmp_path / "train.csv").write_bytes(b"PAR1 and nothing else")
    with pytest.raises(UserError, match="cannot be read"):
        made(tmp_path, tmp_path / "train.csv", **columns)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("begin,end\n1,2\n1.5,3\n", "column 'begin'.*number 2 begins at 1.5 s, before 2 s"),
        ("begin,end\n1,1\n", "column 'end'.*number 1 ends at 1 s"),
        ("begin,end\n-1,1\n", "number 1 begins at -1 s"),
        ("begin,end\n11,12\n", r"begins at 11 s.*duration_s \(10 s\)"),
    ],
)
def test_wrong_encounters(tmp_path, text, message):
    columns = {"file": "v.csv", "onsets_column": "begin", "offsets_column": "end"}
    with pytest.raises(UserError, match=f"(?s){message}"):
        made(tmp_path, file(tmp_path, text), **columns, duration_s=10.0)


def test_wrong_trains(tmp_path):
    with pytest.raises(UserError, match=r"signal\.offsets_s.*2 ends"):
        made(tmp_path, onsets_s=[1.0], offsets_s=[2.0, 3.0], duration_s=9.0)
    with pytest.raises(UserError, match=r"signal\.onsets_s.*number 2 begins at 1.5 s"):
        made(tmp_path, onsets_s=[1.0, 1.5], width_s=0.75, duration_s=9.0)


def test_the_file_of_a_signal_is_found_and_tracked(tmp_path, monkeypatch):
    monkeypatch.delenv("PLUMENAV_DATA", raising=False)
    signal = {"file": "train.csv", "time_column": "t_s", "odor_column": "odor"}
    config = {
        "run": "r",
        "data_folder": str(tmp_path),
        "recordings": {"train": {"signal": signal}},
        "agents": {"a": {"model": "on_off"}},
    }
    with pytest.raises(UserError, match=r"recordings\.train\.signal\.file"):
        resolve(config, tmp_path)
    path = file(tmp_path, TRAIN)
    entry = resolve(config, tmp_path)["recordings"]["train"]
    assert entry["companions"] == {"signal.file": str(path)}
    assert entry["kind"] == "signal"
    assert math.isclose(entry["signal"]["level"], 1.0)
