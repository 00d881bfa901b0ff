"""The published numbers of targets.yaml, which of them a run's models concern, and the judgement.

Entries are written in groups: what a group says holds for each of its targets that does not say
otherwise. Two columns are never mixed: `authors` (data or code of the authors) and `equations`
(theory, or a value that follows from the published equations).
"""

from __future__ import annotations

import importlib
import math
import tempfile
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import yaml
from pydantic import BaseModel, ConfigDict, model_validator

from plumenav import registry
from plumenav.analysis.published._contract import Measurement

FILE = Path(__file__).with_name("targets.yaml")
Row = dict[str, Any]


class Target(BaseModel):
    """One published number.

    Attributes
    ----------
    name : str
        What it is, in words.
    model, preset : str
        With which it is computed; the model's first preset unless said.
    source : str
        Paper or repository.
    tag : {"code", "ran", "page", "theory"}
        Read in the source code, measured by running it, read on a page, or derived.
    column : {"authors", "equations"}
    published : float or None
    than : str or None
        Where a publication only ranks: the key whose value of ours is the bound of this one.
    standard_error, n : float, int or None
        Of the published value, where given.
    kind : str
        "absolute": differs by at most `tolerance`; "standard_errors": by at most `tolerance`
        standard errors of the difference, plus `rounding`; "exact"; "at_least" and "at_most".
    rounding : float
        Half a unit of the last published digit.
    how : str
        How ours is computed.
    measured_by : str or None
        File of this folder that measures it.
    not_computed : str or None
        Or why nothing does.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    model: str
    preset: str | None = None
    source: str
    tag: Literal["code", "ran", "page", "theory"]
    column: Literal["authors", "equations"]
    published: float | None = None
    than: str | None = None
    standard_error: float | None = None
    n: int | None = None
    kind: Literal["absolute", "standard_errors", "exact", "at_least", "at_most"]
    tolerance: float = 0.0
    rounding: float = 0.0
    how: str
    measured_by: str | None = None
    not_computed: str | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Target:
        if (self.measured_by is None) == (self.not_computed is None):
            raise ValueError("either measured_by or not_computed")
        if (self.published is None) == (self.than is None):
            raise ValueError("either published or than")
        if self.than and self.kind not in ("at_least", "at_most"):
            raise ValueError("a ranking is an inequality")
        if self.column == "authors" and self.tag not in ("ran", "code", "page"):
            raise ValueError("theory is not data of the authors")
        if (self.tolerance > 0) != (self.kind in ("absolute", "standard_errors")):
            raise ValueError(f"tolerance {self.tolerance} of kind {self.kind}")
        return self


class Judgement(NamedTuple):
    """Whether a number is met, and by which rule.

    Attributes
    ----------
    allowed : float
        Largest difference that is allowed (0 for exact values and inequalities).
    rule : str
        The same in words.
    passed : bool
    """

    allowed: float
    rule: str
    passed: bool


LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def load_targets() -> Mapping[str, Target]:
    """All entries of targets.yaml, by key.

    Raises
    ------
    ValueError
        If a key occurs twice, or an entry is not complete.
    """
    found: dict[str, Target] = {}
    # the parser in C: every call of Snakemake reads this
    for group in yaml.load(FILE.read_text(encoding="utf-8"), LOADER):
        shared = {name: value for name, value in group.items() if name != "targets"}
        for key, own in group["targets"].items():
            if key in found:
                raise ValueError(f"{FILE.name}: {key} occurs twice")
            # a reason not to compute takes the place of the group's file, and the other way round
            said = {**shared, **own}
            if "not_computed" in own:
                said.pop("measured_by", None)
            found[key] = Target(**said)
    return found


def concerning(models: Collection[str]) -> dict[str, Target]:
    """The entries of some models, by key."""
    return {key: target for key, target in load_targets().items() if target.model in models}


def families(models: Collection[str]) -> list[str]:
    """Files of this folder that measure something of these models, sorted."""
    measured = {target.measured_by for target in concerning(models).values()}
    return sorted(name for name in measured if name is not None)


def needed(family: str, models: Collection[str]) -> dict[str, Target]:
    """What a file of this folder must measure for some models, by key.

    These are the models' own entries, and those of other models that they are ranked against.
    """
    own = {key: t for key, t in concerning(models).items() if t.measured_by == family}
    bounds = {t.than: load_targets()[t.than] for t in own.values() if t.than}
    return {**own, **bounds}


def models_of(family: str, models: Collection[str]) -> list[str]:
    """Models that a file of this folder runs for some models of a run, sorted."""
    return sorted({target.model for target in needed(family, models).values()})


def standard_error_of_difference(target: Target, measured: Measurement) -> float:
    """Standard error of ours minus the published value.

    A published estimate of n without a standard error has that of ours, scaled to n.
    """
    ours = measured.standard_error or 0.0
    published = target.standard_error
    if published is None:
        published = ours * math.sqrt(measured.n / target.n) if target.n else 0.0
    return math.hypot(ours, published)


def judge(target: Target, measured: Measurement) -> Judgement:
    """Whether our value meets a published one."""
    ours, published = measured.ours, target.published
    assert published is not None
    if target.kind in ("at_least", "at_most"):
        sign = 1.0 if target.kind == "at_least" else -1.0
        words = target.kind.replace("_", " ")
        return Judgement(0.0, words, bool(sign * (ours - published) >= 0.0))
    allowed, rule = target.tolerance, "absolute"
    if target.kind == "exact":
        rule = "exact"
    if target.kind == "standard_errors":
        error = standard_error_of_difference(target, measured)
        allowed = target.tolerance * error + target.rounding
        rule = f"{target.tolerance:g} standard errors of the difference"
        if target.rounding:
            rule += f" and rounding ({target.rounding:g})"
    return Judgement(allowed, rule, bool(abs(ours - published) <= allowed))


def measure(family: str, models: Collection[str]) -> list[Measurement]:
    """What a file of this folder measures of some models."""
    module = importlib.import_module(f"{__package__}.{family}")
    with tempfile.TemporaryDirectory() as folder:
        found: list[Measurement] = module.measurements(Path(folder), models_of(family, models))
    wanted = needed(family, models)
    return [one for one in found if one.key in wanted or one.key not in load_targets()]


def compared(family: str, models: Collection[str], measured: Iterable[Measurement]) -> list[Row]:
    """Published and our values of some models, by a file of this folder.

    Returns
    -------
    list of dict
        {key, name, model, preset, column, tag, source, how, published, ours, tolerance, rule, n,
        passed}, in the order of targets.yaml.

    Raises
    ------
    ValueError
        If something was measured that has no entry, or has an entry and was not measured.
    """
    values = {one.key: one for one in measured}
    unmatched = needed(family, models).keys() ^ values.keys()
    if unmatched:
        raise ValueError(f"{family}: {sorted(unmatched)} measured or listed")
    rows = []
    for key, target in needed(family, models).items():
        if target.model not in models:
            continue
        if target.than:
            target = target.model_copy(update={"published": values[target.than].ours})
        judgement = judge(target, values[key])
        preset = target.preset or next(iter(registry.get("model", target.model).PRESETS))
        rows.append(
            {
                "key": key,
                **{"name": target.name, "model": target.model, "preset": preset},
                **{"column": target.column, "tag": target.tag, "source": target.source},
                **{"how": target.how, "published": target.published, "ours": values[key].ours},
                **{"tolerance": judgement.allowed, "rule": judgement.rule},
                **{"n": values[key].n, "passed": judgement.passed},
            }
        )
    return rows


def not_computed(models: Collection[str]) -> list[Row]:
    """Published numbers of some models that nothing computes: {key, name, model, source, why}."""
    return [
        {
            "key": key,
            **{"name": target.name, "model": target.model, "source": target.source},
            **{"published": target.published, "why": target.not_computed},
        }
        for key, target in concerning(models).items()
        if target.not_computed
    ]


def experiment_of_authors(agent: Mapping[str, Any], dt_s: str | float) -> list[str]:
    """Presets whose parameters an agent has, at the published step and with its senses intact.

    Numbers of the authors say something of such an agent only.
    """
    model = registry.get("model", agent["model"])
    if agent["control"] != "none" or dt_s not in ("publication", model.PUBLICATION_DT_S):
        return []
    return [
        name
        for name, values in model.PRESETS.items()
        if model.Params(**values).model_dump(mode="json") == agent["parameters"]
    ]


def original_code(
    rows: Iterable[Row], agents: Mapping[str, Mapping[str, Any]], dt_s: str | float
) -> dict[str, Row]:
    """Agreement of a run's agents with data or code of the authors.

    Parameters
    ----------
    rows : iterable of dict
        From :func:`compared`.
    agents : mapping
        The resolved config's section.
    dt_s : str or float
        The config's time step.

    Returns
    -------
    dict
        {agent: {source, n, passed}}; agents without such numbers are left out.
    """
    rows = [row for row in rows if row["column"] == "authors"]
    found = {}
    for label, agent in agents.items():
        presets = experiment_of_authors(agent, dt_s)
        own = [row for row in rows if row["model"] == agent["model"] and row["preset"] in presets]
        if own:
            found[label] = {
                "source": "; ".join(sorted({row["source"] for row in own})),
                "n": len(own),
                "passed": all(row["passed"] for row in own),
            }
    return found
