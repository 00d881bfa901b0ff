"""Limits of the quality of recordings: what is worth a warning, and what a recording fails by."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from plumenav.config.sections import Number, Section


class Limit(Section):
    """Where a check begins to warn, and where it fails; null: never."""

    warn: Number | None = Field(description="worth a warning beyond it")
    fail: Number | None = Field(description="the recording fails beyond it")


class Falling(Section):
    """Where a check whose small values are bad begins to warn, and where it fails; null: never."""

    warn: Number | None = Field(description="worth a warning below it")
    fail: Number | None = Field(description="the recording fails below it")

    @model_validator(mode="after")
    def _ordered(self) -> Falling:
        if self.warn is not None and self.fail is not None and self.warn < self.fail:
            raise ValueError("warn must not be below fail")
        return self


def _limit(warn: float | None, fail: float | None, description: str) -> Any:
    return Field(Limit(warn=warn, fail=fail), description=description)


class Quality(Section):
    """Checks of every recording and their limits.

    The defaults stand a good way above what good recordings give, and below what the faults give.
    """

    gate: bool = Field(True, description="a run fails if one of its recordings fails")
    whiff_threshold: Number | None = Field(
        None,
        description="concentration above which there is odour, for intermittency, whiffs and"
        " blanks; mean of blank air plus 5 of its standard deviations",
    )
    scale: Limit = _limit(
        0.12,
        0.2,
        "wind speed: declared over measured, or the other way round, minus 1. Measured speeds of"
        " synthetic plumes are within 0.05 of the truth, a scale that is off by 1.3 gives 0.3",
    )
    wind_direction_deg: Limit = _limit(
        10.0,
        20.0,
        "angle between declared and measured wind, degrees. Ten seconds of a meandering plume"
        " measured 7, a minute at most 2; a wrong turn is 90",
    )
    source_offset: Limit = _limit(
        0.06,
        0.12,
        "distance of where the plume begins from the declared source, share of the image's shorter"
        " side. Plumes with known source gave at most 0.03",
    )
    isotropy: Limit = _limit(
        1.7,
        2.1,
        "length of small whiffs along x over that across, against the usual 1.25, either way."
        " Synthetic and real plumes gave up to 1.4; two published edges that were exchanged (0.394"
        " and 1.391 mm instead of 0.74) change it 3.5-fold",
    )
    residual_background: Limit = _limit(
        0.02,
        0.1,
        "mean of plume-free pixels, share of concentration 1. Subtracted backgrounds leave 0.001;"
        " one that nobody subtracted is at half of full scale",
    )
    background_structure: Limit = _limit(
        0.02,
        0.1,
        "standard deviation over space of plume-free pixels' means, share of concentration 1",
    )
    skewness: Falling = Field(
        Falling(warn=0.0, fail=-0.2),
        description="skewness over time of the plume's fluctuations: odour comes in whiffs, so it"
        " is positive (0.8 to 4 in good recordings) unless odour makes pixels darker",
    )
    missing_frames: Limit = _limit(
        0.0,
        0.01,
        "frames after a jump as large as two frames' change, share of all: frames are missing",
    )
    repeated_frames: Limit = _limit(0.0, 0.01, "frames that repeat the one before, share of all")
    irregular_stamps: Limit = _limit(
        0.0, 0.2, "gaps and duplicates among the time stamps, share of all frames"
    )
    lost_frames: Limit = _limit(
        0.0, None, "frames lost with the damaged end of a file, where on_damage is truncate"
    )
    saturation: Limit = _limit(
        0.001, 0.05, "pixel-frames at the largest number that the file can hold, share of all"
    )
    colour_map: Limit = _limit(
        0.02,
        0.2,
        "recordings in false colour: pixel-frames whose colour is not of the map, share of all."
        " Lettering and a scale bar take some; of a gray movie or another map it is nearly all",
    )
    clipping: Limit = _limit(
        0.001, 0.02, "pixel-frames outside storage.minimum and maximum, share of all"
    )
    noise: Limit = _limit(
        0.05, 0.3, "standard deviation of a pixel in blank air, share of concentration 1"
    )
    noise_on: Limit = _limit(
        0.02,
        0.02,
        "mean ON of the fly ON/OFF model in blank air, with the smallest dead zone of the run's"
        " agents on_off: above it, noise alone steers upwind. In runs without such an agent, and"
        " without dead zone, it only warns",
    )
    file: Limit = _limit(
        0.0,
        None,
        "facts of the file (recordings.<label>.expected: frames, size, type, rate) that"
        " are not as expected, number",
    )
    statistics: Limit = _limit(
        0.1, 0.5, "largest relative difference of a statistic from recordings.<label>.expected"
    )
    conservation: Limit = _limit(
        0.02, 0.1, "total concentration after resampling over that before, minus 1, either way"
    )
    truth_r: Falling = Field(
        Falling(warn=0.97, fail=0.95),
        description="synthetic recordings: correlation with the true concentration in the plume",
    )
    truth_slope: Limit = _limit(
        0.03, 0.05, "synthetic recordings: slope of normalized on true concentration, minus 1"
    )
    truth_offset: Limit = _limit(
        0.5,
        1.0,
        "synthetic recordings: offset of normalized against true concentration, in standard"
        " deviations of blank air",
    )
    fidelity: Falling = Field(
        Falling(warn=0.97, fail=0.95),
        description="correlation of the normalized movie, sent back through its own chain, with"
        " the file's frames",
    )
