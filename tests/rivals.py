"""Two at the same rows: one stops in the middle, a transaction that a test keeps open, and the other comes along."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2

from tests.databases import TestDatabase


@contextmanager
def half_done(db: TestDatabase, statement: str, **parameters: Any) -> Iterator[Any]:
    """Another connection that has run this statement and not committed yet; give it back committed or not."""
    connection = psycopg2.connect(db.dsn)
    try:
        connection.cursor().execute(statement, parameters)
        yield connection
        connection.rollback()  # waits until the server has let go of the locks, which closing does not
    finally:
        connection.close()


class Later:
    """A call in a thread of its own, which must wait for somebody first."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self._result: Any = None
        self._thread = threading.Thread(target=lambda: setattr(self, "_result", call()))
        self._thread.start()

    def is_waiting(self) -> bool:
        """Whether it is not through after a moment."""
        self._thread.join(0.3)
        return self._thread.is_alive()

    def is_blocked(self, db: TestDatabase) -> bool:
        """Whether it comes to wait for a lock of somebody else's; said as soon as it does, or is through."""
        while self._thread.is_alive():
            if db.all(
                "SELECT FROM pg_stat_activity WHERE datname = %(db)s AND wait_event_type = 'Lock'", db=db.name
            ):
                return True
            self._thread.join(0.01)
        return False

    def result(self) -> Any:
        """What it came to."""
        self._thread.join(10)
        assert not self._thread.is_alive()
        return self._result
