"""How handing a mail to a provider ends when it does not end well."""

from shared.errors import ProviderFailed, ProviderTimedOut


class MailRefused(Exception):
    """The provider will never take this mail; `reason` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotTaken(ProviderFailed):
    """The provider did not take the mail, and that is sure: another one may be asked at once."""


class MailNotTaken(NotTaken):
    """Something about this very mail, its recipient or its sender, that may pass; the provider itself is well."""


class LeftAlone(ProviderFailed):
    """Nobody was asked: every provider has failed too often. `retry_after` says when one may be asked again."""


class PerhapsTaken(ProviderTimedOut):
    """The request went out and no answer came: the mail may be on its way."""
