# ruff: noqa: NPY002 - numba's own generator, as most people use it
"""How a laboratory would write the two fly models: a plain numba loop, agent by agent.

One function per model, numbers from numba's own generator as they are needed, rows written into
columns that were made beforehand. Nothing is keyed: another order of agents gives other tracks.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from plumenav.performance.benchmark.baselines.shared import NEVER, SLACK_S, SUMMARY, Columns, Plume


class Rows(NamedTuple):
    """A row per agent and step, all steps of an agent together; shape (agents * steps,)."""

    simulation: np.ndarray
    step: np.ndarray
    time_s: np.ndarray
    frame: np.ndarray
    x_mm: np.ndarray
    y_mm: np.ndarray
    heading_rad: np.ndarray
    odor: np.ndarray
    state: np.ndarray


class Sums(NamedTuple):
    """What is known of a track at its end; shape (agents,)."""

    path_mm: np.ndarray
    closest_mm: np.ndarray
    time_to_source_s: np.ndarray
    encounters: np.ndarray
    steps_in_plume: np.ndarray
    steps_outside: np.ndarray


class Starts(NamedTuple):
    """Where agents start; shape (agents,)."""

    simulation: np.ndarray
    x_mm: np.ndarray
    y_mm: np.ndarray
    heading_rad: np.ndarray
    start_frame: np.ndarray


def make_rows(n: int) -> Rows:
    """Room for rows."""
    kinds = {
        "simulation": np.int64,
        "step": np.int32,
        "frame": np.int32,
        "state": np.int8,
    }
    return Rows(*(np.empty(n, kinds.get(name, np.float64)) for name in Rows._fields))


def make_sums(agents: int) -> Sums:
    """Room for sums."""
    floats = ("path_mm", "closest_mm", "time_to_source_s")
    return Sums(*(np.zeros(agents, np.float64 if n in floats else np.int64) for n in SUMMARY))


@njit(cache=True)
def at_point(plume: Any, k: int, x: float, y: float) -> float:
    """Stored number at a place, of the nearest pixel or between pixels; NaN outside the image."""
    height, width = plume.frames.shape[1:]
    column = x / plume.mm_per_px + plume.source_column
    row = plume.source_row - y / plume.mm_per_px
    if not (-0.5 <= row < height - 0.5 and -0.5 <= column < width - 0.5):
        return math.nan
    if not plume.bilinear:
        return float(plume.frames[k, int(row + 0.5), int(column + 0.5)])
    row = min(max(row, 0.0), height - 1.0)
    column = min(max(column, 0.0), width - 1.0)
    r, c = int(row), int(column)
    r1, c1 = min(r + 1, height - 1), min(c + 1, width - 1)
    fr, fc = row - r, column - c
    top = plume.frames[k, r, c] * (1.0 - fc) + plume.frames[k, r, c1] * fc
    bottom = plume.frames[k, r1, c] * (1.0 - fc) + plume.frames[k, r1, c1] * fc
    return float(top * (1.0 - fr) + bottom * fr)


@njit(cache=True)
def sensed(plume: Any, k: int, x: float, y: float, cos_h: float, sin_h: float) -> float:
    """Reading of a sensor of several points."""
    total = 0.0
    for j in range(plume.points.shape[0]):
        forward, left = plume.points[j, 0], plume.points[j, 1]
        px = x + forward * cos_h - left * sin_h
        py = y + forward * sin_h + left * cos_h
        total += at_point(plume, k, px, py)
    if math.isnan(total):
        return 0.0
    return float(total / plume.points.shape[0] * plume.scale + plume.offset)


@njit(cache=True)
def entered(x: float, y: float, dx: float, dy: float, radius: float) -> float:
    """Fraction of a step at which it enters the circle around the origin; infinite if never."""
    c = x * x + y * y - radius * radius
    if c <= 0.0:
        return 0.0
    b = x * dx + y * dy
    if b >= 0.0:
        return math.inf
    a = dx * dx + dy * dy
    root = b * b - a * c
    return (-b - math.sqrt(root)) / a if root >= 0.0 else math.inf


@njit(cache=True)
def on_off(
    plume: Any,
    extent_mm: Any,
    starts: Any,
    c: Any,
    dt: float,
    steps: int,
    seed: int,
    rows: Any,
    sums: Any,
) -> None:
    """ON/OFF flies; the sensor is one point at the animal's place."""
    np.random.seed(seed)
    x_min, x_max, y_min, y_max = extent_mm
    n_frames = len(plume.frames)
    place = 0
    for a in range(len(starts.x_mm)):
        x, y, h = starts.x_mm[a], starts.y_mm[a], starts.heading_rad[a]
        a_on = a_off = on = k_off = fast = slow = off = 0.0
        path, closest, arrival = 0.0, math.hypot(x, y), math.nan
        was_in = False
        for i in range(steps):
            t = i * dt
            k = (starts.start_frame[a] + int(t * plume.rate_hz + 1e-7)) % n_frames
            smelled = at_point(plume, k, x, y)
            smelled = 0.0 if math.isnan(smelled) else smelled * plume.scale + plume.offset
            rows.simulation[place] = starts.simulation[a]
            rows.step[place] = i
            rows.time_s[place] = t
            rows.frame[place] = k
            rows.x_mm[place] = x
            rows.y_mm[place] = y
            rows.heading_rad[place] = h
            rows.odor[place] = smelled
            rows.state[place] = 0
            place += 1
            odor = max(smelled, 0.0)
            jump = 0.0
            if np.random.random() < (c.turn_base - c.turn_on * on + c.turn_off * off) * dt:
                g = np.random.standard_normal()
                jump = c.turn_sd * g * g
                if np.random.random() >= 0.5:
                    jump = -jump
            degrees = math.floor(math.degrees(h) % 359.0 + 0.5)
            drive = (c.drive_upwind * on - c.drive_downwind) * math.sin(math.radians(degrees)) * dt
            speed = max(0.0, c.speed * (1.0 + c.speed_on * on - c.speed_off * off))
            dx, dy = speed * math.cos(h) * dt, speed * math.sin(h) * dt
            is_in = smelled >= plume.threshold
            sums.steps_in_plume[a] += is_in
            sums.encounters[a] += is_in and not was_in
            was_in = is_in
            sums.steps_outside[a] += not (x_min <= x < x_max and y_min < y <= y_max)
            path += math.hypot(dx, dy)
            if math.isnan(arrival):
                s = entered(x, y, dx, dy, plume.radius_mm)
                if s <= 1.0:
                    arrival = t + s * dt
                    closest = min(closest, plume.radius_mm)
            x += dx
            y += dy
            closest = min(closest, math.hypot(x, y))
            h += jump + drive
            k_on = odor / (odor + c.beta + a_on)
            new_k_off = odor / (odor + c.beta + a_off)
            off = max(0.0, slow - fast)
            fast += (k_off - fast) * dt / c.tau_off_fast
            slow += (k_off - slow) * dt / c.tau_off_slow
            a_on += (odor - a_on) * dt / c.tau_a_on
            a_off += (odor - a_off) * dt / c.tau_a_off
            on += (k_on - on) * dt / c.tau_on
            k_off = new_k_off
        sums.path_mm[a], sums.closest_mm[a], sums.time_to_source_s[a] = path, closest, arrival


@njit(cache=True)
def walk_stop_turn(
    plume: Any,
    extent_mm: Any,
    starts: Any,
    c: Any,
    dt: float,
    steps: int,
    seed: int,
    rows: Any,
    sums: Any,
) -> None:
    """Walk-stop-turn flies."""
    np.random.seed(seed)
    x_min, x_max, y_min, y_max = extent_mm
    n_frames = len(plume.frames)
    fade_w, fade_evidence = math.exp(-dt / c.tau_turn), math.exp(-dt / c.tau_start)
    drift_sd = c.drift_sd * math.sqrt(dt)
    place = 0
    for a in range(len(starts.x_mm)):
        x, y, h = starts.x_mm[a], starts.y_mm[a], starts.heading_rad[a]
        walking = c.start_walking > 0.5
        state, was_in, last, w, evidence = int(walking), False, NEVER, 0.0, 0.0
        path, closest, arrival = 0.0, math.hypot(x, y), math.nan
        for i in range(steps):
            t = i * dt
            k = (starts.start_frame[a] + int(t * plume.rate_hz + 1e-7)) % n_frames
            cos_h, sin_h = math.cos(h), math.sin(h)
            odor = sensed(plume, k, x, y, cos_h, sin_h)
            rows.simulation[place] = starts.simulation[a]
            rows.step[place] = i
            rows.time_s[place] = t
            rows.frame[place] = k
            rows.x_mm[place] = x
            rows.y_mm[place] = y
            rows.heading_rad[place] = h
            rows.odor[place] = odor
            rows.state[place] = state
            place += 1
            is_in = odor >= plume.threshold
            whiff = is_in and not was_in and t - last > c.refractory + SLACK_S
            if whiff:
                last = t
            w = w * fade_w + whiff
            evidence = evidence * fade_evidence + whiff
            sums.steps_in_plume[a] += is_in
            sums.encounters[a] += is_in and not was_in
            was_in = is_in
            sums.steps_outside[a] += not (x_min <= x < x_max and y_min < y <= y_max)
            state = 0
            if walking:
                rate = c.stop_base + c.stop_gain * math.exp(-(t - last) / c.tau_stop)
                stops = np.random.random() < rate * dt
                turns = not stops and np.random.random() < c.turn * dt
                dx, dy = c.speed * cos_h * dt, c.speed * sin_h * dt
                path += math.hypot(dx, dy)
                if math.isnan(arrival):
                    s = entered(x, y, dx, dy, plume.radius_mm)
                    if s <= 1.0:
                        arrival = t + s * dt
                        closest = min(closest, plume.radius_mm)
                x += dx
                y += dy
                closest = min(closest, math.hypot(x, y))
                if turns:
                    size = c.turn_mean + c.turn_sd * np.random.standard_normal()
                    upwind = np.random.random() < 1.0 / (1.0 + math.exp(-c.alpha * w))
                    h += size if upwind == (sin_h >= 0.0) else -size
                    state = 2
                else:
                    h += drift_sd * np.random.standard_normal()
                    state = int(not stops)
                if stops:
                    walking, evidence = False, 0.0
            else:
                if math.isnan(arrival) and entered(x, y, 0.0, 0.0, plume.radius_mm) <= 1.0:
                    arrival = t
                    closest = min(closest, plume.radius_mm)
                if np.random.random() < (c.start_base + c.start_gain * evidence) * dt:
                    walking, state = True, 1
        sums.path_mm[a], sums.closest_mm[a], sums.time_to_source_s[a] = path, closest, arrival


KERNELS = {"on_off": on_off, "walk_stop_turn": walk_stop_turn}


def simulate(
    model: str, plume: Plume, plan: Columns, c: Any, dt: float, steps: int, seed: int
) -> tuple[Rows, Sums]:
    """Simulate all agents of a plan.

    Parameters
    ----------
    model : str
        A name in KERNELS.
    plume : Plume
    plan : dict of ndarray
        Columns simulation, x_mm, y_mm, heading_rad, start_frame.
    c : NamedTuple
        The model's constants.
    dt : float
    steps, seed : int
    """
    starts = Starts(*(plan[name] for name in Starts._fields))
    agents = len(starts.x_mm)
    rows, sums = make_rows(agents * steps), make_sums(agents)
    KERNELS[model](plume, plume.extent_mm, starts, c, dt, steps, seed, rows, sums)
    return rows, sums
