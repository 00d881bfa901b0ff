"""Polarity: which way odour changes the light.

* bright: image - background (smoke, fluorescence)
* dark: background - image (shadow)
* absorbance: ln(background / image), proportional to concentration by the law of Beer and Lambert
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from plumenav.errors import UserError

# An absorbance beyond this (a ten-thousandth of the light is left) is what a camera cannot tell.
DARKEST = 1e-4


def check(kind: str, background: np.ndarray | None, where: str) -> None:
    """Refuse an absorbance without a background that is bright everywhere.

    Raises
    ------
    UserError
    """
    if kind != "absorbance":
        return
    if background is None or not (background > 0).all():
        found = "none" if background is None else "one that is 0 or less in some pixels"
        raise UserError(
            f"{where}.kind",
            f"absorbance needs a background; found {found}",
            "normalize.background of frames or an image with light in every pixel",
            "Set normalize.background, or crop pixels without light.",
        )


def _bright(image: np.ndarray, background: np.ndarray | float) -> np.ndarray:
    return np.asarray(image - background)


def _dark(image: np.ndarray, background: np.ndarray | float) -> np.ndarray:
    return np.asarray(background - image)


def _absorbance(image: np.ndarray, background: np.ndarray | float) -> np.ndarray:
    return np.asarray(-np.log(np.maximum(image / background, image.dtype.type(DARKEST))))


def _transmitted(odour: np.ndarray, background: np.ndarray | float) -> np.ndarray:
    return np.asarray(background * np.exp(-odour))


def _sum(odour: np.ndarray, background: np.ndarray | float) -> np.ndarray:
    return np.asarray(odour + background)


Change = Callable[[np.ndarray, "np.ndarray | float"], np.ndarray]
# kind -> (from image and background to odour, from odour and background to the image)
KINDS: dict[str, tuple[Change, Change]] = {
    "bright": (_bright, _sum),
    "dark": (_dark, _dark),
    "absorbance": (_absorbance, _transmitted),
}


def plain(intensity: np.ndarray, kind: str, background: np.ndarray | float) -> np.ndarray:
    """Odour signal of linear images, given the background (0: none)."""
    return KINDS[kind][0](np.asarray(intensity), background)


def undo(odour: np.ndarray, kind: str, background: np.ndarray | float) -> np.ndarray:
    """Inverse of :func:`plain`."""
    return KINDS[kind][1](np.asarray(odour), background)
