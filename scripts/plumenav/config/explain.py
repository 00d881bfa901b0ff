"""What pydantic found wrong, as one message in the words of the config."""

from __future__ import annotations

import types
import typing
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from plumenav.errors import UserError, nearest


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    """Pydantic models inside a type annotation."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    found = []
    for part in typing.get_args(annotation):
        if not isinstance(part, types.NoneType):
            found += _models_in(part)
    return found


def _place(root: type[BaseModel], problem: ErrorDetails) -> tuple[tuple[str, ...], type[BaseModel]]:
    """Keys that lead to a problem, and the section that the last of them is in.

    Pydantic's location also names the member of a union that it tried, which no user wrote.
    """
    section, inner = root, root
    labelled = False
    keys: list[str] = []
    *_, last = problem["loc"] or ("",)
    for part in problem["loc"]:
        field = None if labelled else inner.model_fields.get(str(part))
        unknown = part is last and problem["type"] == "extra_forbidden"
        if part == "[key]" or not (field or labelled or unknown or isinstance(part, int)):
            continue
        keys.append(str(part))
        section, labelled = inner, False
        if field is not None:
            labelled = typing.get_origin(field.annotation) is dict
            inner = next(iter(_models_in(field.annotation)), inner)
    return tuple(keys), section


def _allowed(problem: ErrorDetails) -> str:
    """What would have been right, without the end of the sentence."""
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "literal_error":
        return ", ".join(_options(problem))
    if problem["type"] == "model_type":
        return "a section of keys"
    if problem["type"] == "value_error":
        return message
    if problem["type"] in ("tuple_type", "list_type"):
        return "a list"
    plain = message.removeprefix("Input should be ").partition(", unable to parse")[0]
    return plain[0].lower() + plain[1:]


def _options(problem: ErrorDetails) -> list[str]:
    expected = str(problem.get("ctx", {}).get("expected", ""))
    return expected.replace("'", "").replace(" or ", ", ").split(", ")


def explain(error: ValidationError, root: type[BaseModel], prefix: str = "") -> UserError:
    """Word the first problem that pydantic found as one message.

    Parameters
    ----------
    error : ValidationError
    root : type
        The model that was asked to validate.
    prefix : str
        Put before the keys, with its dot.
    """
    problems = [(*_place(root, problem), problem) for problem in error.errors()]
    keys = problems[0][0]
    # a section among several things that were allowed: what is wrong in it says more
    deeper = [p for p in problems if p[0][: len(keys)] == keys and len(p[0]) > len(keys)]
    chosen = (deeper or problems)[0]
    # a key that is missing may be there under a wrong name
    misspelt = [
        p for p in problems if p[2]["type"] == "extra_forbidden" and p[0][:-1] == chosen[0][:-1]
    ]
    if chosen[2]["type"] == "missing" and misspelt:
        chosen = misspelt[0]
    keys, section, problem = chosen
    where, kind = prefix + ".".join(keys), problem["type"]
    if kind == "extra_forbidden":
        known = list(section.model_fields)
        return UserError(where, "unknown key", ", ".join(known), nearest(keys[-1], known))
    if kind == "missing":
        return UserError(where, "missing", "a value", "See config/README.md for its meaning.")
    found = problem.get("input")
    shown = "nothing" if found is None else repr(found)
    if len(shown) > 80:
        shown = shown[:77] + "..."
    same = [p[2] for p in problems if p[0] == keys]
    allowed = "; or ".join(dict.fromkeys(_allowed(p) for p in same))
    hint = ""
    if kind == "literal_error" and isinstance(found, str):
        hint = nearest(found, _options(problem))
    if found is None:
        hint = "The key is there, and empty: give it a value."
    return UserError(where or "config", f"found {shown}", allowed, hint)


def checked(model: type[BaseModel], content: Any, prefix: str) -> dict[str, Any]:
    """Validate plain data with a pydantic model; return it with all defaults filled in."""
    try:
        return model.model_validate(content).model_dump(mode="json")
    except ValidationError as error:
        raise explain(error, model, prefix) from None
