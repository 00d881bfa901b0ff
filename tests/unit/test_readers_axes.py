"""Which axis is which: declared, recognized from a known shape, or supposed with a note."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from factories_recordings import lopsided, write_hdf5, write_mat, write_npy, write_zarr
from plumenav.errors import UserError
from plumenav.recordings._axes import find_layout
from plumenav.recordings._contract import AXES, Settings
from plumenav.recordings._recognize import open_recording

PLIF = (3600, 406, 216)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_every_order_is_recognized_from_the_known_shape(order):
    shape = tuple(PLIF[axis] for axis in order)
    layout = find_layout("x", shape, Settings(shape=PLIF))
    assert tuple(shape[axis] for axis in layout.order) == PLIF
    assert layout.axes == tuple(AXES[axis] for axis in order)
    assert "recognized" in layout.notes[0]


def test_part_of_the_shape_is_enough_if_it_decides():
    layout = find_layout("x", (406, 216, 3600), Settings(shape=(None, 406, 216)))
    assert layout.axes == ("row", "column", "frame")


def test_declared_axes_win_and_a_disagreement_is_noted():
    settings = Settings(shape=PLIF, axes=("row", "column", "frame"))
    assert find_layout("x", (406, 216, 3600), settings).notes == []
    layout = find_layout("x", (216, 406, 3600), settings)
    assert layout.axes == ("row", "column", "frame")
    assert "3600 frames, 406 rows, 216 columns are expected" in layout.notes[0]


def test_a_copy_that_disagrees_is_told_how():
    with pytest.raises(UserError, match=r"\(406, 216, 3599\).*No axis has length 3600 \(frames\)"):
        find_layout("x", (406, 216, 3599), Settings(shape=PLIF))
    with pytest.raises(UserError, match="not on an axis of its own"):
        find_layout("x", (60, 40, 30), Settings(shape=(60, 60, None)))


def test_what_fits_twice_is_not_guessed_unless_the_usual_order_fits():
    layout = find_layout("x", (60, 40, 40), Settings(shape=(60, 40, 40)))
    assert (layout.axes, len(layout.notes)) == (AXES, 1)
    with pytest.raises(UserError, match=r"2 orders of the axes .* fit 3600 frames"):
        find_layout("x", (406, 216, 3600), Settings(shape=(3600, None, None)))


@pytest.mark.parametrize(("shape", "doubtful"), [((406, 216, 3600), True), ((60, 40, 56), False)])
def test_without_any_knowledge_the_doubtful_is_noted(shape, doubtful):
    layout = find_layout("x", shape, Settings())
    assert layout.order == (0, 1, 2)
    assert bool(layout.notes) is doubtful


@pytest.mark.parametrize("write", [write_hdf5, write_mat, write_npy, write_zarr])
@pytest.mark.parametrize("order", [(1, 2, 0), (2, 1, 0), (1, 0, 2)])
@pytest.mark.parametrize("fortran", [False, True])
def test_all_array_formats_recognize_axes(tmp_path, write, order, fortran):
    frames = lopsided(9)
    stored = frames.transpose(order)
    stored = np.asfortranarray(stored) if fortran else np.ascontiguousarray(stored)
    path = write(tmp_path / "movie", stored)
    opened = open_recording(path.with_suffix(".npy") if write is write_npy else path, SHAPE)
    found = np.concatenate([block.frames for block in opened.blocks(2, 8)])
    opened.close()
    np.testing.assert_array_equal(found, frames[2:8])


SHAPE = Settings(shape=(9, 40, 56))
