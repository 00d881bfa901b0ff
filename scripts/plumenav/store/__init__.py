"""What was computed once and is taken again: a store of files by content, outside all runs.

Below $PLUMENAV_CACHE, else the user's cache folder (folders.py): `kernels/` (compiled code, see
plumenav.engine.compiling), `plumes/` (level 2: normalized plumes, joined winds) and `results/`
(level 3: what simulate, reference, recheck, published and prepare wrote). Level 1 is in a job's
memory (plumenav.engine.run.Blocks).

An entry is a folder named by its key: its files, `facts.json` (what they are, sizes, sha256) and
`uses` (one byte for each use). It may be removed at any time: outputs of a run are files of their
own, never links into the store. docs/caching.md says the rest.
"""

from plumenav.store.job import Job, through
from plumenav.store.keys import Key, key_of
from plumenav.store.settings import hand_over
from plumenav.store.shelf import Store

__all__ = ["Job", "Key", "Store", "hand_over", "key_of", "through"]
