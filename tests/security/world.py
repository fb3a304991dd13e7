"""The people of the authorization matrix, and what belongs to whom."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from uuid import uuid4

from tests.e2e.box_office import Show, event_details, order_of, publish, reserve, settled, ticket_type
from tests.e2e.client import Client
from tests.e2e.laptop import Laptop

TICKETS = 8
GREETING = {"subject": "Hello", "htmlContent": "<p>Hello</p>", "textContent": "Hello"}


@dataclass
class World:
    """An organizer with an event, and an attendee who has bought tickets to it; the others have nothing to do with it.

    What a request uses up (a draft, a ticket at the door) is made anew each time it is asked for.
    """

    laptop: Laptop
    _tickets: list[dict[str, Any]] = field(default_factory=list)

    @cached_property
    def people(self) -> dict[str, Client]:
        """One of every kind, in the order of the matrix's columns."""
        visitor = self.laptop.client
        return {
            "nobody": visitor,
            "attendee": visitor.newcomer(first_name="Attila"),
            "another attendee": visitor.newcomer(first_name="Stella"),
            "organizer": visitor.newcomer("ORGANIZER", "Orson"),
            "another organizer": visitor.newcomer("ORGANIZER", "Rita"),
            "admin": visitor.signed_in("admin@example.com"),
        }

    @property
    def attendee(self) -> Client:
        """Who bought the tickets."""
        return self.people["attendee"]

    @property
    def organizer(self) -> Client:
        """Whose event it is."""
        return self.people["organizer"]

    @property
    def admin(self) -> Client:
        """Who may do what any organizer may."""
        return self.people["admin"]

    @cached_property
    def show(self) -> Show:
        """A published event with one ticket type."""
        return publish(self.organizer, perPersonLimit=100, quantityAvailable=1000)

    @cached_property
    def order(self) -> dict[str, Any]:
        """A paid order of the attendee's."""
        return settled(self.attendee, order_of(self.attendee, self.show, quantity=TICKETS), "PAID")

    @property
    def ticket_id(self) -> str:
        """A ticket of the attendee's."""
        return str(self.order["tickets"][0]["id"])

    def unused_qr_code(self) -> str:
        """The QR code of a ticket that nobody has come in with."""
        self._tickets = self._tickets or self.order["tickets"][1:]
        ticket = self.attendee.get(f"/api/tickets/{self._tickets.pop()['id']}").expect(200)
        return str(ticket["qrCode"])

    def draft(self, *, with_tickets: bool = False) -> str:
        """The id of a new draft of the organizer's."""
        event = self.organizer.post("/api/events", event_details()).expect(201)
        if with_tickets:
            self.organizer.post("/api/tickets/types", ticket_type(event["id"])).expect(201)
        return str(event["id"])

    def ticket_type_id(self) -> str:
        """A new ticket type of the organizer's event, of which nothing is sold."""
        made = self.organizer.post("/api/tickets/types", ticket_type(self.show.event_id)).expect(201)
        return str(made["id"])

    def reservation_id(self) -> str:
        """A ticket newly held by the attendee."""
        return str(reserve(self.attendee, self.show).expect(201)["reservationId"])

    def refresh_token(self) -> str:
        """The refresh token of a new session."""
        login = {"email": self.attendee.email, "password": "Correct-Horse-7"}
        return str(self.laptop.client.post("/api/auth/login", login).expect(200)["refreshToken"])

    @cached_property
    def template(self) -> str:
        """The name of a template that needs no data."""
        name = f"greeting-{uuid4().hex[:8]}"
        self.admin.post("/api/notifications/templates", {"name": name, **GREETING}).expect(201)
        return name

    @cached_property
    def notification_id(self) -> str:
        """A mail to the attendee."""
        wanted = {"templateName": self.template, "userId": self.attendee.user_id}
        sent = self.admin.post("/api/notifications/send", wanted).expect(202)
        return str(sent["notificationId"])
