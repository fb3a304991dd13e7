"""A journal of moto's SQS: what was sent and not deleted is in its queue again after the emulation was killed.

Real SQS keeps an accepted message, and senders rely on that: a link in a mail is blanked in the outbox once it is
published.
Messages come back without delay and with a fresh receive count, in the queue or dead-letter queue they were in.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from pathlib import Path
from typing import Any

from moto.sqs.models import Message, Queue, SQSBackend

from local.aws_replace import replace

_SCHEMA = """
    CREATE TABLE IF NOT EXISTS messages (
        id TEXT PRIMARY KEY, queue TEXT NOT NULL, body TEXT NOT NULL, attributes TEXT NOT NULL,
        sequence INTEGER NOT NULL)
"""
_KEEP = """
    INSERT OR REPLACE INTO messages (id, queue, body, attributes, sequence)
    VALUES (:id, :queue, :body, :attributes, (SELECT coalesce(max(sequence), 0) + 1 FROM messages))
"""


class Journal:
    """The file. A killed process loses nothing written to it; a power cut may lose the last moments."""

    def __init__(self, file: Path) -> None:
        file.touch(mode=0o600)
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.execute(_SCHEMA)

    def keep(self, queue: str, message: Message) -> None:
        """The message is in that queue now (a dead letter changes its queue, not its id)."""
        row = {
            "id": message.id,
            "queue": queue,
            "body": message.body,
            "attributes": json.dumps(message.message_attributes),
        }
        self._run(_KEEP, row)

    def forget(self, message_id: str) -> None:
        """The message was deleted."""
        self._run("DELETE FROM messages WHERE id = :id", {"id": message_id})

    def forget_all(self, queue: str) -> None:
        """The queue was purged."""
        self._run("DELETE FROM messages WHERE queue = :queue", {"queue": queue})

    def of(self, queue: str) -> list[tuple[str, str, dict[str, Any]]]:
        """Id, body and attributes of the queue's messages, oldest first."""
        rows = self._run(
            "SELECT id, body, attributes FROM messages WHERE queue = :queue ORDER BY sequence",
            {"queue": queue},
        )
        return [(id_, body, json.loads(attributes)) for id_, body, attributes in rows]

    def _run(self, statement: str, values: dict[str, str]) -> list[Any]:
        with self._lock:
            return self._connection.execute(statement, values).fetchall()


def install(file: Path) -> None:
    """Journal every queue from now on, and fill each with what the journal has of it when it is created."""
    journal = Journal(file)
    add, delete = Queue.add_message, Queue.delete_message
    create, purge = SQSBackend.create_queue, SQSBackend.purge_queue

    def add_message(self: Queue, message: Message) -> None:
        journal.keep(self.name, message)
        add(self, message)

    def delete_message(self: Queue, receipt_handle: str) -> None:
        found = [message.id for message in list(self._messages) if message.had_receipt_handle(receipt_handle)]
        delete(self, receipt_handle)
        for message_id in found:
            journal.forget(message_id)

    def purge_queue(self: SQSBackend, queue_name: str) -> None:
        purge(self, queue_name)
        journal.forget_all(queue_name)

    def create_queue(self: SQSBackend, name: str, *args: Any, **options: Any) -> Queue:
        is_new = name not in self.queues
        queue = create(self, name, *args, **options)
        if is_new:
            _refill(queue, journal)
        return queue

    replace(Queue, add_message=add_message, delete_message=delete_message)
    replace(SQSBackend, purge_queue=purge_queue, create_queue=create_queue)


def _refill(queue: Queue, journal: Journal) -> None:
    for message_id, body, attributes in journal.of(queue.name):
        message = Message(message_id, body, None)
        message.message_attributes = attributes
        message.mark_sent(delay_seconds=0)
        queue.add_message(message)
