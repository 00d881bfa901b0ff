"""The sensors as the references see them: points on the body, their mean, dead zone, controls.

Written from docs/conventions.md (Sensor). Shuffled odour is the loop's business: another agent's.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from plumenav.references._plume import Chance, Plume, Sampler, sampler

Points = list[tuple[float, float]]  # (forward_mm, left_mm)
Reading = tuple[float, float, float]  # odour; left, right
Smell = Callable[[int, float, float, float, Chance | None], list[float]]
NOTHING: Reading = (0.0, 0.0, 0.0)


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


class Nose:
    """What one agent smells. It adapts: ask it once per step, in order.

    Parameters
    ----------
    settings : dict
        `sensor`, `control` and `dt_s` of the simulation's settings.
    plume : Plume
    sides : bool
        Whether left and right are asked for: the first half of the sensor's points is its left one.

    Attributes
    ----------
    raw : list of tuple of float
        Of each step, the readings that were compared with the dead zone; empty if there is none.
    """

    def __init__(self, settings: Mapping[str, Any], plume: Plume, sides: bool = False) -> None:
        sensor, control = settings["sensor"], settings["control"]
        if control not in ("none", "blind", "blank_region", "shuffled"):
            raise ValueError(f"control {control!r}; known: none, blind, blank_region, shuffled")
        self.sides = sides
        self.blind = control == "blind"
        self.noise = float(sensor.get("noise") or 0.0)
        self.adaptation = sensor.get("adaptation")
        self.adapting = settings["dt_s"] / self.adaptation["tau_s"] if self.adaptation else 0.0
        self.adapted = 0.0
        self.dead_zone = sensor["dead_zone"]
        self.raw: list[tuple[float, ...]] = []
        self.points = points_of(sensor)
        self.arena = plume.arena
        # only these pick one pixel or its neighbour: a decision that can be a tie
        self.has_pixels = (
            plume.metadata["kind"] not in ("analytic", "signal")
            and sensor["interpolation"] == "nearest"
        )
        self.blank = plume.metadata["blank"] if control == "blank_region" else None
        if control == "blank_region" and self.blank is None:
            raise ValueError("control blank_region: the plume's metadata has no blank region")
        self.smell = smeller(
            self.points, plume, sampler(plume, sensor["interpolation"]), self.blank
        )

    def read(
        self,
        frame: int,
        x_mm: float,
        y_mm: float,
        heading_rad: float,
        chance: Chance | None = None,
        jitter: tuple[float, float] = (0.0, 0.0),
    ) -> Reading:
        """Readings as the model gets them.

        Parameters
        ----------
        frame : int
        x_mm, y_mm, heading_rad : float
            Position and heading of the body.
        chance : Chance, optional
            Of the step; only fields of detections need it. All points share it.
        jitter : tuple of float
            Standard normal numbers of the step: left (or only) side, right side.

        Returns
        -------
        tuple of float
            Odour, and the same of the two sides of a paired sensor; equal where sides are not asked
            for.
        """
        if self.blind:
            return NOTHING
        values = self.smell(frame, x_mm, y_mm, heading_rad, chance)
        odor = sum(values) / len(values)
        if not self.sides:
            if self.noise:
                odor += self.noise * jitter[0]
            if self.dead_zone is not None:
                self.raw.append((odor,))
                odor = 0.0 if odor < self.dead_zone else odor
            if self.adaptation:
                odor *= self.gain(odor)
            return odor, odor, odor
        half = len(values) // 2
        left, right = sum(values[:half]) / half, sum(values[half:]) / (len(values) - half)
        if self.noise:
            left_noise, right_noise = self.noise * jitter[0], self.noise * jitter[1]
            odor += (left_noise + right_noise) / 2
            left, right = left + left_noise, right + right_noise
        if self.dead_zone is not None:
            self.raw.append((odor, left, right))
            odor = 0.0 if odor < self.dead_zone else odor
            left = 0.0 if left < self.dead_zone else left
            right = 0.0 if right < self.dead_zone else right
        if self.adaptation:
            gain = self.gain(odor)
            odor, left, right = gain * odor, gain * left, gain * right
        return odor, left, right

    def gain(self, odor: float) -> float:
        """Gain of this step's readings; then it adapts to the one of the whole sensor."""
        half_level: float = self.adaptation["half_level"]
        gain = half_level / (half_level + self.adapted)
        self.adapted = max(0.0, self.adapted + (odor - self.adapted) * self.adapting)
        return gain


def smeller(
    points: Points, plume: Plume, sample: Sampler, blank: Mapping[str, int] | None
) -> Smell:
    """Concentrations at the points of a sensor; [0, 0] if one of them is outside the arena."""
    arena, sin, cos = plume.arena, math.sin, math.cos
    mm_per_px, source_row, source_column = arena.mm_per_px, arena.source_row, arena.source_column
    last_row, last_column, endless = arena.height - 0.5, arena.width - 0.5, arena.endless
    seen: tuple[int, float, float, float] | None = None
    values: list[float] = []

    def smell(frame: int, x: float, y: float, heading: float, chance: Chance | None) -> list[float]:
        nonlocal seen, values
        if seen == (frame, x, y, heading) and chance is None:
            return values  # it stands, and the frame is the same: so is what it smells
        seen = (frame, x, y, heading)
        cos_h, sin_h = cos(heading), sin(heading)
        places = []
        for forward, left in points:
            row = source_row - (y + forward * sin_h + left * cos_h) / mm_per_px
            column = (x + forward * cos_h - left * sin_h) / mm_per_px + source_column
            if blank is not None:
                row = fold(row, blank["row_start"], blank["row_stop"] - 1)
                column = fold(column, blank["column_start"], blank["column_stop"] - 1)
            elif not ((-0.5 <= row < last_row and -0.5 <= column < last_column) or endless):
                values = [0.0, 0.0]
                return values
            places.append((row, column))
        values = sample(frame, places, chance)
        return values

    return smell
