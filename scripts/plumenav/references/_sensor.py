"""The sensors as the references see them: points on the body, their mean, dead zone, controls.

Written from docs/conventions.md (Sensor). Shuffled odour is the loop's business: another agent's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from plumenav.references._plume import Chance, Plume, sampler

Points = list[tuple[float, float]]  # (forward_mm, left_mm)


def point() -> Points:
    """One point at the agent's position."""
    return [(0.0, 0.0)]


def ellipse(centre_mm: float, along_mm: float, across_mm: float, spacing_mm: float) -> Points:
    """Lattice points of an ellipse ahead of the animal (Demir et al. 2020: the antennae).

    Parameters
    ----------
    centre_mm : float
        Distance of the centre ahead of the body.
    along_mm, across_mm : float
        Semi-axes along and across the heading.
    spacing_mm : float
        Distance of neighbouring lattice points.
    """
    points = []
    n_along, n_across = int(along_mm / spacing_mm) + 1, int(across_mm / spacing_mm) + 1
    for i in range(-n_along, n_along + 1):
        for j in range(-n_across, n_across + 1):
            forward, left = i * spacing_mm, j * spacing_mm
            if (forward / along_mm) ** 2 + (left / across_mm) ** 2 <= 1.0 + 1e-9:
                points.append((centre_mm + forward, left))
    return points


def disc(radius_mm: float, ahead_mm: float, spacing_mm: float) -> Points:
    """Lattice points of a disc whose centre is `ahead_mm` in front of the body."""
    n = math.ceil(radius_mm / spacing_mm)
    lattice = [(i, j) for i in range(-n, n + 1) for j in range(-n, n + 1)]
    squared = (radius_mm / spacing_mm) ** 2 + 1e-9
    return [
        (ahead_mm + i * spacing_mm, j * spacing_mm) for i, j in lattice if i * i + j * j <= squared
    ]


def pair(separation_mm: float, ahead_mm: float) -> Points:
    """Two points, the left one first."""
    return [(ahead_mm, separation_mm / 2.0), (ahead_mm, -separation_mm / 2.0)]


SHAPES = {"point": point, "ellipse": ellipse, "disc": disc, "pair": pair, "motion_pair": pair}


def points_of(sensor: Mapping[str, Any]) -> Points:
    """Points of a sensor from its settings (`shape`, `parameters`)."""
    if sensor["shape"] not in SHAPES:
        raise ValueError(f"no reference for sensor {sensor['shape']!r}; known: {list(SHAPES)}")
    make: Any = SHAPES[sensor["shape"]]
    points: Points = make(**sensor["parameters"])
    return points


def fold(value: float, low: float, high: float) -> float:
    """Reflect a coordinate into [low, high]: what is beyond an edge is looked up before it."""
    if high <= low:
        return low
    length = high - low
    m = (value - low) % (2.0 * length)
    return low + (m if m <= length else 2.0 * length - m)


def _half_distance(value: float) -> float:
    """Distance of a pixel coordinate from the nearest pixel edge (a half-integer)."""
    part = (value + 0.5) % 1.0
    return min(part, 1.0 - part)


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


class Reading(NamedTuple):
    """What one agent smells in one step.

    Attributes
    ----------
    odor : float
        Concentration as the model gets it.
    left, right : float
        The same of the two sides of a paired sensor; equal to `odor` where sides are not asked for.
    margin : float
        Distance to the nearest arena edge or (sampling `nearest`) pixel edge, in pixels, or of a
        reading from the dead zone; the smallest of them.
    """

    odor: float
    left: float
    right: float
    margin: float


class Nose:
    """What one agent smells. It adapts: ask it once per step, in order.

    Parameters
    ----------
    settings : dict
        `sensor`, `control` and `dt_s` of the simulation's settings.
    plume : Plume
    sides : bool
        Whether left and right are asked for: the first half of the sensor's points is its left one.
    """

    def __init__(self, settings: Mapping[str, Any], plume: Plume, sides: bool = False) -> None:
        self.sides = sides
        self.noise = float(settings["sensor"].get("noise") or 0.0)
        self.adaptation = settings["sensor"].get("adaptation")
        self.adapting = settings["dt_s"] / self.adaptation["tau_s"] if self.adaptation else 0.0
        self.adapted = 0.0
        sensor, control = settings["sensor"], settings["control"]
        if control not in ("none", "blind", "blank_region", "shuffled"):
            raise ValueError(f"control {control!r}; known: none, blind, blank_region, shuffled")
        self.blind = control == "blind"
        self.points = points_of(sensor)
        self.sample = sampler(plume, sensor["interpolation"])
        self.arena = plume.arena
        self.reach_px = max(math.hypot(*one) for one in self.points) / plume.arena.mm_per_px
        self.dead_zone = sensor["dead_zone"]
        # only these pick one pixel or its neighbour: a decision that can be a tie
        self.has_pixels = (
            plume.metadata["kind"] not in ("analytic", "signal")
            and sensor["interpolation"] == "nearest"
        )
        self.blank = plume.metadata["blank"] if control == "blank_region" else None
        if control == "blank_region" and self.blank is None:
            raise ValueError("control blank_region: the plume's metadata has no blank region")

    def read(
        self,
        frame: int,
        x_mm: float,
        y_mm: float,
        heading_rad: float,
        chance: Chance | None = None,
        jitter: tuple[float, float] = (0.0, 0.0),
    ) -> Reading:
        """Reading as the model gets it, and how close it came to being another one.

        Parameters
        ----------
        frame : int
        x_mm, y_mm, heading_rad : float
            Position and heading of the body.
        chance : Chance, optional
            Of the step; only fields of detections need it. All points share it.
        jitter : tuple of float
            Standard normal numbers of the step: left (or only) side, right side.
        """
        if self.blind:
            return Reading(0.0, 0.0, 0.0, math.inf)
        values, margin = self._values(frame, x_mm, y_mm, heading_rad, chance)
        half = len(values) // 2
        left_noise, right_noise = (self.noise * g for g in jitter)
        if self.sides:
            means = [
                _mean(values) + _mean([left_noise, right_noise]),
                _mean(values[:half]) + left_noise,
                _mean(values[half:]) + right_noise,
            ]
        else:
            means = [_mean(values) + left_noise]
        readings = []
        for raw in means:
            # a reading of zero is zero on either side of the dead zone
            if self.dead_zone is not None and abs(raw) > 1e-9:
                margin = min(margin, abs(raw - self.dead_zone))
            dead = self.dead_zone is not None and raw < self.dead_zone
            readings.append(0.0 if dead else raw)
        if self.adaptation:
            half_level = self.adaptation["half_level"]
            gain = half_level / (half_level + self.adapted)
            self.adapted = max(0.0, self.adapted + (readings[0] - self.adapted) * self.adapting)
            readings = [gain * reading for reading in readings]
        odor, left, right = readings if self.sides else readings * 3
        return Reading(odor, left, right, margin)

    def _values(
        self, frame: int, x: float, y: float, heading: float, chance: Chance | None
    ) -> tuple[list[float], float]:
        cos_h, sin_h = math.cos(heading), math.sin(heading)
        arena, blank = self.arena, self.blank
        values: list[float] = []
        margin, outside = math.inf, -math.inf
        # far inside the image no point needs to be asked whether it is outside
        depth = arena.inward(*arena.row_column(x, y)) - self.reach_px
        safe = depth > 1.0 and blank is None
        if safe:
            margin = depth
        for forward, left in self.points:
            row, column = arena.row_column(
                x + forward * cos_h - left * sin_h, y + forward * sin_h + left * cos_h
            )
            if safe:
                values.append(self.sample(frame, row, column, chance))
                if self.has_pixels:
                    margin = min(margin, _half_distance(row), _half_distance(column))
                continue
            if blank is not None:
                row = fold(row, blank["row_start"], blank["row_stop"] - 1)
                column = fold(column, blank["column_start"], blank["column_stop"] - 1)
            else:
                inward = arena.inward(row, column)
                margin = min(margin, abs(inward))
                if not arena.contains(row, column):
                    outside = max(outside, -inward)
                    continue
            values.append(self.sample(frame, row, column, chance))
            if self.has_pixels:
                margin = min(margin, _half_distance(row), _half_distance(column))
        if outside > -math.inf:  # one point outside is enough: the deepest one decides
            return [0.0, 0.0], outside
        return values, margin
