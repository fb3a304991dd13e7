"""Maintenance: writing routes answer 503 while reading goes on, until an operator says that it is over."""

from shared.errors import AppError, Unavailable
from shared.flags import Flag
from shared.settings import Setting

MAINTENANCE = Flag(
    "maintenance", False, "Whether requests that write are refused with 503 while reading goes on"
)
RETRY_AFTER_SECONDS = Setting(
    "maintenance_retry_after_seconds",
    120,
    "Seconds after which to try again, as told during maintenance and while nothing is sold",
)


class UnderMaintenance(AppError):
    """503: nothing can be changed for now; carries Retry-After (seconds)."""

    status = 503
    code = "MAINTENANCE"
    message = "Nothing can be changed during maintenance, try again later"


def tells_us(path: str) -> bool:
    """Whether a provider tells us something there: to store it is harmless, and to refuse it is to hear it late."""
    return "/webhooks/" in path


def refuse() -> None:
    """Let a request that writes pass, unless there is maintenance.

    Raises:
        UnderMaintenance: there is.
    """
    if MAINTENANCE():
        raise UnderMaintenance(retry_after=retry_after())


def retry_after() -> int:
    """Seconds after which whoever is refused may try again."""
    try:
        return RETRY_AFTER_SECONDS()
    except Unavailable:  # how long is a detail; that it is closed is known
        return RETRY_AFTER_SECONDS.default
