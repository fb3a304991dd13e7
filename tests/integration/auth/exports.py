"""A bucket for exports, and the consumer that is handed what auth was sent."""

import json
from typing import Any
from uuid import uuid4

import boto3

from functions.auth.consumers import exports as consumer
from shared.clock import iso, now
from shared.contracts import Contract
from tests.people import Desk
from tests.support import context

QUEUE = "auth-exports"
BUCKET = "exports"


class Office:
    """Where exports are put together."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self._seen = desk, 0
        self._storage: Any = boto3.client("s3")
        self._storage.create_bucket(Bucket=BUCKET)
        desk.aws.queue(QUEUE)

    def work(self) -> None:
        """Hand over everything that waits in auth's own queue, until nothing does."""
        while len(waiting := self.desk.aws.messages(QUEUE)) > self._seen:
            envelope = waiting[self._seen]
            self._seen += 1
            self._hand_over(envelope)

    def hear(self, command: Contract) -> None:
        """Hand over a command of somebody else's."""
        self._hand_over(
            {
                "id": str(uuid4()),
                "type": command.TYPE,
                "subject": str(uuid4()),
                "sequence": 1,
                "time": iso(now()),
                "data": command.model_dump(mode="json", by_alias=True),
            }
        )

    def files(self) -> dict[str, Any]:
        """What lies in the bucket."""
        found = self._storage.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        return {item["Key"]: json.loads(self._read(item["Key"])) for item in found}

    def put(self, key: str, document: Any) -> None:
        """Write a part for another service."""
        self._storage.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(document))

    def _read(self, key: str) -> bytes:
        body: bytes = self._storage.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return body

    def _hand_over(self, envelope: dict[str, Any]) -> None:
        answer = consumer.handler({"Records": [self.desk.aws.record(QUEUE, envelope)]}, context())
        assert answer == {"batchItemFailures": []}
