"""Payments: charging, refunding, and the one service that talks to Stripe."""

from cdk.messaging import Queue
from cdk.service import Consumer, Ground, Job, Route, Row, Task

QUEUES = (
    Queue("payments-attempts"),
    Queue("payments-webhooks"),
    # Refunds come by the thousand when an event is cancelled, and share Stripe's rate limit with those who buy.
    Queue("payments-refunds", concurrency=2),
    Queue(
        "payments-tickets",
        topic="tickets",
        types=("tickets.order_issued.v1", "tickets.order_released.v1", "tickets.ticket_checked_in.v1"),
    ),
    Queue("payments-mail", topic="notifications"),
)


# A row is a line.  # ruff: noqa: E501
# fmt: off
def rows(on: Ground) -> list[Row]:
    """Every function of the service, and what it may touch."""
    db, publish, cache = on.data.database("payments"), on.messaging.publish("payments"), on.data.cache
    stripe, wake = on.data.stripe.read, on.saga.answer
    attempts, webhooks = on.messaging.send("payments-attempts"), on.messaging.send("payments-webhooks")
    refunds = on.messaging.send("payments-refunds")
    return [
        Route("GET",  "/api/payments/methods",          "methods",           "public",    uses=[stripe, cache]),
        Route("GET",  "/api/payments/orders/{orderId}", "get_order",         "user",      uses=[db, cache, stripe], hot=True),
        Route("GET",  "/api/payments/orders",           "list_event_orders", "organizer", uses=[db, cache]),
        Route("POST", "/api/payments/process",          "process",           "user",      uses=[db, attempts, cache], hot=True),
        Route("POST", "/api/payments/refund",           "refund",            "organizer", uses=[db, publish, refunds, cache]),
        Route("POST", "/api/payments/webhooks/stripe",  "stripe_webhook",    "signature", uses=[db, stripe, webhooks]),
        Route("GET",  "/api/health/payments",           "health",            "public",    uses=[db, cache]),

        Task("charge",         uses=[db, publish, stripe, cache]),
        Task("await_payment",  uses=[db, publish, wake]),
        Task("cancel_payment", uses=[db, publish, stripe, cache]),
        Task("refund_payment", uses=[db, publish, stripe, cache, refunds]),

        Consumer("attempts", queue="payments-attempts", uses=[db, publish, stripe, cache, wake]),
        Consumer("webhooks", queue="payments-webhooks", uses=[db, publish, stripe, cache, wake, refunds]),
        Consumer("refunds",  queue="payments-refunds",  uses=[db, publish, stripe, cache]),
        Consumer("tickets",  queue="payments-tickets",  uses=[db, publish]),
        Consumer("mail",     queue="payments-mail",     uses=[db, publish]),

        Job("sweep_messages", "every minute", uses=[db, publish, attempts, webhooks, refunds, wake]),
    ]
# fmt: on
