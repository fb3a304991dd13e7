"""Looking at orders: what the buyer, the event's organizer and an admin may see of them."""

from typing import Any
from uuid import UUID

from functions.payments.models import (
    Buyer,
    BuyerView,
    FailureView,
    HistoryEntry,
    ItemView,
    MethodView,
    Order,
    OrderSummary,
    OrderView,
    PaymentStatus,
    Ticket,
    TicketView,
)
from functions.payments.repository import event_owners, orders
from functions.payments.repository.orders import Filter
from shared import calls, paging
from shared.clock import now
from shared.database import Sql
from shared.errors import NotFound, Unavailable
from shared.identity import User
from shared.log import logger

log = logger("payments")

_ISSUED, _CANCELLED = "ISSUED", "CANCELLED"


def visible(sql: Sql, order_id: UUID, user: User) -> Order | None:
    """The order, for those it concerns; None if payments does not know it.

    Raises:
        NotFound: it is somebody else's.
    """
    order = orders.get(sql, order_id)
    if order is not None and not user.may_act_for(order.user_id) and user.id != order.organizer_id:
        raise NotFound()
    return order


def view(sql: Sql, order: Order, user: User) -> OrderView:
    """An order with its lines and history, as this user may see it."""
    for_buyer = user.id == order.user_id
    shown = order.shown_status
    return OrderView(
        order_id=order.id,
        order_number=order.order_number,
        event_id=order.event_id,
        items=[ItemView(**item) for item in orders.items(sql, order.id)],
        total_amount=order.total_amount,
        currency=order.currency,
        refunded_amount=order.refunded_amount,
        payment_status=shown,
        payment_method=MethodView(type=order.payment_method),
        client_secret=order.client_secret if for_buyer else None,
        approval_url=order.approval_url if for_buyer else None,
        failure=_failure(order),
        pay_by=order.pay_by if order.is_undecided else None,
        tickets=[TicketView.model_validate(ticket) for ticket in order.tickets or []],
        mail_status=order.mail_status,
        created_at=order.created_at,
        history=[_entry(row) for row in orders.history(sql, order.id)],
    )


def awaits_tickets(order: Order) -> bool:
    """Paid, but nobody has told us of its tickets yet."""
    return order.shown_status is not order.payment_status


def tickets_of(order: Order, buyer: User) -> list[Ticket] | None:
    """The tickets of a paid order as the tickets service tells its buyer; None as long as there are none."""
    try:
        told = _ask_tickets(order.id, buyer)
    except Unavailable:
        log.warning("tickets did not say whether an order is issued", extra={"order_id": str(order.id)})
        return None
    if told is None or told["status"] != _ISSUED:
        return None
    return [
        TicketView.model_validate(ticket).model_dump(mode="json", by_alias=True) for ticket in told["tickets"]
    ]


def before_payment(order_id: UUID, buyer: User) -> OrderView:
    """An order that was placed but has not come here yet, as the tickets service tells its buyer.

    Raises:
        NotFound: there is no such order of this buyer.
        Unavailable: tickets did not answer.
    """
    told = _ask_tickets(order_id, buyer)
    if told is None:
        raise NotFound()
    cancelled = told["status"] == _CANCELLED
    pay_by = None if cancelled else told.get("payBy")
    return OrderView(
        order_id=order_id,
        order_number=told["orderNumber"],
        event_id=told["eventId"],
        items=told.get("items") or [],
        total_amount=told["totalAmount"],
        currency=told["currency"],
        payment_status=PaymentStatus.CANCELLED if cancelled else PaymentStatus.PENDING,
        pay_by=pay_by,
        created_at=told.get("createdAt") or now(),
    )


def require_own_event(sql: Sql, organizer: User, event_id: UUID) -> None:
    """Make sure that an event is this organizer's. Of a draft tickets is asked, so `sql` is no transaction.

    Raises:
        NotFound: there is no such event, or it is another organizer's.
        Unavailable: tickets did not answer.
    """
    owner = event_owners.organizer_of(sql, event_id)
    if owner is None:
        calls.get("tickets", "/api/tickets/types", user=organizer, eventId=event_id, limit=1)
    elif not organizer.may_act_for(owner):
        raise NotFound()


def list_of_event(
    sql: Sql,
    event_id: UUID,
    status: PaymentStatus | None,
    q: str | None,
    limit: int,
    cursor: str | None,
) -> paging.Page[OrderSummary]:
    """The orders of an event, newest first; `q` is part of an order's number or of its buyer's name or address."""
    before = paging.decode(cursor, paging.instant, UUID)
    found = orders.list_of_event(sql, Filter(event_id, status, q or None, before, limit + 1))
    shown, next_cursor = paging.cut(found, limit, lambda row: (row[0].created_at, row[0].id))
    return paging.Page(items=[_summary(order, buyer) for order, buyer in shown], next_cursor=next_cursor)


def _ask_tickets(order_id: UUID, buyer: User) -> dict[str, Any] | None:
    try:
        answer = calls.get("tickets", f"/api/tickets/orders/{buyer.id}", user=buyer, orderId=order_id)
    except NotFound:
        return None
    return next((item for item in answer["items"] if item["orderId"] == str(order_id)), None)


def _failure(order: Order) -> FailureView | None:
    if order.failure_code is None:
        return None
    return FailureView(code=order.failure_code, message=order.failure_message or "")


def _entry(row: dict[str, Any]) -> HistoryEntry:
    return HistoryEntry(type=row["type"], payment_status=row["data"]["paymentStatus"], at=row["created_at"])


def _summary(order: Order, buyer: Buyer | None) -> OrderSummary:
    return OrderSummary(
        order_id=order.id,
        order_number=order.order_number,
        user_id=order.user_id,
        buyer=BuyerView(**vars(buyer)) if buyer else None,
        event_id=order.event_id,
        total_amount=order.total_amount,
        currency=order.currency,
        refunded_amount=order.refunded_amount,
        payment_status=order.shown_status,
        created_at=order.created_at,
    )
