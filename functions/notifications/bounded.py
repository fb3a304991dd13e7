"""Work that may ask for too much: done in a process of its own, which is ended when it does.

Jinja2's sandbox keeps a template from Python's insides, and from nothing else: `{{ 'a' * 10**10 }}` is all the memory
there is, and loops in loops are all the time. Only the operating system bounds both for certain.
"""

import os
import resource
import select
import signal
import time
from collections.abc import Callable
from pathlib import Path

MEMORY_BYTES = 128 * 1024 * 1024
"""Beyond what this process has."""
SECONDS = 2
MAX_BYTES = 8 * 1024 * 1024
"""Of an answer: more than any provider takes of a mail."""


class TooMuch(Exception):
    """It wanted more memory or time than there is for it."""


def run(work: Callable[[], bytes]) -> bytes:
    """What `work` answers. It runs in a copy of this process: nothing that it changes is changed here.

    Raises:
        TooMuch: too much memory or time, or too long an answer.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        _work_and_end(work, writer)
    os.close(writer)
    try:
        return _read(reader)
    finally:
        os.close(reader)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _work_and_end(work: Callable[[], bytes], writer: int) -> None:
    """The child: whatever happens, none of the parent's code runs on in it."""
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        _bound_memory()
        answer = b"+" + work()
        sent = 0
        while sent < len(answer):
            sent += os.write(writer, answer[sent : sent + 65536])
    except BaseException:  # noqa: BLE001  # MemoryError above all; the missing answer tells
        os._exit(1)
    os._exit(0)


def _bound_memory() -> None:
    """Where the kernel tells how much there is (Linux, so Lambda); elsewhere the time alone is bounded."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        has = int(statm.read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (has + MEMORY_BYTES, has + MEMORY_BYTES))


def _read(reader: int) -> bytes:
    ends_at, length = time.monotonic() + 2 * SECONDS, 0
    pieces: list[bytes] = []
    while True:
        ready, _, _ = select.select([reader], [], [], max(0.0, ends_at - time.monotonic()))
        piece = os.read(reader, 65536) if ready else b""
        length += len(piece)
        if not ready or length > MAX_BYTES or (not piece and length == 0):
            raise TooMuch()
        if not piece:
            return b"".join(pieces)[1:]
        pieces.append(piece)
