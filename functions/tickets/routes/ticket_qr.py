"""GET /api/tickets/{ticketId}/qr.png: the picture to show at the door."""

from uuid import UUID

from functions.tickets import orders
from functions.tickets.database import database
from shared import qr
from shared.api import Api
from shared.identity import User
from shared.responses import File

api = Api("tickets", database)


@api.get("/api/tickets/{ticketId}/qr.png")
def ticket_qr(ticket_id: UUID, holder: User) -> File:
    """The ticket's QR code as a PNG, for its holder alone."""
    with database.reading() as sql:
        code = orders.qr_code(sql, holder, ticket_id)
    return File(qr.png(code), "image/png", headers={"Cache-Control": "private, max-age=3600"})


handler = api.handler
