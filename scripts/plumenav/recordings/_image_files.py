"""PNG, JPEG and BMP: what the header claims, and whether the file is whole.

Decoders draw what they can of a damaged image and say little; a frame that is half gray would pass
for a plume.

Source: W3C, "Portable Network Graphics (PNG) Specification", 5.3 and 11.3; ITU-T T.81, annex B.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any, NamedTuple

from plumenav.recordings._movie import BrokenPartError

PNG, JPEG, BMP = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"BM"
# Samples of a pixel by PNG's colour type.
PNG_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


class Header(NamedTuple):
    """What an image file says.

    Attributes
    ----------
    kind : str
    height, width : int
    bits : int
        Bits of a sample that carry information.
    extra : dict
        What else it says of itself.
    """

    kind: str
    height: int
    width: int
    bits: int
    extra: dict[str, Any]


def _png(raw: bytes) -> Header:
    place, bits, data, extra = len(PNG), 0, 0, dict[str, Any]()
    height = width = 0
    while True:
        if place + 12 > len(raw):
            raise BrokenPartError(0, "the image ends early")
        length, name = struct.unpack_from(">I4s", raw, place)
        body = memoryview(raw)[place + 8 : place + 8 + length]
        if place + 12 + length > len(raw):
            raise BrokenPartError(0, "the image ends early")
        (checksum,) = struct.unpack_from(">I", raw, place + 8 + length)
        if zlib.crc32(body, zlib.crc32(name)) != checksum:
            raise BrokenPartError(0, f"the checksum of {name!r} is wrong")
        if name == b"IHDR" and length == 13:
            width, height, bits, colour = struct.unpack_from(">IIBB", body)
            extra["colour_type"] = colour
        elif name == b"sBIT" and length:
            bits = min(bits, max(body)) or bits
        elif name == b"pHYs" and length == 9:
            per_m = struct.unpack_from(">IIB", body)
            if per_m[2] == 1 and per_m[0] and per_m[1]:
                extra["mm_per_px"] = [1000 / per_m[1], 1000 / per_m[0]]
        elif name == b"IDAT":
            data += length
        elif name == b"acTL":
            raise BrokenPartError(0, "it is an animated PNG, not one image")
        elif name == b"IEND":
            break
        place += 12 + length
    samples = PNG_SAMPLES.get(extra.pop("colour_type", -1))
    # deflate packs 1032 : 1 at best
    if not samples or height * width * samples * bits // 8 > 1100 * data + 4096:
        raise BrokenPartError(0, f"{height} x {width} pixels cannot be in {data} bytes")
    return Header("PNG", height, width, bits, extra)


def _jpeg(raw: bytes) -> Header:
    if b"\xff\xd9" not in raw[-4096:]:
        raise BrokenPartError(0, "the image ends early")
    place = 2
    while place + 9 < len(raw):
        if raw[place] != 0xFF:
            break
        marker = raw[place + 1]
        if marker == 0xFF:
            place += 1
            continue
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            bits, height, width = struct.unpack_from(">BHH", raw, place + 4)
            return Header("JPEG", height, width, bits, {})
        if marker == 0xDA:
            break
        place += 2 + struct.unpack_from(">H", raw, place + 2)[0]
    raise BrokenPartError(0, "no size is found in it")


def _bmp(raw: bytes) -> Header:
    if len(raw) < 34:
        raise BrokenPartError(0, "the image ends early")
    start = struct.unpack_from("<I", raw, 10)[0]
    width, height = struct.unpack_from("<ii", raw, 18)
    bits, packing = struct.unpack_from("<HI", raw, 28)
    row = (width * bits + 31) // 32 * 4
    if width <= 0 or (packing == 0 and start + row * abs(height) > len(raw)):
        raise BrokenPartError(0, "the image ends early")
    if packing in (1, 2) and abs(height) * width > 300 * len(raw):
        raise BrokenPartError(0, f"{height} x {width} pixels cannot be in {len(raw)} bytes")
    return Header("BMP", abs(height), width, 8, {})


READERS = {PNG: _png, JPEG: _jpeg, BMP: _bmp}


def header_of(file: Path, raw: bytes) -> Header:
    """Header of an image file, checked as far as its kind allows.

    Parameters
    ----------
    file : Path
    raw : bytes
        The whole file.

    Raises
    ------
    BrokenPartError
        If it is damaged, cut off, or none of these kinds.
    """
    for signature, read in READERS.items():
        if raw.startswith(signature):
            return read(raw)
    raise BrokenPartError(0, f"it is not PNG, JPEG or BMP (it begins with {raw[:8]!r})")
