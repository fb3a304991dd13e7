"""The payments service with all around it: database, queues, the simulated Stripe, a stand-in for tickets."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from types import ModuleType
from typing import Any
from uuid import UUID, uuid4

import pytest

from functions.payments import cancelling, provider, settings
from functions.payments.consumers import attempts, refunds, tickets, webhooks
from functions.payments.database import database
from functions.payments.repository import orders
from functions.payments.routes import paypal_webhook, process, refund, stripe_webhook
from functions.payments.saga import cancel_payment, charge
from shared import calls, idempotency, job
from shared.clock import iso, now
from shared.contracts import Contract
from shared.identity import Role, User
from shared.settings import Setting
from tests.cloud import Cloud, Extension
from tests.databases import Row, TestDatabase
from tests.paypal_server import PayPalServer, running_paypal
from tests.stripe_server import (
    SECRET_KEY,
    WEBHOOK_SECRET,
    Endpoint,
    StripeServer,
    eventually,
    running_stripe,
)
from tests.support import Reply, a_user, call, context
from tests.tickets_stand_in import TicketsStandIn

STRIPE_SECRET_ARN = "arn:aws:secretsmanager:us-east-1:000000000000:secret:stripe"
PAYPAL_SECRET_ARN = "arn:aws:secretsmanager:us-east-1:000000000000:secret:paypal"
QUEUES = {
    "payments-attempts": attempts.handler,
    "payments-webhooks": webhooks.handler,
    "payments-refunds": refunds.handler,
}


class Shop:
    """Orders as the saga brings them, and what a test wants to know of them."""

    def __init__(
        self,
        db: TestDatabase,
        aws: Cloud,
        stripe: StripeServer,
        endpoint: Endpoint,
        tickets: TicketsStandIn,
        paypal: tuple[PayPalServer, Endpoint],
    ) -> None:
        self.paypal, self.paypal_endpoint = paypal
        self.db, self.aws, self.stripe, self.endpoint, self.tickets = db, aws, stripe, endpoint, tickets
        self.organizer = a_user(Role.ORGANIZER)
        self.event_id = uuid4()
        self._delivered: dict[str, int] = {}
        self._forwarded = 0
        self._version = 1

    # ---- the saga

    def reservation(
        self,
        *,
        buyer: User | None = None,
        token: str | None = "pm_card_visa",
        method: str = "stripe",
        price: str = "49.50",
        seconds: float = 600,
    ) -> dict[str, Any]:
        """What Reserve answers for two tickets."""
        order_id = uuid4()
        total = f"{2 * float(price):.2f}"
        item = {
            "ticketTypeId": str(uuid4()),
            "name": "Stalls",
            "quantity": 2,
            "unitPrice": price,
            "totalPrice": total,
        }
        return {
            "outcome": "bound",
            "orderId": str(order_id),
            "orderNumber": f"BO-{order_id.hex[:10].upper()}",
            "userId": str((buyer or a_user()).id),
            "eventId": str(self.event_id),
            "organizerId": str(self.organizer.id),
            "items": [item],
            "totalAmount": total,
            "currency": "USD",
            "payBy": iso(now() + timedelta(seconds=seconds)),
            "secondsToPay": max(1, int(seconds)),
            "paymentMethod": {"type": method, "token": token},
        }

    def charge(self, reservation: dict[str, Any]) -> str:
        """Run Charge; its outcome."""
        return str(charge.handler({"reservation": reservation}, context())["outcome"])

    def cancel(self, order_id: str) -> str:
        """Run CancelPayment; its outcome."""
        return str(cancel_payment.handler({"orderId": order_id}, context())["outcome"])

    def end(self, order_id: str) -> None:
        """End an order as if the provider had cancelled its payment, which may still be paid there."""
        with database.transaction() as sql:
            order = orders.lock(sql, UUID(order_id))
            assert order is not None
            cancelling.end(sql, order, cancelling.NOT_PAID_IN_TIME, now())

    def order_of(self, buyer: User, token: str | None = "pm_card_visa", **more: Any) -> str:
        """An order after Charge."""
        reservation = self.reservation(buyer=buyer, token=token, **more)
        self.charge(reservation)
        return str(reservation["orderId"])

    def issue(self, order_id: str) -> list[dict[str, Any]]:
        """Tell payments that the order's two tickets exist; the tickets."""
        item = self.db.one("SELECT * FROM order_items WHERE order_id = %(id)s", id=order_id)
        assert item is not None
        type_id = str(item["ticket_type_id"])
        issued = [
            {"ticketId": str(uuid4()), "ticketNumber": f"T-{n}", "ticketTypeId": type_id} for n in (1, 2)
        ]
        data = {
            "orderId": order_id,
            "orderNumber": "BO-1",
            "userId": str(uuid4()),
            "eventId": str(self.event_id),
            "tickets": issued,
        }
        self.hear(tickets, "tickets.order_issued.v1", data)
        return issued

    # ---- messages

    def hear(
        self, consumer: ModuleType, type_: str, data: dict[str, Any], version: int | None = None
    ) -> dict[str, Any]:
        """Hand one message from another service to a consumer, newer than those before unless told; the message."""
        self._version += 1
        envelope = {
            "id": str(uuid4()),
            "type": type_,
            "subject": str(uuid4()),
            "sequence": version or self._version,
            "time": iso(now()),
            "data": data,
        }
        self.hand_over(consumer.handler, consumer.consumer._queue, envelope)
        return envelope

    def hand_over(self, handler: Callable[..., Any], queue: str, envelope: dict[str, Any]) -> None:
        """Call a consumer with this message; it must accept it."""
        failures = handler({"Records": [self.aws.record(queue, envelope)]}, context())
        assert failures == {"batchItemFailures": []}

    def deliver(self) -> int:
        """Hand every message that waits in our own queues to its consumer, until none is left; how many there were."""
        handled = 0
        while waiting := [
            (queue, message)
            for queue in QUEUES
            for message in self.aws.messages(queue)[self._delivered.get(queue, 0) :]
        ]:
            for queue, message in waiting:
                self._delivered[queue] = self._delivered.get(queue, 0) + 1
                self.hand_over(QUEUES[queue], queue, message)
            handled += len(waiting)
        return handled

    def skip(self, *queues: str) -> None:
        """Lose the messages that wait in these queues."""
        for queue in queues:
            self._delivered[queue] = len(self.aws.messages(queue))

    def lose(self) -> None:
        """Lose every message that waits in our own queues."""
        self._delivered = {queue: len(self.aws.messages(queue)) for queue in QUEUES}

    def webhook(self, intent_id: str, type_: str) -> Reply:
        """Wait for Stripe's webhook and hand it to our route, as API Gateway would."""
        eventually(lambda: self.endpoint.of(intent_id, type_))
        delivery = self.endpoint.of(intent_id, type_)[-1]
        return call(
            stripe_webhook.handler,
            "POST",
            "/api/payments/webhooks/stripe",
            raw_body=delivery.body,
            headers={
                "Stripe-Signature": delivery.signature,
                "Content-Type": "application/json; charset=utf-8",
            },
        )

    def paypal_webhook(self, text: str, type_: str, **changed: str) -> Reply:
        """Wait for PayPal's webhook that holds this text and hand it to our route."""
        eventually(lambda: self.paypal_endpoint.of(text, type_))
        delivery = self.paypal_endpoint.of(text, type_)[-1]
        return call(
            paypal_webhook.handler,
            "POST",
            "/api/payments/webhooks/paypal",
            raw_body=delivery.body,
            headers=delivery.headers | changed,
        )

    def approve(self, order_id: str, funding: str = "balance") -> str:
        """The buyer approves at PayPal, which nobody has told us of yet; the PayPal order's id."""
        intent_id = str(self.order(order_id)["payment_gateway_transaction_id"])
        self.paypal.approve(intent_id, funding)
        return intent_id

    def published(self, contract: type[Contract], order_id: str) -> list[dict[str, Any]]:
        """What was published to our topic of this type about this order."""
        return [
            message["data"]
            for message in self.aws.messages("payments")
            if message["type"] == contract.TYPE and message["data"]["orderId"] == order_id
        ]

    # ---- requests

    def pay_with_paypal(self, buyer: User, order_id: str) -> Reply:
        """POST /api/payments/process with PayPal."""
        body = {"orderId": order_id, "paymentMethod": {"type": "paypal"}}
        return call(
            process.handler,
            "POST",
            "/api/payments/process",
            user=buyer,
            body=body,
            headers={"Idempotency-Key": str(uuid4())},
        )

    def pay_again(self, buyer: User, order_id: str, token: str = "pm_card_visa", **headers: str) -> Reply:
        """POST /api/payments/process."""
        return call(
            process.handler,
            "POST",
            "/api/payments/process",
            user=buyer,
            body={"orderId": order_id, "paymentMethod": {"type": "stripe", "token": token}},
            headers={"Idempotency-Key": str(uuid4())} | headers,
        )

    def ask_refund(
        self, order_id: str, *, by: User | None = None, key: str | None = None, **body: Any
    ) -> Reply:
        """POST /api/payments/refund, by the event's organizer unless told."""
        return call(
            refund.handler,
            "POST",
            "/api/payments/refund",
            user=by or self.organizer,
            body={"orderId": order_id, "reason": "Sorry", **body},
            headers={"Idempotency-Key": key or str(uuid4())},
        )

    # ---- looking

    def order(self, order_id: str) -> Row:
        """The order's row."""
        row = self.db.one("SELECT * FROM orders WHERE id = %(id)s", id=order_id)
        assert row is not None
        return row

    def status(self, order_id: str) -> str:
        """The status we keep."""
        return str(self.order(order_id)["payment_status"])

    def attempts(self, order_id: str) -> list[str]:
        """The status of every attempt, oldest first."""
        rows = self.db.all(
            "SELECT status FROM payment_transactions WHERE order_id = %(id)s AND kind = 'ATTEMPT' ORDER BY created_at",
            id=order_id,
        )
        return [row["status"] for row in rows]

    def history(self, order_id: str) -> list[str]:
        """The types of the order's events, oldest first."""
        rows = self.db.all(
            "SELECT type FROM order_events WHERE order_id = %(id)s ORDER BY version", id=order_id
        )
        return [row["type"] for row in rows]

    def intents(self, order_id: str) -> list[dict[str, Any]]:
        """The order's payments at Stripe."""
        _, answer = self.stripe.control("GET", "payment_intents?limit=500")
        return [item for item in answer["items"] if item["orderId"] == order_id]

    def authenticate(self, order_id: str, outcome: str = "succeed") -> str:
        """The buyer's 3-D Secure step; the intent's id."""
        intent_id = str(self.order(order_id)["client_secret"]).split("_secret_")[0]
        status, answer = self.stripe.control(
            "POST", f"payment_intents/{intent_id}/authenticate", {"outcome": outcome}
        )
        assert status == 200, answer
        return intent_id

    def tickets_says(self, reservation: dict[str, Any], status: str, *ticket_ids: UUID) -> None:
        """Let the tickets service know an order in this status."""
        self.tickets.orders.append(
            {
                name: reservation[name]
                for name in ("orderId", "orderNumber", "eventId", "totalAmount", "currency")
            }
            | {"status": status, "createdAt": iso(now()), "eventName": "Concert"}
            | {"tickets": [self._full_ticket(id_) for id_ in ticket_ids]}
        )

    def _full_ticket(self, ticket_id: UUID) -> dict[str, Any]:
        return {
            "id": str(ticket_id),
            "ticketNumber": f"T-{ticket_id.hex[:6]}",
            "ticketTypeId": str(uuid4()),
            "status": "ACTIVE",
            "holderName": "Somebody",
            "qrCode": "BO1.k.x.y",
        }


@pytest.fixture(scope="session")
def stripe_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[StripeServer, Endpoint]]:
    """The simulated Stripe, and the address that its webhooks go to."""
    with running_stripe(tmp_path_factory.mktemp("stripe")) as running:
        yield running


@pytest.fixture(scope="session")
def paypal_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[PayPalServer, Endpoint]]:
    """The simulated PayPal, and the address that its webhooks go to."""
    with running_paypal(tmp_path_factory.mktemp("paypal")) as running:
        yield running


@pytest.fixture
def shop(
    payments_db: TestDatabase,
    aws: Cloud,
    extension: Extension,
    stripe_server: tuple[StripeServer, Endpoint],
    paypal_server: tuple[PayPalServer, Endpoint],
) -> Iterator[Shop]:
    """The payments service, open for business."""
    stripe, endpoint = stripe_server
    stand_in = TicketsStandIn()
    extension.secrets[STRIPE_SECRET_ARN] = {
        "secretKey": SECRET_KEY,
        "webhookSecret": WEBHOOK_SECRET,
        "publishableKey": "pk_test_1",
        "apiBase": stripe.url,
    }
    extension.secrets[PAYPAL_SECRET_ARN] = dict(paypal_server[0].secret)
    extension.parameters["public_url"] = "https://tickets.example"
    for module in (settings, idempotency, job, calls):
        for setting in vars(module).values():
            if isinstance(setting, Setting):
                extension.parameters[setting.name] = str(setting.default)
    extension.parameters["api_url"] = stand_in.url
    aws.topic("payments")
    for queue in QUEUES:
        aws.queue(queue)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("STRIPE_SECRET_ARN", STRIPE_SECRET_ARN)
        environment.setenv("PAYPAL_SECRET_ARN", PAYPAL_SECRET_ARN)
        _forget_clients()
        try:
            yield Shop(payments_db, aws, stripe, endpoint, stand_in, paypal_server)
        finally:
            stripe.control("DELETE", "faults")
            paypal_server[0].control("DELETE", "faults")
            _forget_clients()
            stand_in.close()


def _forget_clients() -> None:
    provider.forget()
    calls.forget()


__all__ = ["QUEUES", "Shop", "TicketsStandIn", "paypal_server", "shop", "stripe_server"]
