"""File contracts: what is written is checked when read, and nothing half-written is ever seen."""

import itertools

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import factories
from plumenav.errors import UserError
from plumenav.tables import (
    PLAN,
    SIMULATIONS,
    TRAJECTORIES,
    PlumeReader,
    PlumeWriter,
    TableStream,
    atomic,
    metadata_of,
    read_table,
    write_table,
)
from plumenav.tables import files as table_files
from plumenav.tables import plume as plume_files


def plan_table(n=3):
    return pa.table({f.name: pa.array(np.arange(n)).cast(f.type) for f in PLAN.arrow})


def test_a_table_comes_back_with_its_metadata(tmp_path):
    write_table(tmp_path / "a.parquet", plan_table(), PLAN, {"fact": 1})
    back = read_table(tmp_path / "a.parquet", PLAN)
    assert back.replace_schema_metadata(None).equals(plan_table())
    assert metadata_of(back)["fact"] == 1


def test_the_same_table_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        write_table(tmp_path / name, plan_table(), PLAN, {"fact": 1})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_missing_column_is_named(tmp_path):
    path = tmp_path / "a.parquet"
    write_table(path, plan_table(), PLAN)
    meta = pq.read_schema(path).metadata
    pq.write_table(plan_table().drop(["y_mm"]).replace_schema_metadata(meta), path)
    with pytest.raises(UserError, match=r"a.parquet: column 'y_mm' is missing.*double.*snakemake"):
        read_table(path, PLAN)


def test_a_wrong_type_is_named(tmp_path):
    path = tmp_path / "a.parquet"
    write_table(path, plan_table(), PLAN)
    meta = pq.read_schema(path).metadata
    wrong = plan_table().set_column(3, "x_mm", pa.array([1, 2, 3]))
    pq.write_table(wrong.replace_schema_metadata(meta), path)
    with pytest.raises(UserError, match=r"column 'x_mm' is int64.*double"):
        read_table(path, PLAN)


def test_another_kind_of_table_and_another_version_are_refused(tmp_path):
    path = tmp_path / "a.parquet"
    write_table(path, plan_table(), PLAN)
    with pytest.raises(UserError, match=r"holds plan version 1.*simulations version 1"):
        read_table(path, SIMULATIONS)
    with pytest.raises(UserError, match=r"holds plan version 1.*plan version 2"):
        read_table(path, PLAN._replace(version=2))


@pytest.mark.parametrize("keep", [0, 4, 200, -1])
def test_a_truncated_file_is_refused_with_a_message(tmp_path, keep):
    path = tmp_path / "a.parquet"
    write_table(path, plan_table(), PLAN)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(UserError, match=r"a.parquet: cannot be read"):
        read_table(path, PLAN)


def test_a_foreign_parquet_file_is_refused(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(plan_table(), path)
    with pytest.raises(UserError, match="not a file of plumenav"):
        read_table(path, PLAN)


def test_a_failed_write_leaves_nothing_and_keeps_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def fail():
        with atomic(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_a_stream_that_fails_leaves_nothing(tmp_path):
    rows = {f.name: np.zeros(2, f.type.to_pandas_dtype()) for f in TRAJECTORIES.arrow}

    def fail():
        with TableStream(tmp_path / "t.parquet", TRAJECTORIES) as stream:
            stream.write(rows)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("cuts", [[], [1], [9, 10, 11], [25], list(range(1, 35))])
def test_a_stream_makes_the_same_file_of_any_pieces(tmp_path, monkeypatch, cuts):
    monkeypatch.setattr(table_files, "ROWS_PER_GROUP", 10)
    rows = {f.name: np.arange(35).astype(f.type.to_pandas_dtype()) for f in TRAJECTORIES.arrow}
    with TableStream(tmp_path / "pieces.parquet", TRAJECTORIES) as stream:
        for first, end in itertools.pairwise([0, *cuts, 35]):
            stream.write({name: column[first:end] for name, column in rows.items()})
    assert stream.rows == 35
    with TableStream(tmp_path / "whole.parquet", TRAJECTORIES) as stream:
        stream.write(rows)
    pieces, whole = (tmp_path / f"{name}.parquet" for name in ("pieces", "whole"))
    assert pieces.read_bytes() == whole.read_bytes()
    assert pq.ParquetFile(pieces).num_row_groups == 4
    back = read_table(pieces, TRAJECTORIES)
    assert all(np.array_equal(back.column(name), column) for name, column in rows.items())


def test_a_stream_without_rows_is_a_table(tmp_path):
    with TableStream(tmp_path / "empty.parquet", TRAJECTORIES):
        pass
    assert read_table(tmp_path / "empty.parquet", TRAJECTORIES).num_rows == 0


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_a_plume_comes_back_frame_by_frame(tmp_path, monkeypatch, dtype):
    frames = factories.movie_frames(n=7, height=5, width=6)
    monkeypatch.setattr(plume_files, "ROW_GROUP_BYTES", 3 * 30 * np.dtype(dtype).itemsize)
    path = factories.write_movie(tmp_path / "m.parquet", frames, dtype=dtype)
    with PlumeReader(path) as reader:
        assert reader.block_sizes == [3, 3, 1]
        assert [block.first for block in reader.blocks()] == [0, 3, 6]
        stored = np.concatenate([block.frames for block in reader.blocks()])
        scale, offset = reader.metadata["scale"], reader.metadata["offset"]
        assert np.abs(stored * scale + offset - frames).max() <= max(0.51 * scale, 1e-6) * (
            1 if dtype != "float32" else 1e-6
        )
        assert np.allclose(reader.time_s, np.arange(7) / 15.0)
    table = pq.read_table(path, columns=["mean", "max"])
    assert np.allclose(table.column("mean"), frames.mean(axis=(1, 2)), atol=0.01)
    assert np.allclose(table.column("max"), frames.max(axis=(1, 2)), atol=0.01)


def test_a_plume_without_its_facts_is_not_written(tmp_path):
    with (
        pytest.raises(KeyError, match="mm_per_px"),
        PlumeWriter(tmp_path / "m.parquet", 2, 2, "uint8", 1.0, 0.0) as writer,
    ):
        writer.write(np.zeros(1), np.zeros((1, 2, 2), np.uint8))
    assert list(tmp_path.iterdir()) == []
