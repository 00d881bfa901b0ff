"""Recorded wind: two normalized components become one file on the pixels of a plume."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np

from plumenav import world
from plumenav.engine.run import Blocks
from plumenav.errors import UserError
from plumenav.tables import PlumeReader, PlumeWriter

CLOCK_SLACK_S = 1e-6


def check_fits(field: PlumeReader, plume: PlumeReader, where: str) -> None:
    """Refuse wind that does not lie on the pixels and frames of its plume.

    Parameters
    ----------
    field : PlumeReader
        A component, or the joined wind.
    plume : PlumeReader
    where : str
        Config key, for messages.

    Raises
    ------
    UserError
        Naming what differs.
    """
    ours, theirs = world.grid_of(field.metadata), world.grid_of(plume.metadata)
    for name in ours._fields:
        mine, wanted = getattr(ours, name), getattr(theirs, name)
        if abs(mine - wanted) > 1e-6 * max(1.0, abs(wanted)):
            raise UserError(
                where,
                f"its normalized {name} is {mine:g}",
                f"that of the plume {plume.path}: {wanted:g}",
                "Give crop, source_px, mm_per_px and resample so that both fill the same arena.",
            )


def _check_times(field: PlumeReader, plume: PlumeReader, where: str) -> None:
    times, wanted = field.time_s - field.time_s[0], plume.time_s - plume.time_s[0]
    if len(times) != len(wanted) or np.abs(times - wanted).max() > CLOCK_SLACK_S:
        raise UserError(
            where,
            f"{len(times)} frames in {times[-1]:g} s",
            f"the frames of the plume: {len(wanted)} in {wanted[-1]:g} s",
            "Resample both to one frame rate (normalize.resample), or set steady: true.",
        )


def join(
    components: tuple[PlumeReader, PlumeReader],
    plume: PlumeReader,
    settings: dict[str, Any],
    path: str,
    where: str,
) -> None:
    """Write the wind of a plume: the downwind component on top of the crosswind one, in mm/s.

    Parameters
    ----------
    components : pair of PlumeReader
        Downwind and crosswind, normalized.
    plume : PlumeReader
    settings : dict
        The config's entry: `downwind_mm_s`, `crosswind_mm_s`, `steady`.
    path : str
        The wind file: a plume file of kind `wind`, of twice the height; one frame if steady.
    where : str
        Config key, for messages.
    """
    factors = (settings["downwind_mm_s"], settings["crosswind_mm_s"])
    names = ("downwind", "crosswind")
    for component, name in zip(components, names, strict=True):
        check_fits(component, plume, f"{where}.{name}")
        if not settings["steady"]:
            _check_times(component, plume, f"{where}.{name}")
    height, width = plume.shape
    with PlumeWriter(path, 2 * height, width, "float32", 1.0, 0.0) as writer:
        writer.metadata.update({**plume.metadata, "kind": "wind", "blank": None})
        writer.metadata.update({"scale": 1.0, "offset": 0.0, "dtype": "float32"})
        writer.metadata.update({"height": 2 * height, "plume_height": height})
        if settings["steady"]:
            means = [_mean(c) * f for c, f in zip(components, factors, strict=True)]
            writer.write(np.zeros(1), np.concatenate(means)[None].astype(np.float32))
            return
        ahead = [_Frames(component) for component in components]
        for first, size in zip(plume.block_first, plume.block_sizes, strict=True):
            both = [
                frames.take(size) * factor for frames, factor in zip(ahead, factors, strict=True)
            ]
            joined = np.concatenate(both, axis=1).astype(np.float32)
            writer.write(plume.time_s[first : first + size], joined)


def _mean(component: PlumeReader) -> np.ndarray:
    total = np.zeros(component.shape)
    for block in component.blocks():
        total += block.frames.sum(axis=0, dtype=np.float64)
    scale, offset = component.metadata["scale"], component.metadata["offset"]
    return np.asarray(total / component.n_frames * scale + offset)


class _Frames:
    """Frames of a component in order, in portions of any size."""

    def __init__(self, component: PlumeReader) -> None:
        self.blocks = component.blocks()
        self.scale = component.metadata["scale"]
        self.offset = component.metadata["offset"]
        self.rest = np.zeros((0, *component.shape))

    def take(self, n: int) -> np.ndarray:
        parts, held = [self.rest], len(self.rest)
        while held < n:
            frames = next(self.blocks).frames * self.scale + self.offset
            parts.append(frames)
            held += len(frames)
        together = np.concatenate(parts)
        self.rest = together[n:]
        return together[:n]


@contextmanager
def opened(plume: str, wind: str | None, **how: Any) -> Iterator[Blocks]:
    """The plume of a job, with its recorded wind if there is any; `how`: as Blocks takes it."""
    with ExitStack() as stack:
        reader = stack.enter_context(PlumeReader(plume))
        recorded = stack.enter_context(PlumeReader(wind)) if wind else None
        yield Blocks(reader, wind=recorded, **how)
