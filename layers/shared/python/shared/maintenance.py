"""Maintenance: writing routes answer 503 while reading goes on, until an operator says that it is over."""

from shared.errors import AppError, Unavailable
from shared.settings import Setting

MAINTENANCE_ENABLED = Setting(
    "maintenance_enabled", False, "Whether requests that write are refused with 503 while reading goes on"
)
MAINTENANCE_RETRY_AFTER_SECONDS = Setting(
    "maintenance_retry_after_seconds", 120, "Seconds after which to try again, as told during maintenance"
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
    try:
        enabled = MAINTENANCE_ENABLED()
    except Unavailable:  # a flag that cannot be read must not close what it was never meant to close
        return
    if enabled:
        raise UnderMaintenance(retry_after=MAINTENANCE_RETRY_AFTER_SECONDS())
