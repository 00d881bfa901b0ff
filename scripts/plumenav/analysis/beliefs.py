"""What agents know that an animal does not, and the fits that belief-based agents rest on."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from plumenav.batch.prepare import read_prepared
from plumenav.config.detection import fitted_recording, has_detections, overlapping
from plumenav.models._binding import bound
from plumenav.models._contract import declared

# numbers of a prepared file that are reported as they are; NaN becomes null
REPORTED = (
    "detection_rate_hz_scale",
    "detection_length_mm",
    "detection_drift_per_mm",
    "detection_radius_mm",
    "fit_scale_hz",
    "fit_length_mm",
    "fit_drift_per_mm",
    "fit_scale_se_hz",
    "fit_length_se_mm",
    "fit_drift_se_per_mm",
    "fit_threshold",
    "test_threshold",
)
COMPARED = ("hits", "seconds", "predicted", "deviance_explained", "correlation")


def privileged(config: dict[str, Any]) -> dict[str, str]:
    """Agents that know what an animal does not, and what that is.

    Parameters
    ----------
    config : dict
        Resolved config.
    """
    known = {
        label: str(declared(bound(agent["model"], agent["parameters"]), "PRIVILEGED"))
        for label, agent in config["agents"].items()
    }
    return {label: text for label, text in known.items() if text}


def believers(config: dict[str, Any]) -> list[str]:
    """Labels of the agents that believe in a detection model."""
    return [label for label, agent in config["agents"].items() if agent.get("detection")]


def prepared_path(root: Path, recording: str, agent: str) -> Path:
    """File of what an agent knows before it starts."""
    return root / "prepared" / recording / f"{agent}.npz"


def arrays_of(root: Path, recording: str, agent: str) -> dict[str, np.ndarray]:
    """Arrays of a prepared file; none if there is no file."""
    path = prepared_path(root, recording, agent)
    return read_prepared(str(path)).arrays if path.is_file() else {}


def belief(
    config: dict[str, Any], recording: str, agent: str, arrays: dict[str, np.ndarray]
) -> dict[str, Any]:
    """What an agent believes in a recording, and on what ground.

    Returns
    -------
    dict
        The numbers of REPORTED; `fit` and `test`: COMPARED of the map where the model was fitted,
        and where the agent lives (null if nothing was fitted or tested); `fitted_to`, `part`,
        `movie_part`, `overlap`, `misfit`, `cell_mm`, `refractory_s`, `eternal`.
    """
    detection = config["agents"][agent]["detection"]
    fitted = fitted_recording(recording, detection)
    known = has_detections(config["recordings"][fitted])
    movie_part = config["simulation"]["movie_part"]
    content: dict[str, Any] = {name: number_in(arrays, name) for name in REPORTED}
    for part in ("fit", "test"):
        content[part] = (
            {name: number_in(arrays, f"{part}_{name}") for name in COMPARED}
            if f"{part}_hits" in arrays
            else None
        )
    return content | {
        "fitted_to": fitted,
        "part": None if known else detection["fit"]["part"],
        "movie_part": movie_part,
        "overlap": not known and overlapping(recording, detection, movie_part),
        "misfit": detection["misfit"],
        "cell_mm": None if known else detection["cell_mm"],
        "refractory_s": detection["hit"]["refractory_s"],
        "eternal": not known and bool(arrays["fit_eternal"]),
    }


def number_in(arrays: dict[str, np.ndarray], name: str) -> float | None:
    """A number of a prepared file; None if it is not there or NaN."""
    value = float(arrays.get(name, np.asarray(np.nan)))
    return value if math.isfinite(value) else None


def beliefs(root: Path, config: dict[str, Any]) -> dict[str, dict[str, dict[str, Any]]]:
    """All beliefs of a run, by agent and recording."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for agent in believers(config):
        for recording in config["recordings"]:
            arrays = arrays_of(root, recording, agent)
            if arrays:
                found.setdefault(agent, {})[recording] = belief(config, recording, agent, arrays)
    return found
