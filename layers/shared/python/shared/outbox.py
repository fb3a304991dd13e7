"""Messages leave through a table, written in the transaction that made them true, published right after its commit.

What a crash left unpublished is published by each service's `jobs/sweep_messages`. A writer owns its fresh rows for
`LEASE_SECONDS`; the sweep takes rows whose lease is over, with FOR UPDATE SKIP LOCKED, never by "id greater than the
last". Delivery is at least once; consumers keep an inbox.
"""

import json
import os
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from shared import aws, tracing
from shared.clock import iso, now
from shared.contracts import Contract
from shared.database import Database, Row, Sql
from shared.log import correlation_id, logger

LEASE_SECONDS = 30
BATCH = 10  # the most that SNS and SQS take in one call
BATCH_BYTES = 250_000  # of the 262,144 that SNS takes
ENVELOPE_BYTES = 1_000  # of a message, beside its payload
MESSAGE_BYTES = 262_144  # that SNS takes; SQS takes more by now, but what goes to it may go on to a topic
TOPIC, TASK = "topic", "task"
# Of what JSON may hold as it is, what SQS refuses (halves of characters have no UTF-8 at all).
_TO_ESCAPE = re.compile("[\ud800-\udfff\ufffe\uffff]")


class TooLarge(Exception):
    """A message that no broker would take. What it is made of has limits that keep it small; these are wrong."""


def as_json(value: Any) -> str:
    """As messages are written: in UTF-8, in which a character has four bytes at most (escaped it may have twelve)."""
    plain = json.dumps(value, ensure_ascii=False)
    return _TO_ESCAPE.sub(lambda found: f"\\u{ord(found[0]):04x}", plain)


def size_of(value: Any) -> int:
    """The bytes that a value takes in a message."""
    return len(as_json(value).encode())


def publish(sql: Sql, event: Contract, *, subject: UUID, version: int = 1) -> UUID:
    """Tell whoever subscribes to this service's topic; `version` is the aggregate's, for consumers that need an order.

    Returns:
        the message's id.
    """
    return _write(sql, TOPIC, event, subject, version)


def send(sql: Sql, queue: str, command: Contract, *, subject: UUID) -> UUID:
    """Send a command to one queue, e.g. `"mail"` (needs the `QUEUE_MAIL_URL` that a CDK use sets)."""
    return _write(sql, f"queue:{queue}", command, subject, 1)


def wake(sql: Sql, token: str, output: dict[str, Any], *, subject: UUID) -> None:
    """Answer a waiting Step Functions task; a token that is dead by then is no error."""
    payload = {"taskToken": token, "output": output}
    _insert(sql, uuid4(), TASK, "task.answered", subject, 1, payload, sensitive=True)


def deliver(database: Database, rows: list[Row]) -> int:
    """Publish these fresh rows now and mark them; the number published. What fails stays for the sweep."""
    return _publish_rows(database, rows)


def sweep(database: Database, *, limit: int) -> int:
    """Publish what was left behind; the number published.

    What nobody has tried for the longest time comes first, so that however many messages cannot leave, each other one
    has its turn. Consumers that need an order have the aggregate's version.

    Args:
        limit: the most rows of one run.
    """
    with database.transaction() as sql:
        rows = sql.all(
            """
            UPDATE outbox SET claimed_until = %(now)s + make_interval(secs => %(lease)s), attempts = attempts + 1
             WHERE id IN (
                SELECT id FROM outbox
                 WHERE published_at IS NULL AND claimed_until < %(now)s
                 ORDER BY claimed_until, id LIMIT %(limit)s
                   FOR UPDATE SKIP LOCKED)
            RETURNING *
            """,
            now=now(),
            lease=LEASE_SECONDS,
            limit=limit,
        )
    return _publish_rows(database, sorted(rows, key=lambda row: row["id"]))


def ids_since(database: Database, seconds: float) -> tuple[int, int]:
    """The first and the last id of what was written within so many seconds; (1, 0) if nothing was."""
    with database.reading() as sql:
        row = sql.one(
            """
            SELECT coalesce(min(id), 1) AS first, coalesce(max(id), 0) AS last FROM outbox
             WHERE created_at > %(now)s - make_interval(secs => %(seconds)s)
            """,
            now=now(),
            seconds=seconds,
        )
    assert row is not None
    return row["first"], row["last"]


def published(database: Database, first: int, last: int, limit: int) -> list[Row]:
    """What was published of these ids and can be once more, the lowest first; the blanked is past repeating."""
    with database.reading() as sql:
        return sql.all(
            """
            SELECT * FROM outbox
             WHERE id BETWEEN %(first)s AND %(last)s AND published_at IS NOT NULL AND payload IS NOT NULL
             ORDER BY id LIMIT %(limit)s
            """,
            first=first,
            last=last,
            limit=limit,
        )


def oldest_seconds(database: Database) -> float:
    """How long the oldest message has waited that nobody has taken; 0 if there is none."""
    with database.reading() as sql:
        row = sql.one("SELECT min(created_at) AS oldest FROM outbox WHERE published_at IS NULL")
    return max(0.0, (now() - row["oldest"]).total_seconds()) if row and row["oldest"] else 0.0


def _write(sql: Sql, destination: str, message: Contract, subject: UUID, version: int) -> UUID:
    message_id = uuid4()
    data = message.model_dump(mode="json", by_alias=True)
    _insert(sql, message_id, destination, message.TYPE, subject, version, data, sensitive=message.SENSITIVE)
    return message_id


def _insert(
    sql: Sql,
    message_id: UUID,
    destination: str,
    type_: str,
    subject: UUID,
    version: int,
    payload: dict[str, Any],
    *,
    sensitive: bool,
) -> None:
    row = sql.one(
        """
        INSERT INTO outbox (message_id, destination, type, subject, version, payload, sensitive,
                            correlation_id, trace_header, created_at, claimed_until)
        VALUES (%(message_id)s, %(destination)s, %(type)s, %(subject)s, %(version)s, %(payload)s, %(sensitive)s,
                %(correlation)s, %(trace)s, %(now)s, %(now)s + make_interval(secs => %(lease)s))
        RETURNING *
        """,
        message_id=message_id,
        destination=destination,
        type=type_,
        subject=subject,
        version=version,
        payload=payload,
        sensitive=sensitive,
        correlation=correlation_id(),
        trace=tracing.header(),
        now=now(),
        lease=LEASE_SECONDS,
    )
    assert row is not None
    if (bytes_ := size_of(row["payload"]) + ENVELOPE_BYTES) > MESSAGE_BYTES:
        raise TooLarge(f"{type_}: {bytes_} bytes")
    sql.outbox.append(row)


def _publish_rows(database: Database, rows: list[Row]) -> int:
    """Publish what can be; a batch that fails holds up no other, and its error is raised once the others are out."""
    done, failures = attempt(database, rows)
    if failures:
        raise failures[0]
    return done


def attempt(database: Database, rows: list[Row]) -> tuple[int, list[Exception]]:
    """Publish what can be of these rows, and mark it; how many left, and the errors of batches that did not."""
    done: list[int] = []
    failures: list[Exception] = []
    for (destination, trace), group in _by_destination(rows).items():
        with tracing.going_on(trace):
            for batch in _batches(group):
                try:
                    done += _publish_batch(database.service, destination, batch)
                except Exception as failed:  # noqa: BLE001  # the caller's
                    failures.append(failed)
    if done:
        with database.reading() as sql:
            sql.run(
                """
                UPDATE outbox SET published_at = %(now)s,
                                  payload = CASE WHEN sensitive THEN NULL ELSE payload END
                 WHERE id = ANY(%(ids)s)
                """,
                ids=done,
                now=now(),
            )
    return len(done), failures


def _batches(rows: list[Row]) -> Iterator[list[Row]]:
    """As many as a call may carry, by number and by size."""
    batch: list[Row] = []
    size = 0
    for row in rows:
        own = size_of(row["payload"]) + ENVELOPE_BYTES
        if batch and (len(batch) == BATCH or size + own > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(row)
        size += own
    if batch:
        yield batch


def _by_destination(rows: list[Row]) -> dict[tuple[str, str | None], list[Row]]:
    """Grouped by where they go and by the trace that they belong to: a call is part of one trace."""
    groups: dict[tuple[str, str | None], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["destination"], row["trace_header"]), []).append(row)
    return groups


def _publish_batch(service: str, destination: str, rows: list[Row]) -> list[int]:
    """Publish up to ten rows to one destination; the ids that the broker accepted."""
    if destination == TASK:
        return [row["id"] for row in rows if _answer_task(row)]
    entries = [_entry(service, row) for row in rows]
    if destination == TOPIC:
        answer = aws.client("sns").publish_batch(
            TopicArn=os.environ["TOPIC_ARN"],
            PublishBatchRequestEntries=[
                {"Id": entry["id"], "Message": entry["body"], "MessageAttributes": entry["attributes"]}
                for entry in entries
            ],
        )
    else:
        name = destination.removeprefix("queue:").replace("-", "_").upper()
        answer = aws.client("sqs").send_message_batch(
            QueueUrl=os.environ[f"QUEUE_{name}_URL"],
            Entries=[
                {"Id": entry["id"], "MessageBody": entry["body"], "MessageAttributes": entry["attributes"]}
                | _traced(row)
                for entry, row in zip(entries, rows, strict=True)
            ],
        )
    if answer.get("Failed"):
        logger(service).warning("messages not accepted", extra={"count": len(answer["Failed"])})
    return [int(accepted["Id"]) for accepted in answer.get("Successful", [])]


def _entry(service: str, row: Row) -> dict[str, Any]:
    created: datetime = row["created_at"]
    envelope = {
        "specversion": "1.0",
        "id": str(row["message_id"]),
        "source": f"box-office/{service}",
        "type": row["type"],
        "subject": str(row["subject"]),
        "sequence": row["version"],
        "time": iso(created),
        "datacontenttype": "application/json",
        "correlationid": row["correlation_id"],
        "data": row["payload"],
    }
    return {
        "id": str(row["id"]),
        "body": as_json(envelope),
        "attributes": {"type": {"DataType": "String", "StringValue": row["type"]}},
    }


def _traced(row: Row) -> dict[str, Any]:
    """SQS hands this to Lambda, which links the consumer's trace to it. (SNS takes it from the call itself.)"""
    if row["trace_header"] is None:
        return {}
    header = {"DataType": "String", "StringValue": row["trace_header"]}
    return {"MessageSystemAttributes": {"AWSTraceHeader": header}}


def _answer_task(row: Row) -> bool:
    from botocore.exceptions import ClientError

    try:
        aws.client("stepfunctions").send_task_success(
            taskToken=row["payload"]["taskToken"], output=json.dumps(row["payload"]["output"])
        )
    except ClientError as refused:
        # The task has been answered, has timed out, or its execution is over: somebody else decided.
        return refused.response["Error"]["Code"] in ("TaskTimedOut", "TaskDoesNotExist", "InvalidToken")
    return True
