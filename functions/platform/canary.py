"""A synthetic buyer: signs in at the public address, holds a free ticket, buys it and waits for its mail.

It owns the event that it buys at (`canary_event`), which is in no list and in no figure (shared/business.py). Nothing
is left to tidy up: a type admits a thousand tickets a person, and once they are bought the canary puts the next type on
sale.
"""

import json
import time
from collections.abc import Callable
from typing import Any, TypeVar
from uuid import uuid4

from shared.calls import api_url
from shared.clock import now

Json = dict[str, Any]
T = TypeVar("T")

PAID_SECONDS, MAILED_SECONDS, ASK_EVERY_SECONDS = 30, 45, 0.5
CALL_SECONDS = 10
USED_UP = ("SOLD_OUT", "PER_PERSON_LIMIT")
TYPE = {"price": "0.00", "currency": "EUR", "quantityAvailable": 1000, "perPersonLimit": 1000}
EVENT = {
    "name": "Canary",
    "eventDate": "2999-12-31T12:00:00Z",
    "timeZone": "UTC",
    "venueName": "Nowhere",
    "venueAddress": "Nobody comes here",
}


class Unexpected(Exception):
    """A step did not go as it should. The message holds a status and a code, and nothing that anybody sent."""


class Canary:
    """One visit.

    Args:
        told: is told the seconds that each step took, by its name.
    """

    def __init__(self, told: Callable[[str, float], None]) -> None:
        self._told, self._token = told, ""
        self.step = "begin"

    def buy(self, event_id: str, email: str, password: str) -> None:
        """Everything from signing in to the mail. Raises Unexpected; `step` says how far it came."""
        self._do("sign_in", lambda: self._sign_in(email, password))
        try:
            reservation = self._do("reserve", lambda: self._reserve(event_id))
            order_id = self._do("purchase", lambda: self._purchase(reservation))
            self._do("paid", lambda: self._wait(order_id, PAID_SECONDS, _is_paid))
            self._do("mailed", lambda: self._wait(order_id, MAILED_SECONDS, _is_mailed))
        finally:
            self._ask("POST", "/api/auth/logout")

    def set_up(self, email: str, password: str) -> str:
        """Publish the event that it will buy at; its id."""
        self._sign_in(email, password)
        event_id: str = self._expect(201, "POST", "/api/events", EVENT)["id"]
        self._new_type(event_id, 1)
        self._expect(200, "POST", f"/api/events/{event_id}/publish")
        self._ask("POST", "/api/auth/logout")
        return event_id

    def _do(self, step: str, work: Callable[[], T]) -> T:
        self.step = step
        began = time.monotonic()
        done = work()
        self._told(step, time.monotonic() - began)
        return done

    def _sign_in(self, email: str, password: str) -> None:
        self._token = self._expect(200, "POST", "/api/auth/login", {"email": email, "password": password})[
            "accessToken"
        ]

    def _reserve(self, event_id: str) -> str:
        found = self._expect(200, "GET", f"/api/tickets/availability/{event_id}")["ticketTypes"]
        latest = max(found, key=lambda each: str(each["name"]))
        for type_id in (latest["id"], None):
            chosen = type_id or self._new_type(event_id, len(found) + 1)
            body = {"eventId": event_id, "items": [{"ticketTypeId": chosen, "quantity": 1}]}
            status, answer = self._ask("POST", "/api/tickets/reserve", body)
            if status == 201:
                return str(answer["reservationId"])
            if _code(answer) not in USED_UP:
                break
        raise _unexpected(status, answer)

    def _new_type(self, event_id: str, number: int) -> str:
        kind = {**TYPE, "eventId": event_id, "name": f"Canary {number:06d}"}
        return str(self._expect(201, "POST", "/api/tickets/types", kind)["id"])

    def _purchase(self, reservation_id: str) -> str:
        body = {"reservationId": reservation_id, "paymentMethod": {"type": "free"}}
        return str(self._expect(202, "POST", "/api/tickets/purchase", body)["orderId"])

    def _wait(self, order_id: str, seconds: float, is_so: Callable[[Json], bool]) -> None:
        until = time.monotonic() + seconds
        while not is_so(self._expect(200, "GET", f"/api/payments/orders/{order_id}")):
            if time.monotonic() > until:
                raise Unexpected(f"not within {seconds} s, order {order_id}")
            time.sleep(ASK_EVERY_SECONDS)

    def _expect(self, status: int, method: str, path: str, body: Json | None = None) -> Json:
        got, answer = self._ask(method, path, body)
        if got != status:
            raise _unexpected(got, answer)
        return answer

    def _ask(self, method: str, path: str, body: Json | None = None) -> tuple[int, Json]:
        import urllib3

        headers = {"Content-Type": "application/json", "Idempotency-Key": str(uuid4())}
        headers |= {"Authorization": f"Bearer {self._token}"} if self._token else {}
        try:
            answer = urllib3.request(
                method,
                api_url() + path,
                body=None if body is None else json.dumps(body),
                headers=headers,
                timeout=CALL_SECONDS,
                retries=False,
            )
        except urllib3.exceptions.HTTPError as broken:
            raise Unexpected(type(broken).__name__) from None
        is_json = answer.headers.get("Content-Type", "").startswith("application/json")
        return answer.status, answer.json() if is_json and answer.data else {}


def _is_paid(order: Json) -> bool:
    if order["paymentStatus"] not in ("PENDING", "PAID"):
        raise Unexpected(f"the order is {order['paymentStatus']}")
    return order["paymentStatus"] == "PAID" and len(order["tickets"]) == 1


def _is_mailed(order: Json) -> bool:
    return order.get("mailStatus") in ("SENT", "DELIVERED")


def _code(answer: Json) -> str:
    return str(answer.get("error", {}).get("code", ""))


def _unexpected(status: int, answer: Json) -> Unexpected:
    return Unexpected(f"{status} {_code(answer)} at {now():%H:%M:%S}")
