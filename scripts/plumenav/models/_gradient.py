"""What models that compare two readings have in common: their parameters."""

from __future__ import annotations

from typing import Any, Literal

from plumenav.models._contract import ModelParams, parameter

CITATION = (
    "Hengenius JB, Connor EG, Crimaldi JP, Urban NN, Ermentrout GB (2021) Olfactory navigation in "
    "the real world: simple local search strategies for turbulent environments. J Theor Biol "
    "516:110607 (the family; equations in their standard form, constants ours)"
)
OURS = "ours"
FLIES = "Alvarez-Salvado et al. 2018, authors' code"
# sides that are closer than a pixel would read the same pixel with `nearest`
PAIR: dict[str, Any] = {
    "shape": "pair",
    "parameters": {"separation_mm": 2.0, "ahead_mm": 0.0},
    "interpolation": "bilinear",
    "threshold": {"value": 5.0, "unit": "noise_sd"},
    "dead_zone": {"value": 5.0, "unit": "noise_sd"},
}


# The published gain multiplies a difference of compressed readings, which the sign is the limit of.
# Sides 2 mm apart differ by a few per cent where a plume is some cm wide: contrast needs more gain,
# and the plain difference, at a tenth of the source's concentration, more still. Round numbers.
PRESETS: dict[str, dict[str, Any]] = {
    "sign": {},
    "contrast": {"comparison": "contrast", "gain_deg_s": 1000.0},
    "difference": {"comparison": "difference", "gain_deg_s": 10000.0},
}


class ComparingParams(ModelParams):
    """Parameters of a model that turns to the side with more odour."""

    speed_mm_s: float = parameter(
        10.0, "mm/s", "walking speed", "ours: a walking fly's, rounded", ge=0
    )
    comparison: Literal["difference", "sign", "contrast"] = parameter(
        "sign",
        "1",
        "how the left reading L is compared with the right one R: L - R, its sign, or "
        "(L - R) / (L + R + c0), which does not depend on how strong the odour is",
        "ours: the three standard forms",
    )
    gain_deg_s: float = parameter(
        40.0, "deg/s", "rate of turning where the comparison gives 1", FLIES + " (kbil)"
    )
    c0: float = parameter(
        0.01,
        "fraction of source",
        "contrast: sum of the readings below which it fades",
        FLIES + " (beta)",
        gt=0,
    )
    least_difference: float = parameter(
        1e-6, "fraction of source", "sign: a difference up to this is none", OURS, gt=0
    )
    turn_sd_deg: float = parameter(
        20.0, "deg/sqrt(s)", "diffusion of the heading, whatever is smelled", OURS, ge=0
    )
