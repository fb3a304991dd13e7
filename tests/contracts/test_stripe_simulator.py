"""What Box Office relies on of Stripe's API, asked through the official library.

Runs against the simulated gateway; with STRIPE_TEST_KEY set, the same sentences are also tried in Stripe's test mode,
so that the simulation stays honest. Without the key only the simulator runs, and the sentences rest on Stripe's
documentation.
"""

import time
from typing import Any

import pytest
import stripe

from tests.contracts.conftest import Account
from tests.contracts.stripe_requests import CARDS_ONLY, new_intent, paid_intent, text_of

DECLINES = [
    ("pm_card_visa_chargeDeclined", "card_declined", "generic_decline"),
    ("pm_card_chargeDeclined", "card_declined", "generic_decline"),
    ("pm_card_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
    ("pm_card_visa_chargeDeclinedLostCard", "card_declined", "lost_card"),
    ("pm_card_visa_chargeDeclinedStolenCard", "card_declined", "stolen_card"),
    ("pm_card_chargeDeclinedFraudulent", "card_declined", "fraudulent"),
    ("pm_card_chargeDeclinedExpiredCard", "expired_card", None),
    ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", None),
    ("pm_card_chargeDeclinedProcessingError", "processing_error", None),
]


def test_a_new_intent_waits_for_a_payment_method(client: stripe.StripeClient) -> None:
    intent = new_intent(client, metadata={"order_id": "7"}, description="Order 7")
    assert intent.id.startswith("pi_")
    assert (intent.object, intent.status, intent.livemode) == (
        "payment_intent",
        "requires_payment_method",
        False,
    )
    assert (intent.amount, intent.amount_received, intent.currency) == (4950, 0, "usd")
    assert intent.client_secret is not None
    assert intent.client_secret.startswith(f"{intent.id}_secret_")
    assert intent.metadata["order_id"] == "7"
    assert abs(intent.created - time.time()) < 300
    assert client.v1.payment_intents.retrieve(intent.id).client_secret == intent.client_secret


def test_an_intent_made_with_a_payment_method_waits_for_confirmation(client: stripe.StripeClient) -> None:
    intent = new_intent(client, payment_method="pm_card_visa")
    assert intent.status == "requires_confirmation"
    assert client.v1.payment_intents.confirm(intent.id).status == "succeeded"


@pytest.mark.parametrize(
    ("card", "brand"),
    [("pm_card_visa", "visa"), ("pm_card_mastercard", "mastercard"), ("pm_card_amex", "amex")],
)
def test_a_good_card_pays(client: stripe.StripeClient, card: str, brand: str) -> None:
    intent = client.v1.payment_intents.confirm(
        new_intent(client).id, {"payment_method": card, "expand": ["latest_charge"]}
    )
    charge: Any = intent.latest_charge
    assert (intent.status, intent.amount_received) == ("succeeded", 4950)
    assert (charge.status, charge.paid, charge.captured, charge.refunded) == ("succeeded", True, True, False)
    assert charge.payment_method_details.card.brand == brand
    assert charge.payment_intent == intent.id


def test_creation_and_confirmation_can_be_one_request(client: stripe.StripeClient) -> None:
    assert new_intent(client, confirm=True, payment_method="pm_card_visa").status == "succeeded"


@pytest.mark.parametrize(("card", "code", "decline_code"), DECLINES)
def test_a_decline_is_402_and_the_intent_waits_for_another_card(
    client: stripe.StripeClient, card: str, code: str, decline_code: str | None
) -> None:
    intent = new_intent(client)
    with pytest.raises(stripe.CardError) as refusal:
        client.v1.payment_intents.confirm(intent.id, {"payment_method": card})
    assert (refusal.value.http_status, refusal.value.code) == (402, code)
    assert refusal.value.error is not None
    if decline_code:
        assert refusal.value.error.decline_code == decline_code
    after = client.v1.payment_intents.retrieve(intent.id)
    assert (after.status, after.payment_method) == ("requires_payment_method", None)
    assert after.last_payment_error is not None
    assert after.last_payment_error.code == code
    assert after.last_payment_error.message == text_of(refusal.value)
    assert after.latest_charge == refusal.value.error.charge


def test_another_card_pays_the_same_intent_after_a_decline(client: stripe.StripeClient) -> None:
    intent = new_intent(client)
    with pytest.raises(stripe.CardError):
        client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_chargeDeclined"})
    paid = client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    assert (paid.status, paid.last_payment_error) == ("succeeded", None)


def test_a_declined_creation_leaves_the_intent_behind(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.CardError) as refusal:
        new_intent(client, confirm=True, payment_method="pm_card_chargeDeclined")
    assert refusal.value.error is not None
    assert refusal.value.error.payment_intent is not None
    left = client.v1.payment_intents.retrieve(refusal.value.error.payment_intent.id)
    assert left.status == "requires_payment_method"


@pytest.mark.parametrize("card", ["pm_card_authenticationRequired", "pm_card_threeDSecure2Required"])
def test_a_card_may_ask_for_authentication(client: stripe.StripeClient, card: str) -> None:
    intent = client.v1.payment_intents.confirm(new_intent(client).id, {"payment_method": card})
    assert (intent.status, intent.amount_received) == ("requires_action", 0)
    assert intent.next_action is not None
    assert intent.next_action.type == "use_stripe_sdk"


def test_another_card_can_be_tried_instead_of_authenticating(client: stripe.StripeClient) -> None:
    intent = paid_intent(client, card="pm_card_authenticationRequired")
    assert (
        client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"}).status == "succeeded"
    )


def test_an_unknown_payment_method_is_refused(client: stripe.StripeClient) -> None:
    intent = new_intent(client)
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_ofNobody"})
    assert (refusal.value.code, refusal.value.param) == ("resource_missing", "payment_method")
    assert client.v1.payment_intents.retrieve(intent.id).status == "requires_payment_method"


def test_a_payment_method_cannot_pay_twice_without_a_customer(client: stripe.StripeClient) -> None:
    used = paid_intent(client).payment_method
    assert isinstance(used, str)
    with pytest.raises(stripe.InvalidRequestError, match="previously used"):
        client.v1.payment_intents.confirm(new_intent(client).id, {"payment_method": used})


def test_a_paid_intent_cannot_be_confirmed_again(client: stripe.StripeClient) -> None:
    intent = paid_intent(client)
    with pytest.raises(stripe.InvalidRequestError, match="already succeeded") as refusal:
        client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    assert (refusal.value.http_status, refusal.value.code) == (400, "payment_intent_unexpected_state")
    assert refusal.value.error is not None
    assert refusal.value.error.payment_intent is not None
    assert refusal.value.error.payment_intent.status == "succeeded"


def test_a_cancelled_intent_takes_no_money(client: stripe.StripeClient) -> None:
    intent = new_intent(client)
    cancelled = client.v1.payment_intents.cancel(intent.id, {"cancellation_reason": "abandoned"})
    assert (cancelled.status, cancelled.cancellation_reason) == ("canceled", "abandoned")
    assert cancelled.canceled_at is not None
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    assert refusal.value.code == "payment_intent_unexpected_state"
    with pytest.raises(stripe.InvalidRequestError) as again:
        client.v1.payment_intents.cancel(intent.id)
    assert again.value.code == "payment_intent_unexpected_state"


def test_an_intent_that_waits_for_authentication_can_be_cancelled(client: stripe.StripeClient) -> None:
    intent = paid_intent(client, card="pm_card_authenticationRequired")
    assert client.v1.payment_intents.cancel(intent.id).status == "canceled"


def test_a_paid_intent_cannot_be_cancelled(client: stripe.StripeClient) -> None:
    intent = paid_intent(client)
    with pytest.raises(stripe.InvalidRequestError, match="status of succeeded") as refusal:
        client.v1.payment_intents.cancel(intent.id)
    assert refusal.value.code == "payment_intent_unexpected_state"


def test_an_intent_without_payment_method_cannot_be_confirmed(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="missing a payment method") as refusal:
        client.v1.payment_intents.confirm(new_intent(client).id)
    assert refusal.value.code == "payment_intent_unexpected_state"


def test_redirecting_methods_need_a_return_url(client: stripe.StripeClient) -> None:
    intent = client.v1.payment_intents.create(
        {"amount": 4950, "currency": "usd", "automatic_payment_methods": {"enabled": True}}
    )
    with pytest.raises(stripe.InvalidRequestError, match="return_url"):
        client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})


@pytest.mark.parametrize(
    ("changes", "code", "param"),
    [
        ({"amount": 49}, "amount_too_small", "amount"),
        ({"amount": 100_000_000}, "amount_too_large", "amount"),
        ({"amount": "9.90"}, "parameter_invalid_integer", "amount"),
        ({"amount": 0}, "parameter_invalid_integer", "amount"),
        ({"amount": None}, "parameter_missing", "amount"),
        ({"currency": None}, "parameter_missing", "currency"),
        ({"currency": "xxx"}, None, "currency"),
        ({"colour": "red"}, "parameter_unknown", "colour"),
    ],
)
def test_bad_parameters_are_named(
    client: stripe.StripeClient, changes: dict[str, Any], code: str | None, param: str
) -> None:
    params: Any = {"amount": 4950, "currency": "usd", **CARDS_ONLY, **changes}
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.payment_intents.create(params)
    assert (refusal.value.http_status, refusal.value.param) == (400, param)
    if code:
        assert refusal.value.code == code


def test_the_least_amount_is_fifty_cents(client: stripe.StripeClient) -> None:
    assert paid_intent(client, amount=50).status == "succeeded"


def test_a_wrong_key_is_refused_and_not_repeated(account: Account) -> None:
    with pytest.raises(stripe.AuthenticationError) as refusal:
        account.client("sk_test_wrongwrongwrongwrong").v1.payment_intents.retrieve("pi_1")
    assert refusal.value.http_status == 401
    assert "wrongwrong" not in text_of(refusal.value)


def test_what_does_not_exist_is_404(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="No such payment_intent: 'pi_nobody'") as refusal:
        client.v1.payment_intents.retrieve("pi_nobody")
    assert (refusal.value.http_status, refusal.value.code) == (404, "resource_missing")


def test_every_answer_has_a_request_id(client: stripe.StripeClient) -> None:
    intent = new_intent(client)
    assert intent.last_response is not None
    assert intent.last_response.headers["Request-Id"].startswith("req_")
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.payment_intents.retrieve("pi_nobody")
    assert (refusal.value.request_id or "").startswith("req_")


def test_intents_are_listed_newest_first_and_page_by_page(client: stripe.StripeClient) -> None:
    ids = [new_intent(client).id for _ in range(3)]
    since: Any = {"gte": int(time.time()) - 3600}
    first = client.v1.payment_intents.list({"limit": 2, "created": since})
    assert [intent.id for intent in first.data] == [ids[2], ids[1]]
    assert first.has_more
    second = client.v1.payment_intents.list({"limit": 1, "starting_after": ids[1]})
    assert [intent.id for intent in second.data] == [ids[0]]
    assert not client.v1.payment_intents.list({"created": {"lt": 1000}}).data


def test_what_happened_is_in_the_events(client: stripe.StripeClient) -> None:
    intent = paid_intent(client)
    events = client.v1.events.list({"limit": 10, "type": "payment_intent.succeeded"})
    mine: Any = next(event for event in events.data if event.data.object["id"] == intent.id)
    assert (mine.data.object["status"], mine.livemode) == ("succeeded", False)
    assert mine.request.id.startswith("req_")
    assert client.v1.events.retrieve(mine.id).type == "payment_intent.succeeded"
