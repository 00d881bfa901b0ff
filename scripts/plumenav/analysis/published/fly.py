"""Walking flies: rates, bouts and turns of walk_stop_turn, and persistence of its Poisson turns.

Without odour, walk_stop_turn is a known random process (Demir et al. 2020, eLife 9:e57524): shares,
bouts, turn rate, persistence. In regular whiffs its turns are upwind as often as the mean memory of
whiffs says. What is published of on_off in a pulse is in on_off_pulse.py; its success in a Gaussian
hill without wind, and in a steady ribbon, cannot be set up: starts and ribbon are not published.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from pathlib import Path

import numpy as np

from plumenav.analysis.published import _experiment as experiment
from plumenav.analysis.published._contract import Measurement
from plumenav.engine.outcome import Columns

DT_S = 1.0 / 89.94
FLIES = 100
NO_ODOR_S = 120.0
# memories of at most 2 s and mean bouts of 3.5 s are over by then
SETTLED_S = 15.0
WHIFF_RATES_HZ = (2.0, 4.0, 6.0)
WHIFF_S = 0.05
WHIFFS_S = 60.0
# lag at which the persistence is read: about the expected time
LAG_S = 5.0


def _settled(columns: Columns) -> Columns:
    first = round(SETTLED_S / DT_S)
    return {name: column[:, first:] for name, column in columns.items()}


def _rate(key: str, events: np.ndarray, steps: np.ndarray) -> Measurement:
    """Events per second of the steps in which they could happen; their number is Poisson."""
    n, seconds = int(events.sum()), float(steps.sum()) * DT_S
    return Measurement(key, n / seconds, math.sqrt(n) / seconds, n)


def _duration(key: str, ends: np.ndarray, steps: np.ndarray) -> Measurement:
    """Mean duration of bouts: time in them per end, so that the last ones, cut off, count too."""
    n, seconds = int(ends.sum()), float(steps.sum()) * DT_S
    return Measurement(key, seconds / n, seconds / n / math.sqrt(n), n)


def _fraction(key: str, hits: np.ndarray) -> Measurement:
    p = float(hits.mean())
    return Measurement(key, p, math.sqrt(p * (1.0 - p) / hits.size), hits.size)


def _mean(key: str, each: np.ndarray) -> Measurement:
    """Mean over flies, and its standard error."""
    error = float(each.std(ddof=1) / math.sqrt(each.size))
    return Measurement(key, float(each.mean()), error, each.size)


def upwind_turns(columns: Columns) -> np.ndarray:
    """Of each turn, whether it is upwind; wind blows along +x."""
    heading = columns["heading_rad"][:, :-1]
    turned = columns["state"][:, 1:] == 2
    left = np.diff(columns["heading_rad"], axis=1)[turned] > 0.0
    return np.asarray(left == (np.sin(heading)[turned] >= 0.0))


def without_odor(folder: Path) -> list[Measurement]:
    """Shares, bouts and turns of flies that smell nothing."""
    air = experiment.same_everywhere(folder / "air.parquet", np.zeros(2), 1.0)
    plan = experiment.starts(FLIES, (1e6, 1e6), (0.0, 0.0))
    how = experiment.settings("walk_stop_turn", "demir_2020", DT_S, NO_ODOR_S)
    columns = _settled(experiment.tracks(air, plan, how, ("heading_rad", "state"))[0])
    walking = columns["state"][:, :-1] > 0
    after = columns["state"][:, 1:]
    prefix = "walk_stop_turn.no_odor"
    return [
        _mean(f"{prefix}.walking_fraction", walking.mean(axis=1)),
        _duration(f"{prefix}.walk_bout_s", walking & (after == 0), walking),
        _duration(f"{prefix}.stop_bout_s", ~walking & (after > 0), ~walking),
        _rate(f"{prefix}.turn_hz", after == 2, walking),
        _fraction(f"{prefix}.upwind_turns", upwind_turns(columns)),
    ]


def regular_whiffs(folder: Path, rate_hz: float) -> Measurement:
    """Fraction of turns that are upwind in whiffs at a regular rate."""
    sample_hz = 1200.0
    phase = np.arange(round(WHIFFS_S * sample_hz)) % round(sample_hz / rate_hz)
    odor = (phase < WHIFF_S * sample_hz).astype(float)
    plume = experiment.same_everywhere(folder / f"whiffs_{rate_hz:g}.parquet", odor, sample_hz)
    plan = experiment.starts(FLIES, (1e6, 1e6), (0.0, 0.0))
    how = experiment.settings("walk_stop_turn", "demir_2020", DT_S, WHIFFS_S)
    columns = _settled(experiment.tracks(plume, plan, how, ("heading_rad", "state"))[0])
    return _fraction(f"walk_stop_turn.whiffs_{rate_hz:g}_hz.upwind_turns", upwind_turns(columns))


def persistence(folder: Path) -> Measurement:
    """Persistence time of a fly that only walks and turns: from the cosine of turns over a lag."""
    air = experiment.same_everywhere(folder / "air.parquet", np.zeros(2), 1.0)
    plan = experiment.starts(FLIES, (1e6, 1e6), (0.0, 0.0))
    how = experiment.settings("walk_stop_turn", "demir_2020", DT_S, NO_ODOR_S)
    # alpha 0 and no stops: the Poisson-turning null walk
    how["parameters"] |= {"stop_base_hz": 0.0, "stop_gain_hz": 0.0, "alpha": 0.0}
    heading = experiment.tracks(air, plan, how, ("heading_rad",))[0]["heading_rad"]
    lag = round(LAG_S / DT_S)
    each = np.cos(heading[:, lag:] - heading[:, :-lag]).mean(axis=1)
    cosine = _mean("walk_stop_turn.poisson_turns.persistence_s", each)
    assert cosine.standard_error is not None
    tau = -lag * DT_S / math.log(cosine.ours)
    # d tau / d cosine = tau^2 / (lag cosine)
    error = tau**2 / (lag * DT_S * cosine.ours) * cosine.standard_error
    return cosine._replace(ours=tau, standard_error=error)


def measurements(folder: Path, models: Collection[str]) -> list[Measurement]:
    """Our values of what is published with its conditions."""
    return [
        *without_odor(folder),
        *(regular_whiffs(folder, rate) for rate in WHIFF_RATES_HZ),
        persistence(folder),
    ]
