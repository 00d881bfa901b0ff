"""Folders of images: one PNG, TIFF, JPEG or BMP file per frame, in natural order of their names."""

from __future__ import annotations

from glob import escape
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from plumenav.errors import UserError
from plumenav.recordings._contract import Facts, Settings
from plumenav.recordings._files import FileSequence, at_least_two, frames_in
from plumenav.recordings._gray import bgr_to_gray, gray_note, no_colour
from plumenav.recordings._image_files import header_of
from plumenav.recordings._movie import BrokenPartError, damage, reason, refuse_absurd
from plumenav.recordings._stderr import stderr_lines

USES = ("channel",)
SIGNATURES = {
    "PNG": ((0, b"\x89PNG\r\n\x1a\n"),),
    "JPEG": ((0, b"\xff\xd8\xff"),),
    "BMP": ((0, b"BM"), (6, b"\x00\x00\x00\x00")),
}
# Kinds of files that are one frame each, in a folder.
FRAME_FILES = {
    "PNG": ((0, b"\x89PNG\r\n\x1a\n"),),
    "JPEG": ((0, b"\xff\xd8\xff"),),
    "BMP": ((0, b"BM"), (6, b"\x00\x00\x00\x00")),
    "TIFF": ((0, b"II*\x00"),),
    "TIFF, big-endian": ((0, b"MM\x00*"),),
    "BigTIFF": ((0, b"II+\x00"),),
    "BigTIFF, big-endian": ((0, b"MM\x00+"),),
}


def _family(form: str | None) -> str | None:
    """TIFF of every kind is one."""
    return "TIFF" if form and "TIFF" in form else form


def _images(path: Path, pattern: str | None) -> tuple[str, list[Path], list[str]]:
    """(kind, files, notes) of the images in a folder."""
    images, others = frames_in(path, pattern, FRAME_FILES)
    found = sorted({kind for form in images.values() if (kind := _family(form))})
    if len(found) > 1:
        raise UserError(
            str(path),
            f"holds images of several kinds ({', '.join(found)})",
            "frames of one kind",
            "Name the frames by a pattern: path: folder/frame_*.png.",
        )
    notes = []
    if others:
        names = ", ".join(file.name for file in others[:3]) + (", ..." if len(others) > 3 else "")
        notes.append(f"{len(others)} files in the folder are no images ({names})")
    return (found or [""])[0], list(images), notes


class _Decoded:
    """Images as OpenCV decodes them."""

    decoder, version = "OpenCV", cv2.__version__

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.notes: list[str] = []
        self.bits, self.extra = 0, dict[str, Any]()

    def load(self, file: Path) -> np.ndarray:
        raw = _bytes_of(file)
        header = header_of(file, raw)
        self.bits = max(self.bits, header.bits)
        self.extra = self.extra or header.extra
        refuse_absurd(file, (1,), (header.height, header.width), 8, len(raw))
        try:
            with stderr_lines() as lines:
                image = cv2.imdecode(np.frombuffer(raw, np.uint8), cv2.IMREAD_UNCHANGED)
        except cv2.error as error:
            raise BrokenPartError(0, reason(error)) from None
        if image is None:
            raise BrokenPartError(0, "it cannot be decoded")
        if lines:
            raise BrokenPartError(0, f"the decoder says: {lines[0]}")
        return self._reduced(file, np.asarray(image))

    def _reduced(self, file: Path, image: np.ndarray) -> np.ndarray:
        """Gray (or blue, green, red) without opacity."""
        settings = self.settings
        if image.ndim == 2 or image.shape[2] == 1:
            if settings.colour:
                raise no_colour(file)
            return np.asarray(image[..., 0] if image.ndim == 3 else image)
        if image.shape[2] == 4:
            self._note("the opacity of the pixels is left aside")
        bgr = np.ascontiguousarray(image[..., :3])
        if settings.colour:
            return bgr
        self._note(gray_note(8 * image.dtype.itemsize, settings.channel))
        return bgr_to_gray(bgr, settings.channel)

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)


class _DecodedTiff:
    """Images of one TIFF page, through the reader of TIFF."""

    decoder = "tifffile"

    def __init__(self, settings: Settings) -> None:
        self.settings = settings._replace(shape=(1, None, None))
        self.notes: list[str] = []
        self.bits, self.extra, self.version = 0, dict[str, Any](), ""

    def load(self, file: Path) -> np.ndarray:
        from plumenav.recordings import tiff

        opened = tiff.open(file, self.settings)
        try:
            if opened.n_frames > 1:
                raise UserError(
                    str(file),
                    f"holds {opened.n_frames} pages",
                    "one page per file, in a folder of images",
                    "If the file is the movie, give it as `path`.",
                )
            self.bits = max(self.bits, opened.facts.bits)
            self.version, self.extra = opened.facts.decoder_version, dict(opened.facts.extra)
            self.notes = opened.notes or self.notes
            return np.asarray(next(iter(opened.blocks())).frames[0])
        finally:
            opened.close()


def _bytes_of(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise BrokenPartError(0, reason(error)) from None


class ImageSequence(FileSequence):
    """An open folder of images; see :class:`plumenav.recordings._contract.Recording`."""

    def __init__(self, path: Path, settings: Settings) -> None:
        kind, files, notes = _images(path, settings.pattern)
        at_least_two(path, files, settings.shape[0])
        decoded = _DecodedTiff(settings) if kind == "TIFF" else _Decoded(settings)
        self._decoded = decoded
        try:
            image = self._load(files[0])
        except BrokenPartError as broken:
            raise damage(path, f"{files[0].name}: {broken.why}", 0, len(files)) from None
        height, width = image.shape[:2]
        dtype = str(image.dtype)
        facts = Facts(
            reader="image_sequence",
            decoder=decoded.decoder,
            decoder_version=decoded.version,
            frames_header=len(files),
            rate_hz=None,
            height=height,
            width=width,
            dtype=dtype,
            bits=decoded.bits or 8 * image.dtype.itemsize,
            format=f"{kind} sequence, {dtype}",
            channels=3 if settings.colour else 1,
            extra={**decoded.extra, "first_file": files[0].name, "last_file": files[-1].name},
        )
        super().__init__(path, files, facts)
        self.notes += [*notes, *decoded.notes]

    def _load(self, file: Path) -> np.ndarray:
        try:
            return self._decoded.load(file)
        except UserError as error:
            if getattr(error, "readable", None) is None:
                raise
            raise BrokenPartError(0, error.found) from None


def open(path: Path, settings: Settings) -> ImageSequence:
    """Open a folder of images.

    Parameters
    ----------
    path : Path
        The folder.
    settings : Settings
        Used: `pattern` (which files; default: all images), `channel` and `colour`, `shape` (1
        frame: a single image is accepted).

    Returns
    -------
    ImageSequence

    Raises
    ------
    UserError
        If there is no image, only one, or images of several kinds; naming the file that differs.
    """
    if path.is_file():
        at_least_two(path, [path], settings.shape[0])
        settings = settings._replace(pattern=escape(path.name))
        path = path.parent
    return ImageSequence(path, settings)
