"""Whatever buyers, providers and organizers do in whatever order, an order is paid once and never gives back too much.

A machine drives the real handlers against the simulated Stripe and PayPal: commands and webhooks are delivered in any
order, twice or late, and calls to the providers fail. After each step the rows must agree; at the end, once everything
has been delivered, the providers' books must say what the orders say.
"""

from typing import Any
from uuid import uuid4

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)
from hypothesis.stateful import run_state_machine_as_test as run

from functions.payments import provider
from functions.payments.consumers import tickets
from functions.payments.gateways.gateway import GatewayTimeout, GatewayUnavailable
from functions.payments.jobs import resume_payments
from functions.payments.routes import paypal_webhook, refund, stripe_webhook
from shared.clock import iso
from tests.databases import Row
from tests.payments_shop import QUEUES, Shop
from tests.properties import payment_rows
from tests.properties.effort import LIMIT_SECONDS, begin_sequence, effort
from tests.provider_server import Delivery
from tests.stripe_server import eventually
from tests.support import a_user, call, context

TABLES = (
    *(
        "webhook_events",
        "task_tokens",
        "second_payments",
        "disputes",
        "refunds",
        "order_events",
        "payment_transactions",
    ),
    *("order_items", "orders", "order_starts", "outbox", "inbox", "idempotency_keys"),
)
CARDS = ["pm_card_visa", "pm_card_chargeDeclined", "pm_card_authenticationRequired"]
LATER_TROUBLE = ["pm_card_createDispute", "pm_card_pendingRefund", "pm_card_refundFail"]
QUEUED = "SELECT * FROM outbox WHERE destination LIKE 'queue:payments-%%' AND id > %(after)s ORDER BY id"

pytestmark = pytest.mark.timeout(LIMIT_SECONDS)


class Paying(RuleBasedStateMachine):
    """The payments service, a few orders, and everybody who does something to them."""

    orders: Bundle[str] = Bundle("orders")
    are_paid = False  # whether the orders are paid and issued when a sequence begins

    def __init__(self, shop: Shop) -> None:
        super().__init__()
        begin_sequence()
        self.shop = shop
        self._heal()
        shop.db.run("; ".join(f"DELETE FROM {table}" for table in TABLES))
        self.buyer = a_user()
        self.reservations: dict[str, dict[str, Any]] = {}
        self.queue: list[Row] = []
        self.read = 0

    # ---- buyers and sagas

    @initialize(target=orders, number=st.integers(0, 2))
    def begin(self, number: int) -> Any:
        if not self.are_paid:
            return multiple(self.charge(token=CARDS[number]), self.charge(method="paypal", token=None))
        orders = [self.charge(token=LATER_TROUBLE[number]), self.charge()]
        for order_id in orders:
            self.shop.issue(order_id)
        return multiple(*orders)

    @precondition(lambda self: not self.are_paid)
    @rule(order_id=orders)
    def charge_again(self, order_id: str) -> None:
        self._tolerantly(lambda: self.shop.charge(self.reservations[order_id]))

    @precondition(lambda self: not self.are_paid)
    @rule(order_id=orders, token=st.sampled_from([*CARDS, "paypal"]))
    def pay_again(self, order_id: str, token: str) -> None:
        if token == "paypal":
            reply = self.shop.pay_with_paypal(self.buyer, order_id)
        else:
            reply = self.shop.pay_again(self.buyer, order_id, token)
        assert reply.status in (202, 409), reply.body

    @precondition(lambda self: not self.are_paid)
    @rule(order_id=orders, outcome=st.sampled_from(["succeed", "succeed", "fail"]))
    def act_at_provider(self, order_id: str, outcome: str) -> None:
        """The buyer authenticates or approves, if that is due, or does neither."""
        order = self.shop.order(order_id)
        if order["client_secret"]:
            intent_id = order["client_secret"].split("_secret_")[0]
            self.shop.stripe.control(
                "POST", f"payment_intents/{intent_id}/authenticate", {"outcome": outcome}
            )
        elif order["approval_url"]:
            intent_id = order["payment_gateway_transaction_id"]
            body = {"outcome": outcome} | ({"funding": "balance"} if outcome == "succeed" else {})
            self.shop.paypal.control("POST", f"orders/{intent_id}/authenticate", body)

    @precondition(lambda self: not self.are_paid)
    @rule(order_id=orders)
    def time_is_over(self, order_id: str) -> None:
        self.shop.db.run(
            "UPDATE orders SET pay_by = now() - interval '1 second' WHERE id = %(id)s", id=order_id
        )
        self._tolerantly(lambda: self.shop.cancel(order_id))

    # ---- the organizer, the bank

    @precondition(lambda self: self.are_paid)
    @rule(
        order_id=orders,
        how=st.sampled_from(["all", "0.01", "49.50", "98.99", "99.00", "one ticket", "both tickets"]),
        times=st.integers(1, 2),
    )
    def refund(self, order_id: str, how: str, times: int) -> None:
        """Some or all of it; a repeated request keeps its key and is one refund."""
        row = self.shop.order(order_id)
        body: dict[str, Any] = {"orderId": order_id, "reason": "Sorry"}
        if how.endswith(("ticket", "tickets")):
            body["ticketIds"] = [ticket["id"] for ticket in row["tickets"] or []][
                : 1 if how == "one ticket" else 2
            ]
        elif how != "all":
            body["amount"] = how
        key = str(uuid4())
        replies = [self._ask_refund(body, key) for _ in range(times)]
        assert {reply.status for reply in replies} <= {202, 400, 409}
        assert len({str(reply.body.get("refundId")) for reply in replies}) == 1

    @precondition(lambda self: self.are_paid)
    @rule(order_id=orders, evidence=st.sampled_from(["winning_evidence", "losing_evidence"]))
    def bank_decides(self, order_id: str, evidence: str) -> None:
        for delivery in self._news(order_id):
            if delivery.type == "charge.dispute.created":
                dispute_id = delivery.event["data"]["object"]["id"]
                client = self.shop.stripe.client().v1.disputes
                client.update(dispute_id, {"evidence": {"uncategorized_text": evidence}})
                return

    # ---- messages and faults

    @rule(number=st.integers(0, 5), times=st.integers(1, 2))
    def work(self, number: int, times: int) -> None:
        """Any command that waits, perhaps delivered twice."""
        self._collect()
        if self.queue:
            command = self.queue.pop(number % len(self.queue))
            done = [self._handle(command) for _ in range(times)]
            if not all(done):
                self.queue.append(command)

    @rule(order_id=orders, backwards=st.booleans(), times=st.integers(1, 2))
    def webhooks(self, order_id: str, backwards: bool, times: int) -> None:
        """All that the provider has told so far, in this order or the other."""
        news = self._news(order_id)
        for delivery in (news[::-1] if backwards else news) * times:
            self._tell(delivery)

    @rule(mode=st.sampled_from(["error", "kill_after", "well again"]), at_stripe=st.booleans())
    def provider_breaks(self, mode: str, at_stripe: bool) -> None:
        if mode == "well again":
            self._heal()
        else:
            (self.shop.stripe if at_stripe else self.shop.paypal).fault(mode, times=2)

    @rule()
    def sweep(self) -> None:
        resume_payments.handler({"olderThanSeconds": 0}, context())

    # ---- what must hold

    @invariant()
    def rows_agree(self) -> None:
        payment_rows.check(self.shop.db)

    def teardown(self) -> None:
        """Everything is delivered: the books agree, and nobody was charged twice."""
        self._heal()
        eventually(self._at_rest, seconds=60)
        payment_rows.check(self.shop.db)
        payments = payment_rows.payments_at_providers(self.shop)
        for order_id in self.reservations:
            assert sum(payment["taken"] > 0 for payment in payments.get(order_id, [])) <= 1, payments[
                order_id
            ]

    def _at_rest(self) -> bool:
        for delivery in self._news(*self.reservations):
            self._tell(delivery)
        resume_payments.handler({"olderThanSeconds": 0}, context())
        self._collect()
        while self.queue:
            self._handle(self.queue.pop(0))
            self._collect()
        for row in self.shop.db.all(
            "SELECT * FROM orders WHERE captured_amount > refunding_amount + refunded_amount"
        ):
            if row["payment_status"] == "CANCELLED":  # too late, and its seats are gone
                data = {"orderId": str(row["id"]), "reason": "SOLD_OUT"}
                self.shop.hear(tickets, "tickets.late_payment_refused.v1", data)
        return payment_rows.books_agree(self.shop)

    # ---- helpers

    def charge(self, **how: Any) -> str:
        reservation = self.shop.reservation(buyer=self.buyer, **how)
        order_id = str(reservation["orderId"])
        self.reservations[order_id] = reservation
        self._tolerantly(lambda: self.shop.charge(reservation))
        return order_id

    def _ask_refund(self, body: dict[str, Any], key: str) -> Any:
        headers = {"Idempotency-Key": key}
        return call(
            refund.handler,
            "POST",
            "/api/payments/refund",
            user=self.shop.organizer,
            body=body,
            headers=headers,
        )

    def _collect(self) -> None:
        new = self.shop.db.all(QUEUED, after=self.read)
        self.queue += new
        self.read = max([self.read, *(row["id"] for row in new)])

    def _handle(self, command: Row) -> bool:
        queue = command["destination"].removeprefix("queue:")
        envelope = {
            "id": str(command["message_id"]),
            "type": command["type"],
            "subject": str(command["subject"]),
            "sequence": command["version"],
            "time": iso(command["created_at"]),
            "data": command["payload"],
        }
        answer = QUEUES[queue]({"Records": [self.shop.aws.record(queue, envelope)]}, context())
        return bool(answer == {"batchItemFailures": []})

    def _news(self, *order_ids: str) -> list[Delivery]:
        payments = payment_rows.payments_at_providers(self.shop)
        ids = [payment["id"] for order_id in order_ids for payment in payments.get(order_id, [])]
        endpoints = (self.shop.endpoint, self.shop.paypal_endpoint)
        return [delivery for id_ in ids for endpoint in endpoints for delivery in endpoint.of(id_)]

    def _tell(self, delivery: Delivery) -> None:
        is_stripe = "stripe-signature" in delivery.headers
        name, handler = (
            ("stripe", stripe_webhook.handler) if is_stripe else ("paypal", paypal_webhook.handler)
        )
        path = f"/api/payments/webhooks/{name}"
        headers = {"Content-Type": "application/json; charset=utf-8"} | delivery.headers
        headers |= {"Stripe-Signature": delivery.signature} if is_stripe else {}
        reply = call(handler, "POST", path, raw_body=delivery.body, headers=headers)
        assert reply.status in (200, 503), reply.body

    def _heal(self) -> None:
        for server in (self.shop.stripe, self.shop.paypal):
            server.control("DELETE", "faults")
        provider.forget()  # its circuits too

    def _tolerantly(self, task: Any) -> None:
        """A saga's task: when the provider is in trouble Step Functions tries again."""
        try:
            task()
        except (GatewayUnavailable, GatewayTimeout):
            return


def machine(shop: Shop, *, are_paid: bool) -> type[RuleBasedStateMachine]:
    """The machine on this service."""
    return type(
        "Payments", (Paying,), {"__init__": lambda self: Paying.__init__(self, shop), "are_paid": are_paid}
    )


def test_an_order_is_paid_once_whatever_happens_in_whatever_order(shop: Shop) -> None:
    run(machine(shop, are_paid=False), settings=effort(examples=10, steps=20))


def test_refunds_and_disputes_never_give_back_more_than_was_paid(shop: Shop) -> None:
    run(machine(shop, are_paid=True), settings=effort(examples=10, steps=20))
