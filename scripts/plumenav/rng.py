"""Keyed randomness: every draw is a function of (noise key, step, draw), of nothing else.

The generator is Philox4x64-10 exactly as numpy ships it (Salmon et al. 2011, SC '11). Draw number
``d`` of step ``s`` is word ``d % 4`` of the block that numpy.random.Philox gives for
``key = (noise key, 0)`` and ``counter = (s, d // 4, 0, 0)``. The engine has a compiled Philox
(engine/philox.py); this module is the plain one, for references and tests.
"""

from __future__ import annotations

import hashlib

import numpy as np

WORDS_PER_BLOCK = 4
TWO_TO_MINUS_53 = 1.0 / 9007199254740992.0


def noise_key(*parts: object) -> int:
    """64-bit key of a labelled stream, the same on every machine.

    Parameters
    ----------
    *parts : object
        What identifies the stream, for example (seed, recording, agent, replicate).

    Returns
    -------
    int
        Unsigned 64-bit integer.
    """
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


# Draws of a field whose value is drawn (hits): block number; a model's draws begin in block 0.
FIELD_BLOCK = 2**32
# The noise of a sensor: columns 0 and 1 make the normal number of the left (or only) side, columns
# 2 and 3 that of the right side.
SENSOR_BLOCK = 2 * 2**32
# What the engine itself draws: the new heading at a wall.
ENGINE_BLOCK = 3 * 2**32


def uniform_draws(key: int, n_steps: int, n_draws: int, first_block: int = 0) -> np.ndarray:
    """Uniform numbers in [0, 1) of the first steps of one noise key.

    Parameters
    ----------
    key : int
        The plan's noise key.
    n_steps, n_draws : int
        Number of steps, and of draws in each step.
    first_block : int
        Block of the first draw: 0 for models; FIELD_BLOCK, SENSOR_BLOCK, ENGINE_BLOCK.

    Returns
    -------
    ndarray, shape (n_steps, n_draws), float64
        53-bit uniforms, ``(word >> 11) * 2**-53``.
    """
    blocks = []
    for block in range(-(-n_draws // WORDS_PER_BLOCK)):
        generator = np.random.Philox(key=key, counter=[0, first_block + block, 0, 0])
        words = generator.random_raw(WORDS_PER_BLOCK * n_steps)
        blocks.append(np.asarray(words, np.uint64).reshape(n_steps, WORDS_PER_BLOCK))
    words = np.concatenate(blocks, axis=1)[:, :n_draws]
    return (words >> np.uint64(11)).astype(np.float64) * TWO_TO_MINUS_53
