"""Work that may crash or hang, in a process of its own: decoders in C do both on hostile files.

A command that reads a recording calls :func:`run_again` first: it starts itself once more, waits,
and tells a crash or a hang in a sentence. The second process finds :func:`guarded` true, does the
work and calls :func:`progress` as it goes. Progress goes through a pipe, 16 bytes at a time.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from plumenav.errors import UserError

PIPE_VARIABLE = "PLUMENAV_PROGRESS_PIPE"
RECORD = struct.Struct("<qd")
POLL_S = 0.5
# Shorter than the grace that jobs give themselves, so that nothing outlives them.
GRACE_S = 3.0
# Signals by which somebody ends a job; all others come from the program itself or from the system.
WANTED = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}


class Progress(NamedTuple):
    """How far the work has come.

    Attributes
    ----------
    frames : int
        Frames read.
    seconds : float
        Time stamp of the last of them in the file, s; nan where the file has no clock.
    """

    frames: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        known = "" if self.seconds != self.seconds else f" ({self.seconds:.3f} s)"
        return f"{self.frames} frames{known}"


class _Reporter:
    """The guarded process's end of the pipe; without a guard nothing is sent."""

    def __init__(self) -> None:
        number = os.environ.pop(PIPE_VARIABLE, None)
        self.pipe = None if number is None else int(number)
        if self.pipe is not None:
            # a full pipe must not stop the work, and children of this process have no part in it
            os.set_blocking(self.pipe, False)
            os.set_inheritable(self.pipe, False)
            threading.Thread(target=_die_with_parent, args=(os.getppid(),), daemon=True).start()

    def send(self, frames: int, seconds: float | None) -> None:
        if self.pipe is not None:
            with contextlib.suppress(BlockingIOError, BrokenPipeError):
                os.write(
                    self.pipe, RECORD.pack(frames, float("nan" if seconds is None else seconds))
                )


def _die_with_parent(parent: int) -> None:
    """End this process soon after its guard has ended, whatever ended it."""
    while os.getppid() == parent:
        time.sleep(POLL_S)
    os.kill(os.getpid(), signal.SIGTERM)  # unwinds, so that temporary files go
    time.sleep(GRACE_S)
    os._exit(1)


_reporter = _Reporter()


def guarded() -> bool:
    """True in a process that a guard has started."""
    return _reporter.pipe is not None


def progress(frames: int, seconds: float | None = None) -> None:
    """Say how far the work has come; call it at least once per block, and in every long phase.

    Costs about a microsecond under a guard, and next to nothing without one.

    Parameters
    ----------
    frames : int
        Frames read so far.
    seconds : float or None
        Time stamp of the last of them in the file, s.
    """
    _reporter.send(frames, seconds)


def _remove_leftovers(pid: int, folders: Iterable[Path]) -> None:
    """Remove the temporary files of a process that could not do it (see tables.files.atomic)."""
    for folder in folders:
        for path in folder.glob(f".{pid}-*"):
            path.unlink(missing_ok=True)


def _end(child: subprocess.Popen[bytes]) -> None:
    """End a process, kindly first."""
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _last(records: bytes, before: Progress) -> Progress:
    whole = len(records) // RECORD.size * RECORD.size
    return Progress(*RECORD.unpack(records[whole - RECORD.size : whole])) if whole else before


def _damaged(where: str, found: str, done: Progress, hint: str) -> UserError:
    sound = (
        f", or, if it is the file, use the part before with reader.frames: [0, {done.frames}]"
        if done.frames > 1
        else ""
    )
    return UserError(
        where,
        f"{found}; before that, {done} were readable",
        "a recording that can be read to its end",
        f"{hint}{sound}.",
    )


COPY_AGAIN = (
    "The file is probably damaged: copy it again from where it was recorded, or convert it with"
    " another program (FFV1 or MJPEG in AVI, HDF5)"
)


def guard(command: Sequence[str], where: str, stall_s: float, folders: Iterable[Path] = ()) -> int:
    """Run a command that may crash or hang, and wait for it.

    It is ended together with this process, keeps its standard streams and finds what it must not
    inherit removed. What it wrote itself about its failure stands; only a silent end is told here.

    Parameters
    ----------
    command : sequence of str
        A Python program that imports this module and calls :func:`progress`.
    where : str
        The recording, for messages.
    stall_s : float
        Without progress for so long, it has hung, s.
    folders : iterable of Path
        Where it writes files by :func:`plumenav.tables.atomic`: those of a killed process go.

    Returns
    -------
    int
        Its exit code; 128 + signal if somebody ended it from outside.

    Raises
    ------
    UserError
        If it crashed, was killed by the system, or hung: naming the recording, what was readable
        and what to do.
    """
    folders = list(folders)
    done, heard_s = Progress(), time.monotonic()
    receiving, sending = os.pipe()
    try:
        child = subprocess.Popen(
            command, pass_fds=[sending], env={**os.environ, PIPE_VARIABLE: str(sending)}
        )
    except BaseException:
        os.close(receiving)
        raise
    finally:
        os.close(sending)
    stalled = False
    try:
        while not stalled:
            ready, _, _ = select.select([receiving], [], [], min(POLL_S, stall_s))
            records = os.read(receiving, 4096 * RECORD.size) if ready else b""
            if records:
                done, heard_s = _last(records, done), time.monotonic()
            elif ready or child.poll() is not None:  # the pipe is closed: it ends, or has ended
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.wait(POLL_S)
                    break
            stalled = time.monotonic() - heard_s > stall_s
    finally:
        os.close(receiving)
        _end(child)
        if child.returncode:
            _remove_leftovers(child.pid, folders)
    if stalled:
        raise _damaged(
            where,
            f"reading gave nothing for {stall_s:g} s and was stopped",
            done,
            f"{COPY_AGAIN}, or, if it only is slow, raise reader.stall_s",
        )
    if child.returncode >= 0:
        return child.returncode
    name = signal.Signals(-child.returncode).name
    if -child.returncode in WANTED:
        return 128 - child.returncode
    if -child.returncode == signal.SIGKILL:
        raise _damaged(
            where,
            "reading was killed by the system (SIGKILL), as it does when memory runs out",
            done,
            f"Give the job more memory. Else: {COPY_AGAIN[0].lower()}{COPY_AGAIN[1:]}",
        )
    raise _damaged(where, f"the decoder crashed ({name})", done, COPY_AGAIN)


def run_again(where: str, stall_s: float, folders: Iterable[Path] = ()) -> int:
    """Run this very command once more under a guard; parameters and errors as of :func:`guard`.

    Returns
    -------
    int
        The exit code.
    """
    return guard([sys.executable, *sys.orig_argv[1:]], where, stall_s, folders)
