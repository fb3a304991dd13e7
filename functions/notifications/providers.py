"""The providers of mails, in the order of choice: the first that is up and takes a mail sends it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from uuid import UUID

from functions.notifications.cache import cache as redis
from functions.notifications.gateways import sendgrid, ses
from functions.notifications.gateways.failures import (
    LeftAlone,
    MailNotTaken,
    MailRefused,
    NotTaken,
    PerhapsTaken,
)
from functions.notifications.models import Taken
from functions.notifications.settings import CIRCUIT_FAILURES, CIRCUIT_SECONDS, MAIL_PROVIDER_ORDER
from shared.breaker import Breaker, CircuitOpen
from shared.log import logger
from shared.metrics import count


@dataclass(frozen=True)
class Provider:
    """One provider: how a mail is handed to it, and whether there is one."""

    send: Callable[..., str]
    is_configured: Callable[[], bool]


PROVIDERS = {
    ses.NAME: Provider(ses.send, lambda: True),
    sendgrid.NAME: Provider(sendgrid.send, sendgrid.is_configured),
}


def send(mail: bytes, /, *, id: UUID, sender: str, recipient: str) -> Taken:
    """Hand a mail to the first provider that takes it.

    The next one is asked only if the one before surely did not take the mail; otherwise it might go out twice.

    Raises:
        MailRefused: the mail itself is wrong. Who is asked only because the first choice is away does not decide that:
            each provider has reasons of its own, and the first may take it when it is back.
        PerhapsTaken: a provider did not answer; it may tell later that it has taken the mail.
        LeftAlone: nobody was asked.
        ProviderFailed: nobody takes it now.
    """
    failure: NotTaken | None = None
    pauses: list[int] = []
    for name in chosen():
        try:
            hand_over = partial(PROVIDERS[name].send, mail, id=id, sender=sender, recipient=recipient)
            message_id = _circuit(name)(hand_over)
        except CircuitOpen as left_alone:
            pauses.append(left_alone.retry_after or 0)
            continue
        except NotTaken as failed:
            logger("notifications").warning("mail not taken", extra={"provider": name, "error": str(failed)})
            failure = failed
            continue
        except MailRefused as refused:
            if failure is None and not pauses:
                raise
            failure = failure or NotTaken(str(refused))
            continue
        except PerhapsTaken:
            count("notifications", "MailOutcomeUnknown", provider=name)
            raise
        return Taken(name, message_id)
    if failure is not None:
        raise failure
    raise LeftAlone(
        "The mail services have failed too often and are left alone for a moment",
        retry_after=min(pauses, default=None),
    )


def chosen() -> list[str]:
    """The providers that are configured, the first choice first."""
    return [name for name in MAIL_PROVIDER_ORDER() if name in PROVIDERS and PROVIDERS[name].is_configured()]


@cache
def _circuit(name: str) -> Breaker:
    return Breaker(
        f"mail.{name}",
        redis,
        failures=CIRCUIT_FAILURES,
        open_seconds=CIRCUIT_SECONDS,
        # What is about one mail shuts nobody else's out.
        counts=lambda error: (
            isinstance(error, NotTaken | PerhapsTaken) and not isinstance(error, MailNotTaken)
        ),
    )


def forget_circuits() -> None:
    """Count failures from nothing; for tests."""
    _circuit.cache_clear()
