"""How a laboratory would write the two fly models: a loop over agents, or arrays over agents.

Both do what the engine does, and record the same columns: sense in a movie that loops, decide,
move, see whether the step meets the source, sum up the track. Written for the benchmark and
compared with the engine step by step in its tests; models with published parameters, wind along
+x, open boundaries; arrival does not end a track.
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
SUMMARY = (
    *("path_mm", "closest_mm", "time_to_source_s"),
    *("encounters", "steps_in_plume", "steps_outside"),
)
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
    radius_mm : float
        Nearer to the origin is arrived.
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
    radius_mm: float

    @property
    def extent_mm(self) -> tuple[float, float, float, float]:
        """Outer edges of the image: x from, to, y from, to."""
        _, height, width = self.frames.shape
        return (
            (-0.5 - self.source_column) * self.mm_per_px,
            (width - 0.5 - self.source_column) * self.mm_per_px,
            (self.source_row - height + 0.5) * self.mm_per_px,
            (self.source_row + 0.5) * self.mm_per_px,
        )

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


ARRAYS = {"on_off": on_off_arrays, "walk_stop_turn": walk_stop_turn_arrays}
LOOPS = {"on_off": on_off_loop, "walk_stop_turn": walk_stop_turn_loop}
