"""The CPU time of one purchase: `python -m bench.purchase_cpu`.

The real handlers against a real PostgreSQL, one ticket each: reserve, purchase, the saga's Reserve, Charge, Issue and
Notify, and the mail's consumer, which renders HTML, text and QR picture. The edges of the world (the payment provider,
SNS, SQS, SES, Step Functions, Redis) answer at once and are not counted, nor is the import of the code. CPU time, not
time on the clock: comparable from run to run on a busy machine, within reason.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil

from functions.notifications.consumers import mail
from functions.payments import provider
from functions.payments.gateways.gateway import PaymentOutcome, PaymentResult
from functions.payments.saga import charge
from functions.tickets.routes import purchase, reserve
from functions.tickets.saga import issue, notify
from functions.tickets.saga import reserve as reserve_task
from functions.tickets.signing_keys import new_key
from local.postgres import Postgres
from shared import aws
from shared.clock import now
from shared.settings import Setting
from tests.cloud import running_extension
from tests.databases import Databases, TestDatabase, connected
from tests.servers import running_postgres
from tests.support import a_user, call, context

EVENT, TYPE = uuid4(), uuid4()
SECRET = "arn:aws:secretsmanager:us-east-1:000000000000:secret:ticket-keys"
SENDGRID = "arn:aws:secretsmanager:us-east-1:000000000000:secret:sendgrid"


class Edge:
    """AWS, agreeing to everything; what is sent to the mail queue is kept."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def publish_batch(self, **request: Any) -> dict[str, Any]:
        """SNS."""
        return {"Successful": [{"Id": e["Id"]} for e in request["PublishBatchRequestEntries"]]}

    def send_message_batch(self, **request: Any) -> dict[str, Any]:
        """SQS."""
        self.sent += [entry["MessageBody"] for entry in request["Entries"]]
        return {"Successful": [{"Id": e["Id"]} for e in request["Entries"]]}

    def send_email(self, **_request: Any) -> dict[str, str]:
        """SES."""
        return {"MessageId": uuid4().hex}

    def start_execution(self, **_request: Any) -> dict[str, str]:
        """Step Functions."""
        return {}


class Till:
    """A payment provider that takes every card."""

    def pay(self, *, order_id: str, amount: Decimal, currency: str, **_rest: Any) -> PaymentResult:
        """Paid, at once."""
        return PaymentResult(
            PaymentOutcome.PAID,
            f"pi_{uuid4().hex}",
            None,
            None,
            None,
            amount,
            Decimal(0),
            currency,
            order_id,
            False,
        )


def buy(edge: Edge) -> None:
    """One purchase, from the hold to the mail."""
    buyer = a_user(id=BUYER)
    hold = {"eventId": str(EVENT), "items": [{"ticketTypeId": str(TYPE), "quantity": 1}]}
    held = call(reserve.handler, "POST", "/api/tickets/reserve", body=hold, user=buyer).body
    order = call(
        purchase.handler,
        "POST",
        "/api/tickets/purchase",
        body={
            "reservationId": held["reservationId"],
            "paymentMethod": {"type": "stripe", "token": "pm_card_visa"},
        },
        user=buyer,
        headers={"Idempotency-Key": str(uuid4())},
    ).body["orderId"]
    bound = reserve_task.handler({"orderId": order}, context())
    assert charge.handler({"orderId": order, "reservation": bound}, context())["outcome"] == "paid"
    assert issue.handler({"orderId": order}, context())["outcome"] == "issued"
    notify.handler({"orderId": order, "outcome": "issued"}, context())
    failed = mail.handler({"Records": [_record(edge.sent.pop())]}, context())["batchItemFailures"]
    assert failed == []


BUYER = uuid4()


def _record(body: str) -> dict[str, Any]:
    return {
        "messageId": json.loads(body)["id"],
        "receiptHandle": "receipt",
        "body": body,
        "attributes": {"ApproximateReceiveCount": "1"},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:box-office-dev-mail",
        "awsRegion": "us-east-1",
    }


@contextmanager
def _box_office(edge: Edge) -> Iterator[Postgres]:
    """Databases with an event on sale and a buyer, and the edges of the world replaced."""
    key = new_key()
    os.environ |= {
        "AWS_REGION": "us-east-1",
        "TICKET_KEYS_SECRET_ARN": SECRET,
        "TOPIC_ARN": "arn:aws:sns:us-east-1:000000000000:topic",
        "QUEUE_MAIL_URL": "queue",
        "PURCHASE_STATE_MACHINE_ARN": "arn:aws:states:us-east-1:000000000000:stateMachine:purchase",
        "CACHE_HOST": "127.0.0.1",
        "CACHE_PORT": "9",
        "SENDGRID_SECRET_ARN": SENDGRID,
    }
    with ExitStack() as stack:
        postgres = stack.enter_context(running_postgres())
        extension = stack.enter_context(running_extension())
        extension.secrets[SECRET] = {"current": key["kid"], "keys": [key]}
        extension.secrets[SENDGRID] = {"apiKey": "", "webhookPublicKey": ""}  # SES alone
        extension.parameters |= {setting.name: str(setting.default) for setting in _settings()}
        extension.parameters |= {"public_url": "https://tickets.example", "mail_from": "tickets@example.com"}
        databases = Databases(postgres)
        for service in ("tickets", "payments", "notifications"):
            database = stack.enter_context(databases.clone(service))
            stack.enter_context(connected(database))
            _fill(service, database)
        answer: Callable[..., Any] = lambda *_service, **_options: edge  # noqa: E731  # stands in for a function
        aws.client = answer  # type: ignore[assignment]  # the edge of the world is not what is measured
        provider.stripe = Till  # type: ignore[assignment]  # likewise
        yield postgres


def _settings() -> list[Setting[Any]]:
    modules = [module for name, module in sys.modules.items() if name.startswith(("functions.", "shared."))]
    return [value for module in modules for value in vars(module).values() if isinstance(value, Setting)]


def _fill(service: str, database: TestDatabase) -> None:
    if service == "tickets":
        database.run(
            """
            INSERT INTO event_copies (event_id, organizer_id, name, event_date, time_zone, venue_name, venue_address,
                                      status, version, currency, refreshed_at)
            VALUES (%(event)s, gen_random_uuid(), 'Gala', %(date)s, 'UTC', 'Hall', 'Street 1',
                    'PUBLISHED', 1, 'EUR', now())
            """,
            event=EVENT,
            date=now() + timedelta(days=30),
        )
        database.run(
            """
            INSERT INTO ticket_types (id, event_id, name, price, currency, quantity_available, per_person_limit,
                                      created_at, updated_at)
            VALUES (%(type)s, %(event)s, 'Stalls', 49.50, 'EUR', 1000000, 1000000, now(), now())
            """,
            type=TYPE,
            event=EVENT,
        )
    if service == "notifications":
        database.run(
            """
            INSERT INTO recipients (user_id, email, first_name, last_name, version, changed_at)
            VALUES (%(buyer)s, 'ada@example.com', 'Ada', 'Lovelace', 1, now())
            """,
            buyer=BUYER,
        )


def _cpu(postgres: Postgres) -> tuple[float, float]:
    server = next(
        c.pid for c in psutil.net_connections("tcp") if c.laddr.port == postgres.port and c.status == "LISTEN"
    )
    root = psutil.Process(server)
    spent = 0.0
    for process in [root, *root.children(recursive=True)]:
        used = process.cpu_times()
        spent += used.user + used.system
    return time.process_time(), spent


def _buy(edge: Edge, times: int) -> None:
    """Buy so often; the metrics that this writes are nobody's to read."""
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        for _ in range(times):
            buy(edge)


def measure(purchases: int, warm_up: int) -> None:
    """Print the CPU time of one purchase, in our code and in PostgreSQL."""
    edge = Edge()
    with _box_office(edge) as postgres:
        _buy(edge, warm_up)
        ours, theirs = _cpu(postgres)
        _buy(edge, purchases)
        ours, theirs = (after - before for after, before in zip(_cpu(postgres), (ours, theirs), strict=True))
    print(f"{purchases} purchases of one ticket, mail rendered; CPU time of one:")
    print(f"  our code    {1000 * ours / purchases:6.1f} ms")
    print(f"  PostgreSQL  {1000 * theirs / purchases:6.1f} ms")
    print(f"  together    {1000 * (ours + theirs) / purchases:6.1f} ms")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--purchases", type=int, default=300)
    parser.add_argument("--warm-up", type=int, default=20)
    chosen = parser.parse_args()
    measure(chosen.purchases, chosen.warm_up)
