"""The time, in one place, so that rules take it as an argument."""

from datetime import UTC, datetime


def now() -> datetime:
    """The current instant, aware, in UTC."""
    return datetime.now(UTC)


def iso(instant: datetime) -> str:
    """An instant as the wire shows it: UTC, ISO 8601, milliseconds, `Z`."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
