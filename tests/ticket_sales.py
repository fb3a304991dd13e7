"""The tickets service with everything around it: its database, keys and settings, a stand-in for the events service."""

import json
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID, uuid4

import pytest

from functions.tickets import settings, signing_keys
from functions.tickets.cache import cache
from functions.tickets.routes import purchase, reserve
from functions.tickets.saga import issue, notify, release
from shared import calls, idempotency, job, key_rotation
from shared.clock import iso, now
from shared.identity import Role, User
from shared.settings import Setting
from shared.signing_keys import Jwk, public_part
from tests.cloud import Cloud, Extension
from tests.databases import Row, TestDatabase
from tests.support import Reply, a_user, call, context

KEYS_SECRET_ARN = "arn:aws:secretsmanager:us-east-1:000000000000:secret:ticket-keys"
SETTINGS: list[Setting[Any]] = [
    setting
    for module in (settings, calls, idempotency, job, key_rotation)
    for setting in vars(module).values()
    if isinstance(setting, Setting)
]


class EventsStandIn:
    """The events service's two routes that tickets asks: a public event, and an organizer's own."""

    def __init__(self) -> None:
        self.events: dict[str, dict[str, Any]] = {}
        self.asked: list[str] = []
        self.is_down = False
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, body = stand_in.answer(self.path, self.headers.get("Authorization"))
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                """Keep the tests' output clean."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def answer(self, path: str, authorization: str | None) -> tuple[int, dict[str, Any]]:
        """What the events service says to this GET."""
        self.asked.append(path)
        if self.is_down:
            return 500, {}
        event = self.events.get(path.rsplit("/", 1)[1])
        if event is None:
            return 404, {}
        if path.startswith("/api/events/mine/"):
            return (200, event) if authorization == f"Bearer {event['ownersToken']}" else (404, {})
        return (404, {}) if event["status"] == "DRAFT" else (200, event)

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()


class Sales:
    """Events on sale, and buyers."""

    def __init__(self, db: TestDatabase, extension: Extension, events: EventsStandIn) -> None:
        self.db, self.extension, self.events = db, extension, events
        self.organizer = a_user(Role.ORGANIZER)

    # ---- what is on sale

    def event_of_events(self, *, status: str = "PUBLISHED", version: int = 2, **changes: Any) -> UUID:
        """An event that the events service has, and tickets has not heard of yet; of `self.organizer`."""
        event_id = uuid4()
        self.events.events[str(event_id)] = {
            "id": str(event_id),
            "organizerId": str(self.organizer.id),
            "name": "An evening of songs",
            "description": "With an orchestra",
            "eventDate": iso(now() + timedelta(days=30)),
            "timeZone": "Europe/Vienna",
            "venueName": "Musikverein",
            "venueAddress": "Musikvereinsplatz 1, Wien",
            "status": status,
            "version": version,
            "ownersToken": self.organizer.token,
            **changes,
        }
        return event_id

    def event(
        self, *, status: str = "PUBLISHED", days_ahead: float = 30, organizer: User | None = None
    ) -> UUID:
        """An event that tickets has a copy of."""
        event_id = uuid4()
        self.db.run(
            """
            INSERT INTO event_copies (event_id, organizer_id, name, event_date, time_zone, venue_name, venue_address,
                                      status, version, currency, refreshed_at)
            VALUES (%(id)s, %(organizer)s, 'An evening of songs', %(date)s, 'Europe/Vienna', 'Musikverein',
                    'Musikvereinsplatz 1, Wien', %(status)s, 2, 'EUR', now())
            """,
            id=event_id,
            organizer=(organizer or self.organizer).id,
            date=now() + timedelta(days=days_ahead),
            status=status,
        )
        return event_id

    def type(
        self,
        event_id: UUID,
        quantity: int = 100,
        *,
        price: str = "49.50",
        limit: int = 10,
        starts: datetime | None = None,
        ends: datetime | None = None,
        id: UUID | None = None,
    ) -> UUID:
        """A ticket type of such an event, sold in EUR."""
        row = self.db.one(
            """
            INSERT INTO ticket_types (id, event_id, name, price, currency, quantity_available, per_person_limit,
                                      sale_start_date, sale_end_date, venue_zone, created_at, updated_at)
            VALUES (coalesce(%(id)s, gen_random_uuid()), %(event_id)s, 'Stalls', %(price)s, 'EUR', %(quantity)s,
                    %(limit)s, %(starts)s, %(ends)s, 'A', now(), now())
            RETURNING id
            """,
            id=id,
            event_id=event_id,
            price=price,
            quantity=quantity,
            limit=limit,
            starts=starts,
            ends=ends,
        )
        assert row is not None
        return UUID(str(row["id"]))

    # ---- buying

    def reserve(self, buyer: User, event_id: UUID, items: dict[UUID, int], **headers: str) -> Reply:
        """POST /api/tickets/reserve."""
        body = {
            "eventId": str(event_id),
            "items": [{"ticketTypeId": str(id), "quantity": quantity} for id, quantity in items.items()],
        }
        return call(reserve.handler, "POST", "/api/tickets/reserve", user=buyer, body=body, headers=headers)

    def held(self, buyer: User, event_id: UUID, items: dict[UUID, int]) -> str:
        """A reservation; its id."""
        reply = self.reserve(buyer, event_id, items)
        assert reply.status == 201, reply.body
        return str(reply.body["reservationId"])

    def purchase(self, buyer: User, reservation_id: str, **changes: Any) -> Reply:
        """POST /api/tickets/purchase; `key` is the idempotency key."""
        key = changes.pop("key", None) or str(uuid4())
        body = {
            "reservationId": reservation_id,
            "paymentMethod": {"type": "stripe", "token": "pm_card_visa"},
            **changes,
        }
        headers = {"Idempotency-Key": key}
        return call(purchase.handler, "POST", "/api/tickets/purchase", user=buyer, body=body, headers=headers)

    def order(self, buyer: User, event_id: UUID, items: dict[UUID, int], **changes: Any) -> str:
        """A purchase whose seats are bound; the order's id."""
        reply = self.purchase(buyer, self.held(buyer, event_id, items), **changes)
        assert reply.status == 202, reply.body
        return str(reply.body["orderId"])

    def issued(self, buyer: User, event_id: UUID, items: dict[UUID, int], **changes: Any) -> list[Row]:
        """The tickets of an order that was paid, in the order of their numbers."""
        order_id = self.order(buyer, event_id, items, **changes)
        assert self.issue(order_id) == {"outcome": "issued", "reason": None}
        return self.tickets(order_id)

    # ---- the saga

    def issue(self, order_id: str) -> dict[str, Any]:
        """Run Issue."""
        answer: dict[str, Any] = issue.handler({"orderId": order_id}, context())
        return answer

    def release(self, order_id: str) -> dict[str, Any]:
        """Run Release."""
        answer: dict[str, Any] = release.handler({"orderId": order_id}, context())
        return answer

    def notify(self, order_id: str, outcome: str) -> dict[str, Any]:
        """Run Notify."""
        answer: dict[str, Any] = notify.handler({"orderId": order_id, "outcome": outcome}, context())
        return answer

    # ---- looking

    def stock(self, ticket_type_id: UUID) -> tuple[int, int]:
        """How many of a type are sold, and how many held."""
        row = self.db.one("SELECT * FROM ticket_types WHERE id = %(id)s", id=ticket_type_id)
        assert row is not None
        return row["quantity_sold"], row["quantity_held"]

    def taken(self, ticket_type_id: UUID, buyer: User) -> int:
        """How many of a type count against a buyer's limit."""
        row = self.db.one(
            "SELECT taken FROM ticket_type_buyers WHERE ticket_type_id = %(type)s AND user_id = %(user)s",
            type=ticket_type_id,
            user=buyer.id,
        )
        return int(row["taken"]) if row else 0

    def tickets(self, order_id: str) -> list[Row]:
        """An order's tickets by number."""
        return self.db.all(
            "SELECT * FROM tickets WHERE order_id = %(id)s ORDER BY ticket_number", id=order_id
        )

    def purchase_row(self, order_id: str) -> Row:
        """The order as tickets keeps it."""
        row = self.db.one("SELECT * FROM purchases WHERE order_id = %(id)s", id=order_id)
        assert row is not None
        return row

    def statuses(self, reservation_id: str) -> list[str]:
        """The status of each of a reservation's rows."""
        rows = self.db.all(
            "SELECT status FROM ticket_reservations WHERE reservation_id = %(id)s ORDER BY position",
            id=reservation_id,
        )
        return [row["status"] for row in rows]

    def history(self, order_id: str) -> list[tuple[int, str]]:
        """Version and type of an order's events."""
        rows = self.db.all(
            "SELECT * FROM purchase_events WHERE order_id = %(id)s ORDER BY version", id=order_id
        )
        return [(row["version"], row["type"]) for row in rows]

    def ticket_history(self, ticket_id: UUID) -> list[tuple[int, str]]:
        """Version and type of a ticket's events."""
        rows = self.db.all(
            "SELECT * FROM ticket_events WHERE ticket_id = %(id)s ORDER BY version", id=ticket_id
        )
        return [(row["version"], row["type"]) for row in rows]

    def outbox(self, type_: str) -> list[Row]:
        """The messages of this type that were written, oldest first."""
        return self.db.all("SELECT * FROM outbox WHERE type = %(type)s ORDER BY id", type=type_)

    # ---- time

    def run_out(self, reservation_id: str, *, seconds_ago: float = 1) -> None:
        """Let a reservation's time be over."""
        touched = self.db.run(
            "UPDATE ticket_reservations SET reserved_until = %(then)s WHERE reservation_id = %(id)s",
            then=now() - timedelta(seconds=seconds_ago),
            id=reservation_id,
        )
        assert touched > 0


def new_key(kid: str) -> Jwk:
    """A signing key of this name, as the secret holds it."""
    return signing_keys.new_key() | {"kid": kid}


def give_keys(extension: Extension, *keys: Jwk, environment: pytest.MonkeyPatch) -> None:
    """Let the service find these keys; it signs with the last."""
    extension.secrets[KEYS_SECRET_ARN] = {"current": keys[-1]["kid"], "keys": list(keys)}
    extension.parameters["ticket_keys"] = json.dumps({"keys": [public_part(key) for key in keys]})
    environment.setenv("TICKET_KEYS_SECRET_ARN", KEYS_SECRET_ARN)
    signing_keys.keys.forget()


@pytest.fixture
def sales(tickets_db: TestDatabase, aws: Cloud, extension: Extension) -> Iterator[Sales]:
    """The tickets service, open for business: its topic, the mail queue and the state machine are there.

    Settings have their defaults, until `extension.parameters` changes.
    """
    aws.topic("tickets")
    aws.queue("mail")
    aws.queue("tickets-voids")
    aws.state_machine()
    events = EventsStandIn()
    extension.parameters |= {setting.name: str(setting.default) for setting in SETTINGS}
    extension.parameters["api_url"] = events.url
    with pytest.MonkeyPatch.context() as environment:
        give_keys(extension, new_key("k1"), environment=environment)
        _forget()
        try:
            yield Sales(tickets_db, extension, events)
        finally:
            events.close()
            _forget()


def _forget() -> None:
    """What a process reads once and keeps."""
    for setting in SETTINGS:
        setting._value = None
    calls.forget()
    signing_keys.keys.forget()
    cache.reset()
