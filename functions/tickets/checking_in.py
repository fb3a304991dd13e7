"""Letting the holder of a ticket in, once."""

from datetime import datetime
from uuid import UUID

from functions.tickets import qr_codes
from functions.tickets.models import CheckedIn
from functions.tickets.records import TicketRow
from functions.tickets.repository import tickets
from shared import business, outbox
from shared.clock import iso
from shared.contracts import TicketCheckedIn
from shared.database import Sql
from shared.errors import Conflict, FieldError, NotFound
from shared.identity import User


class AlreadyUsed(Conflict):
    """Somebody came in with this ticket before."""

    code = "ALREADY_USED"

    def __init__(self, when: datetime) -> None:
        super().__init__(
            f"This ticket was used at {iso(when)}", details=[FieldError("checkedInAt", iso(when))]
        )


class TicketVoid(Conflict):
    """The ticket was refunded or cancelled."""

    code = "VOID"
    message = "This ticket is void"


def check_in(sql: Sql, organizer: User, code: str, at: datetime) -> CheckedIn:
    """Use the ticket that a QR code stands for.

    Raises:
        Forged: not a code of ours.
        NotFound: a ticket of another organizer's event.
        AlreadyUsed, TicketVoid.
    """
    ticket_id, event_id = qr_codes.ids_of(code)
    ticket = tickets.use(sql, ticket_id, event_id, None if organizer.is_admin else organizer.id, at)
    if ticket is None:
        raise _why_not(tickets.get(sql, ticket_id), event_id, organizer)
    tickets.append_event(sql, "checked_in", "USED", [ticket_id], at)
    business.count(sql, "tickets", "CheckIns", event_id)
    message = TicketCheckedIn(
        ticket_id=ticket_id, order_id=ticket.order_id, event_id=event_id, checked_in_at=at
    )
    outbox.publish(sql, message, subject=ticket_id, version=ticket.version)
    return CheckedIn(
        ticket_id=ticket_id,
        ticket_number=ticket.ticket_number,
        event_id=event_id,
        holder_name=ticket.holder_name,
        ticket_type=ticket.type_name,
        venue_zone=ticket.venue_zone,
        checked_in_at=at,
    )


def _why_not(ticket: TicketRow | None, event_id: UUID, organizer: User) -> Conflict | NotFound:
    if ticket is None or ticket.event_id != event_id or not organizer.may_act_for(ticket.organizer_id):
        return NotFound()
    if ticket.status == "VOID":
        return TicketVoid()
    return AlreadyUsed(ticket.checked_in_at) if ticket.checked_in_at else Conflict()
