"""The tickets service's tasks of the purchase: their outcomes, and that each may run twice."""

from uuid import UUID, uuid4

import pytest

from functions.tickets import qr_codes
from functions.tickets.saga import reserve
from functions.tickets.signing_keys import keys
from shared.clock import iso
from tests.cloud import Cloud
from tests.support import a_user, context
from tests.ticket_sales import Sales


def verify(order_id: str) -> dict[str, object]:
    answer: dict[str, object] = reserve.handler({"orderId": order_id}, context())
    return answer


# ---- Reserve


def test_reserve_says_what_there_is_to_pay(sales: Sales) -> None:
    event_id, buyer = sales.event(), a_user()
    id = sales.type(event_id)
    order_id = sales.order(buyer, event_id, {id: 2})
    kept = sales.purchase_row(order_id)

    answer = verify(order_id)

    seconds = answer.pop("secondsToPay")
    assert isinstance(seconds, int)
    assert 890 <= seconds <= 900
    assert answer == {
        "outcome": "bound",
        "orderId": order_id,
        "orderNumber": kept["order_number"],
        "userId": str(buyer.id),
        "eventId": str(event_id),
        "organizerId": str(sales.organizer.id),
        "items": [
            {
                "ticketTypeId": str(id),
                "name": "Stalls",
                "quantity": 2,
                "unitPrice": "49.50",
                "totalPrice": "99.00",
            }
        ],
        "totalAmount": "99.00",
        "currency": "EUR",
        "payBy": iso(kept["pay_by"]),
        "paymentMethod": {"type": "stripe", "token": "pm_card_visa"},
    }


def test_reserve_leaves_at_least_a_second_to_pay(sales: Sales) -> None:
    event_id = sales.event()
    order_id = sales.order(a_user(), event_id, {sales.type(event_id): 1})
    sales.db.run("UPDATE purchases SET pay_by = now() - interval '1 hour'")
    assert verify(order_id)["secondsToPay"] == 1


def test_an_order_without_a_price_is_free_whatever_the_buyer_said(sales: Sales) -> None:
    event_id = sales.event()
    order_id = sales.order(a_user(), event_id, {sales.type(event_id, price="0"): 1})
    assert verify(order_id)["paymentMethod"] == {"type": "free", "token": None}


def test_an_order_that_is_over_or_unknown_is_gone(sales: Sales) -> None:
    event_id = sales.event()
    order_id = sales.order(a_user(), event_id, {sales.type(event_id): 1})
    sales.release(order_id)
    assert verify(order_id)["outcome"] == "gone"
    assert verify(str(uuid4()))["outcome"] == "gone"


# ---- Issue


def test_issue_makes_a_ticket_per_seat_in_the_order_of_the_items(sales: Sales, aws: Cloud) -> None:
    event_id, buyer = sales.event(), a_user()
    stalls, balcony = sales.type(event_id), sales.type(event_id)

    tickets = sales.issued(buyer, event_id, {balcony: 1, stalls: 2}, holderNames=["Ada", "Grace"])

    order_id = str(tickets[0]["order_id"])
    number = sales.purchase_row(order_id)["order_number"]
    assert [(row["ticket_number"], row["ticket_type_id"], row["holder_name"]) for row in tickets] == [
        (f"{number}-1", balcony, "Ada"),
        (f"{number}-2", stalls, "Grace"),
        (f"{number}-3", stalls, None),
    ]
    assert {row["user_id"] for row in tickets} == {buyer.id}
    assert (sales.stock(stalls), sales.stock(balcony)) == ((2, 0), (1, 0))
    assert (sales.taken(stalls, buyer), sales.taken(balcony, buyer)) == (2, 1)
    assert sales.history(order_id) == [(1, "bound"), (2, "issued")]
    assert [sales.ticket_history(row["id"]) for row in tickets] == [[(1, "issued")]] * 3
    message = aws.messages("tickets")[-1]
    assert (message["type"], message["subject"], message["sequence"]) == (
        "tickets.order_issued.v1",
        order_id,
        2,
    )
    assert [UUID(ticket["ticketId"]) for ticket in message["data"]["tickets"]] == [
        row["id"] for row in tickets
    ]


def test_an_issued_code_stands_for_its_ticket_and_event(sales: Sales) -> None:
    event_id = sales.event()
    row = sales.issued(a_user(), event_id, {sales.type(event_id): 1})[0]
    assert qr_codes.ids_of(row["qr_code"]) == (row["id"], event_id)


def test_issuing_twice_issues_once(sales: Sales, aws: Cloud) -> None:
    event_id = sales.event()
    id = sales.type(event_id)
    order_id = str(sales.issued(a_user(), event_id, {id: 2})[0]["order_id"])
    assert sales.issue(order_id)["outcome"] == "issued"
    assert (len(sales.tickets(order_id)), sales.stock(id)) == (2, (2, 0))
    assert len(aws.messages("tickets")) == 1


def test_seats_that_are_gone_are_not_issued(sales: Sales) -> None:
    event_id = sales.event()
    id = sales.type(event_id)
    order_id = sales.order(a_user(), event_id, {id: 1})
    sales.release(order_id)
    assert sales.issue(order_id) == {"outcome": "refused", "reason": "SEATS_RELEASED"}
    assert sales.issue(str(uuid4())) == {"outcome": "refused", "reason": "UNKNOWN_ORDER"}
    assert (sales.tickets(order_id), sales.stock(id)) == ([], (0, 0))


def test_a_cancelled_events_tickets_are_not_issued(sales: Sales) -> None:
    event_id = sales.event()
    id = sales.type(event_id)
    order_id = sales.order(a_user(), event_id, {id: 1})
    sales.db.run("UPDATE event_copies SET status = 'CANCELLED'")
    assert sales.issue(order_id) == {"outcome": "refused", "reason": "EVENT_CANCELLED"}
    assert sales.purchase_row(order_id)["status"] == "BOUND"


def test_a_payment_that_came_after_pay_by_still_buys_seats_that_are_bound(sales: Sales) -> None:
    event_id = sales.event()
    order_id = sales.order(a_user(), event_id, {sales.type(event_id): 1})
    sales.db.run("UPDATE purchases SET pay_by = now() - interval '1 hour'")
    assert sales.issue(order_id)["outcome"] == "issued"


def test_an_unreadable_key_is_an_error_to_retry_and_changes_nothing(sales: Sales) -> None:
    event_id = sales.event()
    order_id = sales.order(a_user(), event_id, {sales.type(event_id): 1})
    sales.extension.secrets.clear()
    keys.forget()
    with pytest.raises(Exception, match="unavailable"):
        sales.issue(order_id)
    assert sales.purchase_row(order_id)["status"] == "BOUND"


# ---- Release


def test_release_puts_bound_seats_back_on_sale(sales: Sales, aws: Cloud) -> None:
    event_id, buyer = sales.event(), a_user()
    stalls, balcony = sales.type(event_id), sales.type(event_id)
    order_id = sales.order(buyer, event_id, {stalls: 2, balcony: 1})

    assert sales.release(order_id)["outcome"] == "released"

    assert (sales.stock(stalls), sales.stock(balcony)) == ((0, 0), (0, 0))
    assert (sales.taken(stalls, buyer), sales.taken(balcony, buyer)) == (0, 0)
    assert sales.purchase_row(order_id)["status"] == "RELEASED"
    assert sales.history(order_id) == [(1, "bound"), (2, "released")]
    assert [message["type"] for message in aws.messages("tickets")] == ["tickets.order_released.v1"]


def test_release_of_an_issued_order_voids_its_tickets(sales: Sales) -> None:
    event_id, buyer = sales.event(), a_user()
    id = sales.type(event_id)
    tickets = sales.issued(buyer, event_id, {id: 2})
    order_id = str(tickets[0]["order_id"])

    assert sales.release(order_id)["outcome"] == "released"

    assert {row["status"] for row in sales.tickets(order_id)} == {"VOID"}
    assert sales.statuses(str(sales.purchase_row(order_id)["reservation_id"])) == ["RELEASED"]
    assert (sales.stock(id), sales.taken(id, buyer)) == ((0, 0), 0)
    assert sales.ticket_history(tickets[0]["id"]) == [(1, "issued"), (2, "voided")]


def test_releasing_twice_releases_once(sales: Sales, aws: Cloud) -> None:
    event_id = sales.event()
    id = sales.type(event_id)
    sales.held(a_user(), event_id, {id: 3})
    order_id = sales.order(a_user(), event_id, {id: 2})
    assert [sales.release(order_id)["outcome"] for _ in range(2)] == ["released", "released"]
    assert sales.stock(id) == (0, 3)
    assert len(aws.messages("tickets")) == 1
    assert sales.release(str(uuid4()))["outcome"] == "released"


# ---- Notify


def test_notify_asks_for_the_mail_with_the_tickets(sales: Sales, aws: Cloud) -> None:
    event_id, buyer = sales.event(), a_user()
    row = sales.issued(buyer, event_id, {sales.type(event_id): 1}, holderNames=["Ada"])[0]
    order_id = str(row["order_id"])

    assert sales.notify(order_id, "issued")["outcome"] == "notified"

    mail = aws.messages("mail")[0]["data"]
    date = mail["data"].pop("eventDate")
    assert date.endswith("Z")
    assert mail == {
        "mailKey": f"order-confirmation:{order_id}",
        "template": "order-confirmation",
        "userId": str(buyer.id),
        "recipientEmail": None,
        "orderId": order_id,
        "data": {
            "orderNumber": sales.purchase_row(order_id)["order_number"],
            "eventName": "An evening of songs",
            "timeZone": "Europe/Vienna",
            "venueName": "Musikverein",
            "venueAddress": "Musikvereinsplatz 1, Wien",
            "totalAmount": "49.50",
            "currency": "EUR",
            "tickets": [
                {
                    "ticketNumber": row["ticket_number"],
                    "ticketType": "Stalls",
                    "zone": "A",
                    "holderName": "Ada",
                    "qrCode": row["qr_code"],
                }
            ],
        },
    }


def test_a_cancelled_order_is_told_without_tickets(sales: Sales, aws: Cloud) -> None:
    event_id = sales.event()
    order_id = str(sales.issued(a_user(), event_id, {sales.type(event_id): 1})[0]["order_id"])
    sales.release(order_id)
    sales.notify(order_id, "cancelled")
    mail = aws.messages("mail")[0]["data"]
    assert (mail["template"], mail["data"]["tickets"]) == ("order-cancelled", [])


def test_notifying_twice_asks_for_one_mail_and_blanks_what_it_said(sales: Sales, aws: Cloud) -> None:
    event_id = sales.event()
    order_id = str(sales.issued(a_user(), event_id, {sales.type(event_id): 1})[0]["order_id"])
    assert [sales.notify(order_id, "issued")["outcome"] for _ in range(2)] == ["notified", "notified"]
    assert len(aws.messages("mail")) == 1
    assert [row["payload"] for row in sales.outbox("notifications.mail_requested.v1")] == [None]


def test_a_task_refuses_an_input_that_is_not_its_own(sales: Sales) -> None:
    with pytest.raises(ValueError, match="orderId"):
        sales.issue("not-an-id")
