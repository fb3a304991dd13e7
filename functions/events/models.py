"""The shapes of the events service: what it is sent, what it answers, and the event its rules are about."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from functions.events import image_addresses
from functions.events.settings import IMAGE_MAX_BYTES
from shared.clock import now
from shared.errors import BadInput
from shared.paging import Page
from shared.wire import Answer, Body, Instant, lines, one_line

Status = Literal["DRAFT", "PUBLISHED", "CANCELLED", "COMPLETED"]
Sort = Literal["relevance", "date"]
ImageType = Literal["image/jpeg", "image/png", "image/webp"]
ImageStatus = Literal["NONE", "AWAITED", "SHOWN", "REFUSED", "EXPIRED"]
UploadStatus = Literal["AWAITED", "SHOWN", "REFUSED", "SUPERSEDED", "REPLACED", "EXPIRED"]
YEARS_END = 9999  # the last years of the calendar cannot be shown in every time zone


def _a_zone(name: str) -> str:
    # Not every file of the time zone database is a place: browsers know Area/Location, and UTC.
    area, slash, _ = name.partition("/")
    try:
        if name != "UTC" and (not slash or area in ("posix", "right")):
            raise ValueError(name)
        ZoneInfo(name)
    except (OSError, ValueError, ZoneInfoNotFoundError) as unknown:
        raise ValueError("Must be a time zone like Europe/Berlin") from unknown
    return name


def _to_come(instant: datetime) -> datetime:
    if instant <= now():
        raise ValueError("Must be in the future")
    if instant.year >= YEARS_END:
        raise ValueError(f"Must be before {YEARS_END}")
    # To the millisecond, as instants are shown: an event that is saved as it was read stays where it was.
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


def _not_too_large(size: int) -> int:
    if size > IMAGE_MAX_BYTES():
        raise ValueError(f"Must be at most {IMAGE_MAX_BYTES()} bytes")
    return size


def _since(value: Any) -> datetime:
    return _instant(value, timedelta(0))


def _before(value: Any) -> datetime:
    """The first instant that is too late."""
    return _instant(value, timedelta(days=1))


def _instant(value: Any, day: timedelta) -> datetime:
    """An instant, or a date (in UTC) and `day`."""
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", value):
            return datetime.fromisoformat(value).replace(tzinfo=UTC) + day
        instant = datetime.fromisoformat(value)
        if instant.tzinfo is None:
            raise ValueError(value)
        # To the millisecond, as instants are shown: what was shown can be asked for.
        return instant.astimezone(UTC) + timedelta(milliseconds=1 if day else 0)
    except (ValueError, TypeError, OverflowError) as bad:
        raise ValueError("Must be an instant like 2027-05-31T18:00:00Z, or a date") from bad


Title = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(one_line)]
Description = Annotated[str, Field(max_length=10_000), AfterValidator(lines)]
TimeZone = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_a_zone)]
CategoryName = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=100),
    AfterValidator(one_line),
]
Since = Annotated[datetime, BeforeValidator(_since)]
Before = Annotated[datetime, BeforeValidator(_before)]


class EventRequest(Body):
    """An event as its organizer describes it."""

    name: Title
    description: Description | None = None
    event_date: Annotated[Instant, AfterValidator(_to_come)]
    time_zone: TimeZone
    venue_name: Title
    venue_address: Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(lines)]
    category: CategoryName | None = None


class CancelRequest(Body):
    """Why an event is cancelled; ticket holders will read it."""

    reason: Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(lines)]


class ImageRequest(Body):
    """The picture that is to be uploaded."""

    content_type: ImageType
    size: Annotated[
        int,
        Field(ge=1, le=IMAGE_MAX_BYTES.default, strict=True, description="The file's size in bytes"),
        AfterValidator(_not_too_large),
    ]


class CategoryRequest(Body):
    """A new category."""

    name: CategoryName
    description: Annotated[str, Field(max_length=1000), AfterValidator(lines)] | None = None


class Category(Answer):
    """A category that events may name."""

    id: UUID
    name: str
    description: str | None


# What an organizer is told of the newest upload, for each state of it. It cannot have been replaced by a newer one.
_IMAGE_STATUS: dict[UploadStatus, ImageStatus] = {
    "AWAITED": "AWAITED",
    "SHOWN": "SHOWN",
    "REFUSED": "REFUSED",
    "SUPERSEDED": "EXPIRED",
    "REPLACED": "EXPIRED",
    "EXPIRED": "EXPIRED",
}


class Event(Answer):
    """An event on the wire."""

    id: UUID
    organizer_id: UUID
    name: str
    description: str | None
    event_date: Instant
    time_zone: str
    venue_name: str
    venue_address: str
    category: str | None
    image_url: str
    status: Status
    created_at: Instant
    updated_at: Instant
    version: int

    @classmethod
    def of(cls, record: "EventRecord") -> "Event":
        """The event as everybody who may see it sees it."""
        return cls(**_shown(record))


class OwnEvent(Event):
    """An event as its organizer sees it: with what became of the picture that was asked for last.

    `imageStatus` is `NONE` as long as none was asked for; `AWAITED` until the file has come and been looked at;
    `SHOWN`; `REFUSED`, and `imageError` says why; `EXPIRED` when no file came. Until another one is shown, the event
    keeps the picture it has.
    """

    image_status: ImageStatus
    image_error: str | None

    @classmethod
    def own(cls, record: "EventRecord", upload: "Upload | None") -> "OwnEvent":
        """The event and its newest upload."""
        status: ImageStatus = "NONE" if upload is None else _IMAGE_STATUS[upload.status]
        return cls(**_shown(record), image_status=status, image_error=upload.error if upload else None)


class ImageForm(Answer):
    """A form to upload a picture with, as multipart/form-data, until `expiresAt`: all `fields`, then the `file`.

    `imageUrl` is where the picture will be, a moment after the upload; until then a placeholder is shown there (404).
    """

    upload_url: str
    fields: dict[str, str]
    image_url: str
    expires_at: Instant


class CategoryCount(Answer):
    """How many results a category has."""

    category: str
    count: int


class Facets(Answer):
    """What the results could be narrowed by."""

    categories: list[CategoryCount]


class SearchPage(Page[Event]):
    """One page of results, and what they could be narrowed by."""

    facets: Facets


@dataclass(frozen=True)
class EventRecord:
    """An event as the database knows it."""

    id: UUID
    organizer_id: UUID
    name: str
    description: str | None
    event_date: datetime
    time_zone: str
    venue_name: str
    venue_address: str
    category: str | None
    image_url: str | None
    status: Status
    version: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True)
class Upload:
    """A picture that was asked for. `event_id` is None once the event is deleted."""

    id: UUID
    event_id: UUID | None
    sequence: int
    content_type: ImageType
    size: int
    status: UploadStatus
    error: str | None
    created_at: datetime


@dataclass(frozen=True)
class Filter:
    """Which upcoming events are wanted: of a category, from an instant on, before another."""

    category: str | None
    since: datetime | None
    before: datetime | None

    @classmethod
    def of(cls, category: str | None, since: datetime | None, before: datetime | None) -> "Filter":
        """From the query's `category`, `from` and `to`.

        Raises:
            BadInput: `to` comes before `from`.
        """
        if since is not None and before is not None and before <= since:
            raise BadInput.field("to", "Must not come before from")
        return cls(category, since, before)


def _shown(record: EventRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "organizer_id": record.organizer_id,
        "name": record.name,
        "description": record.description,
        "event_date": record.event_date,
        "time_zone": record.time_zone,
        "venue_name": record.venue_name,
        "venue_address": record.venue_address,
        "category": record.category,
        "image_url": image_addresses.url(record.image_url),
        "status": record.status,
        "created_at": record.created_at,
        "updated_at": record.updated_at,
        "version": record.version,
    }
