"""Every five minutes, where the stage has a canary: buy a free ticket at the public address, as anybody would."""

import os
from typing import Any

from functions.platform.canary import Canary, Unexpected
from shared import metrics, parameters
from shared.business import CANARY_EVENT
from shared.errors import Unavailable
from shared.log import begin, invocation_id, logger

log = logger("platform")

NO_EVENT = CANARY_EVENT.default


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Whether it has its ticket, and if not, the step that it did not get beyond.

    A failure is an answer and a metric (`CanarySucceeded`), no error: the alarm wants two in a row, or none at all.

    Args:
        event: by hand, `{"setUp": true}` publishes the event that it will buy at and answers with its id;
            `{"eventId"}` buys there instead of at the one in force.
    """
    begin(log, invocation_id(context))
    canary = Canary(lambda step, seconds: metrics.gauge("platform", "CanarySeconds", seconds, step=step))
    try:
        account = parameters.secret(os.environ["CANARY_SECRET_ARN"])
        if (event or {}).get("setUp"):
            return {"eventId": canary.set_up(account["email"], account["password"])}
        _buy(canary, str((event or {}).get("eventId", CANARY_EVENT())), account)
    except (Unexpected, Unavailable) as failed:
        log.error("the canary has no ticket", extra={"step": canary.step, "reason": str(failed)})
        metrics.count("platform", "CanarySucceeded", 0)
        return {"succeeded": False, "step": canary.step, "reason": str(failed)}
    log.info("the canary has its ticket")
    metrics.count("platform", "CanarySucceeded")
    return {"succeeded": True}


def _buy(canary: Canary, event_id: str, account: dict[str, Any]) -> None:
    if event_id == NO_EVENT or not account.get("email"):
        raise Unexpected("not set up")
    canary.buy(event_id, account["email"], account["password"])
