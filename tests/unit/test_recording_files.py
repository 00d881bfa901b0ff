"""Which files a recording is made of, and what two machines with the same files agree on."""

import json
from pathlib import Path

import pytest

from plumenav import config
from plumenav.config.recording_files import portable, split_variable
from plumenav.errors import UserError

MOVIE = {"mm_per_px": 1, "source_px": {"row": 0, "column": 0}}


def resolved(data, monkeypatch, **entry):
    """One resolved recording, its files in the folder `data`."""
    monkeypatch.setenv("PLUMENAV_DATA", str(data))
    content = {
        "run": "mine",
        "recordings": {"m": {**MOVIE, **entry}},
        "agents": {"fly": {"model": "on_off"}},
    }
    return config.resolve(content, Path("/nowhere"))["recordings"]["m"]


def touch(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return [str(folder / name) for name in names]


def test_a_plain_file_has_no_parts(tmp_path, monkeypatch):
    (movie,) = touch(tmp_path, "a/movie.avi")
    found = resolved(tmp_path, monkeypatch, path="a/movie.avi")
    assert (found["file"], found["parts"], found["companions"]) == (movie, [], {})


def test_a_folder_is_all_its_files_but_hidden_ones_and_subfolders(tmp_path, monkeypatch):
    frames = touch(tmp_path, "run/f10.png", "run/f2.png")
    touch(tmp_path, "run/.DS_Store", "run/old/f1.png")
    found = resolved(tmp_path, monkeypatch, path="run")
    assert found["file"] == str(tmp_path / "run")
    assert found["parts"] == frames


def test_a_zarr_store_is_every_file_in_it(tmp_path, monkeypatch):
    parts = touch(tmp_path, "s.zarr/.zgroup", "s.zarr/movie/.zarray", "s.zarr/movie/0.0.0")
    found = resolved(tmp_path, monkeypatch, path="s.zarr/")
    assert found["parts"] == sorted(parts)
    assert portable(found)["path"] == "s.zarr"


def test_a_pattern_is_the_folder_and_the_files_that_match(tmp_path, monkeypatch):
    frames = touch(tmp_path, "run/img_01.png", "run/img_02.png")
    touch(tmp_path, "run/dark.png", "run/IMG_03.png")
    found = resolved(tmp_path, monkeypatch, path="run/img_*.png")
    assert (found["file"], found["parts"]) == (str(tmp_path / "run"), frames)
    assert portable(found)["path"] == "img_*.png"


def test_a_name_with_brackets_that_exists_is_no_pattern(tmp_path, monkeypatch):
    (movie,) = touch(tmp_path, "trial[1].avi")
    touch(tmp_path, "trial1.avi")
    assert resolved(tmp_path, monkeypatch, path="trial[1].avi")["file"] == movie


def test_an_absolute_path_needs_no_data_folder(tmp_path, monkeypatch):
    (movie,) = touch(tmp_path, "movie.avi")
    assert resolved(tmp_path / "elsewhere", monkeypatch, path=movie)["file"] == movie


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("run/move.avi", ["recordings.m.path", "no file", "Did you mean 'movie.avi'?"]),
        ("ru", ["recordings.m.path", "Did you mean 'run'?", "data_folder"]),
        ("empty", ["recordings.m.path", "holds no files"]),
        ("run/*.tif", ["recordings.m.path", "'*.tif'", "The folder holds .hidden, movie.avi."]),
        ("empty/*.png", ["recordings.m.path", "The folder is empty."]),
        ("x" * 300 + ".avi", ["recordings.m.path", "cannot be looked at (File name too long)"]),
        ("~nobody-of-that-name/x.avi", ["recordings.m.path", "cannot be looked at"]),
        ("r*/movie.avi", ["recordings.m.path", "no folder", "in the last part of the path only"]),
    ],
)
def test_what_is_not_there_is_named_with_the_nearest(tmp_path, monkeypatch, path, words):
    touch(tmp_path, "run/movie.avi", "run/.hidden")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError) as caught:
        resolved(tmp_path, monkeypatch, path=path)
    for word in words:
        assert word in str(caught.value)


# ---------------------------------------------------------------------------- companions

NAMED = {
    "path": "day/frames",
    "reader": {"time_file": "stamps.csv"},
    "normalize": {
        "flat_field": {"dark": "dark.png", "flat": [0, 5]},
        "background": {"method": "image", "image": "both.mat:p/bkg_img"},
        "mask": {"image": "both.mat:p/mask"},
        "false_colour": {"map": "viridis"},
    },
}


def test_companions_lie_with_the_recording_beside_it_or_in_the_data_folder(tmp_path, monkeypatch):
    touch(tmp_path, "day/frames/f1.png")
    stamps, dark, both = touch(tmp_path, "day/frames/stamps.csv", "day/dark.png", "both.mat")
    found = resolved(tmp_path, monkeypatch, **NAMED)
    assert found["companions"] == {
        "normalize.background.image": both,
        "normalize.flat_field.dark": dark,
        "normalize.mask.image": both,
        "reader.time_file": stamps,
    }
    assert list(found["companions"]) == sorted(found["companions"])


def test_the_file_beside_the_recording_wins_over_the_data_folder(tmp_path, monkeypatch):
    touch(tmp_path, "day/m.avi", "stamps.csv")
    (beside,) = touch(tmp_path, "day/stamps.csv")
    found = resolved(tmp_path, monkeypatch, path="day/m.avi", reader={"time_file": "stamps.csv"})
    assert found["companions"] == {"reader.time_file": beside}


def test_a_colour_map_is_a_file_only_if_it_is_a_table(tmp_path, monkeypatch):
    touch(tmp_path, "m.avi")
    (table,) = touch(tmp_path, "jet.csv")
    for name, expected in (("jet", {}), ("jet.csv", {"normalize.false_colour.map": table})):
        steps = {"false_colour": {"map": name}}
        assert (
            resolved(tmp_path, monkeypatch, path="m.avi", normalize=steps)["companions"] == expected
        )


def test_an_image_that_the_method_does_not_use_is_not_asked_for(tmp_path, monkeypatch):
    touch(tmp_path, "m.avi")
    background = {"method": "mean", "frames": [0, 9], "image": "none.png"}
    found = resolved(tmp_path, monkeypatch, path="m.avi", normalize={"background": background})
    assert found["companions"] == {}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"reader": {"time_file": "stamp.csv"}},
            ["recordings.m.reader.time_file", "no file stamp.csv", "Did you mean 'stamps.csv'?"],
        ),
        (
            {"normalize": {"mask": {"image": "boht.mat:p/mask"}}},
            ["recordings.m.normalize.mask.image", "boht.mat", "Did you mean 'both.mat'?"],
        ),
        (
            {"normalize": {"flat_field": {"dark": "/far/away.png"}}},
            ["normalize.flat_field.dark", "/far", "beside the recording"],
        ),
        (
            {"normalize": {"flat_field": {"flat": "x" * 300}}},
            ["normalize.flat_field.flat", "cannot be looked at (File name too long)"],
        ),
    ],
)
def test_a_missing_companion_is_named_with_the_nearest(tmp_path, monkeypatch, changes, words):
    touch(tmp_path, "m.avi", "stamps.csv", "both.mat")
    with pytest.raises(UserError) as caught:
        resolved(tmp_path, monkeypatch, path="m.avi", **changes)
    for word in words:
        assert word in str(caught.value)


def test_a_variable_follows_the_last_colon_after_a_files_extension():
    assert split_variable("a.mat:p/mask") == ("a.mat", "p/mask")
    assert split_variable("/x/12:30.mat:q") == ("/x/12:30.mat", "q")
    assert split_variable("12:30.png") == ("12:30.png", None)
    assert split_variable("a.mat:") == ("a.mat:", None)


def test_two_machines_with_the_same_files_in_other_places_do_not_differ(tmp_path, monkeypatch):
    texts = []
    for machine, paths in (("here", NAMED), ("there", {**NAMED, "path": "frames"})):
        root = tmp_path / machine
        touch(root, "day/frames/f1.png", "frames/f1.png", "day/stamps.csv", "stamps.csv")
        dark, both = touch(root, "far/dark.png", "both.mat")
        entry = json.loads(json.dumps(paths))
        entry["normalize"]["flat_field"]["dark"] = dark
        entry["normalize"]["mask"]["image"] = f"{both}:p/mask"
        found = resolved(root, monkeypatch, **entry)
        assert found["companions"]["normalize.flat_field.dark"] == dark
        texts.append(json.dumps(portable(found), sort_keys=True))
    assert texts[0] == texts[1]
    assert str(tmp_path) not in texts[0]
    told = json.loads(texts[0])
    assert told["normalize"]["flat_field"]["dark"] == "dark.png"
    assert told["normalize"]["mask"]["image"] == "both.mat:p/mask"
    assert told["companions"] == [
        "normalize.background.image",
        "normalize.flat_field.dark",
        "normalize.mask.image",
        "reader.time_file",
    ]
