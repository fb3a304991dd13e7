"""Whether anything is sold now, and how it may be paid: what an operator has decided, not what stock allows."""

from uuid import UUID

from functions.tickets.settings import PAYPAL, PURCHASE_STOP
from shared.errors import AppError, Conflict
from shared.maintenance import retry_after


class PurchaseStopped(AppError):
    """503: nobody may reserve or buy for now; carries Retry-After (seconds)."""

    status = 503
    code = "PURCHASE_STOPPED"
    message = "Nothing is sold for the moment, try again later"


class MethodNotOffered(Conflict):
    """409: this way to pay is not offered to this buyer."""

    code = "PAYMENT_METHOD_NOT_OFFERED"
    message = "This way to pay is not offered at the moment, choose another one"


def stopped(buyer_id: UUID) -> AppError | None:
    """Why this buyer may not reserve or buy anything now; None if they may.

    Asked before the transaction, since flags are read over the loopback, and raised inside it, so that an answer that
    was given already is given again.
    """
    return PurchaseStopped(retry_after=retry_after()) if PURCHASE_STOP(buyer_id) else None


def refusal(buyer_id: UUID, method: str) -> AppError | None:
    """Why this buyer may not buy and pay by `method` now; None if they may. Asked and raised likewise."""
    if method == "paypal" and not PAYPAL(buyer_id):
        return stopped(buyer_id) or MethodNotOffered()
    return stopped(buyer_id)
