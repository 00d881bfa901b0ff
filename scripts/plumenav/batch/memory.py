"""x"""

from typing import NamedTuple


class Shape(NamedTuple):
    frames: int
    height: int
    width: int
    itemsize: int
    simulations: int
    steps: int
    model: str
