"""Published recordings: what is known of each, what is not, and how it becomes settings.

One YAML file per recording in recordings/presets/; see :class:`Preset`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, model_validator

import plumenav.recordings
from plumenav.config.explain import explain
from plumenav.config.recordings import Recording
from plumenav.config.sections import Section
from plumenav.config.yaml_file import read_yaml
from plumenav.errors import UserError, nearest

FOLDER = Path(plumenav.recordings.__file__).parent / "presets"

# What turns pixels and frames into millimetres downwind of a source: with a preset, none of it is
# silently a default. Either the preset knows it, or the user says it.
CALIBRATION = ("mm_per_px", "source_px", "wind_toward", "wind")
# A file may say this one itself.
CALIBRATION_OR_FILE = (*CALIBRATION, "frame_rate_hz")
# Whose recording it is and where it lies is the user's to say.
USERS_OWN = ("path", "synthetic", "analytic", "signal", "preset", "condition", "nominal")
PLACEHOLDER = {"path": "x", "mm_per_px": 1.0, "source_px": {"row": 0.0, "column": 0.0}}


class Fact(Section):
    """Something that is known, and from where."""

    fact: str = Field(min_length=1, description="what is known")
    source: str = Field(min_length=1, description="who says so")


class Preset(Section):
    """A published recording."""

    title: str = Field(min_length=1, description="what it shows, in a few words")
    citation: str = Field(min_length=1, description="publication of the recording")
    licence: str = Field(min_length=1, description="terms of use, as far as known")
    where: str = Field(min_length=1, description="where to get it")
    recording: dict[str, Any] = Field(description="settings of a recording, as in a config")
    known: tuple[Fact, ...] = Field(min_length=1, description="facts, each with its source")
    unknown: dict[str, str] = Field(
        min_length=1, description="what is not known: a key of a recording, or a topic"
    )
    traps: tuple[str, ...] = Field((), description="what circulating copies or descriptions do")

    @model_validator(mode="after")
    def _settings_are_a_recordings(self) -> Preset:
        own = sorted(set(self.recording) & set(USERS_OWN))
        if own:
            raise ValueError(f"recording: {', '.join(own)} is not for a preset to say")
        try:
            Recording.model_validate({**PLACEHOLDER, **self.recording})
        except ValidationError as error:
            raise ValueError(str(explain(error, Recording, "recording."))) from None
        for key in CALIBRATION_OR_FILE:
            if (key in self.recording) == (key in self.unknown):
                raise ValueError(f"{key} belongs either in recording or in unknown")
        return self


def names() -> list[str]:
    """Names of all presets, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def load_preset(name: str, where: str = "preset") -> Preset:
    """One preset by its name.

    Parameters
    ----------
    name : str
    where : str
        Config key that names it, for messages.

    Raises
    ------
    UserError
        If there is no such preset; names the nearest one.
    """
    if name not in names():
        hint = nearest(name, names()) or "They are described in config/README.md."
        raise UserError(where, f"found {name!r}", ", ".join(names()), hint)
    path = FOLDER / f"{name}.yaml"
    try:
        return Preset.model_validate(read_yaml(path, "preset"))
    except ValidationError as error:
        raise explain(error, Preset, f"preset {path}: ") from None


def merge(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Nested settings with some replaced: mappings are merged, everything else is replaced.

    Examples
    --------
    >>> merge({"a": {"b": 1, "c": [1, 2]}}, {"a": {"c": [3]}})
    {'a': {'b': 1, 'c': [3]}}
    """
    merged = dict(base)
    for key, value in own.items():
        if isinstance(value, Mapping) and isinstance(merged.get(key), Mapping):
            merged[key] = merge(merged[key], value)
        else:
            merged[key] = value
    return merged


def with_preset(label: str, entry: Any) -> Any:
    """A recording's entry of a config with its preset's settings filled in; its own keys win.

    Parameters
    ----------
    label : str
    entry : object
        As parsed. What is not a mapping, or names no preset, is returned as it is.

    Raises
    ------
    UserError
        If there is no such preset, or something is missing that the preset does not know either.
    """
    name = entry.get("preset") if isinstance(entry, dict) else None
    if not isinstance(name, str):
        return entry
    where = f"recordings.{label}"
    preset = load_preset(name, f"{where}.preset")
    for kind in ("analytic", "signal"):
        if entry.get(kind) is not None:
            raise UserError(
                f"{where}.preset", f"found {name!r}, beside {kind}", "with path or synthetic only"
            )
    merged = merge(preset.recording, entry)
    reader = entry.get("reader")
    if isinstance(reader, dict) and {"time_file", "time_dataset"} & set(reader):
        # true time stamps win over a published rate
        merged["frame_rate_hz"] = entry.get("frame_rate_hz")
    missing = [key for key in CALIBRATION if merged.get(key) is None]
    if missing:
        unknown = preset.unknown.get(missing[0])
        raise UserError(
            f"{where}.{missing[0]}",
            f"missing, and preset {name!r} does not know it: {unknown}"
            if unknown
            else f"found nothing, where preset {name!r} has {preset.recording[missing[0]]}",
            "a value of your own, measured or looked up",
            f"Also missing: {', '.join(missing[1:])}." if missing[1:] else "",
        )
    return merged
