"""A laptop cloud on which things are broken on purpose, what makes its time pass, and how it comes to rest."""

import contextlib
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3

from local.assembly import Assembly
from local.resources import Address, Places
from tests.e2e.books import assert_balanced, database
from tests.e2e.client import Client, eventually
from tests.e2e.laptop import Laptop
from tests.e2e.operators import invoke
from tools.dead_letters import DeadLetters

PREFIX = "box-office-dev-"
SERVICES = ("auth", "events", "notifications", "payments", "tickets")
SETTINGS = "pay_seconds=600 hold_seconds=600 access_token_seconds=86400 image_kept_seconds=1 export_ask_again_seconds=1"
BEAT_SECONDS = 1.5
MOST_WAITING = 10
_TIME_PASSES = "UPDATE outbox SET claimed_until = now() - interval '1 s' WHERE published_at IS NULL"

# What is left to do in a service that is at rest: nothing.
LEFT = {
    "tickets": """
        SELECT 'purchase' AS what, order_id AS id, status FROM purchases WHERE notified_outcome IS NULL
         UNION ALL SELECT 'hold', id, status FROM ticket_reservations WHERE status IN ('HELD', 'BOUND')
         UNION ALL SELECT 'voiding', event_id, status FROM event_copies WHERE status = 'CANCELLED' AND voided_at IS NULL
    """,
    "payments": """
        SELECT 'order' AS what, id, payment_status AS status FROM orders
         WHERE payment_status IN ('PENDING', 'REQUIRES_ACTION', 'PAYMENT_FAILED')
         UNION ALL SELECT 'attempt', id, status FROM payment_transactions WHERE kind = 'ATTEMPT' AND status = 'OPEN'
         UNION ALL SELECT 'refund', id, status FROM refunds WHERE status = 'REQUESTED'
    """,
    "notifications": "SELECT 'mail' AS what, id, status FROM notifications WHERE status = 'PENDING'",
    "auth": "SELECT 'export' AS what, id, status FROM exports WHERE status = 'COLLECTING'",
}


class ProvingGround:
    """A running laptop cloud. State machines do not wait as long between tries as they do elsewhere."""

    def __init__(self, laptop: Laptop) -> None:
        self.laptop = laptop
        self._ports = json.loads((laptop.state / "ports.json").read_text())
        self._seen_mails: set[str] = set()
        self._hurry()

    @cached_property
    def assembly(self) -> Assembly:
        """The template that it runs."""
        address = Address("127.0.0.1", 1)
        places = Places(self.laptop.url, "http://127.0.0.1:1", address, address)
        return Assembly.read(self.laptop.assembly, places)

    @cached_property
    def jobs(self) -> list[str]:
        """The functions that a schedule runs, without the stage."""
        return sorted({s.function.removeprefix(PREFIX) for s in self.assembly.schedules})

    @property
    def visitor(self) -> Client:
        """Somebody at the laptop."""
        return self.laptop.client

    def order_faults(self, faults: Sequence[dict[str, Any]]) -> None:
        """Take these in place of all earlier ones."""
        self.visitor.put("/_local/faults", list(faults)).expect(200)

    def strokes(self) -> list[dict[str, Any]]:
        """The calls that faults were taken for since then."""
        found: list[dict[str, Any]] = self.visitor.get("/_local/faults/strokes").expect(200)
        return found

    def pending_faults(self) -> list[dict[str, Any]]:
        """Those that have still to happen, of those that happen a number of times."""
        found = self.visitor.get("/_local/faults").expect(200)
        return [fault for fault in found if fault["times"]]

    def ask(self, service: str, statement: str) -> list[dict[str, Any]]:
        """A statement in the database of a service."""
        with database(self.laptop, service) as run:
            rows: list[dict[str, Any]] = run(statement)
            return rows

    @contextmanager
    def time_passing(self) -> Iterator[None]:
        """Minutes go by in the while: what the visibility of messages, leases and schedules wait for, happens."""
        is_over = threading.Event()

        def pass_time() -> None:
            with ThreadPoolExecutor(2) as pool:
                while not is_over.wait(BEAT_SECONDS):
                    self._beat(pool)

        thread = threading.Thread(target=pass_time, daemon=True)
        thread.start()
        try:
            yield
        finally:
            is_over.set()
            thread.join(30)

    def _beat(self, pool: ThreadPoolExecutor) -> None:
        self.visitor.post("/_local/queues/release?abandoned").expect(200)
        for service in SERVICES:
            self.ask(service, _TIME_PASSES)
        if self._waiting() > MOST_WAITING:
            return  # the machine is behind: sweeps that find what waits in a queue would only send it once more
        for done in [pool.submit(self.run_job, job) for job in self.jobs if not job.startswith("platform-")]:
            done.result()

    def run_job(self, job: str) -> None:
        """As its schedule does, but whatever is left of others' work is old enough; a failure is the next run's."""
        payload = {"atRestSeconds": 3600} if job.startswith("platform") else {"olderThanSeconds": 0}
        with contextlib.suppress(AssertionError):  # no process is free
            invoke(self.laptop, job, payload)

    def come_to_rest(self, seconds: float = 240) -> None:
        """Without faults, until nothing is under way anywhere. Fails with what is stuck."""
        self.order_faults([])
        self.wait_for_rest(seconds)

    def wait_for_rest(self, seconds: float = 240) -> None:
        """Until nothing is under way anywhere, whatever is ordered. Fails with what is stuck."""
        deadline = time.monotonic() + seconds
        with self.time_passing():
            while left := self.left():
                assert time.monotonic() < deadline, f"stuck: {left[:20]}"
                time.sleep(0.3)

    def left(self) -> list[str]:
        """What is under way or waits; empty at rest."""
        found = [f"{service}: {dict(row)}" for service, ask in LEFT.items() for row in self.ask(service, ask)]
        for service in SERVICES:
            rows = self.ask(service, "SELECT type FROM outbox WHERE published_at IS NULL")
            found += [f"{service}: {row['type']} is not published" for row in rows]
        found += self._queued()
        return found + [f"execution {name} runs" for name in self.executions("RUNNING")]

    def are_queues_empty(self) -> bool:
        """Whether no consumer has anything to do or to try again."""
        return not self._queued()

    def _waiting(self) -> int:
        queues = self.visitor.get("/_local/queues").expect(200)
        return sum(queue["waiting"] for queue in queues)

    def _queued(self) -> list[str]:
        queues = self.visitor.get("/_local/queues").expect(200)
        return [f"{q['name']}: {q}" for q in queues if q["waiting"] + q["inFlight"] + q["delayed"] > 0]

    def executions(self, status: str) -> list[str]:
        """The names of the executions in this status."""
        pages = self._steps.get_paginator("list_executions").paginate(
            stateMachineArn=self._machine, statusFilter=status
        )
        return [row["name"] for page in pages for row in page["executions"]]

    def stop_execution(self, order_id: str) -> None:
        """Stop the order's saga, as an operator may by hand, whichever run of it is under way."""
        running = [name for name in self.executions("RUNNING") if name.startswith(order_id)]
        for name in running:
            arn = f"{self._machine.replace(':stateMachine:', ':execution:')}:{name}"
            self._steps.stop_execution(executionArn=arn, cause="stopped by hand")

    def failed_at(self) -> set[str]:
        """The states at which executions have failed for good."""
        recent = self.visitor.get("/_local/executions").expect(200)["items"]
        return {row["currentState"] for row in recent if row["status"] == "FAILED"}

    def dead(self) -> dict[str, int]:
        """How many messages each dead-letter queue has, of those that have some."""
        queues = self.visitor.get("/_local/queues").expect(200)
        return {q["name"].removeprefix(PREFIX): q["dead"] for q in queues if q["dead"]}

    def redrive(self, queue: str) -> None:
        """Put a queue's dead letters back, as an operator does."""
        DeadLetters(self._client("sqs"), "dev").redrive(queue, None, 10_000)

    def redrive_all(self) -> int:
        """Put all dead letters back; of how many queues."""
        dead = self.dead()
        for queue in dead:
            self.redrive(queue)
        return len(dead)

    def audit(self) -> None:
        """The books are right, and no dead letter is left."""
        assert (dead := self.dead()) == {}, f"dead letters: {dead}"
        assert_balanced(self.laptop)

    def doubled_mails(self) -> list[str]:
        """The Message-IDs of mails that went out more than once since this was last asked."""
        folder = self.laptop.state / "mails"
        new = {file.name for file in folder.glob("*.eml")} - self._seen_mails
        self._seen_mails |= new
        counted = Counter(_message_id(folder / name) for name in new)
        return [id for id, times in counted.items() if times > 1]

    def _hurry(self) -> None:
        """Tries of a task come within a second of one another, not within minutes; their number stays."""
        definition = json.loads(
            self._steps.describe_state_machine(stateMachineArn=self._machine)["definition"]
        )
        for state in definition["States"].values():
            for retry in state.get("Retry", []):
                if retry.get("MaxAttempts", 1):
                    retry["BackoffRate"] = 1.0
                    retry.pop("MaxDelaySeconds", None)
        self._steps.update_state_machine(stateMachineArn=self._machine, definition=json.dumps(definition))

    @cached_property
    def _machine(self) -> str:
        return str(self._steps.list_state_machines()["stateMachines"][0]["stateMachineArn"])

    @cached_property
    def _steps(self) -> Any:
        return self._client("stepfunctions")

    def _client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=f"http://127.0.0.1:{self._ports['aws']}",
            region_name="us-east-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )


def insist(ask: Callable[[], Any], *statuses: int, seconds: float = 240) -> Any:
    """The JSON of the first answer with one of these statuses: a client repeats what a broken server did not answer."""

    def once() -> Any:
        answer = ask()
        if answer.status in statuses:
            return (answer.body,)
        assert answer.status in (429, 500, 502, 503, 504), f"{answer.status}: {answer.content[:500]!r}"
        return None

    return eventually(once, seconds)[0]


def _message_id(file: Path) -> str:
    with file.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if line.lower().startswith("message-id:"):
                return line.partition(":")[2].strip()
    return file.name
