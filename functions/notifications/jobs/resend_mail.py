"""Every minute: ask again for mails that were not sent in time.

An operator passes `{"olderThanSeconds": n}` to ask at once for all that were wanted so long ago.
"""

from typing import Any

from functions.notifications import mails
from functions.notifications.database import database
from shared.job import job


def resend_mail(event: dict[str, Any]) -> int:
    """The number of mails that were put on the mail queue again."""
    older_than = event.get("olderThanSeconds")
    return mails.resend(database, None if older_than is None else int(older_than))


handler = job("notifications", resend_mail)
