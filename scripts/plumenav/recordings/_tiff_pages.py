"""The chain of pages of a TIFF file, walked without decoding anything.

The number of pages is nowhere in a TIFF file: each page points to the next. A cut-off file has a
chain that leads out of it, which a decoder may take for the end.

Source: Adobe, "TIFF Revision 6.0" (1992), section 2; Aware Systems, "BigTIFF File Format Proposal".
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO, NamedTuple

# Byte, ASCII, short, long, rational, ... : bytes of one value.
TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
TYPE_BYTES |= {16: 8, 17: 8, 18: 8}
WHOLE_NUMBERS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
SUBFILE, WIDTH, HEIGHT, BITS, COMPRESSION, FILL_ORDER = 254, 256, 257, 258, 259, 266
STRIP_OFFSETS, SAMPLES, STRIP_COUNTS, PREDICTOR = 273, 277, 279, 317
TILE_OFFSETS, TILE_COUNTS, SAMPLE_FORMAT = 324, 325, 339
MAX_ENTRIES, MAX_PAGES, MAX_VALUES = 4096, 10_000_000, 2**22


class Page(NamedTuple):
    """What is known of a page from its directory.

    Attributes
    ----------
    offset : int
        Of its directory, for the decoder.
    sizes : tuple of int
        Height, width, bits and format of a sample, samples per pixel, compression.
    start : int
        Offset of its numbers where they lie in one piece, uncompressed; else -1.
    end : int
        Where the last byte of its numbers ends.
    stored : int
        Bytes of its numbers in the file.
    reduced : bool
        True for a thumbnail.
    """

    offset: int
    sizes: tuple[int, ...]
    start: int
    end: int
    stored: int
    reduced: bool


class Chain(NamedTuple):
    """All pages of a file.

    Attributes
    ----------
    pages : list of Page
    byteorder : str
        < or >.
    fault : str
        Why the chain does not come to an end, or nothing.
    """

    pages: list[Page]
    byteorder: str
    fault: str


class _Walker:
    """Reads directories of one file."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self.file, self.size = file, size
        head = file.read(8)
        self.order = ">" if head[:2] == b"MM" else "<"
        self.big = len(head) == 8 and struct.unpack(self.order + "H", head[2:4])[0] == 43
        self.word, self.count = ("Q", "Q") if self.big else ("I", "H")

    def unpack(self, code: str, offset: int, n: int = 1) -> tuple[int, ...] | None:
        """Numbers at a place; None if the file ends before."""
        length = struct.calcsize(self.order + f"{n}{code}")
        if offset + length > self.size:
            return None
        self.file.seek(offset)
        return struct.unpack(self.order + f"{n}{code}", self.file.read(length))

    def first(self) -> int:
        found = self.unpack(self.word, 8 if self.big else 4)
        return found[0] if found else 0

    def directory(self, offset: int) -> tuple[Page, int] | None:
        """A page and the offset of the next; None where the file is cut off or makes no sense."""
        found = self.unpack(self.count, offset)
        entry_bytes, head = (20, 8) if self.big else (12, 2)
        if found is None or not 0 < found[0] <= MAX_ENTRIES:
            return None
        start, entries = offset + head, found[0]
        following = self.unpack(self.word, start + entries * entry_bytes)
        if following is None:
            return None
        self.file.seek(start)
        raw = self.file.read(entries * entry_bytes)
        tags = {}
        for k in range(0, len(raw), entry_bytes):
            tag, kind = struct.unpack_from(self.order + "HH", raw, k)
            (n,) = struct.unpack_from(self.order + self.word, raw, k + 4)
            tags[tag] = (kind, n, start + k + (12 if self.big else 8))
        page = self._page(offset, tags)
        return None if page is None else (page, following[0])

    def _values(self, tags: dict[int, tuple[int, int, int]], tag: int) -> tuple[int, ...] | None:
        """Whole numbers of a tag; nothing if it is not there, None if it lies outside the file."""
        if tag not in tags:
            return ()
        kind, n, place = tags[tag]
        code = WHOLE_NUMBERS.get(kind)
        if code is None or n > MAX_VALUES:
            return None
        if n * TYPE_BYTES[kind] > (8 if self.big else 4):
            pointer = self.unpack(self.word, place)
            if pointer is None:
                return None
            place = pointer[0]
        return self.unpack(code, place, n)

    def _page(self, offset: int, tags: dict[int, tuple[int, int, int]]) -> Page | None:
        def one(tag: int, default: int) -> int | None:
            values = self._values(tags, tag)
            return None if values is None else values[0] if values else default

        sizes = tuple(
            one(tag, default)
            for tag, default in (
                (HEIGHT, 0),
                (WIDTH, 0),
                (BITS, 1),
                (SAMPLE_FORMAT, 1),
                (SAMPLES, 1),
                (COMPRESSION, 1),
            )
        )
        tiled = TILE_OFFSETS in tags
        offsets = self._values(tags, TILE_OFFSETS if tiled else STRIP_OFFSETS)
        counts = self._values(tags, TILE_COUNTS if tiled else STRIP_COUNTS)
        if not offsets or not counts or len(offsets) != len(counts) or None in sizes:
            return None
        height, width, bits, _, samples, compression = known = [int(n or 0) for n in sizes]
        needed = height * width * samples * bits // 8
        together = all(
            a + n == b for a, n, b in zip(offsets[:-1], counts[:-1], offsets[1:], strict=True)
        )
        plain = (
            compression == 1
            and not tiled
            and bits in (8, 16, 32, 64)
            and one(PREDICTOR, 1) == 1
            and one(FILL_ORDER, 1) == 1
            and together
            and sum(counts) == needed
        )
        return Page(
            offset=offset,
            sizes=tuple(known),
            start=offsets[0] if plain else -1,
            end=max(a + n for a, n in zip(offsets, counts, strict=True)),
            stored=sum(counts),
            reduced=bool((one(SUBFILE, 0) or 0) & 1),
        )


def walk(path: Path) -> Chain:
    """Follow the chain of pages to its end, or to where it breaks.

    Parameters
    ----------
    path : Path
        A TIFF or BigTIFF file.

    Returns
    -------
    Chain
    """
    pages: list[Page] = []
    seen: set[int] = set()
    with path.open("rb") as file:
        walker = _Walker(file, path.stat().st_size)
        offset, fault = walker.first(), ""
        if offset == 0:
            fault = "it names no first page"
        while offset and not fault:
            if offset in seen or len(pages) >= MAX_PAGES:
                fault = f"page {len(pages)} leads back to an earlier one"
                break
            seen.add(offset)
            found = walker.directory(offset)
            if found is None:
                fault = f"page {len(pages)} is cut off or makes no sense"
                break
            page, offset = found
            pages.append(page)
    return Chain(pages, walker.order, fault)
