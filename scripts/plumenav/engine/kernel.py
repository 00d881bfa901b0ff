"""The loop that moves agents through one block of a plume.

This file is real code for one model and one field, and the template of all others: compiling.py
writes a copy in which the two imports marked [model] and [field] and the part marked [generated]
are those of the wanted pair. Order inside a step: docs/conventions.md. No allocation, no
exceptions.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from plumenav.engine.fields import movie as field  # [field]
from plumenav.engine.geometry import (
    arrival_fraction,
    fold,
    free_fraction,
    outside,
    wall_normal,
    wind_at,
)
from plumenav.engine.jit import compiled
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
from plumenav.models import correlated_random_walk as model  # [model]
from plumenav.models._contract import Observation, declared
from plumenav.models._math import normal
from plumenav.rng import ENGINE_BLOCK, FIELD_BLOCK, SENSOR_BLOCK

model_step = compiled(model.step, inlined=True)
field_value = compiled(field.value, inlined=True)
normal_number = compiled(normal)
# constants to the compiler: who does not draw, or has no sides, pays nothing
field_draws = field.DRAWS
has_image = field.BOUNDED
bilateral = declared(model, "BILATERAL")


# [generated]
@njit(inline="always")
def load_state(states: Any, i: int) -> Any:
    """Return the state of agent i."""
    return model.State(states[i, 0])


@njit(inline="always")
def store_state(states: Any, i: int, state: Any) -> None:
    """Keep the state of agent i."""
    states[i, 0] = state[0]


@njit(inline="always")
def draw(key: Any, step: Any) -> Any:
    """Return the noise of one step."""
    a0, a1, _, _ = philox_block(key, step, np.uint64(0))
    return model.Noise(uniform(a0), uniform(a1))


@njit(inline="always")
def decide(
    observation: Any,
    state: Any,
    constants: Any,
    noise: Any,
    dt_s: float,
    memories: Any,
    i: int,
    tables: Any,
) -> Any:
    """Let the model take one step."""
    return model_step(observation, state, constants, noise, dt_s)


# [/generated]


@njit(inline="always")
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
    if field_draws:
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
        if bilateral and 2 * j + 2 == n:
            total_left = total
    reading = total / n
    if not bilateral:
        return reading, reading, reading
    return reading, total_left / (n // 2), (total - total_left) / (n // 2)


@njit(inline="always")
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
        if bilateral:
            left += noise
            noise_right = w.noise * normal_number(uniform(a2), uniform(a3))
            right += noise_right
            noise = (noise + noise_right) / 2.0
        reading += noise
    reading = reading if reading >= w.dead_zone else 0.0
    if not bilateral:
        return reading, reading, reading
    left = left if left >= w.dead_zone else 0.0
    right = right if right >= w.dead_zone else 0.0
    return reading, left, right


@njit(nogil=True, cache=True, error_model="numpy")
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
    constants: Any,
    tables: Any,
    field_constants: Any,
    agents: Any,
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
    constants, tables, field_constants : NamedTuple
        Of the model, of the model, of the field.
    agents : settings.Agents
        Everything that changes, one entry per agent.
    rows : settings.Rows
        Where to record, shape (n_agents, capacity).

    Returns
    -------
    int
        How many agents stopped only because their rows were full.
    """
    end_frame = first_frame + frames.shape[0]
    # arrays by names of their own: taken out of a tuple, each use would be counted
    row_step = rows.step
    row_frame = rows.frame
    row_x = rows.x
    row_y = rows.y
    row_heading = rows.heading
    row_odor = rows.odor
    row_behaviour = rows.behaviour
    row_state = rows.state
    states = agents.state
    memory = agents.memory
    trace = agents.trace
    capacity = row_step.shape[1]
    waiting = 0
    for i in range(first, last):
        if agents.end[i] != RUNNING or agents.wraps[i] != pass_number:
            continue
        if agents.frame[i] < first_frame or agents.frame[i] >= end_frame:
            continue
        key = agents.key[i]
        elapsed0 = movie_time[agents.start_frame[i]]
        x = agents.x[i]
        y = agents.y[i]
        heading = agents.heading[i]
        behaviour = agents.behaviour[i]
        frame = agents.frame[i]
        wraps = agents.wraps[i]
        state = load_state(agents.state, i)
        adapted = agents.adapted[i]
        path = agents.path[i]
        closest2 = agents.closest2[i]
        n_rows = rows.filled[i]
        in_plume = agents.in_plume[i] != 0
        encounters = agents.encounters[i]
        steps_in_plume = agents.steps_in_plume[i]
        steps_outside = agents.steps_outside[i]
        clipped = agents.clipped[i]
        arrived = agents.arrived[i] != 0
        step = agents.step[i]
        end = RUNNING
        while True:
            if step >= w.n_steps:
                end = END_HORIZON
                break
            # ---- which frame is seen now
            elapsed = elapsed0 + step * w.dt_s - wraps * w.period_s
            if elapsed + FRAME_SLACK_S >= w.period_s:
                if w.movie_end == LOOP:
                    while elapsed + FRAME_SLACK_S >= w.period_s:
                        wraps += 1
                        elapsed = elapsed0 + step * w.dt_s - wraps * w.period_s
                    frame = w.first_frame
                elif w.movie_end == STOP:
                    end = END_MOVIE
                    break
            while frame + 1 < w.end_frame and movie_time[frame + 1] <= elapsed + FRAME_SLACK_S:
                frame += 1
            if frame >= end_frame or wraps != pass_number:
                break
            due = step % w.record_every == 0
            if due and n_rows == capacity:
                waiting += 1
                break
            # ---- sense
            if w.control == SHUFFLED:
                odor = trace[i, step, 0]
                odor_left = odor
                odor_right = odor
                if bilateral:
                    odor_left = trace[i, step, 1]
                    odor_right = trace[i, step, 2]
            else:
                odor, odor_left, odor_right = sense(
                    frames,
                    frame - first_frame,
                    x,
                    y,
                    heading,
                    points,
                    w,
                    field_constants,
                    key,
                    step,
                )
                if w.adaptation_tau_s > 0.0:
                    gain = w.adaptation_half / (w.adaptation_half + adapted)
                    adapted = max(0.0, adapted + (odor - adapted) * w.dt_s / w.adaptation_tau_s)
                    odor *= gain
                    odor_left *= gain
                    odor_right *= gain
                if w.keeps_trace:
                    trace[i, step, 0] = odor
                    if bilateral:
                        trace[i, step, 1] = odor_left
                        trace[i, step, 2] = odor_right
            # ---- record
            if due:
                row_step[i, n_rows] = step
                row_frame[i, n_rows] = frame
                row_x[i, n_rows] = x
                row_y[i, n_rows] = y
                row_heading[i, n_rows] = heading
                row_odor[i, n_rows] = odor
                row_behaviour[i, n_rows] = behaviour
                if row_state.shape[2] > 0:
                    store_state(states, i, state)
                    # element by element: an array assignment costs seconds of compilation
                    for v in range(row_state.shape[2]):
                        row_state[i, n_rows, v] = states[i, v]
                n_rows += 1
            if odor >= w.threshold:
                steps_in_plume += 1
                if not in_plume:
                    encounters += 1
                in_plume = True
            else:
                in_plume = False
            if outside(x, y, w):
                steps_outside += 1
            # ---- decide
            wind_x, wind_y = wind_at(winds, frame - first_frame, x, y, w)
            observation = Observation(
                odor,
                odor_left,
                odor_right,
                w.threshold,
                wind_x,
                wind_y,
                heading,
                step * w.dt_s,
                x,
                y,
            )
            noise = draw(key, np.uint64(step))
            action, state = decide(observation, state, constants, noise, w.dt_s, memory, i, tables)
            behaviour = action.behaviour
            clipped += action.clipped
            new_heading = action.heading_rad
            # ---- move
            x1 = x + action.velocity_x_mm_s * w.dt_s
            y1 = y + action.velocity_y_mm_s * w.dt_s
            if not (math.isfinite(x1) and math.isfinite(y1) and math.isfinite(new_heading)):
                agents.status[i] = NOT_FINITE
                end = END_HORIZON
                break
            length = math.sqrt((x1 - x) * (x1 - x) + (y1 - y) * (y1 - y))
            # ---- bound
            if w.boundary == REFLECT and outside(x1, y1, w):
                while x1 < w.x_min or x1 > w.x_max:
                    x1 = 2.0 * (w.x_min if x1 < w.x_min else w.x_max) - x1
                    new_heading = math.pi - new_heading
                while y1 < w.y_min or y1 > w.y_max:
                    y1 = 2.0 * (w.y_min if y1 < w.y_min else w.y_max) - y1
                    new_heading = -new_heading
            elif w.boundary == HALT and w.bounded:
                s = min(
                    free_fraction(x, x1, w.x_min + EDGE_INSET_MM, w.x_max - EDGE_INSET_MM),
                    free_fraction(y, y1, w.y_min + EDGE_INSET_MM, w.y_max - EDGE_INSET_MM),
                )
                if s < 1.0:
                    x1 = x + s * (x1 - x)
                    y1 = y + s * (y1 - y)
                    length *= s
            elif w.boundary == TURN and w.bounded:
                margin = w.boundary_margin
                normal_x = wall_normal(x, x1, w.x_min + margin, w.x_max - margin)
                normal_y = wall_normal(y, y1, w.y_min + margin, w.y_max - margin)
                if normal_x != 0.0 or normal_y != 0.0:
                    u = uniform(philox_block(key, np.uint64(step), np.uint64(ENGINE_BLOCK))[0])
                    free = math.pi if normal_x == 0.0 or normal_y == 0.0 else math.pi / 2.0
                    new_heading = math.atan2(normal_y, normal_x) + free * (u - 0.5)
                    x1 = x
                    y1 = y
                    length = 0.0
            # ---- arrive
            if not arrived:
                s = arrival_fraction(x, y, x1, y1, w.success_radius)
                if s >= 0.0:
                    arrived = True
                    agents.arrived[i] = 1
                    agents.time_to_source[i] = (step + s) * w.dt_s
                    closest2 = min(closest2, w.success_radius * w.success_radius)
                    if w.stop_at_source:
                        x = x + s * (x1 - x)
                        y = y + s * (y1 - y)
                        path += s * length
                        step += 1
                        end = END_SOURCE
                        break
            path += length
            x = x1
            y = y1
            closest2 = min(closest2, x * x + y * y)
            heading = new_heading
            step += 1
            if w.boundary == ABSORB and outside(x, y, w):
                end = END_LEFT
                break
        agents.x[i] = x
        agents.y[i] = y
        agents.heading[i] = heading
        agents.behaviour[i] = behaviour
        agents.frame[i] = frame
        agents.wraps[i] = wraps
        agents.step[i] = step
        agents.adapted[i] = adapted
        agents.path[i] = path
        agents.closest2[i] = closest2
        agents.end[i] = end
        rows.filled[i] = n_rows
        agents.in_plume[i] = in_plume
        agents.encounters[i] = encounters
        agents.steps_in_plume[i] = steps_in_plume
        agents.steps_outside[i] = steps_outside
        agents.clipped[i] = clipped
        store_state(agents.state, i, state)
    return waiting
