"""What a quality page is drawn from, and the numbers that are drawn."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from plumenav.tables import PlumeReader, read_json
from plumenav.world import Grid, grid_of

# the frame that is shown is livelier than this share of the others
LIVELY = 0.75


class Contents(NamedTuple):
    """A recording as its quality page sees it.

    Attributes
    ----------
    label : str
        Of the recording in the config.
    metadata : dict
        Of the plume.
    quality : dict
        quality/{recording}.json.
    arrays : mapping
        quality/{recording}.npz; what a movie does not give is not in it.
    time_s : ndarray, shape (n,)
        Time stamps of the plume.
    frame : ndarray, shape (height, width), or None
        Concentration in one frame; None if the recording was not measured.
    frame_number : int
    wind : dict
        speed_mm_s and toward_deg, as declared.
    nominal : bool
        Scale and wind are assumed, not measured.
    """

    label: str
    metadata: dict[str, Any]
    quality: dict[str, Any]
    arrays: Mapping[str, np.ndarray]
    time_s: np.ndarray
    frame: np.ndarray | None
    frame_number: int
    wind: dict[str, float]
    nominal: bool

    @property
    def grid(self) -> Grid:
        """Where the plume's pixels lie."""
        return grid_of(self.metadata)

    @property
    def measures(self) -> dict[str, Any]:
        """What was measured."""
        return self.quality.get("measures") or {}

    @property
    def record(self) -> dict[str, Any]:
        """What normalization found."""
        return self.metadata.get("quality") or {}

    @property
    def checks(self) -> dict[str, dict[str, Any]]:
        """Checks by name."""
        return {check["name"]: check for check in self.quality["checks"]}

    @property
    def declared_mm_s(self) -> tuple[float, float]:
        """Declared wind, x and y."""
        return vector(self.wind["speed_mm_s"], self.wind["toward_deg"])

    @property
    def measured_mm_s(self) -> tuple[float, float] | None:
        """Measured wind, x and y; None if the movie does not give it."""
        speed, toward = self.measures.get("wind_mm_s"), self.measures.get("wind_deg")
        return None if speed is None or toward is None else vector(speed, toward)


def vector(speed: float, toward_deg: float) -> tuple[float, float]:
    """Components of a speed in a direction counter-clockwise from +x."""
    angle = np.radians(toward_deg)
    return float(speed * np.cos(angle)), float(speed * np.sin(angle))


def read_contents(
    label: str, settings: dict[str, Any], plume: Path, quality: Path, arrays: Path
) -> Contents:
    """Read what a page is drawn from.

    Parameters
    ----------
    label : str
    settings : dict
        `wind` and `nominal` of the recording.
    plume, quality, arrays : Path
        The plume, and what the check of its quality wrote.
    """
    with np.load(arrays) as file:
        measured = {name: file[name] for name in file.files}
    with PlumeReader(plume) as reader:
        frame, number = None, 0
        if "frame_mean" in measured:
            number = lively_frame(measured["frame_mean"])
            frame = concentration_of(reader, number)
        return Contents(
            label,
            reader.metadata,
            read_json(quality),
            measured,
            reader.time_s,
            frame,
            number,
            settings["wind"],
            settings["nominal"],
        )


def lively_frame(frame_mean: np.ndarray) -> int:
    """Number of a frame with more odour than most.

    Examples
    --------
    >>> lively_frame(np.array([0.0, 5.0, 1.0, 4.0, 2.0]))
    3
    """
    order = np.argsort(frame_mean, kind="stable")
    return int(order[round(LIVELY * (len(order) - 1))])


def concentration_of(reader: PlumeReader, number: int) -> np.ndarray:
    """Concentration in one frame of a plume, shape (height, width)."""
    index = int(np.searchsorted(reader.block_first, number, side="right")) - 1
    block = reader.block(index)
    stored = block.frames[number - block.first].astype(np.float32)
    return np.asarray(stored * reader.metadata["scale"] + reader.metadata["offset"], np.float32)


COLUMNS = ("panel", "series", "x", "x_unit", "y", "y_unit", "value", "unit", "says")


class Plotted:
    """The numbers in a page's pictures, row by row as they are drawn."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, ...]] = []

    def add(
        self,
        panel: str,
        series: str,
        *,
        x: Any = None,
        y: Any = None,
        value: Any = None,
        units: tuple[str, str, str] = ("", "", ""),
        says: str = "",
    ) -> None:
        """Add numbers, or columns of as many numbers; None where a panel has no such column.

        Parameters
        ----------
        panel : str
            Letter of the panel.
        series : str
        x, y, value : float or array
        units : tuple of str
            Of x, y and value.
        says : str
            Text that stands beside the numbers.
        """
        columns = [None if c is None else np.ravel(np.asarray(c, float)) for c in (x, y, value)]
        n = max((len(c) for c in columns if c is not None), default=1)
        texts = [[""] * n if c is None else numbers_of(c) for c in columns]
        for here, there, what in zip(*texts, strict=True):
            row = (panel, series, here, units[0], there, units[1], what, units[2], says)
            self.rows.append(row)

    def text(self) -> str:
        """The rows as CSV."""
        file = io.StringIO()
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(self.rows)
        return file.getvalue()


def numbers_of(values: np.ndarray) -> list[str]:
    """Numbers as text with 7 significant digits; nothing for what is not known."""
    return ["" if v != v else f"{v:.7g}" for v in values.tolist()]
