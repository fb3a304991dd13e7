"""Mailing a ticket to its holder again."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

from functions.tickets import mails, orders
from functions.tickets.checking_in import TicketVoid
from functions.tickets.models import ResendAccepted
from functions.tickets.records import TicketRow
from functions.tickets.repository import event_copies as copies
from functions.tickets.repository import purchases, tickets
from functions.tickets.settings import RESENDS_PER_HOUR
from shared import outbox
from shared.contracts import MailRequested
from shared.database import Sql
from shared.errors import TooManyRequests
from shared.identity import User

WINDOW = timedelta(hours=1)


def resend(sql: Sql, caller: User, ticket_id: UUID, at: datetime) -> ResendAccepted:
    """Ask for a mail with the ticket, a few times an hour at most.

    Raises:
        NotFound: unknown, or neither one's own nor of one's event.
        TicketVoid: nobody gets in with it any more.
        TooManyRequests: with the seconds to wait.
    """
    ticket = orders.seen_by(sql, caller, ticket_id)
    if ticket.status == "VOID":
        raise TicketVoid()
    if not tickets.count_resend(sql, ticket_id, at, RESENDS_PER_HOUR()):
        raise TooManyRequests(retry_after=_wait(sql, ticket, at))
    purchase = purchases.get(sql, ticket.order_id)
    event = copies.get(sql, ticket.event_id)
    assert purchase is not None, "a foreign key says so"
    assert event is not None, "seats are only held of events that are here"
    outbox.send(
        sql,
        "mail",
        MailRequested(
            mail_key=f"ticket:{ticket_id}:{uuid4()}",
            template="ticket",
            user_id=ticket.user_id,
            order_id=ticket.order_id,
            data=mails.order_data(purchase, event, [ticket]),
        ),
        subject=ticket_id,
    )
    return ResendAccepted(ticket_id=ticket_id, status="PENDING")


def _wait(sql: Sql, ticket: TicketRow, at: datetime) -> int:
    """Seconds until the oldest resend that counts is an hour old."""
    latest = tickets.get(sql, ticket.id) or ticket
    counting = sorted(past for past in latest.mailed_again if past > at - WINDOW)
    oldest = counting[-RESENDS_PER_HOUR() :][0] if counting else at
    return max(1, int((oldest + WINDOW - at).total_seconds()) + 1)
