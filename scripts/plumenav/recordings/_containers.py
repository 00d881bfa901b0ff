"""Whether a video file ends inside its pictures: decoders do not say so of every codec.

Only the outermost boxes are looked at, so that it costs nothing. A cut inside an index that follows
the pictures is none here: the pictures are complete.

Sources: Microsoft, "AVI RIFF File Reference" and "OpenDML AVI File Format Extensions"; ISO/IEC
14496-12, "ISO base media file format".
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

# More boxes than this are not looked at: a healthy file has a handful.
MOST_BOXES = 100_000


def _riff_ends(file: BinaryIO, size: int) -> Iterator[int]:
    """Where the lists of pictures of an AVI file end, by their own account."""
    at = 0
    for _ in range(MOST_BOXES):
        if at + 12 > size:
            return
        file.seek(at)
        name, length, kind = struct.unpack("<4sI4s", file.read(12))
        if name == b"RIFF":
            at += 12  # into it
            continue
        if name == b"LIST" and kind == b"movi":
            yield at + 8 + length
        at += 8 + length + length % 2


def _mp4_ends(file: BinaryIO, size: int) -> Iterator[int]:
    """Where the boxes of pictures of an MP4 or MOV file end, by their own account."""
    at = 0
    for _ in range(MOST_BOXES):
        if at + 16 > size:
            return
        file.seek(at)
        length, name, long_length = struct.unpack(">I4sQ", file.read(16))
        if length == 1:
            length = long_length
        if length < 8:  # 0: to the end of the file; others cannot be
            return
        if name == b"mdat":
            yield at + length
        at += length


ENDS = {
    "AVI": _riff_ends,
    "MP4/MOV": _mp4_ends,
    "old MOV": _mp4_ends,
    "old MOV, index last": _mp4_ends,
}


def is_cut_off(path: Path, container: str) -> bool:
    """True if the file is shorter than its own account of where its pictures end.

    Parameters
    ----------
    path : Path
    container : str
        A key of the video reader's SIGNATURES.

    Returns
    -------
    bool
        False also for containers that are not looked into.
    """
    if container not in ENDS:
        return False
    size = path.stat().st_size
    with path.open("rb") as file:
        return any(end > size for end in ENDS[container](file, size))
