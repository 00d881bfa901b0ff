"""numbers.json: the machine-readable result of a run, read by the report and by nothing but it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from plumenav.analysis.beliefs import beliefs, privileged
from plumenav.analysis.contracts import AGAINST_NULL, SUMMARY
from plumenav.batch.prepare import read_warnings
from plumenav.errors import UserError
from plumenav.performance.targets import cost_targets
from plumenav.report import provenance as origin
from plumenav.report import targets as requirements
from plumenav.report.performance import review_of
from plumenav.tables import Schema, read_json, read_table, write_json, write_text

# of performance/summary.json, in numbers.json
PERFORMANCE_KEYS = (
    "wall_s",
    "cpu_s",
    "cores",
    "completed",
    "seconds_per_simulation",
    "core_seconds_per_simulation",
    "simulations_per_hour",
    "projected_hours_for_4000",
    "peak_rss_mb",
    "largest_job_mb",
    "memory_mb",
    "floor_s",
    "wall_over_floor",
    "within_budget",
    "budget",
    "rules",
    "exceeded",
)
# of performance/review.json
REVIEW_KEYS = (
    "goals",
    "projection",
    "utilization",
    "phases",
    "caches",
    "memory_events",
    "regressions",
    "recommendations",
)
AGENT_KEYS = ("min_r", "n", "max_abs_error_mm", "p_value", "original_code", "passed")


def needed(root: Path, name: str, rule: str) -> Path:
    """A file of the run that must be there.

    Raises
    ------
    UserError
        Saying which rule writes it.
    """
    path = root / name
    if not path.is_file():
        hint = f"Run `snakemake {rule}`."
        raise UserError(str(path), "no such file", f"the output of {rule}", hint)
    return path


def statistics_rows(root: Path, schema: Schema) -> list[dict[str, Any]]:
    """Rows of a table of statistics/ as dictionaries."""
    path = needed(root, f"statistics/{schema.name}.parquet", "analyze")
    rows: list[dict[str, Any]] = read_table(path, schema).to_pylist()
    return rows


def agents_section(
    root: Path, summary: Sequence[dict[str, Any]], against_null: Sequence[dict[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Results by agent and recording: the columns of the summary, and the paired comparison.

    `null` is None for the null agent itself and in runs without one; `warnings` are what was found
    doubtful when the agent was prepared for the recording.
    """
    paired = {
        (row["agent"], row["recording"]): {
            key: row[key] for key in ("null_agent", "pairs", "difference", "p_value")
        }
        for row in against_null
    }
    result: dict[str, dict[str, Any]] = {}
    for row in summary:
        content = {k: v for k, v in row.items() if k not in ("agent", "recording")}
        content["null"] = paired.get((row["agent"], row["recording"]))
        prepared = needed(root, f"prepared/{row['recording']}/{row['agent']}.npz", "simulate")
        content["warnings"] = read_warnings(prepared)
        result.setdefault(row["agent"], {})[row["recording"]] = content
    return result


def validation_section(verdict: dict[str, Any]) -> dict[str, Any]:
    """The `validation` part: only numbers and truth values, never null but `original_code`."""
    section = {
        "agents": {
            label: {key: agent[key] for key in AGENT_KEYS}
            for label, agent in verdict["agents"].items()
        },
        **{k: verdict[k] for k in ("min_correlation", "reproducibility_icc", "bitwise_identical")},
        "passed": bool(verdict["passed"]),
        "not_validated": verdict.get("not_validated", []),
        "missed": verdict["missed"],
    }
    _no_nulls(section, "validation", allowed=("original_code",))
    return section


def _no_nulls(content: Any, where: str, allowed: tuple[str, ...]) -> None:
    """Refuse a null: a finished run has measured everything."""
    if content is None:
        raise UserError(where, "null", "a number or a truth value", "Run `snakemake validate`.")
    if isinstance(content, dict):
        for key, value in content.items():
            if key not in allowed:
                _no_nulls(value, f"{where}.{key}", allowed)


def recordings_section(root: Path, config: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What was run in: calibration, whether it is nominal, quality, hash of the recording.

    `status` is that of the worst of `checks`; `measured` holds what was measured in the movie,
    `quality` what normalization found.
    """
    result = {}
    for label, settings in config["recordings"].items():
        plume = needed(root, f"plumes/{label}.parquet", "normalize")
        quality_path = root / "plumes" / f"{label}.quality.json"
        quality = read_json(quality_path) if quality_path.is_file() else {}
        assessed = read_json(needed(root, f"quality/{label}.json", "quality"))
        measured = assessed.get("measures", {})
        result[label] = {
            "nominal": settings["nominal"],
            "condition": settings["condition"] or label,
            "wind": settings["wind"],
            **origin.plume_facts(plume),
            "status": assessed["status"],
            "says": assessed["says"],
            "wind_mm_s": measured.get("wind_mm_s"),
            "wind_deg": measured.get("wind_deg"),
            "measured": measured,
            "checks": assessed["checks"],
            "quality": quality,
        }
    return result


def simulations_section(
    config: dict[str, Any], summary: Sequence[dict[str, Any]]
) -> dict[str, int]:
    """How many simulations were asked for, ran through, failed; and how many are missing."""
    groups = len(config["recordings"]) * len(config["agents"])
    requested = config["simulation"]["simulations"] * groups
    completed = sum(row["completed"] for row in summary)
    failed = sum(row["failed"] for row in summary)
    return {
        "requested": requested,
        "completed": completed,
        "failed": failed,
        "missing": requested - completed - failed,
    }


def build_numbers(
    root: Path,
    config: dict[str, Any],
    source: Path,
    *,
    published: Sequence[dict[str, Any]] = (),
    not_computed: Sequence[dict[str, Any]] = (),
    trajectories_sha256: dict[str, Any] | str | None = None,
) -> dict[str, Any]:
    """Everything that a run found, in one dictionary.

    Parameters
    ----------
    root : Path
        results/<run>, after analyze, validate and performance.
    config : dict
        Resolved config.
    source : Path
        The checkout of the workflow, for its commit.
    published : sequence of dict
        {name, source, published, ours, tolerance, n, passed, ...} of published numbers.
    not_computed : sequence of dict
        {name, source, published, why, ...} of those that nothing computes.
    trajectories_sha256 : str or dict, optional
        Hashes of the merged trajectories.

    Returns
    -------
    dict
        JSON-able; the keys of the documented contract.

    Raises
    ------
    UserError
        If a stage has not written its part.
    """
    summary = statistics_rows(root, SUMMARY)
    verdict = read_json(needed(root, "validation/verdict.json", "validate"))
    cost = read_json(needed(root, "performance/summary.json", "performance"))
    simulations = simulations_section(config, summary)
    validation = validation_section(verdict)
    performance = {key: cost[key] for key in PERFORMANCE_KEYS}
    performance |= {k: v for k, v in review_of(root).items() if k in REVIEW_KEYS}
    for i, entry in enumerate(published):
        _no_nulls(entry, f"published[{i}]", allowed=())
    recordings = recordings_section(root, config)
    targets = [
        *cost_targets(performance),
        *requirements.validation_targets(validation, verdict, config["validation"]),
        requirements.failure_target(simulations),
        *requirements.quality_targets(recordings, config["quality"]["gate"]),
        *requirements.published_targets(list(published)),
    ]
    origins = origin.provenance(source)
    numbers = {
        "run": config["run"],
        "config_sha256": origin.config_sha256(config),
        "git_commit": origins["git_commit"],
        "versions": origins["versions"],
        "platform": {k: origins[k] for k in ("instruction_set", "system")},
        "simulations": simulations,
        "recordings": recordings,
        "agents": agents_section(root, summary, statistics_rows(root, AGAINST_NULL)),
        "privileged": privileged(config),
        "beliefs": beliefs(root, config),
        "validation": validation,
        "published": list(published),
        "published_not_computed": list(not_computed),
        "performance": performance,
        "targets": targets,
        "passed": all(entry["passed"] for entry in targets) and validation["passed"],
    }
    if trajectories_sha256 is not None:
        numbers["trajectories_sha256"] = trajectories_sha256
    return numbers


def without_costs(numbers: dict[str, Any]) -> dict[str, Any]:
    """The part of numbers.json that must be the same from run to run: all but what timing decides.

    Left out are `performance`, the targets on time and memory, and `passed`, which includes them.
    """
    costs = {entry["name"] for entry in cost_targets(numbers["performance"])}
    stable = {k: v for k, v in numbers.items() if k not in ("performance", "targets", "passed")}
    stable["targets"] = [entry for entry in numbers["targets"] if entry["name"] not in costs]
    return stable


def write_config(root: Path, config: dict[str, Any]) -> Path:
    """Write config.yaml: the resolved config, in its own order."""
    path = root / "config.yaml"
    write_text(path, yaml.safe_dump(config, sort_keys=False, allow_unicode=True, width=100))
    return path


def write_numbers(root: Path, numbers: dict[str, Any]) -> Path:
    """Write numbers.json."""
    path = root / "numbers.json"
    write_json(path, numbers)
    return path
