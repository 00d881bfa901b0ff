"""What a way of choosing starts is.

A file of this folder defines
    Params : a StartParams; its keys stand beside `kind` in the config's `simulation.start`
    places(params, replicate, u) -> (x_mm, y_mm) : arrays, from the numbers of the simulations and
        two uniform numbers of each, shape (n, 2)
    outline(params) -> ndarray, shape (m, 2) : corners of the area that holds all places, mm, closed
    closest_mm(params) -> float : distance of the nearest possible place from the source
    words(params) -> str : where that is, in a few words, for captions
and, where places or times depend on more than that,
    chosen(params, asked, scene) -> Starts : takes the place of `places`
    own(params) -> str : which headings and start frames it gives itself, for captions; may be empty
Headings and start frames are drawn the same way for all kinds, unless `chosen` changes them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, NamedTuple, Protocol

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict

from plumenav import registry


def _rising(value: tuple[float, float]) -> tuple[float, float]:
    if not value[0] <= value[1]:
        raise ValueError("the first number must not exceed the second")
    return value


Interval = Annotated[tuple[float, float], AfterValidator(_rising)]


class StartParams(BaseModel):
    """Base of the parameters of all kinds of starts: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class Starts(NamedTuple):
    """Starts of n simulations; arrays of shape (n,).

    Attributes
    ----------
    x_mm, y_mm, heading_rad : float64
    frame : int64
    """

    x_mm: np.ndarray
    y_mm: np.ndarray
    heading_rad: np.ndarray
    frame: np.ndarray


class Asked(NamedTuple):
    """Simulations that want a start.

    Attributes
    ----------
    replicate : ndarray, shape (n,), int64
        Their numbers.
    u : ndarray, shape (n, 2)
        Uniform numbers for the place.
    heading_rad, frame : ndarray, shape (n,)
        As the common settings have drawn them.
    """

    replicate: np.ndarray
    u: np.ndarray
    heading_rad: np.ndarray
    frame: np.ndarray


class Scene(Protocol):
    """The plume in which the starts lie.

    Attributes
    ----------
    label : str
        Of the recording, for messages.
    """

    label: str

    def images(self, frames: Sequence[int]) -> Iterator[tuple[int, np.ndarray]]:
        """(frame, concentration) of some frames, in rising order; shape (height, width)."""
        ...

    def place(self, row: np.ndarray, column: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """World position (x_mm, y_mm) of pixel coordinates."""
        ...

    def pixels(self, x_mm: Interval, y_mm: Interval) -> tuple[slice, slice]:
        """Rows and columns whose centres lie in a region."""
        ...

    def again(self, attempt: int) -> tuple[np.ndarray, np.ndarray]:
        """Frames (n,) and uniform numbers (n, 2) of a further attempt, for all simulations."""
        ...


def start_plugin(start: dict[str, Any]) -> tuple[Any, Any]:
    """Plug-in and parameters of a resolved `simulation.start`."""
    plugin = registry.get("start", start["kind"])
    own = {key: start[key] for key in plugin.Params.model_fields if key in start}
    return plugin, plugin.Params(**own)


def rectangle(x_mm: tuple[float, float], y_mm: tuple[float, float]) -> np.ndarray:
    """Closed corners of a rectangle, shape (5, 2)."""
    (x0, x1), (y0, y1) = x_mm, y_mm
    return np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)], float)


def rectangle_distance_mm(x_mm: tuple[float, float], y_mm: tuple[float, float]) -> float:
    """Distance of a rectangle's nearest point from the source; 0 if the source is inside."""
    x, y = (max(low, -high, 0.0) for low, high in (x_mm, y_mm))
    return math.hypot(x, y)


def span(interval: Sequence[float]) -> str:
    """An interval in words, with a true minus sign.

    Examples
    --------
    >>> span((-40.0, 40.0))
    '−40 to 40'
    """
    return " to ".join(f"{value:g}".replace("-", "−") for value in interval)
