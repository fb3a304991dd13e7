"""POST /api/tickets/check-in: let the holder of a ticket in, once."""

from functions.tickets import checking_in
from functions.tickets.database import database
from functions.tickets.models import CheckedIn, CheckInRequest
from shared.api import Api
from shared.clock import now
from shared.database import Sql
from shared.identity import Role, User

api = Api("tickets", database)


@api.post("/api/tickets/check-in", role=Role.ORGANIZER)
def check_in(request: CheckInRequest, organizer: User, sql: Sql) -> CheckedIn:
    """Use the ticket that a QR code stands for; every further attempt is told when it was used."""
    return checking_in.check_in(sql, organizer, request.qr_code, now())


handler = api.handler
