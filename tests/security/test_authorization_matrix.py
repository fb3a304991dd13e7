"""Every route × everybody: who is let in, and what those who are not are told.

A role too small is 403; somebody else's private object is 404, as if there were none; without a token it is 401. A 400
in a row says that the request got as far as being read.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.e2e.client import Answer, Client
from tests.e2e.laptop import Laptop
from tests.infrastructure.template import System
from tests.security.requests import REQUESTS
from tests.security.world import World

MATRIX = """
            another            another
nobody attendee attendee organizer organizer admin
   201      201      201       201       201   201  POST /api/auth/register
   400      400      400       400       400   400  POST /api/auth/verify-email
   202      202      202       202       202   202  POST /api/auth/resend-verification
   200      200      200       200       200   200  POST /api/auth/login
   200      200      200       200       200   200  POST /api/auth/refresh
   401      204      204       204       204   204  POST /api/auth/logout
   202      202      202       202       202   202  POST /api/auth/forgot-password
   400      400      400       400       400   400  POST /api/auth/reset-password
   401      200      200       200       200   200  GET /api/auth/profile
   401      200      200       200       200   200  PATCH /api/auth/profile
   401      202      202       202       202   202  POST /api/auth/profile/export
   404      404      404       404       404   404  GET /api/auth/exports/{token}
   401      400      400       400       400   400  DELETE /api/auth/profile
   200      200      200       200       200   200  GET /.well-known/jwks.json
   200      200      200       200       200   200  GET /api/events
   401      403      403       200       200   200  GET /api/events/mine
   401      403      403       200       404   200  GET /api/events/mine/{id}
   401      403      403       200       404   200  GET /api/events/{id}/sales
   401      403      403       200       404   200  GET /api/events/{id}/sales of a draft
   200      200      200       200       200   200  GET /api/events/search
   200      200      200       200       200   200  GET /api/events/categories
   401      403      403       403       403   201  POST /api/events/categories
   200      200      200       200       200   200  GET /api/events/{id}
   404      404      404       404       404   404  GET /api/events/{id} of a draft
   401      403      403       201       201   201  POST /api/events
   401      403      403       200       404   200  PUT /api/events/{id}
   401      403      403       204       404   204  DELETE /api/events/{id}
   401      403      403       200       404   200  POST /api/events/{id}/publish
   401      403      403       202       404   202  POST /api/events/{id}/cancel
   401      403      403       200       404   200  POST /api/events/{id}/image
   401      403      403       200       404   200  GET /api/tickets/types
   401      403      403       200       404   200  GET /api/tickets/types of a draft
   401      403      403       201       404   201  POST /api/tickets/types
   401      403      403       200       404   200  PUT /api/tickets/types/{ticketTypeId}
   401      403      403       204       404   204  DELETE /api/tickets/types/{ticketTypeId}
   200      200      200       200       200   200  GET /api/tickets/availability/{eventId}
   404      404      404       404       404   404  GET /api/tickets/availability/{eventId} of a draft
   401      201      201       201       201   201  POST /api/tickets/reserve
   401      204      404       404       404   404  DELETE /api/tickets/reservations/{reservationId}
   401      202      404       404       404   404  POST /api/tickets/purchase
   401      200      404       404       404   200  GET /api/tickets/orders/{userId}
   401      200      404       200       404   200  GET /api/tickets/{ticketId}
   401      200      404       404       404   404  GET /api/tickets/{ticketId}/qr.png
   401      202      404       202       404   202  POST /api/tickets/{ticketId}/resend
   401      403      403       200       404   200  POST /api/tickets/check-in
   200      200      200       200       200   200  GET /.well-known/ticket-keys.json
   200      200      200       200       200   200  GET /api/payments/methods
   401      200      404       200       404   200  GET /api/payments/orders/{orderId}
   401      403      403       200       404   200  GET /api/payments/orders
   401      403      403       200       404   200  GET /api/payments/orders of a draft
   401      409      404       404       404   404  POST /api/payments/process
   401      403      403       202       404   202  POST /api/payments/refund
   400      400      400       400       400   400  POST /api/payments/webhooks/stripe
   400      400      400       400       400   400  POST /api/notifications/webhooks/sendgrid
   400      400      400       400       400   400  POST /api/payments/webhooks/paypal
   401      200      404       404       404   200  GET /api/notifications/status/{id}
   401      403      403       403       403   202  POST /api/notifications/send
   401      403      403       403       403   200  GET /api/notifications/templates
   401      403      403       403       403   200  POST /api/notifications/templates
   200      200      200       200       200   200  GET /api/health
   200      200      200       200       200   200  GET /api/health/auth
   200      200      200       200       200   200  GET /api/health/events
   200      200      200       200       200   200  GET /api/health/tickets
   200      200      200       200       200   200  GET /api/health/payments
   200      200      200       200       200   200  GET /api/health/notifications
   200      200      200       200       200   200  GET /api/openapi.json
   200      200      200       200       200   200  GET /api/docs
"""
ROWS = {" ".join(words[6:]): tuple(map(int, words[:6])) for words in map(str.split, MATRIX.splitlines()[3:])}
CODES = {401: "UNAUTHORIZED", 403: "FORBIDDEN", 404: "NOT_FOUND"}


@pytest.fixture(scope="module")
def world(laptop: Laptop) -> World:
    return World(laptop)


def test_every_route_of_the_template_has_a_row(assembly: Path) -> None:
    rows = {row.split(" of a ")[0] for row in ROWS}

    assert {f"{method} {path}" for method, path in System(assembly, said="").routes()} == rows
    assert set(REQUESTS) == set(ROWS)


def test_an_admin_passes_wherever_an_organizer_does() -> None:
    for row, (_, _, _, organizer, another, admin) in ROWS.items():
        assert admin == organizer or min(organizer, another) >= 400, row


@pytest.mark.parametrize("row", ROWS)
def test_who_may(world: World, row: str) -> None:
    found = dict(asked(world, row))

    assert {who: answer.status for who, answer in found.items()} == dict(zip(found, ROWS[row], strict=True))
    for answer in found.values():
        check_refusal(row, answer)


def asked(world: World, row: str) -> Iterator[tuple[str, Answer]]:
    """Everybody's answer to the request of a row."""
    method = row.split(" ")[0]
    for who, person in world.people.items():
        wanted = REQUESTS[row](world)
        session, headers = session_of(person, row), {"Idempotency-Key": str(uuid4())}
        answer = session.send(method, wanted.path, wanted.body, headers)
        for _ in range(3):
            if answer.status == 429:  # no process was free: nobody has looked at the request yet
                time.sleep(1)
                answer = session.send(method, wanted.path, wanted.body, headers)
        yield who, answer


def session_of(person: Client, row: str) -> Client:
    """The person; in a session of their own where it ends."""
    if row == "POST /api/auth/logout" and person.email is not None:
        return person.signed_in(person.email)
    return person


def check_refusal(row: str, answer: Answer) -> None:
    """A refusal has the code of its status, and says nothing of what it refused."""
    if answer.status in CODES:
        assert answer.code == CODES[answer.status], row
        assert answer.body["error"]["details"] == []
        assert answer.body["error"]["requestId"] == answer.headers["X-Request-Id"]
