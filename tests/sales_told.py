"""What tickets and payments tell events of its sales, as the messages that reach its two queues."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from functions.events.consumers import payments, tickets
from shared.clock import iso, now
from shared.contracts import (
    Contract,
    IssuedTicket,
    OrderChanged,
    OrderIssued,
    OrderLine,
    OrderReleased,
    RefundMade,
    RefundShare,
    StockChanged,
    TicketCheckedIn,
    TicketsVoided,
    TypeStock,
)
from tests.cloud import Cloud
from tests.support import context

Envelope = dict[str, Any]
START = datetime.fromisoformat("2026-11-20T22:30:00+00:00")  # half past eleven in Vienna


class Told:
    """Messages about one event; nothing is sent until `deliver`."""

    def __init__(self, aws: Cloud, event_id: str) -> None:
        self.aws, self.event_id = aws, UUID(event_id)
        self.envelopes: list[Envelope] = []

    # ---- what happens

    def stock(self, version: int, *types: tuple[UUID, str, str, int, int, int]) -> None:
        """The event's types as (id, name, price, capacity, sold, held)."""
        names = ("ticket_type_id", "name", "price", "capacity", "sold", "held")
        told = [TypeStock(currency="EUR", **dict(zip(names, type_, strict=True))) for type_ in types]
        self._say(StockChanged(event_id=self.event_id, types=told), self.event_id, version)

    def order(
        self,
        order_id: UUID,
        version: int,
        status: str,
        lines: dict[UUID, tuple[int, str]],
        *,
        captured: bool = True,
        refunds: tuple[tuple[str, dict[UUID, str]], ...] = (),
        placed_at: datetime = START,
        refunded_at: datetime = START,
    ) -> None:
        """An order with (quantity, price) per type; each refund is its amount and the shares of types."""
        total = sum((quantity * Decimal(price) for quantity, price in lines.values()), Decimal("0.00"))
        message = OrderChanged(
            order_id=order_id,
            order_number="BO-1",
            user_id=uuid4(),
            event_id=self.event_id,
            payment_status=status,
            total_amount=total,
            captured_amount=total if captured else Decimal("0.00"),
            refunded_amount=sum((Decimal(amount) for amount, _ in refunds), Decimal("0.00")),
            currency="EUR",
            items=[
                OrderLine(ticket_type_id=id_, quantity=quantity, unit_price=Decimal(price))
                for id_, (quantity, price) in lines.items()
            ],
            refunds=[
                RefundMade(
                    refund_id=uuid4(),
                    amount=Decimal(amount),
                    refunded_at=refunded_at,
                    shares=[RefundShare(ticket_type_id=i, amount=Decimal(s)) for i, s in shares.items()],
                )
                for amount, shares in refunds
            ],
            created_at=placed_at,
        )
        self._say(message, order_id, version)

    def issued(self, order_id: UUID, version: int, *made: tuple[UUID, UUID]) -> None:
        """Tickets as (id, type)."""
        listed = [IssuedTicket(ticket_id=id_, ticket_number=str(id_), ticket_type_id=t) for id_, t in made]
        message = OrderIssued(
            order_id=order_id, order_number="BO-1", user_id=uuid4(), event_id=self.event_id, tickets=listed
        )
        self._say(message, order_id, version)

    def released(self, order_id: UUID, version: int) -> None:
        """All the order had is on sale again."""
        message = OrderReleased(order_id=order_id, user_id=uuid4(), event_id=self.event_id)
        self._say(message, order_id, version)

    def voided(self, order_id: UUID, version: int, *ticket_ids: UUID) -> None:
        """Some of its tickets are void."""
        message = TicketsVoided(
            order_id=order_id,
            user_id=uuid4(),
            event_id=self.event_id,
            ticket_ids=list(ticket_ids),
            reason="REFUNDED",
        )
        self._say(message, order_id, version)

    def used(self, order_id: UUID, ticket_id: UUID) -> None:
        """Somebody came in with a ticket."""
        message = TicketCheckedIn(
            ticket_id=ticket_id, order_id=order_id, event_id=self.event_id, checked_in_at=now()
        )
        self._say(message, ticket_id, 2)

    # ---- how it arrives

    def deliver(self, envelopes: list[Envelope] | None = None) -> None:
        """Hand messages (by default all that was said since the last time) to the consumers, ten at a time."""
        if envelopes is None:
            envelopes, self.envelopes = self.envelopes, []
        for start in range(0, len(envelopes), 10):
            batch = envelopes[start : start + 10]
            for queue, consumer in (("tickets", tickets), ("payments", payments)):
                mine = [self.aws.record(f"events-{queue}", e) for e in batch if e["type"].startswith(queue)]
                if mine:
                    assert consumer.handler({"Records": mine}, context()) == {"batchItemFailures": []}

    def _say(self, message: Contract, subject: UUID, version: int) -> None:
        said = START + timedelta(seconds=len(self.envelopes))
        self.envelopes.append(
            {
                "id": str(uuid4()),
                "type": message.TYPE,
                "subject": str(subject),
                "sequence": version,
                "time": iso(said),
                "data": message.model_dump(mode="json", by_alias=True),
            }
        )
