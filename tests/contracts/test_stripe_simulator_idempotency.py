"""Stripe's idempotency keys, as Box Office relies on them; also in Stripe's test mode when STRIPE_TEST_KEY is set."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
import stripe

from tests.contracts.stripe_requests import CARDS_ONLY, new_intent, paid_intent, text_of
from tests.stripe_server import Endpoint, StripeServer


@pytest.fixture
def key() -> str:
    return f"contract-{uuid4()}"


def _create(client: stripe.StripeClient, key: str, amount: int = 4950) -> stripe.PaymentIntent:
    params: Any = {"amount": amount, "currency": "usd", **CARDS_ONLY}
    return client.v1.payment_intents.create(params, {"idempotency_key": key})


def _replayed(answer: Any) -> bool:
    headers: Any = answer.headers if isinstance(answer, stripe.StripeError) else answer.last_response.headers
    return bool(headers.get("Idempotent-Replayed") == "true")


def test_the_same_request_under_the_same_key_is_carried_out_once(
    client: stripe.StripeClient, key: str
) -> None:
    first, second = _create(client, key), _create(client, key)
    assert first.id == second.id
    assert not _replayed(first)
    assert _replayed(second)


def test_another_request_under_the_same_key_is_refused(client: stripe.StripeClient, key: str) -> None:
    first = _create(client, key)
    with pytest.raises(stripe.IdempotencyError, match="same parameters") as refusal:
        _create(client, key, amount=5000)
    assert refusal.value.http_status == 400
    assert key in text_of(refusal.value)
    with pytest.raises(stripe.IdempotencyError):
        client.v1.payment_intents.cancel(first.id, {}, {"idempotency_key": key})


def test_a_decline_comes_back_under_its_key(client: stripe.StripeClient, key: str) -> None:
    intent = new_intent(client)

    def confirm(card: str, under: str) -> stripe.PaymentIntent:
        return client.v1.payment_intents.confirm(
            intent.id, {"payment_method": card}, {"idempotency_key": under}
        )

    with pytest.raises(stripe.CardError) as first:
        confirm("pm_card_chargeDeclined", key)
    with pytest.raises(stripe.CardError) as second:
        confirm("pm_card_chargeDeclined", key)
    assert (_replayed(first.value), _replayed(second.value)) == (False, True)
    assert first.value.error is not None
    assert second.value.error is not None
    assert first.value.error.charge == second.value.error.charge
    assert confirm("pm_card_visa", f"{key}-2").status == "succeeded"


def test_an_answer_is_replayed_as_it_was_then(client: stripe.StripeClient, key: str) -> None:
    first = _create(client, key)
    client.v1.payment_intents.cancel(first.id)
    assert _create(client, key).status == "requires_payment_method"


def test_a_refused_parameter_may_be_corrected_under_the_same_key(
    client: stripe.StripeClient, key: str
) -> None:
    params: Any = {"amount": 4950, "currency": "usd", "colour": "red", **CARDS_ONLY}
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.payment_intents.create(params, {"idempotency_key": key})
    assert _create(client, key).id.startswith("pi_")


def test_a_refund_under_the_same_key_is_made_once(client: stripe.StripeClient, key: str) -> None:
    intent = paid_intent(client)
    refunds = [
        client.v1.refunds.create({"payment_intent": intent.id, "amount": 1000}, {"idempotency_key": key})
        for _ in range(2)
    ]
    assert refunds[0].id == refunds[1].id
    assert len(client.v1.refunds.list({"payment_intent": intent.id}).data) == 1


def test_a_key_in_use_is_a_conflict(simulator: StripeServer, key: str) -> None:
    simulator.fault("slow", seconds=1.5)
    with ThreadPoolExecutor() as pool:
        first = pool.submit(_create, simulator.client(), key)
        second = pool.submit(_create, simulator.client(), key)
        outcomes = [future.exception() for future in (first, second)]
    conflicts = [error for error in outcomes if isinstance(error, stripe.APIError)]
    assert [error.http_status for error in conflicts] == [409]
    assert outcomes.count(None) == 1


def test_the_library_waits_for_a_key_in_use(simulator: StripeServer, key: str) -> None:
    simulator.fault("slow", seconds=0.8)
    with ThreadPoolExecutor() as pool:
        made = list(pool.map(lambda _: _create(simulator.client(retries=3), key), range(2)))
    assert made[0].id == made[1].id


def test_keys_outlive_a_crash(own_simulator: tuple[StripeServer, Endpoint], key: str) -> None:
    server, _ = own_simulator
    first = _create(server.client(), key)
    server.kill()
    server.start()
    second = _create(server.client(), key)
    assert first.id == second.id
    assert _replayed(second)


def test_a_server_error_is_kept_for_its_key(simulator: StripeServer, key: str) -> None:
    simulator.fault("error")
    client = simulator.client()
    for replayed in (False, True):
        with pytest.raises(stripe.APIError) as error:
            _create(client, key)
        assert error.value.http_status == 500
        assert _replayed(error.value) is replayed
    assert _create(client, f"{key}-2").id.startswith("pi_")
