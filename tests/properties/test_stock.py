"""Any sequence of reserving, buying, paying late, giving back, voiding and letting in keeps stock and tickets right.

A machine does at random what people and sagas do, with a clock of its own, to the real use cases on PostgreSQL and to a
model in plain Python. After each step both must say the same, and the rows must agree among themselves.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)
from hypothesis.stateful import run_state_machine_as_test as run

from functions.tickets import (
    checking_in,
    event_copies,
    holds,
    issuing,
    late_payments,
    purchasing,
    qr_codes,
    releasing,
    ticket_types,
    voiding,
)
from functions.tickets.database import database
from functions.tickets.models import PurchaseRequest, ReserveRequest, UpdateTicketTypeRequest
from local.valkey import Valkey
from shared.clock import now
from shared.contracts import EventCancelled
from shared.database import Refused, Sql
from shared.errors import AppError
from tests.properties import stock_model, stock_rows
from tests.properties.effort import LIMIT_SECONDS, begin_sequence, effort
from tests.properties.stock_model import Box, Hold, Order, Type
from tests.ticket_sales import Sales

TYPES = [UUID(int=number) for number in (1, 2, 3)]
BUYERS = [UUID(int=number) for number in (11, 12, 13)]
MOMENTS = [1, 300, 599, 600, 601, 899, 900, 3600]  # seconds: holds last 600, paying 900, one sale an hour
CLEAN = "; ".join(
    f"DELETE FROM {table}"
    for table in (
        *("ticket_events", "tickets", "purchase_events", "purchases", "ticket_reservations"),
        *("ticket_type_buyers", "ticket_types", "event_copies", "stock_told", "outbox"),
    )
)
items_wanted = st.dictionaries(st.integers(0, 2), st.integers(1, 3), min_size=1, max_size=2)

pytestmark = pytest.mark.timeout(LIMIT_SECONDS)


class Stock(RuleBasedStateMachine):
    """The tickets service of one event, and the model of it."""

    reservations: Bundle[UUID] = Bundle("reservations")
    orders: Bundle[UUID] = Bundle("orders")

    def __init__(self, sales: Sales) -> None:
        super().__init__()
        begin_sequence()
        self.sales, self.signer = sales, qr_codes.signer()
        sales.db.run(CLEAN)
        self.at, self.steps, self.checked = now().replace(microsecond=0), 0, -1
        self.event_id = sales.event()
        starts = self.at + timedelta(hours=4)
        sales.db.run("UPDATE event_copies SET event_date = %(at)s", at=starts)
        self.box = Box(
            {
                TYPES[0]: Type(4, limit=3, price=Decimal("49.50")),
                TYPES[1]: Type(6, limit=10, price=Decimal("0.00")),
                TYPES[2]: Type(3, 2, Decimal("10.00"), sale_ends=self.at + timedelta(seconds=3600)),
            },
            starts=starts,
        )
        for id_, type_ in self.box.types.items():
            sales.type(
                self.event_id,
                type_.quantity,
                id=id_,
                limit=type_.limit,
                price=str(type_.price),
                ends=type_.sale_ends,
            )

    # ---- buyers

    @initialize(target=orders, lines=st.lists(items_wanted, min_size=2, max_size=4))
    def some_have_bought(self, lines: list[dict[int, int]]) -> Any:
        """Most of what can go wrong begins with an order."""
        made = [self.order(n % len(BUYERS), items) for n, items in enumerate(lines)]
        return multiple(*[order_id for order_id in made if order_id is not None])

    @rule(target=orders, buyer=st.integers(0, 2), items=items_wanted)
    def reserve_and_purchase(self, buyer: int, items: dict[int, int]) -> Any:
        order_id = self.order(buyer, items)
        return multiple() if order_id is None else order_id

    @rule(target=reservations, buyer=st.integers(0, 2), items=items_wanted)
    def reserve(self, buyer: int, items: dict[int, int]) -> Any:
        reservation = self.hold(buyer, items)
        return multiple() if reservation is None else reservation

    def order(self, buyer: int, items: dict[int, int]) -> UUID | None:
        reservation = self.hold(buyer, items)
        return None if reservation is None else self.buy(reservation)

    def hold(self, buyer: int, items: dict[int, int]) -> UUID | None:
        """Reserve; the reservation, if there is one."""
        wanted = {TYPES[number]: quantity for number, quantity in items.items()}
        lines = [{"ticketTypeId": str(id_), "quantity": n} for id_, n in wanted.items()]
        request = ReserveRequest.model_validate({"eventId": str(self.event_id), "items": lines})
        expected = self.box.may_reserve(wanted, BUYERS[buyer], self.at)
        done = self.attempt(lambda sql: holds.reserve(sql, BUYERS[buyer], request, self.at))
        assert (done is not None) == expected
        if done is None:
            return None
        assert done.total_amount == self.box.total(wanted)
        hold = Hold(BUYERS[buyer], wanted, done.total_amount, done.reserved_until)
        self.box.holds[done.reservation_id] = hold
        reservation: UUID = done.reservation_id
        return reservation

    @rule(reservation=reservations, buyer=st.integers(0, 2))
    def give_back(self, reservation: UUID, buyer: int) -> None:
        hold = self.box.holds[reservation]
        is_bought = any(order.hold is hold for order in self.box.orders.values())

        def release(sql: Sql) -> bool:
            holds.release(sql, BUYERS[buyer], reservation)
            return True

        done = self.attempt(release)
        assert (done is not None) == (hold.buyer == BUYERS[buyer] and not is_bought)
        if done and hold.is_live(self.at):
            hold.state = "RELEASED"

    @rule(target=orders, reservation=reservations)
    def purchase(self, reservation: UUID) -> Any:
        order_id = self.buy(reservation)
        return multiple() if order_id is None else order_id

    def buy(self, reservation: UUID) -> UUID | None:
        """Purchase; the order, if there is one."""
        hold = self.box.holds[reservation]
        method = {"type": "stripe", "token": "pm_card_visa"} if hold.total else {"type": "free"}
        request = PurchaseRequest.model_validate(
            {"reservationId": str(reservation), "paymentMethod": method, "holderNames": ["Ada"]}
        )
        expected = hold.state == "HELD" and hold.until > self.at and self.box.status == "PUBLISHED"
        done = self.attempt(lambda sql: purchasing.bind(sql, hold.buyer, request, self.at))
        assert (done is not None) == expected
        if done is None:
            return None
        hold.state = "BOUND"
        self.box.orders[done.order_id] = Order(hold)
        row = self.sales.purchase_row(str(done.order_id))
        assert row["total_amount"] == hold.total, "prices are those of the hold"
        order_id: UUID = done.order_id
        return order_id

    # ---- sagas

    @rule(order_id=orders)
    def issue(self, order_id: UUID) -> None:
        order = self.box.orders[order_id]
        done = self.do(lambda sql: issuing.issue(sql, order_id, self.signer, self.at))
        if order.status == "BOUND" and self.box.status == "PUBLISHED":
            self.box.issue(order)
        assert (done.outcome == "issued") == (order.status == "ISSUED")

    @rule(order_id=orders)
    def release(self, order_id: UUID) -> None:
        self.do(lambda sql: releasing.release(sql, order_id, self.at))
        self.box.release(self.box.orders[order_id])

    @rule(order_id=orders, version=st.integers(1, 6))
    def money_comes_late(self, order_id: UUID, version: int) -> None:
        self.do(lambda sql: late_payments.honour(sql, order_id, version, self.signer, self.at))
        if self.box.orders[order_id].hears(version):
            self.box.honour(self.box.orders[order_id], self.at)

    @rule(order_id=orders, which=st.sets(st.integers(0, 3)))
    def refund(self, order_id: UUID, which: set[int]) -> None:
        """Of a refund by tickets these, of any other one all."""
        order, rows = self.box.orders[order_id], self.tickets(order_id)
        some = [n for n in sorted(which) if n < len(rows)]
        ids = [rows[n]["id"] for n in some] or None
        self.do(lambda sql: releasing.void(sql, order_id, ids, "REFUNDED", self.at))
        chosen = [order.tickets[n] for n in some] or order.tickets
        stock_model.void([ticket for ticket in chosen if ticket.status != "VOID"], "REFUNDED")

    @rule(order_id=orders, version=st.integers(1, 6))
    def dispute(self, order_id: UUID, version: int) -> None:
        """News of disputes, and of money that is here after one, come in any order."""
        order = self.box.orders[order_id]
        self.do(lambda sql: releasing.void_disputed(sql, order_id, version, self.at))
        if order.hears(version):
            stock_model.void([ticket for ticket in order.tickets if ticket.status != "VOID"], "DISPUTED")

    # ---- the organizer

    @rule(order_id=orders, number=st.integers(0, 3))
    def check_in(self, order_id: UUID, number: int) -> None:
        rows = self.tickets(order_id)
        if number >= len(rows):
            return
        ticket, code = self.box.orders[order_id].tickets[number], rows[number]["qr_code"]
        done = self.attempt(lambda sql: checking_in.check_in(sql, self.sales.organizer, code, self.at))
        assert (done is not None) == (ticket.status == "ACTIVE")
        if done is not None:
            ticket.status, ticket.was_used = "USED", True

    @rule(number=st.integers(0, 2), quantity=st.integers(0, 7), limit=st.integers(1, 5))
    def change_terms(self, number: int, quantity: int, limit: int) -> None:
        type_id = TYPES[number]
        type_ = self.box.types[type_id]
        price = Decimal(quantity + 1).quantize(Decimal("0.01"))
        terms = UpdateTicketTypeRequest.model_validate(
            {
                "name": "Stalls",
                "price": str(price),
                "quantityAvailable": quantity,
                "perPersonLimit": limit,
                "saleEndDate": type_.sale_ends.isoformat() if type_.sale_ends else None,
            }
        )
        expected = self.box.taken(self.at)[type_id] <= quantity
        done = self.attempt(
            lambda sql: ticket_types.update(sql, self.sales.organizer, type_id, terms, self.at)
        )
        assert (done is not None) == expected
        if done is not None:
            type_.quantity, type_.limit, type_.price = quantity, limit, price

    @precondition(lambda self: self.steps > 8)
    @rule(carried_through=st.booleans())
    def call_off(self, carried_through: bool) -> None:
        """The event is cancelled: sales stop at once, and batches void what was sold, now or later."""
        row = self.sales.db.one("SELECT * FROM event_copies")
        assert row is not None
        if self.box.status == "PUBLISHED":
            state = {name: row[name] for name in EventCancelled.model_fields if name in row}
            state |= {"status": "CANCELLED", "version": 3, "reason": "Storm"}
            self.do(lambda sql: event_copies.take_over(sql, EventCancelled.model_validate(state)))
            self.do(lambda sql: voiding.begin(sql, self.event_id, "Storm"))
            self.box.status = "CANCELLED"
        if carried_through:
            self.void_all()

    def void_all(self) -> None:
        """Batches of two, until nothing is left."""
        while not self.sales.db.one(
            "SELECT 1 AS done FROM event_copies WHERE voided_at >= %(at)s", at=self.at
        ):
            self.do(lambda sql: voiding.next_batch(sql, self.event_id, self.at))
            if self.sales.db.one("SELECT 1 AS done FROM event_copies WHERE voided_at IS NOT NULL"):
                break
        for hold in self.box.holds.values():
            hold.state = "RELEASED" if hold.is_live(self.at) and hold.state == "HELD" else hold.state
        for order in self.box.orders.values():
            stock_model.void(order.valid, "EVENT_CANCELLED")

    # ---- time

    @rule(seconds=st.sampled_from(MOMENTS))
    def wait(self, seconds: int) -> None:
        self.at += timedelta(seconds=seconds)

    @precondition(lambda self: self.over() > 0)
    @rule(limit=st.integers(1, 3))
    def sweep(self, limit: int) -> None:
        due = self.over()
        assert self.do(lambda sql: holds.expire(sql, self.at, limit)) == min(limit, due)
        assert self.over() == due - min(limit, due)

    # ---- what must hold

    @invariant()
    def agrees(self) -> None:
        if self.steps == self.checked:
            return  # only time went by
        self.checked = self.steps
        purchases, tickets = stock_rows.check(self.sales.db)
        assert {row["order_id"]: (row["status"], row["late_payment"]) for row in purchases} == {
            order_id: (order.status, order.late) for order_id, order in self.box.orders.items()
        }
        assert Counter((row["order_id"], row["ticket_type_id"], row["status"]) for row in tickets) == Counter(
            (order_id, ticket.type_id, ticket.status)
            for order_id, order in self.box.orders.items()
            for ticket in order.tickets
        )
        for row in self.sales.db.all("SELECT reservation_id, status FROM ticket_reservations"):
            hold = self.box.holds[row["reservation_id"]]
            is_over = (
                hold.state == "HELD" and hold.until <= self.at
            )  # given back by now, or by whoever wants it
            assert row["status"] in ({"HELD", "EXPIRED", "RELEASED"} if is_over else {hold.state})

    # ---- helpers

    def do(self, use_case: Any) -> Any:
        """One unit of work; what it tells stays in the outbox."""
        self.steps += 1
        with _unit() as sql:
            return use_case(sql)

    def attempt(self, use_case: Any) -> Any:
        """One unit of work that may be refused: then None."""
        try:
            return self.do(use_case)
        except AppError:
            return None

    def tickets(self, order_id: UUID) -> list[Any]:
        """The order's tickets as they were made."""
        return self.sales.db.all(
            "SELECT * FROM tickets WHERE order_id = %(id)s ORDER BY length(ticket_number), ticket_number",
            id=order_id,
        )

    def over(self) -> int:
        """Rows of holds that ran out and were not given back yet."""
        row = self.sales.db.one(
            "SELECT count(*) AS n FROM ticket_reservations WHERE status = 'HELD' AND reserved_until <= %(at)s",
            at=self.at,
        )
        assert row is not None
        return int(row["n"])


@contextmanager
def _unit() -> Iterator[Sql]:
    with database.transaction() as sql:
        yield sql
        sql.outbox.clear()  # left to the sweep: nobody listens here


def machine(sales: Sales) -> type[RuleBasedStateMachine]:
    """The machine on this database."""
    return type("Selling", (Stock,), {"__init__": lambda self: Stock.__init__(self, sales)})


def test_any_sequence_of_operations_keeps_stock_holds_and_tickets_right(sales: Sales, cache: Valkey) -> None:
    run(machine(sales), settings=effort(examples=25, steps=25))


def test_control_the_machine_finds_tickets_whose_seats_go_back_twice(sales: Sales, cache: Valkey) -> None:
    row = sales.db.one("SELECT pg_get_functiondef('void_tickets(uuid, uuid[])'::regprocedure) AS source")
    assert row is not None
    without_guard = str(row["source"]).replace("AND k.status <> 'VOID'", "")
    assert without_guard != row["source"]
    sales.db.run(without_guard)
    with pytest.raises((AssertionError, Refused)):
        run(machine(sales), settings=effort(examples=25, steps=25, is_control=True))
