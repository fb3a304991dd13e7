"""Queue notifications-ses: what SES tells of the mails that it took."""

from typing import Any

from functions.notifications import deliveries
from functions.notifications.database import database
from functions.notifications.gateways import ses
from shared.consumer import Consumer

consumer = Consumer(database, "notifications-ses")


@consumer.on_foreign
def report(event: dict[str, Any]) -> None:
    """Take down deliveries, bounces, complaints and rejections."""
    told = ses.read(event)
    if told is not None:
        with database.transaction() as sql:
            deliveries.record(sql, told)


handler = consumer.handler
