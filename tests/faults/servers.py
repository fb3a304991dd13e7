"""PostgreSQL and Valkey of a running laptop cloud, taken away: another process takes over their port and their data.

The laptop cloud starts again what ends by itself, as AWS replaces a broken server; so ending one is all there is to do.
"""

import contextlib
import json
import signal
from collections.abc import Iterator

import psutil
import psycopg2

from local.ports import is_answering
from tests.e2e.client import eventually
from tests.e2e.laptop import Laptop

POSTGRES, VALKEY = "postgres", "valkey"


def port_of(laptop: Laptop, name: str) -> int:
    """The port of a server, by the name that the state folder has for it."""
    return int(json.loads((laptop.state / "ports.json").read_text())[name])


def server(laptop: Laptop, name: str) -> psutil.Process | None:
    """The process that listens on the server's port, while there is one."""
    port = port_of(laptop, name)
    listening = psutil.net_connections("tcp")
    pid = next((c.pid for c in listening if c.status == "LISTEN" and c.laddr.port == port), None)
    try:
        return psutil.Process(pid) if pid else None
    except psutil.NoSuchProcess:  # it has just ended
        return None


def fail_over(
    laptop: Laptop, name: str, with_signal: int = signal.SIGKILL, seconds: float = 60
) -> psutil.Process:
    """End the server; the process that has taken its place, once it answers.

    PostgreSQL takes SIGINT for "cut all sessions and end in good order", SIGQUIT for "end at once".
    """
    old: psutil.Process = eventually(lambda: server(laptop, name))
    old.send_signal(with_signal)
    return eventually(lambda: _successor(laptop, name, old), seconds)


@contextlib.contextmanager
def hanging(laptop: Laptop, name: str) -> Iterator[None]:
    """The server answers nobody as long as this lasts, and then goes on with the memory that it had."""
    process: psutil.Process = eventually(lambda: server(laptop, name))
    process.suspend()
    try:
        yield
    finally:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.resume()


def _successor(laptop: Laptop, name: str, old: psutil.Process) -> psutil.Process | None:
    new = server(laptop, name)
    return new if new is not None and new.pid != old.pid and _answers(laptop, name) else None


def _answers(laptop: Laptop, name: str) -> bool:
    if name != POSTGRES:
        return is_answering(port_of(laptop, name))
    try:
        psycopg2.connect(
            host="127.0.0.1",
            port=port_of(laptop, name),
            user="postgres",
            dbname="postgres",
            connect_timeout=2,
        ).close()
    except psycopg2.OperationalError:
        return False
    return True
