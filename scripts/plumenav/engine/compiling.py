"""From a model's plain Python to a compiled kernel that is found again on disk, and never stale.

numba keeps compiled code beside a source file and checks only that file: a kernel that imports a
model's step is found in the cache, but still answers for the old model after the model's file was
edited; one that closes over the step is never found. So the kernel of every kind of field and the
step of every model gets a generated source file, in a folder named by the fingerprint of everything
that is compiled into it.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import logging
import os
import platform
import re
import sys
import tempfile
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import llvmlite
import numba

from plumenav import fingerprint, registry
from plumenav.tables import write_text

if TYPE_CHECKING:
    # read as text, never imported; said here so that fingerprints of code follow it
    from plumenav.engine import kernel as _template  # noqa: F401

log = logging.getLogger(__name__)
TEMPLATE = Path(__file__).with_name("kernel.py")
# modules from generated source that this process has imported, by name and text
_generated: dict[tuple[str, str], ModuleType] = {}


def cache_folder() -> Path:
    """Folder of compiled kernels: $PLUMENAV_CACHE, or the user's cache folder, or a private one."""
    chosen = os.environ.get("PLUMENAV_CACHE")
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    for folder in [Path(chosen)] if chosen else [Path(home) / "plumenav"]:
        kernels = folder / "kernels"
        try:
            kernels.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=kernels):
                return kernels
        except OSError as error:
            log.warning("cache folder %s cannot be written (%s)", kernels, error.strerror)
    fallback = Path(tempfile.gettempdir()) / f"plumenav-{os.getuid()}" / "kernels"
    fallback.mkdir(parents=True, exist_ok=True, mode=0o700)
    return fallback


@lru_cache
def machine() -> str:
    """What compiled code depends on besides its source: compiler versions and the CPU."""
    import llvmlite.binding as llvm

    features = hashlib.sha256(llvm.get_host_cpu_features().flatten().encode()).hexdigest()[:8]
    return "-".join(
        [
            f"py{platform.python_version()}",
            f"numba{numba.__version__}",
            f"llvmlite{llvmlite.__version__}",
            llvm.get_host_cpu_name(),
            features,
            os.environ.get("NUMBA_OPT", ""),
        ]
    )


def kernel_source(field_name: str) -> str:
    """Source text of the kernel of one kind of field."""
    text, n = re.subn(
        r"^from .* # \[field\]$",
        f'from plumenav import registry\nfield = registry.get("field", {field_name!r})',
        TEMPLATE.read_text(encoding="utf-8"),
        flags=re.MULTILINE,
    )
    if n != 1:
        raise RuntimeError(f"{TEMPLATE} lost its mark [field]")
    return text


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder's lock: one process compiles, the others wait and then find its work."""
    with open(folder / "lock", "w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(handle, fcntl.LOCK_UN)


def load_kernel(field_name: str) -> ModuleType:
    """Import the kernel module of a kind of field, generating its source if need be."""
    sources = [TEMPLATE, registry.file_of("field", field_name)]
    return load_generated(f"plumenav_kernel_{field_name}", kernel_source(field_name), sources)


def load_generated(name: str, text: str, sources: list[Path]) -> ModuleType:
    """Import a module from generated source, kept with what is compiled from it.

    Parameters
    ----------
    name : str
        Begins the module's import name.
    text : str
        Its source.
    sources : list of Path
        Files that, with all they import, decide what it does.
    """
    if (name, text) not in _generated:
        made_of = f"{fingerprint.of_files(sources)} {text} {machine()}"
        key = hashlib.sha256(made_of.encode()).hexdigest()[:24]
        _generated[name, text] = _load(f"{name}_{key[:8]}", key, lambda: text)
    return _generated[name, text]


def load_compiled(path: Path) -> ModuleType:
    """Import a copy of a file whose functions are compiled, kept with what was compiled.

    For files beside the kernels that compile models' functions (`compiled`) into functions of their
    own, which are marked cache=True.
    """
    name = f"plumenav_compiled_{path.stem.strip('_')}"
    if name in sys.modules:
        return sys.modules[name]
    key = hashlib.sha256(f"{fingerprint.of_files([path])} {machine()}".encode()).hexdigest()[:24]
    return _load(name, key, lambda: path.read_text(encoding="utf-8"))


def _load(name: str, key: str, source: Callable[[], str]) -> ModuleType:
    folder = cache_folder() / key
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.py"
    with locked(folder):
        if not path.exists():
            write_text(path, source())
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def warm(module: ModuleType, arguments: tuple[Any, ...]) -> dict[str, int]:
    """Compile a kernel for these arguments, or find it on disk, without running it.

    Returns
    -------
    dict
        {"cache_hits": n, "cache_misses": n}.
    """
    kernel = module.advance
    if isinstance(kernel, types.FunctionType):  # NUMBA_DISABLE_JIT
        return {"cache_hits": 0, "cache_misses": 0}
    with locked(Path(module.__file__ or "").parent):
        kernel.compile(tuple(numba.typeof(argument) for argument in arguments))
    return {
        "cache_hits": sum(kernel.stats.cache_hits.values()),
        "cache_misses": sum(kernel.stats.cache_misses.values()),
    }
