"""The real servers behind the tests: PostgreSQL and Valkey, started once per test process and gone with it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local import ports
from local.postgres import Postgres
from local.processes import Processes
from local.valkey import Valkey
from tests.scratch import scratch_folder


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """A PostgreSQL server of one's own, with no database of ours in it yet."""
    with _processes("postgres") as (processes, folder):
        postgres = Postgres(folder / "postgres", ports.free_port(), durable=False)
        try:
            postgres.start(processes).wait_until(postgres.is_ready)
            yield postgres
        finally:
            processes.stop_all()
            postgres.remove()


@contextmanager
def running_valkey() -> Iterator[Valkey]:
    """A Valkey server of one's own, empty."""
    with _processes("valkey") as (processes, folder):
        valkey = Valkey(folder / "valkey", ports.free_port(), ports.free_port())
        valkey.start(processes).wait_until(valkey.is_ready)
        yield valkey


@contextmanager
def _processes(name: str) -> Iterator[tuple[Processes, Path]]:
    folder = scratch_folder(name)
    processes = Processes(folder)
    try:
        yield processes, folder
    finally:
        processes.stop_all()
        shutil.rmtree(folder, ignore_errors=True)
