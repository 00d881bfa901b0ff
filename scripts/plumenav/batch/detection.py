"""What a belief-based agent believes of the plume that it is in: arrays for its prepared file.

Of a movie, the detection model is fitted to the hits of the agent's own sensor, in frames in which
it does not live, and tested in those in which it does. Of a field of detections its constants are
known. The arrays that the models read are `detection_rate_hz_scale`, `detection_length_mm`,
`detection_drift_per_mm` and `detection_radius_mm`; the others tell the report and the figure what
they rest on.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from plumenav import registry, world
from plumenav.batch.prepare import sensor_levels
from plumenav.detection.fit import Fit, Goodness, fit, goodness, modelled_hz
from plumenav.detection.formula import Parameters
from plumenav.detection.hit_map import HitMap, hit_map
from plumenav.errors import UserError
from plumenav.tables import PlumeReader


def without(frames: tuple[int, int], taken: tuple[int, int]) -> tuple[int, int] | None:
    """Frames of a part of a movie that are not in another part; None if there are none.

    Examples
    --------
    >>> without((0, 8), (0, 4)), without((4, 8), (0, 4)), without((0, 4), (0, 8))
    ((4, 8), (4, 8), None)
    """
    start = taken[1] if taken[0] <= frames[0] < taken[1] else frames[0]
    stop = taken[0] if taken[0] < frames[1] <= taken[1] else frames[1]
    return (start, stop) if start < stop else None


def believed(p: Parameters, misfit: dict[str, float], where: str) -> Parameters:
    """A detection model that is wrong by the factors of a control.

    A factor on the length stretches the plume in all directions: the drift, an inverse length, is
    divided by it.

    Raises
    ------
    UserError
        If the length is no longer above the radius.
    """
    length = p.length_mm * misfit["length"]
    if length <= p.radius_mm:
        raise UserError(
            f"{where}.misfit.length",
            f"{misfit['length']:g} times {p.length_mm:.3g} mm is not more than the radius of"
            f" {p.radius_mm:g} mm",
            f"above {p.radius_mm / p.length_mm:.2g}",
            "Make the factor larger, or detection.radius_mm smaller.",
        )
    return Parameters(
        p.scale_hz * misfit["rate"], length, p.drift_per_mm / misfit["length"], p.radius_mm
    )


def detection_arrays(
    reader: PlumeReader, fitted: PlumeReader | None, agent: str, settings: dict[str, Any]
) -> dict[str, np.ndarray]:
    """Arrays of the prepared file of an agent that believes in a detection model.

    Parameters
    ----------
    reader : PlumeReader
        The plume that the agent is in.
    fitted : PlumeReader or None
        The plume that its model is fitted to; None: the same.
    agent : str
        Label, for messages.
    settings : dict
        `sensor`, `detection` (resolved), `movie_part`, and `wind_toward_deg` of both plumes:
        {"lived": degrees, "fitted": degrees}.

    Returns
    -------
    dict of ndarray
        Numbers as arrays without dimensions, NaN where there is none (nothing fitted, nothing
        tested); maps as `fit_*` and `test_*`.

    Raises
    ------
    UserError
        If the model cannot be fitted.
    """
    where = f"agents.{agent}.detection"
    detection, source = settings["detection"], fitted or reader
    content: dict[str, Any] = {}
    if source.metadata["kind"] == "analytic":
        field = registry.get("field", source.metadata["field"])
        constants = field.Constants(**source.metadata["field_constants"])
        p = Parameters(*field.detection(constants))
        content |= _numbers(p, None)
    else:
        found, content = _fitted(reader, fitted, agent, settings)
        p = found.parameters
    b = believed(p, detection["misfit"], where)
    content |= {
        "detection_rate_hz_scale": b.scale_hz,
        "detection_length_mm": b.length_mm,
        "detection_drift_per_mm": b.drift_per_mm,
        "detection_radius_mm": b.radius_mm,
    }
    return {name: np.asarray(value, np.float64) for name, value in content.items()}


def _fitted(
    reader: PlumeReader, fitted: PlumeReader | None, agent: str, settings: dict[str, Any]
) -> tuple[Fit, dict[str, Any]]:
    """Fit to a movie, test where the agent lives."""
    where = f"agents.{agent}.detection"
    detection, source = settings["detection"], fitted or reader
    toward = {name: math.radians(deg) for name, deg in settings["wind_toward_deg"].items()}

    def measured(of: PlumeReader, frames: tuple[int, int]) -> tuple[HitMap, dict[str, Any]]:
        levels = sensor_levels(of, agent, settings)
        refractory, cell = detection["hit"]["refractory_s"], detection["cell_mm"]
        return (
            hit_map(of, settings["sensor"], levels, frames, refractory, cell, where),
            levels,
        )

    fit_frames = world.movie_window(source.n_frames, detection["fit"]["part"])
    hits, levels = measured(source, fit_frames)
    found = fit(hits, toward["fitted"], detection["radius_mm"], where, str(source.path))
    p = found.parameters
    content = _numbers(p, found) | {"fit_threshold": levels["threshold"]}
    content |= _described("fit", hits, p, toward["fitted"], goodness(hits, p, toward["fitted"]))
    content |= {"fit_first_frame": fit_frames[0], "fit_stop_frame": fit_frames[1]}

    test_frames: tuple[int, int] | None = None
    if reader.metadata["kind"] == "movie":
        lived = world.movie_window(reader.n_frames, settings["movie_part"])
        test_frames = lived if fitted else without(lived, fit_frames)
    if test_frames is not None:
        test, levels = measured(reader, test_frames)
        content |= {"test_threshold": levels["threshold"]}
        content |= _described("test", test, p, toward["lived"], goodness(test, p, toward["lived"]))
        content |= {"test_first_frame": test_frames[0], "test_stop_frame": test_frames[1]}
    return found, content


def _numbers(p: Parameters, found: Fit | None) -> dict[str, float]:
    """Parameters as fitted, before a control makes them wrong, and their standard errors."""
    nan = float("nan")
    return {
        "fit_scale_hz": p.scale_hz,
        "fit_length_mm": p.length_mm,
        "fit_drift_per_mm": p.drift_per_mm,
        "fit_scale_se_hz": found.scale_se_hz if found else nan,
        "fit_length_se_mm": found.length_se_mm if found else nan,
        "fit_drift_se_per_mm": found.drift_se_per_mm if found else nan,
        "fit_eternal": found.eternal if found else nan,
    }


def _described(
    name: str, hits: HitMap, p: Parameters, wind_toward_rad: float, g: Goodness
) -> dict[str, Any]:
    """A map, what the model makes of it, and how well that fits."""
    return {
        f"{name}_x_mm": hits.x_mm,
        f"{name}_y_mm": hits.y_mm,
        f"{name}_rate_hz": hits.rate_hz,
        f"{name}_model_hz": modelled_hz(hits, p, wind_toward_rad),
        f"{name}_hits": g.hits,
        f"{name}_seconds": hits.exposure_s.sum(),
        f"{name}_predicted": g.predicted,
        f"{name}_deviance_explained": g.deviance_explained,
        f"{name}_correlation": g.correlation,
    }
