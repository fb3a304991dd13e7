"""The buyers of a storm: each errand as a person's browser would run it, with all that people leave undone."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import urllib3

from tests.e2e.box_office import FINAL, Show
from tests.e2e.client import Answer, Client
from tests.faults.storm.ledger import Ledger
from tests.faults.storm.plan import Errand

TRIES = 8
LONGEST_WAIT_SECONDS = 5.0
WATCH_SECONDS = 20.0
TRANSIENT = (429, 502, 503, 504)
RESERVE, PURCHASE = "/api/tickets/reserve", "/api/tickets/purchase"
PROCESS, REFUND, ORDER = "/api/payments/process", "/api/payments/refund", "/api/payments/orders/{orderId}"

FIRST_TOKEN = {
    "card": "pm_card_visa",
    "declined": "pm_card_chargeDeclined",
    "declined, then another card": "pm_card_chargeDeclinedInsufficientFunds",
    "declined, then paypal": "pm_card_chargeDeclined",
    "disputes": "pm_card_createDispute",
}


@dataclass
class Buyers:
    """Runs errands; `key` makes the idempotency key of the n-th request of an errand from the plan's seed."""

    people: list[Client]
    shows: dict[str, Show]
    ledger: Ledger
    seed: int

    def run(self, errand: Errand) -> None:
        """One errand from the first click to the last; how it ended goes into the ledger."""
        try:
            self.ledger.end(_Walk(self, errand).outcome())
        except Exception as broken:  # noqa: BLE001  # a thread's error would be seen by nobody
            self.ledger.lie(f"errand {errand.number} ({errand.journey}): {type(broken).__name__}: {broken}")


class _Walk:
    def __init__(self, buyers: Buyers, errand: Errand) -> None:
        self._ledger, self._errand, self._seed = buyers.ledger, errand, buyers.seed
        self._me, self._show = buyers.people[errand.buyer], buyers.shows[errand.show]
        self._requests = 0
        self._order_id = ""

    def outcome(self) -> str:
        """Hold seats, buy them, do what the journey says; the last thing that the buyer saw."""
        held = self._reserve()
        if held is None or held.status != 201:
            return "no seats: " + (held.code or str(held.status) if held else "no answer")
        if self._errand.journey == "walks away":
            return "walked away"
        bought = self._purchase(held.body["reservationId"])
        if bought is None:
            self._ledger.lose()
            return "never heard of it"
        if bought.status != 202:
            return f"not bought: {bought.code}"
        self._order_id = bought.body["orderId"]
        self._ledger.accept(self._order_id, self._errand.quantity)
        self._follow()
        return str(self._seen() or "order not seen")

    # ---- the requests

    def _reserve(self) -> Answer | None:
        items = [{"ticketTypeId": self._show.type_id, "quantity": self._errand.quantity}]
        return self._send("POST", RESERVE, {"eventId": self._show.event_id, "items": items})

    def _purchase(self, reservation_id: str) -> Answer | None:
        """Press the button, maybe several times at once: they all carry one key, and must be told of one order."""
        body = {"reservationId": reservation_id, "paymentMethod": self._first_method()}
        key = self._key()
        with ThreadPoolExecutor(self._errand.clicks) as fingers:
            clicks = [
                fingers.submit(self._send, "POST", PURCHASE, body, key=key)
                for _ in range(self._errand.clicks)
            ]
            answers = [click.result() for click in clicks]
        ids = {answer.body["orderId"] for answer in answers if answer and answer.status == 202}
        if len(ids) > 1:
            self._ledger.lie(f"one click became {len(ids)} orders")
        told = [answer for answer in answers if answer]
        return min(told, key=lambda answer: answer.status) if told else None

    def _first_method(self) -> dict[str, str]:
        journey = self._errand.journey
        if journey == "free":
            return {"type": "free"}
        if journey.startswith("paypal"):
            return {"type": "paypal"}
        return {"type": "stripe", "token": FIRST_TOKEN.get(journey, "pm_card_authenticationRequired")}

    def _pay_again(self, method: dict[str, str]) -> None:
        self._send("POST", PROCESS, {"orderId": self._order_id, "paymentMethod": method})

    # ---- what comes after the click

    def _follow(self) -> None:
        match self._errand.journey:
            case "card" | "free" | "disputes":
                self._maybe_refund()
            case "declined, then another card":
                self._when("PAYMENT_FAILED", lambda _: self._pay_again(_CARD))
            case "declined, then paypal":
                self._when("PAYMENT_FAILED", lambda _: self._pay_again({"type": "paypal"}))
                self._when("REQUIRES_ACTION", self._approve)
            case "3-D Secure" | "3-D Secure, late":
                self._when("REQUIRES_ACTION", lambda order: self._authenticate(order, "succeed"))
            case "3-D Secure, failed, then another card":
                self._when("REQUIRES_ACTION", lambda order: self._authenticate(order, "fail"))
                self._when("PAYMENT_FAILED", lambda _: self._pay_again(_CARD))
            case "paypal" | "paypal, late":
                self._when("REQUIRES_ACTION", self._approve)

    def _maybe_refund(self) -> None:
        """Watch until the tickets are there; the organizer gives some orders' money back."""
        order = self._watch("PAID", "PAYMENT_FAILED")
        if order is not None and order["paymentStatus"] == "PAYMENT_FAILED":  # the provider was out of reach
            self._pay_again(_CARD)
            order = self._watch("PAID")
        if order is None or self._errand.refund is None or self._errand.journey != "card":
            return
        body: dict[str, Any] = {"orderId": self._order_id, "reason": "The storm"}
        if self._errand.refund == "one":
            body["ticketIds"] = [order["tickets"][0]["id"]]
        answer = self._send("POST", REFUND, body, who=self._show.organizer)
        if answer and answer.status == 202:
            self._ledger.refund()

    def _when(self, status: str, step: Callable[[dict[str, Any]], None]) -> None:
        """The buyer's next step, once the order stands so; what never comes to that is left alone."""
        order = self._watch(status)
        if order is not None:
            if self._errand.journey.endswith("late"):
                time.sleep(self._errand.pause)
            step(order)

    def _authenticate(self, order: dict[str, Any], outcome: str) -> None:
        self._at_provider(str(order["clientSecret"]).split("_secret_")[0], {"outcome": outcome})

    def _approve(self, order: dict[str, Any]) -> None:
        token = parse_qs(urlsplit(order["approvalUrl"]).query)["token"][0]
        self._at_provider(token, {"outcome": "succeed"})

    def _at_provider(self, id_: str, body: dict[str, str]) -> None:
        """The provider's own page: none of ours, and no answer of ours."""
        for _ in range(3):
            try:
                if self._me.post(f"/_local/payments/{id_}/authenticate", body).status < 500:
                    return
            except urllib3.exceptions.HTTPError:
                pass
            time.sleep(0.5)

    # ---- looking

    def _watch(self, *statuses: str) -> dict[str, Any] | None:
        """The order, once its status is one of these; None if it comes to rest otherwise, or never."""
        deadline = time.monotonic() + WATCH_SECONDS
        rests_at = set(FINAL) - {"PAYMENT_FAILED", "REQUIRES_ACTION"}
        while time.monotonic() < deadline:
            answer = self._send("GET", ORDER)
            if answer is None or answer.status != 200:
                return None
            status = answer.body["paymentStatus"]
            if status in statuses:
                found: dict[str, Any] = answer.body
                return found
            if status in rests_at or (status in FINAL and "PAID" in statuses):
                return None
            time.sleep(0.5)
        return None

    def _seen(self) -> str | None:
        answer = self._send("GET", ORDER)
        return answer.body["paymentStatus"] if answer and answer.status == 200 else None

    # ---- how a browser asks

    def _send(
        self,
        method: str,
        route: str,
        body: object = None,
        *,
        key: str | None = None,
        who: Client | None = None,
    ) -> Answer | None:
        """Ask, and ask again as told, under the same key; the last answer that is one, or None."""
        path = route.replace("{orderId}", self._order_id)
        headers = {"Idempotency-Key": key or self._key()} if method == "POST" else None
        for attempt in range(TRIES):
            try:
                answer = (who or self._me).send(method, path, body, headers)
            except urllib3.exceptions.HTTPError as error:
                self._ledger.no_answer(method, route, error)
                continue
            self._ledger.take(method, route, answer)
            if answer.status not in TRANSIENT:
                return answer
            wait = float(answer.headers.get("Retry-After", "1"))
            time.sleep(min(max(wait, 2.0**attempt / 4), LONGEST_WAIT_SECONDS))
        return None

    def _key(self) -> str:
        self._requests += 1
        return str(UUID(int=(self._seed << 64) + (self._errand.number << 16) + self._requests))


_CARD = {"type": "stripe", "token": "pm_card_mastercard"}
