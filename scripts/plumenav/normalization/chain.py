"""The steps that need every pixel of the file: between the transfer and the change of geometry.

Where none of them is asked for, they fold into one factor and one image at the plume's own size
(:mod:`plumenav.normalization.kernel`); this is the long way, at the size of the file.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from plumenav.normalization.extra._contract import Steps
from plumenav.normalization.steps import despeckle, flat_field, polarity


class Chain(NamedTuple):
    """Dark and flat field, background, polarity, despeckling, extra steps: in this order; the mask.

    Attributes
    ----------
    flat : flat_field.Flat or None
    polarity : str
    despeckle_px : int
    extra : Steps
        Beyond the fixed order.
    keep : ndarray, shape of the window, float32, or None
        1 where pixels count; applied when it is known what clean air is (:class:`.kernel.Signals`).
    """

    flat: flat_field.Flat | None
    polarity: str
    despeckle_px: int
    extra: Steps
    keep: np.ndarray | None

    @property
    def trivial(self) -> bool:
        """True if only a constant background and a sign are left: the short way will do."""
        plain = self.flat is None and self.keep is None
        plain = plain and not self.despeckle_px and not self.extra
        return plain and self.polarity != "absorbance"

    def odour(self, intensity: np.ndarray, empty: np.ndarray | float) -> np.ndarray:
        """Odour signal of one linear image of the window.

        Parameters
        ----------
        intensity : ndarray, shape (height, width), float
        empty : ndarray or float
            Linear image without plume; 0: none is subtracted.
        """
        even = flat_field.plain(intensity, self.flat)
        signal = polarity.plain(even, self.polarity, self._even(empty))
        return self.extra(despeckle.despeckled(signal, self.despeckle_px))

    def intensity(self, odour: np.ndarray, empty: np.ndarray | float) -> np.ndarray:
        """Back from the odour signal; what comes after polarity has no way back."""
        even = polarity.undo(odour, self.polarity, self._even(empty))
        return flat_field.undo(even, self.flat)

    def _even(self, empty: np.ndarray | float) -> np.ndarray | float:
        return flat_field.plain(empty, self.flat) if isinstance(empty, np.ndarray) else empty
