"""Mean behaviour over time in open-loop recordings: the traces around an odour pulse.

Upwind speed, ground speed and angular speed around a pulse are the figure of merit of
Alvarez-Salvado et al. (2018) eLife 7:e37815, Fig. 1.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from plumenav.analysis.run_files import Chunks, chunk_files, plume_path, read_trajectories
from plumenav.tables import PlumeReader

# Sums are kept in whole millionths (of 1, mm/s, deg/s): sums of integers do not depend on their
# order, so the means do not depend on how the simulations were cut into chunks.
UNITS = 1_000_000


def signal_of(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Time (s, from the first sample) and concentration of a plume of kind signal.

    Returns
    -------
    time_s, concentration : ndarray, shape (n_frames,)
    """
    with PlumeReader(path) as reader:
        scale, offset = float(reader.metadata["scale"]), float(reader.metadata["offset"])
        stored = np.concatenate([block.frames[:, 0, 0] for block in reader.blocks()])
        time_s = reader.time_s - reader.time_s[0]
    return time_s, stored.astype(np.float64) * scale + offset


def interval_sums(rows: dict[str, np.ndarray], upwind: np.ndarray, n_frames: int) -> np.ndarray:
    """Sums over the intervals between consecutive recorded rows, by frame of the earlier row.

    Parameters
    ----------
    rows : dict of ndarray
        simulation, step, frame, time_s, x_mm, y_mm, heading_rad, odor; sorted by (simulation,
        step).
    upwind : ndarray, shape (2,)
        Unit vector against the wind.
    n_frames : int
        Frames of the signal.

    Returns
    -------
    ndarray of int64, shape (5, n_frames)
        Number of intervals; sums of upwind speed (mm/s), ground speed (mm/s), angular speed
        (deg/s) and odour, all in units of 1 / UNITS.
    """
    same = np.diff(rows["simulation"]) == 0
    frame = rows["frame"][:-1][same].astype(np.intp)
    dt = np.diff(rows["time_s"])[same]
    dx, dy = np.diff(rows["x_mm"])[same], np.diff(rows["y_mm"])[same]
    turned = np.abs(np.diff(rows["heading_rad"])[same])
    weights = (
        np.ones(len(dt)),
        (dx * upwind[0] + dy * upwind[1]) / dt,
        np.hypot(dx, dy) / dt,
        np.degrees(turned) / dt,
        rows["odor"][:-1][same].astype(np.float64),
    )
    sums = np.zeros((len(weights), n_frames), np.int64)
    for total, weight in zip(sums, weights, strict=True):
        np.add.at(total, frame, np.rint(weight * UNITS).astype(np.int64))
    return sums


def upwind_vector(wind: dict[str, Any]) -> np.ndarray:
    """Unit vector against the wind of a recording's `wind` section."""
    toward = np.radians(float(wind["toward_deg"]))
    return -np.array([np.cos(toward), np.sin(toward)])


def time_course_rows(
    root: Path,
    recording: str,
    agent: str,
    wind: dict[str, Any],
    chunks: Chunks | None = None,
) -> list[dict[str, Any]]:
    """Mean behaviour of an agent at each frame of a signal (columns of TIME_COURSES).

    Speeds are differences of recorded positions: how finely they resolve time is set by
    `record.every_s`. Frames at which no row was recorded are left out.
    """
    time_s, signal = signal_of(plume_path(root, recording))
    columns = ["frame", "time_s", "x_mm", "y_mm", "heading_rad", "odor"]
    sums = np.zeros((5, len(time_s)), np.int64)
    folder = root / "trajectories" / recording / agent
    # one file at a time: simulations do not span files, and memory stays at one chunk
    for file in chunk_files(folder, None if chunks is None else chunks[agent]):
        rows = read_trajectories(root, recording, agent, columns, chunks={agent: [file.stem]})
        sums += interval_sums(rows, upwind_vector(wind), len(time_s))
    result = []
    for frame in np.flatnonzero(sums[0]):
        n, upwind, ground, angular, odor = (int(total) / UNITS for total in sums[:, frame])
        result.append(
            {
                "frame": int(frame),
                "time_s": float(time_s[frame]),
                "signal": float(signal[frame]),
                "odor_mean": odor / n,
                "n": int(n),
                "upwind_speed_mm_s": upwind / n,
                "ground_speed_mm_s": ground / n,
                "angular_speed_deg_s": angular / n,
            }
        )
    return result
