"""Names of the file formats that a synthetic recording can have; their writers: _writers.py."""

from __future__ import annotations

from typing import Literal

Format = Literal["hdf5", "mjpeg_avi", "ffv1_avi", "tiff", "npy", "mat"]
