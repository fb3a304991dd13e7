"""Makes moto's SQS safe for many threads: without this a message sent while another is deleted can be lost.

moto replaces a queue's list of messages when it deletes one, while a sender appends to the list it has just read.
Every change of a queue takes that queue's own lock; a receiver that waits lets go of it.
"""

from __future__ import annotations

from typing import Any

from moto.sqs.models import Queue, SQSBackend, sqs_backends

from local.aws_replace import replace
from local.resources import ACCOUNT, REGION


def install() -> None:
    """Put the locks in. Call once, before the server starts."""
    delete, receive = Queue.delete_message, SQSBackend.receive_message
    change, purge = SQSBackend.change_message_visibility, SQSBackend.purge_queue

    def delete_message(self: Queue, receipt_handle: str) -> None:
        with self._messages_lock:
            delete(self, receipt_handle)

    def receive_message(self: SQSBackend, queue_name: str, *args: Any, **options: Any) -> Any:
        with self.get_queue(queue_name)._messages_lock:
            return receive(self, queue_name, *args, **options)

    def change_message_visibility(self: SQSBackend, queue_name: str, *args: Any, **options: Any) -> None:
        queue = self.get_queue(queue_name)
        with queue._messages_lock:
            before = {message.id: message.visible_at for message in queue._messages}
            change(self, queue_name, *args, **options)
            for message in queue._messages:
                if message.visible_at != before[message.id]:
                    message.backs_off_until = message.visible_at  # type: ignore[attr-defined]  # ours
            queue._messages_lock.notify_all()

    def purge_queue(self: SQSBackend, queue_name: str) -> None:
        with self.get_queue(queue_name)._messages_lock:
            purge(self, queue_name)

    replace(Queue, delete_message=delete_message)
    replace(
        SQSBackend,
        receive_message=receive_message,
        change_message_visibility=change_message_visibility,
        purge_queue=purge_queue,
    )


def release(held: set[str], *, put_off: bool = True) -> int:
    """Let visibility time-outs and delays be over for every message but those of these ids; how many there were.

    Without `put_off`, those are left alone that their consumer put off: they wait for something else than time.
    """
    released = 0
    for queue in list(sqs_backends[ACCOUNT][REGION].queues.values()):
        with queue._messages_lock:
            for message in queue._messages:
                waits = put_off or getattr(message, "backs_off_until", None) != message.visible_at
                if message.id not in held and waits and (message.delayed or not message.visible):
                    message.visible_at = message.delayed_until = 0.0
                    released += 1
            queue._messages_lock.notify_all()
    return released
