"""Databases for tests: one template per service, migrated once, cloned for every test that asks."""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import psycopg2
import psycopg2.extras
import pytest

from functions.platform.databases import prepare
from local.postgres import SUPERUSER, Postgres

Row = dict[str, Any]


class TestDatabase:
    """A service's database as a test sees it: a superuser's connection, each statement committed."""

    __test__ = False  # not a test case, whatever pytest makes of the name

    def __init__(self, postgres: Postgres, service: str, name: str) -> None:
        self.postgres = postgres
        self.service = service
        self.name = name
        self.user = f"{service}_app"
        self.dsn = postgres.dsn(name)
        self._connection = psycopg2.connect(self.dsn)
        self._connection.autocommit = True

    @property
    def environment(self) -> dict[str, str]:
        """What a function of the service needs to reach this database."""
        return {
            "DATABASE_HOST": self.postgres.host,
            "DATABASE_PORT": str(self.postgres.port),
            "DATABASE_NAME": self.name,
            "DATABASE_USER": self.user,
        }

    def one(self, sql: str, /, **parameters: Any) -> Row | None:
        """The first row, by column name, or None."""
        rows = self.all(sql, **parameters)
        return rows[0] if rows else None

    def all(self, sql: str, /, **parameters: Any) -> list[Row]:
        """Every row, by column name."""
        with self._connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
            cursor.execute(sql, parameters or None)
            return [dict(row) for row in cursor.fetchall()]

    def run(self, sql: str, /, **parameters: Any) -> int:
        """Run one statement; the number of rows that it touched."""
        with self._connection.cursor() as cursor:
            cursor.execute(sql, parameters or None)
            return cursor.rowcount

    def close(self) -> None:
        self._connection.close()


class Databases:
    """Makes databases on one server; a service's migrations run once per server."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres
        self._templates: dict[str, str] = {}

    @contextmanager
    def clone(self, service: str) -> Iterator[TestDatabase]:
        """A database of `service` as its migrations leave it, dropped at the end."""
        name = f"{service}_{uuid4().hex[:12]}"
        self._administer(f"CREATE DATABASE {name} TEMPLATE {self._template(service)}")
        database = TestDatabase(self._postgres, service, name)
        try:
            yield database
        finally:
            database.close()
            self._administer(f"DROP DATABASE {name} WITH (FORCE)")

    def _template(self, service: str) -> str:
        if service not in self._templates:
            self._templates[service] = self._migrated(service)
        return self._templates[service]

    def _migrated(self, service: str) -> str:
        name = f"{service}_template"
        admin = {"host": self._postgres.host, "port": self._postgres.port, "user": SUPERUSER}
        prepare(admin, service, database=name)
        return name

    def _administer(self, statement: str) -> None:
        connection = psycopg2.connect(self._postgres.dsn("postgres"))
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)
        finally:
            connection.close()


@contextmanager
def connected(database: TestDatabase) -> Iterator[None]:
    """Point `functions.<service>.database` at this database while it lasts.

    The service connects at once: every service reads the same DATABASE_* names, and a test that uses the databases
    of two services changes them again before the first one is used.
    """
    module = importlib.import_module(f"functions.{database.service}.database")
    with pytest.MonkeyPatch.context() as environment:
        for name, value in database.environment.items():
            environment.setenv(name, value)
        module.database.reset()
        with module.database.reading() as sql:
            sql.one("SELECT 1 AS connected")
        try:
            yield
        finally:
            module.database.reset()
