"""The laptop cloud as a test runs it: the command that a developer types, in a state folder of its own."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Self

import psutil

from local import ports
from local.permissions.gate import DENIED
from tests.e2e.client import Client, eventually
from tests.scratch import scratch_folder

REPOSITORY = Path(__file__).resolve().parents[2]
START_SECONDS = 240
_NOT_GIVEN = re.compile(r"KeyError: '(QUEUE|TOPIC)_")


class Laptop:
    """One run of `python -m local run`, or several after one another on the same state."""

    def __init__(
        self,
        *,
        settings: str = "",
        demo: bool = False,
        assembly: Path | None = None,
        processes: int = 64,
        may_be_denied: bool = False,
    ) -> None:
        self.port = ports.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.folder = scratch_folder("e2e")
        self.state = self.folder / "state"
        self.assembly = assembly or self.state / "cdk.out"
        self._options = ["--settings", settings, "--processes", str(processes)]
        self._options += [] if demo else ["--no-demo"]
        self._options += ["--assembly", str(assembly)] if assembly else []
        self._process: subprocess.Popen[str] | None = None
        self._may_be_denied = may_be_denied
        self.said: list[str] = []

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    @property
    def client(self) -> Client:
        """A visitor, not signed in."""
        return Client(self.url)

    def start(self) -> "Laptop":
        """Start it and return when it serves."""
        self.said = []
        self._process = self.launch()
        threading.Thread(target=self._listen, args=(self._process,), daemon=True).start()
        eventually(lambda: self._serves(self._process), START_SECONDS)
        return self

    def launch(self) -> "subprocess.Popen[str]":
        """The bare process, for tests of its first words."""
        command = [sys.executable, "-m", "local", "run", "--port", str(self.port), "--state", str(self.state)]
        return subprocess.Popen(
            [*command, *self._options],
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )

    def stop(self, with_signal: int = signal.SIGINT) -> int:
        """Send a signal, as Ctrl-C does, and wait; the exit code."""
        assert self._process is not None
        self._process.send_signal(with_signal)
        return self._process.wait(30)

    def processes(self) -> list[psutil.Process]:
        """Everything that runs on this state: the launcher, its servers, its Lambda processes."""
        assert self._process is not None
        try:
            launcher = psutil.Process(self._process.pid)
            return [launcher, *launcher.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    @staticmethod
    def still_running(processes: list[psutil.Process], seconds: float) -> list[psutil.Process]:
        """Those of the processes that have not ended within so many seconds."""
        deadline = time.monotonic() + seconds
        while alive := [process for process in processes if _runs(process)]:
            if time.monotonic() > deadline:
                break
            time.sleep(0.1)
        return alive

    def denied(self) -> list[dict[str, str]]:
        """Every call so far that a policy of the template did not allow."""
        record = self.state / "logs" / DENIED
        return [json.loads(line) for line in record.read_text().splitlines()] if record.exists() else []

    def lacking(self) -> list[str]:
        """The logs of functions that had a message for a queue or a topic which the template did not give them.

        Nobody else notices: a sweep, which has them all, sends it up to a minute later.
        """
        logs = sorted((self.state / "logs").glob("*.log"))
        return [log.name for log in logs if _NOT_GIVEN.search(log.read_text(errors="replace"))]

    def remove(self) -> None:
        """Stop it if it runs, and delete its folder.

        Fails if the template lacked a permission, as on AWS it would, or a queue that a function sends to.
        """
        if self._process is not None and self._process.poll() is None:
            self.stop()
        denied, lacking = self.denied(), self.lacking()
        shutil.rmtree(self.folder, ignore_errors=True)
        assert not denied or self._may_be_denied, denied
        assert not lacking, lacking

    def _listen(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self.said.append(line.rstrip())

    def _serves(self, process: "subprocess.Popen[str] | None") -> bool:
        assert process is not None
        words = "\n".join(self.said)
        assert process.poll() is None, f"the laptop cloud ended with {process.returncode}:\n{words}"
        return "Ctrl-C stops everything" in words


def _runs(process: psutil.Process) -> bool:
    """Whether it is alive: one that only waits to be buried by its new parent is not."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
