"""Puffs of odour: how they are released, carried, scattered and how they grow.

The filament model of Farrell, Murlis, Long, Li & Carde (2002), Environmental Fluid Mechanics 2,
143-169: odour leaves the source as a sequence of puffs. Each puff is carried by the mean wind and
by its slow meander (coloured noise, the same everywhere at one time), moved relative to its
neighbours by eddies of the size of the plume and by a small-scale random walk, and grows as it
ages.

Positions are in the world frame: x downwind, y crosswind, mm, source at the origin.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from plumenav.recordings.synthesis._contract import generator
from plumenav.recordings.synthesis._params import PlumeParams


class Puffs(NamedTuple):
    """All puffs alive at one time.

    Attributes
    ----------
    x_mm, y_mm : ndarray, shape (n,), float64
        Centres.
    radius_mm : ndarray, shape (n,), float64
        Distance at which concentration is 1/e of the centre's: c exp(-(d / radius)**2).
    concentration : ndarray, shape (n,), float64
        At the centre, fraction of the source.
    released_s : ndarray, shape (n,), float64
        Time at the source; later than now for puffs that are still in the tube that leads there.
    """

    x_mm: np.ndarray
    y_mm: np.ndarray
    radius_mm: np.ndarray
    concentration: np.ndarray
    released_s: np.ndarray


def radius_mm(
    age_s: np.ndarray, physics: PlumeParams, pace: np.ndarray | float = 1.0
) -> np.ndarray:
    """Radius of puffs of an age, shape (n,), in mm.

    `diffusive`: r**2 = r0**2 + rate * age, rate in mm**2/s. `inertial`: r**(2/3) = r0**(2/3) +
    rate * age, rate in mm**(2/3)/s: Richardson's law of relative dispersion, as in Farrell et al.
    `pace` multiplies the rate of each puff, shape (n,).
    Both laws end at `largest_radius_mm`, the size of the flow's largest eddies.
    """
    r0 = physics.initial_radius_mm
    rate = physics.growth_rate * pace
    if physics.growth_law == "diffusive":
        radius = np.sqrt(r0**2 + rate * age_s)
    else:
        root = np.cbrt(r0) ** 2 + rate * age_s
        radius = root * np.sqrt(root)
    return np.minimum(radius, physics.largest_radius_mm)


def dilution(radius_mm: np.ndarray, physics: PlumeParams) -> np.ndarray:
    """Centre concentration relative to release, of puffs of a radius, shape (n,).

    The odour in a puff is conserved. It spreads in the image plane and, until its radius reaches
    the depth of the layer it can fill, across that plane too.
    """
    first = physics.initial_radius_mm
    deepest = max(first, physics.layer_depth_mm)
    return np.asarray((first / radius_mm) ** 2 * (first / np.minimum(radius_mm, deepest)))


def release_concentration(physics: PlumeParams) -> float:
    """Centre concentration of a puff at release.

    Chosen so that a straight row of equal puffs, `wind / rate` apart, has the time-mean
    concentration `source_concentration` on its axis: spacing / (sqrt(pi) * radius) times it.
    """
    spacing_mm = physics.wind_mm_s / physics.puff_rate_hz
    width_mm = math.sqrt(math.pi) * physics.initial_radius_mm
    return physics.source_concentration * spacing_mm / width_mm


class Meander:
    """Crosswind velocity of the whole air mass: a smooth stationary Gaussian process.

    Autocorrelation (1 + |t| / T) exp(-|t| / T): white noise through two equal low-pass filters,
    like Farrell et al.'s coloured noise, stepped exactly, so that its statistics do not depend on
    the time step.

    Parameters
    ----------
    sd_mm_s, time_s : float
        Standard deviation, and the time constant T.
    random : numpy.random.Generator
    """

    def __init__(self, sd_mm_s: float, time_s: float, random: np.random.Generator) -> None:
        self.rate_hz = 1.0 / time_s
        self.random = random
        self.stationary = np.diag([sd_mm_s**2, (sd_mm_s * self.rate_hz) ** 2])
        self.state = np.sqrt(np.diag(self.stationary)) * random.standard_normal(2)

    def step(self, dt_s: float) -> float:
        """Advance by a time step; returns the velocity in mm/s."""
        k = self.rate_hz
        a = math.exp(-k * dt_s) * np.array([[1 + k * dt_s, dt_s], [-k * k * dt_s, 1 - k * dt_s]])
        scatter = self.stationary - a @ self.stationary @ a.T
        noise = self.random.standard_normal(2)
        first = math.sqrt(max(scatter[0, 0], 0.0))
        second = scatter[1, 0] / first if first > 0 else 0.0
        rest = math.sqrt(max(scatter[1, 1] - second**2, 0.0))
        kick = np.array([first * noise[0], second * noise[0] + rest * noise[1]])
        self.state = a @ self.state + kick
        return float(self.state[0])


class Eddies:
    """Divergence-free velocity of eddies that drift with the wind (kinematic simulation).

    A sum of plane waves with random directions and phases, wavelengths spaced evenly in logarithm,
    energy per wave falling as wavenumber**(-2/3) (a -5/3 spectrum), each changing at
    `unsteadiness` times its own turnover rate: Fung, Hunt, Malik & Perkins (1992), J. Fluid Mech.
    236, 281-318, in the plane.

    Parameters
    ----------
    physics : PlumeParams
    random : numpy.random.Generator
    """

    def __init__(self, physics: PlumeParams, random: np.random.Generator) -> None:
        n = physics.eddy_modes if physics.eddy_mm_s > 0 else 0
        self.n = n
        self.wind_mm_s = physics.wind_mm_s
        length = np.geomspace(physics.eddy_largest_mm, physics.eddy_smallest_mm, max(n, 1))[:n]
        wavenumber = 2 * np.pi / length
        angle = random.uniform(0, 2 * np.pi, n)
        self.k_x, self.k_y = wavenumber * np.cos(angle), wavenumber * np.sin(angle)
        energy = wavenumber ** (-2 / 3)
        # each component has variance sum(a**2) / 4 on average over directions
        amplitude = 2 * physics.eddy_mm_s * np.sqrt(energy / max(energy.sum(), 1e-300))
        self.a_x, self.a_y = -amplitude * np.sin(angle), amplitude * np.cos(angle)
        self.omega = physics.eddy_unsteadiness * amplitude * wavenumber
        self.phase = random.uniform(0, 2 * np.pi, n)

    def velocity(
        self, x_mm: np.ndarray, y_mm: np.ndarray, time_s: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Velocity (mm/s) relative to the wind at some points, each of shape (n,)."""
        drifting = x_mm - self.wind_mm_s * time_s
        argument = np.multiply.outer(drifting, self.k_x) + np.multiply.outer(y_mm, self.k_y)
        wave = np.cos(argument + (self.omega * time_s + self.phase))
        # sums, not matrix products: their order does not depend on a library's threads
        return (wave * self.a_x).sum(axis=1), (wave * self.a_y).sum(axis=1)


def released(
    first_s: float, start_s: float, stop_s: float, physics: PlumeParams, random: np.random.Generator
) -> np.ndarray:
    """Times of release with places in (start_s, stop_s], evenly spaced from first_s and jittered.

    Puff number n has its place at first_s + n spacings and leaves up to `release_jitter` spacings
    (uniform) before it, so never before first_s. A call gives the puffs whose places are in its
    interval: the draws do not depend on how time is cut into steps.
    """
    spacing_s = 1.0 / physics.puff_rate_hz
    low = math.floor((start_s - first_s) / spacing_s + 1e-9) + 1
    high = math.floor((stop_s - first_s) / spacing_s + 1e-9)
    number = np.arange(max(low, 1), high + 1)
    late = random.random(len(number)) * physics.release_jitter
    return np.asarray(first_s + (number - late) * spacing_s)


def lognormal(sd: float, n: int, random: np.random.Generator) -> np.ndarray:
    """Numbers with mean 1 whose logarithm has standard deviation `sd`, shape (n,)."""
    return np.exp(sd * random.standard_normal(n) - sd * sd / 2)


def trace(
    physics: PlumeParams,
    seed: int,
    start_s: float,
    times_s: np.ndarray,
    leave_mm: float,
    cut: float,
) -> Iterator[Puffs]:
    """Follow the puffs and yield them at given times.

    Parameters
    ----------
    physics : PlumeParams
    seed : int
        Seed of the recording.
    start_s : float
        When emission begins: the tube fills; there are no puffs before.
    times_s : ndarray, shape (n,)
        Rising times at which the puffs are wanted.
    leave_mm : float
        Downwind end of the image.
    cut : float
        A puff is forgotten when it is `cut` radii beyond that end.

    Yields
    ------
    Puffs
    """
    streams = ("meander", "eddies", "release", "walk")
    r_meander, r_eddies, r_release, r_walk = (generator(seed, "filament", s) for s in streams)
    meander = Meander(physics.meander_mm_s, physics.meander_time_s, r_meander)
    eddies = Eddies(physics, r_eddies)
    x, y, born, strength, pace = (np.zeros(0) for _ in range(5))
    tube_s = physics.outlet_mm / physics.wind_mm_s
    now = formed_until = start_s
    for wanted in times_s:
        n_steps = max(0, math.ceil((wanted - now) / physics.max_step_s - 1e-9))
        for i in range(n_steps):
            later = now + (wanted - now) / (n_steps - i)
            fresh = released(start_s, formed_until, later + tube_s, physics, r_release)
            formed_until = later + tube_s
            x, y = np.append(x, np.zeros(len(fresh))), np.append(y, np.zeros(len(fresh)))
            born = np.append(born, fresh)
            strength = np.append(strength, lognormal(physics.strength_sd, len(fresh), r_release))
            pace = np.append(pace, lognormal(physics.growth_sd, len(fresh), r_release))
            aloft_s = np.maximum(later - born, 0.0)
            n_before = len(born) - len(fresh)
            aloft_s[:n_before] = np.minimum(aloft_s[:n_before], later - now)
            walk = np.sqrt(2 * physics.diffusivity_mm2_s * aloft_s)
            walk = walk * r_walk.standard_normal((2, len(x)))
            v = meander.step(later - now)
            e_x, e_y = eddies.velocity(x, y, now)
            x = x + (physics.wind_mm_s + e_x) * aloft_s + walk[0]
            y = y + (v + e_y) * aloft_s + walk[1]
            age_s = np.maximum(later - born, 0.0)
            keep = x < leave_mm + cut * radius_mm(age_s, physics, pace)
            x, y, born, strength, pace = (a[keep] for a in (x, y, born, strength, pace))
            now = later
        radius = radius_mm(np.maximum(wanted - born, 0.0), physics, pace)
        centre = release_concentration(physics) * strength * dilution(radius, physics)
        in_tube_mm = physics.wind_mm_s * np.minimum(wanted - born, 0.0)
        yield Puffs(x + in_tube_mm, y, radius, centre, born)
