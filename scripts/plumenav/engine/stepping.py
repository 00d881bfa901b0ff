"""A model's compiled step, and all that it is given by address.

A model's constants and tables are named tuples of numbers and arrays, nested at will. What crosses
the call is two flat arrays, of real and of whole numbers; an array is its address and shape there.
The stepper's source says how the tuples are made of them again.
"""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numba
import numpy as np

from plumenav import registry
from plumenav.engine.calling import PLAIN
from plumenav.engine.compiling import load_generated, locked
from plumenav.engine.layout import Agents, Lanes
from plumenav.models._binding import composed

if TYPE_CHECKING:
    # read as text, never imported; said here so that fingerprints of code follow it
    from plumenav.engine import stepper as _template  # noqa: F401

TEMPLATE = Path(__file__).with_name("stepper.py")
SIGNATURE = numba.types.void(numba.types.int64, numba.types.int64)
GENERATED = re.compile(r"^( *)# \[generated\]$.*?^ *# \[/generated\]$", re.MULTILINE | re.DOTALL)


class Flat:
    """Named tuples as flat numbers, and the expressions that make them again.

    Attributes
    ----------
    reals : list of float
    whole : list of int
        Whole numbers and truth values; addresses and shapes of arrays.
    kept : list of ndarray
        The arrays; they must outlive the calls.
    classes : dict
        {name in the source: import name of the module, name in it}.
    """

    def __init__(self) -> None:
        self.reals: list[float] = []
        self.whole: list[int] = []
        self.kept: list[np.ndarray] = []
        self.classes: dict[str, tuple[str, str]] = {}

    def real(self, value: float) -> str:
        """Keep a real number; return its expression."""
        self.reals.append(float(value))
        return f"reals[{len(self.reals) - 1}]"

    def _whole(self, value: int) -> str:
        self.whole.append(int(value))
        return f"whole[{len(self.whole) - 1}]"

    def expression(self, value: Any) -> str:
        """Keep a value; return the expression that makes it again.

        Raises
        ------
        TypeError
            If it is no number, array or named tuple of them.
        """
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            kind = type(value)
            name = f"Tuple{len(self.classes)}"
            known = {home: one for one, home in self.classes.items()}
            name = known.get((kind.__module__, kind.__qualname__), name)
            self.classes[name] = (kind.__module__, kind.__qualname__)
            return f"{name}({', '.join(self.expression(one) for one in value)})"
        if isinstance(value, np.ndarray):
            array = np.ascontiguousarray(value).reshape(value.shape)
            self.kept.append(array)
            address = self._whole(array.ctypes.data)
            shape = ", ".join(self._whole(size) for size in array.shape)
            return f"carray(pointer({address}), ({shape},), np.{array.dtype.name})"
        if isinstance(value, bool | np.bool_):
            return f"({self._whole(value)} != 0)"
        if isinstance(value, int | np.integer):
            return self._whole(int(value))
        if isinstance(value, float | np.floating):
            return self.real(float(value))
        raise TypeError(f"a model's constants and tables hold numbers and arrays, not {value!r}")


class Stepper:
    """A model's step, ready to be called by its address.

    Parameters
    ----------
    model_name : str
    parts : tuple of str
        Models that it is made of (models/_binding.py).
    constants, tables : NamedTuple
        Of the model; tables are only given to a model that defines some.
    agents : Agents
    threshold, dt_s : float
    """

    def __init__(
        self,
        model_name: str,
        parts: tuple[str, ...],
        constants: Any,
        tables: Any,
        agents: Agents,
        threshold: float,
        dt_s: float,
    ) -> None:
        self.agents = agents
        flat = Flat()
        flat.real(threshold)
        flat.real(dt_s)
        made = [f"constants = {flat.expression(constants)}"]
        model = composed(model_name, *parts)
        if hasattr(model, "Tables"):
            made.append(f"tables = {flat.expression(tables)}")
        self.reals = np.array(flat.reals)
        self.whole = np.array([*flat.whole, 0], np.int64)
        self.kept = flat.kept
        self.module = load_generated(
            "_".join(("plumenav_stepper", model_name, *parts)),
            stepper_source(model_name, parts, model, made, flat),
            [
                TEMPLATE,
                *(registry.file_of("model", name) for name in (model_name, *parts)),
            ],
        )
        self.function, self.cache = address_of(self.module)

    def arguments(self, lanes: Lanes) -> np.ndarray:
        """What `decide` reads by address, for some lanes."""
        given = [
            lanes.numbers.ctypes.data,
            lanes.counts.ctypes.data,
            len(self.agents.key),
            self.agents.key.ctypes.data,
            self.agents.state.ctypes.data,
            self.agents.memory.ctypes.data,
            self.agents.memory.shape[1],
            self.reals.ctypes.data,
            self.whole.ctypes.data,
        ]
        return np.array(given, np.int64)


def address_of(module: ModuleType) -> tuple[int, dict[str, int]]:
    """Address of a stepper, compiled or found on disk, and {"cache_hits": n, "cache_misses": n}."""
    decide = module.decide
    if numba.config.DISABLE_JIT:
        if decide not in PLAIN:
            PLAIN.append(decide)
        return PLAIN.index(decide), {"cache_hits": 0, "cache_misses": 0}
    if not hasattr(module, "compiled_decide"):
        with locked(Path(module.__file__ or "").parent):
            module.compiled_decide = numba.cfunc(SIGNATURE, cache=True, error_model="numpy")(decide)
    hits = module.compiled_decide.cache_hits
    return module.compiled_decide.address, {"cache_hits": hits, "cache_misses": 1 - hits}


def stepper_source(
    model_name: str,
    parts: tuple[str, ...],
    model: ModuleType,
    made: list[str],
    flat: Flat,
) -> str:
    """Source text of the stepper of a model (made of these parts)."""
    names = ", ".join(repr(name) for name in (model_name, *parts))
    head = [
        "import sys",
        "from plumenav.models._binding import composed",
        f"model = composed({names})",
        *(f'{name} = sys.modules["{home}"].{own}' for name, (home, own) in flat.classes.items()),
    ]
    n_state, n_noise = len(model.State._fields), len(model.Noise._fields)
    before = [
        f"states = carray(pointer(given[4]), (n_agents, {n_state}), np.float64)",
        f"reals = carray(pointer(given[7]), {len(flat.reals)}, np.float64)",
        f"whole = carray(pointer(given[8]), {len(flat.whole) + 1}, np.int64)",
        *made,
    ]
    more = ""
    if hasattr(model, "Tables"):
        before.append("memories = carray(pointer(given[5]), (n_agents, given[6]), np.float64)")
        more = ", memories[agent], tables"
    inside = [
        f"state = model.State({', '.join(f'states[agent, {v}]' for v in range(n_state))})",
        *(
            f"{', '.join(f'u{4 * b + j}' for j in range(4))} = "
            f"philox_block(key, np.uint64(step), np.uint64({b}))"
            for b in range(-(-n_noise // 4))
        ),
        f"noise = model.Noise({', '.join(f'uniform(u{d})' for d in range(n_noise))})",
        f"action, state = model_step(observation, state, constants, noise, dt_s{more})",
        *(f"states[agent, {v}] = state[{v}]" for v in range(n_state)),
    ]
    text = TEMPLATE.read_text(encoding="utf-8")
    text, n_model = re.subn(
        r"^from .* # \[model\]$", lambda _: "\n".join(head), text, flags=re.MULTILINE
    )
    blocks = iter((before, inside))
    text, n_generated = GENERATED.subn(
        lambda found: "\n".join(found[1] + line for line in next(blocks)), text
    )
    if (n_model, n_generated) != (1, 2):
        raise RuntimeError(f"{TEMPLATE} lost one of its marks [model], [generated]")
    return text
