"""At rest: is anything wrong? Every finding in words; none is what a storm is for."""

from collections import Counter
from email import message_from_bytes, policy
from typing import Any

from tests.e2e.books import assert_balanced, database
from tests.e2e.laptop import Laptop
from tests.faults.storm.ledger import Ledger

CONFIRMATION = ("Your tickets for ", "Your order for ")  # the latter if its tickets were void by then
SETTLED = ("PAID", "CANCELLED", "REFUNDED", "PARTIALLY_REFUNDED", "DISPUTED")


def judge(laptop: Laptop, ledger: Ledger, left: dict[str, int], excused_mails: int) -> list[str]:
    """All that should not be so.

    Args:
        left: what has not come to its end.
        excused_mails: so many mails may have come twice, since who sent them died, or was not answered, in between.
    """
    findings = [f"{count} × {what}" for what, count in ledger.dishonest.most_common(20)]
    findings += [f"not at rest: {count} {what}" for what, count in left.items()]
    findings += _books(laptop)
    findings += _orders(laptop, ledger)
    findings += _mails(laptop)
    twice = second_mails(laptop)
    if twice > excused_mails:
        findings.append(
            f"mails: {twice} confirmations came again, and at most {excused_mails} had a reason to"
        )
    return findings


def second_mails(laptop: Laptop) -> int:
    """Confirmations that an order had already had."""
    return sum(count - 1 for count in _confirmations(laptop).values())


def _books(laptop: Laptop) -> list[str]:
    try:
        assert_balanced(laptop)
    except AssertionError as unbalanced:
        return [f"books: {str(unbalanced)[:4000]}"]
    return []


def _orders(laptop: Laptop, ledger: Ledger) -> list[str]:
    """Every accepted purchase has ended, with as many tickets as were bought, each of them one person's."""
    with database(laptop, "tickets") as ask:
        purchases = {
            str(row["order_id"]): row for row in ask("SELECT order_id, order_number, status FROM purchases")
        }
        tickets: Counter[str] = Counter()
        numbers: Counter[str] = Counter()
        for row in ask("SELECT order_id, ticket_number FROM tickets"):
            tickets[str(row["order_id"])] += 1
            numbers[row["ticket_number"]] += 1
    with database(laptop, "payments") as ask:
        orders = {
            str(row["id"]): row["payment_status"] for row in ask("SELECT id, payment_status FROM orders")
        }
    findings = [f"sold twice: ticket {number}" for number, times in numbers.items() if times > 1]
    confirmed = _confirmations(laptop)
    for order_id, quantity in ledger.accepted.items():
        findings += _order(
            purchases.get(order_id), orders.get(order_id), order_id, tickets[order_id], quantity
        )
    for order_id, purchase in purchases.items():
        if purchase["status"] == "ISSUED" and not confirmed[purchase["order_number"]]:
            findings.append(f"no mail: order {order_id} has tickets and no confirmation")
    unheard = len(purchases.keys() - ledger.accepted.keys() - ledger.before)
    if unheard > ledger.unknown:
        findings.append(
            f"{unheard} purchases that nobody was told of, and {ledger.unknown} buyers never heard"
        )
    return findings


def _order(purchase: Any, payment: str | None, order_id: str, tickets: int, quantity: int) -> list[str]:
    if purchase is None:
        return [f"lost: order {order_id} was accepted, and there is no such purchase"]
    expected = quantity if purchase["status"] == "ISSUED" else 0
    findings = []
    if tickets != expected:
        findings.append(f"order {order_id} ({purchase['status']}) has {tickets} tickets, not {expected}")
    if payment not in SETTLED and not (payment is None and purchase["status"] == "RELEASED"):
        findings.append(f"order {order_id} ({purchase['status']}) is {payment} in payments")
    return findings


def _mails(laptop: Laptop) -> list[str]:
    """Every mail that was asked for is known, every one that was sent is there, as often as it was tried at most."""
    with database(laptop, "tickets") as ask:
        wanted = {
            row["key"]
            for row in ask(
                "SELECT payload #>> '{data,mailKey}' AS key FROM outbox"
                " WHERE destination = 'queue:mail' AND payload IS NOT NULL"
            )
        }
    with database(laptop, "notifications") as ask:
        rows = ask("SELECT id::text, mail_key, status, attempts FROM notifications")
    copies = _copies(laptop)
    tries = {row["id"]: row["attempts"] for row in rows}
    findings = [f"mail lost: {key} was asked for" for key in wanted - {row["mail_key"] for row in rows}]
    findings += [
        f"mail lost: {row['mail_key']} was said to be sent"
        for row in rows
        if row["status"] == "SENT" and not copies[row["id"]]
    ]
    return findings + [
        f"mail {id} came {times} times, and was tried {tries.get(id, 0)} times"
        for id, times in copies.items()
        if times > tries.get(id, 0)
    ]


def _copies(laptop: Laptop) -> Counter[str]:
    """How often each mail came, by its Message-ID, which both copies of one have in common."""
    found: Counter[str] = Counter()
    for file in (laptop.state / "mails").glob("*.eml"):
        id = str(message_from_bytes(file.read_bytes(), policy=policy.default)["Message-ID"])
        found[id.strip("<> ").partition("@")[0]] += 1
    return found


def _confirmations(laptop: Laptop) -> Counter[str]:
    """How many confirmations each order's number has, by the mails themselves."""
    found: Counter[str] = Counter()
    for file in (laptop.state / "mails").glob("*.eml"):
        subject = str(message_from_bytes(file.read_bytes(), policy=policy.default)["Subject"])
        if subject.startswith(CONFIRMATION) and "(order " in subject:
            found[subject.rsplit("(order ", 1)[1].rstrip(") ")] += 1
    return found
