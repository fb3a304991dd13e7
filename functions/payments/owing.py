"""Orders that are owed all of their money: no tickets came of them, it came too late, or their event was cancelled.

Nobody has asked for these refunds, and nobody would ask again. So when one of them could not be carried out because a
part had gone back elsewhere, what is left is owed as before.
"""

from uuid import UUID

from functions.payments.models import RefundStatus
from functions.payments.repository import orders, refunds
from shared.database import Sql

CALLED_OFF = "EVENT_CANCELLED"
CALLED_OFF_REASON = "The event was cancelled"
TOO_LARGE = "amount_too_large"
_CAUSES = ("COMPENSATION", "LATE_PAYMENT", CALLED_OFF)


def why(sql: Sql, order_id: UUID) -> tuple[str, str] | None:
    """The cause and the reason for which all that is left of an order's money is to go back; None if it is not.

    Nor is it if a bank has sent such a refund back: asking for that again would have no end.
    """
    owed = [refund for refund in refunds.of_order(sql, order_id) if refund.cause in _CAUSES]
    if any(refund.status is RefundStatus.FAILED and refund.failure != TOO_LARGE for refund in owed):
        return None
    if owed:
        return owed[-1].cause, owed[-1].reason
    if orders.was_called_off(sql, order_id):
        return CALLED_OFF, CALLED_OFF_REASON
    return None
