"""Every reader keeps the contract of recordings/_contract.py, in every format that it reads."""

from __future__ import annotations

import json
import random
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from factories_recordings import FORMATS, lopsided, write_format
from plumenav import registry
from plumenav.errors import UserError
from plumenav.recordings._contract import DamageError, Facts, Settings
from plumenav.recordings._recognize import (
    folders,
    frame_files,
    known_formats,
    open_recording,
    recognize,
    signatures,
)

N = 23
FRAMES = lopsided(N)


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> dict[str, Path]:
    """The same movie in every format."""
    return {name: write_format(name, tmp_path_factory.mktemp("movie"), FRAMES) for name in FORMATS}


def read(path: Path, first: int = 0, end: int | None = None, **keys: object) -> np.ndarray:
    with closing(open_recording(path, Settings(**keys))) as opened:
        return np.concatenate([block.frames for block in opened.blocks(first, end)])


def test_every_reader_has_a_format_here():
    assert {f.reader for f in FORMATS.values()} == set(registry.names("reader"))


@pytest.mark.parametrize("name", registry.names("reader"))
def test_what_a_reader_knows_is_stated_and_listed(name):
    module = registry.get("reader", name)
    assert signatures(name) == module.SIGNATURES
    assert folders(name) == getattr(module, "FOLDERS", {})
    assert frame_files(name) == getattr(module, "FRAME_FILES", {})
    assert signatures(name) or folders(name)
    assert f"{name}: " in known_formats()
    assert module.open.__doc__


@pytest.mark.parametrize("name", FORMATS)
def test_content_is_recognized_and_frames_arrive(name, written):
    assert recognize(written[name]) == FORMATS[name].reader
    with closing(open_recording(written[name], Settings())) as opened:
        facts = opened.facts
        blocks = list(opened.blocks())
    frames = np.concatenate([block.frames for block in blocks])
    np.testing.assert_array_equal(frames, FRAMES)
    assert isinstance(facts, Facts)
    assert (facts.reader, facts.height, facts.width) == (FORMATS[name].reader, 40, 56)
    assert facts.decoder
    assert facts.decoder_version
    assert facts.frames_header == N
    assert facts.channels == 1
    assert facts.format or facts.reader == "video"  # the room next door fills it in
    assert 1 <= facts.bits <= 8 * np.dtype(facts.dtype).itemsize
    assert json.loads(json.dumps(facts.extra, allow_nan=False)) == facts.extra
    assert str(written[name].parent) not in json.dumps([facts, opened.notes])
    numbers = [block.first for block in blocks]
    assert numbers == list(np.cumsum([0, *(len(block.frames) for block in blocks)])[:-1])
    for block in blocks:
        assert block.frames.dtype == facts.dtype
        assert block.frames.dtype.isnative
        assert block.frames.flags.writeable
        assert block.frames.flags.c_contiguous


@pytest.mark.parametrize("name", [name for name, form in FORMATS.items() if form.deep])
def test_16_bits_are_kept(name, tmp_path):
    deep = FRAMES[:5].astype(np.uint16) * 257 - 3
    path = write_format(name, tmp_path, deep)
    with closing(open_recording(path, Settings())) as opened:
        frames = np.concatenate([block.frames for block in opened.blocks()])
    assert opened.facts.bits >= 16
    np.testing.assert_array_equal(frames, deep)


@pytest.mark.parametrize("name", FORMATS)
def test_a_part_starts_where_it_is_asked_to_at_every_call(name, written, monkeypatch):
    for room in ("_movie", "cine", "video"):
        monkeypatch.setattr(f"plumenav.recordings.{room}.frames_per_block", lambda *_: 4)
    with closing(open_recording(written[name], Settings())) as opened:
        for first, end in ((3, 9), (0, 1), (22, 23), (5, None), (3, 9)):
            blocks = list(opened.blocks(first, end))
            assert blocks[0].first == first
            assert max(len(block.frames) for block in blocks) <= 4
            found = np.concatenate([block.frames for block in blocks])
            np.testing.assert_array_equal(found, FRAMES[first:end])
        half_read = opened.blocks()
        next(half_read)
        np.testing.assert_array_equal(next(iter(opened.blocks(2, 3))).frames, FRAMES[2:3])
        half_read.close()


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(("first", "end"), [(0, N + 1), (N, None)])
def test_frames_that_are_not_there_are_refused(name, first, end, written):
    with pytest.raises(UserError, match=f"holds {N} frames"):
        read(written[name], first, end)


@pytest.mark.parametrize("name", [n for n, form in FORMATS.items() if form.reader != "video"])
def test_colour_of_a_gray_recording_is_refused(name, written):
    with pytest.raises(UserError, match="is gray, and its colours are asked for"):
        read(written[name], colour=True)


def _files(path: Path) -> list[Path]:
    return sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]


def _cut(raw: bytearray, how: random.Random) -> None:
    del raw[how.randrange(len(raw)) :]


def _flipped(raw: bytearray, how: random.Random) -> None:
    for _ in range(how.choice((1, 3, 20))):
        raw[how.randrange(len(raw))] = how.randrange(256)


def _misled(raw: bytearray, how: random.Random) -> None:
    """Extreme numbers where headers and indices are: at the start and at the end."""
    for _ in range(how.choice((1, 2, 4, 8))):
        place = how.randrange(min(len(raw), how.choice((64, 600, 2500))))
        if how.random() < 0.3:
            place = len(raw) - 1 - place
        for k in range(place, min(len(raw), place + how.choice((1, 2, 4)))):
            raw[k] = how.choice((0, 1, 127, 128, 255, how.randrange(256)))


DAMAGE = {"cut": _cut, "flipped": _flipped, "misled": _misled}


def _sound_or_said(name: str, folder: Path, damage: str, seed: int) -> None:
    """Damage a file; it must be read completely, or refused with a message that keeps its word."""
    path = write_format(name, folder, FRAMES)
    how, cut = random.Random(f"{name} {damage} {seed}"), damage == "cut"
    victim = how.choice(_files(path))
    raw = bytearray(victim.read_bytes())
    DAMAGE[damage](raw, how)
    victim.write_bytes(raw)
    try:
        frames = read(path)
    except UserError as error:
        said: UserError | None = error
    else:
        said = None
        # bytes that are numbers may change without a trace
        assert frames.shape[1:] == FRAMES.shape[1:] or not cut
        if cut and FORMATS[name].reader != "video":
            np.testing.assert_array_equal(frames, FRAMES)
    if isinstance(said, DamageError):
        assert str(folder) in said.where
        assert said.hint
        assert 0 <= said.readable <= N
        if cut and said.readable:
            sound = read(path, 0, said.readable)
            np.testing.assert_array_equal(sound, FRAMES[: said.readable])
    assert said is None or said.found


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_a_message_or_a_complete_read(name, damage, tmp_path):
    for seed in range(2):
        folder = tmp_path / str(seed)
        folder.mkdir()
        _sound_or_said(name, folder, damage, seed)


@pytest.mark.parametrize("name", FORMATS)
def test_settings_without_a_meaning_are_refused(name, written):
    uses = registry.get("reader", FORMATS[name].reader).USES
    given = {
        "dataset": "movie",
        "time_dataset": "t",
        "axes": ("frame", "column", "row"),
        "channel": "red",
    }
    for key, value in given.items():
        if key not in uses:
            with pytest.raises(UserError, match=rf"reader\.{key}: .* has no meaning"):
                read(written[name], **{key: value})
