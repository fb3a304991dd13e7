"""The bucket of pictures: forms to upload with, the files that came, and what is made of them."""

import os
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from functions.events import image_addresses
from functions.events.image_addresses import PLACEHOLDER, Size
from functions.events.models import Upload
from functions.events.settings import IMAGE_UPLOAD_SECONDS
from shared import aws

UPLOADS, SHOWN = "uploads", "public"
FOR_EVER = "public, max-age=31536000, immutable"
FOR_AN_HOUR = "public, max-age=3600"


class FileGone(Exception):
    """The file is not there any more, or another one is in its place."""


@dataclass(frozen=True)
class Form:
    """A presigned POST: where a file goes, and the fields that go with it."""

    url: str
    fields: dict[str, str]


def form(upload: Upload) -> Form:
    """A form that S3 accepts for a while, for a file of the announced type that is not larger than announced.

    https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
    """
    signed = _s3().generate_presigned_post(
        Bucket=_bucket(),
        Key=_key(upload.id),
        Fields={"Content-Type": upload.content_type},
        Conditions=[
            {"Content-Type": upload.content_type},
            ["content-length-range", 1, upload.size],
        ],
        ExpiresIn=IMAGE_UPLOAD_SECONDS(),
    )
    return Form(signed["url"], signed["fields"])


def read(upload_id: UUID, etag: str, at_most: int) -> bytes:
    """The uploaded file, or its first bytes.

    Raises:
        FileGone: it is not the one of this tag.
    """
    from botocore.exceptions import ClientError

    try:
        answer = _s3().get_object(Bucket=_bucket(), Key=_key(upload_id), IfMatch=etag)
    except ClientError as refused:
        if refused.response["Error"]["Code"] in ("NoSuchKey", "PreconditionFailed"):
            raise FileGone() from refused
        raise
    content: bytes = answer["Body"].read(at_most)
    return content


def discard(upload_id: UUID) -> None:
    """Delete the uploaded file; none is no error."""
    _s3().delete_object(Bucket=_bucket(), Key=_key(upload_id))


def keep(upload_id: UUID, pictures: dict[Size, bytes]) -> None:
    """Put the pictures made of an upload where they are shown."""
    for size, content in pictures.items():
        _put(image_addresses.path(upload_id, size), content, FOR_EVER)


def keep_placeholder(content: bytes) -> None:
    """Put the picture of events that have none where it is shown."""
    _put(PLACEHOLDER, content, FOR_AN_HOUR)


def remove(upload_id: UUID) -> None:
    """Delete the pictures made of an upload; none is no error."""
    found = _s3().list_objects_v2(Bucket=_bucket(), Prefix=f"{SHOWN}/{upload_id}/").get("Contents", [])
    for item in found:
        _s3().delete_object(Bucket=_bucket(), Key=item["Key"])


def upload_of(key: str) -> UUID | None:
    """The upload that a key of the bucket belongs to; None if to none."""
    try:
        return UUID(key.removeprefix(f"{UPLOADS}/"))
    except ValueError:
        return None


def _put(path: str, content: bytes, caching: str) -> None:
    _s3().put_object(
        Bucket=_bucket(),
        Key=f"{SHOWN}/{path}",
        Body=content,
        ContentType="image/jpeg",
        CacheControl=caching,
    )


def _key(upload_id: UUID) -> str:
    return f"{UPLOADS}/{upload_id}"


def _bucket() -> str:
    return os.environ["PICTURES_BUCKET"]


def _s3() -> Any:
    return aws.client("s3", signature="s3v4")
