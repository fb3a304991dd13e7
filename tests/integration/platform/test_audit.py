"""The auditor finds each kind of breach by its ids, and nothing where nothing is wrong.

Each test plants several, each in an order of its own, and expects these findings and no other.
"""

import json
import os
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import boto3
import pytest

from functions.platform import settings
from functions.platform.audit import auditing
from functions.platform.audit.findings import Scope
from functions.platform.audit.gateways import NotRead
from functions.platform.jobs import audit
from functions.tickets import releasing
from functions.tickets.database import database as tickets_database
from shared.clock import now
from tests.support import a_user
from tests.whole_shop import WholeShop


def found(whole_shop: WholeShop, **given: Any) -> set[tuple[str, str, str]]:
    """Invariant, words, and the id that leads to it, of each finding."""
    report = whole_shop.audit(**given)
    assert report["checked"]["complete"]
    return {(f["invariant"], f["what"], _id(f["ids"])) for f in report["findings"]}


def _id(ids: dict[str, Any]) -> str:
    order = (
        "orderId",
        "ticketTypeId",
        "reservationId",
        "messageId",
        "webhookId",
        "notificationId",
        "eventId",
        "execution",
    )
    return str(next(ids[name] for name in order if name in ids))


def type_of(whole_shop: WholeShop, order_id: str) -> str:
    return str(whole_shop.sales.tickets(order_id)[0]["ticket_type_id"])


def test_orders_of_every_kind_break_nothing(whole_shop: WholeShop) -> None:
    whole_shop.order()
    whole_shop.order("pm_card_chargeDeclined")
    whole_shop.order(None, price="0.00", type="free")
    whole_shop.give_up(whole_shop.order("pm_card_authenticationRequired"))
    partly, wholly, broken = whole_shop.order(), whole_shop.order(), whole_shop.bind()
    whole_shop.refund(partly, [whole_shop.sales.tickets(partly)[0]["id"]])
    whole_shop.refund(wholly)
    assert whole_shop.charge(broken) == "paid"
    whole_shop.compensate(broken)
    whole_shop.deliver()
    whole_shop.bind()
    whole_shop.sales.held(
        whole_shop.newcomer(), whole_shop.event_id, {whole_shop.sales.type(whole_shop.event_id): 1}
    )

    report = whole_shop.audit()

    assert report["findings"] == []
    assert report["checked"] == {
        "complete": True,
        "findings": 0,
        "orders": 8,
        "tickets": 8,
        "ticketTypes": 9,
        "payments": 4,
        "executions": 2,
    }


def test_counters_that_are_wrong_are_found(whole_shop: WholeShop) -> None:
    tickets = whole_shop.tickets
    short, over, buyer, other = (whole_shop.order() for _ in range(4))
    tickets.run(
        "UPDATE ticket_types SET quantity_sold = quantity_sold - 1 WHERE id = %(id)s",
        id=type_of(whole_shop, short),
    )
    tickets.run("ALTER TABLE ticket_types DROP CONSTRAINT ticket_types_stock")
    tickets.run(
        "UPDATE ticket_types SET quantity_available = 1 WHERE id = %(id)s", id=type_of(whole_shop, over)
    )
    tickets.run(
        "UPDATE ticket_type_buyers SET taken = taken - 1 WHERE ticket_type_id = %(id)s",
        id=type_of(whole_shop, buyer),
    )
    tickets.run("UPDATE ticket_reservations SET status = 'RELEASED' WHERE order_id = %(id)s", id=other)

    assert found(whole_shop, atRestSeconds=1800) == {
        ("stock", "counters are wrong", type_of(whole_shop, short)),
        ("stock", "more sold and held than there are", type_of(whole_shop, over)),
        ("stock", "a buyer's counter is wrong", type_of(whole_shop, buyer)),
        ("stock", "a reservation is not as its purchase", other),
    }


def test_counters_of_holds_and_of_what_a_person_may_have_are_checked(whole_shop: WholeShop) -> None:
    tickets = whole_shop.tickets
    held, greedy = whole_shop.order(), whole_shop.order()
    tickets.run(
        "UPDATE ticket_types SET quantity_held = quantity_held + 1 WHERE id = %(id)s",
        id=type_of(whole_shop, held),
    )
    tickets.run("ALTER TABLE ticket_type_buyers DROP CONSTRAINT ticket_type_buyers_limit")
    tickets.run(
        "UPDATE ticket_type_buyers SET allowed = 1 WHERE ticket_type_id = %(id)s",
        id=type_of(whole_shop, greedy),
    )

    assert found(whole_shop, atRestSeconds=1800) == {
        ("stock", "counters are wrong", type_of(whole_shop, held)),
        ("stock", "a buyer's counter is wrong", type_of(whole_shop, greedy)),
    }


def test_tickets_that_nobody_bought_and_money_that_nobody_decided_on_are_found(
    whole_shop: WholeShop,
) -> None:
    generous, other, waiting = whole_shop.order(), whole_shop.order(), whole_shop.bind()
    changed = "UPDATE order_items SET {change} WHERE order_id = %(id)s"
    whole_shop.payments.run(changed.format(change="quantity = 1, total_price = unit_price"), id=generous)
    whole_shop.payments.run(changed.format(change="ticket_type_id = gen_random_uuid()"), id=other)
    assert whole_shop.charge(waiting) == "paid"
    whole_shop.sales.release(waiting)
    whole_shop.sales.notify(waiting, "cancelled")
    whole_shop.deliver()
    # As if its cancellation had been recorded just before the money came.
    whole_shop.payments.run("UPDATE orders SET payment_status = 'CANCELLED' WHERE id = %(id)s", id=waiting)

    unpaid = ("limits", "money waits for seats, or to go back", waiting)
    running = ("limits", "an execution outlived its purchase", waiting)
    assert {item for item in found(whole_shop) if item[0] != "history"} == {
        ("tickets", "an order is for other tickets than its purchase", generous),
        ("tickets", "a paid order has more tickets than it is for", generous),
        ("tickets", "an order is for other tickets than its purchase", other),
        ("tickets", "a paid order has more tickets than it is for", other),
        ("tickets", "a paid order lacks tickets", other),
        unpaid,
        running,
    }


def test_orders_and_tickets_that_do_not_go_together_are_found(whole_shop: WholeShop) -> None:
    lacking, refunded, partly, untold = (whole_shop.order() for _ in range(4))
    with tickets_database.transaction() as sql:
        releasing.void(sql, UUID(lacking), [whole_shop.sales.tickets(lacking)[0]["id"]], "DISPUTED", now())
    whole_shop.deliver()
    whole_shop.refund(refunded)
    whole_shop.refund(partly, [whole_shop.sales.tickets(partly)[0]["id"]])
    whole_shop.deliver(losing="payments.order_refunded.v1")
    whole_shop.payments.run("UPDATE orders SET tickets = NULL WHERE id = %(id)s", id=untold)
    never_issued, never_paid = whole_shop.bind(), whole_shop.bind()
    assert whole_shop.charge(never_issued) == "paid"
    whole_shop.issue(never_paid)
    nowhere = whole_shop.shop.order_of(a_user())
    whole_shop.deliver()

    assert found(whole_shop) == {
        ("tickets", "a paid order lacks tickets", lacking),
        ("tickets", "an order that is not paid has valid tickets", refunded),
        ("tickets", "a refunded ticket is valid", partly),
        ("tickets", "the buyer is shown other tickets than there are", partly),
        ("tickets", "the buyer is shown other tickets than there are", untold),
        ("tickets", "a paid order lacks tickets", never_issued),
        ("tickets", "the buyer is shown other tickets than there are", never_issued),
        ("tickets", "tickets were issued for an order that payments does not know", never_paid),
        ("tickets", "an order that tickets does not know", nowhere),
    }
    assert found(whole_shop, atRestSeconds=1800) == set()


def test_what_outlived_its_time_is_found(whole_shop: WholeShop) -> None:
    before = now() - timedelta(hours=1)
    held = whole_shop.sales.held(
        whole_shop.newcomer(), whole_shop.event_id, {whole_shop.sales.type(whole_shop.event_id): 1}
    )
    whole_shop.sales.run_out(held, seconds_ago=3600)
    bound, untold, trying, waiting = (
        whole_shop.bind(),
        whole_shop.bind(),
        whole_shop.order(),
        whole_shop.order(),
    )
    whole_shop.tickets.run(
        "UPDATE purchases SET pay_by = %(at)s WHERE order_id = %(id)s", at=before, id=bound
    )
    assert whole_shop.charge(untold) == "paid"
    whole_shop.sales.issue(untold)
    undecided = whole_shop.order("pm_card_authenticationRequired")
    whole_shop.deliver()
    whole_shop.payments.run("UPDATE orders SET pay_by = %(at)s WHERE id = %(id)s", at=before, id=undecided)
    whole_shop.payments.run(
        "UPDATE payment_transactions SET status = 'OPEN' WHERE order_id = %(id)s", id=trying
    )
    whole_shop.payments.run(
        """
        INSERT INTO webhook_events (provider, event_id, type, object_id, received_at)
        VALUES ('stripe', 'evt_1', 'charge.refunded', 'ch_1', now())
        """
    )
    message_id = uuid4()
    whole_shop.books["auth"].run(
        """
        INSERT INTO outbox (message_id, destination, type, subject, version, sensitive, created_at, claimed_until)
        VALUES (%(id)s, 'topic', 'auth.user_changed.v1', %(id)s, 1, FALSE, now(), now())
        """,
        id=message_id,
    )
    whole_shop.refund(waiting)
    called_off = whole_shop.sales.event(status="CANCELLED")

    assert found(whole_shop) == {
        ("limits", "a hold outlived its limit", held),
        ("limits", "a purchase outlived its time to pay", bound),
        ("limits", "an execution outlived its purchase", bound),
        ("limits", "an execution outlived its purchase", untold),
        ("limits", "a buyer was not told how the purchase ended", untold),
        ("mail", "an issued order has no confirmation", untold),
        ("limits", "an order outlived its time to pay", undecided),
        ("limits", "a payment attempt has no outcome", trying),
        ("limits", "a webhook was not handled", "evt_1"),
        ("limits", "a message was not published", str(message_id)),
        ("limits", "a refund has no answer", waiting),
        ("limits", "the tickets of a cancelled event are not void", str(called_off)),
    }


def test_an_execution_that_somebody_started_by_hand_is_found_and_all_else_is_looked_at(
    whole_shop: WholeShop,
) -> None:
    bound = whole_shop.bind()
    before = now() - timedelta(hours=1)
    whole_shop.tickets.run(
        "UPDATE purchases SET pay_by = %(at)s WHERE order_id = %(id)s", at=before, id=bound
    )
    boto3.client("stepfunctions").start_execution(
        stateMachineArn=os.environ["PURCHASE_STATE_MACHINE_ARN"], name="tried-by-hand", input="{}"
    )

    assert found(whole_shop) == {
        ("limits", "an execution belongs to no purchase", "tried-by-hand"),
        ("limits", "a purchase outlived its time to pay", bound),
        ("limits", "an execution outlived its purchase", bound),
    }


def test_second_payments_refunds_and_cancelled_events_that_do_not_end_are_found(
    whole_shop: WholeShop,
) -> None:
    twice, undecided, voided = whole_shop.order(), whole_shop.order(), whole_shop.order()
    whole_shop.payments.run(
        """
        INSERT INTO second_payments (provider, intent_id, order_id, refund_key, amount, status, created_at, updated_at)
        VALUES ('stripe', 'pi_second', %(id)s, gen_random_uuid(), 20, 'REQUESTED', now(), now())
        """,
        id=twice,
    )
    whole_shop.refund(undecided)
    whole_shop.payments.run("UPDATE refunds SET gateway_refund_id = 're_1'")  # the bank has it
    whole_shop.tickets.run("UPDATE event_copies SET status = 'CANCELLED', voided_at = now()")

    assert found(whole_shop) == {
        ("limits", "a second payment did not go back", twice),
        ("limits", "a refund has no answer", undecided),
        ("limits", "the tickets of a cancelled event are not void", str(whole_shop.event_id)),
    }
    assert whole_shop.sales.tickets(voided)[0]["status"] == "ACTIVE"


def test_states_that_are_not_the_fold_of_their_events_are_found(whole_shop: WholeShop) -> None:
    amount, gap, ticket, purchase, word = (whole_shop.order() for _ in range(5))
    whole_shop.payments.run("UPDATE orders SET mail_status = 'BOUNCED' WHERE id = %(id)s", id=amount)
    whole_shop.payments.run("DELETE FROM order_events WHERE order_id = %(id)s AND version = 2", id=gap)
    whole_shop.tickets.run(
        "UPDATE tickets SET version = 7 WHERE id = %(id)s", id=whole_shop.sales.tickets(ticket)[0]["id"]
    )
    whole_shop.tickets.run("UPDATE purchases SET total_amount = 1 WHERE order_id = %(id)s", id=purchase)
    whole_shop.payments.run(
        """
        UPDATE order_events SET data = data || '{"paymentStatus": "REFUNDED"}' WHERE order_id = %(id)s AND type = 'PAID'
        """,
        id=word,
    )

    assert found(whole_shop, atRestSeconds=1800) == {
        ("history", "an order is not the fold of its events", amount),
        ("history", "an order has a history that cannot be", gap),
        ("history", "a ticket is not the fold of its events", ticket),
        ("history", "a purchase is not the fold of its events", purchase),
        ("history", "an order has a history that cannot be", word),
    }


@pytest.mark.parametrize("days", [0.5, 30])
def test_orders_older_than_the_window_are_left_to_a_run_that_goes_further_back(
    whole_shop: WholeShop, days: float
) -> None:
    old = whole_shop.order()
    whole_shop.mails.run("DELETE FROM notifications")
    for books, table in ((whole_shop.tickets, "purchase"), (whole_shop.payments, "order")):
        books.run(f"UPDATE {table}_events SET created_at = created_at - interval '10 days'")

    # Its payment, which is of today, leads to it; so the provider's list is left out.
    expected = {("mail", "an issued order has no confirmation", old)} if days == 30 else set()
    whole_shop.hide_payments()
    assert found(whole_shop, windowDays=days) == expected


def test_each_run_is_counted_with_what_it_found_and_names_each_finding_in_the_log(
    whole_shop: WholeShop, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    broken = whole_shop.order()
    whole_shop.payments.run("UPDATE orders SET mail_status = 'BOUNCED' WHERE id = %(id)s", id=broken)

    report = audit.run({}, whole_shop.ask)

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    assert [finding["ids"]["orderId"] for finding in report["findings"]] == [broken]
    assert {line["AuditFindings"][0] for line in lines if "AuditFindings" in line} == {1}
    assert {line["AuditRuns"][0] for line in lines if "AuditRuns" in line} == {1}
    (told,) = [vars(record) for record in caplog.records if record.message == "an invariant is broken"]
    assert (told["invariant"], told["ids"]["orderId"]) == ("history", broken)


def refused(_: dict[str, Any]) -> dict[str, Any]:
    raise NotRead


def test_a_provider_that_cannot_be_read_is_no_whole_run(
    whole_shop: WholeShop, capsys: pytest.CaptureFixture[str]
) -> None:
    whole_shop.order()

    report = auditing.audit(Scope.of({"atRestSeconds": 0}, now()), refused)
    assert list(report.findings) == []
    assert not report.complete

    audit.run({}, refused)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    assert {line["AuditRuns"][0] for line in lines if "AuditRuns" in line} == {0}


@pytest.mark.parametrize(("limit", "complete"), [(1, False), (3, True)])
def test_a_run_that_meets_its_limit_is_no_whole_run(
    whole_shop: WholeShop, monkeypatch: pytest.MonkeyPatch, limit: int, complete: bool
) -> None:
    for _ in range(2):
        whole_shop.order()
    whole_shop.hide_payments()  # which lead to their orders in any case
    monkeypatch.setattr(settings, "ORDER_LIMIT", lambda: limit)

    assert whole_shop.audit()["checked"]["complete"] is complete
