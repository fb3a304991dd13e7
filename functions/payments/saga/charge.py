"""Charge: take the money of an order whose seats are bound to it."""

from functions.payments import charging, compensating, provider
from functions.payments.charging import Due
from functions.payments.database import database
from functions.payments.gateways.gateway import GatewayCircuitOpen
from functions.payments.saga_models import Charged, ChargeInput
from shared.clock import now
from shared.task import task


def charge(given: ChargeInput) -> Charged:
    """Record, call, record. A crash in between is healed by running again: the attempt keeps its key."""
    with database.transaction() as sql:
        step = charging.begin(sql, given.reservation, now())
        # An earlier run of the saga may have got so far, and failed after it.
        if compensating.has_begun(sql, given.reservation.order_id):
            return Charged(outcome="refunded")
    if not isinstance(step, Due):
        return step
    try:
        answer = charging.carry_out(provider.gateway_for(step.order), step)
    except GatewayCircuitOpen:
        with database.transaction() as sql:
            charging.not_asked(sql, step)
        raise
    with database.transaction() as sql:
        return charging.record(sql, step.attempt, answer, now())


handler = task("payments", ChargeInput, charge)
