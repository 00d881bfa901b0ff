"""On the points of a lattice, in turn: simulation r starts at point r modulo their number."""

from __future__ import annotations

import numpy as np
from pydantic import Field

from plumenav.starts._contract import Interval, StartParams, rectangle, span


class Params(StartParams):
    """The lattice: its outermost points lie on the limits; a single one in their middle."""

    x_mm: Interval = Field((100.0, 200.0), description="downwind of the source, mm")
    y_mm: Interval = Field((-40.0, 40.0), description="crosswind, mm")
    columns: int = Field(5, ge=1, le=10000, description="points downwind")
    rows: int = Field(5, ge=1, le=10000, description="points crosswind")


def _line(limits: tuple[float, float], n: int) -> np.ndarray:
    return np.linspace(*limits, n) if n > 1 else np.array([sum(limits) / 2.0])


def _points(params: Params) -> np.ndarray:
    x, y = _line(params.x_mm, params.columns), _line(params.y_mm, params.rows)
    return np.column_stack([np.tile(x, len(y)), np.repeat(y, len(x))])


def places(params: Params, replicate: np.ndarray, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Point by point, downwind first."""
    points = _points(params)[replicate % (params.rows * params.columns)]
    return points[:, 0], points[:, 1]


def outline(params: Params) -> np.ndarray:
    """The rectangle around the lattice."""
    return rectangle(params.x_mm, params.y_mm)


def closest_mm(params: Params) -> float:
    """Distance of the nearest point."""
    return float(np.hypot(*_points(params).T).min())


def words(params: Params) -> str:
    """Where it is."""
    return (
        f"on {params.columns} × {params.rows} points, x {span(params.x_mm)} mm,"
        f" y {span(params.y_mm)} mm"
    )
