"""`make audit`: what is seen when all is well, and when there is money that no order knows of."""

import json
import subprocess
import sys
from uuid import uuid4

import stripe

from tests.e2e.books import assert_balanced
from tests.e2e.box_office import order_of, publish, settled
from tests.e2e.client import eventually
from tests.e2e.laptop import REPOSITORY, Laptop


def audit_by_hand(laptop: Laptop) -> tuple[int, str]:
    """`make audit`, with nothing under way: its exit code and what it prints."""
    command = [sys.executable, "-m", "tools.audit", "--laptop", laptop.url, "--at-rest", "0"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout + done.stderr


def all_is_well(laptop: Laptop) -> str | None:
    """What it prints, once nothing is under way; a webhook may come a moment after its order is paid."""
    code, words = audit_by_hand(laptop)
    return words if code == 0 else None


def stripe_of(laptop: Laptop) -> stripe.StripeClient:
    """The official library on the laptop's simulated account, as somebody with the dashboard has it."""
    port = json.loads((laptop.state / "ports.json").read_text())["stripe"]
    secrets = json.loads((laptop.state / "secrets.json").read_text())
    key = json.loads(secrets["box-office-dev-stripe"])["secretKey"]
    return stripe.StripeClient(key, base_addresses={"api": f"http://127.0.0.1:{port}"})


def test_money_that_no_order_knows_of_is_found_and_gone_once_it_went_back(laptop: Laptop) -> None:
    show = publish(laptop.client.newcomer("ORGANIZER", "Olga"))
    buyer = laptop.client.newcomer()
    settled(buyer, order_of(buyer, show), "PAID")
    assert_balanced(laptop)
    words = eventually(lambda: all_is_well(laptop), seconds=60)
    assert words.startswith("every invariant holds: ")
    assert " 0 orders" not in words

    account, nobody = stripe_of(laptop), str(uuid4())
    payment = account.v1.payment_intents.create(
        {
            "amount": 4200,
            "currency": "eur",
            "confirm": True,
            "payment_method": "pm_card_visa",
            "metadata": {"order_id": nobody},
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        }
    )
    code, words = audit_by_hand(laptop)
    assert code == 1, words
    assert "the provider has money that no order knows of" in words
    assert f"provider=stripe  paymentId={payment.id}  orderId={nobody}  left=42.00" in words

    account.v1.refunds.create({"payment_intent": payment.id})
    eventually(lambda: all_is_well(laptop), seconds=60)


def test_an_auditor_that_is_not_there_is_no_good_news() -> None:
    command = [sys.executable, "-m", "tools.audit", "--laptop", "http://127.0.0.1:9"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert "did not answer" in done.stderr
