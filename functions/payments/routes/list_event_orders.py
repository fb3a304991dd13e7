"""GET /api/payments/orders?eventId=: the orders of an organizer's event."""

from typing import Annotated
from uuid import UUID

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from functions.payments import orders
from functions.payments.database import database
from functions.payments.models import OrderSummary, PaymentStatus
from shared.api import Api
from shared.identity import Role, User
from shared.paging import DEFAULT_LIMIT, Cursor, Limit, Page

api = Api("payments", database)


@api.get("/api/payments/orders", role=Role.ORGANIZER)
def list_event_orders(
    event_id: Annotated[UUID, Query()],
    organizer: User,
    status: Annotated[PaymentStatus | None, Query()] = None,
    q: Annotated[str | None, Field(max_length=100), Query()] = None,
    limit: Annotated[Limit, Query()] = DEFAULT_LIMIT,
    cursor: Annotated[Cursor | None, Query()] = None,
) -> Page[OrderSummary]:
    """Newest first. `q` finds orders by a part of their number, or of their buyer's name or e-mail address."""
    with database.reading() as sql:
        orders.require_own_event(sql, organizer, event_id)
    with database.standby() as sql:
        return orders.list_of_event(sql, event_id, status, q, limit, cursor)


handler = api.handler
