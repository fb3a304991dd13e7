"""Amazon SES, the first provider of mails. Nothing else in the service knows it."""

import os
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from functions.notifications.gateways.failures import MailNotTaken, MailRefused, NotTaken, PerhapsTaken
from functions.notifications.models import Happened, Report
from shared import aws

NAME = "ses"
ANSWER_SECONDS = 10
"""How long SES may take over a mail; less than the claim on it lasts."""

TAG = "notification"


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
        PerhapsTaken: no answer. SES may have taken the mail.
        MailNotTaken: not this mail; asking again later may help.
        NotTaken: anything else; asking again later may help.
    """
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        ConnectTimeoutError,
        EndpointConnectionError,
        HTTPClientError,
    )

    try:
        # Asked once: SES has no idempotency key, and a mail taken late would go out again.
        answer = aws.client("sesv2", read_timeout=ANSWER_SECONDS, tries=1).send_email(
            FromEmailAddress=sender,
            Destination={"ToAddresses": [recipient]},
            Content={"Raw": {"Data": mail}},
            EmailTags=[{"Name": TAG, "Value": str(id)}],
            **_reported(),
        )
    except ClientError as refused:
        # `from None`: SES's words may name an address, and what is raised here gets into the log.
        code = refused.response["Error"]["Code"]
        if code == "BadRequestException":
            raise MailRefused("The mail service refused this mail") from None
        if code == "MessageRejected":  # in the sandbox, say: an address not verified
            raise MailNotTaken(f"The mail service failed ({code})") from None
        # A quota, a pause: all of them end, and the mail is tried until it is given up.
        raise NotTaken(f"The mail service failed ({code})") from None
    except (ConnectTimeoutError, EndpointConnectionError):
        raise NotTaken("The mail service could not be reached") from None
    except HTTPClientError:  # a read time-out, a connection that broke after the request
        raise PerhapsTaken("The mail service did not answer in time") from None
    except BotoCoreError:
        raise NotTaken("The mail service could not be reached") from None
    return str(answer["MessageId"])


def read(event: dict[str, Any]) -> Report | None:
    """What an event of SES's says; None if it is of no mail of ours, or says nothing that matters.

    https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
    """
    kind, mail = event["eventType"], event["mail"]
    tags = (mail.get("tags") or {}).get(TAG)
    what = _WHAT.get(kind)
    if what is None or not tags:
        return None
    details = event.get(kind[0].lower() + kind[1:]) or {}
    happened, reason = what(details)
    return Report(
        notification_id=UUID(tags[0]),
        provider=NAME,
        message_id=mail["messageId"],
        happened=happened,
        at=datetime.fromisoformat(details.get("timestamp") or mail["timestamp"]),
        reason=reason,
    )


def _reported() -> dict[str, str]:
    """The configuration set that has SES tell what becomes of a mail."""
    name = os.environ.get("SES_CONFIGURATION_SET")
    return {"ConfigurationSetName": name} if name else {}


def _bounce(details: dict[str, Any]) -> tuple[Happened, str | None]:
    kind, detail = details.get("bounceType"), details.get("bounceSubType")
    if kind == "Permanent":
        return Happened.BOUNCED, f"The mail bounced: the address does not take mail ({detail})"
    # A full mailbox, an answer from somebody on holiday: the address may well be right.
    return Happened.NOTED, f"The mail was not delivered, or answered by a machine ({detail})"


_WHAT: dict[str, Callable[[dict[str, Any]], tuple[Happened, str | None]]] = {
    "Send": lambda _: (Happened.TAKEN, None),
    "Delivery": lambda _: (Happened.DELIVERED, None),
    "DeliveryDelay": lambda details: (
        Happened.NOTED,
        f"Delivery is delayed ({details.get('delayType')})",
    ),
    "Bounce": _bounce,
    "Complaint": lambda _: (Happened.COMPLAINED, "The recipient reported the mail as spam"),
    "Reject": lambda details: (
        Happened.UNDELIVERED,
        f"The mail service rejected the mail ({details.get('reason')})",
    ),
}
