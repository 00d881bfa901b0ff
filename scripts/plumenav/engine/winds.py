"""The wind that agents feel in a block of the plume: uniform, or recorded frame by frame."""

from __future__ import annotations

import numpy as np

from plumenav.tables import PlumeReader

# no frames: the wind is uniform
UNIFORM = np.zeros((0, 2, 1, 1), np.float32)
UNIFORM.flags.writeable = False


class RecordedWind:
    """Wind frames of any range of a plume's frames; memory is what a range needs and one block.

    Parameters
    ----------
    reader : PlumeReader
        A wind file (batch.wind.join).
    """

    def __init__(self, reader: PlumeReader) -> None:
        self.reader = reader
        self.height = int(reader.metadata["plume_height"])
        self.kept: tuple[int, np.ndarray] | None = None

    def frames(self, first: int, n: int) -> np.ndarray:
        """Wind of n frames from `first` on, mm/s, shape (n, 2, height, width); n is 1 if steady."""
        if self.reader.n_frames == 1:
            return self._cut([self._block(0)])
        sizes = self.reader.block_sizes
        parts = []
        for b, (start, size) in enumerate(zip(self.reader.block_first, sizes, strict=True)):
            if start < first + n and start + size > first:
                block = self._block(b)
                parts.append(block[max(0, first - start) : first + n - start])
        return self._cut(parts)

    def _block(self, b: int) -> np.ndarray:
        if self.kept is None or self.kept[0] != b:
            self.kept = (b, self.reader.block(b).frames)
        return self.kept[1]

    def _cut(self, parts: list[np.ndarray]) -> np.ndarray:
        whole = parts[0] if len(parts) == 1 else np.concatenate(parts)
        frames = whole.reshape(len(whole), 2, self.height, whole.shape[2])
        frames.flags.writeable = False
        return frames
