"""The files of an export: the services' parts, and the one made of them. S3 is called: no transaction is open."""

import json
import os
from datetime import datetime
from uuid import UUID

from shared import aws, privacy
from shared.clock import iso

PARTS = ("auth", "events", "tickets", "payments", "notifications")
NAME = "box-office-data.json"


def assemble(export_id: UUID, user_id: UUID, at: datetime) -> None:
    """Make one file of the parts; doing it again makes the same file."""
    storage, bucket = aws.client("s3"), os.environ["EXPORTS_BUCKET"]
    document = {"exportId": str(export_id), "userId": str(user_id), "createdAt": iso(at)}
    for service in PARTS:
        part = storage.get_object(Bucket=bucket, Key=privacy.part_key(export_id, service))
        document[service] = json.load(part["Body"])
    privacy.put(_key(export_id), document)


def delete_parts(export_id: UUID) -> None:
    """The parts are in the whole."""
    _delete([privacy.part_key(export_id, service) for service in PARTS])


def delete_all(export_id: UUID) -> None:
    """Leave nothing of an export."""
    _delete([_key(export_id), *(privacy.part_key(export_id, service) for service in PARTS)])


def link(export_id: UUID, *, seconds: int) -> str:
    """An address that anybody may fetch the file from for so many seconds. Nothing is sent: it is a signature.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/ShareObjectPreSignedURL.html
    """
    # The old kind of signature, S3's usual one, is refused where a key of one's own encrypts.
    url: str = aws.client("s3", signature="s3v4").generate_presigned_url(
        "get_object",
        Params={
            "Bucket": os.environ["EXPORTS_BUCKET"],
            "Key": _key(export_id),
            "ResponseContentDisposition": f'attachment; filename="{NAME}"',
        },
        ExpiresIn=seconds,
    )
    return url


def _key(export_id: UUID) -> str:
    return f"{export_id}/{NAME}"


def _delete(keys: list[str]) -> None:
    aws.client("s3").delete_objects(
        Bucket=os.environ["EXPORTS_BUCKET"],
        Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True},
    )
