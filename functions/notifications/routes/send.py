"""POST /api/notifications/send: mail a user, or an address."""

from functions.notifications import by_hand
from functions.notifications.database import database
from functions.notifications.models import SendAccepted, SendRequest
from shared.api import Api
from shared.clock import now
from shared.database import Sql
from shared.identity import Role

api = Api("notifications", database)


@api.post("/api/notifications/send", status=202, role=Role.ADMIN, idempotent="optional")
def send(request: SendRequest, sql: Sql) -> SendAccepted:
    """The template is filled in at once, so that missing data is told; the mail itself goes out within seconds."""
    return SendAccepted(notification_id=by_hand.send(sql, request, now()))


handler = api.handler
