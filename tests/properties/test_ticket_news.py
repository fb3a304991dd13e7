"""In whatever order the news of its tickets come, and however often: an order shows the tickets that there are.

A model of a purchase at the tickets service says what it does and tells it; the real consumer hears it in any order.
"""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run

from functions.payments.consumers import tickets
from shared.clock import iso, now
from tests.payments_shop import Shop
from tests.properties import payment_rows
from tests.properties.effort import LIMIT_SECONDS, begin_sequence, effort
from tests.support import a_user

pytestmark = pytest.mark.timeout(LIMIT_SECONDS)

ISSUED, VOIDED = "tickets.order_issued.v1", "tickets.tickets_voided.v1"
RELEASED, CHECKED_IN = "tickets.order_released.v1", "tickets.ticket_checked_in.v1"
MOST_RELEASES = 2
"""Of one order: each makes all that was told before it count for nothing."""


@dataclass
class Kept:
    """A ticket at the tickets service."""

    id: str
    status: str = "ACTIVE"
    is_used: bool = False
    void_reason: str | None = None

    def void(self, reason: str) -> None:
        self.status, self.void_reason = "VOID", reason

    def reinstate(self) -> None:
        self.status, self.void_reason = "USED" if self.is_used else "ACTIVE", None


class Telling(RuleBasedStateMachine):
    """A paid order, its purchase at the tickets service, and the news between them."""

    def __init__(self, shop: Shop, buyer: Any) -> None:
        super().__init__()
        begin_sequence()
        self.shop = shop
        self.order_id = shop.order_of(buyer)
        self.version = 0
        self.kept: list[Kept] = []
        self.is_released, self.releases = False, 0
        self.untold: list[dict[str, Any]] = []
        self.told: list[dict[str, Any]] = []

    # ---- what happens to the purchase

    @initialize()
    def issue(self) -> None:
        self._issue_new()

    @precondition(lambda self: self.valid)
    @rule(choice=st.integers(1, 3), reason=st.sampled_from(["REFUNDED", "DISPUTED", "DISPUTED"]))
    def void(self, choice: int, reason: str) -> None:
        """One ticket or all of them: a dispute is about all."""
        which = self.valid if reason == "DISPUTED" or choice == 3 else self.valid[:choice][-1:]
        for ticket in which:
            ticket.void(reason)
        self._tell_purchase(VOIDED, ticketIds=[ticket.id for ticket in which], reason=reason)

    @precondition(lambda self: any(ticket.void_reason == "DISPUTED" for ticket in self.kept))
    @rule()
    def win_dispute(self) -> None:
        for ticket in self.kept:
            if ticket.void_reason == "DISPUTED":
                ticket.reinstate()
        self._tell_issued()

    @precondition(lambda self: not self.is_released and self.releases < MOST_RELEASES)
    @rule()
    def release(self) -> None:
        for ticket in self.valid:
            ticket.void("RELEASED")
        for ticket in self.kept:
            ticket.void_reason = "RELEASED"
        self.is_released, self.releases = True, self.releases + 1
        self._tell_purchase(RELEASED)

    @precondition(lambda self: self.is_released)
    @rule()
    def issue_for_late_money(self) -> None:
        self.is_released = False
        self._issue_new()

    @precondition(lambda self: any(ticket.status == "ACTIVE" for ticket in self.kept))
    @rule()
    def check_in(self) -> None:
        ticket = next(ticket for ticket in self.kept if ticket.status == "ACTIVE")
        ticket.status, ticket.is_used = "USED", True
        data = {"ticketId": ticket.id, "eventId": str(self.shop.event_id), "checkedInAt": iso(now())}
        self._tell(CHECKED_IN, 2, **data)

    # ---- what is heard of it

    @precondition(lambda self: self.untold)
    @rule(number=st.integers(0, 9), times=st.integers(1, 2))
    def hear(self, number: int, times: int) -> None:
        message = self.untold.pop(number % len(self.untold))
        self.told.append(message)
        for _ in range(times):
            self._hand_over(message)

    @precondition(lambda self: self.told)
    @rule(number=st.integers(0, 9))
    def hear_again(self, number: int) -> None:
        self._hand_over(self.told[number % len(self.told)])

    @invariant()
    def once_all_is_told_the_order_shows_what_there_is(self) -> None:
        if not self.untold:
            shown = self.shop.order(self.order_id)["tickets"] or []
            assert {ticket["id"]: ticket["status"] for ticket in shown if ticket["status"] != "VOID"} == {
                ticket.id: ticket.status for ticket in self.valid
            }

    def teardown(self) -> None:
        """Nothing stays untold."""
        while self.untold:
            self._hand_over(self.untold.pop())
        self.once_all_is_told_the_order_shows_what_there_is()
        payment_rows.check(self.shop.db)
        self.shop.db.run("DELETE FROM order_events; DELETE FROM payment_transactions; DELETE FROM inbox")
        self.shop.db.run("DELETE FROM order_items; DELETE FROM orders; DELETE FROM outbox")

    # ---- helpers

    @property
    def valid(self) -> list[Kept]:
        return [ticket for ticket in self.kept if ticket.status != "VOID"]

    def _issue_new(self) -> None:
        self.kept += [Kept(str(uuid4())) for _ in range(2)]
        self._tell_issued()

    def _tell_issued(self) -> None:
        type_id = str(uuid4())
        issued = [
            {"ticketId": ticket.id, "ticketNumber": f"T-{ticket.id}", "ticketTypeId": type_id}
            for ticket in self.valid
        ]
        self._tell_purchase(ISSUED, orderNumber="BO-1", tickets=issued)

    def _tell_purchase(self, type_: str, **data: Any) -> None:
        self.version += 1
        person = {"userId": str(uuid4()), "eventId": str(self.shop.event_id)}
        self._tell(type_, self.version, **person, **data)

    def _tell(self, type_: str, version: int, **data: Any) -> None:
        self.untold.append(
            {
                "id": str(uuid4()),
                "type": type_,
                "subject": self.order_id,
                "sequence": version,
                "time": iso(now()),
                "data": {"orderId": self.order_id, **data},
            }
        )

    def _hand_over(self, message: dict[str, Any]) -> None:
        self.shop.hand_over(tickets.handler, "payments-tickets", message)


def test_an_order_shows_its_tickets_in_whatever_order_the_news_come(shop: Shop) -> None:
    buyer = a_user()
    machine = type("News", (Telling,), {"__init__": lambda self: Telling.__init__(self, shop, buyer)})
    run(machine, settings=effort(examples=40, steps=25))
