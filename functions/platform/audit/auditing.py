"""One run of the auditor: everything that is open, and every order that changed within the window and is at rest."""

import os
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from uuid import UUID

from functions.platform import settings
from functions.platform.audit import (
    debts,
    entitlements,
    executions,
    gateways,
    mails,
    money,
    orders,
    overdue,
    purchases,
    stock,
)
from functions.platform.audit.findings import Findings, Scope
from functions.platform.audit.orders import Order
from functions.platform.databases import SERVICES
from shared.database import Database, Sql


@dataclass
class Report:
    """What was found, and how much was looked at; not `complete` if a provider was not read, or a limit was met."""

    findings: Findings
    checked: dict[str, int] = field(default_factory=dict)
    complete: bool = True

    def count(self, what: str, number: int) -> None:
        """So many more were looked at."""
        self.checked[what] = self.checked.get(what, 0) + number

    def told(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "findings": [finding.told() for finding in self.findings],
            "checked": {**self.checked, "findings": self.findings.count, "complete": self.complete},
        }


def audit(scope: Scope, ask: gateways.Ask) -> Report:
    """Read the providers and then each service's database in one snapshot, and judge what is at rest.

    Args:
        ask: has payments read a provider.
    """
    report = Report(Findings(settings.FINDINGS_LIMIT()))
    takings = gateways.read(ask, scope)
    running = executions.running(scope)
    with ExitStack() as snapshots:
        books = {name: snapshots.enter_context(_database(name).snapshot()) for name in SERVICES}
        _judge_open(books, scope, report)
        executions.judge(books["tickets"], running, scope, report.findings)
        named = [payment.order_id for payment in takings.payments if payment.order_id is not None]
        known, at_rest = _judge_orders(books, named, scope, report)
    money.judge(at_rest, known, takings, report.findings, scope)
    report.count("executions", len(running))
    report.count("payments", len(takings.payments))
    report.complete = report.complete and takings.complete
    return report


def forget() -> None:
    """The databases that a process connects to: connect again."""
    for service in SERVICES:
        if f"DATABASE_NAME_{service.upper()}" in os.environ:
            _database(service).reset()
    _database.cache_clear()


def _judge_open(books: dict[str, Sql], scope: Scope, report: Report) -> None:
    """What is judged by itself: counters, and what outlived its time."""
    for service, sql in books.items():
        overdue.judge_outbox(sql, service, scope, report.findings)
    report.count("ticketTypes", stock.judge(books["tickets"], scope, report.findings))
    overdue.judge_tickets(books["tickets"], scope, report.findings)
    overdue.judge_payments(books["payments"], scope, report.findings)
    debts.judge(books["payments"], scope, report.findings)
    overdue.judge_mails(books["notifications"], scope, report.findings)


def _judge_orders(
    books: dict[str, Sql], named: list[UUID], scope: Scope, report: Report
) -> tuple[set[UUID], dict[UUID, Order]]:
    """What is judged order by order, `named` ones among them; the orders that there are, and those at rest."""
    limit = settings.ORDER_LIMIT()
    found = dict.fromkeys(named)
    found |= dict.fromkeys(purchases.changed(books["tickets"], scope.since, limit))
    found |= dict.fromkeys(orders.changed(books["payments"], scope.since, limit))
    known: set[UUID] = set()
    at_rest: dict[UUID, Order] = {}
    ids, size = list(found), settings.PAGE()
    report.complete = len(ids) < len(named) + limit
    for start in range(0, len(ids), size):
        page_known, page_at_rest = _judge_page(books, ids[start : start + size], scope, report)
        known |= page_known
        at_rest |= page_at_rest
    return known, at_rest


def _judge_page(
    books: dict[str, Sql], page: list[UUID], scope: Scope, report: Report
) -> tuple[set[UUID], dict[UUID, Order]]:
    bought = purchases.read(books["tickets"], page, report.findings)
    known = orders.read(books["payments"], page, report.findings)
    sent = mails.read(books["notifications"], page)
    at_rest: dict[UUID, Order] = {}
    moving: set[UUID] = set()
    for order_id in page:
        order, purchase, mail = known.get(order_id), bought.get(order_id), sent.get(order_id)
        if any(item is not None and item.changed_at > scope.at_rest for item in (order, purchase, mail)):
            moving.add(order_id)
            continue
        report.count("orders", 1)
        report.count("tickets", len(purchase.valid) + len(purchase.void) if purchase else 0)
        entitlements.judge(order, purchase, report.findings, scope)
        if purchase is not None:
            mails.judge(purchase, mail, report.findings, scope)
        if order is not None:
            at_rest[order_id] = order
    return known.keys() | moving, at_rest


@cache
def _database(service: str) -> Database:
    name, host = (os.environ[f"DATABASE_{part}_{service.upper()}"] for part in ("NAME", "HOST"))
    return Database("platform", name, host)
