"""Free ports of the laptop cloud, chosen once per state folder and remembered for its next start."""

import json
import random
import socket
from pathlib import Path

HOST = "127.0.0.1"

# Below the range from which the kernel takes the ports of outgoing connections (32768 and up), so that a remembered
# port is seldom taken while nothing of ours listens on it.
_FIRST, _LAST = 20_000, 31_999

# Whoever asks for two ports listens on none of them yet.
_given: set[int] = set()


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of the loopback interface now."""
    return why_not(port) is None


def why_not(port: int) -> str | None:
    """Why a server could not listen on this port of the loopback interface now; None if it could."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as attempt:
        # Servers set this too: a port whose last connections are still in TIME_WAIT is free.
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind((HOST, port))
        except PermissionError:
            return "may not be used without root"
        except OSError:
            return "is in use"
    return None


def is_answering(port: int) -> bool:
    """Whether something accepts connections on this port of the loopback interface."""
    try:
        with socket.create_connection((HOST, port), timeout=1):
            return True
    except OSError:
        return False


def free_port() -> int:
    """A port that nothing listens on at this moment, and that this process was not given before."""
    candidates = random.sample(range(_FIRST, _LAST + 1), 200)
    for port in candidates:
        if port not in _given and is_free(port):
            _given.add(port)
            return port
    raise RuntimeError(f"none of 200 ports tried between {_FIRST} and {_LAST} is free")


class Ports:
    """The ports of one state folder, by the name of what listens there."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._known = self._read()

    def of(self, name: str) -> int:
        """The port remembered for `name`, or another one where that is taken by now."""
        port = self._known.get(name)
        if port is None or not is_free(port):
            port = free_port()
            while port in self._known.values():
                port = free_port()
            self._known[name] = port
            self._file.write_text(json.dumps(self._known, indent=2) + "\n")
        return port

    def _read(self) -> dict[str, int]:
        try:
            known = json.loads(self._file.read_text())
        except (FileNotFoundError, ValueError):
            return {}
        return {str(name): int(port) for name, port in known.items()}
