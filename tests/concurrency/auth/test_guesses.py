"""Guesses and tokens shown at the same moment: as many guesses as allowed are looked at, and a token works once."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import TypeVar

import pytest

from functions.auth import accounts, links, passwords, repository, sessions, sign_in
from functions.auth.links import InvalidLink
from functions.auth.random_tokens import digest
from functions.auth.settings import LINKS_PER_HOUR, SIGN_IN_FAILURES_PER_ACCOUNT, SIGN_IN_FAILURES_PER_ADDRESS
from shared.clock import now
from shared.database import Database, Sql
from shared.errors import TooManyRequests
from tests.cloud import Extension
from tests.people import Desk

T = TypeVar("T")
ADDRESS = "198.51.100.7"
CROWD = 16


@contextmanager
def connections(count: int) -> Iterator[list[Database]]:
    """So many Lambda processes' connections."""
    databases = [Database("auth") for _ in range(count)]
    try:
        yield databases
    finally:
        for database in databases:
            database.reset()


def at_once(action: Callable[[Sql, int], T]) -> list[T]:
    """Run the action in a transaction for each of the crowd, all beginning at the same moment."""
    start = threading.Barrier(CROWD)

    def run(database: Database, number: int) -> T:
        with database.reading() as sql:
            sql.one("SELECT 1 AS connected")
        start.wait(60)
        with database.transaction() as sql:
            return action(sql, number)

    with connections(CROWD) as databases, ThreadPoolExecutor(CROWD) as pool:
        return list(pool.map(run, databases, range(CROWD)))


def may_guess(sql: Sql, email: str) -> bool:
    """Whether an attempt gets as far as its password."""
    try:
        sign_in.begin(sql, email, ADDRESS, now())
    except TooManyRequests:
        return False
    return True


@pytest.mark.parametrize("before", [0, 9])
def test_of_guesses_at_the_same_moment_no_more_pass_than_are_allowed(desk: Desk, before: int) -> None:
    for _ in range(before):
        desk.login("ada@example.com", "not the password", source_ip=ADDRESS)

    passed = at_once(lambda sql, _: may_guess(sql, "ada@example.com"))

    assert sum(passed) == SIGN_IN_FAILURES_PER_ACCOUNT.default - before
    assert len(desk.db.all("SELECT 1 FROM sign_in_failures")) == SIGN_IN_FAILURES_PER_ACCOUNT.default


def test_of_guesses_at_many_accounts_no_more_pass_from_one_address_than_are_allowed(
    desk: Desk, extension: Extension
) -> None:
    extension.parameters[SIGN_IN_FAILURES_PER_ADDRESS.name] = "7"
    SIGN_IN_FAILURES_PER_ADDRESS._value = None

    passed = at_once(lambda sql, number: may_guess(sql, f"{number}@example.com"))

    assert sum(passed) == 7


def test_control_without_the_lock_everybody_counts_too_few(desk: Desk) -> None:
    """The same statements but the lock: each of the crowd counts before any other's failure is committed."""
    account = digest("ada@example.com")
    with ExitStack() as stack, connections(CROWD) as databases:
        crowd = [stack.enter_context(database.transaction()) for database in databases]
        counted = [
            repository.failures(sql, account, ADDRESS, since=now().replace(year=2000)) for sql in crowd
        ]
        for sql in crowd:
            repository.add_failure(sql, account, ADDRESS, now())
        stack.close()

    assert all(row["here"] < SIGN_IN_FAILURES_PER_ACCOUNT.default for row in counted), "so all would pass"
    assert len(desk.db.all("SELECT 1 FROM sign_in_failures")) == CROWD


def test_of_links_asked_for_at_the_same_moment_no_more_are_mailed_than_are_allowed(desk: Desk) -> None:
    person = desk.person()

    at_once(lambda sql, _: links.request_reset(sql, person.email, now()))

    assert len(desk.db.all("SELECT 1 FROM email_tokens WHERE kind = 'RESET'")) == LINKS_PER_HOUR.default


def test_a_reset_link_shown_by_many_at_once_sets_one_password(desk: Desk) -> None:
    person = desk.person()
    desk.ask("forgot_password", {"email": person.email})
    token = desk.mailed("auth.password_reset_requested.v1")["token"]

    def reset(sql: Sql, number: int) -> bool:
        try:
            accounts.reset_password(sql, token, f"password number {number}", now())
        except InvalidLink:
            return False
        return True

    won = at_once(reset)

    assert sum(won) == 1
    row = desk.db.one("SELECT password_hash FROM users")
    assert row is not None
    assert passwords.matches(f"password number {won.index(True)}", row["password_hash"])


def test_a_verification_link_shown_by_many_at_once_verifies_once(desk: Desk) -> None:
    desk.register()
    token = desk.mailed("auth.verification_requested.v1")["token"]

    def verify(sql: Sql, _: int) -> bool:
        try:
            accounts.verify_email(sql, token, now())
        except InvalidLink:
            return False
        return True

    assert sum(at_once(verify)) == 1


def test_a_refresh_token_shown_by_many_at_once_works_once_and_ends_its_session(desk: Desk) -> None:
    tokens = desk.signed_in(desk.person())

    won = at_once(lambda sql, _: sessions.refresh(sql, tokens["refreshToken"], now()) is not None)

    assert sum(won) == 1
    assert not desk.is_let_in(tokens["accessToken"]), "one of them stole it, nobody knows which"
