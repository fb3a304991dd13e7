"""Tickets, payments and notifications on real databases in one process, and every message between them delivered."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from uuid import UUID

import pytest

from functions.notifications import providers
from functions.notifications import settings as mail_settings
from functions.notifications.cache import cache as mail_cache
from functions.notifications.consumers import mail as mail_consumer
from functions.notifications.consumers import payments as told_of_payments
from functions.payments import refunding
from functions.payments.consumers import attempts, refunds, webhooks
from functions.payments.consumers import mail as payments_mail
from functions.payments.consumers import tickets as payments_tickets
from functions.payments.database import database as payments_database
from functions.payments.jobs import read_gateways
from functions.payments.models import RefundRequest
from functions.payments.saga import cancel_payment, charge, refund_payment
from functions.platform.audit import auditing
from functions.platform.audit.findings import Scope
from functions.tickets.consumers import events as tickets_events
from functions.tickets.consumers import notifications as tickets_mail
from functions.tickets.consumers import orders as tickets_orders
from functions.tickets.consumers import payments as tickets_payments
from functions.tickets.consumers import voids
from functions.tickets.saga import reserve
from shared.clock import now
from shared.contracts import Contract
from shared.identity import User
from shared.settings import Setting
from tests.auditor import auditor_of
from tests.cloud import Cloud, Extension
from tests.databases import Databases, TestDatabase
from tests.payments_shop import Shop
from tests.support import a_user, context
from tests.ticket_sales import Sales

SENDGRID_SECRET_ARN = "arn:aws:secretsmanager:us-east-1:000000000000:secret:sendgrid"
EVERYBODY = "everybody"  # the one topic, to which all services publish here
SUBSCRIBERS = {
    "tickets": [payments_tickets],
    "payments": [tickets_payments, tickets_orders, told_of_payments],
    "notifications": [tickets_mail, payments_mail],
    "events": [tickets_events],
}
QUEUES: dict[str, Any] = {
    "mail": mail_consumer,
    "tickets-voids": voids,
    "payments-attempts": attempts,
    "payments-webhooks": webhooks,
    "payments-refunds": refunds,
}
PROVIDERS = ("stripe", "paypal")
Found = dict[str, Any]


class WholeShop:
    """Purchases as the state machine runs them, and the audit of what came of them."""

    def __init__(
        self, sales: Sales, shop: Shop, mails: TestDatabase, books: dict[str, TestDatabase], aws: Cloud
    ) -> None:
        self.sales, self.shop, self.books, self._aws = sales, shop, books, aws
        self.tickets, self.payments, self.mails = sales.db, shop.db, mails
        self.event_id = sales.event()
        self._handled: dict[str, int] = {}
        self._of_others = {taken["paymentId"] for name in PROVIDERS for taken in self._listed(name)}

    # ---- buying

    def order(self, token: str | None = "pm_card_visa", *, price: str = "49.50", **method: str) -> str:
        """Two tickets as far as Charge: paid, they are issued; the order's id."""
        order_id = self.bind(token, price=price, **method)
        if self.charge(order_id) == "paid":
            self.issue(order_id)
        self.deliver()
        return order_id

    def bind(self, token: str | None = "pm_card_visa", *, price: str = "49.50", **method: str) -> str:
        """Two tickets of a type of their own, bound to an order whose saga has not begun; the order's id."""
        payment = {"type": "stripe", "token": token} | method
        payment = payment if payment["token"] else {"type": payment["type"]}
        type_id = self.sales.type(self.event_id, price=price)
        return self.sales.order(self.newcomer(), self.event_id, {type_id: 2}, paymentMethod=payment)

    def give_up(self, order_id: str) -> None:
        """The time to pay is over: the payment is cancelled and the seats go back."""
        assert cancel_payment.handler({"orderId": order_id}, context())["outcome"] == "cancelled"
        self.sales.release(order_id)
        self.sales.notify(order_id, "cancelled")
        self.end(order_id)
        self.deliver()

    def issue(self, order_id: str) -> None:
        """Issue and Notify."""
        assert self.sales.issue(order_id)["outcome"] == "issued"
        self.sales.notify(order_id, "issued")
        self.end(order_id)

    def end(self, order_id: str) -> None:
        """The purchase's execution is over."""
        self._aws.end_execution(order_id)

    def compensate(self, order_id: str) -> None:
        """RefundPayment and what follows, for an order that was paid and could not be issued."""
        refund_payment.handler({"orderId": order_id, "reason": "ISSUE_FAILED"}, context())
        self.sales.release(order_id)
        self.sales.notify(order_id, "cancelled")
        self.end(order_id)
        self.deliver()

    def newcomer(self) -> User:
        """A buyer whose address is known."""
        buyer = a_user()
        self.mails.run(
            """
            INSERT INTO recipients (user_id, email, first_name, last_name, version, changed_at)
            VALUES (%(id)s, %(email)s, 'Ada', 'Lovelace', 1, now())
            """,
            id=buyer.id,
            email=f"{buyer.id.hex}@example.com",
        )
        return buyer

    def charge(self, order_id: str) -> str:
        """Reserve and Charge; its outcome."""
        reservation = reserve.handler({"orderId": order_id}, context())
        return str(charge.handler({"reservation": reservation}, context())["outcome"])

    def refund(self, order_id: str, ticket_ids: list[UUID] | None = None) -> None:
        """The organizer asks for the money of these tickets, or all that is left; nothing of it is carried out yet."""
        wanted = RefundRequest(order_id=UUID(order_id), ticket_ids=ticket_ids, reason="Rain")
        with payments_database.transaction() as sql:
            refunding.request(sql, self.sales.organizer, wanted, now())

    # ---- messages

    def deliver(self, *, losing: str | None = None) -> None:
        """Hand every message to whoever subscribes to it, until there are none; those of the type `losing` are lost."""
        while waiting := [
            (place, envelope)
            for place in (EVERYBODY, *QUEUES)
            for envelope in self._aws.messages(place)[self._handled.get(place, 0) :]
        ]:
            for place, envelope in waiting:
                self._handled[place] = self._handled.get(place, 0) + 1
                if envelope["type"] == losing:
                    continue
                service = envelope["type"].split(".", 1)[0]
                for consumer in [QUEUES[place]] if place in QUEUES else SUBSCRIBERS.get(service, []):
                    self._hand_over(consumer, envelope)

    def published(self, contract: type[Contract]) -> list[Found]:
        """What was published of this type."""
        messages = self._aws.messages(EVERYBODY)
        return [message["data"] for message in messages if message["type"] == contract.TYPE]

    def _hand_over(self, consumer: Any, envelope: dict[str, Any]) -> None:
        record = self._aws.record(consumer.consumer._queue, envelope)
        assert consumer.handler({"Records": [record]}, context()) == {"batchItemFailures": []}

    # ---- the audit

    def audit(self, **given: Any) -> Found:
        """What the auditor finds; everything is at rest unless `atRestSeconds` says otherwise."""
        scope = Scope.of({"atRestSeconds": 0} | given, now())
        return auditing.audit(scope, self.ask).told()

    def hide_payments(self) -> None:
        """The providers' lists leave out what there is by now."""
        self._of_others |= {taken["paymentId"] for name in PROVIDERS for taken in self._listed(name)}

    def ask(self, asked: Found) -> Found:
        """What payments answers; the providers are shared with other tests, whose payments are none of ours."""
        answer = read_gateways.handler(asked, None)
        is_list = "paymentIds" not in asked
        own = [
            taken for taken in answer["payments"] if not is_list or taken["paymentId"] not in self._of_others
        ]
        return answer | {"payments": own}

    def _listed(self, provider: str) -> list[Found]:
        found, cursor = [], None
        while True:
            page = read_gateways.handler({"provider": provider, "cursor": cursor}, None)
            found += page["payments"]
            cursor = page["cursor"]
            if cursor is None:
                return found

    def findings(self, **given: Any) -> list[tuple[str, str]]:
        """Invariant and words of each finding."""
        return [(found["invariant"], found["what"]) for found in self.audit(**given)["findings"]]


@pytest.fixture
def whole_shop(
    sales: Sales,
    shop: Shop,
    notifications_db: TestDatabase,
    aws: Cloud,
    extension: Extension,
    databases: Databases,
) -> Iterator[WholeShop]:
    """All services that an order touches, open for business, and the auditor on their databases."""
    aws.topic(EVERYBODY)
    for queue in QUEUES:
        aws.queue(queue)
    aws.accept_mail_from("tickets@box-office.example")
    for setting in vars(mail_settings).values():
        if isinstance(setting, Setting):
            extension.parameters[setting.name] = str(setting.default)
            setting._value = None
    extension.secrets[SENDGRID_SECRET_ARN] = {"apiKey": "", "webhookPublicKey": ""}
    with ExitStack() as stack:
        environment = stack.enter_context(pytest.MonkeyPatch.context())
        environment.setenv("SENDGRID_SECRET_ARN", SENDGRID_SECRET_ARN)
        environment.setenv("PURCHASES_ARN", os.environ["PURCHASE_STATE_MACHINE_ARN"])
        own = {name: stack.enter_context(databases.clone(name)) for name in ("auth", "events")}
        books = own | {"tickets": sales.db, "payments": shop.db, "notifications": notifications_db}
        stack.enter_context(auditor_of(list(books.values()), extension))
        providers.forget_circuits()
        mail_cache.reset()
        yield WholeShop(sales, shop, notifications_db, books, aws)
