"""The configuration documents itself: config/README.md and the JSON schema, made from the models.

The table of presets in docs/calibration.md is made here too.

Run `python -m plumenav.config.document` after changing a key; a test compares the files.
"""

from __future__ import annotations

import json
import types
import typing
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from plumenav import registry
from plumenav.config import presets
from plumenav.config.normalization import Normalization
from plumenav.config.schema import Config

INTRODUCTION = """\
# Configuration

A run is one YAML file; everything it writes goes to `results/<run>/`. Start from `config.yaml` (the
demonstration), or from `stromboli.yaml` (recordings of one's own). Unknown keys are errors, and a
mistake is answered with the nearest valid name. Units are in the names of the keys.

    make run CONFIG=config/mine.yaml CORES=4

This page is generated from `scripts/plumenav/config/`, the plug-ins' own parameters and the presets
(`python -m plumenav.config.document`).

## From a file to concentration

The frames of a recording pass these steps, in this order. Each one is a section of
`recordings.<label>.normalize`; a section that is left out changes nothing.

"""

AFTER_STEPS = """\

`blank` is no step: it says where and when the normalized plume shows clean air, in its own pixels.
"""

PRESETS = """\
## Presets

`preset: NAME` in a recording takes the settings of a published recording; keys of your own win
(sections are merged, lists and values replaced). What a preset does not know, it says, and if it is
scale, source or wind, the config must give it. A copy that disagrees with `expected` is told how.

    mine:
      preset: crimaldi_10cms_bounded
      path: 10302017_10cms_bounded_2.h5

"""


def _sections(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for part in typing.get_args(annotation) for found in _sections(part)]


def _kind(annotation: Any) -> str:
    """A type in a reader's words."""
    if annotation is type(None):
        return "none"
    if isinstance(annotation, type):
        if issubclass(annotation, BaseModel):
            return "section"
        return {"int": "integer", "float": "number", "str": "text", "bool": "true or false"}.get(
            annotation.__name__, annotation.__name__
        )
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return ", ".join(f"`{value}`" for value in arguments)
    if origin is typing.Annotated:
        return _kind(arguments[0])
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_kind(part) for part in arguments)
    if origin is tuple:
        inner = [part for part in arguments if part is not Ellipsis]
        return "list of " + " and ".join(dict.fromkeys(_kind(part) for part in inner))
    if origin is dict:
        return "mapping"
    return str(annotation)


def _limits(field: FieldInfo) -> str:
    words = {"gt": ">", "ge": ">=", "lt": "<", "le": "<=", "min_length": "at least"}
    found = []
    annotated = list(typing.get_args(field.annotation))
    for item in [*field.metadata, *annotated]:
        metadata = getattr(item, "metadata", [item])
        for one in metadata if isinstance(metadata, list) else [metadata]:
            found += [f"{sign} {getattr(one, n):g}" for n, sign in words.items() if hasattr(one, n)]
    return ", ".join(dict.fromkeys(found))


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if isinstance(field.default, BaseModel) or field.default is None or field.default == {}:
        return ""
    return f"`{json.dumps(field.default)}`"


def _rows(section: type[BaseModel], prefix: str, default: Any = None) -> list[str]:
    """Rows of a section's keys; `default`: the section as it is if it is not given."""
    rows = []
    for name, field in section.model_fields.items():
        key = f"{prefix}{name}"
        inner = _sections(field.annotation)
        labelled = typing.get_origin(field.annotation) is dict and inner
        if inner:
            # where one section serves many keys, each says what it is and has its own values
            special = isinstance(field.default, BaseModel) and field.description
            own = field.default if special else None
            kind, about = "", field.description if special else _first_line(inner[0])
            if not labelled and len(set(typing.get_args(field.annotation)) - {type(None)}) > 1:
                # a plain value, or a section that says more
                kind, about = (
                    f" {_kind(field.annotation)}",
                    f"{field.description}. {_first_line(inner[0])}",
                )
            rows.append(f"| **`{key}{'.<label>' if labelled else ''}`** |{kind} | | {about} |")
            rows += _rows(inner[0], f"{key}.<label>." if labelled else f"{key}.", own)
        else:
            kind = " ".join(filter(None, [_kind(field.annotation), _limits(field)]))
            shown = _default(field)
            if field.is_required() and default is not None:
                shown = f"`{json.dumps(getattr(default, name))}`"
            rows.append(f"| `{key}` | {kind} | {shown} | {field.description} |")
    return rows


def _parameters(kind: str, name: str) -> list[str]:
    module = registry.get(kind, name)
    lines = [f"### {kind} `{name}`", "", (module.__doc__ or "").strip().splitlines()[0], ""]
    if hasattr(module, "CITATION"):
        lines += [f"Source: {module.CITATION}", ""]
    if len(getattr(module, "PRESETS", {})) > 1:
        lines += ["Presets: " + ", ".join(f"`{preset}`" for preset in module.PRESETS), ""]
    if not module.Params.model_fields:
        return [*lines, "No parameters.", ""]
    lines += ["| parameter | unit | range | default | meaning |", "|---|---|---|---|---|"]
    for key, field in module.Params.model_fields.items():
        extra = field.json_schema_extra
        unit = extra.get("unit", "") if isinstance(extra, dict) else ""
        limits = _limits(field)
        if typing.get_origin(field.annotation) is typing.Literal:
            limits = _kind(field.annotation)
        lines.append(f"| `{key}` | {unit} | {limits} | {_default(field)} | {field.description} |")
    return [*lines, ""]


def _first_line(item: Any) -> str:
    return (item.__doc__ or "").strip().splitlines()[0]


def _steps() -> list[str]:
    """The steps of normalization in their order, numbered."""
    fields = {k: field for k, field in Normalization.model_fields.items() if k != "blank"}
    about = {key: _first_line(_sections(field.annotation)[0]) for key, field in fields.items()}
    # the turn has no section of its own: wind_toward, mirrored and mm_per_px decide it
    about["lens"] += " With it, the image is turned downwind and its pixels are made square."
    return [f"{i}. `{key}`: {text}" for i, (key, text) in enumerate(about.items(), 1)]


def _flat(settings: dict[str, Any], prefix: str = "") -> list[str]:
    """Nested settings as a list of keys and values."""
    found = []
    for key, value in settings.items():
        if isinstance(value, dict):
            found += _flat(value, f"{prefix}{key}.")
        else:
            found.append(f"`{prefix}{key}: {json.dumps(value)}`")
    return found


def _preset(name: str) -> list[str]:
    preset = presets.load_preset(name)
    lines = [f"### preset `{name}`", "", f"{preset.title}.", ""]
    lines += [f"* Source: {preset.citation}", f"* Licence: {preset.licence}"]
    lines += [f"* Where: {preset.where}", ""]
    if preset.recording:
        lines += ["Sets " + ", ".join(_flat(preset.recording)) + ".", ""]
    lines += ["Known:", "", *(f"* {fact.fact} ({fact.source})" for fact in preset.known), ""]
    lines += ["Not known:", "", *(f"* {key}: {text}" for key, text in preset.unknown.items()), ""]
    if preset.traps:
        lines += ["Traps:", "", *(f"* {trap}" for trap in preset.traps), ""]
    return lines


def preset_table() -> str:
    """Presets in a few words, and which keys of a config each one leaves to the user."""
    lines = ["| preset | what | the config must say | not known either |", "|---|---|---|---|"]
    for name in presets.names():
        preset = presets.load_preset(name)
        needed = [f"`{key}`" for key in presets.CALIBRATION if key in preset.unknown]
        others = [key for key in preset.unknown if key not in presets.CALIBRATION]
        words = ["`path`", *needed]
        lines.append(f"| `{name}` | {preset.title} | {', '.join(words)} | {'; '.join(others)} |")
    return "\n".join(lines) + "\n"


def with_presets(text: str) -> str:
    """A page with its table of presets made anew, between the two comments that mark it."""
    start, end = text.index("<!-- presets"), text.index("<!-- end of presets")
    head = text[: text.index("\n", start) + 1]
    return f"{head}\n{preset_table()}\n{text[end:]}"


def readme() -> str:
    """Text of config/README.md."""
    lines = [
        INTRODUCTION.rstrip("\n"),
        "",
        *_steps(),
        AFTER_STEPS,
        "## Keys",
        "",
        "| key | allowed | default | meaning |",
        "|---|---|---|---|",
    ]
    lines += _rows(Config, "")
    lines += ["", PRESETS.rstrip("\n"), ""]
    for name in presets.names():
        lines += _preset(name)
    lines += ["## Parameters of plug-ins", ""]
    for kind in ("model", "sensor", "start", "synthesis", "step"):
        for name in registry.names(kind):
            lines += _parameters(kind, name)
    return "\n".join(lines).rstrip() + "\n"


def schema() -> str:
    """Text of config/config.schema.json."""
    return json.dumps(Config.model_json_schema(), indent=1, sort_keys=True) + "\n"


def documents(folder: Path) -> dict[Path, str]:
    """The generated files and what they should hold."""
    page = folder.parent / "docs" / "calibration.md"
    return {
        folder / "README.md": readme(),
        folder / "config.schema.json": schema(),
        page: with_presets(page.read_text(encoding="utf-8")),
    }


if __name__ == "__main__":
    for path, text in documents(Path("config")).items():
        path.write_text(text, encoding="utf-8")
