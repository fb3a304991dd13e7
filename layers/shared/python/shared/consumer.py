"""SQS → Lambda: each message once per consumer, failures one by one, back-off by visibility.

A message is handled in one transaction that also records its id in the inbox; a duplicate finds the id and is dropped.
A failed message goes back to its queue with a visibility of 1, 2, 4, 8 s (the design document's intervals) and, after
the queue's `maxReceiveCount`, to the dead-letter queue. Where the error says when another try is due (an open circuit),
it is not tried before; while a dependency of ours is away, a database that fails over above all, the last tries wait
longer, so that an outage of a minute makes no dead letters.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar, cast
from uuid import UUID

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from shared import aws
from shared.clock import now
from shared.contracts import Contract
from shared.database import Database, Sql
from shared.errors import Unavailable
from shared.log import begin, correlation_id, follow, invocation_id, logger

C = TypeVar("C", bound=Contract)
BACKOFF_SECONDS = (1, 2, 4, 8)
OUTAGE_SECONDS = (1, 2, 15, 45)


@dataclass(frozen=True)
class Message(Generic[C]):
    """A message as its consumer sees it: the contract's data and what the envelope says of it."""

    id: UUID
    data: C
    subject: UUID
    version: int
    time: datetime


class Consumer:
    """The handlers of one queue, by message type; other types are passed over (contracts grow, consumers follow)."""

    def __init__(self, database: Database, queue: str) -> None:
        self._database, self._queue = database, queue
        self._handlers: dict[str, tuple[type[Contract], Callable[..., None], bool]] = {}
        self._foreign: Callable[[dict[str, Any]], None] | None = None
        self._log = logger(database.service)
        self._own: str | None = None
        self._batch = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)

    def on(
        self, *contracts: type[C]
    ) -> Callable[[Callable[[Message[C], Sql], None]], Callable[[Message[C], Sql], None]]:
        """Handle these types inside the inbox's transaction; raise to have the message again."""

        def register(function: Callable[[Message[C], Sql], None]) -> Callable[[Message[C], Sql], None]:
            for contract in contracts:
                self._handlers[contract.TYPE] = (contract, function, True)
            return function

        return register

    def on_call(
        self, contract: type[C]
    ) -> Callable[[Callable[[Message[C]], None]], Callable[[Message[C]], None]]:
        """Handle a type whose work calls a provider: no transaction is open, no inbox kept.

        The handler records its intent, calls, records the answer, and is itself safe to run twice.
        """

        def register(function: Callable[[Message[C]], None]) -> Callable[[Message[C]], None]:
            self._handlers[contract.TYPE] = (contract, function, False)
            return function

        return register

    def on_foreign(self, function: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], None]:
        """Handle all that comes as it is: messages that somebody else writes, without our envelope.

        No transaction is open and no inbox kept: the handler is itself safe to run twice.
        """
        self._foreign = function
        return function

    def handler(self, event: dict[str, Any], context: Any) -> dict[str, Any]:
        """The Lambda handler: `batchItemFailures` names the messages to have again."""
        begin(self._log, invocation_id(context))
        self._own = correlation_id()
        answer = process_partial_response(event, self._record, self._batch, context)
        return cast("dict[str, Any]", answer)

    def _record(self, record: SQSRecord) -> None:
        self._log.append_keys(message_id=None, order_id=None)  # of the message before
        follow(self._log, self._own)
        try:
            body = self._read(record.body)
            if body is not None:
                self._handle(body)
        except Exception as error:
            self._log.exception("message failed", extra={"queue": self._queue})
            pauses = OUTAGE_SECONDS if isinstance(error, Unavailable) else BACKOFF_SECONDS
            self._back_off(record, pauses, getattr(error, "retry_after", None) or 0)
            raise

    def _read(self, body: str) -> Any:
        """The body's JSON; None for a note of somebody else's that is none.

        SES says hello in plain words when it is first told where its events go.
        """
        try:
            return json.loads(body)
        except ValueError:
            if self._foreign is None:
                raise
            self._log.info("passed over what is no JSON", extra={"queue": self._queue})
            return None

    def _handle(self, envelope: dict[str, Any]) -> None:
        if self._foreign is not None:
            self._foreign(envelope)
            return
        known = self._handlers.get(envelope["type"])
        if known is None:
            return
        contract, function, in_transaction = known
        self._log.append_keys(message_id=envelope["id"], order_id=envelope["data"].get("orderId"))
        follow(self._log, envelope.get("correlationid") or self._own)
        message = Message(
            id=UUID(envelope["id"]),
            data=contract.model_validate(envelope["data"]),
            subject=UUID(envelope["subject"]),
            version=envelope["sequence"],
            time=datetime.fromisoformat(envelope["time"]),
        )
        if not in_transaction:
            function(message)
        else:
            with self._database.transaction() as sql:
                if self._is_new(sql, message.id):
                    function(message, sql)
        self._log.info("message handled", extra={"queue": self._queue, "type": envelope["type"]})

    def _is_new(self, sql: Sql, message_id: UUID) -> bool:
        return (
            sql.run(
                """
                INSERT INTO inbox (consumer, message_id, received_at) VALUES (%(consumer)s, %(id)s, %(now)s)
                ON CONFLICT DO NOTHING
                """,
                consumer=self._queue,
                id=message_id,
                now=now(),
            )
            == 1
        )

    def _back_off(self, record: SQSRecord, pauses: tuple[int, ...], retry_after: int) -> None:
        attempt = int(record.attributes.approximate_receive_count)
        account, name = record.event_source_arn.split(":")[4:6]
        sqs = aws.client("sqs")
        try:
            sqs.change_message_visibility(
                QueueUrl=sqs.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)["QueueUrl"],
                ReceiptHandle=record.receipt_handle,
                VisibilityTimeout=max(retry_after, pauses[min(attempt, len(pauses)) - 1]),
            )
        except Exception:  # noqa: BLE001  # the message is handed back either way
            self._log.warning("back-off not set: the queue's own visibility applies", extra={"queue": name})
