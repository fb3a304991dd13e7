"""POST /api/tickets/reserve: hold seats until the buyer has paid."""

from functions.tickets import event_copies, holds, selling
from functions.tickets.database import database
from functions.tickets.models import Reservation, ReserveRequest
from shared.api import Api, Work
from shared.clock import now
from shared.database import Sql
from shared.identity import User

api = Api("tickets", database)


@api.post("/api/tickets/reserve", status=201, idempotent="optional")
def reserve(request: ReserveRequest, buyer: User, work: Work) -> Reservation:
    """Hold every item or none, at prices that are frozen from here on."""
    holds.check_items(request.items)
    refusal = selling.stopped(buyer.id)

    def hold(sql: Sql) -> Reservation:
        if refusal is not None:
            raise refusal
        return holds.reserve(sql, buyer.id, request, now())

    held: Reservation
    try:
        held = work(hold)
    except holds.EventNotOnSale:
        # Perhaps it went on sale a moment ago, and the news of it has not arrived here.
        event_copies.refresh_public(database, request.event_id)
        held = work(hold)
    return held


handler = api.handler
