"""By hand: send mails to an address again that bounced, or whose owner had called one spam.

An operator passes `{"email": "somebody@example.com"}` once the owner has said that it works.
"""

from typing import Any

from functions.notifications import suppressions
from functions.notifications.database import database
from shared.job import job


def lift_suppression(event: dict[str, Any]) -> int:
    """1 if the address was suppressed, else 0."""
    with database.transaction() as sql:
        return int(suppressions.lift(sql, str(event["email"])))


handler = job("notifications", lift_suppression)
