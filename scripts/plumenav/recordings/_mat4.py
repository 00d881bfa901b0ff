"""MATLAB's level-4 files: plain matrices one after another, without any mark at the start.

Source: MathWorks, "MAT-File Format" (level 4).
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from plumenav.recordings._mat5 import Plain, Variable
from plumenav.recordings._stored import StoredArray, Stream

NUMBERS = ("f8", "f4", "i4", "i2", "u2", "u1")
KINDS = ("", "text", "sparse")
HEADER_BYTES, MAX_NAME, MAX_VARIABLES = 20, 256, 10_000


def _variable(path: Path, raw: bytes, offset: int) -> tuple[Variable, int]:
    """A variable from its header and name, and where it ends; raises struct.error."""
    order = "<" if struct.unpack_from("<I", raw)[0] < 1000 else ">"
    code, rows, columns, imaginary, length = struct.unpack_from(order + "5I", raw)
    machine, other, number, kind = code // 1000, code // 100 % 10, code // 10 % 10, code % 10
    known = other == 0 and number < len(NUMBERS) and kind < len(KINDS)
    if machine != (order == ">") or not known or imaginary > 1 or not 0 < length <= MAX_NAME:
        raise struct.error("no MATLAB 4 matrix")
    text = raw[HEADER_BYTES : HEADER_BYTES + length].rstrip(b"\x00")
    if not text.isascii() or not text.decode("ascii").isidentifier():
        raise struct.error("no name of a MATLAB variable")
    name, shape = text.decode("ascii"), (rows, columns)
    stored = np.dtype(order + NUMBERS[number])
    start = offset + HEADER_BYTES + length
    end = start + rows * columns * stored.itemsize * (1 + imaginary)
    what = KINDS[kind] or ("complex" if imaginary else "")
    if what or rows * columns == 0:
        return Variable(name, shape, what or str(stored), None), end

    def stream() -> Stream:
        return Plain(path, start)

    native = stored.newbyteorder("=")
    array = StoredArray(shape, stored, native, True, stream, start)
    return Variable(name, shape, str(native), array), end


def variables(path: Path) -> tuple[dict[str, Variable], str]:
    """All variables of a file; see :func:`plumenav.recordings._mat5.variables`.

    Parameters
    ----------
    path : Path

    Returns
    -------
    variables : dict
    fault : str
    """
    found: dict[str, Variable] = {}
    offset, file_bytes = 0, path.stat().st_size
    with path.open("rb") as file:
        for _ in range(MAX_VARIABLES):
            if offset >= file_bytes:
                break
            file.seek(offset)
            try:
                variable, end = _variable(path, file.read(HEADER_BYTES + MAX_NAME), offset)
            except struct.error as error:
                return found, f"the variable at byte {offset} makes no sense ({error})"
            found[variable.name] = variable
            offset = end
    return found, ""
