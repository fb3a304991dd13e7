"""Buying what a reservation holds: its seats are bound to an order, and stay so until its saga is over."""

import base64
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from functions.tickets import holds
from functions.tickets.models import (
    Bound,
    Outcome,
    PaymentMethod,
    PurchaseAccepted,
    PurchaseRequest,
    SagaPaymentMethod,
)
from functions.tickets.records import Hold, Purchase
from functions.tickets.repository import event_copies as copies
from functions.tickets.repository import purchases, reservations
from functions.tickets.settings import PAY_SECONDS
from shared import business
from shared.database import Sql
from shared.errors import BadInput, Conflict, NotFound


class ReservationExpired(Conflict):
    """The hold ran out, or was given back."""

    code = "RESERVATION_EXPIRED"
    message = "This reservation is over, reserve again"


def bind(sql: Sql, buyer_id: UUID, request: PurchaseRequest, at: datetime) -> PurchaseAccepted:
    """Bind the seats to a new order until pay-by. The sweep and other buyers leave bound seats alone.

    Raises:
        NotFound: no such reservation, or someone else's.
        AlreadyPurchased: the reservation belongs to an order already.
        ReservationExpired: its time is over.
        SaleClosed: the event was cancelled meanwhile.
    """
    held = reservations.lock(sql, request.reservation_id)
    if not held or held[0].user_id != buyer_id:
        raise NotFound()
    if any(hold.order_id is not None for hold in held):
        raise holds.AlreadyPurchased()
    if any(hold.status != "HELD" or hold.reserved_until <= at for hold in held):
        raise ReservationExpired()
    event = copies.get(sql, held[0].event_id)
    if event is None or event.status != "PUBLISHED":
        raise holds.SaleClosed()
    purchase = _purchase(held, request, at)
    reservations.bind(sql, request.reservation_id, purchase.order_id, purchase.pay_by)
    purchases.insert(sql, purchase)
    business.count(sql, "tickets", "PurchasesBegun", purchase.event_id)
    facts = {"totalAmount": f"{purchase.total_amount:.2f}", "currency": purchase.currency}
    purchases.advance(sql, purchase.order_id, "BOUND", "bound", facts, at)
    return PurchaseAccepted(
        order_id=purchase.order_id,
        order_number=purchase.order_number,
        status="PENDING",
        status_url=f"/api/payments/orders/{purchase.order_id}",
    )


def verify(sql: Sql, order_id: UUID, at: datetime) -> Bound | Outcome:
    """What there is to pay for an order whose seats are bound; `gone` if it has none to pay for."""
    purchase = purchases.get(sql, order_id)
    if purchase is None or purchase.status != "BOUND":
        return Outcome(outcome="gone")
    event = copies.get(sql, purchase.event_id)
    assert event is not None, "seats are only held of events that are here"
    return Bound(
        order_id=order_id,
        order_number=purchase.order_number,
        user_id=purchase.user_id,
        event_id=purchase.event_id,
        organizer_id=event.organizer_id,
        items=holds.order_items(reservations.of_reservations(sql, [purchase.reservation_id])),
        total_amount=purchase.total_amount,
        currency=purchase.currency,
        pay_by=purchase.pay_by,
        # Step Functions takes no time-out below a second.
        seconds_to_pay=max(1, int((purchase.pay_by - at).total_seconds())),
        payment_method=_how_to_pay(purchase),
    )


def _how_to_pay(purchase: Purchase) -> SagaPaymentMethod:
    if purchase.total_amount == 0:
        return SagaPaymentMethod(type="free", token=None)
    if purchase.payment_type == "paypal":
        return SagaPaymentMethod(type="paypal", token=None)
    return SagaPaymentMethod(type="stripe", token=purchase.payment_token)


def _purchase(held: list[Hold], request: PurchaseRequest, at: datetime) -> Purchase:
    names = request.holder_names or []
    if len(names) > sum(hold.quantity for hold in held):
        raise BadInput.field("holderNames", "More names than tickets")
    total = holds.total(held)
    _check_payment(request.payment_method, is_free=total == 0)
    order_id = uuid4()
    return Purchase(
        order_id=order_id,
        reservation_id=request.reservation_id,
        order_number=_order_number(order_id),
        user_id=held[0].user_id,
        event_id=held[0].event_id,
        total_amount=total,
        currency=held[0].currency,
        payment_type=request.payment_method.type,
        payment_token=request.payment_method.token,
        holder_names=names,
        pay_by=at + timedelta(seconds=PAY_SECONDS()),
        status="BOUND",
        version=0,
        saga_checked_at=at,
        notified_outcome=None,
        created_at=at,
    )


def _check_payment(method: PaymentMethod, *, is_free: bool) -> None:
    if method.type == "free" and not is_free:
        raise BadInput.field("paymentMethod.type", "This order is not free")


def _order_number(order_id: UUID) -> str:
    """A number to read out on the phone: 60 random bits without the letters and digits that look alike."""
    letters = base64.b32encode(order_id.bytes[:4] + order_id.bytes[-4:]).decode()[:12]
    text = letters.translate(str.maketrans("IO", "89"))
    return f"BO-{text[:4]}-{text[4:8]}-{text[8:]}"
