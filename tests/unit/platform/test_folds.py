"""States are folded from what happened, not copied from the last event."""

from decimal import Decimal
from typing import Any

import pytest

from functions.platform.audit import folds


def events(*told: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"version": number, "type": type_, "data": data} for number, (type_, data) in enumerate(told, start=1)
    ]


def state(status: str, captured: str = "0.00", refunded: str = "0.00", **more: str) -> dict[str, Any]:
    return {"paymentStatus": status, "capturedAmount": captured, "refundedAmount": refunded, **more}


CREATED = ("ORDER_CREATED", {"paymentStatus": "PENDING", "totalAmount": "99.00"})
PAID = ("PAID", state("PAID", "99.00"))
REQUESTED = ("REFUND_REQUESTED", state("PAID", "99.00", refundId="r1", amount="40.00"))
REFUNDED = ("REFUNDED", state("PARTIALLY_REFUNDED", "99.00", "40.00", refundId="r1", amount="40.00"))
FAILED = ("REFUND_FAILED", state("PAID", "99.00", refundId="r1", amount="40.00"))


def test_amounts_add_up_refund_by_refund() -> None:
    asked = folds.order(events(CREATED, PAID, REQUESTED))
    assert (asked["refunding_amount"], asked["refunded_amount"]) == (Decimal("40.00"), Decimal("0.00"))
    done = folds.order(events(CREATED, PAID, REQUESTED, REFUNDED))
    assert (done["refunding_amount"], done["refunded_amount"]) == (Decimal("0.00"), Decimal("40.00"))
    assert (done["payment_status"], done["captured_amount"], done["version"]) == (
        "PARTIALLY_REFUNDED",
        Decimal("99.00"),
        4,
    )


def test_a_refund_that_the_bank_sent_back_is_ours_again() -> None:
    folded = folds.order(events(CREATED, PAID, REQUESTED, REFUNDED, FAILED))
    assert (folded["refunded_amount"], folded["payment_status"]) == (Decimal("0.00"), "PAID")


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ((PAID,), "never created"),
        ((CREATED, PAID, PAID), "paid twice"),
        ((CREATED, ("PAID", state("CANCELLED", "99.00"))), "PAID does not lead to CANCELLED"),
        ((CREATED, ("PAID", state("PAID", "98.00"))), "states another capturedAmount"),
        ((CREATED, PAID, ("MAIL_STATUS", state("REFUNDED", "99.00"))), "does not lead to REFUNDED"),
        (
            (
                CREATED,
                PAID,
                REQUESTED,
                ("REFUNDED", state("PAID", "99.00", "40.00", refundId="r1", amount="40.00")),
            ),
            "PAID",
        ),
    ],
)
def test_a_history_that_contradicts_itself_cannot_be(told: tuple[Any, ...], why: str) -> None:
    with pytest.raises(folds.CannotBe, match=why):
        folds.order(events(*told))


def test_a_missing_event_is_seen() -> None:
    with pytest.raises(folds.CannotBe, match="missing"):
        folds.order(events(CREATED, PAID, REQUESTED)[::2])


def test_valid_tickets_are_counted() -> None:
    bound = ("bound", {"status": "BOUND", "totalAmount": "99.00", "currency": "EUR"})
    issued = ("issued", {"status": "ISSUED", "tickets": 2})
    voided = ("tickets_voided", {"status": "ISSUED", "ticketIds": ["a"], "reason": "REFUNDED"})
    assert folds.purchase(events(bound, issued, voided))["valid_tickets"] == 1
    assert (
        folds.purchase(events(bound, issued, voided, ("released", {"status": "RELEASED"})))["valid_tickets"]
        == 0
    )
    with pytest.raises(folds.CannotBe):
        folds.purchase(events(bound, ("issued", {"status": "BOUND", "tickets": 2})))


def test_a_ticket_is_used_again_only_if_it_was_used() -> None:
    issued, used = ("issued", {"status": "ACTIVE"}), ("checked_in", {"status": "USED"})
    void, again = ("voided", {"status": "VOID"}), ("reinstated", {"status": "USED"})
    assert folds.ticket(events(issued, used, void, again)) == {
        "status": "USED",
        "version": 4,
        "is_used": True,
    }
    with pytest.raises(folds.CannotBe):
        folds.ticket(events(issued, void, again))
    with pytest.raises(folds.CannotBe):
        folds.ticket(events(issued, void, used))
