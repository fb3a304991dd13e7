"""What was published before is published again: for a reader that was restored from a backup, or a broker that lost it.

Page by page in the order of ids, and apart from the sweep, which goes on each minute: what has not left yet is its
work. Who had a message before takes it as heard.
"""

import time
from typing import Any

from shared import outbox
from shared.database import Database
from shared.log import logger

PAGE = 100
SECONDS = 25  # in which pages are begun; the function has 50, since a page may meet a broker that is slow


def is_asked_for(event: dict[str, Any]) -> bool:
    """Whether a job's input is meant for `run`."""
    return "republishSeconds" in event or "republishIds" in event


def run(database: Database, event: dict[str, Any]) -> dict[str, Any]:
    """Publish again what was written within the last `republishSeconds`, or has one of `republishIds` (first, last).

    Returns:
        `handled`, how many left; `failed`, how many did not (the log says why); `next`, if the time was over before
        all were through: the input that goes on.
    """
    first, last = event.get("republishIds") or outbox.ids_since(database, float(event["republishSeconds"]))
    answer: dict[str, Any] = {"handled": 0, "failed": 0}
    ends = time.monotonic() + SECONDS
    while rows := outbox.published(database, first, last, PAGE):
        done, failures = outbox.attempt(database, rows)
        for failure in failures:
            logger(database.service).error("messages not published again", exc_info=failure)
        answer["handled"] += done
        answer["failed"] += len(rows) - done
        first = rows[-1]["id"] + 1
        if first <= last and time.monotonic() >= ends:
            return answer | {"next": {"republishIds": [first, last]}}
    return answer
