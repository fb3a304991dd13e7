"""The job sends on what was stored and whose command was lost, also where nobody would be asked about its order."""

from functions.payments.jobs import resume_payments
from tests.payments_shop import Shop
from tests.support import a_user, context


def test_a_refund_s_webhook_whose_command_was_lost_is_handled(shop: Shop) -> None:
    order_id = shop.order_of(a_user())
    intent_id = str(shop.order(order_id)["payment_gateway_transaction_id"])
    shop.stripe.client().v1.refunds.create({"payment_intent": intent_id, "amount": 9900})  # in the dashboard
    shop.webhook(intent_id, "charge.refunded")
    shop.lose()
    assert shop.status(order_id) == "PAID"

    resume_payments.handler({"olderThanSeconds": 0}, context())
    shop.deliver()

    assert shop.status(order_id) == "REFUNDED"
