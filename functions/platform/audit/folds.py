"""Invariant 6, the arithmetic: the state of an order, a purchase or a ticket as the fold of its own events.

Amounts, counts and most states follow from what happened. Where an event may lead to more than one state, its own word
decides, if it is one of those that it may lead to.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from shared.database import Row

ZERO = Decimal("0.00")
State = dict[str, Any]


class CannotBe(Exception):
    """The events contradict each other; the message says how."""


def versions(events: list[Row]) -> None:
    """Raises CannotBe unless they are numbered 1, 2, 3 …"""
    numbers = [event["version"] for event in events]
    if numbers != list(range(1, len(numbers) + 1)):
        raise CannotBe("an event is missing")


# ---- orders

_STATUS_AFTER = {
    "ORDER_CREATED": "PENDING",
    "PAYMENT_STARTED": "PENDING",
    "ACTION_REQUIRED": "REQUIRES_ACTION",
    "PAYMENT_FAILED": "PAYMENT_FAILED",
    "PAID": "PAID",
    "CANCELLED": "CANCELLED",
    "DISPUTED": "DISPUTED",
}
_DISPUTE_AFTER = {"DISPUTED": "OPEN", "DISPUTE_WON": "WON", "DISPUTE_LOST": "LOST"}


@dataclass
class _Order:
    """An order between two of its events. `refunds` are what was asked for and what became of it, by their ids."""

    total: Decimal
    status: str | None = None
    captured: Decimal = ZERO
    dispute: str | None = None
    mail: str = "PENDING"
    refunds: dict[str, tuple[str, Decimal]] = field(default_factory=dict)

    def sum_of(self, state: str) -> Decimal:
        return sum((amount for now, amount in self.refunds.values() if now == state), ZERO)

    @property
    def refunded(self) -> Decimal:
        return self.sum_of("REFUNDED")


def order(events: list[Row]) -> State:
    """An order's columns, from its events.

    Raises:
        CannotBe: a version is missing, or an event says what cannot follow from those before it.
    """
    versions(events)
    if not events or events[0]["type"] != "ORDER_CREATED":
        raise CannotBe("it was never created")
    now = _Order(total=Decimal(events[0]["data"]["totalAmount"]))
    for event in events:
        _happened(now, event["type"], event["data"])
        _compare_word(now, event)
    return {
        "payment_status": now.status,
        "captured_amount": now.captured,
        "refunding_amount": now.sum_of("REFUND_REQUESTED"),
        "refunded_amount": now.refunded,
        "dispute": now.dispute,
        "mail_status": now.mail,
        "version": len(events),
    }


def _happened(now: _Order, type_: str, data: State) -> None:
    if type_ in ("PAID", "LATE_PAYMENT"):
        if now.captured > ZERO:
            raise CannotBe("it was paid twice")
        now.captured = now.total
    if type_ in ("REFUND_REQUESTED", "REFUNDED", "REFUND_FAILED", "DISPUTE_LOST") and "refundId" in data:
        state = "REFUNDED" if type_ == "DISPUTE_LOST" else type_
        now.refunds[data["refundId"]] = (state, Decimal(data["amount"]))
    now.dispute = _DISPUTE_AFTER.get(type_, now.dispute)
    now.mail = data.get("mailStatus", now.mail)
    possible = _possible(now, type_)
    status = data.get("paymentStatus")
    if status not in possible:
        raise CannotBe(f"{type_} does not lead to {status}")
    now.status = status


def _possible(now: _Order, type_: str) -> set[str | None]:
    """The states that an order may be in after this happened to it."""
    if type_ in _STATUS_AFTER:
        return {_STATUS_AFTER[type_]}
    if type_ == "TICKETS_ISSUED":
        bought = "PARTIALLY_REFUNDED" if now.refunded > ZERO else "PAID"
        return {now.status, bought} if now.status in ("CANCELLED", "DISPUTED") else {now.status}
    if (
        type_ in ("TICKETS_RELEASED", "TICKETS_VOIDED")
        and now.status == "PAID"
        and now.sum_of("REFUND_FAILED") > ZERO
    ):
        return {"PAID", "CANCELLED"}  # whether there is anything on its way back decides
    if type_ not in ("REFUNDED", "REFUND_FAILED", "DISPUTE_LOST"):
        return {now.status}
    if now.captured > ZERO and now.refunded == now.captured:
        return {"REFUNDED"}
    if now.status == "DISPUTED" or now.dispute in ("OPEN", "LOST"):
        return {"DISPUTED"}
    if now.status == "CANCELLED":
        return {"CANCELLED"}  # until it has seats, it is not one partly refunded
    if now.refunded > ZERO:
        return {"PARTIALLY_REFUNDED"}
    return {"PAID", "CANCELLED"}  # whether its tickets are void decides


def _compare_word(now: _Order, event: Row) -> None:
    """The amounts that the event states are those that follow."""
    for name, amount in (("capturedAmount", now.captured), ("refundedAmount", now.refunded)):
        if Decimal(event["data"].get(name, amount)) != amount:
            raise CannotBe(f"{event['type']} of version {event['version']} states another {name}")


# ---- purchases and tickets

_PURCHASE_AFTER = {"bound": "BOUND", "issued": "ISSUED", "released": "RELEASED"}


def purchase(events: list[Row]) -> State:
    """A purchase's columns, and how many of its tickets are valid, from its events.

    Raises:
        CannotBe: as `order`.
    """
    versions(events)
    if not events or events[0]["type"] != "bound":
        raise CannotBe("it was never bound")
    first = events[0]["data"]
    status, valid, delivery, refused = "BOUND", 0, "PENDING", False
    for event in events:
        type_, data = event["type"], event["data"]
        status = _PURCHASE_AFTER.get(type_, status)
        if data.get("status", status) != status:
            raise CannotBe(f"{type_} does not lead to {data['status']}")
        valid = _valid_after(type_, data, valid)
        delivery = data.get("deliveryStatus", delivery)
        refused = refused or type_ == "late_payment_refused"
    return {
        "status": status,
        "total_amount": Decimal(first["totalAmount"]),
        "currency": first["currency"],
        "delivery_status": delivery,
        "is_refused": refused,
        "valid_tickets": valid,
        "version": len(events),
    }


def _valid_after(type_: str, data: State, valid: int) -> int:
    match type_:
        case "issued":
            return valid + int(data["tickets"])
        case "tickets_voided":
            return valid - len(data["ticketIds"])
        case "reinstated":
            return len(data["ticketIds"])
        case "released":
            return 0
        case _:
            return valid


def ticket(events: list[Row]) -> State:
    """A ticket's columns, from its events.

    Raises:
        CannotBe: as `order`.
    """
    versions(events)
    status, used = None, False
    for event in events:
        status = _ticket_after(event["type"], status, used)
        used = used or event["type"] == "checked_in"
        if event["data"].get("status", status) != status:
            raise CannotBe(f"{event['type']} does not lead to {event['data']['status']}")
    return {"status": status, "version": len(events), "is_used": used}


def _ticket_after(type_: str, status: str | None, used: bool) -> str | None:
    came_from: dict[str, tuple[tuple[str | None, ...], str]] = {
        "issued": ((None,), "ACTIVE"),
        "checked_in": (("ACTIVE",), "USED"),
        "voided": (("ACTIVE", "USED"), "VOID"),
        "reinstated": (("VOID",), "USED" if used else "ACTIVE"),
    }
    before, after = came_from.get(type_, ((), ""))
    if status not in before:
        raise CannotBe(f"{type_} cannot follow {status}")
    return after
