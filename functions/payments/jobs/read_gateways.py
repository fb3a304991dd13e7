"""When the auditor asks: what there is of our money at Stripe and PayPal. It changes nothing."""

from typing import Any

from functions.payments import takings
from shared.clock import now
from shared.log import begin, invocation_id, logger

log = logger("payments")


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """A page of payments, or the payments that are named; see `takings.read`."""
    begin(log, invocation_id(context))
    answer = takings.read(event or {}, now())
    log.info("gateway read", extra={"count": len(answer["payments"]), "more": answer["cursor"] is not None})
    return answer
