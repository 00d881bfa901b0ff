"""What the kernel is told: codes, and the world of a run."""

from __future__ import annotations

from typing import NamedTuple

FRAME_SLACK_S = 1e-7  # absorbs rounding of time stamps, nothing else
EDGE_INSET_MM = 1e-3  # agents that stop at the edge stand inside it, whatever rounding says

# how a simulation ended
RUNNING, END_SOURCE, END_HORIZON, END_LEFT, END_MOVIE = 0, 1, 2, 3, 4
END_NAMES = ("running", "source", "horizon", "left", "movie")
# what went wrong with it
OK, NOT_FINITE = 0, 1
STATUS_NAMES = ("ok", "failed: position or heading not finite")
OPEN, REFLECT, ABSORB, HALT, TURN = 0, 1, 2, 3, 4
BOUNDARIES = {"open": OPEN, "reflect": REFLECT, "absorb": ABSORB, "stop": HALT, "turn": TURN}
LOOP, HOLD, STOP = 0, 1, 2
MOVIE_ENDS = {"loop": LOOP, "hold": HOLD, "stop": STOP}
NO_CONTROL, BLIND, BLANK, SHUFFLED = 0, 1, 2, 3
CONTROLS = {
    "none": NO_CONTROL,
    "blind": BLIND,
    "blank_region": BLANK,
    "shuffled": SHUFFLED,
}


class World(NamedTuple):
    """Numbers that are the same for all agents of a chunk (lengths in mm, times in s)."""

    mm_per_px: float
    source_row: float
    source_column: float
    height: float
    width: float
    x_min: float
    x_max: float
    y_min: float
    y_max: float
    bounded: bool
    scale: float
    offset: float
    first_frame: int  # of the part of the movie in which agents live
    end_frame: int
    period_s: float  # of that part
    bilinear: bool
    threshold: float
    dead_zone: float  # -inf: none
    bilateral: bool  # the sensor's two sides are told apart
    noise: float  # sd of the sensor's own noise; 0: none
    adaptation_tau_s: float  # 0: none
    adaptation_half: float
    control: int
    keeps_trace: bool  # donors of shuffled agents
    blank_row_low: float
    blank_row_high: float
    blank_column_low: float
    blank_column_high: float
    wind_x: float
    wind_y: float
    dt_s: float
    n_steps: int
    record_every: int
    success_radius: float
    stop_at_source: bool
    boundary: int
    boundary_margin: float
    movie_end: int
