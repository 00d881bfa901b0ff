"""The configuration: one pydantic model per section, and the only place where defaults live.

(The parameters of a navigation model have their defaults in that model's own ``Params``.) Every key
carries its description; the unit is in its name. config/README.md and config/config.schema.json are
generated from here.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

LABEL = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")


def _label(value: str) -> str:
    if not LABEL.fullmatch(value):
        raise ValueError(
            "a label becomes a file name: a letter, then up to 39 letters, digits or underscores"
        )
    return value


def _rising(value: tuple[float, float]) -> tuple[float, float]:
    if value[0] > value[1]:
        raise ValueError("the first number must not exceed the second")
    return value


def _half_open(value: tuple[int, int]) -> tuple[int, int]:
    if not 0 <= value[0] < value[1]:
        raise ValueError("a range [first, end) needs 0 <= first < end")
    return value


Label = Annotated[str, AfterValidator(_label)]
Interval = Annotated[tuple[float, float], AfterValidator(_rising)]
IndexRange = Annotated[tuple[int, int], AfterValidator(_half_open)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Number = Annotated[float, Field(allow_inf_nan=False)]


class Section(BaseModel):
    """Base of all sections: unknown keys are errors, values are not coerced from other types."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


# ------------------------------------------------------------------------------- recordings


class Synthetic(Section):
    """A recording that the workflow makes itself, as a real file in a real format."""

    generator: str = Field("filament", description="name of the generator (recordings/synthesis/)")
    format: Literal["hdf5", "mjpeg_avi"] = Field(description="file format that is written")
    seed: int = Field(0, ge=0, description="seed of this recording's plume and camera noise")
    parameters: dict[str, Any] = Field({}, description="parameters of the generator")


class Analytic(Section):
    """A concentration field given by a formula: no frames, constant in time."""

    field: str = Field(
        description="name of the field (engine/fields/): gaussian, uniform, gradient"
    )
    parameters: dict[str, float] = Field({}, description="constants of the field")
    x_mm: Interval = Field((-50.0, 250.0), description="arena downwind, mm from the source")
    y_mm: Interval = Field((-80.0, 80.0), description="arena crosswind, mm from the source")


class Pulse(Section):
    """A square odour pulse in time that every agent smells wherever it is (open loop)."""

    start_s: NotNegative = Field(description="onset, s; the sample at the onset is inside")
    stop_s: Positive = Field(description="end, s; the sample at the end is outside")
    level: Number = Field(1.0, description="concentration during the pulse, fraction of the source")
    duration_s: Positive = Field(description="length of the signal, s")
    frame_rate_hz: Positive = Field(50.0, description="samples per second")


class Reader(Section):
    """How the file is read."""

    name: str = Field("auto", description="reader (recordings/), or auto: recognized by content")
    dataset: str | None = Field(None, description="HDF5: path of the movie inside the file")
    time_dataset: str | None = Field(None, description="HDF5: path of the time stamps in s, if any")
    axes: tuple[str, str, str] = Field(
        ("frame", "row", "column"), description="HDF5: meaning of the movie's three axes, in order"
    )
    frames: IndexRange | None = Field(None, description="[first, end) frames that are used; all")

    @model_validator(mode="after")
    def _axes_are_a_permutation(self) -> Reader:
        if sorted(self.axes) != ["column", "frame", "row"]:
            raise ValueError("axes: name frame, row and column, each once")
        return self


class Pixel(Section):
    """A pixel of the file's own image; integers are pixel centres."""

    row: Number = Field(description="row, counted from the top, from 0")
    column: Number = Field(description="column, counted from the left, from 0")


class Crop(Section):
    """Part of the file's own image that is used."""

    rows: IndexRange | None = Field(None, description="[first, end) rows; all")
    columns: IndexRange | None = Field(None, description="[first, end) columns; all")


class Transfer(Section):
    """What the camera did to intensity, to be undone: stored number -> linear intensity."""

    kind: Literal["linear", "gamma", "square_root", "table"] = Field(
        "linear",
        description="linear: value; gamma: value**exponent; square_root: value**2; table: look-up",
    )
    full_scale: Positive = Field(1.0, description="stored number that means 1 before the exponent")
    exponent: Positive = Field(1.0, description="gamma: intensity = (stored/full_scale)**exponent")
    low: Number = Field(0.0, description="intensity (physical unit) at stored 0")
    high: Number = Field(1.0, description="intensity (physical unit) at stored full_scale")
    table: tuple[tuple[float, float], ...] = Field(
        (), description="table: (stored, intensity) pairs with rising stored numbers, interpolated"
    )


class Background(Section):
    """The image without plume, subtracted from every frame."""

    method: Literal["none", "mean", "median"] = Field("none", description="how frames are combined")
    frames: IndexRange | None = Field(None, description="[first, end) frames without plume")

    @model_validator(mode="after")
    def _frames_given(self) -> Background:
        if self.method != "none" and self.frames is None:
            raise ValueError("frames: say which [first, end) frames show no plume")
        return self


class Calibration(Section):
    """Two points: which linear intensity means concentration 0, and which means 1."""

    zero: Number = Field(0.0, description="intensity (after background) of clean air")
    one: Number = Field(1.0, description="intensity (after background) of the undiluted source")
    unit: str = Field("fraction of source", description="what concentration 1 means, for labels")

    @model_validator(mode="after")
    def _distinct(self) -> Calibration:
        if self.zero == self.one:
            raise ValueError("zero and one must differ")
        return self


class Resample(Section):
    """Pixel size and frame rate of the normalized plume."""

    mm_per_px: Positive | None = Field(None, description="pixel edge of the plume, mm; as recorded")
    frame_rate_hz: Positive | None = Field(None, description="frames per second; as recorded")
    time: Literal["nearest", "linear"] = Field(
        "nearest", description="linear interpolation invents odour motion: only if asked"
    )


class Storage(Section):
    """How concentration is stored."""

    dtype: Literal["auto", "uint8", "uint16", "int16", "float32"] = Field(
        "auto", description="auto: uint8 for 8-bit recordings, uint16 for deeper ones"
    )
    minimum: Number = Field(-0.25, description="concentration of the smallest stored integer")
    maximum: Number = Field(2.0, description="concentration of the largest stored integer")


class Blank(Section):
    """Where and when there is no plume, in pixels and frames of the normalized plume."""

    rows: IndexRange | None = Field(None, description="[first, end) rows; found from the movie")
    columns: IndexRange | None = Field(None, description="[first, end) columns; found")
    frames: IndexRange | None = Field(None, description="[first, end) frames; all")


class Normalization(Section):
    """Steps from the file's numbers to concentration, applied in the order of these keys."""

    crop: Crop = Crop()
    transfer: Transfer = Transfer()
    background: Background = Background()
    calibration: Calibration = Calibration()
    resample: Resample = Resample()
    storage: Storage = Storage()
    blank: Blank = Blank()


class Wind(Section):
    """Uniform wind that the agents feel; a setting of the simulation, not of the plume."""

    speed_mm_s: NotNegative = Field(100.0, description="wind speed, mm/s")
    toward_deg: Number = Field(
        0.0, description="direction it blows to, counter-clockwise from +x (0: downwind)"
    )


class Recording(Section):
    """One plume: a file (path or synthetic), a formula (analytic) or a time series (signal)."""

    path: str | None = Field(None, description="file, absolute or relative to data_folder")
    synthetic: Synthetic | None = None
    analytic: Analytic | None = None
    signal: Pulse | None = None
    condition: Label | None = Field(None, description="recordings of one condition are replicates")
    nominal: bool = Field(
        False, description="true: scale and wind are assumed, not known; the report says so"
    )
    reader: Reader = Reader()
    mm_per_px: Positive = Field(1.0, description="pixel edge in the file, mm")
    frame_rate_hz: Positive | None = Field(None, description="frames per second; from the file")
    source_px: Pixel = Pixel(row=0, column=0)
    wind_toward: Literal["+column", "-column", "+row", "-row"] = Field(
        "+column", description="image direction that the wind blows to; turned to +x"
    )
    mirrored: bool = Field(False, description="true: the camera saw the plume in a mirror")
    normalize: Normalization = Normalization()
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
        if self.kind == "movie":
            missing = [k for k in ("mm_per_px", "source_px") if k not in self.model_fields_set]
            if missing:
                raise ValueError(f"a movie needs {' and '.join(missing)}")
        return self


# -------------------------------------------------------------------------------- simulation


class Start(Section):
    """Where, how and when agents start: uniform in a region; the same for all agents."""

    x_mm: Interval = Field((100.0, 200.0), description="downwind of the source, mm")
    y_mm: Interval = Field((-40.0, 40.0), description="crosswind, mm")
    heading_deg: Interval = Field((0.0, 360.0), description="degrees from downwind, anticlockwise")
    frame: Annotated[int, Field(ge=0)] | Literal["uniform"] = Field(
        "uniform", description="first frame: uniform over the movie, or a number"
    )


class Record(Section):
    """What is written of every simulation."""

    every_s: NotNegative = Field(0.1, description="time between rows, s; 0: every step")
    variables: bool = Field(False, description="also write the model's own state variables")


class Simulation(Section):
    """Settings that are the same for all agents and recordings, so that they can be compared."""

    simulations: int = Field(500, ge=1, description="simulations per agent and recording")
    duration_s: Positive = Field(120.0, description="horizon, s")
    dt_s: Positive | Literal["publication", "frame"] = Field(
        "publication", description="time step: the model's published one, the movie's, or seconds"
    )
    success_radius_mm: Positive = Field(15.0, description="distance from the source that counts")
    arrival: Literal["stop", "continue"] = Field("stop", description="what happens at the source")
    boundary: Literal["open", "reflect", "absorb"] = Field(
        "open",
        description="edge of the recorded image: walk on where there is no odour; bounce; leave",
    )
    movie_end: Literal["loop", "hold", "stop"] = Field("loop", description="after the last frame")
    start: Start = Start()
    record: Record = Record()


class Level(Section):
    """A sensor level: a concentration, or standard deviations of the sensor in blank air."""

    value: Number = Field(description="the number")
    unit: Literal["absolute", "noise_sd"] = Field(
        "absolute",
        description="absolute: concentration; noise_sd: mean + value * sd of this sensor's own"
        " output in blank air of the same recording",
    )


class Sensor(Section):
    """What an agent smells with. Unset keys take the model's published sensor."""

    shape: str | None = Field(None, description="sensor (sensors/): point, ellipse, ...")
    parameters: dict[str, float] = Field({}, description="parameters of the shape")
    interpolation: Literal["nearest", "bilinear"] | None = Field(
        None, description="how concentration is read between pixel centres"
    )
    threshold: Level | None = Field(None, description="at or above it, the agent is in odour")
    dead_zone: Level | None = Field(None, description="readings below it become 0")


class Agent(Section):
    """One labelled navigator: a model with its preset, parameters, sensor and control."""

    model: str = Field(description="navigation model (models/)")
    preset: str | None = Field(None, description="a published parameter set; the model's first")
    parameters: dict[str, Any] = Field({}, description="parameters that differ from the preset")
    sensor: Sensor = Sensor()
    control: Literal["none", "blind", "blank_region"] = Field(
        "none", description="blind: smells nothing; blank_region: smells a plume-free patch"
    )


# -------------------------------------------------------------------------- other sections


class Batch(Section):
    """How simulations are cut into jobs. Results do not depend on it."""

    chunk_simulations: int = Field(500, ge=1, description="simulations per job")
    threads: int = Field(1, ge=1, le=64, description="threads per simulate job")


class Validation(Section):
    """Checks of every run and their limits."""

    sample: int = Field(
        20,
        ge=6,  # fewer cannot give p < 0.05 by re-pairing
        description="simulations per agent and recording re-computed by the independent reference",
    )
    replicate: int = Field(60, ge=1, description="simulations repeated with other chunks, threads")
    replicate_chunk: int = Field(7, ge=1, description="chunk size of the repetition")
    replicate_threads: int = Field(2, ge=1, description="threads of the repetition")
    mutants: bool = Field(True, description="also show that the gate fails wrong engines")
    blank_simulations: int = Field(
        50,
        ge=0,
        description="simulations in plume-free air, per agent and recording: what noise alone does",
    )
    permutations: int = Field(999, ge=99, description="re-pairings for the p-value")
    max_error_mm: Positive = Field(1e-6, description="largest difference from the reference, mm")
    min_correlation: Number = Field(0.95, description="smallest correlation of step increments")
    min_icc: Number = Field(0.99, description="smallest reproducibility coefficient ICC(A,1)")
    max_p: Number = Field(0.05, description="largest p-value of the agreement")


class Resources(Section):
    """Limits of a run."""

    memory_mb: int = Field(8000, ge=500, description="all jobs together, MB (a promise we check)")


class Config(Section):
    """A run, in one file."""

    run: Label = Field(description="name of the run: everything goes to results/<run>/")
    seed: int = Field(1, ge=0, description="seed of starts and noise")
    data_folder: str = Field(
        ".", description="folder of recordings; the environment variable PLUMENAV_DATA wins"
    )
    plugins: tuple[str, ...] = Field((), description="your own Python files, next to this file")
    recordings: dict[Label, Recording] = Field(min_length=1, description="plumes by label")
    agents: dict[Label, Agent] = Field(min_length=1, description="navigators by label")
    simulation: Simulation = Simulation()
    batch: Batch = Batch()
    validation: Validation = Validation()
    resources: Resources = Resources()
