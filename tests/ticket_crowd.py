"""Many buyers at once: Lambda handlers of the tickets service in processes of their own, each with its own connection.

Threads would not do: a Lambda process handles one event at a time, and its handlers rely on that.
"""

import importlib
import json
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from shared.identity import User
from tests.support import context, proxy_event

_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["tests.ticket_crowd_preload"])


@dataclass(frozen=True)
class Invocation:
    """A Lambda's module and the event to call it with."""

    module: str
    event: dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """What came of it: the status and body of a route, the output of a task or job (status 200), or the error (500)."""

    status: int
    body: Any

    @property
    def code(self) -> str | None:
        """The code of an error answer."""
        return self.body.get("error", {}).get("code") if isinstance(self.body, dict) else None


def at_once(*lines: list[Invocation]) -> list[list[Answer]]:
    """Run each line in a process of its own, one invocation after the other, all lines beginning at the same moment."""
    start = _PROCESSES.Barrier(len(lines))
    with ProcessPoolExecutor(
        len(lines), mp_context=_PROCESSES, initializer=_prepare, initargs=(dict(os.environ), start)
    ) as pool:
        return list(pool.map(_run, lines))


def flat(answers: list[list[Answer]]) -> list[Answer]:
    """All answers."""
    return [answer for line in answers for answer in line]


def statuses(answers: list[list[Answer]]) -> dict[int, int]:
    """How often each status came."""
    found = [answer.status for answer in flat(answers)]
    return {status: found.count(status) for status in set(found)}


def reservation(buyer: User, event_id: UUID, items: dict[UUID, int], key: str | None = None) -> Invocation:
    """POST /api/tickets/reserve."""
    body = {
        "eventId": str(event_id),
        "items": [{"ticketTypeId": str(id), "quantity": quantity} for id, quantity in items.items()],
    }
    headers = {"Idempotency-Key": key} if key else {}
    return route("reserve", "POST", "/api/tickets/reserve", buyer, body, headers)


def purchase(buyer: User, reservation_id: str) -> Invocation:
    """POST /api/tickets/purchase."""
    body = {"reservationId": reservation_id, "paymentMethod": {"type": "stripe", "token": "pm_card_visa"}}
    return route("purchase", "POST", "/api/tickets/purchase", buyer, body, {"Idempotency-Key": str(uuid4())})


def route(
    name: str,
    method: str,
    path: str,
    user: User,
    body: Any = None,
    headers: dict[str, str] | None = None,
    resource: str | None = None,
) -> Invocation:
    """A call of one of the routes."""
    text = json.dumps(body) if body is not None else None
    event = proxy_event(method, path, resource or path, body=text, user=user, headers=headers)
    return Invocation(f"functions.tickets.routes.{name}", event)


def task(name: str, order_id: str) -> Invocation:
    """A task of the purchase."""
    return Invocation(f"functions.tickets.saga.{name}", {"orderId": order_id})


def job(name: str) -> Invocation:
    """A job."""
    return Invocation(f"functions.tickets.jobs.{name}", {})


_start: Any = None


def _prepare(environment: dict[str, str], start: Any) -> None:
    global _start
    os.environ.clear()
    os.environ.update(environment)
    _start = start


def _run(line: list[Invocation]) -> list[Answer]:
    from functions.tickets.database import database

    handlers = [importlib.import_module(invocation.module).handler for invocation in line]
    with database.reading() as sql:
        sql.one("SELECT 1 AS connected")
    _start.wait(timeout=30)
    return [_call(handler, invocation.event) for handler, invocation in zip(handlers, line, strict=True)]


def _call(handler: Any, event: dict[str, Any]) -> Answer:
    try:
        output = handler(event, context())
    except Exception as error:  # noqa: BLE001  # what a task raises, Step Functions would see
        return Answer(500, repr(error))
    if "statusCode" not in output:
        return Answer(200, output)
    return Answer(output["statusCode"], json.loads(output["body"]) if output["body"] else None)
