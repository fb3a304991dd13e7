"""Takes out of moto what costs more CPU than the calls themselves: a tenth of a second per purchase otherwise."""

from __future__ import annotations

import time
from functools import cache

from moto.moto_server.werkzeug_app import DomainDispatcherApplication
from moto.sqs.models import Message, SQSBackend

from local.aws_replace import replace


def install() -> None:
    """Put the short cuts in. Call once, before the server starts."""
    find = DomainDispatcherApplication.get_backend_for_host

    @cache
    def backend_for_host(self: DomainDispatcherApplication, host: str | None) -> object:
        # moto lists its own folder and tries every service's pattern, for each request anew
        return find(self, host)

    def is_retained(self: SQSBackend, queue_name: str, message: Message) -> bool:
        # moto counts the queue's messages for it, for each message that is received
        retention = int(self.get_queue(queue_name).message_retention_period)  # type: ignore[attr-defined]  # set by name
        return float(message.sent_timestamp or 0) / 1000 + retention > time.time()

    replace(DomainDispatcherApplication, get_backend_for_host=backend_for_host)
    replace(SQSBackend, is_message_valid_based_on_retention_period=is_retained)
