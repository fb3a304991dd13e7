"""What must hold of an order's rows after every step, and at rest of the providers' books: queries of our own."""

from decimal import Decimal

from tests.databases import Row, TestDatabase
from tests.payments_shop import Shop

UNDECIDED = {"PENDING", "REQUIRES_ACTION", "PAYMENT_FAILED"}
# Where each status may lead. What was bought is never undecided again; money that failed to go back is here again.
NEXT = {
    **dict.fromkeys(UNDECIDED, UNDECIDED | {"PAID", "CANCELLED"}),
    "PAID": {"PARTIALLY_REFUNDED", "REFUNDED", "DISPUTED"},
    "CANCELLED": {"PAID", "REFUNDED", "PARTIALLY_REFUNDED", "DISPUTED"},
    "PARTIALLY_REFUNDED": {"PAID", "REFUNDED", "DISPUTED", "CANCELLED"},
    "REFUNDED": {"PAID", "PARTIALLY_REFUNDED", "CANCELLED", "DISPUTED"},
    "DISPUTED": {"PAID", "PARTIALLY_REFUNDED", "REFUNDED"},
}
GIVEN_BACK, NOT_GIVEN_BACK = ("REFUNDED", "DISPUTE_LOST"), "REFUND_FAILED"
ORDERS = """
    SELECT o.*,
           (SELECT json_agg(e ORDER BY e.version) FROM order_events e WHERE e.order_id = o.id) AS events,
           (SELECT coalesce(sum(amount), 0) FROM refunds r
             WHERE r.order_id = o.id AND r.status = 'REQUESTED') AS under_way,
           (SELECT coalesce(sum(amount), 0) FROM refunds r
             WHERE r.order_id = o.id AND r.status = 'SUCCEEDED') AS succeeded,
           (SELECT count(*) FROM payment_transactions t
             WHERE t.order_id = o.id AND t.kind = 'ATTEMPT' AND t.status = 'OPEN') AS open_attempts,
           (SELECT count(*) FROM payment_transactions t
             WHERE t.order_id = o.id AND t.kind = 'ATTEMPT' AND t.status = 'SUCCEEDED') AS paid_attempts
      FROM orders o
"""


def check(db: TestDatabase) -> None:
    """Rows add up, every status followed from the one before, and each order is the fold of its events."""
    for row in db.all(ORDERS):
        assert row["captured_amount"] in (0, row["total_amount"]), row
        assert (row["refunding_amount"], row["refunded_amount"]) == (row["under_way"], row["succeeded"]), row
        assert 0 <= row["refunding_amount"] + row["refunded_amount"] <= row["captured_amount"], row
        assert row["open_attempts"] <= 1, row
        assert row["paid_attempts"] <= 1, row
        _check_history(row)


def _check_history(row: Row) -> None:
    """An event says the state it left; the sums are made of single amounts, not of what it says."""
    status, captured, refunded = "PENDING", Decimal(0), Decimal(0)
    for number, event in enumerate(row["events"], start=1):
        data, type_ = event["data"], event["type"]
        assert event["version"] == number, row
        now = data["paymentStatus"]
        assert now == status or now in NEXT[status], (status, now, row)
        status = now
        if type_ in ("PAID", "LATE_PAYMENT"):
            assert captured == 0, "paid once"
            captured = row["total_amount"]
        elif type_ in GIVEN_BACK:
            refunded += Decimal(data.get("amount", 0))
        elif type_ == NOT_GIVEN_BACK:
            before = Decimal(row["events"][number - 2]["data"]["refundedAmount"])
            refunded -= before - Decimal(data["refundedAmount"])  # nothing, unless it had succeeded
        if number > 1:
            assert Decimal(data["capturedAmount"]) == captured, row
            assert Decimal(data["refundedAmount"]) == refunded, row
    assert (row["payment_status"], row["captured_amount"]) == (status, captured), row
    assert (row["refunded_amount"], row["version"]) == (refunded, len(row["events"])), row


def payments_at_providers(shop: Shop) -> dict[str, list[Row]]:
    """The payments of each order at Stripe and at PayPal: id, and how many cents were taken, given back or lost."""
    found: dict[str, list[Row]] = {}
    for server, path in ((shop.stripe, "payment_intents"), (shop.paypal, "orders")):
        _, answer = server.control("GET", f"{path}?limit=500")
        for item in answer["items"]:
            taken = item["amount"] if item["status"] in ("succeeded", "COMPLETED") else 0
            payment = {"id": item["id"], "taken": taken, "back": item["amountRefunded"] + item["amountLost"]}
            found.setdefault(str(item["orderId"]), []).append(payment)
    return found


def books_agree(shop: Shop) -> bool:
    """At rest: what the providers took and gave back is what the orders say."""
    payments = payments_at_providers(shop)
    for row in shop.db.all("SELECT * FROM orders"):
        own = payments.get(str(row["id"]), [])
        taken, back = (sum(payment[name] for payment in own) for name in ("taken", "back"))
        if (row["captured_amount"] * 100, row["refunded_amount"] * 100) != (taken, back):
            return False
    return True
