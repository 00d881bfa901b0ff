"""Parameters of generators, by who reads them. Defaults: the filament plume's preset `smooth`."""

from __future__ import annotations

from copy import copy
from typing import Any, Literal

from pydantic import model_validator

from plumenav.recordings.synthesis._contract import SynthesisParams, parameter

Direction = Literal["+column", "-column", "+row", "-row"]


def again(base: type[SynthesisParams], name: str, default: Any) -> Any:
    """Declare an inherited parameter again, with another default and nothing else changed."""
    field = copy(base.model_fields[name])
    field.default = default
    return field


class ImageParams(SynthesisParams):
    """Size, rate, scale and direction of the movie, in the file's own orientation."""

    frames: int = parameter(3600, "1", "frames of the movie, lead-in included", ge=1)
    frame_rate_hz: float = parameter(15.0, "Hz", "frames per second", gt=0, le=10_000)
    height_px: int = parameter(406, "px", "rows of the file's image", ge=2, le=8192)
    width_px: int = parameter(216, "px", "columns of the file's image", ge=2, le=8192)
    mm_per_px: float = parameter(0.74, "mm", "edge of a pixel", gt=0, allow_inf_nan=False)
    source_row_px: float = parameter(0.0, "px", "row of the source in the file", ge=-1e4, le=1e4)
    source_column_px: float = parameter(107.0, "px", "column of the source", ge=-1e4, le=1e4)
    wind_toward: Direction = parameter("+row", "1", "image direction that the wind blows to")
    mirrored: bool = parameter(False, "1", "true: the camera sees the plume in a mirror")
    lead_in_frames: int = parameter(0, "1", "frames before emission begins: no plume", ge=0)

    @model_validator(mode="after")
    def _some_frames_have_a_plume(self) -> ImageParams:
        if self.lead_in_frames >= self.frames:
            raise ValueError("lead_in_frames must be fewer than frames")
        return self


class PlumeParams(SynthesisParams):
    """Wind, release, growth and stirring of the puffs."""

    spin_up_s: float = parameter(
        6.0, "s", "emission before the first frame, without a lead-in only", ge=0, le=3600
    )
    wind_mm_s: float = parameter(100.0, "mm/s", "mean wind", gt=0, le=1e5)
    puff_rate_hz: float = parameter(60.0, "Hz", "puffs released per second", gt=0, le=10_000)
    release_jitter: float = parameter(
        0.5,
        "1",
        "irregularity of release, in intervals (1: uniform within its interval)",
        ge=0,
        le=1,
    )
    source_concentration: float = parameter(
        1.0, "1", "time-mean concentration that the puffs make at the source", gt=0, le=100
    )
    strength_sd: float = parameter(
        0.2, "1", "standard deviation of the logarithm of a puff's strength", ge=0, le=3
    )
    initial_radius_mm: float = parameter(7.55, "mm", "1/e radius of a puff at release", gt=0)
    outlet_mm: float = parameter(
        15.0, "mm", "straight tube up to the source, in which puffs do not grow yet", ge=0, le=1e4
    )
    growth_law: Literal["inertial", "diffusive"] = parameter(
        "inertial", "1", "inertial: r**(2/3) grows linearly with age; diffusive: r**2 does"
    )
    growth_rate: float = parameter(
        4.0, "mm**(2/3)/s or mm**2/s", "growth of r**(2/3) (inertial), of r**2 (diffusive)", ge=0
    )
    growth_sd: float = parameter(
        0.05, "1", "standard deviation of the logarithm of a puff's growth rate", ge=0, le=3
    )
    largest_radius_mm: float = parameter(80.0, "mm", "radius at which growth ends", gt=0)
    layer_depth_mm: float = parameter(
        10.7, "mm", "a puff spreads across the image plane, too, up to this radius", ge=0
    )
    meander_mm_s: float = parameter(
        11.9, "mm/s", "standard deviation of the crosswind velocity of the whole air", ge=0, le=1e5
    )
    meander_time_s: float = parameter(1.0, "s", "time constant of the meander", gt=0, le=1e4)
    eddy_mm_s: float = parameter(
        10.5, "mm/s", "rms velocity of the eddies, per component (0: no eddies)", ge=0, le=1e5
    )
    eddy_largest_mm: float = parameter(100.0, "mm", "longest wavelength of the eddies", gt=0)
    eddy_smallest_mm: float = parameter(20.0, "mm", "shortest wavelength of the eddies", gt=0)
    eddy_modes: int = parameter(20, "1", "number of waves that make the eddies", ge=1, le=1000)
    eddy_unsteadiness: float = parameter(
        0.3, "1", "change of the eddies, in their own turnover rates (0: frozen)", ge=0, le=10
    )
    diffusivity_mm2_s: float = parameter(
        55.0, "mm**2/s", "of the random walk of each puff about the flow", ge=0, le=1e6
    )
    max_step_s: float = parameter(1 / 15, "s", "largest time step of the puffs", gt=0, le=1)


class CameraParams(ImageParams):
    """Camera: stored number = background + gain * concentration + noise."""

    gain: float = parameter(
        1.0, "levels", "stored number of concentration 1, above background", gt=0
    )
    offset: float = parameter(0.0, "levels", "mean of the background", allow_inf_nan=False)
    noise_sd: float = parameter(0.004, "levels", "sensor noise, before any compression", ge=0)
    coarse_texture_sd: float = parameter(0.0, "levels", "background: coarse structure", ge=0)
    coarse_texture_px: float = parameter(40.0, "px", "size of the coarse structure", gt=0, le=1000)
    fine_texture_sd: float = parameter(0.0, "levels", "background: fine structure", ge=0)
    fine_texture_px: float = parameter(3.0, "px", "size of the fine structure", gt=0, le=1000)
    texture_limit: float = parameter(
        25.0, "levels", "the background keeps within this distance of its mean", ge=0
    )


class FileParams(ImageParams):
    """Properties of the file."""

    dataset: str = parameter("dataset2", "1", "hdf5, mat: name of the dataset", min_length=1)
    jpeg_quality: int = parameter(92, "1", "mjpeg_avi: quality of the frames", ge=1, le=100)


class MovieParams(CameraParams, FileParams):
    """All that a generator needs besides its own physics."""
