"""How a recording's entry becomes complete: parameters checked, files found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from plumenav import registry
from plumenav.config.recording_files import companions_named, find, find_companions
from plumenav.config.recordings import Analytic, Recording, Synthetic
from plumenav.errors import UserError, nearest
from plumenav.normalization.extra._contract import checked
from plumenav.recordings.synthesis._contract import resolve as resolve_synthesis


def _generator_parameters(synthetic: Synthetic, where: str) -> dict[str, Any]:
    """Parameters of a generator, complete."""
    try:
        generator = registry.get("synthesis", synthetic.generator)
    except UserError as error:
        raise UserError(
            f"{where}.synthetic.generator",
            f"found {synthetic.generator!r}",
            error.allowed,
            error.hint,
        ) from None
    try:
        parameters = resolve_synthesis(generator.Params, generator.PRESETS, synthetic.parameters)
    except UserError as error:
        raise UserError(f"{where}.{error.where}", error.found, error.allowed, error.hint) from None
    complete: dict[str, Any] = parameters.model_dump(mode="json")
    return complete


def _field_constants(analytic: Analytic, where: str) -> dict[str, Any]:
    """Constants of a field, complete."""
    try:
        field = registry.get("field", analytic.field)
    except UserError as error:
        raise UserError(
            f"{where}.analytic.field", f"found {analytic.field!r}", error.allowed, error.hint
        ) from None
    known = field.Constants._fields
    for name in analytic.parameters:
        if name not in known:
            raise UserError(
                f"{where}.analytic.parameters.{name}",
                "unknown key",
                ", ".join(known),
                nearest(name, known),
            )
    constants = field.Constants(**analytic.parameters)
    problem = field.problem(constants) if hasattr(field, "problem") else None
    if problem:
        raise UserError(f"{where}.analytic.parameters", problem, (field.Constants.__doc__ or ""))
    complete: dict[str, Any] = constants._asdict()
    return complete


def _check_reader(name: str, where: str) -> None:
    try:
        registry.file_of("reader", name)
    except UserError as error:
        raise UserError(
            f"{where}.reader.name", f"found {name!r}", f"auto, {error.allowed}", error.hint
        ) from None


def resolve_recording(
    label: str, recording: Recording, data: Path, section: str = "recordings"
) -> dict[str, Any]:
    """A recording with its generator's parameters checked and its files found.

    Parameters
    ----------
    label : str
    recording : Recording
        Its section of the config, presets filled in.
    data : Path
        The data folder.
    section : str
        Of the config in which it stands, for messages.

    Returns
    -------
    dict
        The section as plain data, and: `kind`, `condition` (the label, if none is given), `file`
        (file or folder; only for recordings with a path), `parts` (files in the folder), and
        `companions` ({dotted key: file that it names}). Paths are absolute.
    """
    where = f"{section}.{label}"
    resolved = recording.model_dump(mode="json")
    resolved["kind"] = recording.kind
    resolved["condition"] = recording.condition or label
    if recording.synthetic:
        parameters = _generator_parameters(recording.synthetic, where)
        resolved["synthetic"]["parameters"] = parameters
    if recording.analytic:
        resolved["analytic"]["parameters"] = _field_constants(recording.analytic, where)
    for i, extra in enumerate(recording.normalize.extra):
        complete = checked(extra.step, extra.parameters, f"{where}.normalize.extra.{i}")
        resolved["normalize"]["extra"][i]["parameters"] = complete
    if recording.reader.name != "auto":
        _check_reader(recording.reader.name, where)
    resolved["parts"] = []
    folders = [data]
    if recording.path is not None:
        files = find(recording.path, data, f"{where}.path")
        resolved["file"] = str(files.file)
        resolved["parts"] = [str(part) for part in files.parts]
        own = [files.file, files.file.parent] if files.parts else [files.file.parent]
        folders = [*own, data]
    resolved["companions"] = find_companions(companions_named(recording), folders, where)
    return resolved
