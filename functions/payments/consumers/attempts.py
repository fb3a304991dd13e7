"""payments-attempts: carry out the payment attempts that /process, or a buyer's approval, recorded."""

from functions.payments import charging, provider, switching
from functions.payments.database import database
from functions.payments.gateways.gateway import (
    Failure,
    GatewayCircuitOpen,
    GatewayTimeout,
    GatewayUnavailable,
    PaymentResult,
)
from functions.payments.settings import ATTEMPT_PATIENCE_SECONDS
from shared.clock import now
from shared.consumer import Consumer, Message
from shared.contracts import AttemptRequested

consumer = Consumer(database, "payments-attempts")


@consumer.on_call(AttemptRequested)
def attempt(message: Message[AttemptRequested]) -> None:
    """Call the provider and record. The message may come again at any point: the attempt keeps its key."""
    with database.transaction() as sql:
        due = charging.resume(sql, message.data.attempt_id, now())
    if due is None:
        return
    answer = _answer(due)
    if answer is None:
        return
    with database.transaction() as sql:
        charging.record(sql, due.attempt, answer, now())


def _answer(due: charging.Due) -> PaymentResult | Failure | None:
    try:
        ready = _at_new_provider(due) if due.changes_provider else due
        return None if ready is None else charging.carry_out(provider.gateway_for(ready.order), ready)
    except GatewayCircuitOpen:
        return charging.NOT_ASKED  # at once: the seats are kept, and the buyer may choose the other provider
    except (GatewayUnavailable, GatewayTimeout):
        if not charging.is_hopeless(due.attempt, now(), ATTEMPT_PATIENCE_SECONDS()):
            raise
        # If the money was taken nevertheless, a webhook tells; another attempt would find it, not take it again.
        return charging.UNAVAILABLE


def _at_new_provider(due: charging.Due) -> charging.Due | None:
    with database.transaction() as sql:
        leaving = switching.begin(sql, due)
    left = switching.leave(provider.gateway_for(due.order), leaving)
    with database.transaction() as sql:
        return switching.arrive(sql, due, left, now())


handler = consumer.handler
