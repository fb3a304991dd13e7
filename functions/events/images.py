"""Pictures of events: asked for with a form, uploaded to a bucket, looked at, and shown.

Of several uploads of an event the one asked for last wins, in whatever order they arrive. An event keeps its picture
until there is another one.
"""

from datetime import datetime, timedelta
from uuid import UUID

from functions.events import (
    image_addresses,
    image_making,
    image_repository,
    image_store,
    planning,
    repository,
)
from functions.events.image_making import Unfit
from functions.events.image_store import FileGone
from functions.events.models import ImageForm, ImageRequest, OwnEvent, Upload
from functions.events.settings import (
    IMAGE_AWAITED_SECONDS,
    IMAGE_KEPT_SECONDS,
    IMAGE_REMOVE_LIMIT,
    IMAGE_UPLOAD_SECONDS,
)
from shared.database import Database, Sql
from shared.identity import User


def ask(sql: Sql, user: User, event_id: UUID, request: ImageRequest, at: datetime) -> Upload:
    """Note that a picture of this type and size is to come.

    Raises:
        NotFound, EventIsOver
    """
    planning.changeable(sql, user, event_id)
    return image_repository.add(sql, event_id, request, at)


def own_event(sql: Sql, user: User, event_id: UUID) -> OwnEvent:
    """An event of the user's, and what became of its newest upload.

    Raises:
        NotFound
    """
    event = planning.own(sql, user, event_id)
    return OwnEvent.own(event, image_repository.newest(sql, event_id))


def form(upload: Upload) -> ImageForm:
    """What a browser (or curl) needs to upload the picture, and where it will be seen."""
    signed = image_store.form(upload)
    return ImageForm(
        upload_url=signed.url,
        fields=signed.fields,
        image_url=image_addresses.url(image_addresses.path(upload.id, "medium")),
        expires_at=upload.created_at + timedelta(seconds=IMAGE_UPLOAD_SECONDS()),
    )


def take(database: Database, upload_id: UUID, etag: str, at: datetime) -> None:
    """Look at a file that was uploaded, and show it if it is a picture.

    Safe to do again: what has been decided about an upload stays, and pictures are made the same way again. A file for
    which nothing is awaited (the event is gone, another file came with the same form) is thrown away.
    """
    with database.transaction() as sql:
        upload = image_repository.claim(sql, upload_id, etag)
    if upload is not None:
        _look(database, upload, etag, at)
    image_store.discard(upload_id)


def remove_unseen(database: Database, at: datetime) -> int:
    """Delete pictures that nobody sees any more, and give up awaiting uploads that never came; how many."""
    with database.transaction() as sql:
        given_up = image_repository.expire(
            sql, at - timedelta(seconds=IMAGE_AWAITED_SECONDS()), at, IMAGE_REMOVE_LIMIT()
        )
        # What was shown a moment ago still stands in caches and on pages that are open.
        old = image_repository.unseen(sql, at - timedelta(seconds=IMAGE_KEPT_SECONDS()), IMAGE_REMOVE_LIMIT())
    for upload_id in old:
        image_store.remove(upload_id)
        with database.transaction() as sql:
            image_repository.note_removal(sql, upload_id, at)
    return given_up + len(old)


def _look(database: Database, upload: Upload, etag: str, at: datetime) -> None:
    try:
        pictures = image_making.pictures(_file(upload, etag), upload.content_type)
    except Unfit as unfit:
        with database.transaction() as sql:
            image_repository.finish(sql, upload.id, "REFUSED", at, error=unfit.reason)
        return
    image_store.keep(upload.id, pictures)
    with database.transaction() as sql:
        _show(sql, upload, at)


def _file(upload: Upload, etag: str) -> bytes:
    try:
        content = image_store.read(upload.id, etag, at_most=upload.size + 1)
    except FileGone as gone:
        raise Unfit("The file was replaced while it was looked at: ask for another form") from gone
    if len(content) > upload.size:  # the form's policy says so too
        raise Unfit(f"The file is larger than the {upload.size:,} bytes that were announced")
    return content


def _show(sql: Sql, upload: Upload, at: datetime) -> None:
    """Show the picture, unless one asked for later is shown already; the event's lock decides between two at once.

    Nor if it has been given up while it was looked at: its files will be removed.
    """
    assert upload.event_id is not None
    event = repository.locked_event(sql, upload.event_id)
    if not image_repository.lock_awaited(sql, upload.id):
        return
    if event is None:
        image_repository.finish(sql, upload.id, "SUPERSEDED", at)
        return
    if planning.is_over(event):
        image_repository.finish(sql, upload.id, "REFUSED", at, error=planning.EventIsOver.message)
        return
    before = image_repository.shown(sql, event.id)
    if before is not None and before.sequence >= upload.sequence:
        image_repository.finish(sql, upload.id, "SUPERSEDED", at)
        return
    if before is not None:
        image_repository.replace(sql, before.id, at)
    image_repository.finish(sql, upload.id, "SHOWN", at)
    image_repository.set_image(sql, event.id, image_addresses.path(upload.id, "medium"), at)
    if event.status == "PUBLISHED":
        planning.show_change(sql, event.id)
