"""An event's sales figures: fed by events, equal to what the services' own books say, and made anew by a command."""

from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from tests.e2e.books import database
from tests.e2e.box_office import Show, order_of, publish, purchase, reserve, settled
from tests.e2e.client import Client, eventually
from tests.e2e.laptop import Laptop
from tests.e2e.operators import invoke

TICKETS = """
    SELECT count(*) FILTER (WHERE status <> 'VOID') AS sold, count(*) FILTER (WHERE status = 'VOID') AS voided,
           count(*) FILTER (WHERE checked_in_at IS NOT NULL) AS used
      FROM tickets WHERE event_id = '{event}'
"""
STOCK = """
    SELECT sum(quantity_held)::integer AS held,
           sum(quantity_available - quantity_sold - quantity_held)::integer AS available
      FROM ticket_types WHERE event_id = '{event}' AND deleted_at IS NULL
"""
MONEY = """
    SELECT sum(captured_amount)::text AS revenue, sum(refunded_amount)::text AS refunds
      FROM orders WHERE event_id = '{event}'
"""
MODEL = ("sales_events", "sales_types", "sales_orders", "sales_tickets", "sales_releases")


@pytest.fixture(scope="module")
def show(laptop: Laptop) -> Show:
    return publish(laptop.client.newcomer("ORGANIZER", "Sally"))


@pytest.fixture(scope="module")
def buyer(laptop: Laptop) -> Client:
    return laptop.client.newcomer(first_name="Zenobia")


def sales(show: Show) -> dict[str, Any]:
    found: dict[str, Any] = show.organizer.get(f"/api/events/{show.event_id}/sales").expect(200)
    return found


def totals(show: Show) -> tuple[Any, ...]:
    """What the organizer is shown."""
    shown = sales(show)
    names = ("sold", "voided", "held", "available", "revenue", "refunds")
    return (*[shown["totals"][name] for name in names], shown["checkedIn"])


def books(laptop: Laptop, show: Show) -> tuple[Any, ...]:
    """The same, counted in the databases of tickets and payments."""
    with database(laptop, "tickets") as ask:
        [tickets], [stock] = (ask(statement.format(event=show.event_id)) for statement in (TICKETS, STOCK))
    with database(laptop, "payments") as ask:
        [money] = ask(MONEY.format(event=show.event_id))
    counted = (tickets["sold"], tickets["voided"], stock["held"], stock["available"])
    return (*counted, money["revenue"], money["refunds"], tickets["used"])


def refund(show: Show, order_id: str, **what: Any) -> None:
    body = {"orderId": order_id, "reason": "Sorry", **what}
    show.organizer.post("/api/payments/refund", body, key=str(uuid4())).expect(202)


def run(laptop: Laptop, function: str) -> Any:
    """Invoke a job as an operator does."""
    error, answer = invoke(laptop, function, {})
    assert error is None, answer
    return answer


def test_after_sales_refunds_and_the_door_the_figures_are_those_of_the_books(
    laptop: Laptop, show: Show, buyer: Client
) -> None:
    first = settled(buyer, order_of(buyer, show, quantity=3), "PAID")
    second = settled(buyer, order_of(buyer, show, quantity=2), "PAID")
    reserve(buyer, show, 1).expect(201)
    declined = reserve(buyer, show, 1).expect(201)["reservationId"]
    purchase(buyer, declined, "pm_card_chargeDeclined").expect(202)
    refund(show, first["orderId"], ticketIds=[first["tickets"][0]["id"]])
    refund(show, second["orderId"], amount="10.00")
    code = buyer.get(f"/api/tickets/{second['tickets'][0]['id']}").expect(200)["qrCode"]
    show.organizer.post("/api/tickets/check-in", {"qrCode": code}).expect(200)
    for order in (first, second):
        settled(buyer, order["orderId"], "PARTIALLY_REFUNDED")

    expected = (4, 1, 2, 94, "247.50", "59.50", 1)
    eventually(lambda: totals(show) == expected, seconds=100)  # stock is told once a minute

    assert books(laptop, show) == expected
    shown = sales(show)
    [type_] = shown["ticketTypes"]
    assert (type_["revenue"], type_["refunds"]) == ("247.50", "49.50")
    assert shown["totals"]["refundsWithoutTickets"] == "10.00"
    assert sum(day["tickets"] for day in shown["days"]) == 5
    assert sum(Decimal(day["refunds"]) for day in shown["days"]) == Decimal("59.50")


def test_a_buyers_orders_show_how_their_payments_stand(show: Show, buyer: Client) -> None:
    def payments() -> list[tuple[str, str]]:
        items = buyer.get(f"/api/tickets/orders/{buyer.user_id}").expect(200)["items"]
        return [(item["paymentStatus"], item["refundedAmount"]) for item in items]

    eventually(
        lambda: (
            payments()
            == [
                ("PAYMENT_FAILED", "0.00"),
                ("PARTIALLY_REFUNDED", "10.00"),
                ("PARTIALLY_REFUNDED", "49.50"),
            ]
        )
    )


def test_an_organizer_finds_orders_by_the_buyers_name_and_address(show: Show, buyer: Client) -> None:
    for q in ("zenob", str(buyer.email).upper()):
        query = {"eventId": show.event_id, "q": q}
        items = show.organizer.get("/api/payments/orders", **query).expect(200)["items"]
        assert [item["buyer"]["email"] for item in items] == [buyer.email] * 3
    assert show.organizer.get("/api/payments/orders", eventId=show.event_id, q="%").body["items"] == []


def test_the_read_models_are_made_anew_by_a_command(laptop: Laptop, show: Show, buyer: Client) -> None:
    before, orders = sales(show), buyer.get(f"/api/tickets/orders/{buyer.user_id}").body
    with database(laptop, "events") as events, database(laptop, "tickets") as tickets:
        events(f"TRUNCATE {', '.join(MODEL)}")
        tickets("TRUNCATE order_payments")
    assert sales(show)["totals"]["sold"] == 0

    assert run(laptop, "events-job-rebuild-sales")["handled"] > 0
    assert run(laptop, "tickets-job-rebuild-orders")["handled"] > 0

    assert sales(show) == before
    assert buyer.get(f"/api/tickets/orders/{buyer.user_id}").body == orders


def test_a_cancelled_event_has_given_everything_back(laptop: Laptop, show: Show) -> None:
    show.organizer.post(f"/api/events/{show.event_id}/cancel", {"reason": "Rain"}).expect(202)

    eventually(lambda: totals(show)[0] == 0 and totals(show)[5] == "247.50", seconds=100)
    run(laptop, "tickets-job-tell-stock")  # rather than wait for the minute once more
    eventually(lambda: totals(show) == books(laptop, show), seconds=100)

    shown = sales(show)
    assert shown["totals"]["refundsWithoutTickets"] == "0.00", "each type gave back what it had brought"
