"""All SQL about pictures. A function is one statement, and says what makes it safe."""

from datetime import datetime
from uuid import UUID

from functions.events.models import ImageRequest, Upload, UploadStatus
from shared.database import Row, Sql, record


def add(sql: Sql, event_id: UUID, request: ImageRequest, at: datetime) -> Upload:
    """A form that was asked for. The event is locked, so that the order of `sequence` is that of the asking."""
    row = sql.one(
        """
        INSERT INTO image_uploads (event_id, content_type, size, created_at)
        VALUES (%(event_id)s, %(content_type)s, %(size)s, %(at)s)
        RETURNING *
        """,
        event_id=event_id,
        content_type=request.content_type,
        size=request.size,
        at=at,
    )
    assert row is not None
    return record(Upload, row)


def claim(sql: Sql, upload_id: UUID, etag: str) -> Upload | None:
    """The upload that this file is for, if one is awaited; from now on no other file is taken for it.

    A form can be sent twice with different files. The same file may be claimed again, for messages come again.
    """
    return _found(
        sql.one(
            """
            UPDATE image_uploads SET etag = %(etag)s
             WHERE id = %(id)s AND status = 'AWAITED' AND event_id IS NOT NULL AND coalesce(etag, %(etag)s) = %(etag)s
            RETURNING *
            """,
            id=upload_id,
            etag=etag,
        )
    )


def newest(sql: Sql, event_id: UUID) -> Upload | None:
    """The upload of an event that was asked for last."""
    return _found(
        sql.one(
            "SELECT * FROM image_uploads WHERE event_id = %(id)s ORDER BY sequence DESC LIMIT 1", id=event_id
        )
    )


def shown(sql: Sql, event_id: UUID) -> Upload | None:
    """The upload whose picture an event shows; stays the same as long as the event is locked."""
    return _found(
        sql.one("SELECT * FROM image_uploads WHERE event_id = %(id)s AND status = 'SHOWN'", id=event_id)
    )


def lock_awaited(sql: Sql, upload_id: UUID) -> bool:
    """Whether the upload is awaited yet; it stays so until the transaction ends, but for who asks."""
    row = sql.one(
        "SELECT id FROM image_uploads WHERE id = %(id)s AND status = 'AWAITED' FOR UPDATE", id=upload_id
    )
    return row is not None


def finish(
    sql: Sql, upload_id: UUID, status: UploadStatus, at: datetime, *, error: str | None = None
) -> bool:
    """Say what became of an awaited upload; False if that has been said before."""
    return (
        sql.run(
            """
            UPDATE image_uploads SET status = %(status)s, error = %(error)s, finished_at = %(at)s
             WHERE id = %(id)s AND status = 'AWAITED'
            """,
            id=upload_id,
            status=status,
            error=error,
            at=at,
        )
        == 1
    )


def replace(sql: Sql, upload_id: UUID, at: datetime) -> None:
    """The picture of this upload is shown no more."""
    sql.run(
        "UPDATE image_uploads SET status = 'REPLACED', finished_at = %(at)s WHERE id = %(id)s",
        id=upload_id,
        at=at,
    )


def set_image(sql: Sql, event_id: UUID, path: str, at: datetime) -> None:
    """Give a locked event its picture. Its version stays: whoever edits the description has lost nothing."""
    sql.run(
        "UPDATE events SET image_url = %(path)s, updated_at = %(at)s WHERE id = %(id)s",
        id=event_id,
        path=path,
        at=at,
    )


def expire(sql: Sql, asked_before: datetime, at: datetime, limit: int) -> int:
    """Give up awaiting what was asked for so long ago; how many that were. Skips what somebody is at work on."""
    return sql.run(
        """
        UPDATE image_uploads SET status = 'EXPIRED', finished_at = %(at)s
         WHERE id IN (SELECT id FROM image_uploads
                       WHERE status = 'AWAITED' AND created_at < %(asked_before)s
                       ORDER BY created_at LIMIT %(limit)s
                         FOR UPDATE SKIP LOCKED)
        """,
        asked_before=asked_before,
        at=at,
        limit=limit,
    )


def unseen(sql: Sql, finished_before: datetime, limit: int) -> list[UUID]:
    """Uploads that may have files and that nobody has seen for so long, or whose event is gone."""
    rows = sql.all(
        """
        SELECT id FROM image_uploads
         WHERE removed_at IS NULL AND finished_at < %(finished_before)s
           AND (status IN ('REPLACED', 'SUPERSEDED', 'EXPIRED', 'REFUSED') OR (status = 'SHOWN' AND event_id IS NULL))
         ORDER BY finished_at LIMIT %(limit)s
        """,
        finished_before=finished_before,
        limit=limit,
    )
    return [row["id"] for row in rows]


def note_removal(sql: Sql, upload_id: UUID, at: datetime) -> None:
    """The files of this upload are gone."""
    sql.run("UPDATE image_uploads SET removed_at = %(at)s WHERE id = %(id)s", id=upload_id, at=at)


def _found(row: Row | None) -> Upload | None:
    return None if row is None else record(Upload, row)
