"""GET /api/tickets/orders/{userId}: a buyer's orders, each with its tickets."""

from typing import Annotated
from uuid import UUID

from aws_lambda_powertools.event_handler.openapi.params import Query

from functions.tickets import orders
from functions.tickets.database import database
from functions.tickets.models import Order
from shared.api import Api
from shared.identity import User
from shared.paging import DEFAULT_LIMIT, Cursor, Limit, Page

api = Api("tickets", database)


@api.get("/api/tickets/orders/{userId}")
def list_orders(
    user_id: UUID,
    caller: User,
    order_id: Annotated[UUID | None, Query()] = None,
    limit: Annotated[Limit, Query()] = DEFAULT_LIMIT,
    cursor: Annotated[Cursor | None, Query()] = None,
) -> Page[Order]:
    """One's own orders, newest first; an admin may see anybody's. `orderId` picks one."""
    # One order is asked for right after it was bought; a list of them may be a moment old.
    with database.reading() if order_id else database.standby() as sql:
        return orders.page(sql, caller, user_id, order_id, limit, cursor)


handler = api.handler
