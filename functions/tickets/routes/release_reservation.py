"""DELETE /api/tickets/reservations/{reservationId}: give held seats back."""

from uuid import UUID

from functions.tickets import holds
from functions.tickets.database import database
from shared.api import Api
from shared.database import Sql
from shared.identity import User

api = Api("tickets", database)


@api.delete("/api/tickets/reservations/{reservationId}", status=204)
def release_reservation(reservation_id: UUID, buyer: User, sql: Sql) -> None:
    """Give the seats back at once; 409 once they are being bought."""
    holds.release(sql, buyer.id, reservation_id)


handler = api.handler
