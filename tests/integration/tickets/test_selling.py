"""What an operator has stopped is not sold, and PayPal that is not offered is not taken; what was answered stays so."""

from collections.abc import Iterator
from typing import Any

import pytest

from shared import flags
from tests.support import a_user
from tests.ticket_sales import Sales


@pytest.fixture(autouse=True)
def _read_anew() -> Iterator[None]:
    yield
    flags.forget()


def turn(sales: Sales, flag: str, on: bool, **rules: Any) -> None:
    sales.extension.flags[flag] = {"default": on, **({"rules": rules} if rules else {})}
    flags.forget()


def test_while_sales_are_stopped_nothing_is_held_and_nothing_is_bought(sales: Sales) -> None:
    event_id, buyer = sales.event(), a_user()
    stalls = sales.type(event_id)
    reservation = sales.held(buyer, event_id, {stalls: 1})
    turn(sales, "purchase_stop", True)

    for reply in (sales.reserve(buyer, event_id, {stalls: 1}), sales.purchase(buyer, reservation)):
        assert (reply.status, reply.code) == (503, "PURCHASE_STOPPED")
        assert int(reply.headers["Retry-After"]) > 0
    assert (sales.statuses(reservation), sales.stock(stalls)) == (["HELD"], (0, 1))

    turn(sales, "purchase_stop", False)
    assert sales.purchase(buyer, reservation).status == 202


def test_a_purchase_that_was_accepted_is_answered_as_before_while_sales_are_stopped(sales: Sales) -> None:
    event_id, buyer = sales.event(), a_user()
    reservation = sales.held(buyer, event_id, {sales.type(event_id): 1})
    first = sales.purchase(buyer, reservation, key="k")
    turn(sales, "purchase_stop", True)

    again = sales.purchase(buyer, reservation, key="k")

    assert (again.status, again.body) == (202, first.body)


def test_sales_can_be_stopped_for_one_buyer(sales: Sales) -> None:
    event_id, stopped, other = sales.event(), a_user(), a_user()
    stalls = sales.type(event_id)
    condition = {"action": "EQUALS", "key": "user", "value": str(stopped.id)}
    turn(sales, "purchase_stop", False, one={"when_match": True, "conditions": [condition]})

    assert sales.reserve(stopped, event_id, {stalls: 1}).status == 503
    assert sales.reserve(other, event_id, {stalls: 1}).status == 201


def test_paypal_that_is_not_offered_is_refused_and_the_seats_are_kept(sales: Sales) -> None:
    event_id, buyer = sales.event(), a_user()
    reservation = sales.held(buyer, event_id, {sales.type(event_id): 1})
    turn(sales, "paypal", False)

    reply = sales.purchase(buyer, reservation, paymentMethod={"type": "paypal"})

    assert (reply.status, reply.code) == (409, "PAYMENT_METHOD_NOT_OFFERED")
    assert sales.statuses(reservation) == ["HELD"]
    assert sales.purchase(buyer, reservation).status == 202
