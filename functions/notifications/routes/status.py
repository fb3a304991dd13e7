"""GET /api/notifications/status/{id}: what became of a mail."""

from uuid import UUID

from functions.notifications import by_hand
from functions.notifications.database import database
from functions.notifications.models import NotificationStatus
from shared.api import Api
from shared.database import Sql
from shared.identity import User

api = Api("notifications", database)


@api.get("/api/notifications/status/{id}")
def status(id: UUID, caller: User, sql: Sql) -> NotificationStatus:
    """One's own mails, or any for an admin; somebody else's is not found."""
    return by_hand.status(sql, id, caller)


handler = api.handler
