"""Single images beside a recording: backgrounds, masks, dark and flat fields, tables of colours."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from plumenav.errors import UserError, nearest

HDF5 = b"\x89HDF\r\n\x1a\n"


class Image(NamedTuple):
    """One gray image, and whether its file says which axis is which (MATLAB 7.3 does not)."""

    pixels: np.ndarray
    axes_known: bool


def read_image(path: Path, name: str | None, where: str) -> Image:
    """One gray image.

    Parameters
    ----------
    path : Path
        PNG, TIFF, JPEG, BMP, npy, MATLAB or HDF5, recognized by content.
    name : str or None
        Of the variable, in files that hold several things.
    where : str
        Config key, for messages.

    Returns
    -------
    Image
        pixels of shape (height, width), numbers as stored.

    Raises
    ------
    UserError
        If it cannot be read, or is not one image.
    """
    axes_known = True
    try:
        head = path.read_bytes()[:1024] if path.stat().st_size < 1024 else _head(path)
        if HDF5 in (head[:8], head[512:520]):
            image = _of_hdf5(path, name, where)
            axes_known = False
        elif head[:6] == b"\x93NUMPY":
            image = np.load(path, allow_pickle=False)
        elif head[:6] == b"MATLAB":
            image = _of_mat(path, name, where)
        else:
            image = _of_picture(path)
    except (OSError, ValueError, KeyError, NotImplementedError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(
            where, f"{path.name} cannot be read ({reason})", "an image that is complete"
        ) from None
    image = np.squeeze(image)
    if image.ndim != 2 or image.dtype.kind not in "uifb":
        raise UserError(
            where,
            f"{path.name}{f':{name}' if name else ''} has shape {image.shape} of {image.dtype}",
            "one gray image, (rows, columns) of numbers",
        )
    return Image(image, axes_known)


def _head(path: Path) -> bytes:
    with open(path, "rb") as file:
        return file.read(1024)


def _missing(where: str, path: Path, name: str | None, known: list[str]) -> UserError:
    return UserError(
        where,
        f"{path.name} has no image {name!r}" if name else f"{path.name} holds several things",
        ", ".join(known) or "none",
        nearest(name or "", known) or f"Write {path.name}:NAME.",
    )


def _of_hdf5(path: Path, name: str | None, where: str) -> np.ndarray:
    import h5py

    with h5py.File(path, "r") as file:
        known: list[str] = []
        file.visititems(
            lambda key, item: known.append(key) if isinstance(item, h5py.Dataset) else None
        )
        chosen = name.strip("/") if name else known[0] if len(known) == 1 else None
        if chosen not in known:
            raise _missing(where, path, name, known)
        image = np.asarray(file[chosen][()])
        # MATLAB writes its columns first
        return np.asarray(image.T if file.userblock_size else image)


def _of_mat(path: Path, name: str | None, where: str) -> np.ndarray:
    from scipy import io

    known = [entry[0] for entry in io.whosmat(path)]
    first, *inside = (name or (known[0] if len(known) == 1 else "")).split("/")
    if first not in known:
        raise _missing(where, path, name, known)
    value = io.loadmat(path, variable_names=[first])[first]
    for field in inside:  # p/bkg_img: a field of a structure
        if value.dtype.names is None or field not in value.dtype.names:
            raise _missing(where, path, name, list(value.dtype.names or known))
        value = value[field].item() if value.size == 1 else value[field]
    return np.asarray(value)


def _of_picture(path: Path) -> np.ndarray:
    import cv2

    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise ValueError("no image format that is known")
    if image.ndim == 3:
        image = cv2.cvtColor(image[..., :3], cv2.COLOR_BGR2GRAY)
    return np.asarray(image)


def fitted(image: Image, window: tuple[int, ...], size: tuple[int, int], where: str) -> np.ndarray:
    """The window's part of an image that has the size of the file's, or of the window.

    Where the file does not say which axis is which, the size does: it may lie on its side.

    Raises
    ------
    UserError
        If it has neither size.
    """
    r0, r1, c0, c1 = window
    turns = [image.pixels] if image.axes_known else [image.pixels, image.pixels.T]
    for pixels in turns:
        if pixels.shape == size:
            return pixels[r0:r1, c0:c1]
        if pixels.shape == (r1 - r0, c1 - c0):
            return pixels
    found = image.pixels.shape
    raise UserError(
        where,
        f"the image has {found[0]} x {found[1]} pixels",
        f"{size[0]} x {size[1]}, as the recording, or {r1 - r0} x {c1 - c0}, as the part used",
    )
