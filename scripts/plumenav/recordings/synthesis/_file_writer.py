"""What all writers share: a temporary name, and a file that appears only when it ends well."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

import numpy as np

from plumenav.recordings.synthesis._params import FileParams
from plumenav.tables import atomic


class FileWriter(ABC):
    """Takes frames one by one; a context manager whose file appears when it ends well.

    Parameters
    ----------
    path : path
    settings : FileParams

    Attributes
    ----------
    dtype : numpy.dtype
        Type of the frames.
    suffixes : tuple of str
        Endings of the format's files; the first one is used by the workflow.
    """

    dtype: ClassVar[np.dtype]
    suffixes: ClassVar[tuple[str, ...]]

    def __init__(self, path: Path, settings: FileParams) -> None:
        self._path = path
        self._atomic: AbstractContextManager[Path] = atomic(path)
        self._settings = settings
        self._shape = (settings.frames, settings.height_px, settings.width_px)

    @abstractmethod
    def write(self, frame: np.ndarray) -> None:
        """Append one frame, shape (height, width), in the writer's dtype."""

    @abstractmethod
    def _open(self, temporary: Path) -> None:
        """Start the file under its temporary name."""

    @abstractmethod
    def _close(self) -> None:
        """Close the file, whatever happened; may be called twice."""

    def _finish(self) -> None:  # noqa: B027 - most formats need no end
        """Write what belongs at the end, or what is known only then."""

    def __enter__(self) -> Self:
        temporary = self._atomic.__enter__()
        try:
            self._open(temporary)
        except BaseException as fault:
            self._atomic.__exit__(type(fault), fault, fault.__traceback__)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._finish()
        except BaseException as fault:
            self._close()
            self._atomic.__exit__(type(fault), fault, fault.__traceback__)
            raise
        self._close()
        self._atomic.__exit__(kind, error, trace)
