"""Payments: charging, refunding, and the one service that talks to Stripe and PayPal."""

from cdk.messaging import Queue
from cdk.service import Consumer, Ground, Job, Route, Row, Task

QUEUES = (
    Queue("payments-users", topic="auth", types=("auth.user_erased.v1", "auth.export_requested.v1")),
    Queue("payments-attempts", seconds=60),
    Queue("payments-webhooks", seconds=60),
    # Refunds come by the thousand when an event is cancelled, and share the provider's rate limit with those who buy.
    Queue("payments-refunds", seconds=60, concurrency=2),
    Queue(
        "payments-tickets",
        topic="tickets",
        types=(
            "tickets.order_issued.v1",
            "tickets.order_released.v1",
            "tickets.ticket_checked_in.v1",
            "tickets.tickets_voided.v1",
            "tickets.purchase_stopped.v1",
            "tickets.late_payment_refused.v1",
        ),
    ),
    Queue("payments-mail", topic="notifications"),
    Queue("payments-buyers", topic="auth", types=("auth.user_changed.v1", "auth.user_erased.v1")),
    Queue("payments-events", topic="events"),
)


# A row is a line.  # ruff: noqa: E501
# fmt: off
def rows(on: Ground) -> list[Row]:
    """Every function of the service, and what it may touch."""
    db, publish = on.data.database("payments"), on.messaging.publish("payments")
    read = on.data.read_models("payments")
    stripe, paypal, wake = on.data.stripe.read, on.data.paypal.read, on.saga.answer
    flags = on.runtime.delivery.flags.read
    cache = on.data.cache  # what is known of a provider's trouble
    providers = [stripe, paypal, cache]
    attempts, webhooks = on.messaging.send("payments-attempts"), on.messaging.send("payments-webhooks")
    refunds, exports = on.messaging.send("payments-refunds"), on.messaging.send("auth-exports")
    return [
        Route("GET",  "/api/payments/methods",          "methods",           "public",    uses=[*providers, flags]),
        Route("GET",  "/api/payments/orders/{orderId}", "get_order",         "user",      uses=[db, publish, on.data.cache], hot=True),
        Route("GET",  "/api/payments/orders",           "list_event_orders", "organizer", uses=[read, on.data.cache]),
        Route("POST", "/api/payments/process",          "process",           "user",      uses=[db, publish, cache, attempts], hot=True),
        Route("POST", "/api/payments/refund",           "refund",            "organizer", uses=[db, refunds]),
        Route("POST", "/api/payments/webhooks/stripe",  "stripe_webhook",    "signature", uses=[db, stripe, cache, webhooks]),
        Route("POST", "/api/payments/webhooks/paypal",  "paypal_webhook",    "signature", uses=[db, paypal, cache, webhooks]),
        Route("GET",  "/api/health/payments",           "health",            "public",    uses=[db]),

        Task("charge",         uses=[db, publish, *providers, refunds, wake], timeout=60, at_most=40),
        Task("await_payment",  uses=[db, publish, wake]),
        Task("cancel_payment", uses=[db, publish, *providers, refunds, wake], timeout=60, at_most=20),
        Task("refund_payment", uses=[db, publish, *providers, refunds], timeout=60, at_most=10),

        Consumer("attempts", queue="payments-attempts", uses=[db, publish, *providers, refunds, wake]),
        Consumer("webhooks", queue="payments-webhooks", uses=[db, publish, *providers, attempts, webhooks, refunds, wake]),
        Consumer("refunds",  queue="payments-refunds",  uses=[db, publish, *providers]),
        Consumer("tickets",  queue="payments-tickets",  uses=[db, publish, refunds, wake]),
        Consumer("mail",     queue="payments-mail",     uses=[db]),
        Consumer("users",    queue="payments-users",    uses=[db, exports, on.buckets.exports.write("payments")]),
        Consumer("buyers",   queue="payments-buyers",   uses=[db]),
        Consumer("events",   queue="payments-events",   uses=[db]),

        Job("sweep_messages",    "every minute", uses=[db, publish, attempts, webhooks, refunds, wake, exports]),
        Job("resume_payments",   "every minute", uses=[db, publish, attempts, webhooks, refunds]),
        Job("read_gateways",     "by hand",      uses=providers, timeout=120),
    ]
# fmt: on
