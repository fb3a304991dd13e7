"""Lists: `?limit=` and an opaque `?cursor=`, answered with `items` and `nextCursor`."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

from pydantic import AfterValidator, Field

from shared.errors import BadInput
from shared.wire import Answer

T = TypeVar("T")
DEFAULT_LIMIT, MAX_LIMIT = 20, 100
NOT_OURS = "Not a cursor from a previous page"
Limit = Annotated[int, Field(ge=1, le=MAX_LIMIT)]


def _a_cursor(text: str) -> str:
    _parts(text)
    return text


Cursor = Annotated[str, Field(max_length=500), AfterValidator(_a_cursor)]


class Page(Answer, Generic[T]):
    """One page of a list; `next_cursor` is None on the last."""

    items: list[T]
    next_cursor: str | None = None


def cut(found: list[T], limit: int, position: Callable[[T], tuple[Any, ...]]) -> tuple[list[T], str | None]:
    """One page of what was found when one more than `limit` was asked for, and the cursor of the next page, if any.

    Args:
        position: the sort key of an item, as `decode` is to give it back.
    """
    shown = found[:limit]
    return shown, encode(*position(shown[-1])) if len(found) > limit else None


def encode(*position: Any) -> str:
    """An opaque cursor for the sort key of the last row shown."""
    text = json.dumps([part.isoformat() if isinstance(part, datetime) else str(part) for part in position])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(cursor: str | None, *kinds: Any) -> tuple[Any, ...] | None:
    """The sort key a cursor stands for, each part made by its kind (`UUID`, `instant`); None for None.

    Raises:
        BadInput: not a cursor of ours.
    """
    if cursor is None:
        return None
    try:
        parts = _parts(cursor)
        return tuple(kind(part) for kind, part in zip(kinds, parts, strict=True))
    except (ValueError, TypeError) as bad:
        raise BadInput.field("cursor", NOT_OURS) from bad


def instant(text: str) -> datetime:
    """The instant in a position, in UTC: Python knows offsets that PostgreSQL refuses.

    Raises:
        ValueError: not an instant.
    """
    try:
        read = datetime.fromisoformat(text)
        if read.tzinfo is None:
            raise ValueError(text)
        return read.astimezone(UTC)
    except OverflowError as beyond:
        raise ValueError(text) from beyond


def _parts(cursor: str) -> list[str]:
    """The parts of a position, which a forger may have made of anything.

    Raises:
        ValueError: not made by `encode`.
    """
    try:
        parts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(parts, list):
            raise ValueError
        for part in parts:
            if not isinstance(part, str) or "\x00" in part:
                raise ValueError
            part.encode()  # lone surrogates
    except (ValueError, RecursionError) as bad:
        raise ValueError(NOT_OURS) from bad
    return parts
