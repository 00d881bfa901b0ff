"""From a model's plain Python to a compiled kernel that is found again on disk, and never stale.

numba keeps compiled code beside a source file and checks only that file: a kernel that imports a
model's step is found in the cache, but still answers for the old model after the model's file was
edited; one that closes over the step is never found. So kernels, the steps of models and fields get
generated source files, in folders named by the fingerprint of everything that is compiled into
them.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import re
import sys
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numba

from plumenav import fingerprint
from plumenav.engine.calling import PLAIN
from plumenav.store.environment import machine
from plumenav.store.folders import kernels
from plumenav.tables import write_text

if TYPE_CHECKING:
    # read as text, never imported; said here so that fingerprints of code follow it
    from plumenav.engine import kernel as _template  # noqa: F401

TEMPLATE = Path(__file__).with_name("kernel.py")
# modules from generated source that this process has imported, by name and text
_generated: dict[tuple[str, str], ModuleType] = {}
# functions that were compiled to be called by their address
_called: dict[Callable[..., Any], Any] = {}


def cache_folder() -> Path:
    """Folder of compiled kernels."""
    return kernels()


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder's lock: one process compiles, the others wait and then find its work."""
    with open(folder / "lock", "w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(handle, fcntl.LOCK_UN)


def rewritten(template: Path, marks: dict[str, str]) -> str:
    """Text of a template in which the lines with some marks are replaced.

    Parameters
    ----------
    template : Path
    marks : dict
        {mark at the end of a line: what stands in its place}.
    """
    text = template.read_text(encoding="utf-8")
    for mark, line in marks.items():
        pattern = re.compile(rf"^.*  # \[{mark}\]$", re.MULTILINE)
        text, n = pattern.subn(line.replace("\\", r"\\"), text)
        if n != 1:
            raise RuntimeError(f"{template} lost its mark [{mark}]")
    return text


def filled(template: Path, text: str, blocks: list[list[str]]) -> str:
    """Text in which the parts marked [generated] are these lines."""
    pattern = re.compile(r"^( *)# \[generated\]$.*?^ *# \[/generated\]$", re.MULTILINE | re.DOTALL)
    following = iter(blocks)
    text, n = pattern.subn(
        lambda found: "\n".join(found[1] + line for line in next(following)), text
    )
    if n != len(blocks):
        raise RuntimeError(f"{template} lost one of its marks [generated]")
    return text


def load_kernel(called: bool) -> ModuleType:
    """Import the kernel of movies, or of all fields that are called, generating it if need be."""
    name, line = "movie", "from plumenav.engine.fields import movie as field"
    sources = [TEMPLATE]
    if called:
        name, line = "called", "from plumenav.engine import called_field as field"
        sources.append(TEMPLATE.with_name("called_field.py"))
    return load_generated(f"plumenav_kernel_{name}", rewritten(TEMPLATE, {"field": line}), sources)


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


def address_of(function: Callable[..., Any], signature: Any) -> tuple[int, dict[str, int]]:
    """Address of a generated module's function, compiled or found on disk.

    Parameters
    ----------
    function : callable
    signature : numba signature

    Returns
    -------
    address : int
    found : dict
        {"cache_hits": n, "cache_misses": n}.
    """
    if numba.config.DISABLE_JIT:
        if function not in PLAIN:
            PLAIN.append(function)
        return PLAIN.index(function), {"cache_hits": 0, "cache_misses": 0}
    if function not in _called:
        with locked(Path(function.__code__.co_filename).parent):
            make = numba.cfunc(signature, cache=True, error_model="numpy")
            _called[function] = make(function)
    made = _called[function]
    return made.address, {"cache_hits": made.cache_hits, "cache_misses": 1 - made.cache_hits}
