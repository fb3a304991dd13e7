"""AwaitPayment: keep the saga's token until the money is there, or its time is over."""

from functions.payments import waiting
from functions.payments.database import database
from functions.payments.saga_models import AwaitInput
from shared.clock import now
from shared.task import task


def await_payment(given: AwaitInput) -> None:
    """Answered later, through the token; Step Functions does not read what this returns."""
    with database.transaction() as sql:
        waiting.wait(sql, given.order_id, given.task_token, given.outcome, given.reservation, now())


handler = task("payments", AwaitInput, await_payment)
