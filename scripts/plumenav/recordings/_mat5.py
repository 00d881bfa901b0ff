"""MATLAB's level-5 files (versions 5 to 7.2), looked through without loading anything.

Variables are read as streams, frame after frame, so that neither a long movie nor a lying header
takes memory; objects, cells and function handles are never built.

Source: MathWorks, "MAT-File Format" (level 5).
"""

from __future__ import annotations

import math
import struct
import zlib
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from plumenav.recordings._movie import BrokenPartError
from plumenav.recordings._stored import StoredArray, Stream

HEADER_BYTES = 128
MATRIX, COMPRESSED = 14, 15
# Types of stored numbers, and classes of variables.
STORED = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8"}
STORED |= {13: "u8"}
CLASSES = {6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4", 14: "i8"}
CLASSES |= {15: "u8"}
OTHERS = {1: "cell", 2: "struct", 3: "object", 4: "char", 5: "sparse", 16: "function handle"}
OTHERS |= {17: "object"}
# A matrix's own head is read at most so far; names have at most 63 characters.
HEAD_BYTES, MAX_AXES, MAX_VARIABLES = 4096, 32, 10_000


class Variable(NamedTuple):
    """A variable of a file.

    Attributes
    ----------
    name : str
    shape : tuple of int
    kind : str
        numpy type, or what else it is (cell, struct, complex, ...).
    array : StoredArray or None
        None if it is no plain array of numbers.
    """

    name: str
    shape: tuple[int, ...]
    kind: str
    array: StoredArray | None


class Plain:
    """A file from some place on."""

    def __init__(self, path: Path, offset: int) -> None:
        self._file = path.open("rb")
        self._file.seek(offset)

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes."""
        return self._file.read(size)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go elsewhere in the file."""
        return self._file.seek(offset, whence)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class _Inflated:
    """A compressed variable, unpacked as it is read."""

    def __init__(self, path: Path, offset: int, size: int) -> None:
        self._file = path.open("rb")
        self._file.seek(offset)
        self._left, self._unpack, self._packed = size, zlib.decompressobj(), b""

    def read(self, size: int, /) -> bytes:
        while size > 0 and not self._unpack.eof:
            if not self._packed:
                self._packed = self._file.read(min(2**16, self._left))
                self._left -= len(self._packed)
                if not self._packed:
                    return b""
            part = self._unpack.decompress(self._packed, size)
            self._packed = self._unpack.unconsumed_tail
            if part:
                return part
        return b""

    def close(self) -> None:
        self._file.close()


class _Head:
    """The first bytes of a matrix, taken apart."""

    def __init__(self, raw: bytes, order: str) -> None:
        self.raw, self.order, self.place = raw, order, 0

    def element(self) -> tuple[int, int, int]:
        """(type, bytes, offset of the data); moves behind the tag."""
        (first,) = struct.unpack_from(self.order + "I", self.raw, self.place)
        if first >> 16:
            kind, size, data = first & 0xFFFF, first >> 16, self.place + 4
            self.place += 8
            return kind, size, data
        (size,) = struct.unpack_from(self.order + "I", self.raw, self.place + 4)
        data = self.place + 8
        self.place = data + -(-size // 8) * 8
        return first, size, data


def _variable(
    raw: bytes, order: str, path: Path, start: int, packed: tuple[int, int] | None
) -> Variable | None:
    """A variable from the first bytes of its matrix; None if it has no name.

    `start` is the offset of `raw` in the file, or in the unpacked stream `packed` (offset, bytes).
    """
    head = _Head(raw, order)
    _, _, flags_at = head.element()
    (flags,) = struct.unpack_from(order + "I", raw, flags_at)
    kind, complex_numbers, logical = flags & 0xFF, flags & 0x800, flags & 0x200
    shape: tuple[int, ...] = ()
    if kind != 17:
        _, size, at = head.element()
        if not 0 < size <= 4 * MAX_AXES:
            raise struct.error("number of axes")
        shape = struct.unpack_from(f"{order}{size // 4}i", raw, at)
    _, size, at = head.element()
    name = raw[at : at + min(size, 256)].decode("utf-8", "replace")
    if not name:
        return None
    what = OTHERS.get(kind) or ("complex" if complex_numbers else "logical" if logical else "")
    if what or kind not in CLASSES or min(shape) < 0:
        return Variable(name, shape, what or f"class {kind}", None)
    dtype = np.dtype(CLASSES[kind])
    if math.prod(shape) == 0:
        return Variable(name, shape, str(dtype), None)
    code, size, at = head.element()
    stored = np.dtype(order + STORED[code])
    if size != math.prod(shape) * stored.itemsize:
        raise struct.error(f"{name}: {size} bytes for {shape} of {stored}")
    at += start
    if packed is None:

        def stream() -> Stream:
            return Plain(path, at)
    else:

        def stream() -> Stream:
            opened = _Inflated(path, *packed)
            left = at
            while left and (part := opened.read(left)):
                left -= len(part)
            return opened

    array = StoredArray(shape, stored, dtype, True, stream, at if packed is None else None)
    return Variable(name, shape, str(dtype), array)


def _head_of(file: BinaryIO, path: Path, order: str, offset: int, kind: int, size: int) -> bytes:
    """First bytes of a matrix, behind its own tag."""
    if kind == MATRIX:
        file.seek(offset)
        return file.read(min(size, HEAD_BYTES))
    stream = _Inflated(path, offset, size)
    raw = b""
    try:
        while len(raw) < HEAD_BYTES and (part := stream.read(HEAD_BYTES - len(raw))):
            raw += part
    finally:
        stream.close()
    if len(raw) < 8 or struct.unpack_from(order + "I", raw)[0] != MATRIX:
        raise struct.error("no matrix in it")
    return raw[8:]


def variables(path: Path) -> tuple[dict[str, Variable], str]:
    """All named variables of a file, and where looking through it came to an end.

    Parameters
    ----------
    path : Path

    Returns
    -------
    variables : dict
        By name, in the order of the file.
    fault : str
        What is wrong with the next one, or nothing.

    Raises
    ------
    BrokenPartError
        If the file has no header.
    """
    found: dict[str, Variable] = {}
    file_bytes = path.stat().st_size
    with path.open("rb") as file:
        header = file.read(HEADER_BYTES)
        order = {b"IM": "<", b"MI": ">"}.get(header[126:128])
        if order is None:
            raise BrokenPartError(0, "the header is cut off or damaged")
        offset = HEADER_BYTES
        for _ in range(MAX_VARIABLES):
            if offset >= file_bytes:
                return found, ""
            file.seek(offset)
            tag = file.read(8)
            if len(tag) < 8:
                return found, "the file ends early"
            kind, size = struct.unpack(order + "II", tag)
            start = offset + 8
            if kind in (MATRIX, COMPRESSED):
                try:
                    raw = _head_of(file, path, order, start, kind, size)
                    # a stream's matrix has a tag of its own
                    packed = (start, size) if kind == COMPRESSED else None
                    variable = _variable(raw, order, path, 8 if packed else start, packed)
                except (struct.error, KeyError, zlib.error) as error:
                    return found, f"the variable at byte {offset} makes no sense ({error})"
                if variable is not None:
                    found[variable.name] = variable
            offset = start + size
    return found, ""
