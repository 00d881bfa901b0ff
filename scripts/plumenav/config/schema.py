"""The configuration: one pydantic model per section, and the only place where defaults live.

(The parameters of a navigation model have their defaults in that model's own ``Params``.) Every key
carries its description; the unit is in its name. config/README.md and config/config.schema.json are
generated from here, and from the files of this folder that are imported here.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, model_validator

from plumenav.config.cache import Cache
from plumenav.config.detection import Detection, Part
from plumenav.config.quality import Quality
from plumenav.config.recordings import Recording
from plumenav.config.sections import Interval, Label, NotNegative, Number, Positive, Section
from plumenav.config.wind_fields import WindField


class Start(Section):
    """Where, how and when agents start; the same for all agents. `kind` has keys of its own."""

    model_config = ConfigDict(extra="allow")

    kind: str = Field("region", description="way of choosing places (starts/): region, ring, ...")
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
    boundary: Literal["open", "reflect", "stop", "turn", "absorb"] = Field(
        "open",
        description="edge of the recorded image: open: walk on where there is no odour; reflect:"
        " bounce; stop: stay at the edge; turn: stay and turn away; absorb: leave, the end",
    )
    boundary_margin_mm: NotNegative = Field(
        3.0, description="with boundary turn: how near to the edge agents turn (Jayaram 2022)"
    )
    movie_end: Literal["loop", "hold", "stop"] = Field("loop", description="after the last frame")
    movie_part: Part = Field(
        "whole",
        description="part of every movie in which agents live: starts, frames seen and loops stay"
        " in it",
    )
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


class SensorNoise(Section):
    """Noise of the sensor itself: a normal number per step and side, added to the reading."""

    value: NotNegative = Field(description="standard deviation")
    unit: Literal["absolute", "noise_sd"] = Field(
        "absolute",
        description="absolute: concentration; noise_sd: times the sd of this sensor's own output in"
        " blank air of the same recording",
    )


class Adaptation(Section):
    """Gain control: readings are multiplied by half / (half + A), A the running mean reading."""

    tau_s: Positive = Field(description="time constant of the running mean, s")
    half_level: Positive = Field(description="concentration that halves the gain once adapted")


class Sensor(Section):
    """What an agent smells with. Unset keys take the model's published sensor."""

    shape: str | None = Field(None, description="sensor (sensors/): point, ellipse, ...")
    parameters: dict[str, float] = Field({}, description="parameters of the shape")
    interpolation: Literal["nearest", "bilinear"] | None = Field(
        None, description="how concentration is read between pixel centres"
    )
    threshold: Level | None = Field(None, description="at or above it, the agent is in odour")
    dead_zone: Level | None = Field(None, description="readings below it become 0")
    noise: SensorNoise | None = Field(None, description="noise of the sensor itself; null: none")
    adaptation: Adaptation | None = Field(None, description="gain control; null: none")


class Agent(Section):
    """One labelled navigator: a model with its preset, parameters, sensor and control."""

    model: str = Field(description="navigation model (models/)")
    preset: str | None = Field(None, description="a published parameter set; the model's first")
    parameters: dict[str, Any] = Field({}, description="parameters that differ from the preset")
    sensor: Sensor = Sensor()
    wind: Literal["felt", "off"] = Field(
        "felt", description="off: the agent feels no wind (its model must be able to do without)"
    )
    control: Literal["none", "blind", "shuffled", "blank_region"] = Field(
        "none",
        description="blind: smells nothing; shuffled: smells, step by step, what the same agent"
        " smelled in the simulation paired with this one (0 and 1, 2 and 3, ...); blank_region:"
        " smells a plume-free patch",
    )
    detection: Detection | None = Field(
        None, description="what a belief-based model knows of the plume (only for such models)"
    )


# -------------------------------------------------------------------------- other sections


class Batch(Section):
    """How simulations are cut into jobs. Results do not depend on it."""

    chunk_simulations: Annotated[int, Field(ge=1)] | Literal["auto"] = Field(
        "auto", description="simulations per job; auto: by what they cost, see chunk_s"
    )
    chunk_s: Positive = Field(
        10.0, description="with auto: nominal time of a job's simulations on one core, s"
    )
    min_chunk_simulations: int = Field(10, ge=1, description="with auto: at least so many")
    max_chunk_simulations: int = Field(5000, ge=1, description="with auto: at most so many")
    threads: int = Field(1, ge=1, le=64, description="threads per simulate job")

    @model_validator(mode="after")
    def _limits_in_order(self) -> Batch:
        if self.min_chunk_simulations > self.max_chunk_simulations:
            raise ValueError("min_chunk_simulations must not exceed max_chunk_simulations")
        return self


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
    job_memory_mb: int = Field(
        2000, ge=400, description="a simulate job works so that it stays below this, MB"
    )
    memory_use: Literal["conservative", "balanced", "aggressive"] = Field(
        "balanced",
        description="decoded frames that a simulate job keeps for its next pass through a movie:"
        " none; up to 64 MB; all that fit",
    )
    min_workers: int = Field(1, ge=1, description="jobs at once, at least")
    max_workers: Annotated[int, Field(ge=1)] | None = Field(
        None, description="jobs at once, at most; null: one per core (and batch.threads)"
    )

    @model_validator(mode="after")
    def _workers_in_order(self) -> Resources:
        if self.max_workers is not None and self.min_workers > self.max_workers:
            raise ValueError("min_workers must not exceed max_workers")
        return self


class Config(Section):
    """A run, in one file."""

    run: Label = Field(description="name of the run: everything goes to results/<run>/")
    seed: int = Field(1, ge=0, description="seed of starts and noise")
    data_folder: str = Field(
        ".", description="folder of recordings; the environment variable PLUMENAV_DATA wins"
    )
    plugins: tuple[str, ...] = Field((), description="your own Python files, next to this file")
    recordings: dict[Label, Recording] = Field(min_length=1, description="plumes by label")
    wind_fields: dict[Label, WindField] = Field({}, description="recorded wind by label")
    agents: dict[Label, Agent] = Field(min_length=1, description="navigators by label")
    simulation: Simulation = Simulation()
    batch: Batch = Batch()
    validation: Validation = Validation()
    quality: Quality = Quality()
    resources: Resources = Resources()
    cache: Cache = Cache()
