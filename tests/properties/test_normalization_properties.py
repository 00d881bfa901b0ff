"""The fused, streaming normalization is the chain of its plain steps."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from factories_recordings import Normalized, settings, write_hdf5
from plumenav import world
from plumenav.config.recordings import Recording
from plumenav.normalization.blank import largest_rectangle
from plumenav.normalization.steps import (
    background,
    calibration,
    crop,
    despeckle,
    flat_field,
    mask,
    noise_floor,
    polarity,
    resample,
    storage,
    transfer,
)


def plain_chain(frames: np.ndarray, recording: Recording, bits: int) -> tuple[np.ndarray, int, int]:
    """Normalization as it is defined: one step after the other, in double precision."""
    how = recording.normalize
    window = crop.window(how.crop, *frames.shape[1:])
    values = transfer.plain(crop.plain(frames, how.crop), how.transfer)
    flat = None
    if how.flat_field.flat:
        dark, even = (
            values[slice(*part)].mean(axis=0) for part in (how.flat_field.dark, how.flat_field.flat)
        )
        flat = flat_field.flat(dark, even, "flat_field")
    values = flat_field.plain(values, flat)
    empty = 0.0 if how.background.method == "none" else background.plain(values, how.background)
    values = polarity.plain(values, how.polarity.kind, empty)
    values = despeckle.plain(values, how.despeckle.size_px)
    values = noise_floor.plain(values, noise_floor.patch(how.noise_floor, window, "noise_floor"))
    keep = mask.weights(how.mask.polygon, None, window, "mask")
    values = mask.plain(values, keep, how.calibration.zero)
    values = calibration.plain(values, calibration.declared(how.calibration))
    values = world.orient_image(values, recording.wind_toward, recording.mirrored)
    edges = (recording.mm_per_px.row, recording.mm_per_px.column)
    if recording.wind_toward in ("+row", "-row"):
        edges = edges[::-1]
    mm_per_px = how.resample.mm_per_px or max(edges)
    values = resample.plain(values, (mm_per_px / edges[0], mm_per_px / edges[1]))
    return storage.plain(values, storage.code(how.storage, bits))


transfers = st.sampled_from(
    [
        {"low": 0.1, "high": 0.9, "full_scale": 200},
        {"low": 2, "high": -1, "full_scale": 255},
        {"kind": "square_root", "low": -0.2, "high": 1.5, "full_scale": 255},
        {"kind": "gamma", "exponent": 0.45, "full_scale": 255},
        {"kind": "table", "table": [[0, 0], [30, 0.5], [200, 0.7], [260, 1.4]]},
    ]
)


@limits(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    source=st.sampled_from(["uint8", "uint16", "int16", "float32", "float64"]),
    stored=st.sampled_from(["auto", "uint8", "uint16", "int16", "float32"]),
    shape=st.tuples(st.integers(9, 24), st.integers(9, 24)),
    ratio=st.sampled_from([1.0, 2.0, 3.0, 1.5, 0.74, 2.37, 0.5]),
    wind=st.sampled_from(list(world.QUARTER_TURNS)),
    mirrored=st.booleans(),
    undo=transfers,
    method=st.sampled_from(["none", "mean", "median", "percentile"]),
    kind=st.sampled_from(["bright", "dark"]),
    edges=st.sampled_from([(1.0, 1.0), (1.0, 2.0), (1.4, 1.0)]),
    pixelwise=st.sets(st.sampled_from(["despeckle", "mask", "flat_field"])),
    floor=st.booleans(),
    cut=st.tuples(st.integers(0, 2), st.integers(0, 2)),
    points=st.tuples(st.floats(-0.3, 0.3), st.floats(0.5, 2)),
)
def test_fused_is_plain(
    seed,
    source,
    stored,
    shape,
    ratio,
    wind,
    mirrored,
    undo,
    method,
    kind,
    edges,
    pixelwise,
    floor,
    cut,
    points,
):
    frames = np.random.default_rng(seed).integers(20, 256, (7, *shape)).astype(source)
    frames[5], frames[6] = 10, 200  # a dark frame, and one of even light
    steps = {
        "despeckle": {"size_px": 3},
        "mask": {"polygon": [[2, 2], [2, shape[1] - 2], [shape[0], 3]]},
        "flat_field": {"dark": [5, 6], "flat": [6, 7]},
    }
    if undo.get("low", 0) > undo.get("high", 1):
        pixelwise = pixelwise - {"flat_field"}  # light must make the file's intensity rise
    changes = {
        "wind_toward": wind,
        "mirrored": mirrored,
        "mm_per_px": {"row": edges[0], "column": edges[1]},
        "normalize": {
            **{name: steps[name] for name in pixelwise},
            "crop": {"rows": [cut[0], shape[0]], "columns": [0, shape[1] - cut[1]]},
            "transfer": undo,
            "background": {"method": method, "frames": [1, 4], "percentile": 20},
            "polarity": {"kind": kind},
            "noise_floor": {"rows": [3, 6], "columns": [2, 7]} if floor else {},
            "calibration": {"zero": points[0], "one": points[1]},
            "resample": {"mm_per_px": ratio},
            "storage": {"dtype": stored},
        },
    }
    with tempfile.TemporaryDirectory() as folder:
        made = Normalized(Path(folder), write_hdf5(Path(folder) / "a.h5", frames), **changes)
    recording = Recording.model_validate(settings(**changes))
    truth, low, high = plain_chain(frames, recording, frames.dtype.itemsize * 8)
    assert made.stored.shape == truth.shape
    assert made.stored.dtype == truth.dtype
    difference = np.abs(made.stored.astype(float) - truth.astype(float))
    if truth.dtype == np.float32:
        assert difference.max() < 1e-4
    else:
        # float32 arithmetic moves a value by much less than a step of 8 bits, and by a few at most
        # of 16: only roundings may fall the other way
        assert difference.max() <= (1 if truth.dtype == np.uint8 else 2)
        assert difference.mean() < 0.1
    assert abs(made.quality["clipped_low"] - low) <= 2
    assert abs(made.quality["clipped_high"] - high) <= 2


@given(size=st.integers(1, 60), ratio=st.floats(0.3, 7))
def test_area_weights_share_out_every_covered_pixel(size, ratio):
    n = resample.whole_pixels(size, ratio)
    if n == 0:
        return
    weights = resample.weights(size, ratio)
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-9)
    whole = int(np.floor(n * ratio + 1e-9))
    np.testing.assert_allclose(weights[:, :whole].sum(axis=0), 1 / ratio, atol=1e-9)
    assert size - n * ratio < ratio + 1e-6


@given(st.integers(0, 2**24 - 1), st.integers(1, 24))
def test_largest_rectangle_is_the_largest(bits, width):
    cells = np.array([bits >> k & 1 for k in range(24 // width * width)], bool).reshape(-1, width)
    best = max(
        (r1 - r0) * (c1 - c0)
        for r0 in range(cells.shape[0])
        for r1 in range(r0, cells.shape[0] + 1)
        for c0 in range(cells.shape[1])
        for c1 in range(c0, cells.shape[1] + 1)
        if cells[r0:r1, c0:c1].all()
    )
    found = largest_rectangle(cells)
    assert (found is None) == (best == 0)
    if found is not None:
        r0, r1, c0, c1 = found
        assert cells[r0:r1, c0:c1].all()
        assert (r1 - r0) * (c1 - c0) == best
