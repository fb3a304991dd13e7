"""After a storm: time passes (each sweep runs, dead letters are put back) until nothing is under way any more."""

import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3

from tests.e2e.books import database
from tests.e2e.laptop import Laptop
from tests.e2e.operators import invoke
from tests.faults import servers
from tools.dead_letters import DeadLetters

SERVICES = ("auth", "events", "tickets", "payments", "notifications")
SWEEPS: dict[str, dict[str, int]] = {
    **{f"{service}-job-sweep-messages": {} for service in SERVICES},
    "tickets-job-expire-holds": {},
    "tickets-job-resume-purchases": {},
    "tickets-job-resume-voiding": {},
    "payments-job-resume-payments": {},
    # A mail that failed often is due in an hour at most: nobody waits for that.
    "notifications-job-resend-mail": {"olderThanSeconds": 15},
}
STATEMENTS = {
    "holds": ("tickets", "SELECT id FROM ticket_reservations WHERE status IN ('HELD', 'BOUND')"),
    "purchases not ended": ("tickets", "SELECT order_id AS id FROM purchases WHERE status = 'BOUND'"),
    "orders not decided": (
        "payments",
        "SELECT id FROM orders WHERE payment_status IN ('PENDING', 'REQUIRES_ACTION', 'PAYMENT_FAILED')",
    ),
    "attempts without an outcome": (
        "payments",
        "SELECT id FROM payment_transactions WHERE status IN ('OPEN', 'PROCESSING')",
    ),
    "refunds without an outcome": ("payments", "SELECT id FROM refunds WHERE status = 'REQUESTED'"),
    "refunds unclear": ("payments", "SELECT id FROM orders WHERE refunds_unclear"),
    "webhooks not handled": (
        "payments",
        "SELECT event_id AS id FROM webhook_events WHERE handled_at IS NULL",
    ),
    "mails not sent": ("notifications", "SELECT id FROM notifications WHERE status = 'PENDING'"),
    **{
        f"unpublished messages of {service}": (service, "SELECT id FROM outbox WHERE published_at IS NULL")
        for service in SERVICES
    },
}


class Aftermath:
    """What is still under way at a laptop cloud, and what brings it to its end."""

    def __init__(self, laptop: Laptop) -> None:
        self._laptop = laptop
        self._sqs, self._states = self._client("sqs"), self._client("stepfunctions")
        self._letters = DeadLetters(self._sqs, "dev")
        self.redriven = 0

    def settle(self, seconds: float, say: Callable[[str], None]) -> dict[str, int]:
        """Let time pass until nothing is left; what is left after so many seconds, which should be nothing."""
        deadline = time.monotonic() + seconds
        while (left := self.left()) and time.monotonic() < deadline:
            said = ", ".join(f"{count} {what}" for what, count in left.items())
            say(f"calm: {said}")
            self.pass_time()
            time.sleep(2)
        return left

    def left(self) -> dict[str, int]:
        """How much of each thing that should end has not ended."""
        found = {what: len(self.ids(what)) for what in STATEMENTS}
        found["running executions"] = len(self.running())
        found |= self._messages()
        return {what: count for what, count in found.items() if count}

    def ids(self, what: str) -> list[Any]:
        """The ids of what has not ended."""
        service, statement = STATEMENTS[what]
        with database(self._laptop, service) as ask:
            return [row["id"] for row in ask(statement)]

    def running(self) -> list[str]:
        """The names of the executions that run, which are the orders' ids."""
        machine = self._states.list_state_machines()["stateMachines"][0]["stateMachineArn"]
        pages = self._states.get_paginator("list_executions").paginate(
            stateMachineArn=machine, statusFilter="RUNNING"
        )
        return [execution["name"] for page in pages for execution in page["executions"]]

    def _messages(self) -> dict[str, int]:
        """Messages in queues, and dead letters, by queue."""
        found: dict[str, int] = {}
        for page in self._sqs.get_paginator("list_queues").paginate(QueueNamePrefix="box-office-dev-"):
            for url in page.get("QueueUrls", []):
                names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
                answer = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)
                count = sum(int(value) for value in answer["Attributes"].values())
                found[f"messages in {Path(url).name.removeprefix('box-office-dev-')}"] = count
        return found

    def pass_time(self) -> None:
        """What the next minutes would bring: schedules, visibilities that end, an operator who redrives."""
        self._laptop.client.post(
            "/_local/queues/release"
        )  # not every laptop can; then their time passes by itself
        for job, event in SWEEPS.items():
            with contextlib.suppress(AssertionError):  # the machine is busy: the job runs with the next round
                invoke(self._laptop, job, event)
        for queue, count in self._letters.counts().items():
            if count:
                self.redriven += self._letters.redrive(queue, None, 100)

    def _client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=f"http://127.0.0.1:{servers.port_of(self._laptop, 'aws')}",
            region_name="us-east-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",  # the emulation asks for one and looks at none
        )
