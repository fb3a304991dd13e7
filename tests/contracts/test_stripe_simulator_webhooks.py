"""The simulator's webhooks: signed as Stripe signs, at least once, until the endpoint says 2xx."""

import time
from functools import partial
from itertools import pairwise

import pytest
import stripe

from local.simulation.deliveries import pause
from tests.contracts.stripe_requests import new_intent, paid_intent
from tests.stripe_server import Endpoint, StripeServer, eventually


def _types(endpoint: Endpoint, object_id: str) -> list[str]:
    return sorted(delivery.event["type"] for delivery in endpoint.of(object_id))


def _has_told(endpoint: Endpoint, object_id: str, types: list[str]) -> bool:
    return _types(endpoint, object_id) == types


def test_the_official_library_verifies_the_signature(
    simulator: StripeServer, endpoint: Endpoint, webhook_secret: str
) -> None:
    intent = paid_intent(simulator.client())
    eventually(lambda: endpoint.of(intent.id, "payment_intent.succeeded"))
    delivery = endpoint.of(intent.id, "payment_intent.succeeded")[0]
    event = stripe.Webhook.construct_event(delivery.body, delivery.signature, webhook_secret)
    assert event.type == "payment_intent.succeeded"
    assert event.data.object["status"] == "succeeded"
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(delivery.body + b" ", delivery.signature, webhook_secret)
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(delivery.body, delivery.signature, "whsec_other")


def test_what_happens_to_an_intent_is_told(simulator: StripeServer, endpoint: Endpoint) -> None:
    client = simulator.client()
    paid = paid_intent(client)
    declined = new_intent(client)
    with pytest.raises(stripe.CardError):
        client.v1.payment_intents.confirm(declined.id, {"payment_method": "pm_card_chargeDeclined"})
    waiting = paid_intent(client, card="pm_card_authenticationRequired")
    client.v1.payment_intents.cancel(waiting.id)
    expected = {
        paid.id: ["created", "succeeded"],
        declined.id: ["created", "payment_failed"],
        waiting.id: ["canceled", "created", "requires_action"],
    }
    for intent_id, types in expected.items():
        told = [f"payment_intent.{name}" for name in types]
        eventually(partial(_has_told, endpoint, intent_id, told))


def test_the_authentication_is_told(simulator: StripeServer, endpoint: Endpoint) -> None:
    intent = paid_intent(simulator.client(), card="pm_card_authenticationRequired")
    simulator.control("POST", f"payment_intents/{intent.id}/authenticate", {"outcome": "succeed"})
    eventually(lambda: endpoint.of(intent.id, "payment_intent.succeeded"))


def test_refunds_are_told(simulator: StripeServer, endpoint: Endpoint) -> None:
    client = simulator.client()
    intent = paid_intent(client, card="pm_card_pendingRefund")
    client.v1.refunds.create({"payment_intent": intent.id, "amount": 1000})
    for kind in ("refund.created", "charge.refunded", "refund.updated"):
        eventually(partial(endpoint.of, intent.id, kind))
    assert endpoint.of(intent.id, "refund.created")[0].event["data"]["object"]["status"] == "pending"
    assert endpoint.of(intent.id, "refund.updated")[0].event["data"]["object"]["status"] == "succeeded"


def test_a_dispute_is_told(simulator: StripeServer, endpoint: Endpoint) -> None:
    intent = paid_intent(simulator.client(), card="pm_card_createDispute")
    eventually(lambda: endpoint.of(intent.id, "charge.dispute.created"))
    dispute = endpoint.of(intent.id, "charge.dispute.created")[0].event["data"]["object"]
    assert (dispute["object"], dispute["amount"], dispute["reason"]) == ("dispute", 4950, "fraudulent")


def test_a_delivery_is_tried_again_with_a_growing_pause_and_a_fresh_signature(
    simulator: StripeServer, endpoint: Endpoint
) -> None:
    endpoint.status = 500
    intent = new_intent(simulator.client())
    eventually(lambda: len(endpoint.of(intent.id)) == 3)
    endpoint.status = 200
    eventually(lambda: len(endpoint.of(intent.id)) == 4)
    deliveries = endpoint.of(intent.id)
    assert len({delivery.event["id"] for delivery in deliveries}) == 1
    assert len({delivery.signature for delivery in deliveries}) == 4
    pauses = [later.at - sooner.at for sooner, later in pairwise(deliveries)]
    assert pauses[0] >= 0.9
    assert pauses[1] >= 1.9
    assert pauses[2] >= 3.9


def test_an_accepted_delivery_is_not_repeated(simulator: StripeServer, endpoint: Endpoint) -> None:
    intent = new_intent(simulator.client())
    eventually(lambda: endpoint.of(intent.id))
    time.sleep(1.5)
    assert len(endpoint.of(intent.id)) == 1


def test_an_event_may_arrive_twice(simulator: StripeServer, endpoint: Endpoint) -> None:
    simulator.fault("duplicate")
    intent = new_intent(simulator.client())
    eventually(lambda: len(endpoint.of(intent.id)) == 2)
    assert len({delivery.event["id"] for delivery in endpoint.of(intent.id)}) == 1


def test_an_event_may_arrive_after_a_later_one(simulator: StripeServer, endpoint: Endpoint) -> None:
    simulator.fault("late", seconds=1)
    intent = paid_intent(simulator.client())
    eventually(lambda: len(endpoint.of(intent.id)) == 2)
    kinds = [delivery.event["type"] for delivery in endpoint.of(intent.id)]
    assert kinds == ["payment_intent.succeeded", "payment_intent.created"]


def test_deliveries_go_on_after_a_crash(own_simulator: tuple[StripeServer, Endpoint]) -> None:
    server, endpoint = own_simulator
    endpoint.status = 503
    intent = paid_intent(server.client())
    eventually(lambda: endpoint.of(intent.id))
    server.kill()
    endpoint.status = 200
    endpoint.deliveries.clear()
    server.start()
    # One that was being delivered at the crash may have come twice.
    both = {"payment_intent.created", "payment_intent.succeeded"}
    eventually(lambda: set(_types(endpoint, intent.id)) == both, 30)


def test_the_pause_between_deliveries_doubles_up_to_an_hour() -> None:
    assert [pause(attempts) for attempts in (1, 2, 3, 4, 12, 13, 100)] == [1, 2, 4, 8, 2048, 3600, 3600]
