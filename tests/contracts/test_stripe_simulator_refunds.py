"""Refunds at Stripe, as Box Office relies on them; also in Stripe's test mode when STRIPE_TEST_KEY is set."""

from typing import Any

import pytest
import stripe

from tests.contracts.stripe_requests import new_intent, paid_intent
from tests.stripe_server import eventually


def test_a_payment_is_refunded_whole(client: stripe.StripeClient) -> None:
    intent = paid_intent(client)
    refund = client.v1.refunds.create(
        {
            "payment_intent": intent.id,
            "reason": "requested_by_customer",
            "metadata": {"refund_key": "7"},
            "expand": ["charge"],
        }
    )
    charge: Any = refund.charge
    assert refund.id.startswith("re_")
    assert (refund.amount, refund.status, refund.reason) == (4950, "succeeded", "requested_by_customer")
    assert refund.metadata is not None
    assert (refund.payment_intent, refund.metadata["refund_key"]) == (intent.id, "7")
    assert (charge.refunded, charge.amount_refunded) == (True, 4950)
    assert client.v1.refunds.retrieve(refund.id).amount == 4950


def test_a_payment_is_refunded_in_parts_and_never_beyond(client: stripe.StripeClient) -> None:
    intent = paid_intent(client)
    for amount in (1000, 3000):
        assert client.v1.refunds.create({"payment_intent": intent.id, "amount": amount}).amount == amount
    with pytest.raises(stripe.InvalidRequestError, match=r"\$9.51.*greater than unrefunded amount.*\$9.50"):
        client.v1.refunds.create({"payment_intent": intent.id, "amount": 951})
    assert client.v1.refunds.create({"payment_intent": intent.id}).amount == 950
    listed = client.v1.refunds.list({"payment_intent": intent.id}).data
    assert [refund.amount for refund in listed] == [950, 3000, 1000]


def test_more_than_was_paid_is_never_refunded(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="greater than") as refusal:
        client.v1.refunds.create({"payment_intent": paid_intent(client).id, "amount": 4951})
    assert refusal.value.http_status == 400


def test_nothing_is_left_after_a_whole_refund(client: stripe.StripeClient) -> None:
    intent = paid_intent(client)
    client.v1.refunds.create({"payment_intent": intent.id})
    with pytest.raises(stripe.InvalidRequestError, match="has already been refunded") as refusal:
        client.v1.refunds.create({"payment_intent": intent.id, "amount": 1})
    assert refusal.value.code == "charge_already_refunded"


def test_what_was_not_paid_is_not_refunded(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="does not have a successful charge to refund"):
        client.v1.refunds.create({"payment_intent": new_intent(client).id})


def test_a_refund_names_what_it_refunds(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.refunds.create({"amount": 100})
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.refunds.create({"payment_intent": "pi_nobody"})
    assert refusal.value.code == "resource_missing"


def test_a_refund_may_take_a_while(client: stripe.StripeClient) -> None:
    intent = paid_intent(client, card="pm_card_pendingRefund")
    refund = client.v1.refunds.create({"payment_intent": intent.id})
    assert refund.status == "pending"
    eventually(lambda: client.v1.refunds.retrieve(refund.id).status == "succeeded", seconds=60)


def test_a_refund_may_come_back(client: stripe.StripeClient) -> None:
    intent = paid_intent(client, card="pm_card_refundFail")
    refund = client.v1.refunds.create({"payment_intent": intent.id})
    assert refund.status == "succeeded"
    eventually(lambda: client.v1.refunds.retrieve(refund.id).status == "failed", seconds=60)


def test_a_disputed_payment_is_not_refunded(client: stripe.StripeClient) -> None:
    intent = paid_intent(client, card="pm_card_createDispute")

    def disputed() -> bool:
        charge: Any = client.v1.payment_intents.retrieve(
            intent.id, {"expand": ["latest_charge"]}
        ).latest_charge
        return bool(charge.disputed)

    eventually(disputed, seconds=60)
    with pytest.raises(stripe.InvalidRequestError, match="charged back") as refusal:
        client.v1.refunds.create({"payment_intent": intent.id})
    assert refusal.value.code == "charge_disputed"
