"""How a laboratory would write the two fly models: arrays over agents in NumPy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from plumenav.performance.benchmark.baselines.shared import (
    NEVER,
    SENSED,
    SLACK_S,
    SUMMARY,
    Columns,
    Draw,
    Plume,
)


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


class ArrayTracks:
    """What is known of all tracks at their end, updated step by step."""

    def __init__(self, plume: Plume, x: np.ndarray, y: np.ndarray) -> None:
        self.extent, self.radius = plume.extent_mm, plume.radius_mm
        self.threshold = plume.threshold
        self.path, self.closest2 = np.zeros(len(x)), x * x + y * y
        self.arrival = np.full(len(x), np.nan)
        self.was_in = np.zeros(len(x), bool)
        self.encounters, self.inside, self.outside = np.zeros((3, len(x)), np.int64)

    def add(
        self,
        t: float,
        dt: float,
        odor: np.ndarray,
        x0: np.ndarray,
        y0: np.ndarray,
        x1: np.ndarray,
        y1: np.ndarray,
    ) -> None:
        """Add a step that began at t, at (x0, y0), and ended at (x1, y1)."""
        is_in = odor >= self.threshold
        self.inside += is_in
        self.encounters += is_in & ~self.was_in
        self.was_in = is_in
        x_min, x_max, y_min, y_max = self.extent
        self.outside += ~((x0 >= x_min) & (x0 < x_max) & (y0 > y_min) & (y0 <= y_max))
        dx, dy = x1 - x0, y1 - y0
        a = dx * dx + dy * dy
        self.path += np.sqrt(a)
        b = x0 * dx + y0 * dy
        c = x0 * x0 + y0 * y0 - self.radius**2
        # only those on their way in need the root
        root = b * b - a * c
        meets = np.flatnonzero(np.isnan(self.arrival) & ((c <= 0) | ((b < 0) & (root >= 0))))
        if len(meets):
            s = np.zeros(len(meets))
            away = c[meets] > 0
            far = meets[away]
            s[away] = (-b[far] - np.sqrt(root[far])) / a[far]
            there = s <= 1.0
            self.arrival[meets[there]] = t + s[there] * dt
            self.closest2[meets[there]] = np.minimum(self.closest2[meets[there]], self.radius**2)
        self.closest2 = np.minimum(self.closest2, x1 * x1 + y1 * y1)

    def summary(self) -> Columns:
        """Columns of SUMMARY."""
        found = (
            *(self.path, np.sqrt(self.closest2), self.arrival),
            *(self.encounters, self.inside, self.outside),
        )
        return dict(zip(SUMMARY, found, strict=True))


def on_off_arrays(
    plume: Plume, plan: Columns, c: Any, dt: float, steps: int, draw: Draw
) -> tuple[Columns, Columns]:
    """ON/OFF flies, all agents at once; `c` are the model's constants."""
    x, y, h, start = (plan[n].copy() for n in ("x_mm", "y_mm", "heading_rad", "start_frame"))
    n = len(x)
    a_on, a_off, on, k_off, fast, slow, off = np.zeros((7, n))
    rows, tracks = room(steps, n), ArrayTracks(plume, x, y)
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
        x0, y0 = x, y
        x, y = x + speed * np.cos(h) * dt, y + speed * np.sin(h) * dt
        tracks.add(i * dt, dt, smelled, x0, y0, x, y)
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
    return tidy(rows, plan["simulation"], dt), tracks.summary()


def walk_stop_turn_arrays(
    plume: Plume, plan: Columns, c: Any, dt: float, steps: int, draw: Draw
) -> tuple[Columns, Columns]:
    """Walk-stop-turn flies, all agents at once."""
    x, y, h, start = (plan[n].copy() for n in ("x_mm", "y_mm", "heading_rad", "start_frame"))
    n = len(x)
    walking = np.full(n, c.start_walking > 0.5)
    state = walking.astype(np.int8)
    was_in, last = np.zeros(n, bool), np.full(n, NEVER)
    w, evidence = np.zeros((2, n))
    rows, tracks = room(steps, n), ArrayTracks(plume, x, y)
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
        x0, y0 = x, y
        x, y = x + moved * np.cos(h), y + moved * np.sin(h)
        tracks.add(t, dt, odor, x0, y0, x, y)
        size = c.turn_mean + c.turn_sd * normals(u[4, turns], u[5, turns])
        upwind = u[3, turns] < 1.0 / (1.0 + np.exp(-c.alpha * w[turns]))
        left = upwind == (np.sin(h[turns]) >= 0.0)
        drifts = walking & ~turns
        h[drifts] += c.drift_sd * math.sqrt(dt) * normals(u[6, drifts], u[7, drifts])
        h[turns] += np.where(left, size, -size)
        evidence[stops] = 0.0
        walking = (walking & ~stops) | starts
        state = np.where(turns, 2, walking).astype(np.int8)
    return tidy(rows, plan["simulation"], dt), tracks.summary()


ARRAYS = {"on_off": on_off_arrays, "walk_stop_turn": walk_stop_turn_arrays}
