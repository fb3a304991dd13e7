"""Saga task Issue: turn the paid order's seats into tickets."""

from functions.tickets import issuing, qr_codes
from functions.tickets.database import database
from functions.tickets.models import Outcome, SagaInput
from shared.clock import now
from shared.task import task


def issue(order: SagaInput) -> Outcome:
    """`issued` (however often it is asked for), or `refused` with the reason, upon which the money goes back."""
    signer = qr_codes.signer()  # may ask for the keys: not while a transaction is open
    with database.transaction() as sql:
        return issuing.issue(sql, order.order_id, signer, now())


handler = task("tickets", SagaInput, issue)
