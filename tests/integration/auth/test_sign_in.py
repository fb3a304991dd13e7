"""Signing in: who may, who waits, and what a stranger learns."""

import pytest

from functions.auth import passwords, sign_in
from functions.auth.database import database
from functions.auth.jobs import forget_expired, grant_role
from shared.clock import now
from tests.cloud import Extension
from tests.people import PASSWORD, Desk, keys_unreadable
from tests.support import context

WRONG = "not the password"


def test_signing_in_gives_the_tokens_of_a_session(desk: Desk) -> None:
    person = desk.person()

    reply = desk.login(person.email.upper())

    assert reply.status == 200
    assert set(reply.body) == {"accessToken", "tokenType", "expiresIn", "refreshToken", "user"}
    assert (reply.body["tokenType"], reply.body["expiresIn"]) == ("Bearer", 900)
    assert reply.body["user"]["userId"] == str(person.id)
    assert reply.headers["Cache-Control"] == "no-store"
    assert desk.is_let_in(reply.body["accessToken"])


def test_signing_in_without_a_key_to_sign_with_starts_no_session_and_is_no_failure(
    desk: Desk, extension: Extension
) -> None:
    person = desk.person()
    with keys_unreadable(extension):
        replies = [desk.login(person.email, password) for password in (PASSWORD, WRONG)]

    assert [(reply.status, reply.code) for reply in replies] == [(503, "SERVICE_UNAVAILABLE")] * 2
    assert desk.db.all("SELECT 1 FROM user_sessions") == []
    assert desk.db.all("SELECT 1 FROM sign_in_failures") == []


def test_a_wrong_password_and_an_unknown_address_are_told_alike(desk: Desk) -> None:
    person = desk.person()

    wrong, unknown = desk.login(person.email, WRONG), desk.login("nobody@example.com", WRONG)

    assert (wrong.status, wrong.code) == (unknown.status, unknown.code) == (401, "INVALID_CREDENTIALS")
    assert wrong.body["error"]["message"] == unknown.body["error"]["message"]


def test_an_unknown_address_costs_the_same_work() -> None:
    assert not passwords.matches("nobody's password", None)
    assert not passwords._hasher.check_needs_rehash(passwords.NOBODYS_HASH), "its figures are the others'"


def test_an_address_that_is_not_verified_may_not_sign_in_but_only_with_the_password_is_it_told(
    desk: Desk,
) -> None:
    email = desk.register().body["email"]

    right, wrong = desk.login(email), desk.login(email, WRONG)

    assert (right.status, right.code) == (403, "EMAIL_NOT_VERIFIED")
    assert wrong.code == "INVALID_CREDENTIALS"
    assert desk.db.all("SELECT 1 FROM user_sessions") == []


@pytest.mark.parametrize("known", [True, False])
def test_after_ten_failures_even_the_right_password_waits(desk: Desk, known: bool) -> None:
    email = desk.person().email if known else "nobody@example.com"
    assert {desk.login(email, WRONG).status for _ in range(10)} == {401}

    blocked = desk.login(email)

    assert (blocked.status, blocked.code) == (429, "TOO_MANY_REQUESTS")
    assert 850 < int(blocked.headers["Retry-After"]) <= 900
    desk.db.run("UPDATE sign_in_failures SET failed_at = failed_at - interval '16 minutes'")
    assert desk.login(email).status == (200 if known else 401)


def test_somebody_elses_failures_elsewhere_lock_nobody_out(desk: Desk) -> None:
    person = desk.person()
    for _ in range(10):
        desk.login(person.email, WRONG, source_ip="198.51.100.1")

    assert desk.login(person.email, source_ip="198.51.100.1").status == 429
    assert desk.login(person.email, source_ip="198.51.100.2").status == 200


def test_signing_in_forgives_the_failures_before(desk: Desk) -> None:
    person = desk.person()
    for _ in range(9):
        desk.login(person.email, WRONG)
    assert desk.login(person.email).status == 200

    assert {desk.login(person.email, WRONG).status for _ in range(9)} == {401}


def test_an_address_that_tries_many_accounts_waits(desk: Desk) -> None:
    desk.db.run(
        """
        INSERT INTO sign_in_failures (account, address, failed_at)
        SELECT n::text, '198.51.100.9', now() FROM generate_series(1, 100) n
        """
    )

    assert desk.login("another@example.com", WRONG, source_ip="198.51.100.9").status == 429
    assert desk.login("another@example.com", WRONG, source_ip="198.51.100.8").status == 401


def test_failures_do_not_keep_the_address_that_was_typed(desk: Desk) -> None:
    desk.login("secret-person@example.com", WRONG)

    assert "secret-person" not in str(desk.db.all("SELECT * FROM sign_in_failures"))


def test_a_session_is_not_started_with_a_password_that_was_replaced_meanwhile(desk: Desk) -> None:
    person = desk.person()
    with database.transaction() as sql:
        attempt = sign_in.begin(sql, person.email, "203.0.113.7", now())
    user = sign_in.check(attempt, PASSWORD)
    desk.db.run("UPDATE users SET password_hash = 'another'")

    with pytest.raises(sign_in.InvalidCredentials), database.transaction() as sql:
        sign_in.complete(sql, attempt, user, now())


def test_a_session_is_not_started_with_a_role_that_was_taken_away_meanwhile(desk: Desk) -> None:
    person = desk.person()
    grant_role.handler({"email": person.email, "role": "ADMIN"}, context())
    with database.transaction() as sql:
        attempt = sign_in.begin(sql, person.email, "203.0.113.7", now())
    user = sign_in.check(attempt, PASSWORD)
    grant_role.handler({"email": person.email, "role": "ATTENDEE"}, context())

    with pytest.raises(sign_in.InvalidCredentials), database.transaction() as sql:
        sign_in.complete(sql, attempt, user, now())

    token = desk.signed_in(person)["accessToken"]
    assert desk.authorize(token)["context"]["role"] == "ATTENDEE"


@pytest.fixture
def three_sessions_that_are_over(desk: Desk, extension: Extension) -> None:
    """More than may be deleted at once."""
    extension.parameters["forget_limit"] = "2"
    person = desk.person()
    for _ in range(3):
        desk.signed_in(person)
    desk.db.run("UPDATE user_sessions SET expires_at = now() - interval '1 day'")


@pytest.mark.usefixtures("three_sessions_that_are_over")
def test_more_than_one_transaction_should_delete_is_forgotten_in_one_run() -> None:
    runs = [forget_expired.handler({}, context())["handled"] for _ in range(2)]

    assert runs == [3, 0]


@pytest.mark.usefixtures("three_sessions_that_are_over")
def test_a_run_that_has_no_time_left_leaves_the_rest_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forget_expired, "WORK_SECONDS", 0)

    runs = [forget_expired.handler({}, context())["handled"] for _ in range(3)]

    assert runs == [2, 1, 0]


def test_the_tokens_of_a_session_go_before_it_and_in_batches_too(desk: Desk, extension: Extension) -> None:
    extension.parameters["forget_limit"] = "2"
    token = desk.signed_in(desk.person())["refreshToken"]
    for _ in range(3):
        token = desk.ask("refresh", {"refreshToken": token}).body["refreshToken"]
    desk.db.run("UPDATE used_refresh_tokens SET used_at = now() - interval '31 days'")
    desk.db.run("UPDATE user_sessions SET expires_at = now() - interval '1 day'")

    assert forget_expired.handler({}, context()) == {"handled": 4}


def test_what_is_over_is_forgotten(desk: Desk) -> None:
    person = desk.person()
    first = desk.signed_in(person)
    desk.ask("refresh", {"refreshToken": first["refreshToken"]})
    desk.login(person.email, WRONG)
    live = desk.signed_in(desk.person(email="other@example.com"))
    desk.db.run(
        "UPDATE user_sessions SET expires_at = now() - interval '1 day' WHERE user_id = %(id)s", id=person.id
    )
    desk.db.run("UPDATE email_tokens SET expires_at = now() - interval '1 day'")
    desk.db.run("UPDATE sign_in_failures SET failed_at = now() - interval '1 day'")

    assert forget_expired.handler({}, context()) == {"handled": 4}

    assert desk.db.all("SELECT 1 FROM used_refresh_tokens") == []
    assert desk.is_let_in(live["accessToken"])


@pytest.mark.parametrize("address", ["2001:db8::1", "2001:DB8:0:0:ffff::7"])
def test_whoever_has_a_network_of_addresses_counts_as_one(desk: Desk, address: str) -> None:
    person = desk.person()
    for n in range(10):
        desk.login(person.email, WRONG, source_ip=f"2001:db8::{n}:ffff")

    assert desk.login(person.email, source_ip=address).status == 429
    assert desk.login(person.email, source_ip="2001:db8:0:1::1").status == 200
