"""From a model's plain Python to a compiled kernel that is found again on disk, and never stale.

numba keeps compiled code beside a source file and checks only that file: a kernel that imports a
model's step is found in the cache, but still answers for the old model after the model's file was
edited; one that closes over the step is never found. So every (model, field) pair gets a generated
source file, in a folder named by the fingerprint of everything that is compiled into it.
"""

from __future__ import annotations

import ast
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

from plumenav import fingerprint, registry
from plumenav.models._binding import composed
from plumenav.store.environment import machine
from plumenav.store.folders import kernels
from plumenav.tables import write_text

if TYPE_CHECKING:
    # read as text, never imported; said here so that fingerprints of code follow it
    from plumenav.engine import kernel as _template  # noqa: F401

TEMPLATE = Path(__file__).with_name("kernel.py")


def cache_folder() -> Path:
    """Folder of compiled kernels."""
    return kernels()


def kernel_source(model_name: str, field_name: str, parts: tuple[str, ...] = ()) -> str:
    """Source text of the kernel of one model (made of these parts) in one kind of field."""
    model = composed(model_name, *parts)
    names = ", ".join(repr(name) for name in (model_name, *parts))
    text = TEMPLATE.read_text(encoding="utf-8")
    text, n_model = re.subn(
        r"^from .* # \[model\]$",
        f"from plumenav.models._binding import composed\nmodel = composed({names})",
        text,
        flags=re.MULTILINE,
    )
    text, n_field = re.subn(
        r"^from .* # \[field\]$",
        f'from plumenav import registry\nfield = registry.get("field", {field_name!r})',
        text,
        flags=re.MULTILINE,
    )
    text, n_generated = re.subn(
        r"^# \[generated\]$.*^# \[/generated\]$",
        lambda _: _generated(
            len(model.State._fields), len(model.Noise._fields), hasattr(model, "Tables")
        ),
        text,
        flags=re.MULTILINE | re.DOTALL,
    )
    if (n_model, n_field, n_generated) != (1, 1, 1):
        raise RuntimeError(f"{TEMPLATE} lost one of its marks [model], [field], [generated]")
    ast.parse(text)
    return text


def _generated(n_state: int, n_noise: int, has_tables: bool) -> str:
    blocks = -(-n_noise // 4)
    lines = [
        '@njit(inline="always")',
        "def load_state(states, i):",
        f"    return model.State({', '.join(f'states[i, {v}]' for v in range(n_state))})",
        "",
        '@njit(inline="always")',
        "def store_state(states, i, state):",
        *[f"    states[i, {v}] = state[{v}]" for v in range(n_state)],
        "",
        '@njit(inline="always")',
        "def draw(key, step):",
    ]
    for b in range(blocks):
        words = ", ".join(f"u{4 * b + j}" for j in range(4))
        lines.append(f"    {words} = philox_block(key, step, np.uint64({b}))")
    arguments = ", ".join(f"uniform(u{d})" for d in range(n_noise))
    lines.append(f"    return model.Noise({arguments})")
    more = ", memories[i], tables" if has_tables else ""
    lines += [
        "",
        '@njit(inline="always")',
        "def decide(observation, state, constants, noise, dt_s, memories, i, tables):",
        f"    return model_step(observation, state, constants, noise, dt_s{more})",
    ]
    return "\n".join(lines)


def kernel_fingerprint(model_name: str, field_name: str, parts: tuple[str, ...] = ()) -> str:
    """Hash of all source that is compiled into a kernel, and of compiler and machine."""
    sources = [
        TEMPLATE,
        *(registry.file_of("model", name) for name in (model_name, *parts)),
        registry.file_of("field", field_name),
    ]
    code = fingerprint.of_files(sources)
    made_of = " ".join((model_name, *parts))
    return hashlib.sha256(f"{code} {made_of} {machine()}".encode()).hexdigest()[:24]


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder's lock: one process compiles, the others wait and then find its work."""
    with open(folder / "lock", "w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(handle, fcntl.LOCK_UN)


def load_kernel(model_name: str, field_name: str, parts: tuple[str, ...] = ()) -> ModuleType:
    """Import the kernel module of a model in a field, generating its source if need be.

    Parameters
    ----------
    model_name, field_name : str
    parts : tuple of str
        Models that it is made of (models/_binding.py).
    """
    name = "_".join(("plumenav_kernel", model_name, *parts, field_name))
    if name in sys.modules:
        return sys.modules[name]
    key = kernel_fingerprint(model_name, field_name, parts)
    return _load(name, key, lambda: kernel_source(model_name, field_name, parts))


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
