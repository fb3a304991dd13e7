"""PostgreSQL for one service: one connection per process, one transaction per unit of work.

Only the entry point (a route, saga task, consumer or job) opens a transaction, and leaving it is what commits. Use
cases and repositories receive the open `Sql` and never commit. Messages written to the outbox inside a transaction are
published right after its commit.
"""

import os
import select
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar, cast

import psycopg2
import psycopg2.extensions
import psycopg2.extras
from psycopg2 import errorcodes
from psycopg2.extensions import POLL_OK, POLL_READ

from shared import metrics
from shared.errors import Unavailable
from shared.log import logger

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Record = TypeVar("Record", bound="DataclassInstance")
CONNECT_TIMEOUT_SECONDS = 3
# A server ends a statement itself (`functions/platform/databases.py`: after 8 s, and the auditor's, which are in a
# snapshot, after 120). One that says nothing by then hangs; routes have 10 s, in which their caller is still answered.
ANSWER_SECONDS, SNAPSHOT_SECONDS = 9, 125
LOOK_SECONDS = 1
STANDBY_AWAY_SECONDS = 30
LOOPBACK = ("127.0.0.1", "localhost", "::1")
_SNAPSHOT = "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"
Row = dict[str, Any]
Connection = psycopg2.extensions.connection

psycopg2.extras.register_uuid()  # type: ignore[no-untyped-call]  # the stubs leave it untyped
psycopg2.extensions.register_adapter(dict, psycopg2.extras.Json)


def record(kind: type[Record], row: Row) -> Record:
    """A row as a dataclass. Columns that it does not name are passed over: the schema is migrated before the code."""
    return kind(**{field.name: row[field.name] for field in fields(kind)})


class Refused(Exception):
    """The database refused a statement: a constraint, or an error raised by one of our own functions.

    Attributes:
        sqlstate: five characters, e.g. `23505`; ours begin with `BX`.
        constraint: the constraint's name, if one was violated.
        detail: what a function of ours passed along as DETAIL.
    """

    def __init__(self, error: psycopg2.Error) -> None:
        # PostgreSQL's own words repeat the statement and the row, with addresses and hashes: they are not for the log.
        names = (error.pgcode, error.diag.table_name, error.diag.constraint_name)
        super().__init__(" ".join([type(error).__name__, *filter(None, names)]))
        self.sqlstate = error.pgcode or ""
        self.constraint = error.diag.constraint_name
        self.detail = error.diag.message_detail

    @property
    def is_duplicate(self) -> bool:
        """A unique constraint was violated."""
        return self.sqlstate == errorcodes.UNIQUE_VIOLATION


class Silent(psycopg2.OperationalError):
    """The server has not answered in time, nor closed the connection."""


class Sql:
    """An open unit of work: run statements with named parameters (`%(name)s`), rows come back as dicts."""

    def __init__(self, database: "Database", *, in_transaction: bool) -> None:
        self._database = database
        self._in_transaction = in_transaction
        self._after_commit: list[Callable[[], object]] = []
        self.outbox: list[Row] = []

    def one(self, statement: str, /, **parameters: Any) -> Row | None:
        """The first row, or None."""
        return cast("Row | None", self._execute(statement, parameters, lambda cursor: cursor.fetchone()))

    def all(self, statement: str, /, **parameters: Any) -> list[Row]:
        """Every row."""
        return cast("list[Row]", self._execute(statement, parameters, lambda cursor: cursor.fetchall()))

    def run(self, statement: str, /, **parameters: Any) -> int:
        """Run a statement without a result; the number of rows it touched."""
        return cast(int, self._execute(statement, parameters, lambda cursor: cursor.rowcount))

    def after_commit(self, action: Callable[[], object]) -> None:
        """Do this once the transaction has committed, best effort: a failure is logged, never the caller's."""
        self._after_commit.append(action)

    def _execute(self, statement: str, parameters: Row, result: Callable[[Any], Any]) -> Any:
        return self._database.execute(statement, parameters, result, may_reconnect=not self._in_transaction)


class Database:
    """The database of one service, connected to on first use and kept for the life of the process.

    Args:
        service: whose it is, or who asks.
        name: the database's own name; None for the one that DATABASE_NAME names.
        host: where its proxy is; None for what DATABASE_HOST says.
    """

    def __init__(self, service: str, name: str | None = None, host: str | None = None) -> None:
        self.service = service
        self._name, self._host = name, host
        self._standby: Standby | None = None
        self._connection: Connection | None = None
        self._in_snapshot = False
        self._log = logger(service)

    @contextmanager
    def transaction(self) -> Iterator[Sql]:
        """One unit of work: commits when left normally, rolls back when left by an error.

        Raises:
            Unavailable: no connection, a server that only reads or that hangs, a lock or statement time-out, a
                deadlock; nothing of it was kept (a connection lost during COMMIT excepted, which is why callers are
                idempotent).
        """
        # An explicit BEGIN costs nothing (psycopg2 sends one anyway) and tells whether a kept connection still lives.
        self.execute("BEGIN", {}, lambda _: None, may_reconnect=True)
        sql = Sql(self, in_transaction=True)
        try:
            yield sql
        except BaseException:
            self._rollback()
            raise
        self.execute("COMMIT", {}, lambda _: None, may_reconnect=False)
        self._finish(sql)

    @contextmanager
    def snapshot(self) -> Iterator[Sql]:
        """Statements that all see the database as the first of them does, and can change nothing.

        Raises:
            Unavailable: no connection, or a time-out.
        """
        self.execute(_SNAPSHOT, {}, lambda _: None, may_reconnect=True)
        self._in_snapshot = True
        try:
            yield Sql(self, in_transaction=True)
        finally:
            self._in_snapshot = False
            self._rollback()

    @contextmanager
    def standby(self) -> Iterator[Sql]:
        """Statements that all see one state of the database, which may be a moment old, and can change nothing.

        They go to a standby where there is one, and to the writer where there is none or it cannot be reached. For read
        models only: never for what a caller has just written, and never for what a decision is made of.

        Raises:
            Unavailable: neither can be reached, or a time-out.
        """
        if self._standby is None:
            self._standby = Standby(self)
        database = self._standby.chosen(_SNAPSHOT)
        try:
            yield Sql(database, in_transaction=True)
        finally:
            database._rollback()

    @contextmanager
    def reading(self) -> Iterator[Sql]:
        """Statements outside a transaction, for reads of one statement; each is tried again on a new connection."""
        yield Sql(self, in_transaction=False)

    def execute(
        self, statement: str, parameters: Row, result: Callable[[Any], Any], *, may_reconnect: bool
    ) -> Any:
        """Run one statement (for `Sql`). A dead connection is replaced once, if nothing can have been lost by it.

        Not one whose server hangs: the caller has waited long enough.
        """
        fresh = self._connection is None
        try:
            connection = self._connected()
            with connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
                cursor.execute(statement, parameters or None)
                _wait(connection, SNAPSHOT_SECONDS if self._in_snapshot else ANSWER_SECONDS)
                return result(cursor)
        except psycopg2.Error as error:
            is_lost = self._is_lost(error)
            if not is_lost and not isinstance(error, psycopg2.OperationalError | psycopg2.InterfaceError):
                raise Refused(error) from None
            if is_lost:
                self._disconnect()
                if may_reconnect and not fresh and not isinstance(error, Silent):
                    return self.execute(statement, parameters, result, may_reconnect=False)
            what = "silence" if isinstance(error, Silent) else "connection"
            self._log.warning("database unavailable", extra={"sqlstate": error.pgcode or what})
            raise Unavailable("database") from error

    def reset(self) -> None:
        """Forget all connections; the next statement makes a new one (from the environment as it is then)."""
        self._disconnect()
        if self._standby is not None:
            self._standby.reset()

    def _disconnect(self) -> None:
        if self._connection is not None and not self._connection.closed:
            self._connection.close()
        self._connection = None

    def _is_lost(self, error: psycopg2.Error) -> bool:
        """Whether the connection is of no use any more: it is closed, or leads to a server that has become a standby.

        After a fail-over an old connection may stay open, to a server that only reads; a new one leads to the writer.
        """
        if self._connection is None:
            return False
        return bool(self._connection.closed) or error.pgcode == errorcodes.READ_ONLY_SQL_TRANSACTION

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = _connect(self._name, self._host)
        return self._connection

    def _rollback(self) -> None:
        try:
            if self._connection is not None and not self._connection.closed:
                self.execute("ROLLBACK", {}, lambda _: None, may_reconnect=False)
        except (Unavailable, Refused):
            self._disconnect()

    def _finish(self, sql: Sql) -> None:
        from shared import outbox

        if sql.outbox:
            sql.after_commit(lambda: outbox.deliver(self, sql.outbox))
        for action in sql._after_commit:
            try:
                action()
            except Exception:  # noqa: BLE001  # the transaction stands; what failed here is swept
                self._log.exception("after commit: left to the sweep")


class Standby:
    """Where a process reads its read models: a standby, or the writer as long as no standby answers."""

    def __init__(self, writer: Database) -> None:
        self._writer = writer
        self._reader: Database | None = None
        self._away_until = 0.0

    def chosen(self, begin: str) -> Database:
        """The database that a transaction was begun in by the statement `begin`."""
        host = os.environ.get("DATABASE_READER_HOST")
        if host is not None and time.monotonic() >= self._away_until:
            if self._reader is None:
                self._reader = Database(self._writer.service, self._writer._name, host)
            try:
                self._reader.execute(begin, {}, lambda _: None, may_reconnect=True)
            except Unavailable:
                # Others would wait for it, too: the writer answers them all for a while.
                self._away_until = time.monotonic() + STANDBY_AWAY_SECONDS
                metrics.count(self._writer.service, "StandbyUnavailable")
            else:
                return self._reader
        self._writer.execute(begin, {}, lambda _: None, may_reconnect=True)
        return self._writer

    def reset(self) -> None:
        """Forget the connection, and what was known of the standby."""
        if self._reader is not None:
            self._reader.reset()
        self._reader, self._away_until = None, 0.0


def _connect(name: str | None, host: str | None) -> Connection:
    """Connect through the proxy as this function's database user, with an IAM token for a password.

    The connection is an asynchronous one: that is how psycopg2 lets us, and not itself, wait for the server, without
    the wait callback that would also change every other connection of the process. It commits each statement by itself.

    RDS Proxy refuses command-line options and pins a session that SETs, so time-outs are set on the role
    (`functions/platform/databases.py`).
    """
    host = host or os.environ["DATABASE_HOST"]
    port, user = os.environ["DATABASE_PORT"], os.environ["DATABASE_USER"]
    security: dict[str, Any] = {"sslmode": "disable"}
    if host not in LOOPBACK:
        import certifi

        from shared.iam import database_token

        security |= {
            "sslmode": "verify-full",
            "sslrootcert": certifi.where(),
            "password": database_token(host, int(port), user),
        }
    connection: Connection = psycopg2.connect(
        host=host,
        port=port,
        user=user,
        dbname=name or os.environ["DATABASE_NAME"],
        application_name=os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "box-office"),
        keepalives_idle=30,
        async_=True,
        **security,
    )
    _wait(connection, CONNECT_TIMEOUT_SECONDS)
    return connection


def _wait(connection: Connection, seconds: float) -> None:
    """Wait until the server has answered all that it was sent.

    Raises:
        Silent: it has not, in so many seconds. What it still does is not for us: the connection is closed.
    """
    ends = time.monotonic() + seconds
    try:
        while (wants := connection.poll()) != POLL_OK:
            left = ends - time.monotonic()
            if left <= 0:
                raise Silent(f"no answer in {seconds} s")
            ready = select.poll()
            ready.register(connection, select.POLLIN if wants == POLL_READ else select.POLLOUT)
            # What TLS has read ahead does not show here: psycopg2 has a look at it every now and then.
            ready.poll(1000 * min(left, LOOK_SECONDS))
    except BaseException as broken:
        # An error of the server's ends the statement. After any other the connection is in the middle of one.
        if getattr(broken, "pgcode", None) is None:
            connection.close()
        raise
