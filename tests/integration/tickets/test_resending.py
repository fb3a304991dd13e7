"""Mailing a ticket again: its holder or its event's organizer, three times an hour."""

from datetime import timedelta
from uuid import UUID, uuid4

from functions.tickets.routes import resend_ticket
from shared.clock import now
from shared.identity import Role, User
from tests.cloud import Cloud
from tests.support import Reply, a_user, call
from tests.ticket_sales import Sales


def resend(user: User, ticket_id: UUID) -> Reply:
    return call(resend_ticket.handler, "POST", f"/api/tickets/{ticket_id}/resend", user=user)


def test_the_ticket_is_mailed_to_its_holder(sales: Sales, aws: Cloud) -> None:
    event_id, buyer = sales.event(), a_user()
    _, second = sales.issued(buyer, event_id, {sales.type(event_id): 2}, holderNames=["Ada", "Grace"])

    reply = resend(sales.organizer, second["id"])

    assert (reply.status, reply.body) == (202, {"ticketId": str(second["id"]), "status": "PENDING"})
    mail = aws.messages("mail")[-1]["data"]
    assert (mail["userId"], mail["template"]) == (str(buyer.id), "ticket")
    assert [ticket["qrCode"] for ticket in mail["data"]["tickets"]] == [second["qr_code"]]


def test_each_resend_is_a_mail_of_its_own(sales: Sales, aws: Cloud) -> None:
    event_id, buyer = sales.event(), a_user()
    row = sales.issued(buyer, event_id, {sales.type(event_id): 1})[0]
    assert [resend(buyer, row["id"]).status for _ in range(2)] == [202, 202]
    assert len({message["data"]["mailKey"] for message in aws.messages("mail")}) == 2


def test_the_fourth_time_in_an_hour_is_too_often(sales: Sales) -> None:
    event_id, buyer = sales.event(), a_user()
    row, other = sales.issued(buyer, event_id, {sales.type(event_id): 2})
    assert [resend(buyer, row["id"]).status for _ in range(3)] == [202, 202, 202]

    reply = resend(buyer, row["id"])

    assert (reply.status, reply.code) == (429, "TOO_MANY_REQUESTS")
    assert 3500 < int(reply.headers["Retry-After"]) <= 3601
    assert len(sales.outbox("notifications.mail_requested.v1")) == 3
    assert resend(buyer, other["id"]).status == 202


def test_an_hour_later_it_may_be_mailed_again(sales: Sales) -> None:
    event_id, buyer = sales.event(), a_user()
    row = sales.issued(buyer, event_id, {sales.type(event_id): 1})[0]
    times = [now() - timedelta(minutes=minutes) for minutes in (61, 59, 1)]
    sales.db.run("UPDATE tickets SET mailed_again = %(times)s", times=times)
    assert resend(buyer, row["id"]).status == 202
    reply = resend(buyer, row["id"])
    assert (reply.status, int(reply.headers["Retry-After"]) <= 61) == (429, True)


def test_only_the_holder_and_the_events_organizer_may(sales: Sales) -> None:
    event_id, buyer = sales.event(), a_user()
    row = sales.issued(buyer, event_id, {sales.type(event_id): 1})[0]
    assert resend(a_user(), row["id"]).status == 404
    assert resend(a_user(Role.ORGANIZER), row["id"]).status == 404
    assert resend(buyer, uuid4()).status == 404
    assert sales.outbox("notifications.mail_requested.v1") == []


def test_a_void_ticket_is_not_mailed(sales: Sales) -> None:
    event_id, buyer = sales.event(), a_user()
    row = sales.issued(buyer, event_id, {sales.type(event_id): 1})[0]
    sales.release(str(row["order_id"]))
    assert (resend(buyer, row["id"]).status, resend(buyer, row["id"]).code) == (409, "VOID")
