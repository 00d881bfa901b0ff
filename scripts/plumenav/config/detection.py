"""Section `detection` of an agent: what a belief-based one knows of the plume, and from where."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from plumenav import registry
from plumenav.config.sections import Label, NotNegative, Positive, Section
from plumenav.errors import UserError, nearest

Part = Literal["whole", "first_half", "second_half"]


class DetectionFit(Section):
    """What the detection model is fitted to."""

    recording: Label | None = Field(
        None, description="recording whose hits are fitted; the one the agent is in if not given"
    )
    part: Part = Field("first_half", description="part of that recording")


class Hit(Section):
    """What counts as a hit: coming into odour, at the sensor's own threshold."""

    refractory_s: NotNegative | None = Field(
        None,
        description="shortest time between hits, s; that of the model (its parameter refractory_s)"
        " if not given",
    )


class Misfit(Section):
    """Controls: what the agent believes is not what was fitted, but wrong by a factor."""

    rate: Positive = Field(1.0, description="factor on the believed rate of hits")
    length: Positive = Field(
        1.0, description="factor on the believed lengths: the plume is that much larger all around"
    )


class Detection(Section):
    """Detection model of an agent that holds a belief (models infotaxis, ...)."""

    fit: DetectionFit = DetectionFit()
    cell_mm: Positive = Field(5.0, description="edge of the cells of the hit-rate map, mm")
    radius_mm: Positive | None = Field(
        None,
        description="radius of the searcher, mm: closer to the source the rate does not rise; half"
        " a cell if not given",
    )
    hit: Hit = Hit()
    overlap: Literal["refused", "allowed"] = Field(
        "refused",
        description="whether the agent may live in the frames that its model was fitted to",
    )
    misfit: Misfit = Misfit()


def resolve_detection(
    label: str, detection: Detection | None, believes: bool, parameters: dict[str, Any]
) -> dict[str, Any]:
    """The section of an agent, complete; nothing for a model that believes in nothing.

    Raises
    ------
    UserError
        If a model without a belief has the section.
    """
    if not believes:
        if detection is not None:
            raise UserError(
                f"agents.{label}.detection",
                "the model of this agent believes in no detection model",
                "the section only for belief-based models",
                "Remove the section.",
            )
        return {}
    section: dict[str, Any] = (detection or Detection()).model_dump(mode="json")
    if section["hit"]["refractory_s"] is None:
        section["hit"]["refractory_s"] = float(parameters.get("refractory_s", 0.0))
    if section["radius_mm"] is None:
        section["radius_mm"] = section["cell_mm"] / 2
    return {"detection": section}


def fitted_recording(recording: str, detection: dict[str, Any]) -> str:
    """Label of the recording that an agent's model is fitted to when it is in `recording`."""
    return str(detection["fit"]["recording"] or recording)


def overlapping(recording: str, detection: dict[str, Any], movie_part: str) -> bool:
    """Whether an agent lives in frames that its detection model is fitted to.

    Examples
    --------
    >>> fit = {"fit": {"recording": None, "part": "first_half"}}
    >>> overlapping("smooth", fit, "second_half"), overlapping("smooth", fit, "whole")
    (False, True)
    """
    part = detection["fit"]["part"]
    same = fitted_recording(recording, detection) == recording
    return same and (part == movie_part or "whole" in (part, movie_part))


def has_detections(entry: dict[str, Any]) -> bool:
    """Whether a recording is a field of detections, whose constants are known without a fit."""
    analytic = entry["analytic"]
    return bool(analytic) and hasattr(registry.get("field", analytic["field"]), "detection")


def check_detections(resolved: dict[str, Any]) -> None:
    """Check what agents believe against the recordings and the frames that they live in.

    Parameters
    ----------
    resolved : dict
        The resolved config.

    Raises
    ------
    UserError
        If a fitted recording does not exist or cannot be fitted to, if an agent would live in the
        frames that its model was fitted to, or would count hits where there are none to count.
    """
    recordings = resolved["recordings"]
    for label, agent in resolved["agents"].items():
        detection = agent.get("detection")
        for recording in recordings if detection else ():
            _check_count(label, agent["parameters"], recording, recordings[recording])
            where = f"agents.{label}.detection.fit.recording"
            fitted = fitted_recording(recording, detection)
            if fitted not in recordings:
                raise UserError(
                    where, f"found {fitted!r}", ", ".join(recordings), nearest(fitted, recordings)
                )
            entry = recordings[fitted]
            if has_detections(entry):
                continue
            if entry["kind"] != "movie":
                raise UserError(
                    where,
                    f"nothing can be fitted to {fitted!r} ({entry['kind']}): it has no whiffs in"
                    " space and time",
                    "a movie, or a field of detections",
                    f"Name a movie for agent {label!r}, or leave it out of this run.",
                )
            _check_overlap(label, recording, detection, resolved["simulation"]["movie_part"])


def _check_count(
    label: str, parameters: dict[str, Any], recording: str, entry: dict[str, Any]
) -> None:
    """Refuse to take concentrations for numbers of hits."""
    if parameters.get("count") == "hits" and not has_detections(entry):
        raise UserError(
            f"agents.{label}.parameters.count",
            f"found 'hits', but what is smelled in {recording!r} ({entry['kind']}) is a"
            " concentration, not a number of hits",
            "onsets, or a field of detections",
            "Write count: onsets, and hit_values: 2 where a preset says otherwise.",
        )


def _check_overlap(label: str, recording: str, detection: dict[str, Any], part: str) -> None:
    if detection["overlap"] == "allowed" or not overlapping(recording, detection, part):
        return
    fit = detection["fit"]["part"]
    other = {"first_half": "second_half", "second_half": "first_half"}.get(fit)
    use = f"simulation.movie_part: {other}" if other else "fit.part: first_half with the other half"
    raise UserError(
        f"agents.{label}.detection.fit.part",
        f"found {fit!r}, and simulation.movie_part is {part!r}: in {recording!r} the agent would"
        " live in frames that its knowledge was fitted to",
        "parts without common frames",
        f"Write {use}, or fit on another recording (detection.fit.recording), or write"
        " detection.overlap: allowed, which the report then says.",
    )
