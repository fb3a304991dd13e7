"""Of a buyer who was erased no card and no free text is left; what the law wants kept is."""

from uuid import uuid4

import pytest

from functions.payments import people
from functions.payments.consumers import buyers, users
from functions.payments.database import database
from functions.payments.routes import refund
from shared.contracts import UserChanged, UserErased
from shared.identity import User
from shared.privacy import Records
from tests.databases import Row
from tests.payments_shop import Shop
from tests.support import a_user, call


@pytest.fixture
def buyer() -> User:
    return a_user()


def erase(shop: Shop, user: User) -> None:
    data = {"userId": str(user.id), "email": "ada@example.com", "firstName": "Ada"}
    shop.hear(users, UserErased.TYPE, data)


def give_back(shop: Shop, order_id: str, amount: str) -> None:
    reply = call(
        refund.handler,
        "POST",
        "/api/payments/refund",
        user=shop.organizer,
        body={"orderId": order_id, "amount": amount, "reason": "Ada broke a leg"},
        headers={"Idempotency-Key": str(uuid4())},
    )
    assert reply.status == 202


def payments(shop: Shop) -> list[Row]:
    return shop.db.all("SELECT * FROM payment_transactions ORDER BY created_at")


def refunds(shop: Shop) -> list[tuple[str, str]]:
    rows = shop.db.all("SELECT status, reason FROM refunds ORDER BY created_at")
    return [(row["status"], row["reason"]) for row in rows]


def held(user: User) -> Records:
    with database.transaction() as sql:
        return people.held(sql, user.id)


def test_names_and_address_are_told_and_go_whoever_tells_them_late(shop: Shop, buyer: User) -> None:
    known = {"userId": str(buyer.id), "email": "ada@example.com", "firstName": "Ada", "lastName": "Lovelace"}
    shop.hear(buyers, UserChanged.TYPE, known | {"role": "ATTENDEE"})
    [told] = held(buyer)["buyer"]
    assert (told["email"], told["last_name"], "search_text" in told) == ("ada@example.com", "Lovelace", False)

    erase(shop, buyer)
    shop.hear(buyers, UserChanged.TYPE, known | {"role": "ATTENDEE"})

    row = shop.db.one("SELECT email, first_name, last_name, search_text FROM buyers")
    assert set((row or {}).values()) == {None}


def test_paying_with_paypal_is_told_without_what_lets_others_act_and_leaves_nothing(
    shop: Shop, buyer: User
) -> None:
    order_id = shop.order_of(buyer, None, method="paypal")
    assert "approval_url" not in held(buyer)["orders"][0]
    erase(shop, buyer)
    intent_id = shop.approve(order_id, "dispute")
    assert shop.paypal_webhook(intent_id, "CHECKOUT.ORDER.APPROVED").status == 200
    shop.deliver()
    assert shop.paypal_webhook(order_id, "CUSTOMER.DISPUTE.CREATED").status == 200
    shop.deliver()

    order = shop.order(order_id)
    assert (order["payment_status"], order["approval_url"], order["failure_message"]) == (
        "DISPUTED",
        None,
        None,
    )
    assert {(p["payment_token"], p["gateway_response"]) for p in payments(shop)} == {(None, None)}
    assert held(buyer)["providerMessages"]


def test_cards_answers_and_reasons_go_and_the_fiscal_record_stays(shop: Shop, buyer: User) -> None:
    order_id = shop.order_of(buyer, "pm_card_chargeDeclined")
    shop.pay_again(buyer, order_id, "pm_card_visa")
    shop.deliver()
    shop.issue(order_id)
    give_back(shop, order_id, "10.00")
    shop.deliver()
    before, others = shop.order(order_id), shop.order_of(a_user())

    erase(shop, buyer)

    assert shop.order(order_id) == before
    assert (before["total_amount"], before["refunded_amount"]) == (99, 10)
    kept = [
        (p["kind"], p["status"], p["payment_token"]) for p in payments(shop) if str(p["order_id"]) == order_id
    ]
    assert kept == [
        ("ATTEMPT", "DECLINED", "erased"),
        ("ATTEMPT", "SUCCEEDED", "erased"),
        ("REFUND", "SUCCEEDED", None),
    ]
    assert {p["gateway_response"] for p in payments(shop) if str(p["order_id"]) == order_id} == {None}
    assert refunds(shop) == [("SUCCEEDED", "erased")]
    assert "pm_card_visa" in [p["payment_token"] for p in payments(shop) if str(p["order_id"]) == others]


def test_a_refund_on_its_way_keeps_its_words_until_it_is_over(shop: Shop, buyer: User) -> None:
    order_id = shop.order_of(buyer)
    shop.issue(order_id)
    give_back(shop, order_id, "10.00")

    erase(shop, buyer)
    assert refunds(shop) == [("REQUESTED", "Ada broke a leg")]
    shop.deliver()

    assert refunds(shop) == [("SUCCEEDED", "erased")]


def test_an_attempt_that_ends_afterwards_leaves_no_card(shop: Shop, buyer: User) -> None:
    order_id = shop.order_of(buyer, "pm_card_authenticationRequired")
    erase(shop, buyer)
    assert [payment["payment_token"] for payment in payments(shop)] == ["pm_card_authenticationRequired"]

    intent_id = shop.authenticate(order_id)
    shop.webhook(intent_id, "payment_intent.succeeded")
    shop.deliver()

    assert [(p["status"], p["payment_token"]) for p in payments(shop)] == [("SUCCEEDED", "erased")]
    assert shop.order(order_id)["client_secret"] is None


def test_a_decline_that_is_heard_afterwards_leaves_no_words(shop: Shop, buyer: User) -> None:
    shop.db.run("INSERT INTO erased_users VALUES (%(id)s, now())", id=buyer.id)

    order_id = shop.order_of(buyer, "pm_card_chargeDeclined")

    order = shop.order(order_id)
    assert (order["failure_code"], order["failure_message"]) == ("generic_decline", None)
