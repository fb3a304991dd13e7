"""What the auditor relies on of a `PaymentGateway`: each payment's money, in a list and by itself."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from functions.payments.gateways.gateway import GatewayKnowsNothing, PaymentGateway, PaymentResult, Takings
from shared.clock import now
from tests.contracts.tills import AMOUNT, PayPalTill, StripeTill, Till
from tests.provider_server import eventually

ZERO = Decimal("0.00")
LATELY = timedelta(seconds=2)  # the providers are shared with other tests


@pytest.fixture(params=["stripe", "paypal"])
def till(request: pytest.FixtureRequest) -> Iterator[Till]:
    """Each provider in turn."""
    server, endpoint = request.getfixturevalue(f"_{request.param}")
    till: Till = StripeTill(server, endpoint) if request.param == "stripe" else PayPalTill(server, endpoint)
    yield till
    server.control("DELETE", "faults")


@pytest.fixture
def gateway(till: Till) -> PaymentGateway:
    return till.gateway()


def listed(gateway: PaymentGateway, since: datetime) -> dict[str | None, Takings]:
    """Every payment since then by its order, page after page."""
    found: dict[str | None, Takings] = {}
    cursor: str | None = None
    while True:
        page = gateway.takings(since, cursor)
        found |= {taken.order_id: taken for taken in page.items}
        cursor = page.cursor
        if cursor is None:
            return found


def test_a_payment_is_listed_with_its_order_and_its_money(till: Till, gateway: PaymentGateway) -> None:
    order_id, begun = str(uuid4()), now() - LATELY
    paid = till.pay(gateway, order_id)

    taken = listed(gateway, begun)[order_id]

    assert (taken.intent_id, taken.captured, taken.refunded, taken.lost, taken.currency) == (
        paid.intent_id,
        AMOUNT,
        ZERO,
        ZERO,
        "USD",
    )
    assert begun <= taken.changed_at <= now() + timedelta(seconds=1)
    assert gateway.takings_of(paid.intent_id) == taken


def test_only_payments_that_took_money_are_listed(till: Till, gateway: PaymentGateway) -> None:
    declined, waiting = str(uuid4()), str(uuid4())
    till.pay(gateway, declined, "declined")
    begun = till.begin(gateway, waiting)
    assert {declined, waiting}.isdisjoint(listed(gateway, now() - LATELY))
    assert gateway.takings_of(begun.intent_id).captured == ZERO


def test_what_went_back_is_no_longer_there(till: Till, gateway: PaymentGateway) -> None:
    order_id = str(uuid4())
    paid = till.pay(gateway, order_id)
    gateway.refund(intent_id=paid.intent_id, amount=Decimal("40.00"), key=str(uuid4()))
    gateway.refund(intent_id=paid.intent_id, amount=Decimal("9.00"), key=str(uuid4()))
    taken = listed(gateway, now() - LATELY)[order_id]
    assert (taken.captured, taken.refunded, taken.lost) == (AMOUNT, Decimal("49.00"), ZERO)


def test_a_refund_that_failed_is_still_there(till: Till, gateway: PaymentGateway) -> None:
    paid = till.pay(gateway, str(uuid4()), "refund_fails")
    gateway.refund(intent_id=paid.intent_id, amount=AMOUNT, key=str(uuid4()))
    eventually(lambda: gateway.takings_of(paid.intent_id).refunded == ZERO, seconds=30)


def test_what_a_dispute_took_is_lost_once_it_is_decided(till: Till, gateway: PaymentGateway) -> None:
    paid = till.pay(gateway, str(uuid4()), "dispute")
    eventually(lambda: gateway.fetch(paid.intent_id).disputed, seconds=30)
    assert gateway.takings_of(paid.intent_id).lost == ZERO
    lose(till, paid)
    assert gateway.takings_of(paid.intent_id).lost == AMOUNT


def test_payments_from_before_are_not_listed(till: Till, gateway: PaymentGateway) -> None:
    order_id = str(uuid4())
    till.pay(gateway, order_id)
    assert order_id not in listed(gateway, now() + timedelta(minutes=1))


def test_a_list_has_pages(till: Till, gateway: PaymentGateway) -> None:
    begun = now() - LATELY
    before = len(listed(gateway, begun))
    size = 100 if isinstance(till, StripeTill) else 20
    orders = {str(uuid4()) for _ in range(size + 1 - before)} if before <= size else {str(uuid4())}
    for order_id in orders:
        till.pay(gateway, order_id)
    assert gateway.takings(begun).cursor is not None
    assert orders <= listed(gateway, begun).keys()


def test_a_long_time_is_searched_in_parts(till: Till, gateway: PaymentGateway) -> None:
    order_id = str(uuid4())
    till.pay(gateway, order_id)
    assert order_id in listed(gateway, now() - timedelta(days=70))


def test_an_unknown_payment_has_no_money(till: Till, gateway: PaymentGateway) -> None:
    with pytest.raises(GatewayKnowsNothing):
        gateway.takings_of(till.unknown)


def lose(till: Till, paid: PaymentResult) -> None:
    """The bank decides for the buyer."""
    if isinstance(till, PayPalTill):
        assert till.server.control("POST", f"disputes/{paid.charge_id}", {"outcome": "lose"})[0] == 200
        return
    client = till.server.client()  # type: ignore[attr-defined]
    (dispute,) = client.v1.disputes.list({"payment_intent": paid.intent_id}).data
    client.v1.disputes.close(dispute.id)
