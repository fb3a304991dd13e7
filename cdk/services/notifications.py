"""Notifications: the mails, their templates, and the addresses that they go to."""

from cdk.messaging import Queue
from cdk.service import Consumer, Ground, Job, Route, Row

QUEUES = (
    Queue("notifications-users", topic="auth"),
    Queue(
        "notifications-payments",
        topic="payments",
        types=("payments.payment_failed.v1", "payments.order_refunded.v1"),
    ),
    Queue("mail", seconds=60),
    Queue("notifications-ses", topic="ses"),
)


# A row is a line.  # ruff: noqa: E501
# fmt: off
def rows(on: Ground) -> list[Row]:
    """Every function of the service, and what it may touch."""
    db, publish = on.data.database("notifications"), on.messaging.publish("notifications")
    mail, cache, sendgrid = on.messaging.send("mail"), on.data.cache, on.data.sendgrid.read
    flags = on.runtime.delivery.flags.read
    providers = [cache, flags, on.data.deliver, on.messaging.report_mails, sendgrid]
    exports, part = on.messaging.send("auth-exports"), on.buckets.exports.write("notifications")
    return [
        Route("GET",  "/api/notifications/status/{id}",       "status",           "user",      uses=[db]),
        Route("POST", "/api/notifications/send",              "send",             "admin",     uses=[db, publish, mail]),
        Route("GET",  "/api/notifications/templates",         "list_templates",   "admin",     uses=[db]),
        Route("POST", "/api/notifications/templates",         "create_template",  "admin",     uses=[db]),
        Route("POST", "/api/notifications/webhooks/sendgrid", "sendgrid_webhook", "signature", uses=[db, publish, sendgrid]),
        Route("GET",  "/api/health/notifications",            "health",           "public",    uses=[db]),

        Consumer("users",    queue="notifications-users",    uses=[db, publish, mail, exports, part]),
        Consumer("payments", queue="notifications-payments", uses=[db, publish, mail]),
        Consumer("mail",     queue="mail",                   uses=[db, publish, *providers]),
        Consumer("ses",      queue="notifications-ses",      uses=[db, publish]),

        Job("sweep_messages",   "every minute", uses=[db, publish, mail, exports]),
        Job("resend_mail",      "every minute", uses=[db, mail]),
        Job("lift_suppression", "by hand",      uses=[db]),
    ]
# fmt: on
