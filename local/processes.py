"""The processes of the laptop cloud: started, logged, watched and stopped, whatever way the launcher itself ends."""

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class CannotStart(Exception):
    """Something of the laptop cloud cannot start; the message is one line for the developer."""


def stop_with_parent(signal_number: int = signal.SIGTERM) -> None:
    """Ask the kernel for a signal when the process that started this one dies (Linux only; nothing elsewhere)."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal_number, 0, 0, 0)


@dataclass(frozen=True)
class Program:
    """What to run and how.

    `stop_signal` asks it to end in good order; it is also what the kernel sends when the launcher dies.
    `user` is the numeric user to run as, for a launcher that is root.
    """

    name: str
    command: Sequence[str | Path]
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path = Path("/")
    stop_signal: int = signal.SIGTERM
    user: int | None = None


class Process:
    """One running program in a process group of its own."""

    def __init__(self, program: Program, log: Path) -> None:
        self.program = program
        self.log = log
        with log.open("ab") as output:
            self._popen = subprocess.Popen(
                [str(word) for word in program.command],
                env={**os.environ, **program.environment},
                cwd=program.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                process_group=0,
                user=program.user,
                group=program.user,
                extra_groups=None if program.user is None else [],
                # Set last in the child, after the change of user, which would undo it.
                preexec_fn=lambda: stop_with_parent(program.stop_signal),
            )

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative: the number of the signal that ended it."""
        return self._popen.poll()

    def wait_until(self, ready: Callable[[], bool], seconds: float = 30) -> None:
        """Return once `ready()` holds.

        Raises CannotStart, with the last lines of the log, when the program ends first or the time is over.
        """
        deadline = time.monotonic() + seconds
        name = self.program.name
        while True:
            code = self.exit_code
            if ready():
                return
            if code is not None:
                raise CannotStart(f"{name} ended with {code}: {self.last_words()} (see {self.log})")
            if time.monotonic() > deadline:
                raise CannotStart(f"{name} was not ready after {seconds:.0f} s (see {self.log})")
            time.sleep(0.02)

    def ask_to_stop(self) -> None:
        """Send the stop signal; returns at once."""
        if self.exit_code is None:
            self._popen.send_signal(self.program.stop_signal)

    def stop(self, seconds: float = 10) -> None:
        """End the program and all that it started: asked first, then killed after `seconds`."""
        self.ask_to_stop()
        try:
            self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
        _kill_group(self.pid)

    def last_words(self) -> str:
        """The last line that the program wrote to its log."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")


class Processes:
    """All programs of one state folder, with a record from which the next start ends what a killed one left."""

    def __init__(self, state: Path) -> None:
        self._logs = state / "logs"
        self._logs.mkdir(parents=True, exist_ok=True)
        self._record = state / "processes.json"
        self._running: list[Process] = []

    def start(self, program: Program) -> Process:
        """Start a program; its output goes to `logs/<name>.log` in the state folder."""
        try:
            process = Process(program, self._logs / f"{program.name}.log")
        except OSError as error:
            raise CannotStart(f"{program.name} cannot start: {error}") from error
        self._running.append(process)
        self._write_record()
        return process

    def finish(self, process: Process, seconds: float) -> None:
        """Wait for a program that is to end by itself. Raises CannotStart when it fails or takes longer."""
        process.wait_until(lambda: process.exit_code == 0, seconds)
        self._running.remove(process)

    def ended(self) -> list[Process]:
        """Programs that ended without having been asked to; each is told once."""
        gone = [process for process in self._running if process.exit_code is not None]
        self._running = [process for process in self._running if process not in gone]
        return gone

    def stop_all(self) -> None:
        """Stop everything, the last started first."""
        while self._running:
            self._running.pop().stop()
        self._record.unlink(missing_ok=True)

    def end_leftovers(self, seconds: float = 10) -> None:
        """End what an earlier start of this state left running (it was killed, or is only just stopping)."""
        left = [process for process in map(_same_process, self._read_record()) if process is not None]
        _, alive = psutil.wait_procs(left, timeout=seconds if left else 0)
        for process in alive:
            _kill_group(process.pid)
        psutil.wait_procs(alive, timeout=5)
        self._record.unlink(missing_ok=True)

    def _write_record(self) -> None:
        rows = [{"pid": process.pid, "started": _start_time(process.pid)} for process in self._running]
        self._record.write_text(json.dumps(rows))

    def _read_record(self) -> list[dict[str, float]]:
        try:
            rows: list[dict[str, float]] = json.loads(self._record.read_text())
        except (FileNotFoundError, ValueError):
            return []
        return rows


def _start_time(pid: int) -> float:
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        return 0.0


def _same_process(row: Mapping[str, float]) -> psutil.Process | None:
    """The recorded process if it still runs; a process number that another program has by now is not it."""
    try:
        process = psutil.Process(int(row["pid"]))
        # The kernel counts start times in hundredths of a second.
        return process if abs(process.create_time() - row["started"]) < 0.1 else None
    except psutil.NoSuchProcess:
        return None


def _kill_group(group: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
