"""What an agent knows before it starts: its sensor's levels in this recording.

A level given in standard deviations needs the noise of this very sensor: an ellipse averages
pixels, a bilinear point averages up to four. So the sensor is held into blank air, at random
places, headings and frames, and the mean and standard deviation of what it says are measured.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from plumenav import registry
from plumenav.errors import UserError
from plumenav.rng import noise_key
from plumenav.tables import PlumeReader, atomic

BLOCKS = 6
FRAMES_PER_BLOCK = 16
PLACES_PER_FRAME = 400


def _fold(v: np.ndarray, low: float, high: float) -> np.ndarray:
    length = max(high - low, 1e-9)
    m = np.mod(v - low, 2 * length)
    return np.asarray(low + np.where(m <= length, m, 2 * length - m))


def _read(image: np.ndarray, row: np.ndarray, column: np.ndarray, bilinear: bool) -> np.ndarray:
    """Stored numbers of one image at pixel coordinates inside it."""
    height, width = image.shape
    if not bilinear:
        nearest = image[(row + 0.5).astype(int), (column + 0.5).astype(int)]
        return np.asarray(nearest, float)
    r0, c0 = np.floor(row).astype(int), np.floor(column).astype(int)
    r1, c1 = np.minimum(r0 + 1, height - 1), np.minimum(c0 + 1, width - 1)
    fr, fc = row - r0, column - c0
    top = image[r0, c0] * (1 - fc) + image[r0, c1] * fc
    bottom = image[r1, c0] * (1 - fc) + image[r1, c1] * fc
    return np.asarray(top * (1 - fr) + bottom * fr)


def blank_readings(reader: PlumeReader, sensor: dict[str, Any]) -> np.ndarray:
    """Readings of a sensor in the plume-free patch, without threshold and dead zone.

    Parameters
    ----------
    reader : PlumeReader
        A movie whose metadata names its blank patch.
    sensor : dict
        shape, parameters, interpolation.

    Returns
    -------
    ndarray, shape (n,)
        Concentrations; the same for the same plume and sensor.
    """
    blank = reader.metadata["blank"]
    plugin = registry.get("sensor", sensor["shape"])
    points = plugin.points(plugin.Params(**sensor["parameters"])) / reader.metadata["mm_per_px"]
    bilinear = sensor["interpolation"] == "bilinear"
    firsts, sizes = np.array(reader.block_first), np.array(reader.block_sizes)
    inside = np.flatnonzero(
        (firsts < blank["frame_stop"]) & (firsts + sizes > blank["frame_start"])
    )
    chosen = inside[np.unique(np.linspace(0, len(inside) - 1, BLOCKS).round().astype(int))]
    rng = np.random.Generator(np.random.Philox(key=noise_key("blank", sensor["shape"])))
    readings = []
    for b in chosen:
        block = reader.block(int(b))
        numbers = np.arange(block.first, block.first + len(block.frames))
        free = np.flatnonzero((numbers >= blank["frame_start"]) & (numbers < blank["frame_stop"]))
        for k in free[:: max(1, len(free) // FRAMES_PER_BLOCK)][:FRAMES_PER_BLOCK]:
            row = rng.uniform(blank["row_start"], blank["row_stop"] - 1, PLACES_PER_FRAME)
            column = rng.uniform(blank["column_start"], blank["column_stop"] - 1, PLACES_PER_FRAME)
            heading = rng.uniform(0, 2 * np.pi, PLACES_PER_FRAME)
            total = np.zeros(PLACES_PER_FRAME)
            for forward, left in points:
                right = forward * np.cos(heading) - left * np.sin(heading)
                up = forward * np.sin(heading) + left * np.cos(heading)
                total += _read(
                    block.frames[k],
                    _fold(row - up, blank["row_start"], blank["row_stop"] - 1),
                    _fold(column + right, blank["column_start"], blank["column_stop"] - 1),
                    bilinear,
                )
            readings.append(total / len(points))
    stored = np.concatenate(readings)
    return stored * float(reader.metadata["scale"]) + float(reader.metadata["offset"])


def check_walls(metadata: dict[str, Any], wall_mm: float | None) -> None:
    """Refuse walls (boundary `turn`) that leave no room between them.

    Raises
    ------
    UserError
        Naming the arena's width.
    """
    if wall_mm is None or metadata["kind"] == "signal":
        return
    narrow = min(metadata["height"], metadata["width"]) * float(metadata["mm_per_px"])
    if 2.0 * wall_mm >= narrow:
        raise UserError(
            "simulation.boundary_margin_mm",
            f"found {wall_mm:g}, but the arena is only {narrow:g} mm across",
            f"less than {narrow / 2:g}",
        )


def check_sides(metadata: dict[str, Any], agent: str, sensor: dict[str, Any]) -> list[str]:
    """What is wrong with the distance between a sensor's two sides in a recording.

    Parameters
    ----------
    metadata : dict
        Of the plume.
    agent : str
        Label, for messages.
    sensor : dict
        Of an agent that compares sides: shape, parameters, interpolation.

    Returns
    -------
    list of str
        Warnings.

    Raises
    ------
    UserError
        If both sides would nearly always read the same pixel.
    """
    if metadata["kind"] != "movie":
        return []
    plugin = registry.get("sensor", sensor["shape"])
    points = plugin.points(plugin.Params(**sensor["parameters"]))
    half = len(points) // 2
    apart = float(np.hypot(*(points[:half].mean(axis=0) - points[half:].mean(axis=0))))
    pixel = float(metadata["mm_per_px"])
    if apart >= pixel:
        return []
    found = f"its sides are {apart:g} mm apart, less than a pixel of {pixel:g} mm"
    if sensor["interpolation"] == "nearest":
        raise UserError(
            f"agents.{agent}.sensor.interpolation",
            f"found 'nearest', but {found}: both nearly always read the same pixel, and their"
            " difference is exactly 0",
            f"bilinear, or a sensor whose sides are at least {pixel:g} mm apart",
        )
    return [f"{found}: what it finds different between them is the slope within a pixel"]


def sensor_levels(reader: PlumeReader, agent: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Threshold and dead zone of an agent in a recording, as concentrations.

    Parameters
    ----------
    reader : PlumeReader
    agent : str
        Label, for messages.
    settings : dict
        The agent's resolved `sensor`, and `sides`: whether its model compares them.

    Returns
    -------
    dict
        {"threshold": float, "dead_zone", "noise", "blank_mean", "blank_sd": float or None}.

    Raises
    ------
    UserError
        If a level is given in noise units where there is no noise to measure.
    """
    sensor = settings["sensor"]
    mean = sd = None
    if reader.metadata["kind"] == "movie" and reader.metadata["blank"]:
        readings = blank_readings(reader, sensor)
        mean, sd = float(readings.mean()), float(readings.std())
    levels: dict[str, Any] = {"blank_mean": mean, "blank_sd": sd}

    def refused(key: str) -> UserError:
        return UserError(
            f"agents.{agent}.sensor.{key}",
            f"is given in noise_sd, but {reader.path} has no blank air to measure noise in",
            "unit: absolute",
            "Give the level as a concentration, or say where the recording shows no plume "
            "(recordings.<label>.normalize.blank).",
        )

    own = sensor.get("noise")
    if own and own["unit"] == "noise_sd" and not sd:
        raise refused("noise")
    noise = own["value"] * ((sd or 0.0) if own["unit"] == "noise_sd" else 1.0) if own else None
    levels["noise"] = noise
    if sd is not None and noise:
        # of two sides the mean has half the variance of each
        sd = math.sqrt(sd**2 + noise**2 / (2.0 if settings.get("sides") else 1.0))
    for name in ("threshold", "dead_zone"):
        level = sensor[name]
        if level is None:
            levels[name] = None
        elif level["unit"] == "absolute":
            levels[name] = level["value"]
        elif not sd:
            raise refused(name)
        else:
            levels[name] = (mean or 0.0) + level["value"] * sd
    return levels


class Prepared(NamedTuple):
    """Content of a prepared file.

    Attributes
    ----------
    levels : dict
        Threshold and dead zone as concentrations; None: there is none.
    arrays : dict of ndarray
        What the agent's model derived from the plume, by name; most models derive nothing.
    """

    levels: dict[str, float | None]
    arrays: dict[str, np.ndarray]


LEVELS = ("threshold", "dead_zone", "noise")  # told to the engine
NOT_ARRAYS = (*LEVELS, "blank_mean", "blank_sd", "warnings")


def write_prepared(
    path: str,
    levels: dict[str, Any],
    arrays: Mapping[str, np.ndarray] | None = None,
    warnings: Sequence[str] = (),
) -> None:
    """Write the prepared file (npz; NaN stands for a level that does not exist).

    `warnings` are sentences about this agent in this recording; the report shows them.
    """
    with atomic(path) as temporary, open(temporary, "wb") as file:
        numbers = {k: np.float64(np.nan if v is None else v) for k, v in levels.items()}
        said = {"warnings": np.array(warnings, np.str_)}
        np.savez(file, allow_pickle=False, **numbers, **said, **(arrays or {}))


def read_prepared(path: str) -> Prepared:
    """Levels and arrays of a prepared file."""
    with np.load(path, allow_pickle=False) as content:
        values = {name: float(content[name]) for name in LEVELS if name in content.files}
        arrays = {name: content[name] for name in content.files if name not in NOT_ARRAYS}
    return Prepared({k: None if np.isnan(v) else v for k, v in values.items()}, arrays)


def read_warnings(path: str | os.PathLike[str]) -> list[str]:
    """Warnings of a prepared file."""
    with np.load(path, allow_pickle=False) as content:
        return [str(sentence) for sentence in content["warnings"]]
