"""Inside the plume: in a rectangle, where the concentration at the start frame is high enough."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from plumenav.errors import UserError
from plumenav.starts import region
from plumenav.starts._contract import Asked, Scene, Starts, span

MOST_FRAMES = 64  # tried for one simulation before giving up


class Params(region.Params):
    """The rectangle, and what counts as plume."""

    level: float = Field(0.1, gt=0, description="concentration from which on it is plume")


places, outline, closest_mm = region.places, region.outline, region.closest_mm


def chosen(params: Params, asked: Asked, scene: Scene) -> Starts:
    """A pixel of the plume in the start frame, each as likely, and any place in it.

    Where a frame holds no plume in the rectangle, the simulation starts at another frame.

    Raises
    ------
    UserError
        If MOST_FRAMES frames in a row hold no plume there.
    """
    n = len(asked.replicate)
    x, y, frame = np.zeros(n), np.zeros(n), asked.frame.copy()
    u = asked.u
    waiting = np.ones(n, bool)
    rows, columns = scene.pixels(params.x_mm, params.y_mm)
    for attempt in range(MOST_FRAMES):
        if attempt:
            again, u = scene.again(attempt)
            frame = np.where(waiting, again, frame)
        for number, image in scene.images(sorted(set(frame[waiting].tolist()))):
            plume = np.argwhere(image[rows, columns] >= params.level)
            if not len(plume):
                continue
            here = np.flatnonzero(waiting & (frame == number))
            position = u[here, 0] * len(plume)
            pixel = plume[position.astype(int)]
            # what is left of the first number after choosing the pixel places it inside
            right, down = position % 1.0, u[here, 1]
            x[here], y[here] = scene.place(
                rows.start + pixel[:, 0] + down - 0.5, columns.start + pixel[:, 1] + right - 0.5
            )
            waiting[here] = False
        if not waiting.any():
            return Starts(x, y, asked.heading_rad, frame)
    raise UserError(
        "simulation.start.level",
        f"recording {scene.label!r} has no place at or above {params.level:g} in the start region"
        f" in {MOST_FRAMES} frames tried",
        "a level that the plume reaches there",
        "Lower the level, or move the region.",
    )


def words(params: Params) -> str:
    """Where it is."""
    return (
        f"in the plume (at or above {params.level:g}), x {span(params.x_mm)} mm,"
        f" y {span(params.y_mm)} mm"
    )
