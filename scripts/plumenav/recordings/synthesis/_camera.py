"""The camera: a static background, sensor noise, and the step to stored numbers.

stored = background + gain * concentration + noise, in the unit that the file stores (`levels`):
gray levels in 8-bit video, fractions of the source concentration in float32 data.
"""

from __future__ import annotations

import numpy as np

from plumenav.recordings.synthesis._contract import generator
from plumenav.recordings.synthesis._params import CameraParams

NOISE_POOL = 2**22


def texture(
    shape: tuple[int, int], size_px: float, sd: float, random: np.random.Generator
) -> np.ndarray:
    """Smooth random structure with mean 0 and a given standard deviation.

    Parameters
    ----------
    shape : tuple of int
        Height and width.
    size_px : float
        Standard deviation of the Gaussian that smooths white noise.
    sd : float
        Standard deviation of the result over the image.
    random : numpy.random.Generator

    Returns
    -------
    ndarray, shape (height, width), float64
    """
    from scipy.ndimage import gaussian_filter

    if sd == 0:
        return np.zeros(shape)
    smooth = gaussian_filter(random.standard_normal(shape), size_px, mode="wrap")
    smooth -= smooth.mean()
    spread = smooth.std()
    return np.asarray(smooth * (sd / spread if spread > 0 else 0.0))


def background(settings: CameraParams, seed: int) -> np.ndarray:
    """The scene without plume and noise, shape (height, width), float32."""
    shape = (settings.height_px, settings.width_px)
    total = np.zeros(shape)
    for name in ("coarse", "fine"):
        size_px = getattr(settings, f"{name}_texture_px")
        sd = getattr(settings, f"{name}_texture_sd")
        total += texture(shape, size_px, sd, generator(seed, "filament", "texture", name))
    limit = settings.texture_limit
    return (settings.offset + np.clip(total, -limit, limit)).astype(np.float32)


class Camera:
    """Turns true concentration into stored numbers, frame after frame.

    Float32 and 16-bit files get fresh Gaussian noise for every pixel. 8-bit files take it from a
    pool of 4 million numbers, each row of each frame from a random place: drawing thousands of
    millions anew would cost more than everything else. It is enough because what a pixel, its
    neighbours and its next frames see are different numbers of the pool; only copies of whole
    stretches, at unrelated rows and times, repeat, and rounding and compression follow.

    Parameters
    ----------
    settings : CameraParams
    seed : int
        Seed of the recording.

    Attributes
    ----------
    clipped_px : int
        Pixels that left the range of the file's integers so far.
    """

    def __init__(self, settings: CameraParams, seed: int) -> None:
        self.gain, self.noise_sd = settings.gain, settings.noise_sd
        self.background = background(settings, seed)
        self._has_background = bool(self.background.any())
        self.clipped_px = 0
        # the streams are called after the first generator; a name changes nothing but the numbers
        self._noise = generator(seed, "filament", "noise")
        self._pool: np.ndarray | None = None

    def record(self, concentration: np.ndarray, dtype: np.dtype) -> np.ndarray:
        """One frame in the type that a file stores, shape (height, width)."""
        kinds = {
            "float32": self.record_float32,
            "uint16": self.record_uint16,
            "uint8": self.record_uint8,
        }
        return kinds[dtype.name](concentration)

    def record_float32(self, concentration: np.ndarray) -> np.ndarray:
        """One frame as float32, shape (height, width)."""
        noise = self._noise.standard_normal(concentration.shape, dtype=np.float32)
        noise *= np.float32(self.noise_sd)
        noise += concentration if self.gain == 1 else concentration * np.float32(self.gain)
        if self._has_background:
            noise += self.background
        return noise

    def record_uint16(self, concentration: np.ndarray) -> np.ndarray:
        """One frame as uint16, shape (height, width); rounded to nearest, clipped and counted."""
        levels = np.rint(self.record_float32(concentration))
        self.clipped_px += int(np.count_nonzero((levels < 0) | (levels > 65535)))
        return np.asarray(np.clip(levels, 0, 65535), np.uint16)

    def record_uint8(self, concentration: np.ndarray) -> np.ndarray:
        """One frame as uint8, shape (height, width); rounded to nearest, clipped and counted."""
        from plumenav.recordings.synthesis._render import expose

        height, width = concentration.shape
        if self._pool is None:
            pool = self._noise.standard_normal(NOISE_POOL + width, dtype=np.float32)
            self._pool = pool * np.float32(self.noise_sd)
        offset = self._noise.integers(0, NOISE_POOL, height)
        picture = np.empty((height, width), np.uint8)
        self.clipped_px += int(
            expose(concentration, self.background, self._pool, offset, self.gain, picture)
        )
        return picture
