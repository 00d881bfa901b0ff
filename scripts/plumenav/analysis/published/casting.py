"""Casting family: latencies and progress of surge_cast, overheads of the three robots.

The latencies of surge_cast come from pulses of odour that all agents smell alike. Equal delays are
compared with the baseline in packets of odour that drift with the wind, as in the authors'
simulation (van Breugel & Dickinson 2014). The robots' overhead (path per way upwind) is measured in
a steady ribbon that widens with the root of the distance, as in laminar flow; Lochmatter and
Martinoli's values were not at hand, so only their ranking can be compared, with our values.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from plumenav.analysis.published import _experiment as experiment
from plumenav.analysis.published._contract import Measurement
from plumenav.engine.run import Blocks, simulate
from plumenav.rng import noise_key
from plumenav.tables import PlumeReader

DT_S = 0.005
ONSET_S = 1.0
# lengths of pulses: longer than any delay, in steps that no delay is a multiple of
PULSES_S = np.arange(1.0, 1.6, 0.02)
WIND_MM_S = 400.0
SURGE_MM_S = 2.0 * WIND_MM_S
CAST, SURGE = 0, 1

# packets of odour (authors' simulation: radius 30 mm, 5 per s, wind 0.4 m/s)
PACKET_RADIUS_MM, PACKET_HZ = 30.0, 5.0
# the wind that carries them wanders: standard deviation across, and correlation time (ours)
ACROSS_MM_S, ACROSS_S = 20.0, 1.0
PACKET_MM_PER_PX, PACKET_FRAME_HZ, PACKET_MOVIE_S = 10.0, 20.0, 10.0
# so far away that nobody flies past the source, which surges of 0.8 m/s do
PACKET_STARTS_MM, PACKET_RUN_S, PACKET_AGENTS = (2500.0, 2800.0), 2.0, 400

RIBBON_START_MM, RIBBON_HALF_WIDTH_MM = 400.0, 40.0
ROBOTS = {"surge_cast": "surge_cast_robot", "surge_spiral": "surge_spiral", "casting": "zigzag"}
ROBOT_AGENTS = 200


def measurements(folder: Path, models: Collection[str]) -> list[Measurement]:
    """Our values of what is published on surge_cast and the robots."""
    found = overheads(folder, [key for key, model in ROBOTS.items() if model in models])
    if "surge_cast" in models:
        found += [*latencies(folder), *progress(folder)]
    return found


def pulse_response(folder: Path, preset: str, pulse_s: float) -> tuple[float, float, float]:
    """Latency of surge and of cast, s, and advance upwind of the surge, mm, in one pulse."""
    n = round((ONSET_S + pulse_s + 3.0) / DT_S)
    odor = np.zeros(n)
    first, stop = round(ONSET_S / DT_S), round((ONSET_S + pulse_s) / DT_S)
    odor[first:stop] = 1.0
    plume = experiment.same_everywhere(folder / "pulse.parquet", odor, 1.0 / DT_S)
    how = experiment.settings(
        "surge_cast",
        preset,
        DT_S,
        n * DT_S,
        wind_speed_mm_s=WIND_MM_S,
        feels_wind=True,
        arrival="continue",
    )
    columns, _ = experiment.tracks(plume, experiment.starts(1, (1e5, 1e5), (0.0, 0.0)), how)
    # a row holds what the step before decided; that step moves as decided already
    surging = np.flatnonzero(columns["state"][0] == SURGE) - 1
    x = columns["x_mm"][0]
    advance_mm = x[surging[0]] - x[surging[-1] + 1]
    return (surging[0] - first) * DT_S, (surging[-1] + 1 - stop) * DT_S, float(advance_mm)


def latencies(folder: Path) -> list[Measurement]:
    """From onset to surge, from offset to cast, and advance per encounter over its formula.

    A surge that became pending in the odour restarts the cast's timer, so casts begin between one
    delay and the sum of both after the odour ended; the shortest time is the delay itself.
    """
    rows = []
    for preset in ("article", "simulation"):
        each = np.array([pulse_response(folder, preset, float(s)) for s in PULSES_S])
        surge, cast, advance = each.T
        # speed * (cast delay - surge delay + time in odour), where no surge was pending at its end
        shortest = int(np.argmin(cast))
        delays = experiment.settings("surge_cast", preset, DT_S, DT_S)["parameters"]
        surged_s = delays["cast_delay_s"] - delays["surge_delay_s"] + PULSES_S[shortest]
        expected = SURGE_MM_S * surged_s
        rows += [
            Measurement(
                f"surge_cast.{preset}.surge_latency_s", float(surge.max()), None, len(each)
            ),
            Measurement(f"surge_cast.{preset}.cast_latency_s", float(cast.min()), None, len(each)),
            Measurement(f"surge_cast.{preset}.latest_cast_s", float(cast.max()), None, len(each)),
            Measurement(
                f"surge_cast.{preset}.advance_over_formula",
                float(advance[shortest] / expected),
                None,
                1,
            ),
        ]
    return rows


def packets(path: Path) -> Path:
    """Packets of odour that leave the source at random and drift with a wandering wind."""
    rng = np.random.Generator(np.random.Philox(key=noise_key(experiment.SEED, "packets")))
    height, width, source = 61, 321, (30.0, 5.0)
    row, column = np.mgrid[:height, :width]
    x = (column - source[1]) * PACKET_MM_PER_PX
    y = (source[0] - row) * PACKET_MM_PER_PX
    dt = 1.0 / PACKET_FRAME_HZ
    filling = round(x.max() / WIND_MM_S / dt) + 1
    across = 0.0
    places = np.empty((0, 2))
    frames = []
    for k in range(filling + round(PACKET_MOVIE_S / dt)):
        across += -across * dt / ACROSS_S
        across += ACROSS_MM_S * math.sqrt(2.0 * dt / ACROSS_S) * rng.standard_normal()
        places = places + np.array([WIND_MM_S, across]) * dt
        if rng.random() < PACKET_HZ * dt:
            places = np.vstack([places, np.zeros(2)])
        places = places[places[:, 0] < x.max() + PACKET_RADIUS_MM]
        if k >= filling:
            frame = np.zeros(x.shape)
            for px, py in places:
                frame[(x - px) ** 2 + (y - py) ** 2 <= PACKET_RADIUS_MM**2] = 1.0
            frames.append(frame)
    rate = PACKET_FRAME_HZ
    return experiment.write_plume(path, np.array(frames), rate, PACKET_MM_PER_PX, source)


def simulated(plume: Path, plan: Any, how: dict[str, Any]) -> dict[str, np.ndarray]:
    """Outcome columns of a run without tracks."""
    with PlumeReader(plume) as reader:
        table = simulate(Blocks(reader), plan, how).simulations
    return {name: table.column(name).to_numpy() for name in ("success", "path_mm", "final_x_mm")}


def progress(folder: Path) -> list[Measurement]:
    """Mean speed upwind, far from the source, and which part of it equal delays leave."""
    plume = packets(folder / "packets.parquet")
    plan = experiment.starts(PACKET_AGENTS, PACKET_STARTS_MM, (-50.0, 50.0))
    frames = round(PACKET_MOVIE_S * PACKET_FRAME_HZ)
    plan["start_frame"] = (np.arange(PACKET_AGENTS) * 7 % frames).astype(np.int32)
    rows, speeds = [], []
    for key, preset in (("baseline", "simulation"), ("equal_delays", "equal_delays")):
        how = experiment.settings(
            "surge_cast",
            preset,
            DT_S,
            PACKET_RUN_S,
            wind_speed_mm_s=WIND_MM_S,
            feels_wind=True,
            movie_end="loop",
        )
        speed = (plan["x_mm"] - simulated(plume, plan, how)["final_x_mm"]) / PACKET_RUN_S
        error = float(speed.std(ddof=1) / math.sqrt(PACKET_AGENTS))
        key = f"surge_cast.{key}.progress_mm_s"
        rows.append(Measurement(key, float(speed.mean()), error, PACKET_AGENTS))
        speeds.append(speed)
    # the same starts, frames and noise: errors of the two means are not independent
    baseline, equal = speeds
    ratio = float(equal.mean() / baseline.mean())
    residual = (equal - ratio * baseline) / baseline.mean()
    error = float(residual.std(ddof=1) / math.sqrt(PACKET_AGENTS))
    key = "surge_cast.equal_delays.progress_ratio"
    return [*rows, Measurement(key, ratio, error, PACKET_AGENTS)]


def ribbon(path: Path) -> Path:
    """A steady ribbon, as wide as the root of the distance from the source."""
    row, column = np.mgrid[:121, :431]
    x, y = column - 10.0, 60.0 - row
    inside = np.abs(y) <= RIBBON_HALF_WIDTH_MM * np.sqrt(np.clip(x, 0.0, None) / RIBBON_START_MM)
    return experiment.write_plume(path, ((x >= 0.0) & inside)[None], 1.0, 1.0, (60.0, 10.0))


def overheads(folder: Path, robots: Iterable[str]) -> list[Measurement]:
    """Path over way upwind of robots that have just met the ribbon and head for its axis."""
    plume = ribbon(folder / "ribbon.parquet")
    reach = 0.95 * RIBBON_HALF_WIDTH_MM
    plan = experiment.starts(ROBOT_AGENTS, (RIBBON_START_MM, RIBBON_START_MM), (-reach, reach))
    plan["heading_rad"] = -np.sign(plan["y_mm"]) * math.pi / 2.0
    rows = []
    for key in robots:
        how = experiment.settings(
            ROBOTS[key], "small_arena", 0.02, 120.0, feels_wind=True, success_radius_mm=10.0
        )
        how["sensor"]["interpolation"] = "bilinear"
        outcome = simulated(plume, plan, how)
        arrived = outcome["success"].astype(bool)
        way = RIBBON_START_MM - outcome["final_x_mm"]
        overhead = (outcome["path_mm"] / way)[arrived]
        error = float(overhead.std(ddof=1) / math.sqrt(len(overhead)))
        rows.append(
            Measurement(f"robots.{key}.overhead", float(overhead.mean()), error, len(overhead))
        )
    return rows
