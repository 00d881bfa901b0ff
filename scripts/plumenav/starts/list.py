"""At given places, one after the other: simulation r starts at entry r modulo their number."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field, field_validator

from plumenav.errors import UserError
from plumenav.starts._contract import Asked, Scene, StartParams, Starts, rectangle, span

COLUMNS = ("x_mm", "y_mm", "heading_deg", "frame")


class Params(StartParams):
    """The places."""

    points: tuple[tuple[float | None, ...], ...] = Field(
        min_length=1,
        description="places: [x_mm, y_mm], [x_mm, y_mm, heading_deg] or [x_mm, y_mm, heading_deg,"
        " frame]; null or nothing: drawn as usual. Instead of points, `file: starts.csv` names a"
        " CSV file with the headings x_mm, y_mm and, if wanted, heading_deg, frame",
    )

    @field_validator("points")
    @classmethod
    def _complete(cls, value: tuple[tuple[float | None, ...], ...]) -> Any:
        for i, point in enumerate(value):
            if not 2 <= len(point) <= 4 or point[0] is None or point[1] is None:
                raise ValueError(f"entry {i} needs x_mm and y_mm, and may have heading_deg, frame")
            if not all(math.isfinite(v) for v in point if v is not None):
                raise ValueError(f"entry {i} is not finite")
            frame = point[3] if len(point) == 4 else None
            if frame is not None and (frame < 0 or frame != int(frame)):
                raise ValueError(f"entry {i} has frame {frame:g}; frames are 0, 1, 2, ...")
        return value


def read(content: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Parameters with `file` replaced by what the file holds.

    Parameters
    ----------
    content : dict
        `file`: a CSV file with headings x_mm, y_mm and, if wanted, heading_deg, frame; or `points`.
    folder : Path
        What a relative path refers to.

    Raises
    ------
    UserError
        If the file cannot be read, lacks a column, or holds something that is no number.
    """
    if "file" not in content:
        return content
    where = "simulation.start.file"
    if "points" in content:
        raise UserError(where, "found beside points", "one of the two")
    path = folder / str(content["file"])
    try:
        with open(path, encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(where, f"{path} cannot be read ({error})", "a CSV file") from None
    unknown = [name for name in (rows[0] if rows else {}) if name not in COLUMNS]
    if not rows or unknown or not {"x_mm", "y_mm"} <= set(rows[0]):
        found = ", ".join(map(str, rows[0])) if rows else "nothing"
        raise UserError(where, f"{path} has the columns {found}", ", ".join(COLUMNS))
    points = []
    for i, row in enumerate(rows):
        try:
            points.append([float(row[c]) if row.get(c) else None for c in COLUMNS])
        except (TypeError, ValueError):
            raise UserError(where, f"{path}, row {i + 2}: {row}", "numbers") from None
    return {**{k: v for k, v in content.items() if k != "file"}, "points": points}


def _places(params: Params) -> np.ndarray:
    return np.array([point[:2] for point in params.points], float)


def places(params: Params, replicate: np.ndarray, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Entry by entry."""
    chosen = _places(params)[replicate % len(params.points)]
    return chosen[:, 0], chosen[:, 1]


def chosen(params: Params, asked: Asked, scene: Scene) -> Starts:
    """Entry by entry, with the headings and frames that are given."""
    x, y = places(params, asked.replicate, asked.u)
    full = [(*point, None, None)[:4] for point in params.points]
    heading, frame = asked.heading_rad.copy(), asked.frame.copy()
    for i, r in enumerate(asked.replicate):
        _, _, degrees, number = full[r % len(full)]
        if degrees is not None:
            heading[i] = math.radians(degrees)
        if number is not None:
            frame[i] = int(number)
    return Starts(x, y, heading, frame)


def outline(params: Params) -> np.ndarray:
    """The rectangle around the places."""
    x, y = _places(params).T
    return rectangle((x.min(), x.max()), (y.min(), y.max()))


def closest_mm(params: Params) -> float:
    """Distance of the nearest place."""
    return float(np.hypot(*_places(params).T).min())


def own(params: Params) -> str:
    """How many places bring their own heading, and their own frame."""
    full = [(*point, None, None)[:4] for point in params.points]
    headings = sum(point[2] is not None for point in full)
    frames = sum(point[3] is not None for point in full)
    given = [f"{n} with {what}" for n, what in ((headings, "a heading"), (frames, "a frame")) if n]
    return f"{' and '.join(given)} of their own, else " if given else ""


def words(params: Params) -> str:
    """Where it is."""
    x, y = _places(params).T
    return (
        f"{len(x)} given places, x {span((x.min(), x.max()))} mm, y {span((y.min(), y.max()))} mm"
    )
