"""How a laboratory would write the two fly models: a loop over agents in plain Python."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from plumenav.performance.benchmark.baselines.shared import NEVER, SLACK_S, DrawOne, Plume


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


class Track:
    """What is known of one track at its end, updated step by step."""

    def __init__(self, plume: Plume, x: float, y: float) -> None:
        self.extent, self.radius = plume.extent_mm, plume.radius_mm
        self.threshold = plume.threshold
        self.path, self.closest, self.arrival = 0.0, math.hypot(x, y), math.nan
        self.was_in = False
        self.encounters = self.inside = self.outside = 0

    def add(
        self, t: float, dt: float, odor: float, x0: float, y0: float, x1: float, y1: float
    ) -> None:
        """Add a step that began at t, at (x0, y0), and ended at (x1, y1)."""
        is_in = odor >= self.threshold
        if is_in:
            self.inside += 1
            if not self.was_in:
                self.encounters += 1
        self.was_in = is_in
        x_min, x_max, y_min, y_max = self.extent
        if not (x_min <= x0 < x_max and y_min < y0 <= y_max):
            self.outside += 1
        dx, dy = x1 - x0, y1 - y0
        self.path += math.hypot(dx, dy)
        if math.isnan(self.arrival):
            s = entered(x0, y0, dx, dy, self.radius)
            if s <= 1.0:
                self.arrival = t + s * dt
                self.closest = min(self.closest, self.radius)
        self.closest = min(self.closest, math.hypot(x1, y1))

    def summary(self) -> tuple[float, ...]:
        """Values of SUMMARY."""
        return (
            *(self.path, self.closest, self.arrival),
            *(self.encounters, self.inside, self.outside),
        )


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


def on_off_loop(
    plume: Plume, start: dict[str, Any], c: Any, dt: float, steps: int, draw: DrawOne
) -> tuple[list[tuple[Any, ...]], tuple[float, ...]]:
    """One ON/OFF fly, a row per step."""
    x, y, h = start["x_mm"], start["y_mm"], start["heading_rad"]
    a_on = a_off = on = k_off = fast = slow = off = 0.0
    rows, track = [], Track(plume, x, y)
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
        x0, y0 = x, y
        x += speed * math.cos(h) * dt
        y += speed * math.sin(h) * dt
        track.add(i * dt, dt, smelled, x0, y0, x, y)
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
    return rows, track.summary()


def walk_stop_turn_loop(
    plume: Plume, start: dict[str, Any], c: Any, dt: float, steps: int, draw: DrawOne
) -> tuple[list[tuple[Any, ...]], tuple[float, ...]]:
    """One walk-stop-turn fly, a row per step."""
    x, y, h = start["x_mm"], start["y_mm"], start["heading_rad"]
    walking = c.start_walking > 0.5
    state, was_in, last, w, evidence = int(walking), False, NEVER, 0.0, 0.0
    rows, track = [], Track(plume, x, y)
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
        state, x0, y0 = 0, x, y
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
        track.add(t, dt, odor, x0, y0, x, y)
    return rows, track.summary()


LOOPS = {"on_off": on_off_loop, "walk_stop_turn": walk_stop_turn_loop}
