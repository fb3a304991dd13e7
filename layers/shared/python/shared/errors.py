"""Every error a caller may see, in one tree. The HTTP status of an error lives here and nowhere else.

Three adapters read the tree: `shared.api` answers with status and body, `shared.task` lets Step Functions retry,
`shared.consumer` hands the message back to its queue.
"""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class FieldError:
    """One offending field of a request: its name on the wire and what is wrong with it."""

    field: str
    message: str


class AppError(Exception):
    """Base of the errors that have a meaning for the caller; `message` is safe to show."""

    status: ClassVar[int] = 500
    code: str = "INTERNAL_ERROR"
    message: str = "Something went wrong on our side"

    def __init__(
        self,
        message: str | None = None,
        *,
        code: str | None = None,
        details: list[FieldError] | None = None,
        retry_after: int | None = None,
    ) -> None:
        self.message = message or self.message
        self.code = code or self.code
        self.details = details or []
        self.retry_after = retry_after
        super().__init__(self.message)


class BadInput(AppError):
    """400: the request itself is wrong; `details` names each offending field."""

    status = 400
    code = "VALIDATION_ERROR"
    message = "Invalid input provided"

    @classmethod
    def field(cls, name: str, message: str) -> "BadInput":
        """The usual case: one field is wrong."""
        return cls(details=[FieldError(name, message)])


class Unauthenticated(AppError):
    """401: no token, or not a valid one."""

    status = 401
    code = "UNAUTHORIZED"
    message = "Authentication required"


class Forbidden(AppError):
    """403: the caller's role may not do this."""

    status = 403
    code = "FORBIDDEN"
    message = "Your role may not do this"


class NotFound(AppError):
    """404: unknown, or someone else's private object."""

    status = 404
    code = "NOT_FOUND"
    message = "Not found"


class Conflict(AppError):
    """409: the state of the resource does not allow it."""

    status = 409
    code = "CONFLICT"
    message = "The current state does not allow this"


class TooManyRequests(AppError):
    """429: too often; carries Retry-After (seconds)."""

    status = 429
    code = "TOO_MANY_REQUESTS"
    message = "Too many requests, try again later"


class ProviderFailed(AppError):
    """502: an outside provider failed."""

    status = 502
    code = "PROVIDER_FAILED"
    message = "A provider we depend on failed"


class Unavailable(AppError):
    """503: one of our own dependencies is down or overloaded; carries Retry-After (seconds)."""

    status = 503
    code = "SERVICE_UNAVAILABLE"
    message = "Temporarily unavailable, try again shortly"

    def __init__(self, dependency: str, *, retry_after: int = 1) -> None:
        super().__init__(retry_after=retry_after)
        self.dependency = dependency


class ProviderTimedOut(AppError):
    """504: an outside provider did not answer in time."""

    status = 504
    code = "PROVIDER_TIMEOUT"
    message = "A provider we depend on did not answer in time"
