"""Models that are made of others: which ones, and the module that runs them.

Everything that depends on a model and not only on its name asks here: an ordinary model is its own
module, a composed one (PARTS in models/_contract.py) is another module for every choice of parts.
"""

from __future__ import annotations

import linecache
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from plumenav import registry
from plumenav.models._contract import declared

GENERATED = re.compile(r"^# \[generated\]$.*^# \[/generated\]$", re.MULTILINE | re.DOTALL)


def parts(name: str, parameters: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the models that a model is made of; none for most.

    Parameters
    ----------
    name : str
    parameters : mapping
        Its resolved parameters.
    """
    return tuple(parameters[key]["model"] for key in declared(registry.get("model", name), "PARTS"))


def composed(name: str, *names: str) -> ModuleType:
    """The module of a model, made of these parts (see :func:`parts`)."""
    model = registry.get("model", name)
    made: ModuleType = model.compose(*names) if names else model
    return made


def bound(name: str, parameters: Mapping[str, Any]) -> ModuleType:
    """The module that runs a model with these resolved parameters."""
    return composed(name, *parts(name, parameters))


def float_parameters(name: str, parameters: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """Paths to all numbers (of type float) among the parameters of a model and its parts."""
    model = registry.get("model", name)
    for key, field in model.Params.model_fields.items():
        if field.annotation is float:
            yield (key,)
    for key in declared(model, "PARTS"):
        part = parameters[key]
        for path in float_parameters(part["model"], part["parameters"]):
            yield (key, "parameters", *path)


def scaled(parameters: Mapping[str, Any], path: tuple[str, ...], factor: float) -> dict[str, Any]:
    """A copy of (nested) parameters in which the number at a path is multiplied."""
    key, *rest = path
    value = parameters[key]
    return {**parameters, key: scaled(value, tuple(rest), factor) if rest else factor * value}


def rewritten(
    file: Path,
    module_name: str,
    chosen: Mapping[str, str],
    generate: Callable[..., list[str]],
) -> ModuleType:
    """Make a module from a composed model's file, in which the parts are other models.

    The file is real code for some models, and the template of all others: its imports marked
    ``# [part]`` and what is marked ``[generated]`` are replaced.

    Parameters
    ----------
    file : Path
        Source of the composed model.
    module_name : str
        Import name of the new module; made only once.
    chosen : mapping
        {mark of an import: name of the model}.
    generate : callable
        (modules of the chosen models, in their order) -> lines for the generated part.
    """
    if module_name in sys.modules:
        return sys.modules[module_name]
    text = file.read_text(encoding="utf-8")
    for mark, name in chosen.items():
        line = f'from plumenav import registry\n{mark} = registry.get("model", {name!r})'
        text, n = re.subn(rf"^from .* # \[{mark}\]$", line, text, flags=re.MULTILINE)
        if n != 1:
            raise RuntimeError(f"{file} lost its mark [{mark}]")
    lines = generate(*(registry.get("model", name) for name in chosen.values()))
    text, n = GENERATED.subn(lambda _: "\n".join(lines), text)
    if n != 1:
        raise RuntimeError(f"{file} lost its mark [generated]")
    module = ModuleType(module_name)
    module.__file__ = f"<{file.name}: {', '.join(chosen.values())}>"
    # tracebacks and the compiler's messages show the lines as they run
    linecache.cache[module.__file__] = (len(text), None, text.splitlines(True), module.__file__)
    sys.modules[module_name] = module  # types of compiled code on disk are found by this name
    try:
        exec(compile(text, module.__file__, "exec"), module.__dict__)
    except BaseException:
        del sys.modules[module_name]
        raise
    return module
