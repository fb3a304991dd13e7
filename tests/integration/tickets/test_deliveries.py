"""What became of the mail with the tickets is shown on the order and its tickets, and told to whoever asks."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from functions.tickets.consumers import notifications
from functions.tickets.routes import get_ticket, list_orders
from shared.clock import iso, now
from tests.cloud import Cloud
from tests.databases import Row
from tests.integration.tickets.test_consumers import hear
from tests.support import a_user, call
from tests.ticket_sales import Sales


def mailed(aws: Cloud, order_id: str | None, status: str, at: datetime | None = None, **changes: Any) -> None:
    data = {
        "notificationId": str(changes.pop("mail", None) or uuid4()),
        "userId": str(uuid4()),
        "orderId": order_id,
        "template": "order-confirmation",
        "status": status,
        **changes,
    }
    hear(aws, notifications, "tickets-notifications", "notifications.mail_status_changed.v1", data, at=at)


def told(aws: Cloud) -> list[str]:
    return [
        message["data"]["status"]
        for message in aws.messages("tickets")
        if message["type"] == "tickets.delivery_changed.v1"
    ]


@pytest.fixture
def ticket(sales: Sales) -> Row:
    event_id = sales.event()
    return sales.issued(a_user(), event_id, {sales.type(event_id): 1})[0]


def test_the_status_is_shown_told_and_part_of_the_history(sales: Sales, aws: Cloud, ticket: Row) -> None:
    order_id, holder = str(ticket["order_id"]), a_user(id=UUID(str(ticket["user_id"])))
    mail = uuid4()
    mailed(aws, order_id, "SENT", mail=mail)
    mailed(aws, order_id, "SENT", mail=mail, deliveryStatus="BOUNCED")

    seen = call(get_ticket.handler, "GET", f"/api/tickets/{ticket['id']}", user=holder)
    listed = call(list_orders.handler, "GET", f"/api/tickets/orders/{holder.id}", user=holder)
    assert seen.body["deliveryStatus"] == "BOUNCED"
    assert listed.body["items"][0]["deliveryStatus"] == "BOUNCED"
    assert told(aws) == ["SENT", "BOUNCED"]
    assert sales.history(order_id)[2:] == [(3, "delivery_changed"), (4, "delivery_changed")]


def test_what_comes_late_or_twice_changes_nothing(aws: Cloud, ticket: Row) -> None:
    mail, order_id = uuid4(), str(ticket["order_id"])
    for status in ("DELIVERED", "SENT", "DELIVERED"):
        mailed(aws, order_id, "SENT", mail=mail, deliveryStatus=status)
    assert told(aws) == ["DELIVERED"]


def test_tickets_mailed_again_have_the_status_of_the_new_mail(aws: Cloud, ticket: Row) -> None:
    order_id = str(ticket["order_id"])
    mailed(aws, order_id, "SENT", deliveryStatus="BOUNCED")
    mailed(aws, order_id, "SENT", template="ticket")
    assert told(aws) == ["BOUNCED", "SENT"]


def test_older_news_of_the_mail_before_change_nothing(aws: Cloud, ticket: Row) -> None:
    order_id = str(ticket["order_id"])
    mailed(aws, order_id, "SENT", template="ticket")
    mailed(aws, order_id, "SENT", at=now() - timedelta(minutes=1), deliveryStatus="BOUNCED")
    assert told(aws) == ["SENT"]


def test_late_news_of_an_older_mail_change_nothing(aws: Cloud, ticket: Row) -> None:
    order_id, asked = str(ticket["order_id"]), now()
    mailed(aws, order_id, "SENT", template="ticket", deliveryStatus="DELIVERED", askedAt=iso(asked))
    earlier = iso(asked - timedelta(hours=1))
    mailed(aws, order_id, "SENT", at=now() + timedelta(hours=1), deliveryStatus="BOUNCED", askedAt=earlier)
    assert told(aws) == ["DELIVERED"]


def test_mails_without_tickets_are_passed_over(aws: Cloud, ticket: Row) -> None:
    order_id = str(ticket["order_id"])
    mailed(aws, order_id, "SENT", template="order-refunded")
    mailed(aws, None, "SENT")
    mailed(aws, str(uuid4()), "SENT")
    mailed(aws, order_id, "SOMETHING_NEW")
    assert told(aws) == []
