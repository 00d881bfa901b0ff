"""TIFF stacks: classic and BigTIFF, ImageJ hyperstacks, any integer or float type.

Pages that lie uncompressed and in one piece are read straight from their place; the others are
decoded by tifffile, page by page. A file that would have others read (OME-TIFF in parts) is taken
as the pages that are in it.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from plumenav.errors import UserError
from plumenav.recordings._contract import Facts, Settings
from plumenav.recordings._gray import bgr_to_gray, gray_note, no_colour
from plumenav.recordings._movie import (
    MAX_EXPANSION,
    BrokenPartError,
    Movie,
    block_frames,
    damage,
    reason,
    refuse_absurd,
)
from plumenav.recordings._tiff_pages import Chain, Page, walk

USES = ("channel",)
SIGNATURES = {
    "TIFF": ((0, b"II*\x00"),),
    "TIFF, big-endian": ((0, b"MM\x00*"),),
    "BigTIFF": ((0, b"II+\x00"),),
    "BigTIFF, big-endian": ((0, b"MM\x00+"),),
}

# Micrometre and the like, as ImageJ writes them, in mm.
UNITS_MM = {
    "mm": 1.0,
    "millimeter": 1.0,
    "cm": 10.0,
    "centimeter": 10.0,
    "m": 1000.0,
    "meter": 1000.0,
    "inch": 25.4,
    "um": 1e-3,
    "micron": 1e-3,
    "µm": 1e-3,
    "\\u00b5m": 1e-3,
    "nm": 1e-6,
}
# How far a code can pack at most: none (4: with thinned-out colour), LZW, deflate, PackBits.
EXPANSION = {1: 4, 5: 1400, 8: 1100, 32946: 1100, 32773: 128}
RESOLUTION_UNITS_MM = {2: 25.4, 3: 10.0}
SIGNIFICANT_BITS = re.compile(r'SignificantBits="(\d+)"')
# tifffile's own ways of joining several files, or many planes in one page, into a series
NOT_FOLLOWED = {"is_ome": False, "is_mmstack": False, "is_ndtiff": False}


def _text(value: Any) -> str:
    return str(value).strip() if isinstance(value, str) else ""


def _ratio(value: Any) -> float | None:
    try:
        above, below = (float(part) for part in value)
    except (TypeError, ValueError):
        return None
    return above / below if above > 0 and below > 0 else None


def _number(value: Any) -> float | None:
    """A finite positive number, or None."""
    if isinstance(value, (int, float)) and 0 < value < float("inf"):
        return float(value)
    return None


def _tag(page: tifffile.TiffPage, name: str) -> Any:
    tag = page.tags.get(name)
    return None if tag is None else tag.value


def _shaped(description: object) -> tuple[int, ...]:
    """Shape of all pages in the JSON that tifffile writes; nothing if it is not there."""
    if not isinstance(description, str) or not description.startswith('{"shape":'):
        return ()
    try:
        shape = json.loads(description)["shape"]
        return tuple(int(n) for n in shape) if all(int(n) > 0 for n in shape) else ()
    except (ValueError, TypeError, KeyError):
        return ()


def _pixel_mm(page: tifffile.TiffPage, imagej: dict[str, Any]) -> list[float] | None:
    """Edges of a pixel from one row and one column to the next, mm, if the file says so."""
    per_unit = [_ratio(_tag(page, name)) for name in ("YResolution", "XResolution")]
    unit_mm = UNITS_MM.get(_text(imagej.get("unit")))
    if unit_mm is None and not imagej:
        unit_mm = RESOLUTION_UNITS_MM.get(_tag(page, "ResolutionUnit"))
    if unit_mm is None or None in per_unit:
        return None
    return [unit_mm / n for n in per_unit if n is not None]


def _said(page: tifffile.TiffPage, imagej: dict[str, Any]) -> dict[str, Any]:
    """What the file says of itself, JSON-able."""
    said: dict[str, Any] = {}
    for key in ("Software", "DateTime", "Make", "Model"):
        if text := _text(_tag(page, key)):
            said[key.lower()] = text
    plain = {k: v for k, v in imagej.items() if isinstance(v, (str, int, float, bool))}
    if plain:
        said["imagej"] = plain
    elif text := _text(page.description):
        said["description"] = text[:500]
    if pixel := _pixel_mm(page, imagej):
        said["mm_per_px"] = pixel
    return said


class Tiff(Movie):
    """An open TIFF stack; see :class:`plumenav.recordings._contract.Recording`."""

    def __init__(self, path: Path, settings: Settings) -> None:
        self.path, self._settings = path, settings
        chain = walk(path)
        notes: list[str] = []
        pages = [page for page in chain.pages if not page.reduced]
        if not pages:
            raise damage(path, chain.fault or "it holds no image", 0)
        if len(pages) < len(chain.pages):
            notes.append(f"{len(chain.pages) - len(pages)} thumbnails are left out")
        try:
            self._tif = tifffile.TiffFile(path, **NOT_FOLLOWED)
        except Exception as error:  # whatever the decoder makes of damaged directories
            raise damage(path, reason(error), 0) from None
        try:
            self._open(chain, pages, notes)
        except (UserError, BrokenPartError):
            self._tif.close()
            raise
        except Exception as error:  # a damaged tag gives any type: whatever comes of it here
            self._tif.close()
            raise damage(path, f"its first page makes no sense: {reason(error)}", 0) from None

    def _open(self, chain: Chain, pages: list[Page], notes: list[str]) -> None:
        path, size = self.path, self.path.stat().st_size
        height, width, bits, _, samples, _ = pages[0].sizes
        itemsize = max(1, bits // 8) * max(1, samples)
        claimed = (height, -(-width * samples * bits // 8))
        expansion = EXPANSION.get(pages[0].sizes[5], MAX_EXPANSION)
        refuse_absurd(path, claimed, claimed, 1, min(size, pages[0].stored), expansion)
        page = self._page(pages[0], 0)
        imagej = self._imagej()
        promised = self._promised(page, imagej, len(pages))
        if getattr(self._tif, "is_stk", False):
            raise UserError(
                str(path),
                "is a MetaMorph STK file",
                "a TIFF stack with one frame per page",
                "Save it as TIFF, for example with ImageJ.",
            )
        self._check_page(page, pages[0])
        self._gray_of = self._colour(page, notes)
        frame = height * width * itemsize
        whole = pages
        if promised > len(pages) == 1 and pages[0].start >= 0:
            # ImageJ and tifffile leave out the other pages of very large stacks
            start = pages[0].start
            whole = [
                pages[0]._replace(start=start + k * frame, end=start + (k + 1) * frame)
                for k in range(min(promised, max(0, size - start) // frame))
            ]
        self._pages = whole
        sound = next((k for k, p in enumerate(whole) if p.end > size), len(whole))
        promised = max(promised, len(whole), sound + 1 if chain.fault else 0)
        why = chain.fault or ("the file ends early" if sound < len(whole) else "pages are missing")
        self._straight = all(p.start >= 0 for p in whole) and page.axes in ("YX", "YXS")
        facts = self._facts(page, imagej, promised, chain)
        if promised == 1 and self._settings.shape[0] != 1:
            raise UserError(
                str(path),
                "is a single image: a movie of 1 frame",
                "a stack of at least 2 pages",
                "If it is one of many, give the folder they are in, or a pattern (frame_*.tif).",
            )
        super().__init__(path, facts, None, sound, why)
        self.notes += notes

    def _page(self, page: Page, number: int) -> tifffile.TiffPage:
        self._tif.filehandle.seek(page.offset)
        try:
            return tifffile.TiffPage(self._tif, number)
        except Exception as error:  # whatever the decoder makes of a damaged directory
            raise BrokenPartError(number, reason(error)) from None

    def _imagej(self) -> dict[str, Any]:
        try:
            found = self._tif.imagej_metadata if self._tif.is_imagej else None
        except Exception:  # damaged metadata are no metadata
            return {}
        return dict(found or {})

    def _promised(self, page: tifffile.TiffPage, imagej: dict[str, Any], pages: int) -> int:
        """Frames that the metadata promise; refuses stacks of channels or of slices and times."""
        if not imagej:
            shape = _shaped(page.description)
            return math.prod(shape[: -len(page.shape)]) if len(shape) > len(page.shape) else 0
        frames, slices, channels = (
            int(_number(imagej.get(key)) or 1) for key in ("frames", "slices", "channels")
        )
        samples = 3 if page.photometric == 2 else 1
        if channels > samples or (slices > 1 and frames > 1):
            raise UserError(
                str(self.path),
                f"is a hyperstack of {frames} times, {slices} slices and {channels} channels",
                "one image per time",
                "Choose one slice and channel with ImageJ (Image > Hyperstacks > Make Subset).",
            )
        return int(_number(imagej.get("images")) or max(frames, slices))

    def _check_page(self, page: tifffile.TiffPage, first: Page) -> None:
        dtype = page.dtype
        if dtype is None or dtype.kind not in "uif" or page.axes not in ("YX", "YXS", "SYX"):
            raise UserError(
                str(self.path),
                f"its pages are {page.axes} of {dtype}",
                "images of integers or floats, gray or RGB",
                "Convert it.",
            )

    def _colour(self, page: tifffile.TiffPage, notes: list[str]) -> bool:
        """True if pages are colour; notes what becomes of it."""
        settings = self._settings
        samples = int(page.samplesperpixel)
        photometric = int(page.photometric)
        if photometric == 0:
            notes.append("the file says that 0 is white; numbers as stored")
        if photometric == 3:
            notes.append("the colour table is left aside: gray levels as stored")
        if samples == 1:
            if settings.colour:
                raise no_colour(self.path)
            return False
        if samples in (2, 4) and photometric in (0, 1, 2):
            notes.append("the opacity of the pixels is left aside")
        if samples == 2 and photometric in (0, 1):
            return False
        if samples not in (3, 4) or photometric not in (2, 6):
            raise UserError(
                str(self.path),
                f"each pixel has {samples} samples, of photometric {photometric}",
                "1 (gray), or 3 (RGB), and opacity",
                "Convert it to gray.",
            )
        if not settings.colour:
            notes.append(gray_note(8 * page.dtype.itemsize, settings.channel))
        return True

    def _facts(
        self, page: tifffile.TiffPage, imagej: dict[str, Any], promised: int, chain: Chain
    ) -> Facts:
        dtype = page.dtype.newbyteorder("=")
        interval, fps = _number(imagej.get("finterval")), _number(imagej.get("fps"))
        bits = int(page.bitspersample)
        said = _text(page.description)
        if match := SIGNIFICANT_BITS.search(said):
            bits = min(bits, int(match.group(1))) or bits
        big = "BigTIFF" if self._tif.is_bigtiff else "TIFF"
        end = "big-endian" if chain.byteorder == ">" else "little-endian"
        kind = "ImageJ " if imagej else ""
        packed = page.compression.name.lower() if int(page.compression) != 1 else "uncompressed"
        colour = self._gray_of
        return Facts(
            reader="tiff",
            decoder="tifffile",
            decoder_version=tifffile.__version__,
            frames_header=promised,
            rate_hz=1 / interval if interval else fps,
            height=int(page.imagelength),
            width=int(page.imagewidth),
            dtype=str(dtype),
            bits=bits,
            format=f"{kind}{big}, {dtype}{' RGB' if colour else ''}, {packed}, {end}",
            channels=3 if colour and self._settings.colour else 1,
            extra={**_said(page, imagej), "pages": len(chain.pages)},
        )

    def _raw(self, number: int) -> np.ndarray:
        """One page as stored."""
        entry = self._pages[number]
        if entry.sizes[:5] != self._pages[0].sizes[:5]:
            raise UserError(
                str(self.path),
                f"page {number} has (height, width, bits, format, samples) {entry.sizes[:5]},"
                f" page 0 {self._pages[0].sizes[:5]}",
                "pages of one size and type",
                "Save the movie alone in its file.",
            )
        if self._straight:
            return self._straight_page(entry, number)
        page = self._page(entry, number)
        try:
            image = np.asarray(page.asarray(maxworkers=1))
        except Exception as error:  # any codec's complaint about its bytes
            raise BrokenPartError(number, reason(error)) from None
        return np.moveaxis(image, 0, -1) if page.axes == "SYX" else image

    def _straight_page(self, entry: Page, number: int) -> np.ndarray:
        facts, samples = self.facts, entry.sizes[4]
        stored = np.dtype(facts.dtype).newbyteorder(self._tif.byteorder)
        size = facts.height * facts.width * samples * stored.itemsize
        self._tif.filehandle.seek(entry.start)
        raw = self._tif.filehandle.read(size)
        if len(raw) < size:
            raise BrokenPartError(number, "the file ends early")
        shape = (facts.height, facts.width, samples)
        return np.frombuffer(raw, stored).reshape(shape if samples > 1 else shape[:2])

    def _image(self, number: int) -> np.ndarray:
        image = self._raw(number)
        if image.ndim == 3 and not self._gray_of:
            image = image[..., 0]
        image = np.ascontiguousarray(image, self.facts.dtype)
        if not self._gray_of:
            return image
        bgr = image[..., 2::-1]
        return bgr if self._settings.colour else bgr_to_gray(bgr, self._settings.channel)

    def _parts(self, first: int, stop: int) -> Iterator[tuple[int, np.ndarray]]:
        n = block_frames(self.facts)
        for start in range(first, stop, n):
            images: list[np.ndarray] = []
            try:
                for number in range(start, min(stop, start + n)):
                    images.append(self._image(number))
            except BrokenPartError:
                if images:
                    yield start, np.stack(images)
                raise
            yield start, np.stack(images)

    def close(self) -> None:
        """Close the file."""
        self._tif.close()


def open(path: Path, settings: Settings) -> Tiff:
    """Open a TIFF stack.

    Parameters
    ----------
    path : Path
    settings : Settings
        Used: `channel` and `colour` (RGB pages), `shape` (1 frame: a single image is accepted).

    Returns
    -------
    Tiff

    Raises
    ------
    UserError
        If the file is damaged, a single image, or a stack of more than times.
    """
    try:
        return Tiff(path, settings)
    except BrokenPartError as broken:
        raise damage(path, broken.why, broken.readable) from None
