"""How a laboratory would write the two fly models: a loop over agents, or arrays over agents.

Both do what the engine does, and record the same columns: sense in a movie that loops, decide,
move, remember. Written for the benchmark and compared with the engine step by step in its tests;
models with published parameters, wind along +x, open boundaries, no arrival.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

Columns = dict[str, np.ndarray]
# number of a step -> its uniform numbers: shape (draws, agents), or a list for one agent
Draw = Callable[[int], np.ndarray]
DrawOne = Callable[[int], list[float]]
SENSED = ("frame", "x_mm", "y_mm", "heading_rad", "odor", "state")
NAMES = ("simulation", "step", "time_s", *SENSED)
NEVER = -1.0e9
SLACK_S = 1.0e-9


class Plume(NamedTuple):
    """A movie in memory.

    Attributes
    ----------
    frames : ndarray, shape (n, height, width)
    rate_hz, scale, offset, mm_per_px, source_row, source_column : float
    points : ndarray, shape (points, 2)
        The sensor, mm ahead and to the left.
    bilinear : bool
    threshold : float
    """

    frames: np.ndarray
    rate_hz: float
    scale: float
    offset: float
    mm_per_px: float
    source_row: float
    source_column: float
    points: np.ndarray
    bilinear: bool
    threshold: float

    def shown(self, start: Any, t_s: float) -> Any:
        """Number of the frame at a time, for start frames."""
        return (start + int(t_s * self.rate_hz + 1e-7)) % len(self.frames)


# --------------------------------------------------------------------- arrays over agents


def sensed(plume: Plume, k: np.ndarray, x: np.ndarray, y: np.ndarray, h: np.ndarray) -> np.ndarray:
    """Sensor readings of all agents, shape (agents,)."""
    _, height, width = plume.frames.shape
    total = np.zeros(len(x))
    inside = np.ones(len(x), bool)
    cos_h, sin_h = np.cos(h), np.sin(h)
    for forward, left in plume.points:
        column = (x + forward * cos_h - left * sin_h) / plume.mm_per_px + plume.source_column
        row = plume.source_row - (y + forward * sin_h + left * cos_h) / plume.mm_per_px
        inside &= (row >= -0.5) & (row < height - 0.5) & (column >= -0.5) & (column < width - 0.5)
        if not plume.bilinear:
            r = np.clip(np.floor(row + 0.5), 0, height - 1).astype(np.int64)
            c = np.clip(np.floor(column + 0.5), 0, width - 1).astype(np.int64)
            total += plume.frames[k, r, c]
            continue
        row, column = np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)
        r, c = np.floor(row).astype(np.int64), np.floor(column).astype(np.int64)
        r1, c1 = np.minimum(r + 1, height - 1), np.minimum(c + 1, width - 1)
        fr, fc = row - r, column - c
        top = plume.frames[k, r, c] * (1 - fc) + plume.frames[k, r, c1] * fc
        bottom = plume.frames[k, r1, c] * (1 - fc) + plume.frames[k, r1, c1] * fc
        total += top * (1 - fr) + bottom * fr
    reading = total / len(plume.points) * plume.scale + plume.offset
    return np.where(inside, reading, 0.0)


def normals(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Normal numbers from pairs of uniform ones."""
    return np.asarray(np.sqrt(-2.0 * np.log(1.0 - a)) * np.cos(2.0 * np.pi * b))


def room(steps: int, agents: int) -> Columns:
    """Where to record, each of shape (steps, agents)."""
    kinds = {"frame": np.int32, "state": np.int8}
    return {name: np.empty((steps, agents), kinds.get(name, np.float64)) for name in SENSED}


def tidy(rows: Columns, simulation: np.ndarray, dt: float) -> Columns:
    """One row per agent and step, all steps of an agent together, as the engine gives them."""
    steps, agents = rows["x_mm"].shape
    step = np.tile(np.arange(steps, dtype=np.int32), agents)
    about = {"simulation": np.repeat(simulation, steps), "step": step, "time_s": step * dt}
    return {**about, **{name: column.T.ravel() for name, column in rows.items()}}


def on_off_arrays(
    plume: Plume, plan: Columns, c: Any, dt: float, steps: int, draw: Draw
) -> Columns:
    """ON/OFF flies, all agents at once; `c` are the model's constants."""
    x, y, h, start = (plan[n].copy() for n in ("x_mm", "y_mm", "heading_rad", "start_frame"))
    n = len(x)
    a_on, a_off, on, k_off, fast, slow, off = np.zeros((7, n))
    rows = room(steps, n)
    for i in range(steps):
        k = plume.shown(start, i * dt)
        smelled = sensed(plume, k, x, y, h)
        for name, now in zip(SENSED, (k, x, y, h, smelled, 0), strict=True):
            rows[name][i] = now
        odor = np.maximum(smelled, 0.0)
        u = draw(i)
        turns = np.flatnonzero(u[0] < (c.turn_base - c.turn_on * on + c.turn_off * off) * dt)
        jump = np.zeros(n)
        g = normals(u[2, turns], u[3, turns])
        jump[turns] = np.where(u[1, turns] < 0.5, 1.0, -1.0) * c.turn_sd * g * g
        degrees = np.floor(np.degrees(h) % 359.0 + 0.5)
        drive = (c.drive_upwind * on - c.drive_downwind) * np.sin(np.radians(degrees)) * dt
        speed = np.maximum(0.0, c.speed * (1.0 + c.speed_on * on - c.speed_off * off))
        x += speed * np.cos(h) * dt
        y += speed * np.sin(h) * dt
        h += jump + drive
        k_on = odor / (odor + c.beta + a_on)
        new_k_off = odor / (odor + c.beta + a_off)
        off = np.maximum(0.0, slow - fast)
        fast += (k_off - fast) * (dt / c.tau_off_fast)
        slow += (k_off - slow) * (dt / c.tau_off_slow)
        a_on += (odor - a_on) * (dt / c.tau_a_on)
        a_off += (odor - a_off) * (dt / c.tau_a_off)
        on += (k_on - on) * (dt / c.tau_on)
        k_off = new_k_off
    return tidy(rows, plan["simulation"], dt)


def walk_stop_turn_arrays(
    plume: Plume, plan: Columns, c: Any, dt: float, steps: int, draw: Draw
) -> Columns:
    """Walk-stop-turn flies, all agents at once."""
    x, y, h, start = (plan[n].copy() for n in ("x_mm", "y_mm", "heading_rad", "start_frame"))
    n = len(x)
    walking = np.full(n, c.start_walking > 0.5)
    state = walking.astype(np.int8)
    was_in, last = np.zeros(n, bool), np.full(n, NEVER)
    w, evidence = np.zeros((2, n))
    rows = room(steps, n)
    for i in range(steps):
        t = i * dt
        k = plume.shown(start, t)
        odor = sensed(plume, k, x, y, h)
        for name, now in zip(SENSED, (k, x, y, h, odor, state), strict=True):
            rows[name][i] = now
        u = draw(i)
        in_odor = odor >= plume.threshold
        whiff = in_odor & ~was_in & (t - last > c.refractory + SLACK_S)
        last[whiff] = t
        was_in = in_odor
        w = w * math.exp(-dt / c.tau_turn) + whiff
        evidence = evidence * math.exp(-dt / c.tau_start) + whiff
        stop_rate = c.stop_base + c.stop_gain * np.exp(-(t - last) / c.tau_stop)
        stops = walking & (u[0] < stop_rate * dt)
        turns = walking & ~stops & (u[1] < c.turn * dt)
        starts = ~walking & (u[2] < (c.start_base + c.start_gain * evidence) * dt)
        moved = np.where(walking, c.speed * dt, 0.0)
        x += moved * np.cos(h)
        y += moved * np.sin(h)
        size = c.turn_mean + c.turn_sd * normals(u[4, turns], u[5, turns])
        upwind = u[3, turns] < 1.0 / (1.0 + np.exp(-c.alpha * w[turns]))
        left = upwind == (np.sin(h[turns]) >= 0.0)
        drifts = walking & ~turns
        h[drifts] += c.drift_sd * math.sqrt(dt) * normals(u[6, drifts], u[7, drifts])
        h[turns] += np.where(left, size, -size)
        evidence[stops] = 0.0
        walking = (walking & ~stops) | starts
        state = np.where(turns, 2, walking).astype(np.int8)
    return tidy(rows, plan["simulation"], dt)


# ------------------------------------------------------------------------ a loop over agents


def reading(plume: Plume, frame: np.ndarray, x: float, y: float, h: float) -> float:
    """Sensor reading of one agent."""
    height, width = frame.shape
    cos_h, sin_h = math.cos(h), math.sin(h)
    total = 0.0
    for forward, left in plume.points.tolist():
        column = (x + forward * cos_h - left * sin_h) / plume.mm_per_px + plume.source_column
        row = plume.source_row - (y + forward * sin_h + left * cos_h) / plume.mm_per_px
        if not (-0.5 <= row < height - 0.5 and -0.5 <= column < width - 0.5):
            return 0.0
        if not plume.bilinear:
            total += float(frame[math.floor(row + 0.5), math.floor(column + 0.5)])
            continue
        row = min(max(row, 0.0), height - 1.0)
        column = min(max(column, 0.0), width - 1.0)
        r, c = int(row), int(column)
        r1, c1 = min(r + 1, height - 1), min(c + 1, width - 1)
        fr, fc = row - r, column - c
        top = float(frame[r, c]) * (1 - fc) + float(frame[r, c1]) * fc
        bottom = float(frame[r1, c]) * (1 - fc) + float(frame[r1, c1]) * fc
        total += top * (1 - fr) + bottom * fr
    return total / len(plume.points) * plume.scale + plume.offset


def normal(a: float, b: float) -> float:
    """A normal number from two uniform ones."""
    return math.sqrt(-2.0 * math.log(1.0 - a)) * math.cos(2.0 * math.pi * b)


def on_off_loop(
    plume: Plume, start: dict[str, Any], c: Any, dt: float, steps: int, draw: DrawOne
) -> list[tuple[Any, ...]]:
    """One ON/OFF fly, a row per step."""
    x, y, h = start["x_mm"], start["y_mm"], start["heading_rad"]
    a_on = a_off = on = k_off = fast = slow = off = 0.0
    rows = []
    for i in range(steps):
        k = plume.shown(start["start_frame"], i * dt)
        smelled = reading(plume, plume.frames[k], x, y, h)
        rows.append((start["simulation"], i, i * dt, k, x, y, h, smelled, 0))
        odor = max(smelled, 0.0)
        turn, sign, size_a, size_b = draw(i)
        jump = 0.0
        if turn < (c.turn_base - c.turn_on * on + c.turn_off * off) * dt:
            g = normal(size_a, size_b)
            jump = c.turn_sd * g * g if sign < 0.5 else -c.turn_sd * g * g
        degrees = math.floor(math.degrees(h) % 359.0 + 0.5)
        drive = (c.drive_upwind * on - c.drive_downwind) * math.sin(math.radians(degrees)) * dt
        speed = max(0.0, c.speed * (1.0 + c.speed_on * on - c.speed_off * off))
        x += speed * math.cos(h) * dt
        y += speed * math.sin(h) * dt
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
    return rows


def walk_stop_turn_loop(
    plume: Plume, start: dict[str, Any], c: Any, dt: float, steps: int, draw: DrawOne
) -> list[tuple[Any, ...]]:
    """One walk-stop-turn fly, a row per step."""
    x, y, h = start["x_mm"], start["y_mm"], start["heading_rad"]
    walking = c.start_walking > 0.5
    state, was_in, last, w, evidence = int(walking), False, NEVER, 0.0, 0.0
    rows = []
    for i in range(steps):
        t = i * dt
        k = plume.shown(start["start_frame"], t)
        odor = reading(plume, plume.frames[k], x, y, h)
        rows.append((start["simulation"], i, t, k, x, y, h, odor, state))
        stop, turn, begin, direction, size_a, size_b, drift_a, drift_b = draw(i)
        in_odor = odor >= plume.threshold
        whiff = in_odor and not was_in and t - last > c.refractory + SLACK_S
        last, was_in = t if whiff else last, in_odor
        w = w * math.exp(-dt / c.tau_turn) + whiff
        evidence = evidence * math.exp(-dt / c.tau_start) + whiff
        state = 0
        if walking:
            rate = c.stop_base + c.stop_gain * math.exp(-(t - last) / c.tau_stop)
            stops = stop < rate * dt
            turns = not stops and turn < c.turn * dt
            x += c.speed * math.cos(h) * dt
            y += c.speed * math.sin(h) * dt
            if turns:
                size = c.turn_mean + c.turn_sd * normal(size_a, size_b)
                upwind = direction < 1.0 / (1.0 + math.exp(-c.alpha * w))
                h += size if upwind == (math.sin(h) >= 0.0) else -size
            else:
                h += c.drift_sd * math.sqrt(dt) * normal(drift_a, drift_b)
            if stops:
                walking, evidence = False, 0.0
            state = 2 if turns else int(walking)
        elif begin < (c.start_base + c.start_gain * evidence) * dt:
            walking, state = True, 1
    return rows


ARRAYS = {"on_off": on_off_arrays, "walk_stop_turn": walk_stop_turn_arrays}
LOOPS = {"on_off": on_off_loop, "walk_stop_turn": walk_stop_turn_loop}
