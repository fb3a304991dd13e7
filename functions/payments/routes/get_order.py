"""GET /api/payments/orders/{orderId}: an order, its payment, its tickets."""

from uuid import UUID

from functions.payments import fulfilment, orders
from functions.payments.database import database
from functions.payments.models import OrderView
from shared.api import Api
from shared.clock import now
from shared.identity import User

api = Api("payments", database)


@api.get("/api/payments/orders/{orderId}")
def get_order(order_id: UUID, user: User) -> OrderView:
    """An order for its buyer, the event's organizer or an admin, with its tickets once they are issued."""
    # Tickets is asked, for the buyer, about an order that has not come here yet, and about tickets not told of yet.
    with database.reading() as sql:
        order = orders.visible(sql, order_id, user)
    if order is None:
        return orders.before_payment(order_id, user)
    if orders.awaits_tickets(order) and user.id == order.user_id:
        tickets = orders.tickets_of(order, user)
        if tickets is not None:
            with database.transaction() as sql:
                order = fulfilment.issued(sql, order.id, tickets, now()) or order
    with database.reading() as sql:
        return orders.view(sql, order, user)


handler = api.handler
