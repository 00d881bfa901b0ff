"""Files that a synthetic recording can be: one writer per format.

A folder of images is not among them: what the workflow makes is one file per recording.
"""

from __future__ import annotations

from pathlib import Path

from plumenav.errors import UserError, nearest
from plumenav.recordings.synthesis._array_writers import (
    Hdf5Writer,
    MatWriter,
    NpyWriter,
    TiffWriter,
)
from plumenav.recordings.synthesis._file_writer import FileWriter
from plumenav.recordings.synthesis._formats import Format
from plumenav.recordings.synthesis._params import FileParams
from plumenav.recordings.synthesis._video_writers import Ffv1AviWriter, MjpegAviWriter

FORMATS: dict[Format, type[FileWriter]] = {
    "hdf5": Hdf5Writer,
    "mjpeg_avi": MjpegAviWriter,
    "ffv1_avi": Ffv1AviWriter,
    "tiff": TiffWriter,
    "npy": NpyWriter,
    "mat": MatWriter,
}
# ending of the file that the workflow writes, without the dot
EXTENSIONS: dict[str, str] = {name: kind.suffixes[0][1:] for name, kind in FORMATS.items()}


def open_writer(path: Path, file_format: str, settings: FileParams) -> FileWriter:
    """Writer of a file format.

    Raises
    ------
    UserError
        If the format is not known, or the file's ending does not belong to it.
    """
    known = {str(name): kind for name, kind in FORMATS.items()}
    if file_format not in known:
        raise UserError(
            "synthetic.format",
            f"{file_format!r} is not a format",
            ", ".join(known),
            nearest(file_format, known),
        )
    kind = known[file_format]
    if path.suffix not in kind.suffixes:
        raise UserError(
            str(path), f"ending {path.suffix!r} for format {file_format}", ", ".join(kind.suffixes)
        )
    return kind(path, settings)
