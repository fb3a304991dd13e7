"""EventBridge Scheduler → Lambda: a job that runs every minute, or by an operator's hand with arguments."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from shared import idempotency, metrics, outbox, republishing, retention
from shared.clock import now
from shared.database import Database
from shared.log import begin, invocation_id, logger
from shared.settings import Setting

SWEEP_LIMIT = Setting("sweep_limit", 500, "Rows that one run of a sweep takes at most")
FORGET_LIMIT = Setting(
    "forget_limit",
    10_000,
    "Rows of one table that a job deletes in one transaction at most because they are over",
)
INBOX_DAYS = Setting("inbox_days", 15, "Days for which a consumer remembers messages (a queue keeps them 14)")
OUTBOX_DAYS = Setting("outbox_days", 30, "Days for which published messages are kept")


def job(
    service: str, run: Callable[[dict[str, Any]], int | dict[str, Any]], name: str | None = None
) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    """The Lambda handler of a job: `run` takes the (maybe empty) input and returns how many things it handled, or an
    answer that says so among other things.

    The metric `JobHandled` counts them, by service and job; `name` is the module of `run` unless told.
    """
    log = logger(service)
    name = name or run.__module__.rpartition(".")[2]

    def handler(event: dict[str, Any], context: Any) -> dict[str, int]:
        begin(log, invocation_id(context))
        done = run(event or {})
        answer = done if isinstance(done, dict) else {"handled": done}
        log.info("job done", extra={"job": name, **answer})
        if answer["handled"]:
            metrics.count(service, "JobHandled", answer["handled"], job=name)
        return answer

    return handler


def sweep_messages(database: Database) -> Callable[[dict[str, Any], Any], dict[str, Any]]:
    """The job every service has: publish what a crash left in the outbox, forget what is too old to matter.

    An operator (or a laptop whose broker lost its memory) passes `{"republishSeconds": n}` to publish recent messages
    again, and nothing else.
    """

    def run(event: dict[str, Any]) -> int | dict[str, Any]:
        if republishing.is_asked_for(event):
            return republishing.run(database, event)
        try:
            return outbox.sweep(database, limit=SWEEP_LIMIT())
        finally:  # one message that cannot leave fails the job, and neither hides how old it is nor keeps what is over
            metrics.gauge(database.service, "OldestMessageSeconds", outbox.oldest_seconds(database))
            _forget(database)

    return job(database.service, run, "sweep_messages")


def _forget(database: Database) -> None:
    at, limit = now(), FORGET_LIMIT()
    with database.transaction() as sql:
        idempotency.forget(sql, at, limit)
        retention.forget(sql, "inbox", "received_at", at - timedelta(days=INBOX_DAYS()), limit)
        sent_before = at - timedelta(days=OUTBOX_DAYS())
        retention.forget(sql, "outbox", "created_at", sent_before, limit, only="published_at IS NOT NULL")
