"""How the values of the preset `smooth` were found; run again to find them for another movie.

    python -c "import logging; logging.basicConfig(level='INFO')
    from plumenav.recordings.synthesis._calibration import PLIF, START, calibrate
    calibrate(PLIF, START, seed=1, evaluations=60)"

The physics is changed, never the numbers that come out of it: a simplex search over a few
parameters makes the statistics of the rendered movie, noise included, those of a real one. What was
then rounded or moved by hand is said in docs/synthesis.md.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping

import numpy as np

from plumenav.recordings.synthesis._contract import generator
from plumenav.recordings.synthesis._geometry import file_pixels, view_of
from plumenav.recordings.synthesis._truth import PERCENTILES
from plumenav.recordings.synthesis.filament import (
    Params,
    concentration_frames,
    puffs_of,
)

log = logging.getLogger(__name__)

# Whole-movie statistics published for the standard PLIF movie (fraction of source).
PLIF = {"mean": 0.059, "median": 0.038, "p95": 0.190, "p99": 0.325}

# Free parameters and where the search begins. Wind, size, rate and noise are known; eddies, meander
# time and release are set by eye (slow meander, smooth plume) and stay.
START = {
    "growth_rate": 4.0,
    "growth_sd": 0.2,
    "initial_radius_mm": 7.5,
    "layer_depth_mm": 10.8,
    "meander_mm_s": 12.0,
    "eddy_mm_s": 12.0,
    "diffusivity_mm2_s": 47.0,
}

# Upstream corners that stay clean: this far downwind at most, and this far off the centreline, mm.
CORNER_MM = (22.0, 56.0)
CLEAN = 0.001
CORNER_WEIGHT = 0.01


def sampled_movie(params: Params, seed: int, every: int) -> np.ndarray:
    """Every so many true frames, shape (n, height, width), float32."""
    return np.stack(list(concentration_frames(params, seed, every)))


def statistics(
    frames: np.ndarray, noise_sd: float, seed: int, names: Mapping[str, float]
) -> dict[str, float]:
    """Statistics of frames with sensor noise added.

    Parameters
    ----------
    frames : ndarray, shape (n, height, width), float32
    noise_sd : float
        Standard deviation of the noise added.
    seed : int
        Seed of that noise.
    names : mapping
        Which ones: mean, or a name of _truth.PERCENTILES.
    """
    random = generator(seed, "calibration", "noise")
    noisy = random.standard_normal(frames.shape, dtype=np.float32)
    noisy *= np.float32(noise_sd)
    noisy += frames
    levels = [name for name in names if name != "mean"]
    values = np.percentile(noisy, [PERCENTILES[name] for name in levels])
    found = {name: float(value) for name, value in zip(levels, values, strict=True)}
    return found | {"mean": float(noisy.mean(dtype=np.float64))}


def corner_concentration(params: Params, seed: int) -> float:
    """Largest concentration at the inner ends of the two upstream corners, over all frames.

    Computed from the puffs at two points, so that no frame need be rendered.
    """
    view = view_of(params)
    x_px, y_px = CORNER_MM[0] / params.mm_per_px, CORNER_MM[1] / params.mm_per_px
    highest = 0.0
    for puffs in puffs_of(params, seed):
        row, column = file_pixels(puffs.x_mm, puffs.y_mm, view)
        radius = puffs.radius_mm / params.mm_per_px
        for side in (-1, 1):
            d2 = (row - view.source_row_px - x_px) ** 2
            d2 = d2 + (column - view.source_column_px - side * y_px) ** 2
            value = (puffs.concentration * np.exp(-d2 / radius**2)).sum()
            highest = max(highest, float(value))
    return highest


def misfit(found: Mapping[str, float], target: Mapping[str, float], corner: float) -> float:
    """Sum of squared log ratios to the target, plus a price for odour in the corners."""
    ratios = [math.log(max(found[name], 1e-9) / value) for name, value in target.items()]
    dirty = max(0.0, math.log(max(corner, 1e-12) / CLEAN))
    return sum(ratio * ratio for ratio in ratios) + CORNER_WEIGHT * dirty


def calibrate(
    target: Mapping[str, float],
    start: Mapping[str, float],
    seed: int,
    evaluations: int,
    base: Params | None = None,
    every: int = 60,
) -> tuple[dict[str, float], float]:
    """Find parameters whose movie has given statistics.

    Parameters
    ----------
    target : mapping
        mean and percentiles (names of _truth.PERCENTILES) of the whole movie, noise included.
    start : mapping
        Free parameters and their first values; all positive, searched in their logarithms.
    seed : int
        Seed of the recording; the search is deterministic.
    evaluations : int
        Number of movies that may be tried.
    base : Params, optional
        The other parameters; the preset `smooth`.
    every : int
        Every so many frames are rendered.

    Returns
    -------
    dict, float
        The best parameters, and their misfit.
    """
    from scipy.optimize import minimize

    fixed = base or Params()
    names = list(start)
    first = np.log([start[name] for name in names])

    def values_at(point: np.ndarray) -> dict[str, float]:
        return {name: math.exp(v) for name, v in zip(names, point, strict=True)}

    def cost(point: np.ndarray) -> float:
        params = fixed.model_copy(update=values_at(point))
        frames = sampled_movie(params, seed, every)
        found = statistics(frames, params.noise_sd, seed, target)
        corner = corner_concentration(params, seed)
        result = misfit(found, target, corner)
        log.info("%.5f %s corner %.5f at %s", result, found, corner, values_at(point))
        return result

    simplex = np.vstack([first, first + 0.15 * np.eye(len(names))])
    found = minimize(
        cost,
        first,
        method="Nelder-Mead",
        options={"maxfev": evaluations, "initial_simplex": simplex},
    )
    return values_at(found.x), float(found.fun)
