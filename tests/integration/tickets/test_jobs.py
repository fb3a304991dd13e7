"""What runs every minute, and at deployment."""

import json
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import boto3
import pytest

from functions.tickets import holds, voiding
from functions.tickets.database import database
from functions.tickets.jobs import create_signing_keys, expire_holds, resume_purchases, sweep_messages
from functions.tickets.repository import purchases
from shared.clock import now
from shared.database import Sql
from tests import sweeping
from tests.cloud import Cloud, Extension
from tests.databases import TestDatabase
from tests.support import a_user, context
from tests.ticket_sales import Sales


def test_holds_that_ran_out_are_given_back(sales: Sales) -> None:
    event_id, buyer = sales.event(), a_user()
    id, other = sales.type(event_id), sales.type(event_id)
    over, live = sales.held(buyer, event_id, {id: 2, other: 1}), sales.held(buyer, event_id, {id: 3})
    sales.run_out(over)

    assert expire_holds.handler({}, context()) == {"handled": 2}
    assert expire_holds.handler({}, context()) == {"handled": 0}

    assert (sales.statuses(over), sales.statuses(live)) == (["EXPIRED", "EXPIRED"], ["HELD"])
    assert (sales.stock(id), sales.stock(other)) == ((0, 3), (0, 0))
    assert (sales.taken(id, buyer), sales.taken(other, buyer)) == (3, 0)


def test_a_bound_reservation_is_left_to_its_saga(sales: Sales) -> None:
    event_id, buyer = sales.event(), a_user()
    id = sales.type(event_id)
    reservation = sales.held(buyer, event_id, {id: 2})
    sales.purchase(buyer, reservation)
    sales.run_out(reservation, seconds_ago=3600)
    assert expire_holds.handler({}, context()) == {"handled": 0}
    assert sales.stock(id) == (0, 2)


def test_one_run_takes_a_limited_number_oldest_first(sales: Sales) -> None:
    sales.extension.parameters["sweep_limit"] = "2"
    event_id = sales.event()
    id = sales.type(event_id)
    reservations = [sales.held(a_user(), event_id, {id: 1}) for _ in range(3)]
    for age, reservation in enumerate(reservations, start=1):
        sales.run_out(reservation, seconds_ago=age)
    assert expire_holds.handler({}, context()) == {"handled": 2}
    assert [sales.statuses(reservation) for reservation in reservations] == [
        ["HELD"],
        ["EXPIRED"],
        ["EXPIRED"],
    ]


def test_an_unfinished_purchase_has_its_saga_started(
    sales: Sales, aws: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    event_id = sales.event()
    machine = aws.state_machine()
    monkeypatch.delenv("PURCHASE_STATE_MACHINE_ARN")
    order_id = sales.order(a_user(), event_id, {sales.type(event_id): 1})
    monkeypatch.setenv("PURCHASE_STATE_MACHINE_ARN", machine)

    assert resume_purchases.handler({}, context()) == {"handled": 0}, "it is not a minute old"
    assert aws.executions() == {}
    assert resume_purchases.handler({"olderThanSeconds": 0}, context()) == {"handled": 1}
    assert aws.executions() == {order_id: {"orderId": order_id}}
    assert resume_purchases.handler({"olderThanSeconds": 0}, context()) == {"handled": 1}, "twice is once"
    assert len(aws.executions()) == 1


def test_a_purchase_that_began_before_there_were_correlation_ids_is_started_as_it_was(
    sales: Sales, aws: Cloud
) -> None:
    """Another input under the same name would look like an execution that is over."""
    event_id = sales.event()
    aws.state_machine()
    order_id = sales.order(a_user(), event_id, {sales.type(event_id): 1})
    assert resume_purchases.handler({"olderThanSeconds": 0}, context()) == {"handled": 1}
    assert len(aws.executions()) == 1, "with its correlation id"
    sales.db.run("UPDATE purchases SET correlation_id = NULL")
    assert resume_purchases.handler({"olderThanSeconds": 0}, context()) == {"handled": 1}
    assert aws.execution_inputs()[f"{order_id}-2"] == {"orderId": order_id}


def test_a_purchase_whose_execution_failed_for_good_is_run_again_under_another_name(
    sales: Sales, aws: Cloud
) -> None:
    event_id = sales.event()
    aws.state_machine()
    order_id = sales.order(a_user(), event_id, {sales.type(event_id): 1})
    for run in ("-2", "-3"):
        aws.abort_executions()
        assert resume_purchases.handler({"olderThanSeconds": 0}, context()) == {"handled": 1}
        assert resume_purchases.handler({"olderThanSeconds": 0}, context()) == {"handled": 1}, "it runs"
        assert aws.executions()[order_id + run] == {"orderId": order_id}
    assert len(aws.executions()) == 3


def test_two_sweeps_that_find_the_same_run_over_begin_the_next_one_once(sales: Sales) -> None:
    event_id = sales.event()
    order_id = UUID(sales.order(a_user(), event_id, {sales.type(event_id): 1}))
    with database.transaction() as sql:
        assert [purchases.count_run(sql, order_id, over=1) for _ in range(2)] == [True, False]
        assert purchases.count_run(sql, order_id, over=2)


def test_a_run_is_begun_only_while_seats_are_bound(sales: Sales) -> None:
    event_id = sales.event()
    order_id = sales.order(a_user(), event_id, {sales.type(event_id): 1})
    sales.release(order_id)
    with database.transaction() as sql:
        assert not purchases.count_run(sql, UUID(order_id), over=1)


def test_how_old_the_oldest_purchase_is_under_way(
    sales: Sales, aws: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    def told() -> float:
        resume_purchases.handler({"olderThanSeconds": 0}, context())
        lines = [line for line in capsys.readouterr().out.splitlines() if "OldestPurchaseSeconds" in line]
        (seconds,) = json.loads(lines[-1])["OldestPurchaseSeconds"]
        return float(seconds)

    event_id = sales.event()
    aws.state_machine()
    assert told() == 0
    sales.order(a_user(), event_id, {sales.type(event_id): 1})
    sales.db.run("UPDATE purchases SET created_at = now() - interval '2 hours'")
    assert 7199 < told() < 7300
    sales.db.run("UPDATE purchases SET notified_outcome = 'issued'")
    assert told() == 0


def test_a_purchase_that_ended_while_its_execution_failed_is_not_run_again(sales: Sales, aws: Cloud) -> None:
    event_id = sales.event()
    aws.state_machine()
    order_id = sales.order(a_user(), event_id, {sales.type(event_id): 1})
    aws.abort_executions()
    sales.issue(order_id)
    resume_purchases.handler({"olderThanSeconds": 0}, context())
    assert len(aws.executions()) == 1


def test_a_purchase_that_lacks_only_its_mail_gets_it(sales: Sales, aws: Cloud) -> None:
    event_id = sales.event()
    id = sales.type(event_id)
    issued = sales.order(a_user(), event_id, {id: 1})
    released = sales.order(a_user(), event_id, {id: 1})
    sales.issue(issued)
    sales.release(released)

    assert resume_purchases.handler({"olderThanSeconds": 0}, context()) == {"handled": 2}
    assert resume_purchases.handler({"olderThanSeconds": 0}, context()) == {"handled": 0}

    assert {message["data"]["mailKey"] for message in aws.messages("mail")} == {
        f"order-confirmation:{issued}",
        f"order-cancelled:{released}",
    }


def test_what_was_looked_at_is_left_alone_for_a_while(sales: Sales) -> None:
    event_id = sales.event()
    sales.order(a_user(), event_id, {sales.type(event_id): 1})
    sales.db.run("UPDATE purchases SET saga_checked_at = saga_checked_at - interval '2 minutes'")
    assert [resume_purchases.handler({}, context())["handled"] for _ in range(2)] == [1, 0]


def expire(sql: Sql, limit: int) -> int:
    return holds.expire(sql, now() + timedelta(hours=1), limit)


def unfinished(sql: Sql, limit: int) -> int:
    return len(purchases.take_unfinished(sql, now() + timedelta(hours=1), 3600, limit))


def unvoided(sql: Sql, limit: int) -> int:
    return voiding.resume(sql, now() + timedelta(hours=1), 3600, limit)


@pytest.mark.parametrize("take", [expire, unfinished, unvoided])
def test_one_run_takes_a_limited_number_and_two_at_once_take_different_ones(
    sales: Sales, take: Callable[[Sql, int], int]
) -> None:
    for _ in range(3):
        event_id = sales.event()
        id = sales.type(event_id)
        sales.held(a_user(), event_id, {id: 1})
        sales.order(a_user(), event_id, {id: 1})
    sales.db.run("UPDATE event_copies SET status = 'CANCELLED'")
    # Each is over, or untouched, for a little more than an hour when the sweep looks at it.
    sales.db.run("UPDATE ticket_reservations SET reserved_until = now() WHERE status = 'HELD'")
    sales.db.run("UPDATE purchases SET saga_checked_at = now() - interval '1 minute'")
    sales.db.run("UPDATE event_copies SET refreshed_at = now() - interval '1 minute'")
    assert sweeping.runs(database, take, limit=2) == (2, 1, 0)


def test_what_a_crash_left_in_the_outbox_is_published(sales: Sales, aws: Cloud) -> None:
    event_id = sales.event()
    order_id = sales.order(a_user(), event_id, {sales.type(event_id): 1})
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("TOPIC_ARN")
        sales.issue(order_id)
    assert aws.messages("tickets") == []
    sales.db.run("UPDATE outbox SET claimed_until = now() - interval '1 second'")

    assert sweep_messages.handler({}, context()) == {"handled": 1}

    assert [message["type"] for message in aws.messages("tickets")] == ["tickets.order_issued.v1"]


def test_what_is_over_is_forgotten_so_many_rows_in_one_run_and_what_was_not_sent_never(
    sales: Sales, extension: Extension
) -> None:
    extension.parameters["forget_limit"] = "2"
    for table, columns in (
        ("inbox", "(consumer, message_id, received_at) SELECT 'c', gen_random_uuid(), t"),
        ("idempotency_keys", "(scope, key, request_hash, created_at) SELECT 's', n::text, 'h', t"),
    ):
        ages = "generate_series(1, 4) n, LATERAL (SELECT now() - n * interval '10 days' AS t)"
        sales.db.run(f"INSERT INTO {table} {columns} FROM {ages}")
    sales.db.run(
        """
        INSERT INTO outbox (message_id, destination, type, subject, version, sensitive, created_at, claimed_until,
                            published_at)
        SELECT gen_random_uuid(), 'topic', 'x', gen_random_uuid(), 1, FALSE, t, now() + interval '1 hour',
               CASE WHEN n < 4 THEN t END
          FROM generate_series(1, 4) n, LATERAL (SELECT now() - n * interval '20 days' AS t)
        """
    )

    def left() -> list[int]:
        tables = ("inbox", "idempotency_keys", "outbox")
        return [len(sales.db.all(f"SELECT 1 FROM {table}")) for table in tables]

    counts = [left()]
    for _ in range(2):
        sweep_messages.handler({}, context())
        counts.append(left())

    assert counts == [[4, 4, 4], [2, 2, 2], [1, 0, 2]]
    assert sales.db.all("SELECT 1 FROM outbox WHERE published_at IS NULL") != []


def test_signing_keys_are_made_once_and_published_every_time(
    aws: Cloud, tickets_db: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets, parameters = boto3.client("secretsmanager"), boto3.client("ssm")
    arn = secrets.create_secret(Name="ticket-keys", SecretString='{"keys": []}')["ARN"]
    monkeypatch.setenv("TICKET_KEYS_SECRET_ARN", arn)
    monkeypatch.setenv("SETTINGS_PREFIX", "/box-office/dev")

    assert create_signing_keys.handler({}, context()) == {"handled": 1}
    secret = json.loads(secrets.get_secret_value(SecretId=arn)["SecretString"])
    parameters.delete_parameter(Name="/box-office/dev/ticket_keys")
    assert create_signing_keys.handler({}, context()) == {"handled": 0}

    assert json.loads(secrets.get_secret_value(SecretId=arn)["SecretString"]) == secret
    published = json.loads(parameters.get_parameter(Name="/box-office/dev/ticket_keys")["Parameter"]["Value"])
    assert [key["kid"] for key in published["keys"]] == [secret["current"]]
    assert secret["keys"][0]["d"] not in json.dumps(published)
