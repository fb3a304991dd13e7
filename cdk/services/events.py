"""Events: what is put on, by whom, where and when."""

from cdk.messaging import Queue
from cdk.service import Consumer, Ground, Job, Route, Row

QUEUES = (
    Queue(
        "events-tickets",
        topic="tickets",
        types=(
            "tickets.order_issued.v1",
            "tickets.order_released.v1",
            "tickets.tickets_voided.v1",
            "tickets.ticket_checked_in.v1",
            "tickets.stock_changed.v1",
        ),
    ),
    Queue("events-payments", topic="payments", types=("payments.order_changed.v1",)),
    Queue("events-images", bucket="pictures", seconds=60, concurrency=2),
    Queue("events-users", topic="auth", types=("auth.user_erased.v1", "auth.export_requested.v1")),
)


# A row is a line.
# fmt: off
def rows(on: Ground) -> list[Row]:
    """Every function of the service, and what it may touch."""
    read = on.data.read_models("events")
    db, publish, cache = on.data.database("events"), on.messaging.publish("events"), on.data.cache
    pictures, show = on.buckets.pictures, on.buckets.pictures.show
    exports, part = on.messaging.send("auth-exports"), on.buckets.exports.write("events")
    return [
        Route("GET",    "/api/events",              "list_events",     "public",    uses=[read, show], hot=True),
        Route("GET",    "/api/events/mine",         "my_events",       "organizer", uses=[db, show]),
        Route("GET",    "/api/events/mine/{id}",    "my_event",        "organizer", uses=[db, show]),
        Route("GET",    "/api/events/{id}/sales",   "event_sales",     "organizer", uses=[read]),
        Route("GET",    "/api/events/search",       "search_events",   "public",    uses=[read, cache, show]),
        Route("GET",    "/api/events/categories",   "list_categories", "public",    uses=[read]),
        Route("POST",   "/api/events/categories",   "create_category", "admin",     uses=[db]),
        Route("GET",    "/api/events/{id}",         "get_event",       "public",    uses=[db, cache, show], hot=True),
        Route("POST",   "/api/events",              "create_event",    "organizer", uses=[db, show]),
        Route("PUT",    "/api/events/{id}",         "update_event",    "organizer", uses=[db, publish, cache, show]),
        Route("DELETE", "/api/events/{id}",         "delete_event",    "organizer", uses=[db]),
        Route("POST",   "/api/events/{id}/publish", "publish_event",   "organizer", uses=[db, publish, cache, show]),
        Route("POST",   "/api/events/{id}/cancel",  "cancel_event",    "organizer", uses=[db, publish, cache, show]),
        Route("POST",   "/api/events/{id}/image",   "upload_image",    "organizer", uses=[db, pictures.accept, show]),
        Route("GET",    "/api/health/events",       "health",          "public",    uses=[db, cache]),

        Consumer("tickets",  queue="events-tickets",  uses=[db]),
        Consumer("payments", queue="events-payments", uses=[db]),
        # Hot for the memory: a picture of 40 megapixels is unpacked.
        Consumer("images",   queue="events-images",   uses=[db, cache, pictures.make], hot=True),
        Consumer("users",    queue="events-users",    uses=[db, exports, part]),

        Job("sweep_messages",      "every minute",  uses=[db, publish, exports]),
        Job("complete_events",     "every hour",    uses=[db, publish, cache]),
        Job("remove_images",       "every hour",    uses=[db, pictures.remove]),
        Job("install_placeholder", "on deployment", uses=[pictures.install]),
        Job("rebuild_sales",       "by hand",       uses=[db], timeout=900),
    ]
# fmt: on
