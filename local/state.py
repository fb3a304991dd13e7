"""The state folder of a laptop cloud: one run at a time, and what its files are."""

import fcntl
import json
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from local.permissions.gate import DENIED
from local.processes import CannotStart

# A run that has just been told to stop needs a moment; another start waits that long for it.
_PATIENCE_SECONDS = 8


class State:
    """A state folder, held by this process while it is entered as a context."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()

    @property
    def assembly(self) -> Path:
        return self.folder / "cdk.out"

    @property
    def mails(self) -> Path:
        return self.folder / "mails"

    @property
    def permissions(self) -> Path:
        """Who may do what, for the processes that decide it."""
        return self.folder / "permissions.json"

    @property
    def denied(self) -> Path:
        """A line for each call that a policy did not allow."""
        return self.folder / "logs" / DENIED

    @property
    def ports(self) -> Path:
        return self.folder / "ports.json"

    @property
    def secrets(self) -> Path:
        return self.folder / "secrets.json"

    @property
    def seeded(self) -> Path:
        """Holds the demo's credentials once it is loaded."""
        return self.folder / "demo.json"

    @property
    def started_before(self) -> bool:
        """Whether an earlier run came up completely, so that there is something to go on with."""
        return (self.folder / "started").exists()

    def mark_started(self) -> None:
        """Note that this run came up completely."""
        (self.folder / "started").touch()

    def hold(self, port: int, patience: float = _PATIENCE_SECONDS) -> "_Held":
        """Keep other runs off this folder; `port` is what they are told of ours.

        Raises CannotStart when another run still holds it after `patience` seconds.
        """
        return _Held(self.folder, port, patience)


class _Held:
    def __init__(self, folder: Path, port: int, patience: float) -> None:
        self._folder = folder
        self._port = port
        self._patience = patience
        self._lock: int | None = None

    def __enter__(self) -> Self:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise CannotStart(f"the state folder {self._folder} cannot be used: {error.strerror}") from error
        deadline = time.monotonic() + self._patience
        while not self._try():
            if time.monotonic() > deadline:
                raise CannotStart(
                    f"{self._holder()} uses the state folder {self._folder}: stop it, or give STATE="
                )
            time.sleep(0.1)
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, json.dumps({"pid": os.getpid(), "port": self._port}).encode(), 0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._lock is not None:
            os.close(self._lock)  # the kernel gives the lock back, as it does when the process is killed

    def _try(self) -> bool:
        assert self._lock is not None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _holder(self) -> str:
        assert self._lock is not None
        try:
            holder = json.loads(os.pread(self._lock, 1000, 0))
            return f"another run (process {holder['pid']}, port {holder['port']})"
        except (ValueError, KeyError):
            return "another run"
