"""The loop that moves agents through one block of a plume.

This file is real code for movies, and the template for all other fields: compiling.py writes a copy
in which the import marked [field] is that of fields that are called by their address
(engine/called_field.py). Models always are (engine/stepper.py). Order inside a step:
docs/conventions.md. No allocation, no exceptions.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from plumenav.engine.calling import call
from plumenav.engine.fields import movie as field  # [field]
from plumenav.engine.geometry import (
    arrival_fraction,
    fold,
    free_fraction,
    near_source,
    outside,
    wall_normal,
    wind_at,
)
from plumenav.engine.inner import inner
from plumenav.engine.jit import compiled
from plumenav.engine.layout import (
    ADAPTED,
    AGENT,
    ARRIVED,
    BEHAVIOUR,
    CLOSEST2,
    ENCOUNTERS,
    END,
    FILLED,
    FRAME,
    HEADING,
    IN_PLUME,
    LANES,
    LEAVES,
    N_OF_A_STEP,
    NEW_HEADING,
    NEXT_ROW,
    ODOR,
    ODOR_LEFT,
    ODOR_RIGHT,
    OFFSET_S,
    PATH,
    STATUS,
    STEP,
    STEPS_IN_PLUME,
    STEPS_OUTSIDE,
    TIME_TO_SOURCE,
    VELOCITY_X,
    VELOCITY_Y,
    WIND_X,
    WIND_Y,
    WRAPS,
    X,
    Y,
)
from plumenav.engine.philox import philox_block, uniform
from plumenav.engine.prefetch import prefetch
from plumenav.engine.settings import (
    ABSORB,
    BLANK,
    BLIND,
    EDGE_INSET_MM,
    END_HORIZON,
    END_LEFT,
    END_MOVIE,
    END_SOURCE,
    FRAME_SLACK_S,
    HALT,
    LOOP,
    NOT_FINITE,
    REFLECT,
    RUNNING,
    SHUFFLED,
    STOP,
    TURN,
)
from plumenav.engine.trigonometry import cos, sin
from plumenav.models._math import normal
from plumenav.rng import ENGINE_BLOCK, FIELD_BLOCK, SENSOR_BLOCK

field_value = compiled(field.value, inlined=True, counted=False, inner=True)
normal_number = compiled(normal, counted=False, inner=True)
# a constant to the compiler
has_image = field.BOUNDED


@inner
def sample(
    frames: Any,
    k: int,
    x: float,
    y: float,
    heading: float,
    points: Any,
    w: Any,
    field_constants: Any,
    key: Any,
    step: int,
) -> tuple[float, float, float]:
    """Concentration at the sensor: mean, left, right (three times the mean if it has one side)."""
    chance = 0.0
    if w.field_draws:
        chance = uniform(philox_block(key, np.uint64(step), np.uint64(FIELD_BLOCK))[0])
    cos_h = 1.0
    sin_h = 0.0
    n = points.shape[0]
    centred = n == 1 and points[0, 0] == 0.0 and points[0, 1] == 0.0
    if not centred:
        cos_h = cos(heading)
        sin_h = sin(heading)
    total = 0.0
    total_left = 0.0
    for j in range(n):
        px = x
        py = y
        if not centred:
            forward = points[j, 0]
            left = points[j, 1]
            px = x + forward * cos_h - left * sin_h
            py = y + forward * sin_h + left * cos_h
        column = px / w.mm_per_px + w.source_column
        row = w.source_row - py / w.mm_per_px
        if w.control == BLANK:
            row = fold(row, w.blank_row_low, w.blank_row_high)
            column = fold(column, w.blank_column_low, w.blank_column_high)
        elif w.bounded and not (
            row >= -0.5 and row < w.height - 0.5 and column >= -0.5 and column < w.width - 0.5
        ):
            return 0.0, 0.0, 0.0
        stored = field_value(
            frames, k, row, column, px, py, w.bilinear, field_constants, chance, w.dt_s
        )
        if has_image:
            # an agent is nearly there when the next frame is shown
            prefetch(frames, k + 1, int(row), int(column))
            prefetch(frames, k + 1, int(row) + 1, int(column))
        total += stored * w.scale + w.offset
        if 2 * j + 2 == n:
            total_left = total
    # most have one point, and a division takes long
    reading = total if n == 1 else total / n
    if not w.bilateral:
        return reading, reading, reading
    return reading, total_left / (n // 2), (total - total_left) / (n // 2)


@inner
def sense(
    frames: Any,
    k: int,
    x: float,
    y: float,
    heading: float,
    points: Any,
    w: Any,
    field_constants: Any,
    key: Any,
    step: int,
) -> tuple[float, float, float]:
    """Sensor reading after noise and dead zone: mean, left, right."""
    if w.control == BLIND:
        return 0.0, 0.0, 0.0
    reading, left, right = sample(frames, k, x, y, heading, points, w, field_constants, key, step)
    if w.noise > 0.0:
        a0, a1, a2, a3 = philox_block(key, np.uint64(step), np.uint64(SENSOR_BLOCK))
        noise = w.noise * normal_number(uniform(a0), uniform(a1))
        if w.bilateral:
            left += noise
            noise_right = w.noise * normal_number(uniform(a2), uniform(a3))
            right += noise_right
            noise = (noise + noise_right) / 2.0
        reading += noise
    reading = reading if reading >= w.dead_zone else 0.0
    if not w.bilateral:
        return reading, reading, reading
    left = left if left >= w.dead_zone else 0.0
    right = right if right >= w.dead_zone else 0.0
    return reading, left, right


@inner
def seen_frame(
    frame: int, wraps: int, elapsed0: float, step: int, movie_time: Any, w: Any
) -> tuple[int, int, bool]:
    """Which frame an agent sees in a step, how often the movie has begun again, is it over."""
    elapsed = elapsed0 + step * w.dt_s - wraps * w.period_s
    if elapsed + FRAME_SLACK_S >= w.period_s:
        if w.movie_end == LOOP:
            while elapsed + FRAME_SLACK_S >= w.period_s:
                wraps += 1
                elapsed = elapsed0 + step * w.dt_s - wraps * w.period_s
            frame = w.first_frame
        elif w.movie_end == STOP:
            return frame, wraps, True
    # the first time without a branch: agents side by side change frames in no order
    following = min(frame + 1, w.end_frame - 1)
    frame += (following > frame) & (movie_time[following] <= elapsed + FRAME_SLACK_S)
    while frame + 1 < w.end_frame and movie_time[frame + 1] <= elapsed + FRAME_SLACK_S:
        frame += 1
    return frame, wraps, False


@inner
def confined(
    x: float,
    y: float,
    x1: float,
    y1: float,
    heading: float,
    length: float,
    key: Any,
    step: int,
    w: Any,
) -> tuple[float, float, float, float]:
    """Where a step ends that meets the edge; with the new heading, and the length of the way."""
    if w.boundary == REFLECT:
        if outside(x1, y1, w):
            while x1 < w.x_min or x1 > w.x_max:
                x1 = 2.0 * (w.x_min if x1 < w.x_min else w.x_max) - x1
                heading = math.pi - heading
            while y1 < w.y_min or y1 > w.y_max:
                y1 = 2.0 * (w.y_min if y1 < w.y_min else w.y_max) - y1
                heading = -heading
    elif w.boundary == HALT:
        s = min(
            free_fraction(x, x1, w.x_min + EDGE_INSET_MM, w.x_max - EDGE_INSET_MM),
            free_fraction(y, y1, w.y_min + EDGE_INSET_MM, w.y_max - EDGE_INSET_MM),
        )
        if s < 1.0:
            x1 = x + s * (x1 - x)
            y1 = y + s * (y1 - y)
            length *= s
    elif w.boundary == TURN:
        margin = w.boundary_margin
        normal_x = wall_normal(x, x1, w.x_min + margin, w.x_max - margin)
        normal_y = wall_normal(y, y1, w.y_min + margin, w.y_max - margin)
        if normal_x != 0.0 or normal_y != 0.0:
            u = uniform(philox_block(key, np.uint64(step), np.uint64(ENGINE_BLOCK))[0])
            free = math.pi if normal_x == 0.0 or normal_y == 0.0 else math.pi / 2.0
            heading = math.atan2(normal_y, normal_x) + free * (u - 0.5)
            x1 = x
            y1 = y
            length = 0.0
    return x1, y1, heading, length


@njit(nogil=True, cache=True, error_model="numpy", _nrt=False, no_cfunc_wrapper=True)
def advance(
    first: int,
    last: int,
    frames: Any,
    winds: Any,
    first_frame: int,
    movie_time: Any,
    pass_number: int,
    points: Any,
    w: Any,
    field_constants: Any,
    decide: int,
    arguments: int,
    agents: Any,
    lanes: Any,
    rows: Any,
) -> int:
    """Move agents first..last-1 until they leave this block, end, or fill their rows.

    Parameters
    ----------
    first, last : int
        Range of agents.
    frames : ndarray, shape (n, height, width)
        The block; its first frame is number `first_frame` of the movie.
    winds : ndarray, shape (n, 2, height, width)
        Recorded wind in these frames, mm/s; n = 1: the same in all; n = 0: uniform.
    movie_time : ndarray, shape (all frames,)
        Seconds since the first frame of the part of the movie in which agents live.
    pass_number : int
        How often the movie was already shown from its beginning.
    points : ndarray, shape (n_points, 2)
        The sensor in the body frame, mm; of a paired one, the left half first.
    w : settings.World
    field_constants : NamedTuple
        Of the field.
    decide, arguments : int
        Address of the model's stepper, and of what it reads (engine/stepping.py).
    agents : layout.Agents
        Everything that changes, one entry per agent.
    lanes : layout.Lanes
        Of this thread.
    rows : layout.Rows
        Where to record.

    Returns
    -------
    int
        How many agents stopped only because their rows were full.
    """
    end_frame = first_frame + frames.shape[0]
    # arrays by names of their own: taken out of a tuple, each use would be counted
    keys = agents.key
    resting_numbers = agents.numbers
    resting_counts = agents.counts
    states = agents.state
    trace = agents.trace
    numbers = lanes.numbers
    counts = lanes.counts
    row_codes = rows.codes
    row_numbers = rows.numbers
    first_row = rows.first
    capacity = row_codes.shape[1]
    variables = row_numbers.shape[2] - 4
    waiting = 0
    n = 0
    sensed = 0
    following = first
    while True:
        # ---- agents come into free lanes
        while n < LANES and following < last:
            if (
                resting_counts[following, END // LANES] == RUNNING
                and resting_counts[following, WRAPS // LANES] == pass_number
                and resting_counts[following, FRAME // LANES] >= first_frame
                and resting_counts[following, FRAME // LANES] < end_frame
            ):
                for v in range(resting_numbers.shape[1]):
                    numbers[v * LANES + n] = resting_numbers[following, v]
                for v in range(resting_counts.shape[1]):
                    counts[v * LANES + n] = resting_counts[following, v]
                counts[AGENT + n] = following
                counts[LEAVES + n] = 0
                numbers[WIND_X + n] = w.wind_x
                numbers[WIND_Y + n] = w.wind_y
                n += 1
            following += 1
        if n == 0:
            return waiting
        # ---- all lanes have decided, or there are fresh ones
        decided = sensed == n
        if decided:
            call(decide, n, arguments)
            sensed = 0
        leaving = 0
        # from 0: the compiler sees that no index is negative
        for lane in range(n):
            if lane < sensed:
                continue
            agent = np.uint64(counts[AGENT + lane])
            key = keys[agent]
            x = numbers[X + lane]
            y = numbers[Y + lane]
            heading = numbers[HEADING + lane]
            step = counts[STEP + lane]
            if decided:
                # ---- move
                x1 = x + numbers[VELOCITY_X + lane] * w.dt_s
                y1 = y + numbers[VELOCITY_Y + lane] * w.dt_s
                new_heading = numbers[NEW_HEADING + lane]
                if not (math.isfinite(x1) and math.isfinite(y1) and math.isfinite(new_heading)):
                    counts[STATUS + lane] = NOT_FINITE
                    counts[END + lane] = END_HORIZON
                    counts[LEAVES + lane] = 1
                    leaving += 1
                    continue
                length = math.sqrt((x1 - x) * (x1 - x) + (y1 - y) * (y1 - y))
                # ---- bound
                if w.boundary != 0 and w.bounded:
                    x1, y1, new_heading, length = confined(
                        x, y, x1, y1, new_heading, length, key, step, w
                    )
                # ---- arrive
                closest2 = numbers[CLOSEST2 + lane]
                step += 1
                if near_source(x, y, length, w.success_radius) and counts[ARRIVED + lane] == 0:
                    s = arrival_fraction(x, y, x1, y1, w.success_radius)
                    if s >= 0.0:
                        counts[ARRIVED + lane] = 1
                        numbers[TIME_TO_SOURCE + lane] = (step - 1 + s) * w.dt_s
                        closest2 = min(closest2, w.success_radius * w.success_radius)
                        numbers[CLOSEST2 + lane] = closest2
                        if w.stop_at_source:
                            numbers[X + lane] = x + s * (x1 - x)
                            numbers[Y + lane] = y + s * (y1 - y)
                            numbers[PATH + lane] += s * length
                            counts[STEP + lane] = step
                            counts[END + lane] = END_SOURCE
                            counts[LEAVES + lane] = 1
                            leaving += 1
                            continue
                numbers[PATH + lane] += length
                x = x1
                y = y1
                heading = new_heading
                numbers[X + lane] = x
                numbers[Y + lane] = y
                numbers[HEADING + lane] = heading
                numbers[CLOSEST2 + lane] = min(closest2, x * x + y * y)
                counts[STEP + lane] = step
                if w.boundary == ABSORB and outside(x, y, w):
                    counts[END + lane] = END_LEFT
                    counts[LEAVES + lane] = 1
                    leaving += 1
                    continue
            if step >= w.n_steps:
                counts[END + lane] = END_HORIZON
                counts[LEAVES + lane] = 1
                leaving += 1
                continue
            # ---- which frame is seen now
            frame, wraps, over = seen_frame(
                counts[FRAME + lane],
                counts[WRAPS + lane],
                numbers[OFFSET_S + lane],
                step,
                movie_time,
                w,
            )
            counts[FRAME + lane] = frame
            counts[WRAPS + lane] = wraps
            due = step == counts[NEXT_ROW + lane]
            filled = counts[FILLED + lane]
            full = due and filled == capacity
            if over:
                counts[END + lane] = END_MOVIE
            elif full and frame < end_frame and wraps == pass_number:
                waiting += 1
            if over or full or frame >= end_frame or wraps != pass_number:
                counts[LEAVES + lane] = 1
                leaving += 1
                continue
            # ---- sense
            k = frame - first_frame
            if w.control == SHUFFLED:
                odor = trace[agent, step, 0]
                odor_left = odor
                odor_right = odor
                if w.bilateral:
                    odor_left = trace[agent, step, 1]
                    odor_right = trace[agent, step, 2]
            else:
                odor, odor_left, odor_right = sense(
                    frames, k, x, y, heading, points, w, field_constants, key, step
                )
                if w.adaptation_tau_s > 0.0:
                    adapted = numbers[ADAPTED + lane]
                    gain = w.adaptation_half / (w.adaptation_half + adapted)
                    numbers[ADAPTED + lane] = max(
                        0.0, adapted + (odor - adapted) * w.dt_s / w.adaptation_tau_s
                    )
                    odor *= gain
                    odor_left *= gain
                    odor_right *= gain
                if w.keeps_trace:
                    trace[agent, step, 0] = odor
                    if w.bilateral:
                        trace[agent, step, 1] = odor_left
                        trace[agent, step, 2] = odor_right
            # ---- record
            if due:
                place = agent - first_row
                row_codes[place, filled, 0] = step
                row_codes[place, filled, 1] = frame
                row_codes[place, filled, 2] = counts[BEHAVIOUR + lane]
                row_numbers[place, filled, 0] = x
                row_numbers[place, filled, 1] = y
                row_numbers[place, filled, 2] = heading
                row_numbers[place, filled, 3] = odor
                for v in range(variables):
                    row_numbers[place, filled, 4 + v] = states[agent, v]
                counts[FILLED + lane] = filled + 1
                counts[NEXT_ROW + lane] = step + w.record_every
            in_plume = np.int64(odor >= w.threshold)
            counts[STEPS_IN_PLUME + lane] += in_plume
            counts[ENCOUNTERS + lane] += in_plume & (1 - counts[IN_PLUME + lane])
            counts[IN_PLUME + lane] = in_plume
            if outside(x, y, w):
                counts[STEPS_OUTSIDE + lane] += 1
            numbers[ODOR + lane] = odor
            if w.bilateral:
                numbers[ODOR_LEFT + lane] = odor_left
                numbers[ODOR_RIGHT + lane] = odor_right
            if winds.shape[0] > 0:
                numbers[WIND_X + lane], numbers[WIND_Y + lane] = wind_at(winds, k, x, y, w)
        # ---- agents leave; the last lane takes the place of one that is free
        for lane in range(n - 1 if leaving else -1, -1, -1):
            if counts[LEAVES + lane] != 0:
                agent = counts[AGENT + lane]
                for v in range(resting_numbers.shape[1]):
                    resting_numbers[agent, v] = numbers[v * LANES + lane]
                for v in range(resting_counts.shape[1]):
                    resting_counts[agent, v] = counts[v * LANES + lane]
                n -= 1
                for v in range(resting_numbers.shape[1] + N_OF_A_STEP):
                    numbers[v * LANES + lane] = numbers[v * LANES + n]
                for v in range(resting_counts.shape[1] + 2):
                    counts[v * LANES + lane] = counts[v * LANES + n]
        sensed = n
