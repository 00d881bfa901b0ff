"""The ON/OFF model in a pulse of odour, as its authors' own code gives it.

The MATLAB code of Alvarez-Salvado et al. 2018 (eLife 7:e37815) was run unmodified: 50 Hz, odour 1
in samples 1500 to 2000 (counted from 1), wind. ON and OFF are deterministic and the same for all;
how an ensemble of 500 walks is compared window by window.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from pathlib import Path

import numpy as np

from plumenav.analysis.published import _experiment as experiment
from plumenav.analysis.published._contract import Measurement
from plumenav.analysis.published.targets import load_targets
from plumenav.engine.outcome import Columns

DT_S = 0.02
SAMPLES = 3400
AGENTS = 500
# samples at which ON and OFF were read, counted from 1
READ = (1501, 1536, 1600, 1750, 2000, 2050, 2100, 2200, 2400, 3000)
# windows of the ensemble: from sample (counted from 1) up to and with sample
WINDOWS = (
    (1, 1400),
    (1500, 1600),
    (1600, 1750),
    (1750, 2000),
    (2000, 2050),
    (2050, 2150),
    (2150, 2400),
    (2900, 3400),
)
MEASURES = ("upwind", "ground", "turning", "angular")
# whole-degree table of the published code; a jump is what the heading changes besides the drive
DRIVE_UPWIND_DEG_S, DRIVE_DOWNWIND_DEG_S = 250.0, 25.0
NO_JUMP_RAD = 1e-9


def filters(columns: Columns) -> list[Measurement]:
    """ON and OFF at the published samples, and their largest values."""
    on, off = columns["on"][0], columns["off"][0]
    found = [
        Measurement(f"on_off.pulse.{name}.{sample}", float(trace[sample - 1]), None, 1)
        for sample in READ
        for name, trace in (("on", on), ("off", off))
    ]
    for name, trace in (("on", on), ("off", off)):
        found += [
            Measurement(f"on_off.pulse.max_{name}", float(trace.max()), None, 1),
            Measurement(f"on_off.pulse.max_{name}_sample", float(trace.argmax() + 1), None, 1),
        ]
    return found


def traces(columns: Columns, on: np.ndarray) -> dict[str, np.ndarray]:
    """Upwind and ground speed, mm/s; turns; absolute angular speed, deg/s: (agents, samples).

    Parameters
    ----------
    columns : dict of ndarray, each of shape (agents, samples + 1)
    on : ndarray, shape (1, samples + 1)
        ON, which is the same for all.
    """
    heading = columns["heading_rad"]
    dx, dy = (np.diff(columns[name], axis=1) / DT_S for name in ("x_mm", "y_mm"))
    change = np.diff(heading, axis=1)
    degrees = np.floor(np.degrees(heading) % 359.0 + 0.5)[:, :-1]
    gain = DRIVE_UPWIND_DEG_S * on[:, :-1] - DRIVE_DOWNWIND_DEG_S
    drive = np.radians(gain) * np.sin(np.radians(degrees)) * DT_S
    return {
        "upwind": -dx,
        "ground": np.hypot(dx, dy),
        "turning": (np.abs(change - drive) > NO_JUMP_RAD).astype(float),
        "angular": np.degrees(np.abs(change)) / DT_S,
    }


def ensemble(by_measure: dict[str, np.ndarray]) -> list[Measurement]:
    """Means over agents and windows, with the standard error over agents; and their pattern."""
    found = []
    for measure in MEASURES:
        for first, last in WINDOWS:
            each = by_measure[measure][:, first - 1 : last].mean(axis=1)
            error = float(each.std(ddof=1) / math.sqrt(len(each)))
            key = f"on_off.ensemble.{measure}.{first}_{last}"
            found.append(Measurement(key, float(each.mean()), error, len(each)))
        own = found[-len(WINDOWS) :]
        published = np.array([load_targets()[one.key].published for one in own], float)
        r = float(np.corrcoef([one.ours for one in own], published)[0, 1])
        found.append(Measurement(f"on_off.ensemble.r.{measure}", r, None, AGENTS))
    return found


def without_odor(folder: Path) -> Measurement:
    """Success of flies without odour on the grid of the PLIF world, 240 s at 15 Hz."""
    n, rate = 100, 15.0
    plume = experiment.same_everywhere(folder / "air.parquet", np.zeros(2), rate)
    plan = experiment.starts(n, (250.0, 300.0), (-80.0, 80.0))
    how = experiment.settings(
        "on_off", "alvarez_salvado_2018", 1.0 / rate, 240.0, success_radius_mm=20.0
    )
    _, simulations = experiment.tracks(plume, plan, {**how, "record_every": 3600})
    success = np.array(simulations.column("success").to_pylist(), float)
    return Measurement("on_off.no_odor.success", float(success.mean()), None, n)


def measurements(folder: Path, models: Collection[str]) -> list[Measurement]:
    """Our values of the pulse, by the engine."""
    odor = np.zeros(SAMPLES + 1)
    odor[1499:2000] = 1.0
    plume = experiment.same_everywhere(folder / "pulse.parquet", odor, 1.0 / DT_S)
    how = experiment.settings("on_off", "alvarez_salvado_2018", DT_S, (SAMPLES + 1) * DT_S)
    anywhere = ((1e6, 1e6), (0.0, 0.0))
    # ON and OFF are deterministic: one agent shows them
    one, _ = experiment.tracks(
        plume, experiment.starts(1, *anywhere), {**how, "record_variables": True}, ("on", "off")
    )
    columns, _ = experiment.tracks(
        plume, experiment.starts(AGENTS, *anywhere), how, ("x_mm", "y_mm", "heading_rad")
    )
    return [*filters(one), *ensemble(traces(columns, one["on"])), without_odor(folder)]
