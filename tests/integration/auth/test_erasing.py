"""DELETE /api/auth/profile: the person goes at once, the id stays."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from uuid import UUID

import psycopg2
import pytest

from functions.auth import erasing, repository
from functions.auth.database import database
from shared.clock import now
from shared.database import Database
from shared.identity import User
from tests.people import PASSWORD, Desk, Person
from tests.support import Reply

OWN = {"password": PASSWORD}


@pytest.fixture(autouse=True)
def _queue(desk: Desk) -> None:
    desk.aws.queue("auth-exports")


def user_of(desk: Desk, person: Person) -> User:
    return desk.user(desk.signed_in(person)["accessToken"])


def erase(desk: Desk, user: User, password: str = PASSWORD) -> Reply:
    return desk.ask("erase_profile", {"password": password}, user=user)


def an_admin(desk: Desk) -> Person:
    person = desk.person()
    desk.db.run("UPDATE users SET role = 'ADMIN' WHERE id = %(id)s", id=person.id)
    return person


def admins(desk: Desk) -> list[UUID]:
    return [row["id"] for row in desk.db.all("SELECT id FROM users WHERE role = 'ADMIN'")]


def test_every_session_ends_at_once_and_the_person_is_gone(desk: Desk) -> None:
    person = desk.person(firstName="Zephyrine", lastName="Quill")
    here, there = desk.signed_in(person), desk.signed_in(person)
    assert desk.is_let_in(there["accessToken"])

    assert erase(desk, desk.user(here["accessToken"])).status == 202

    assert not desk.is_let_in(here["accessToken"])
    assert not desk.is_let_in(there["accessToken"])
    assert desk.ask("refresh", {"refreshToken": there["refreshToken"]}).status == 401
    [row] = desk.db.all("SELECT * FROM users")
    assert (row["id"], row["email"]) == (person.id, f"{person.id}@erased.invalid")
    for table in ("users", "email_tokens", "sign_in_failures", "outbox"):
        text = str(desk.db.all(f"SELECT * FROM {table}"))
        assert not [word for word in (person.email, "Zephyrine", "Quill", "1990") if word in text], table
    told = desk.mailed("auth.user_erased.v1")
    assert told == {"userId": str(person.id), "email": person.email, "firstName": "Zephyrine"}


def test_nobody_signs_in_to_what_is_left_of_the_account(desk: Desk) -> None:
    person = desk.person()
    erase(desk, user_of(desk, person))

    assert desk.login(person.email).code == "INVALID_CREDENTIALS"
    assert desk.login(f"{person.id}@erased.invalid").code == "INVALID_CREDENTIALS"
    assert desk.register(email=person.email).status == 201


def test_a_wrong_password_changes_nothing_and_counts_as_a_failed_sign_in(desk: Desk) -> None:
    person = desk.person()
    user = user_of(desk, person)

    refused = [erase(desk, user, "a wrong password") for _ in range(10)]

    assert {(reply.status, reply.code) for reply in refused} == {(401, "INVALID_CREDENTIALS")}
    assert erase(desk, user).status == 429
    assert desk.login(person.email).status == 429
    assert desk.db.all("SELECT 1 FROM users WHERE erased_at IS NOT NULL") == []


def test_links_that_were_mailed_are_dead(desk: Desk) -> None:
    person = desk.person()
    desk.ask("forgot_password", {"email": person.email})
    token = desk.mailed("auth.password_reset_requested.v1")["token"]

    erase(desk, user_of(desk, person))

    reply = desk.ask("reset_password", {"token": token, "newPassword": "another good one"})
    assert reply.code == "INVALID_TOKEN"


def test_what_was_under_way_brings_nobody_back(desk: Desk) -> None:
    person = desk.person()
    user = user_of(desk, person)
    erase(desk, user)

    assert desk.ask("update_profile", {"firstName": "Back"}, user=user).status == 404
    assert desk.ask("export_profile", user=user).status == 429
    assert erase(desk, user).code == "INVALID_CREDENTIALS"
    with database.transaction() as sql:
        assert repository.set_password(sql, person.id, "a-hash", now()) is None
        assert repository.set_verified(sql, person.id, now()) is None
    assert desk.db.all("SELECT first_name FROM users") == [{"first_name": "Erased"}]


def test_the_last_admin_stays(desk: Desk) -> None:
    first, second = an_admin(desk), an_admin(desk)
    assert erase(desk, user_of(desk, first)).status == 202

    refused = erase(desk, user_of(desk, second))

    assert (refused.status, refused.code) == (409, "LAST_ADMIN")
    assert desk.login(second.email).status == 200


def test_of_two_admins_who_go_at_the_same_time_one_stays(desk: Desk) -> None:
    for _ in range(5):
        desk.db.run("UPDATE users SET role = 'ATTENDEE'")
        both = [an_admin(desk), an_admin(desk)]
        together = Barrier(2)

        def leave(person: Person, together: Barrier = together) -> str:
            own = Database("auth")
            try:
                with own.transaction() as sql:
                    user = repository.user(sql, person.id)
                    assert user is not None
                    together.wait(10)
                    erasing.erase(sql, user, now())
            except erasing.LastAdmin:
                return "stays"
            finally:
                own.reset()
            return "gone"

        with ThreadPoolExecutor(2) as pool:
            outcomes = sorted(pool.map(leave, both))

        assert outcomes == ["gone", "stays"]
        assert len(admins(desk)) == 1


def test_without_the_lock_both_would_go(desk: Desk) -> None:
    """The negative control: two who look before either has gone each see the other."""
    both = [an_admin(desk), an_admin(desk)]
    looks: list[Any] = [psycopg2.connect(desk.db.dsn) for _ in both]
    try:
        for connection, person in zip(looks, both, strict=True):
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT count(*) FROM users WHERE role = 'ADMIN' AND id <> %s", (str(person.id),)
                )
                assert cursor.fetchone() == (1,)
        for connection, person in zip(looks, both, strict=True):
            with connection.cursor() as cursor:
                cursor.execute("UPDATE users SET role = 'ATTENDEE' WHERE id = %s", (str(person.id),))
            connection.commit()
    finally:
        for connection in looks:
            connection.close()
    assert admins(desk) == []
