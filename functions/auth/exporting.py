"""Exports: every service writes what it holds on a user, auth makes one file of it and has its link mailed."""

from datetime import datetime, timedelta
from math import ceil
from uuid import UUID, uuid4

from functions.auth import export_files
from functions.auth import privacy_repository as repository
from functions.auth.random_tokens import digest, new_token
from functions.auth.settings import (
    EXPORT_ASK_AGAIN_LIMIT,
    EXPORT_ASK_AGAIN_SECONDS,
    EXPORT_DOWNLOAD_SECONDS,
    EXPORT_GIVE_UP_HOURS,
    EXPORT_LINK_DAYS,
    EXPORTS_PER_DAY,
)
from shared import outbox, privacy
from shared.clock import now
from shared.contracts import ExportDiscarded, ExportPartReady, ExportReady, ExportRequested
from shared.database import Database, Sql
from shared.errors import NotFound, TooManyRequests
from shared.privacy import Records

DAY = timedelta(days=1)


class ExportUnderWay(TooManyRequests):
    """429: an export of this user is being made; its link will be mailed."""

    code = "EXPORT_UNDER_WAY"
    message = "An export is being made already: its link will be mailed"


def request(sql: Sql, user_id: UUID, at: datetime) -> None:
    """Ask every service for its part.

    Raises:
        TooManyRequests: the user had as many as a day allows.
        ExportUnderWay: one is being made.
    """
    recent = repository.recent_exports(sql, user_id, at - DAY)
    if len(recent) >= EXPORTS_PER_DAY():
        raise TooManyRequests(retry_after=max(1, ceil((recent[0] + DAY - at).total_seconds())))
    export_id = uuid4()
    if not repository.add_export(sql, export_id, user_id, at):
        raise ExportUnderWay(retry_after=EXPORT_ASK_AGAIN_SECONDS())
    _ask(sql, export_id, user_id)


def held(sql: Sql, user_id: UUID) -> Records:
    """Auth's own part."""
    return privacy.held(sql, repository.HELD, user_id)


def collect(database: Database, ready: ExportPartReady) -> None:
    """A part is there; with the last one the file is made, and its link mailed once."""
    with database.transaction() as sql:
        export = repository.add_part(sql, ready.export_id, ready.service)
    if export is None or export["status"] == "DISCARDED":
        export_files.delete_all(ready.export_id)
    elif export["status"] == "COLLECTING" and set(export["parts"]) >= set(export_files.PARTS):
        export_files.assemble(ready.export_id, ready.user_id, export["requested_at"])
        with database.transaction() as sql:
            status = _finish(sql, ready.export_id, now())
        if status == "DISCARDED":
            export_files.delete_all(ready.export_id)
        else:
            export_files.delete_parts(ready.export_id)


def discard(sql: Sql, user_id: UUID) -> None:
    """Nobody may fetch an export of this user any more; its files are deleted after the commit, by a command."""
    for export_id in repository.discard_exports(sql, user_id):
        command = ExportDiscarded(export_id=export_id, user_id=user_id)
        outbox.send(sql, privacy.QUEUE, command, subject=export_id)


def address(sql: Sql, token: str, at: datetime) -> str:
    """Where whoever has this link fetches the file from, within minutes.

    Raises:
        NotFound: there is no such link, or its time is over.
    """
    export_id = repository.export_of_link(sql, digest(token), at)
    if export_id is None:
        raise NotFound()
    return export_files.link(export_id, seconds=EXPORT_DOWNLOAD_SECONDS())


def ask_again(sql: Sql, at: datetime) -> int:
    """Ask again for parts that are missing for long, and give up what nobody answers; how many were asked for."""
    limit = EXPORT_ASK_AGAIN_LIMIT()
    repository.give_up_exports(sql, at - timedelta(hours=EXPORT_GIVE_UP_HOURS()), limit)
    waited = at - timedelta(seconds=EXPORT_ASK_AGAIN_SECONDS())
    unanswered = repository.take_unanswered(sql, at=at, asked_before=waited, limit=limit)
    for row in unanswered:
        _ask(sql, row["id"], row["user_id"])
    return len(unanswered)


def _ask(sql: Sql, export_id: UUID, user_id: UUID) -> None:
    wanted = ExportRequested(export_id=export_id, user_id=user_id)
    outbox.publish(sql, wanted, subject=export_id)
    outbox.send(
        sql, privacy.QUEUE, wanted, subject=export_id
    )  # auth hears its own topic no more than others do


def _finish(sql: Sql, export_id: UUID, at: datetime) -> str | None:
    token, expires_at = new_token(), at + timedelta(days=EXPORT_LINK_DAYS())
    user = repository.finish_export(sql, export_id, digest(token), expires_at)
    if user is None:
        return repository.export_status(sql, export_id)
    told = ExportReady(export_id=export_id, token=token, expires_at=expires_at, **user)
    outbox.publish(sql, told, subject=user["user_id"])
    return "READY"
