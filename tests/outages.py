"""Taking a real server away for a while, with all that it remembers."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import psutil


def server_at(port: int) -> psutil.Process:
    """The process that listens on this port."""
    listening = psutil.net_connections("tcp")
    pid = next(c.pid for c in listening if c.status == "LISTEN" and c.laddr.port == port)
    return psutil.Process(pid)


@contextmanager
def hanging(port: int) -> Iterator[None]:
    """The server at this port answers nobody as long as this lasts, then goes on with the memory that it had."""
    server = server_at(port)
    server.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        server.send_signal(signal.SIGCONT)
