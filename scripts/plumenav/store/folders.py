"""Where everything that is kept between runs lies: one rule for kernels, plumes and results."""

from __future__ import annotations

import logging
import os
import tempfile
from functools import cache
from pathlib import Path

log = logging.getLogger(__name__)

VARIABLE = "PLUMENAV_CACHE"
KERNELS, PLUMES, RESULTS = "kernels", "plumes", "results"
LEVELS = (PLUMES, RESULTS)


def wanted_root() -> Path:
    """$PLUMENAV_CACHE, or the user's cache folder; whether it can be written is not asked."""
    chosen = os.environ.get(VARIABLE)
    if chosen:
        return Path(chosen)
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(home) / "plumenav"


def root() -> Path:
    """Folder of all caches: the wanted one if it can be written, else a private one of this user.

    Raises
    ------
    PermissionError
        If the private folder's name was taken by somebody else: compiled code is read from there.
    """
    return _usable(wanted_root())


def kernels() -> Path:
    """Folder of compiled kernels: code, so never somebody else's."""
    folder = root() / KERNELS
    folder.mkdir(parents=True, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        folder = root() / f"{KERNELS}-{os.getuid()}"
        folder.mkdir(exist_ok=True)
    return folder


@cache
def _usable(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        log.warning("cache folder %s cannot be written (%s)", folder, error.strerror)
    private = Path(tempfile.gettempdir()) / f"plumenav-{os.getuid()}"
    private.mkdir(parents=True, exist_ok=True, mode=0o700)
    if private.is_symlink() or private.stat().st_uid != os.getuid():
        raise PermissionError(f"{private} is not ours; set {VARIABLE} to a folder of your own")
    return private
