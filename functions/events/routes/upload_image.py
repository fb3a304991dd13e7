"""POST /api/events/{id}/image: a form to upload an event's picture with."""

from uuid import UUID

from functions.events import images
from functions.events.database import database
from functions.events.models import ImageForm, ImageRequest
from shared.api import Api, Work
from shared.clock import now
from shared.identity import Role, User

api = Api("events", database)


@api.post("/api/events/{id}/image", role=Role.ORGANIZER)
def upload_image(id: UUID, request: ImageRequest, user: User, work: Work) -> ImageForm:
    """A form for one picture, to be sent to `uploadUrl` as multipart/form-data: `fields` first, the `file` last.

    The picture is looked at after the upload; GET /api/events/mine/{id} says in `imageStatus` what became of it.
    """
    return images.form(work(lambda sql: images.ask(sql, user, id, request, now())))


handler = api.handler
