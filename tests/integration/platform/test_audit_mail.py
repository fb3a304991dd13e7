"""The auditor finds confirmations that are missing, and names no order that needs none."""

from uuid import UUID

from functions.tickets import releasing
from functions.tickets.database import database as tickets_database
from shared.clock import now
from tests.cloud import Cloud
from tests.integration.platform.test_audit import found
from tests.whole_shop import WholeShop


def test_confirmations_that_are_missing_are_found(whole_shop: WholeShop) -> None:
    lost, forgotten, given_up = (whole_shop.order() for _ in range(3))
    key = "order-confirmation:"
    too_early = whole_shop.bind()
    moved = "UPDATE notifications SET mail_key = %(to)s, order_id = %(id)s WHERE mail_key = %(key)s"
    whole_shop.mails.run(moved, to=key + too_early, id=too_early, key=key + lost)
    unsent = """
        UPDATE notifications SET status = %(status)s, sent_at = NULL, delivery_status = NULL, attempts = 0,
               data = %(data)s, error_message = 'why', due_at = now() + interval '1 minute'
         WHERE mail_key = %(key)s
    """
    whole_shop.mails.run(unsent, key=key + forgotten, status="PENDING", data="{}")
    whole_shop.mails.run(unsent, key=key + given_up, status="FAILED", data=None)

    mail = whole_shop.mails.one("SELECT id FROM notifications WHERE mail_key = %(key)s", key=key + forgotten)
    assert mail is not None
    assert found(whole_shop) == {
        ("mail", "an issued order has no confirmation", lost),
        ("mail", "a confirmation was not sent", forgotten),
        ("mail", "a confirmation of an order that never had tickets", too_early),
        ("limits", "a mail is neither sent nor given up", str(mail["id"])),
    }


def test_an_order_whose_tickets_were_void_before_it_was_told_of_them_is_confirmed_as_it_is(
    whole_shop: WholeShop, aws: Cloud
) -> None:
    order_id = whole_shop.bind()
    assert whole_shop.charge(order_id) == "paid"
    assert whole_shop.sales.issue(order_id)["outcome"] == "issued"
    with tickets_database.transaction() as sql:
        releasing.void(sql, UUID(order_id), None, "EVENT_CANCELLED", now())
    whole_shop.issue(order_id)
    whole_shop.deliver()

    [confirmation] = [mail for mail in aws.mails() if str(mail["Subject"]).startswith("Your order for")]
    assert [part.get_content_type() for part in confirmation.walk()].count("image/png") == 0
    assert found(whole_shop) == set()
