"""Tickets: stock and holds, orders as they are bought, the tickets and their way through the door."""

from cdk.messaging import Queue
from cdk.service import Consumer, Ground, Job, Route, Row, Task

QUEUES = (
    Queue("tickets-users", topic="auth", types=("auth.user_erased.v1", "auth.export_requested.v1")),
    Queue("tickets-events", topic="events"),
    Queue("tickets-orders", topic="payments", types=("payments.order_changed.v1",)),
    Queue(
        "tickets-payments",
        topic="payments",
        types=(
            "payments.order_refunded.v1",
            "payments.order_disputed.v1",
            "payments.late_payment_received.v1",
        ),
    ),
    # A batch of a cancelled event is 500 tickets, with a message and a mail for each of their orders.
    Queue("tickets-voids", seconds=60, concurrency=2),
    Queue("tickets-notifications", topic="notifications", types=("notifications.mail_status_changed.v1",)),
)


# A row is a line.  # ruff: noqa: E501
# fmt: off
def rows(on: Ground) -> list[Row]:
    """Every function of the service, and what it may touch."""
    db, publish, cache = on.data.database("tickets"), on.messaging.publish("tickets"), on.data.cache
    read = on.data.read_models("tickets")
    keys, mail, start = on.data.ticket_keys, on.messaging.send("mail"), on.saga.start
    voids = on.messaging.send("tickets-voids")
    exports = on.messaging.send("auth-exports")
    return [
        Route("GET",    "/api/tickets/types",                        "list_ticket_types",   "organizer", uses=[db, cache]),
        Route("POST",   "/api/tickets/types",                        "create_ticket_type",  "organizer", uses=[db, publish, cache]),
        Route("PUT",    "/api/tickets/types/{ticketTypeId}",         "update_ticket_type",  "organizer", uses=[db, publish, cache]),
        Route("DELETE", "/api/tickets/types/{ticketTypeId}",         "delete_ticket_type",  "organizer", uses=[db, publish, cache]),
        Route("GET",    "/api/tickets/availability/{eventId}",       "availability",        "public",    uses=[db, cache], hot=True),
        Route("POST",   "/api/tickets/reserve",                      "reserve",             "user",      uses=[db, cache], hot=True),
        Route("DELETE", "/api/tickets/reservations/{reservationId}", "release_reservation", "user",      uses=[db, cache]),
        Route("POST",   "/api/tickets/purchase",                     "purchase",            "user",      uses=[db, start], hot=True),
        Route("GET",    "/api/tickets/orders/{userId}",              "list_orders",         "user",      uses=[read]),
        Route("GET",    "/api/tickets/{ticketId}",                   "get_ticket",          "user",      uses=[db]),
        Route("GET",    "/api/tickets/{ticketId}/qr.png",            "ticket_qr",           "user",      uses=[db]),
        Route("POST",   "/api/tickets/{ticketId}/resend",            "resend_ticket",       "user",      uses=[db, mail]),
        Route("POST",   "/api/tickets/check-in",                     "check_in",            "organizer", uses=[db, publish]),
        Route("GET",    "/.well-known/ticket-keys.json",             "ticket_keys",         "public"),
        Route("GET",    "/api/health/tickets",                       "health",              "public",    uses=[db, cache]),

        Task("reserve", uses=[db]),
        Task("issue",   uses=[db, publish, keys.read]),
        Task("release", uses=[db, publish, cache]),
        Task("notify",  uses=[db, mail]),

        Consumer("events",        queue="tickets-events",        uses=[db, cache, voids]),
        Consumer("payments",      queue="tickets-payments",      uses=[db, cache, publish, mail, keys.read]),
        Consumer("voids",         queue="tickets-voids",         uses=[db, cache, publish, mail, voids], recursive=True),
        Consumer("notifications", queue="tickets-notifications", uses=[db, publish]),
        Consumer("orders",        queue="tickets-orders",        uses=[db]),
        Consumer("users",         queue="tickets-users",         uses=[db, cache, exports, on.buckets.exports.write("tickets")]),

        Job("sweep_messages",      "every minute",  uses=[db, publish, mail, voids, exports]),
        Job("expire_holds",        "every minute",  uses=[db, cache]),
        Job("tell_stock",          "every minute",  uses=[db, publish]),
        Job("resume_purchases",    "every minute",  uses=[db, start, mail]),
        Job("rebuild_orders",      "by hand",       uses=[db], timeout=900),
        Job("resume_voiding",      "every minute",  uses=[db, voids]),
        Job("create_signing_keys", "on deployment", uses=[keys.make, on.settings.publish_keys("ticket_keys")]),
        Job("rotate_signing_keys", "by hand",       uses=[keys.make, on.settings.publish_keys("ticket_keys")]),
    ]
# fmt: on
