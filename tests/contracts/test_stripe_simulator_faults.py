"""The simulator's own part: the buyer's 3-D Secure step, and trouble on request. There is nothing like it at Stripe."""

import time

import pytest
import stripe

from tests.contracts.stripe_requests import new_intent, paid_intent
from tests.stripe_server import Endpoint, StripeServer, eventually


def _waiting(simulator: StripeServer, card: str = "pm_card_authenticationRequired") -> stripe.PaymentIntent:
    return paid_intent(simulator.client(), card=card)


def _authenticate(simulator: StripeServer, intent_id: str, outcome: str) -> int:
    return simulator.control("POST", f"payment_intents/{intent_id}/authenticate", {"outcome": outcome})[0]


def test_a_buyer_who_authenticates_has_paid(simulator: StripeServer) -> None:
    intent = _waiting(simulator)
    assert _authenticate(simulator, intent.id, "succeed") == 200
    after = simulator.client().v1.payment_intents.retrieve(intent.id)
    assert (after.status, after.amount_received, after.next_action) == ("succeeded", 4950, None)


def test_a_failed_authentication_asks_for_another_card(simulator: StripeServer) -> None:
    client = simulator.client()
    intent = _waiting(simulator)
    assert _authenticate(simulator, intent.id, "fail") == 200
    after = client.v1.payment_intents.retrieve(intent.id)
    assert after.status == "requires_payment_method"
    assert after.last_payment_error is not None
    assert after.last_payment_error.code == "payment_intent_authentication_failure"
    assert (
        client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"}).status == "succeeded"
    )


def test_a_card_may_be_declined_after_the_authentication(simulator: StripeServer) -> None:
    intent = _waiting(simulator, "pm_card_threeDSecureRequiredChargeDeclined")
    assert _authenticate(simulator, intent.id, "succeed") == 200
    after = simulator.client().v1.payment_intents.retrieve(intent.id)
    assert after.status == "requires_payment_method"
    assert after.last_payment_error is not None
    assert after.last_payment_error.decline_code == "generic_decline"


def test_authentication_is_refused_where_none_is_due(simulator: StripeServer) -> None:
    intent = paid_intent(simulator.client())
    assert _authenticate(simulator, intent.id, "succeed") == 409
    assert _authenticate(simulator, "pi_nobody", "succeed") == 404
    assert _authenticate(simulator, intent.id, "perhaps") == 400
    status, answer = simulator.control("POST", f"payment_intents/{intent.id}/authenticate")
    assert (status, answer["error"]["code"]) == (400, "VALIDATION_ERROR")


def test_the_console_sees_the_latest_intents(simulator: StripeServer) -> None:
    intent = new_intent(simulator.client(), metadata={"order_id": "7"})
    _, answer = simulator.control("GET", "payment_intents?limit=1")
    assert [(item["id"], item["orderId"], item["status"]) for item in answer["items"]] == [
        (intent.id, "7", "requires_payment_method")
    ]


def test_a_timeout_has_done_the_work_and_a_retry_learns_of_it(simulator: StripeServer) -> None:
    intent = new_intent(simulator.client())
    simulator.fault("timeout")
    with pytest.raises(stripe.APIConnectionError):
        simulator.client(timeout=0.5).v1.payment_intents.confirm(
            intent.id, {"payment_method": "pm_card_visa"}
        )
    assert simulator.client().v1.payment_intents.retrieve(intent.id).status == "succeeded"

    second = new_intent(simulator.client())
    simulator.fault("timeout")
    patient = simulator.client(timeout=0.5, retries=1)
    assert (
        patient.v1.payment_intents.confirm(second.id, {"payment_method": "pm_card_visa"}).status
        == "succeeded"
    )


@pytest.mark.parametrize(
    ("mode", "status"), [("kill_before", "requires_payment_method"), ("kill_after", "succeeded")]
)
def test_a_dropped_connection_may_have_done_the_work(simulator: StripeServer, mode: str, status: str) -> None:
    client = simulator.client()
    intent = new_intent(client)
    simulator.fault(mode, operation="payment_intents.confirm")
    with pytest.raises(stripe.APIConnectionError):
        client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    assert client.v1.payment_intents.retrieve(intent.id).status == status


def test_a_slow_answer_comes_all_the_same(simulator: StripeServer) -> None:
    simulator.fault("slow", seconds=0.4)
    began = time.monotonic()
    new_intent(simulator.client())
    assert time.monotonic() - began >= 0.4


def test_faults_are_counted_down_and_can_be_cleared(simulator: StripeServer) -> None:
    simulator.fault("error", times=2, operation="refunds.create")
    client = simulator.client()
    new_intent(client)
    with pytest.raises(stripe.APIError):
        client.v1.refunds.create({"payment_intent": "pi_nobody"})
    _, left = simulator.control("GET", "faults")
    assert [(fault["mode"], fault["times"]) for fault in left["items"]] == [("error", 1)]
    assert simulator.control("DELETE", "faults")[0] == 204
    assert simulator.control("GET", "faults")[1] == {"items": []}


@pytest.mark.parametrize(
    "faults",
    [
        {},
        [{"mode": "explode"}],
        [{"mode": "error", "times": 0}],
        [{"mode": "error", "target": "paypal"}],
        ["error"],
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(simulator: StripeServer, faults: object) -> None:
    status, answer = simulator.control("PUT", "faults", faults)
    assert (status, answer["error"]["code"]) == (400, "VALIDATION_ERROR")


def test_a_second_start_on_the_same_port_says_so(own_simulator: tuple[StripeServer, Endpoint]) -> None:
    server, _ = own_simulator
    with pytest.raises(AssertionError):
        StripeServer(server.state / "other", server.port, server.webhook_url).start()
    eventually(lambda: server.control("GET", "health") == (200, {"status": "ok"}))
