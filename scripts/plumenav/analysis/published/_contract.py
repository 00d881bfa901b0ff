"""What a file of published targets defines: measurements of ours, by key.

A file of this folder without a leading underscore defines
    measurements(folder: Path, models: Collection[str]) -> list[Measurement]
which computes our value of each of its keys that is of one of these models, or that such a key is
ranked against; `folder` is an empty directory for scratch files. The published value, its source
and the tolerance of a key are in targets.yaml: every key measured has an entry there, and every
entry there is measured or says why it is not.
"""

from __future__ import annotations

from typing import NamedTuple


class Measurement(NamedTuple):
    """Our value of a published number.

    Attributes
    ----------
    key : str
        Key of the entry in targets.yaml, such as "on_off.pulse.on.1501".
    ours : float
        Our value, in the unit of the published one.
    standard_error : float or None
        Its standard error; None where the value is not an estimate.
    n : int
        From how many agents, episodes or values.
    """

    key: str
    ours: float
    standard_error: float | None
    n: int
