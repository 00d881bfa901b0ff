"""The part of a configuration that describes recordings: where they are and how they are read."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from plumenav.config.normalization import Normalization
from plumenav.config.sections import (
    IndexRange,
    Interval,
    Label,
    NotNegative,
    Number,
    Positive,
    Section,
)
from plumenav.config.signals import Signal
from plumenav.recordings._contract import AXES
from plumenav.recordings.synthesis._formats import Format


class Synthetic(Section):
    """A recording that the workflow makes itself, as a real file in a real format."""

    generator: str = Field("filament", description="name of the generator (recordings/synthesis/)")
    format: Format = Field(description="file format that is written")
    seed: int = Field(0, ge=0, description="seed of this recording's plume and camera noise")
    seeds: tuple[Annotated[int, Field(ge=0)], ...] | None = Field(
        None,
        min_length=1,
        description="instead of `seed`: one recording per seed, <label>_<seed>, all of one"
        " condition; none",
    )
    parameters: dict[str, Any] = Field({}, description="parameters of the generator")

    @model_validator(mode="after")
    def _each_seed_once(self) -> Synthetic:
        if self.seeds is not None and "seed" in self.model_fields_set:
            raise ValueError("give seed or seeds, not both")
        if self.seeds is not None and len(set(self.seeds)) < len(self.seeds):
            raise ValueError("seeds: each one once; a seed gives the same recording every time")
        return self


class Analytic(Section):
    """A concentration field given by a formula: no frames, constant in time."""

    field: str = Field(
        description="name of the field (engine/fields/): gaussian, uniform, gradient; hits that are"
        " drawn: isotropic_detections, windy_detections"
    )
    parameters: dict[str, float] = Field({}, description="constants of the field")
    x_mm: Interval = Field((-50.0, 250.0), description="arena downwind, mm from the source")
    y_mm: Interval = Field((-80.0, 80.0), description="arena crosswind, mm from the source")


class Reader(Section):
    """How the file is read."""

    name: str = Field("auto", description="reader (recordings/), or auto: recognized by content")
    dataset: str | None = Field(
        None, description="HDF5, MATLAB, npz, Zarr: name of the movie inside the file"
    )
    time_dataset: str | None = Field(
        None, description="HDF5, MATLAB, npz, Zarr: name of the time stamps in s, if any"
    )
    time_file: str | None = Field(
        None, description="CSV or text with one time stamp in s per frame, next to the recording"
    )
    time_column: str | None = Field(
        None, description="column of time_file, by its heading; the only one"
    )
    axes: tuple[str, str, str] | None = Field(
        None,
        description="meaning of the movie's three axes in the order of numpy or h5py (MATLAB lists"
        " them in reverse); frame, row, column, or what the preset's shape says",
    )
    channel: Literal["gray", "red", "green", "blue"] = Field(
        "gray", description="colour recordings: luma (BT.601), or one channel"
    )
    frames: IndexRange | None = Field(None, description="[first, end) frames that are used; all")
    on_damage: Literal["fail", "truncate"] = Field(
        "fail",
        description="a file that ends early or is damaged: refuse it, or use the sound frames"
        " before the damage and say everywhere what was lost",
    )
    stall_s: Positive = Field(
        300.0, description="a decoder that gives no frame for so long has hung, s"
    )

    @model_validator(mode="after")
    def _axes_are_a_permutation(self) -> Reader:
        if self.axes is not None and sorted(self.axes) != sorted(AXES):
            raise ValueError("axes: name frame, row and column, each once")
        return self


class Pixel(Section):
    """A pixel of the file's own image; integers are pixel centres."""

    row: Number = Field(description="row, counted from the top, from 0")
    column: Number = Field(description="column, counted from the left, from 0")


class PixelSize(Section):
    """Edges of a pixel that is not square."""

    row: Positive = Field(description="from one row to the next, mm")
    column: Positive = Field(description="from one column to the next, mm")


class Expected(Section):
    """What is known of the recording beforehand; a copy that disagrees is told how.

    Statistics are of concentration, over all pixel-frames of the normalized plume.
    """

    frames: int | None = Field(None, ge=1, description="number of frames in the file")
    rows: int | None = Field(None, ge=1, description="rows of the file's image")
    columns: int | None = Field(None, ge=1, description="columns of the file's image")
    dtype: str | None = Field(None, description="type of the numbers in the file, as numpy says")
    frame_rate_hz: Positive | None = Field(None, description="frames per second")
    mean: Number | None = Field(None, description="mean concentration")
    median: Number | None = Field(None, description="median concentration")
    p95: Number | None = Field(None, description="95th percentile of concentration")
    p99: Number | None = Field(None, description="99th percentile of concentration")
    minimum: Number | None = Field(None, description="smallest concentration")
    maximum: Number | None = Field(None, description="largest concentration")


class Wind(Section):
    """Wind that the agents feel; a setting of the simulation, not of the plume."""

    speed_mm_s: NotNegative = Field(
        100.0, description="wind speed, mm/s; 0: still air; the mean, if there is a field"
    )
    toward_deg: Number = Field(
        0.0, description="direction it blows to, counter-clockwise from +x (0: downwind)"
    )
    field: Label | None = Field(
        None, description="label of recorded wind (wind_fields), felt where and when the agent is"
    )


class Recording(Section):
    """One plume: a file (path or synthetic), a formula (analytic) or a time series (signal)."""

    path: str | None = Field(
        None,
        description="file, folder of images or pattern (frame_*.png), absolute or relative to"
        " data_folder",
    )
    synthetic: Synthetic | None = None
    analytic: Analytic | None = None
    signal: Signal | None = None
    preset: str | None = Field(
        None, description="published recording (recordings/presets/) whose settings are taken"
    )
    condition: Label | None = Field(None, description="recordings of one condition are replicates")
    nominal: bool = Field(
        False, description="true: scale and wind are assumed, not known; the report says so"
    )
    reader: Reader = Reader()
    mm_per_px: Positive | PixelSize = Field(1.0, description="pixel edge in the file, mm")
    frame_rate_hz: Positive | None = Field(None, description="frames per second; from the file")
    source_px: Pixel = Pixel(row=0, column=0)
    wind_toward: Literal["+column", "-column", "+row", "-row"] | Number = Field(
        "+column",
        description="image direction that the wind blows to, turned to +x; or an angle in degrees,"
        " counter-clockwise from +column (+row is -90); as the image is seen once `mirrored` is"
        " undone",
    )
    mirrored: bool = Field(False, description="true: the camera saw the plume in a mirror")
    normalize: Normalization = Normalization()
    expected: Expected = Expected()
    wind: Wind = Wind()

    @property
    def kind(self) -> str:
        """Kind of plume: movie, analytic or signal."""
        return "analytic" if self.analytic else "signal" if self.signal else "movie"

    @model_validator(mode="after")
    def _one_origin(self) -> Recording:
        given = [k for k in ("path", "synthetic", "analytic", "signal") if getattr(self, k)]
        if len(given) != 1:
            raise ValueError(
                f"give exactly one of path, synthetic, analytic, signal (found {given or 'none'})"
            )
        if self.frame_rate_hz is not None and self.reader.time_file is not None:
            raise ValueError(
                "frame_rate_hz and reader.time_file both say when frames were taken: give one"
            )
        if self.kind == "movie":
            missing = [k for k in ("mm_per_px", "source_px") if k not in self.model_fields_set]
            if missing:
                raise ValueError(f"a movie needs {' and '.join(missing)}")
        return self
