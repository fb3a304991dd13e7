"""Amazon SES, the provider of mails. Nothing else in the service knows it."""

from uuid import UUID

from shared import aws
from shared.errors import ProviderFailed, ProviderTimedOut

NAME = "ses"
ANSWER_SECONDS = 10
"""How long SES may take over a mail; less than the claim on it lasts."""


class MailRefused(Exception):
    """The provider will never take this mail; `reason` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def send(mail: bytes, *, id: UUID, sender: str, recipient: str) -> str:
    """Hand a finished MIME mail to SES.

    https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html

    Args:
        id: the notification's; it comes back as a tag of each delivery event.
        sender, recipient: addresses without names.

    Returns:
        SES's id of the mail.

    Raises:
        MailRefused: the mail itself is wrong; asking again is of no use.
        ProviderTimedOut: no answer in time. SES may have taken the mail.
        ProviderFailed: anything else; asking again later may help.
    """
    from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, ReadTimeoutError

    try:
        # Asked once: SES has no idempotency key, and a mail taken late would go out again.
        answer = aws.client("sesv2", read_timeout=ANSWER_SECONDS, tries=1).send_email(
            FromEmailAddress=sender,
            Destination={"ToAddresses": [recipient]},
            Content={"Raw": {"Data": mail}},
            EmailTags=[{"Name": "notification", "Value": str(id)}],
        )
    except ClientError as refused:
        code = refused.response["Error"]["Code"]
        if code == "BadRequestException":
            raise MailRefused("The mail service refused this mail") from refused
        # A sender not verified yet, a quota, a pause: all of them end, and the mail is tried until it is given up.
        raise ProviderFailed(f"The mail service failed ({code})") from refused
    except (ConnectTimeoutError, ReadTimeoutError) as late:
        raise ProviderTimedOut("The mail service did not answer in time") from late
    except BotoCoreError as broken:
        raise ProviderFailed("The mail service could not be reached") from broken
    return str(answer["MessageId"])
