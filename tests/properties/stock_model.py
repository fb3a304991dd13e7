"""What selling seats means, in plain Python: no database, no locks, nobody else at the same moment."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

Items = dict[UUID, int]


@dataclass
class Type:
    """A ticket type on sale."""

    quantity: int
    limit: int
    price: Decimal
    sale_ends: datetime | None = None


@dataclass
class Hold:
    """A reservation; `state` is HELD until it is bought or given back, also when its time is over."""

    buyer: UUID
    items: Items
    total: Decimal
    until: datetime
    state: str = "HELD"

    def is_live(self, at: datetime) -> bool:
        """Whether it still keeps seats."""
        return self.state == "BOUND" or (self.state == "HELD" and self.until > at)


@dataclass
class Ticket:
    """A ticket that was made of a seat."""

    type_id: UUID
    status: str = "ACTIVE"
    was_used: bool = False
    why_void: str | None = None


@dataclass
class Order:
    """A hold that is being bought, or was."""

    hold: Hold
    status: str = "BOUND"
    late: str | None = None
    heard: int = 0
    tickets: list[Ticket] = field(default_factory=list)

    @property
    def valid(self) -> list[Ticket]:
        """Tickets that are worth a seat."""
        return [ticket for ticket in self.tickets if ticket.status != "VOID"]

    def hears(self, version: int) -> bool:
        """Whether news of this version of the order are not older than what was heard before."""
        newest, self.heard = self.heard, max(self.heard, version)
        return version >= newest


@dataclass
class Box:
    """An event and all that is sold of it."""

    types: dict[UUID, Type]
    starts: datetime
    status: str = "PUBLISHED"
    holds: dict[UUID, Hold] = field(default_factory=dict)
    orders: dict[UUID, Order] = field(default_factory=dict)

    def taken(self, at: datetime, buyer: UUID | None = None) -> Counter[UUID]:
        """Seats by type that are held or sold at this moment; a buyer's only if one is named."""
        seats: Counter[UUID] = Counter()
        for hold in self.holds.values():
            if hold.is_live(at) and buyer in (None, hold.buyer):
                seats.update(hold.items)
        for order in self.orders.values():
            if buyer in (None, order.hold.buyer):
                seats.update(ticket.type_id for ticket in order.valid)
        return seats

    def has_room(self, items: Items, buyer: UUID, at: datetime) -> bool:
        """Whether stock and the limit per person leave room for this."""
        everybodys, own = self.taken(at), self.taken(at, buyer)
        return all(
            everybodys[id_] + wanted <= self.types[id_].quantity
            and own[id_] + wanted <= self.types[id_].limit
            for id_, wanted in items.items()
        )

    def may_reserve(self, items: Items, buyer: UUID, at: datetime) -> bool:
        """Whether this can be held now."""
        ends = [self.types[id_].sale_ends for id_ in items]
        is_open = self.status == "PUBLISHED" and at < self.starts
        return is_open and all(end is None or at < end for end in ends) and self.has_room(items, buyer, at)

    def total(self, items: Items) -> Decimal:
        """What this costs now."""
        return sum((self.types[id_].price * n for id_, n in items.items()), Decimal("0.00"))

    def issue(self, order: Order) -> None:
        """The order's seats become tickets."""
        order.hold.state = order.status = "ISSUED"
        order.tickets += [Ticket(id_) for id_, n in order.hold.items.items() for _ in range(n)]

    def release(self, order: Order) -> None:
        """Whatever the order has goes back, unless late money has bought it."""
        if order.status == "RELEASED" or order.late == "HONOURED":
            return
        void(order.valid, None)
        order.hold.state = order.status = "RELEASED"

    def honour(self, order: Order, at: datetime) -> None:
        """Money came when nobody expected it any more: it buys the seats again, or is refused for good."""
        if order.valid or order.late == "REFUSED":
            return
        if self.status != "PUBLISHED" or at >= self.starts:
            order.late = "REFUSED"
        elif order.status == "ISSUED":
            self._reinstate(order, at)
        elif order.status == "RELEASED" and not self.has_room(order.hold.items, order.hold.buyer, at):
            order.late = "REFUSED"
        else:
            self.issue(order)
            order.late = "HONOURED"

    def _reinstate(self, order: Order, at: datetime) -> None:
        disputed = [ticket for ticket in order.tickets if ticket.why_void == "DISPUTED"]
        items = dict(Counter(ticket.type_id for ticket in disputed))
        if not disputed or not self.has_room(items, order.hold.buyer, at):
            order.late = "REFUSED"
            return
        for ticket in disputed:
            ticket.status, ticket.why_void = "USED" if ticket.was_used else "ACTIVE", None


def void(tickets: list[Ticket], reason: str | None) -> None:
    """Nobody comes in with these any more."""
    for ticket in tickets:
        ticket.status, ticket.why_void = "VOID", reason
