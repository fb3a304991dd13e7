"""What buyers see of their orders and tickets."""

from collections import defaultdict
from uuid import UUID

from functions.tickets import holds, order_payments
from functions.tickets.models import Order, OrderStatus, Ticket
from functions.tickets.records import Hold, TicketRow
from functions.tickets.repository import purchases, reservations, tickets
from shared import paging
from shared.database import Row, Sql
from shared.errors import NotFound
from shared.identity import User

STATUS: dict[str, OrderStatus] = {"BOUND": "PENDING", "ISSUED": "ISSUED", "RELEASED": "CANCELLED"}


def page(
    sql: Sql, caller: User, user_id: UUID, order_id: UUID | None, limit: int, cursor: str | None
) -> paging.Page[Order]:
    """A buyer's orders, newest first, each with its tickets; `order_id` picks one.

    Raises:
        NotFound: someone else's.
    """
    if not caller.may_act_for(user_id):
        raise NotFound()
    after = paging.decode(cursor, paging.instant, UUID)
    rows = purchases.page(sql, user_id, order_id, limit + 1, after)
    shown, next_cursor = paging.cut(rows, limit, lambda row: (row["created_at"], row["order_id"]))
    return paging.Page(items=_orders(sql, shown), next_cursor=next_cursor)


def ticket(sql: Sql, caller: User, ticket_id: UUID) -> Ticket:
    """A ticket, for its holder and for the organizer of its event.

    Raises:
        NotFound: unknown, or someone else's.
    """
    return shown(seen_by(sql, caller, ticket_id))


def qr_code(sql: Sql, holder: User, ticket_id: UUID) -> str:
    """A ticket's QR code, for its holder alone.

    Raises:
        NotFound: unknown, or someone else's.
    """
    found = tickets.get(sql, ticket_id)
    if found is None or found.user_id != holder.id:
        raise NotFound()
    return found.qr_code


def seen_by(sql: Sql, caller: User, ticket_id: UUID) -> TicketRow:
    """A ticket whose holder, or whose event's organizer, the caller is.

    Raises:
        NotFound: unknown, or someone else's.
    """
    found = tickets.get(sql, ticket_id)
    if found is None or not (caller.may_act_for(found.user_id) or caller.id == found.organizer_id):
        raise NotFound()
    return found


def shown(row: TicketRow) -> Ticket:
    """A ticket on the wire."""
    return Ticket.model_validate(
        {
            **vars(row),
            "ticket_type": row.type_name,
            "qr_code_image_url": f"/api/tickets/{row.id}/qr.png",
        }
    )


def _orders(sql: Sql, rows: list[Row]) -> list[Order]:
    held: dict[UUID, list[Hold]] = defaultdict(list)
    for hold in reservations.of_reservations(sql, [row["reservation_id"] for row in rows]):
        held[hold.reservation_id].append(hold)
    issued: dict[UUID, list[TicketRow]] = defaultdict(list)
    for found in tickets.of_orders(sql, [row["order_id"] for row in rows]):
        issued[found.order_id].append(found)
    return [_order(row, held[row["reservation_id"]], issued[row["order_id"]]) for row in rows]


def _order(row: Row, held: list[Hold], issued: list[TicketRow]) -> Order:
    return Order(
        order_id=row["order_id"],
        order_number=row["order_number"],
        event_id=row["event_id"],
        event_name=row["event_name"],
        event_date=row["event_date"],
        status=STATUS[row["status"]],
        items=holds.order_items(held),
        total_amount=row["total_amount"],
        currency=row["currency"],
        payment_status=order_payments.shown(row["status"], row["payment_status"]),
        refunded_amount=row["refunded_amount"] or 0,
        pay_by=row["pay_by"],
        created_at=row["created_at"],
        delivery_status=row["delivery_status"],
        tickets=[shown(ticket) for ticket in issued],
    )
