"""A reader to copy: PGM streams (binary gray images, one after another in one file).

Copy this file to ``recordings/<name>.py``, or next to your config and list it under ``plugins:``.
The file's name is the reader's name. It is complete: it reads what ``cat *.pgm`` writes, and
``ffmpeg -f image2pipe -c:v pgm``.

Source: Poskanzer, Netpbm, "PGM Format Specification" (P5; 16-bit numbers are big-endian).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from plumenav.errors import UserError
from plumenav.recordings._contract import DamageError, Facts, Frames, Settings, frames_per_block

# Only for a file outside the repository: says what kind of plug-in this is.
PLUGIN_KIND = "reader"
# Which of the reader's settings have a meaning here; the others are refused.
USES: tuple[str, ...] = ()
# How the content is recognized. A plain literal: it is read without importing this file.
# (A reader of folders states FOLDERS or FRAME_FILES, too; see _contract.py.)
SIGNATURES = {"PGM": ((0, b"P5"),)}

HEADER = re.compile(rb"P5(?:\s+|#[^\n]*\n)+(\d+)\s+(\d+)\s+(\d+)\s")


def _header(file: BinaryIO, path: Path) -> tuple[int, int, int] | None:
    """(width, height, largest number) of the image that starts here; None at the end."""
    start = file.tell()
    head = file.read(512)
    if not head:
        return None
    match = HEADER.match(head)
    if match is None:
        raise UserError(str(path), f"no PGM image at byte {start}", "P5 images", "Write it again.")
    file.seek(start + match.end())
    width, height, largest = (int(number) for number in match.groups())
    return width, height, largest


class PgmStream:
    """An open PGM stream; see :class:`plumenav.recordings._contract.Recording`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.notes: list[str] = []
        with path.open("rb") as file:
            shape = _header(file, path)
        if shape is None:
            raise UserError(str(path), "holds no image", "P5 images", "Write it again.")
        self._shape = shape
        width, height, largest = shape
        # State everything the file says, and None for what it does not: nothing is guessed here.
        self.facts = Facts(
            reader="pgm",
            decoder="plumenav",
            decoder_version="1",
            frames_header=None,
            rate_hz=None,
            height=height,
            width=width,
            dtype="uint8" if largest < 256 else "uint16",
            bits=largest.bit_length(),
            format="PGM stream",
        )

    def blocks(self, first: int = 0, end: int | None = None) -> Iterator[Frames]:
        """Frames in order; see the contract."""
        width, height, largest = self._shape
        stored = np.dtype("u1" if largest < 256 else ">u2")
        per_block = frames_per_block(height, width, stored.itemsize)
        number, pending = 0, list[np.ndarray]()
        with self.path.open("rb") as file:
            while (end is None or number < end) and (shape := _header(file, self.path)):
                raw = file.read(height * width * stored.itemsize)
                if shape != self._shape or len(raw) < height * width * stored.itemsize:
                    # what was read so far is handed out first: it is sound
                    if pending:
                        yield Frames(number - len(pending), None, np.stack(pending))
                    raise DamageError(
                        str(self.path),
                        f"frame {number} is cut off or of another size; {number} are readable",
                        f"images of {width} x {height}",
                        f"Write the file again, or set reader.frames: [0, {number}].",
                        readable=number,
                    )
                if number >= first:
                    image = np.frombuffer(raw, stored).reshape(height, width)
                    pending.append(image.astype(self.facts.dtype))
                number += 1
                if len(pending) == per_block:
                    yield Frames(number - len(pending), None, np.stack(pending))
                    pending = []
        if pending:
            yield Frames(number - len(pending), None, np.stack(pending))
        if number < max(first + 1, end or 1):
            raise UserError(
                str(self.path), f"holds {number} frames", f"frames {first} to {end or 'the last'}"
            )

    def close(self) -> None:
        """Nothing stays open between calls."""


def open(path: Path, settings: Settings) -> PgmStream:
    """Open a PGM stream; no setting of the reader concerns it."""
    return PgmStream(path)
