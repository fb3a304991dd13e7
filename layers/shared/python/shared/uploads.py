"""S3 → SQS → Lambda: files that were uploaded to a bucket, one by one.

S3 says what happened in words of its own, at least once and in any order, so whoever takes a file is itself safe to run
twice. https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from shared.consumer import Consumer
from shared.database import Database


@dataclass(frozen=True)
class Upload:
    """A file in a bucket: its key, and the tag that tells it from another one that had or will have that key."""

    key: str
    etag: str


class Uploads(Consumer):
    """The handler of a queue that S3 tells of uploads; failures and back-off are those of any consumer."""

    def __init__(self, database: Database, queue: str) -> None:
        super().__init__(database, queue)
        self._take: Callable[[Upload], None] = _nobody

    def each(self, function: Callable[[Upload], None]) -> Callable[[Upload], None]:
        """Take each file with this function; no transaction is open. Raise to have the message again."""
        self._take = function
        return function

    def _handle(self, envelope: dict[str, Any]) -> None:
        # A bucket's first message, `s3:TestEvent`, has no records.
        for record in envelope.get("Records", []):
            if record["eventName"].startswith("ObjectCreated:"):
                file = record["s3"]["object"]
                self._take(Upload(unquote_plus(file["key"]), file["eTag"]))


def _nobody(upload: Upload) -> None:
    raise NotImplementedError(f"nobody takes {upload}")
