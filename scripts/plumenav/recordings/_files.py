"""Recordings of one file per frame: which files of a folder, in which order, what is missing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from plumenav.errors import UserError
from plumenav.recordings._contract import Facts
from plumenav.recordings._movie import BrokenPartError, Movie, block_frames

Formats = Mapping[str, tuple[tuple[int, bytes], ...]]

NUMBER = re.compile(r"([0-9]+)")
HEAD_BYTES = 1024
# Missing numbers that are named in a note.
MAX_NAMED = 10


class Missing(NamedTuple):
    """Numbers that are missing in the names of frames.

    Attributes
    ----------
    n : int
    first : list of int
        At most 10 of them.
    """

    n: int
    first: list[int]


def natural_key(name: str) -> tuple[tuple[str, ...], tuple[int, ...], str]:
    """Order in which 2 is before 10.

    Examples
    --------
    >>> sorted(["f10.png", "f2.png", "f01.png"], key=natural_key)
    ['f01.png', 'f2.png', 'f10.png']
    """
    parts = NUMBER.split(name)
    return tuple(parts[::2]), tuple(int(n) for n in parts[1::2]), name


def frame_files(folder: Path, pattern: str | None) -> list[Path]:
    """Files of a folder in natural order, without hidden ones.

    Parameters
    ----------
    folder : Path
    pattern : str or None
        Of the names; a folder before it is left aside (frames/img_*.png).
    """
    wanted = Path(pattern).name if pattern else "*"
    found = (
        path
        for path in folder.iterdir()
        if not path.name.startswith(".") and fnmatchcase(path.name, wanted) and path.is_file()
    )
    return sorted(found, key=lambda path: natural_key(path.name))


def kind_of(file: Path, formats: Mapping[str, tuple[tuple[int, bytes], ...]]) -> str | None:
    """Format of a file among some, by its first bytes; None if it is none of them.

    Raises
    ------
    UserError
        If it cannot be opened.
    """
    try:
        with file.open("rb") as opened:
            head = opened.read(HEAD_BYTES)
    except OSError as error:
        raise UserError(
            str(file),
            f"cannot be opened ({error.strerror})",
            "a file that may be read",
            "Check its permissions.",
        ) from None
    for form, signature in formats.items():
        if all(head[offset : offset + len(part)] == part for offset, part in signature):
            return form
    return None


def frames_in(
    folder: Path, pattern: str | None, formats: Formats
) -> tuple[dict[Path, str | None], list[Path]]:
    """Files of a folder that are frames.

    A file that is named like the frames is one of them, even if its content is of no known format:
    it may be cut off or empty, and leaving it out would make a silent short movie.

    Parameters
    ----------
    folder : Path
    pattern : str or None
        Of the names; all that match are frames.
    formats : dict
        Of frames: {format: ((offset, bytes), ...)}.

    Returns
    -------
    frames : dict
        {file: format, None if the content is of none} in natural order.
    others : list of Path
        Files that are something else.
    """
    kinds = {file: kind_of(file, formats) for file in frame_files(folder, pattern)}
    alike = {natural_key(file.name)[0] for file, kind in kinds.items() if kind}
    frames = {
        file: kind
        for file, kind in kinds.items()
        if kind or (alike and pattern) or natural_key(file.name)[0] in alike
    }
    return frames, [file for file in kinds if file not in frames]


def missing_numbers(names: Sequence[str]) -> Missing:
    """Numbers that are left out in an otherwise regular numbering.

    Names are regular if one number alone changes, mostly by the same step.

    Parameters
    ----------
    names : sequence of str
        In natural order.

    Examples
    --------
    >>> missing_numbers(["f1.png", "f2.png", "f3.png", "f6.png"])
    Missing(n=2, first=[4, 5])
    >>> missing_numbers(["f10.png", "f20.png", "f40.png", "f50.png"])
    Missing(n=1, first=[30])
    >>> missing_numbers(["f1.png", "f150.png"])
    Missing(n=0, first=[])
    """
    keys = [natural_key(name) for name in names]
    if len(keys) < 3 or len({key[0] for key in keys}) > 1:
        return Missing(0, [])
    fields = zip(*(key[1] for key in keys), strict=True)
    changing = [values for values in fields if len(set(values)) > 1]
    if len(changing) != 1:
        return Missing(0, [])
    numbers = changing[0]
    steps = [b - a for a, b in pairwise(numbers)]
    step, times = Counter(steps).most_common(1)[0]
    if step <= 0 or 2 * times < len(steps):
        return Missing(0, [])
    gaps = [
        (number + step, step_here // step - 1)
        for number, step_here in zip(numbers[:-1], steps, strict=True)
        if step_here > step and step_here % step == 0
    ]
    first = [start + k * step for start, n in gaps for k in range(min(n, MAX_NAMED))]
    return Missing(sum(n for _, n in gaps), first[:MAX_NAMED])


def odd_names(names: Sequence[str]) -> list[str]:
    """A note on frames whose names differ from the others' in more than numbers; none if all agree.

    A picture of the background in the folder of the frames would be one of them.

    Examples
    --------
    >>> odd_names(["f1.png", "f2.png"])
    []
    >>> odd_names(["dark.png", "f1.png", "f2.png"])
    ['names differ in more than numbers (dark.png, f1.png): are all of them frames?']
    """
    first_of: dict[tuple[str, ...], str] = {}
    for name in names:
        first_of.setdefault(natural_key(name)[0], name)
    if len(first_of) == 1:
        return []
    shown = ", ".join(list(first_of.values())[:3]) + (", ..." if len(first_of) > 3 else "")
    return [f"names differ in more than numbers ({shown}): are all of them frames?"]


class FileSequence(Movie):
    """A movie of one file per frame; a reader defines `_load`.

    Parameters
    ----------
    path : Path
        The folder.
    files : list of Path
        In order.
    facts : Facts
    """

    def __init__(self, path: Path, files: list[Path], facts: Facts) -> None:
        self.files = files
        missing = missing_numbers([file.name for file in files])
        if missing.n:
            facts.extra["missing_numbers"] = missing.n
        facts.extra["files"] = len(files)
        super().__init__(path, facts)
        if missing.n:
            more = ", ..." if missing.n > len(missing.first) else ""
            self.notes.append(
                f"{missing.n} numbers are missing in the names of the files"
                f" ({', '.join(map(str, missing.first))}{more}): dropped frames?"
            )
        self.notes += odd_names([file.name for file in files])

    def _load(self, file: Path) -> np.ndarray:
        """The frame in a file; raises :class:`BrokenPartError` (any number of frames)."""
        raise NotImplementedError

    def _frame(self, number: int) -> np.ndarray:
        file, facts = self.files[number], self.facts
        try:
            image = self._load(file)
        except BrokenPartError as broken:
            raise BrokenPartError(number, f"{file.name}: {broken.why}") from None
        shape = (facts.height, facts.width)
        if image.shape[:2] != shape or image.dtype != facts.dtype:
            raise different(file, image.shape[:2], image.dtype, self.files[0], shape, facts.dtype)
        return image

    def _parts(self, first: int, stop: int) -> Iterator[tuple[int, np.ndarray]]:
        n = block_frames(self.facts)
        for start in range(first, stop, n):
            images: list[np.ndarray] = []
            try:
                for number in range(start, min(stop, start + n)):
                    images.append(self._frame(number))
            except BrokenPartError:
                if images:
                    yield start, np.stack(images)
                raise
            yield start, np.stack(images)


def different(
    file: Path,
    shape: tuple[int, ...],
    dtype: object,
    first: Path,
    first_shape: tuple[int, ...],
    first_dtype: object,
) -> UserError:
    """The error of a file that is not like the first one of its sequence."""
    return UserError(
        str(file),
        f"is {shape} of {dtype}",
        f"{first_shape} of {first_dtype}, as {first.name}",
        "All frames must be of one size and type: remove what does not belong to the movie, or"
        " name its files by a pattern (frame_*.png).",
    )


def at_least_two(path: Path, files: list[Path], known_frames: int | None) -> None:
    """Refuse a movie of one frame, unless one frame is what is expected.

    Raises
    ------
    UserError
    """
    if len(files) == 1 and known_frames != 1:
        raise UserError(
            str(files[0]),
            "is a single image: a movie of 1 frame",
            "at least 2 frames",
            "If it is one of many, give the folder they are in, or a pattern (frame_*.png).",
        )
    if not files:
        raise UserError(
            str(path),
            "no file in the folder is a frame: 0 frames are readable",
            "one file per frame, of one kind",
            "Check `path`, and its pattern.",
        )
