"""A field for the kernel: a movie's own, or one that is called by its address."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numba
import numpy as np

from plumenav import registry
from plumenav.engine import called_field
from plumenav.engine.compiling import address_of, filled, load_generated, rewritten

if TYPE_CHECKING:
    # read as text, never imported; said here so that fingerprints of code follow it
    from plumenav.engine import field_stub as _template  # noqa: F401

TEMPLATE = Path(__file__).with_name("field_stub.py")
WHOLE, REALS = (numba.types.int64,) * 6, (numba.types.float64,) * 6
SIGNATURE = numba.types.float64(*WHOLE, *REALS)


class FieldCall:
    """What the kernel is told of a field.

    Parameters
    ----------
    metadata : dict
        Of the plume.

    Attributes
    ----------
    called : bool
        Whether it is called by its address; a movie is not.
    constants : NamedTuple
        For the kernel.
    cache : dict
        {"cache_hits": n, "cache_misses": n}.
    """

    def __init__(self, metadata: dict[str, Any]) -> None:
        name = metadata["field"]
        field = registry.get("field", name)
        self.own = field.Constants(*map(float, field.Constants(**metadata["field_constants"])))
        self.called = name != "movie"
        self.constants: Any = self.own
        self.cache = {"cache_hits": 0, "cache_misses": 0}
        if self.called:
            module = load_generated(
                f"plumenav_field_{name}_{metadata['dtype']}",
                field_source(name, metadata["dtype"], len(self.own)),
                [TEMPLATE, registry.file_of("field", name)],
            )
            function, self.cache = address_of(module.value, SIGNATURE)
            self.numbers = np.array(self.own)  # must outlive the calls
            shape = (int(metadata["height"]), int(metadata["width"]))
            self.constants = called_field.Constants(function, self.numbers.ctypes.data, *shape)

    def images(self, frames: np.ndarray) -> np.ndarray:
        """Frames as the kernel takes them: those of a field that is called are mere bytes."""
        return frames.view(np.uint8) if self.called else frames


def field_source(name: str, dtype: str, n_constants: int) -> str:
    """Source text of a field's function as it is called."""
    text = rewritten(
        TEMPLATE,
        {
            "field": f'from plumenav import registry\nfield = registry.get("field", {name!r})',
            "dtype": f"dtype = np.{dtype}",
        },
    )
    numbers = ", ".join(f"reals[{i}]" for i in range(n_constants))
    return filled(
        TEMPLATE, text, [["def constants_of(reals):", f"    return field.Constants({numbers})"]]
    )
