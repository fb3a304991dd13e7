"""A request to every route of the API, as a client with a right to it would send it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from tests.e2e.box_office import event_details, publish, ticket_type
from tests.e2e.client import PASSWORD
from tests.security.world import GREETING, World


@dataclass(frozen=True)
class Wanted:
    """A request: the path with its parameters filled in, and a body."""

    path: str
    body: Any = None


def _plain(path: str) -> Callable[[World], Wanted]:
    return lambda _: Wanted(path)


def _person() -> dict[str, Any]:
    names = {"firstName": "New", "lastName": "Comer", "dateOfBirth": "1990-01-01"}
    return {"email": f"new-{uuid4().hex}@example.com", "password": PASSWORD, **names}


def _paying(**body: Any) -> dict[str, Any]:
    return {**body, "paymentMethod": {"type": "stripe", "token": "pm_card_visa"}}


def _terms(world: World) -> dict[str, Any]:
    return ticket_type(world.show.event_id)


NOBODYS = {"email": "nobody-at-all@example.com"}
HEALTH = ("", "/auth", "/events", "/tickets", "/payments", "/notifications")

REQUESTS: dict[str, Callable[[World], Wanted]] = {
    "POST /api/auth/register": lambda _: Wanted("/api/auth/register", _person()),
    "POST /api/auth/verify-email": lambda _: Wanted("/api/auth/verify-email", {"token": "none"}),
    "POST /api/auth/resend-verification": lambda _: Wanted("/api/auth/resend-verification", NOBODYS),
    "POST /api/auth/login": lambda w: Wanted(
        "/api/auth/login", {"email": w.attendee.email, "password": PASSWORD}
    ),
    "POST /api/auth/refresh": lambda w: Wanted("/api/auth/refresh", {"refreshToken": w.refresh_token()}),
    "POST /api/auth/logout": _plain("/api/auth/logout"),
    "POST /api/auth/forgot-password": lambda _: Wanted("/api/auth/forgot-password", NOBODYS),
    "POST /api/auth/reset-password": lambda _: Wanted(
        "/api/auth/reset-password", {"token": "none", "newPassword": PASSWORD}
    ),
    "GET /api/auth/profile": _plain("/api/auth/profile"),
    "PATCH /api/auth/profile": lambda _: Wanted("/api/auth/profile", {"lastName": "Changed"}),
    "POST /api/auth/profile/export": _plain("/api/auth/profile/export"),
    "GET /api/auth/exports/{token}": _plain("/api/auth/exports/none"),
    "DELETE /api/auth/profile": lambda _: Wanted("/api/auth/profile", {}),
    "GET /.well-known/jwks.json": _plain("/.well-known/jwks.json"),
    "GET /api/events": _plain("/api/events"),
    "GET /api/events/mine": _plain("/api/events/mine"),
    "GET /api/events/mine/{id}": lambda w: Wanted(f"/api/events/mine/{w.draft()}"),
    "GET /api/events/{id}/sales": lambda w: Wanted(f"/api/events/{w.show.event_id}/sales"),
    "GET /api/events/{id}/sales of a draft": lambda w: Wanted(f"/api/events/{w.draft()}/sales"),
    "GET /api/events/search": _plain("/api/events/search?q=gala"),
    "GET /api/events/categories": _plain("/api/events/categories"),
    "POST /api/events/categories": lambda _: Wanted("/api/events/categories", {"name": uuid4().hex}),
    "GET /api/events/{id}": lambda w: Wanted(f"/api/events/{w.show.event_id}"),
    "GET /api/events/{id} of a draft": lambda w: Wanted(f"/api/events/{w.draft()}"),
    "POST /api/events": lambda _: Wanted("/api/events", event_details()),
    "PUT /api/events/{id}": lambda w: Wanted(f"/api/events/{w.show.event_id}", event_details()),
    "DELETE /api/events/{id}": lambda w: Wanted(f"/api/events/{w.draft()}"),
    "POST /api/events/{id}/publish": lambda w: Wanted(f"/api/events/{w.draft(with_tickets=True)}/publish"),
    "POST /api/events/{id}/image": lambda w: Wanted(
        f"/api/events/{w.draft()}/image", {"contentType": "image/png", "size": 1000}
    ),
    "POST /api/events/{id}/cancel": lambda w: Wanted(
        f"/api/events/{publish(w.organizer).event_id}/cancel", {"reason": "Rain"}
    ),
    "GET /api/tickets/types": lambda w: Wanted(f"/api/tickets/types?eventId={w.show.event_id}"),
    "GET /api/tickets/types of a draft": lambda w: Wanted(f"/api/tickets/types?eventId={w.draft()}"),
    "POST /api/tickets/types": lambda w: Wanted("/api/tickets/types", _terms(w)),
    "PUT /api/tickets/types/{ticketTypeId}": lambda w: Wanted(
        f"/api/tickets/types/{w.ticket_type_id()}", _terms(w)
    ),
    "DELETE /api/tickets/types/{ticketTypeId}": lambda w: Wanted(f"/api/tickets/types/{w.ticket_type_id()}"),
    "GET /api/tickets/availability/{eventId}": lambda w: Wanted(
        f"/api/tickets/availability/{w.show.event_id}"
    ),
    "GET /api/tickets/availability/{eventId} of a draft": lambda w: Wanted(
        f"/api/tickets/availability/{w.draft()}"
    ),
    "POST /api/tickets/reserve": lambda w: Wanted(
        "/api/tickets/reserve",
        {"eventId": w.show.event_id, "items": [{"ticketTypeId": w.show.type_id, "quantity": 1}]},
    ),
    "DELETE /api/tickets/reservations/{reservationId}": lambda w: Wanted(
        f"/api/tickets/reservations/{w.reservation_id()}"
    ),
    "POST /api/tickets/purchase": lambda w: Wanted(
        "/api/tickets/purchase", _paying(reservationId=w.reservation_id())
    ),
    "GET /api/tickets/orders/{userId}": lambda w: Wanted(f"/api/tickets/orders/{w.attendee.user_id}"),
    "GET /api/tickets/{ticketId}": lambda w: Wanted(f"/api/tickets/{w.ticket_id}"),
    "GET /api/tickets/{ticketId}/qr.png": lambda w: Wanted(f"/api/tickets/{w.ticket_id}/qr.png"),
    "POST /api/tickets/{ticketId}/resend": lambda w: Wanted(f"/api/tickets/{w.ticket_id}/resend"),
    "POST /api/tickets/check-in": lambda w: Wanted("/api/tickets/check-in", {"qrCode": w.unused_qr_code()}),
    "GET /.well-known/ticket-keys.json": _plain("/.well-known/ticket-keys.json"),
    "GET /api/payments/methods": _plain("/api/payments/methods"),
    "GET /api/payments/orders/{orderId}": lambda w: Wanted(f"/api/payments/orders/{w.order['orderId']}"),
    "GET /api/payments/orders": lambda w: Wanted(f"/api/payments/orders?eventId={w.show.event_id}"),
    "GET /api/payments/orders of a draft": lambda w: Wanted(f"/api/payments/orders?eventId={w.draft()}"),
    "POST /api/payments/process": lambda w: Wanted(
        "/api/payments/process", _paying(orderId=w.order["orderId"])
    ),
    "POST /api/payments/refund": lambda w: Wanted(
        "/api/payments/refund", {"orderId": w.order["orderId"], "amount": "1.00", "reason": "Sorry"}
    ),
    "POST /api/payments/webhooks/stripe": lambda _: Wanted("/api/payments/webhooks/stripe", {"id": "evt_1"}),
    "POST /api/notifications/webhooks/sendgrid": lambda _: Wanted(
        "/api/notifications/webhooks/sendgrid", [{"event": "delivered"}]
    ),
    "POST /api/payments/webhooks/paypal": lambda _: Wanted("/api/payments/webhooks/paypal", {"id": "WH-1"}),
    "GET /api/notifications/status/{id}": lambda w: Wanted(f"/api/notifications/status/{w.notification_id}"),
    "POST /api/notifications/send": lambda w: Wanted(
        "/api/notifications/send", {"templateName": w.template, "userId": w.attendee.user_id}
    ),
    "GET /api/notifications/templates": _plain("/api/notifications/templates"),
    "POST /api/notifications/templates": lambda w: Wanted(
        "/api/notifications/templates", {"name": w.template, **GREETING}
    ),
    "GET /api/openapi.json": _plain("/api/openapi.json"),
    "GET /api/docs": _plain("/api/docs"),
    **{f"GET /api/health{service}": _plain(f"/api/health{service}") for service in HEALTH},
}
