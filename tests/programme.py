"""Planning and publishing events through the real handlers, for tests of the events service."""

import importlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

from functions.events import settings
from functions.events.cache import cache
from shared import calls, idempotency, job
from shared.identity import Role, User
from tests.cloud import Cloud, Extension
from tests.databases import TestDatabase
from tests.people import set_defaults
from tests.support import Reply, a_user, call


def in_days(days: float) -> str:
    """An instant so many days from now, as it stands in JSON."""
    return (
        (datetime.now(UTC) + timedelta(days=days)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )


def details(**changes: Any) -> dict[str, Any]:
    """A valid event."""
    event = {
        "name": f"Gala {uuid4().hex[:6]}",
        "description": "An evening",
        "eventDate": in_days(30),
        "timeZone": "Europe/Vienna",
        "venueName": "Opera",
        "venueAddress": "Opernring 2, Wien",
        "category": "Music",
    }
    return event | changes


class TicketsStandIn:
    """The tickets service, as far as events asks it: which events have a ticket type, and who asked with what."""

    def __init__(self) -> None:
        self.without_types: set[str] = set()
        self.status = 200
        self.tokens: list[str] = []
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                url = urlsplit(self.path)
                assert url.path == "/api/tickets/types"
                stand_in.tokens.append(self.headers["Authorization"])
                known = parse_qs(url.query)["eventId"][0] not in stand_in.without_types
                body = json.dumps(
                    {"items": [{"name": "Stalls"}] if known else [], "nextCursor": None}
                ).encode()
                self.send_response(stand_in.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                """Keep the tests' output clean."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Programme:
    """The events service, as the rest of the world sees it, and an organizer."""

    def __init__(self, db: TestDatabase, aws: Cloud, tickets: TicketsStandIn) -> None:
        self.db, self.aws, self.tickets = db, aws, tickets
        self.organizer = a_user(Role.ORGANIZER)

    def ask(
        self,
        route: str,
        body: Any = None,
        *,
        id: str | None = None,
        user: User | None = None,
        **options: Any,
    ) -> Reply:
        """Call the route of this file name."""
        api = importlib.import_module(f"functions.events.routes.{route}").api
        declared = api.declared[0]
        path = declared.path.replace("{id}", str(id))
        return call(api.handler, declared.method, path, body=body, user=user, **options)

    def draft(self, **changes: Any) -> dict[str, Any]:
        """A draft of the organizer's."""
        reply = self.ask("create_event", details(**changes), user=self.organizer)
        assert reply.status == 201, reply
        event: dict[str, Any] = reply.body
        return event

    def published(self, **changes: Any) -> dict[str, Any]:
        """A published event of the organizer's."""
        reply = self.ask("publish_event", id=self.draft(**changes)["id"], user=self.organizer)
        assert reply.status == 200, reply
        event: dict[str, Any] = reply.body
        return event

    def cancelled(self, **changes: Any) -> dict[str, Any]:
        """A cancelled event of the organizer's."""
        event = self.published(**changes)
        reply = self.ask("cancel_event", {"reason": "Rain"}, id=event["id"], user=self.organizer)
        assert reply.status == 202, reply
        cancelled: dict[str, Any] = reply.body
        return cancelled

    def begun(self, event: dict[str, Any]) -> None:
        """Let the event's date pass."""
        self.db.run(
            "UPDATE events SET event_date = now() - interval '1 hour' WHERE id = %(id)s", id=event["id"]
        )

    def found(self, q: str, **query: Any) -> list[str]:
        """The names that a search finds."""
        reply = self.ask("search_events", query={"q": q, **query})
        assert reply.status == 200, reply
        return [item["name"] for item in reply.body["items"]]


@contextmanager
def open_programme(db: TestDatabase, aws: Cloud, extension: Extension) -> Iterator[Programme]:
    """The events service, as long as this lasts."""
    tickets = TicketsStandIn()
    set_defaults(extension, settings, idempotency, job, calls)
    extension.parameters["api_url"] = tickets.url
    aws.topic("events")
    calls.forget()
    cache.reset()
    try:
        yield Programme(db, aws, tickets)
    finally:
        calls.forget()
        cache.reset()
        tickets.close()
