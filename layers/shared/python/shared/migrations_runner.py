"""Schema migrations: numbered SQL files, one transaction each, never edited once applied.

The lock is polled, because a blocking advisory lock deadlocks with CREATE INDEX CONCURRENTLY; it is the session's, so
the connection goes to the instance, never through RDS Proxy.
"""

import hashlib
import time
from pathlib import Path
from typing import Any

LOCK = 7_230_519_046
LOCK_WAIT_SECONDS = 120


class EditedMigration(Exception):
    """A file that was applied has another content now."""


class LockBusy(Exception):
    """Another migration has been running for too long."""


def migrate(connection: Any, folders: list[Path]) -> list[str]:
    """Apply the `*.sql` files of the folders, in the order of folders and names, that have not been applied.

    Args:
        connection: a psycopg2 connection to the instance; it is put into autocommit mode.
        folders: each file is known as `<folder's parent name>/<file name>`.

    Returns:
        the names applied.

    Raises:
        EditedMigration: an applied file was changed; nothing is applied.
        LockBusy: someone else held the lock for two minutes.
    """
    connection.autocommit = True
    files = files_of(folders)
    with connection.cursor() as cursor:
        _lock(cursor)
        try:
            applied = _applied(cursor)
            _refuse_edits(files, applied)
            return [
                name for name, file in files.items() if name not in applied and _apply(cursor, name, file)
            ]
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", (LOCK,))


def files_of(folders: list[Path]) -> dict[str, Path]:
    """The migrations in these folders by their names, in the order in which they are applied."""
    return {
        f"{file.parent.parent.name}/{file.name}": file
        for folder in folders
        for file in sorted(folder.glob("*.sql"))
    }


def _lock(cursor: Any) -> None:
    deadline = time.monotonic() + LOCK_WAIT_SECONDS
    while True:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", (LOCK,))
        if cursor.fetchone()[0]:
            return
        if time.monotonic() > deadline:
            raise LockBusy(f"another migration has been running for {LOCK_WAIT_SECONDS} s")
        time.sleep(0.5)


def _applied(cursor: Any) -> dict[str, str]:
    cursor.execute(
        """
        CREATE TABLE IF NOT EXISTS schema_migrations (
            name TEXT PRIMARY KEY, sha256 TEXT NOT NULL, applied_at TIMESTAMPTZ NOT NULL DEFAULT now())
        """
    )
    cursor.execute("SELECT name, sha256 FROM schema_migrations")
    return dict(cursor.fetchall())


def _refuse_edits(files: dict[str, Path], applied: dict[str, str]) -> None:
    for name, file in files.items():
        if name in applied and applied[name] != _digest(file):
            raise EditedMigration(f"{name} was edited after it was applied; write a new file instead")


def _apply(cursor: Any, name: str, file: Path) -> bool:
    cursor.execute("BEGIN")
    try:
        cursor.execute(file.read_text())
        cursor.execute("INSERT INTO schema_migrations (name, sha256) VALUES (%s, %s)", (name, _digest(file)))
    except BaseException:
        cursor.execute("ROLLBACK")
        raise
    cursor.execute("COMMIT")
    return True


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
