"""Read a config file, check it, and fill in every default: one message for each kind of mistake."""

from __future__ import annotations

import os
import types
import typing
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from plumenav import registry
from plumenav.config.recordings import Recording
from plumenav.config.schema import Agent, Config
from plumenav.errors import UserError, nearest
from plumenav.recordings.synthesis._contract import resolve as resolve_synthesis


class _UniqueKeyLoader(yaml.SafeLoader):
    """Safe YAML that refuses a key given twice (the later one would win silently)."""


def _mapping(loader: _UniqueKeyLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    keys = [loader.construct_object(key) for key, _ in node.value]
    for i, key in enumerate(keys):
        if key in keys[:i]:
            raise yaml.constructor.ConstructorError(
                None, None, f"key {key!r} is given twice", node.value[i][0].start_mark
            )
    return yaml.SafeLoader.construct_mapping(loader, node, deep=True)


_UniqueKeyLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def read_yaml(path: Path) -> dict[str, Any]:
    """Parse a YAML file into plain data.

    Raises
    ------
    UserError
        If there is no such file, it is not YAML, or it is not a mapping.
    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_UniqueKeyLoader)
    except OSError as error:
        raise UserError(
            f"config file {path}", f"cannot be read ({error.strerror})", "a YAML file"
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise UserError(f"config file {path}{where}", f"not valid YAML: {problem}") from None
    if not isinstance(content, dict):
        raise UserError(f"config file {path}", "holds no keys", "a mapping, see config/README.md")
    return content


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    """Pydantic models inside a type annotation."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    found = []
    for part in typing.get_args(annotation):
        if not isinstance(part, types.NoneType):
            found += _models_in(part)
    return found


def _model_at(root: type[BaseModel], location: tuple[Any, ...]) -> type[BaseModel]:
    """Section that a validation error's location lies in."""
    current = root
    for part in location:
        field = current.model_fields.get(part) if isinstance(part, str) else None
        if field is None:
            continue  # a label of a mapping, or an index
        inner = _models_in(field.annotation)
        if inner:
            current = inner[0]
    return current


def explain(error: ValidationError, root: type[BaseModel], prefix: str = "") -> UserError:
    """Word the first problem that pydantic found as one message."""
    problem = error.errors()[0]
    location = [str(part) for part in problem["loc"] if part != "[key]"]
    where = prefix + ".".join(location)
    kind, found = problem["type"], problem.get("input")
    context = problem.get("ctx", {})
    if kind == "extra_forbidden":
        known = list(_model_at(root, tuple(problem["loc"][:-1])).model_fields)
        return UserError(where, "unknown key", ", ".join(known), nearest(location[-1], known))
    if kind == "missing":
        return UserError(where, "missing", "a value", "See config/README.md for its meaning.")
    shown = repr(found)
    if len(shown) > 80:
        shown = shown[:77] + "..."
    message = problem["msg"].removeprefix("Value error, ")
    if kind == "value_error":
        return UserError(where or "config", f"found {shown}", message)
    if kind == "literal_error" and isinstance(found, str):
        options = (
            str(context.get("expected", "")).replace("'", "").replace(" or ", ", ").split(", ")
        )
        return UserError(where, f"found {shown}", ", ".join(options), nearest(found, options))
    return UserError(where, f"found {shown}", message[0].lower() + message[1:])


def _checked(model: type[BaseModel], content: Any, prefix: str) -> dict[str, Any]:
    """Validate plain data with a pydantic model; return it with all defaults filled in."""
    try:
        return model.model_validate(content).model_dump(mode="json")
    except ValidationError as error:
        raise explain(error, model, prefix) from None


def _user_message(error: UserError, prefix: str) -> UserError:
    return UserError(f"{prefix}{error.where}", error.found, error.allowed, error.hint)


def resolve_agent(label: str, agent: Agent) -> dict[str, Any]:
    """An agent with its preset, parameters and sensor spelled out and checked."""
    where = f"agents.{label}."
    try:
        model = registry.get("model", agent.model)
    except UserError as error:
        raise UserError(
            f"{where}model", f"found {agent.model!r}", error.allowed, error.hint
        ) from None
    preset = agent.preset or next(iter(model.PRESETS))
    if preset not in model.PRESETS:
        raise UserError(
            f"{where}preset",
            f"found {preset!r}",
            ", ".join(model.PRESETS),
            nearest(preset, model.PRESETS),
        )
    parameters = _checked(
        model.Params, {**model.PRESETS[preset], **agent.parameters}, f"{where}parameters."
    )
    dumped = agent.sensor.model_dump(mode="json")
    if agent.model not in registry.names("reference"):
        raise UserError(
            f"{where}model",
            f"model {agent.model!r} has no independent reference, so nothing could be validated",
            ", ".join(registry.names("reference")),
            'Add a file of the same name with PLUGIN_KIND = "reference" under plugins.',
        )
    given = {
        key: dumped[key]
        for key in agent.sensor.model_fields_set
        if dumped[key] is not None or key == "dead_zone"
    }
    sensor = {**model.SENSOR, **given}
    sensor.setdefault("parameters", {})
    if "shape" in given and given["shape"] != model.SENSOR["shape"]:
        sensor["parameters"] = given.get("parameters", {})
    try:
        shape = registry.get("sensor", sensor["shape"])
    except UserError as error:
        raise UserError(
            f"{where}sensor.shape", f"found {sensor['shape']!r}", error.allowed, error.hint
        ) from None
    sensor["parameters"] = _checked(
        shape.Params, sensor["parameters"], f"{where}sensor.parameters."
    )
    return {
        "model": agent.model,
        "preset": preset,
        "parameters": parameters,
        "sensor": sensor,
        "control": agent.control,
    }


def resolve_recording(label: str, recording: Recording, folder: Path) -> dict[str, Any]:
    """A recording with its generator's parameters checked and its file found."""
    where = f"recordings.{label}."
    resolved = recording.model_dump(mode="json")
    if recording.synthetic:
        try:
            generator = registry.get("synthesis", recording.synthetic.generator)
        except UserError as error:
            raise UserError(
                f"{where}synthetic.generator",
                f"found {recording.synthetic.generator!r}",
                error.allowed,
                error.hint,
            ) from None
        try:
            parameters = resolve_synthesis(
                generator.Params, generator.PRESETS, recording.synthetic.parameters
            )
        except UserError as error:
            raise _user_message(error, where) from None
        resolved["synthetic"]["parameters"] = parameters.model_dump(mode="json")
    if recording.analytic:
        try:
            field = registry.get("field", recording.analytic.field)
        except UserError as error:
            raise UserError(
                f"{where}analytic.field",
                f"found {recording.analytic.field!r}",
                error.allowed,
                error.hint,
            ) from None
        known = field.Constants._fields
        for name in recording.analytic.parameters:
            if name not in known:
                raise UserError(
                    f"{where}analytic.parameters.{name}",
                    "unknown key",
                    ", ".join(known),
                    nearest(name, known),
                )
        resolved["analytic"]["parameters"] = field.Constants(
            **recording.analytic.parameters
        )._asdict()
    if recording.reader.name != "auto":
        try:
            registry.file_of("reader", recording.reader.name)
        except UserError as error:
            raise UserError(
                f"{where}reader.name",
                f"found {recording.reader.name!r}",
                f"auto, {error.allowed}",
                error.hint,
            ) from None
    if recording.path is not None:
        path = folder / Path(recording.path).expanduser()
        if not path.is_file():
            raise UserError(
                f"{where}path",
                f"there is no file {path}",
                "a file, absolute or relative to data_folder",
                "Set data_folder in the config, or the environment variable PLUMENAV_DATA.",
            )
        resolved["file"] = str(path)
    resolved["kind"] = recording.kind
    resolved["condition"] = recording.condition or label
    return resolved


def check_together(config: Config) -> None:
    """Checks that concern several sections at once."""
    simulation = config.simulation
    start, radius = simulation.start, simulation.success_radius_mm
    closest = min(abs(x) for x in start.x_mm) if start.x_mm[0] * start.x_mm[1] > 0 else 0.0
    sideways = min(abs(y) for y in start.y_mm) if start.y_mm[0] * start.y_mm[1] > 0 else 0.0
    if closest**2 + sideways**2 <= radius**2:
        raise UserError(
            "simulation.start",
            f"the region x_mm {list(start.x_mm)}, y_mm {list(start.y_mm)} reaches inside the "
            f"success radius of {radius:g} mm",
            "a region whose closest corner is farther from the source than the radius",
            "Move simulation.start or lower simulation.success_radius_mm.",
        )
    for label, recording in config.recordings.items():
        if recording.analytic:
            for axis in ("x_mm", "y_mm"):
                low, high = getattr(recording.analytic, axis)
                first, last = getattr(start, axis)
                if first < low or last > high:
                    raise UserError(
                        f"simulation.start.{axis}",
                        f"{[first, last]} is not inside the arena of recording {label!r}",
                        f"from {low:g} to {high:g} mm",
                    )
        for name, agent in config.agents.items():
            model = registry.get("model", agent.model)
            if model.NEEDS_WIND and recording.wind.speed_mm_s == 0:
                raise UserError(
                    f"recordings.{label}.wind.speed_mm_s",
                    f"found 0, but agent {name!r} ({agent.model}) needs wind",
                    "a speed above 0",
                )
            if agent.control == "blank_region" and recording.kind != "movie":
                raise UserError(
                    f"agents.{name}.control",
                    f"'blank_region' has no meaning in recording {label!r} ({recording.kind})",
                    "none, blind",
                )
    sample = config.validation.sample
    if sample > simulation.simulations:
        raise UserError(
            "validation.sample",
            f"found {sample}, but there are only {simulation.simulations} simulations",
            f"2 to {simulation.simulations}",
        )


def resolve(content: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Check a config and fill in every default.

    Parameters
    ----------
    content : dict
        The parsed file.
    folder : Path
        Folder that relative paths in it (data_folder, plugins) refer to.

    Returns
    -------
    dict
        Plain data; the only thing that the workflow works with.
    """
    try:
        config = Config.model_validate(content)
    except ValidationError as error:
        raise explain(error, Config) from None
    plugins = []
    for name in config.plugins:
        kind, stem = registry.register_file((folder / name).resolve())
        plugins.append({"file": str((folder / name).resolve()), "kind": kind, "name": stem})
    check_models(config)
    check_together(config)
    data = Path(os.environ.get("PLUMENAV_DATA") or folder / config.data_folder)
    resolved = config.model_dump(mode="json")
    resolved["plugins"] = plugins
    resolved["agents"] = {k: resolve_agent(k, v) for k, v in config.agents.items()}
    resolved["recordings"] = {
        k: resolve_recording(k, v, data) for k, v in config.recordings.items()
    }
    return resolved


def check_models(config: Config) -> None:
    """Refuse unknown models before anything else needs them."""
    for label, agent in config.agents.items():
        resolve_agent(label, agent)


def load(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read, check and resolve a config file (see :func:`resolve`)."""
    return resolve(read_yaml(Path(path)), Path(path).resolve().parent)
