"""Run a reference over a sample of the plan."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np
import pyarrow as pa

from plumenav.references._plume import FramesOfFile, Plume, opened_plume
from plumenav.tables import REFERENCE, PlumeReader
from plumenav.tables.together import Seat, look_together

Simulate = Callable[[Mapping[str, Any], Mapping[str, Any], Plume], dict[str, Any]]

STEPS_AT_ONCE = 400_000  # of agents that look at the plume together: some 200 MB of numbers

OUTCOME = (
    "end",
    "time_to_source_s",
    "final_x_mm",
    "final_y_mm",
    "duration_s",
    "encounters",
    "wraps",
    "clipped_rates",
)


def find(name: str) -> Simulate:
    """The `simulate` of a built-in reference, by the model's name.

    Raises
    ------
    ValueError
        If there is no such reference.
    """
    full = f"plumenav.references.{name}"
    try:
        module = importlib.import_module(full)
    except ModuleNotFoundError as error:
        if error.name != full:  # the reference is there, something it imports is not
            raise
        raise ValueError(f"there is no reference for model {name!r} in references/") from None
    simulate: Simulate = module.simulate
    return simulate


def _rows(plan: pa.Table | Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Rows of a plan as dictionaries."""
    return plan.to_pylist() if hasattr(plan, "to_pylist") else list(plan)


def _partner(simulation: int) -> int:
    """The other simulation of the pairs (0, 1), (2, 3), ..."""
    return simulation + 1 if simulation % 2 == 0 else simulation - 1


def model_class(module: ModuleType) -> Any:
    """Class of a reference whose objects decide: its MODEL, or the only one in the file; or None.

    With it, the model can be a part of another one.
    """
    classes = [
        item
        for item in vars(module).values()
        if isinstance(item, type) and item.__module__ == module.__name__ and hasattr(item, "decide")
    ]
    only = classes[0] if len(classes) == 1 else None
    return getattr(module, "MODEL", only)


def _seated(
    simulate: Simulate,
    row: Mapping[str, Any],
    settings: Mapping[str, Any],
    plume: Plume,
    reader: PlumeReader,
    seat: Seat,
) -> dict[str, Any]:
    """Simulate one agent, which sees the plume together with others."""
    frames = FramesOfFile(reader, 0.0, seat.block)
    return simulate(row, settings, plume._replace(frames=frames))


def run_sample(
    plan_rows: pa.Table | Iterable[Mapping[str, Any]],
    settings: Mapping[str, Any],
    plume_path: str | os.PathLike[str],
    simulate: Simulate | None = None,
    wind_path: str | os.PathLike[str] | None = None,
    plan: pa.Table | Iterable[Mapping[str, Any]] | None = None,
) -> tuple[pa.Table, list[dict[str, Any]]]:
    """Simulate some rows of a plan, one agent after the other, keeping every step.

    Parameters
    ----------
    plan_rows : pyarrow.Table or iterable of dict
        Rows of a PLAN table.
    settings : dict
        Resolved numbers, see :func:`plumenav.references._loop.run`, and `model`, its name.
    plume_path : path
        Plume file; only those frames are read that somebody sees.
    simulate : callable, optional
        The reference to use instead of the built-in one of the model's name (a user's plug-in).
    wind_path : path, optional
        Recorded wind of the plume.
    plan : pyarrow.Table or iterable of dict, optional
        All rows of the plan; shuffled agents need the rows that these are paired with.

    Returns
    -------
    steps : pyarrow.Table
        In the REFERENCE schema, sorted by (simulation, step).
    outcomes : list of dict
        One per row: `simulation`, `end`, `time_to_source_s` (None: not reached), `final_x_mm`,
        `final_y_mm`, `duration_s`, `encounters`, `wraps`, `clipped_rates`.
    """
    rows = _rows(plan_rows)
    if settings["control"] == "shuffled":
        everyone = {int(row["simulation"]): row for row in _rows(rows if plan is None else plan)}
        rows = [{**row, "donor": everyone[_partner(int(row["simulation"]))]} for row in rows]
    simulate = simulate or find(settings["model"])
    settings = {**settings, "variables": False}
    n_steps = round(settings["duration_s"] / settings["dt_s"])
    at_once = max(1, STEPS_AT_ONCE // max(1, n_steps))
    rows = sorted(rows, key=lambda one: int(one["simulation"]))
    results: list[dict[str, Any]] = []
    with PlumeReader(plume_path) as reader, opened_plume(plume_path, wind_path) as plume:
        for first in range(0, len(rows), at_once):
            viewers = [
                partial(_seated, simulate, row, settings, plume, reader)
                for row in rows[first : first + at_once]
            ]
            results += look_together(reader.block, viewers)
    pieces: dict[str, list[np.ndarray]] = {name: [] for name in REFERENCE.arrow.names}
    outcomes: list[dict[str, Any]] = []
    for number, result in zip((int(row["simulation"]) for row in rows), results, strict=True):
        result["simulation"] = np.full(len(result["step"]), number, np.int64)
        for name, columns in pieces.items():
            columns.append(result[name])
        outcomes.append({"simulation": number, **{name: result[name] for name in OUTCOME}})
    columns = [
        pa.array(np.concatenate(pieces[field.name] or [np.zeros(0)]), field.type)
        for field in REFERENCE.arrow
    ]
    return pa.Table.from_arrays(columns, schema=REFERENCE.arrow), outcomes
