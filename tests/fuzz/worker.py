"""Reads recordings completely, one after another, and says how each ended; may crash or hang.

A line of JSON in: the path. A line out: {"verdict", ...}. Memory is limited.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import traceback
import zlib
from pathlib import Path

import psutil

from plumenav import registry
from plumenav.errors import UserError
from plumenav.recordings._contract import DamageError, Settings
from plumenav.recordings._recognize import open_recording

MEMORY_BYTES = int(1.5 * 2**30)
# A damaged header may well promise a movie of days: what matters is how it begins.
MOST_FRAMES = 20_000


def checksums(opened, end=None) -> list[int]:
    """One per frame; fails if blocks do not follow each other or have another shape than said."""
    facts, found = opened.facts, []
    for block in opened.blocks(0, end):
        assert block.first == len(found), f"block starts at {block.first}, not {len(found)}"
        assert block.frames.shape[1:] == (facts.height, facts.width), block.frames.shape
        assert str(block.frames.dtype) == facts.dtype, block.frames.dtype
        assert block.time_s is None or len(block.time_s) == len(block.frames)
        found += [zlib.crc32(frame.tobytes()) for frame in block.frames]
        if len(found) > MOST_FRAMES:
            break
    return found


def read(path: Path) -> dict:
    opened = None
    try:
        opened = open_recording(path, Settings())
        found = checksums(opened)
        return {
            "verdict": "complete",
            "frames": found,
            "header": opened.facts.frames_header,
            "notes": opened.notes,
        }
    except DamageError as error:
        # the contract: what is said to be readable is, without a complaint
        sound = checksums(opened, error.readable) if opened and error.readable else []
        return {
            "verdict": "damage",
            "frames": sound,
            "readable": error.readable,
            "message": str(error),
        }
    except UserError as error:
        return {"verdict": "user error", "message": str(error)}
    finally:
        if opened is not None:
            opened.close()


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    for name in registry.names("reader"):
        registry.get("reader", name)
    limit = psutil.Process().memory_info().vms + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for line in sys.stdin:
        try:
            answer = read(Path(json.loads(line)))
        except BaseException as error:
            answer = {
                "verdict": "fault",
                "message": f"{type(error).__name__}: {error}",
                "traceback": traceback.format_exc(),
            }
        answer["rss_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
