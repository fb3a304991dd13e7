"""Every order is the fold of its own events."""

from tests.payments_shop import Shop
from tests.support import a_user


def test_the_last_event_of_every_order_says_its_state(shop: Shop) -> None:
    buyer = a_user()
    paid = shop.order_of(buyer)
    shop.issue(paid)
    shop.order_of(buyer, None, price="0.00", method="free")
    shop.cancel(shop.order_of(buyer, "pm_card_authenticationRequired"))
    shop.pay_again(buyer, shop.order_of(buyer, "pm_card_chargeDeclined"))
    shop.deliver()
    rows = shop.db.all(
        """
        SELECT o.payment_status, o.captured_amount, o.refunded_amount, o.version, e.data,
               (SELECT array_agg(version ORDER BY version) FROM order_events WHERE order_id = o.id) AS versions
          FROM orders o JOIN order_events e ON e.order_id = o.id AND e.version = o.version
        """
    )
    assert len(rows) == 4
    for row in rows:
        assert row["versions"] == list(range(1, row["version"] + 1))
        assert row["data"]["paymentStatus"] == row["payment_status"]
        assert row["data"]["capturedAmount"] == str(row["captured_amount"])
        assert row["data"]["refundedAmount"] == str(row["refunded_amount"])


def test_events_and_outbox_hold_no_secret(shop: Shop) -> None:
    buyer = a_user()
    order_id = shop.order_of(buyer, "pm_card_authenticationRequired")
    secret = str(shop.order(order_id)["client_secret"])
    texts = [
        *(row["data"] for row in shop.db.all("SELECT data::text FROM order_events")),
        *(row["payload"] or "" for row in shop.db.all("SELECT payload::text FROM outbox")),
        *(
            row["answer"] or ""
            for row in shop.db.all("SELECT gateway_response AS answer FROM payment_transactions")
        ),
    ]
    assert not [text for text in texts if secret in text or "_secret_" in text]
