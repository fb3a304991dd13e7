"""Mails that an admin asks for, and what became of a mail."""

import json
from datetime import datetime
from uuid import UUID, uuid4

from functions.notifications import mails, repository, samples, templates
from functions.notifications.models import NotificationStatus, SendRequest
from functions.notifications.rendering import DoesNotRender, render
from shared.contracts import MailRequested
from shared.database import Sql
from shared.errors import BadInput, NotFound
from shared.identity import User

MAX_DATA_BYTES = 100_000
_NO_SUCH_USER = "There is no such user"


def send(sql: Sql, request: SendRequest, at: datetime) -> UUID:
    """Have a mail sent; the notification's id.

    Raises:
        BadInput: no such template or user, or the template does not render with this data.
    """
    if len(json.dumps(request.data)) > MAX_DATA_BYTES:
        raise BadInput.field("data", f"At most {MAX_DATA_BYTES} bytes of JSON")
    if request.user_id is not None and repository.recipient(sql, request.user_id) is None:
        raise BadInput.field("userId", _NO_SUCH_USER)
    _try_out(sql, request, at)
    id = mails.ask(
        sql,
        MailRequested(
            mail_key=f"by-hand:{uuid4()}",
            template=request.template_name,
            user_id=request.user_id,
            recipient_email=request.recipient_email,
            data=request.data,
        ),
        at,
    )
    if id is None:  # erased while we tried it out
        raise BadInput.field("userId", _NO_SUCH_USER)
    return id


def status(sql: Sql, id: UUID, caller: User) -> NotificationStatus:
    """What became of a mail.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    row = repository.notification(sql, id)
    if row is None or not (caller.is_admin or caller.id == row["user_id"]):
        raise NotFound()
    return NotificationStatus.model_validate(row)


def _try_out(sql: Sql, request: SendRequest, at: datetime) -> None:
    """Whoever forgot something should hear it now: later nobody is there to tell."""
    anybody = {name: samples.sample("")[name] for name in ("publicUrl", "orderId", "firstName")}
    try:
        template = templates.text_of(templates.find(sql, request.template_name, at))
        render(template, anybody | request.data)
    except templates.UnknownTemplate as unknown:
        raise BadInput.field("templateName", "There is no such template") from unknown
    except DoesNotRender as wrong:
        raise BadInput.field("data", f"{wrong.part} does not render: {wrong.reason}") from wrong
