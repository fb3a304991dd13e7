"""Accounts: registering, verifying, the profile, roles."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from functions.auth import repository
from functions.auth.jobs import grant_role
from functions.auth.random_tokens import digest
from shared.clock import now
from shared.database import Database
from shared.errors import NotFound
from tests.people import PASSWORD, Desk
from tests.support import context


def test_registering_answers_tells_the_others_and_asks_for_a_mail(desk: Desk) -> None:
    reply = desk.register(email=" Ada@Example.COM ", accountType="ORGANIZER")

    assert reply.status == 201
    assert reply.body == {"userId": reply.body["userId"], "email": "ada@example.com", "emailVerified": False}
    (changed,) = desk.said("auth.user_changed.v1")
    assert changed["data"] == {
        "userId": reply.body["userId"],
        "email": "ada@example.com",
        "firstName": "Ada",
        "lastName": "Lovelace",
        "role": "ORGANIZER",
    }
    link = desk.mailed("auth.verification_requested.v1")
    assert (link["email"], link["firstName"]) == ("ada@example.com", "Ada")


def test_neither_password_nor_token_is_kept_as_it_is(desk: Desk) -> None:
    person = desk.person()
    tokens = desk.signed_in(person)

    rows = desk.db.all("SELECT * FROM users, user_sessions, email_tokens")
    kept = str(rows) + str(desk.db.all("SELECT payload FROM outbox"))
    assert rows[0]["password_hash"].startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert PASSWORD not in kept
    assert tokens["refreshToken"] not in kept
    assert desk.mailed("auth.verification_requested.v1")["token"] not in kept


def test_an_address_has_one_account_in_whatever_case(desk: Desk) -> None:
    desk.register(email="ada@example.com")

    reply = desk.register(email="ADA@example.com")

    assert (reply.status, reply.code, reply.fields) == (409, "EMAIL_TAKEN", {"email"})


def test_nobody_registers_as_an_admin(desk: Desk) -> None:
    assert desk.register(accountType="ADMIN").fields == {"accountType"}


def test_every_wrong_field_is_named(desk: Desk) -> None:
    reply = desk.register(email="no", password="short", firstName=" ", dateOfBirth="soon", spare=1)

    assert reply.status == 400
    assert reply.fields == {"email", "password", "firstName", "dateOfBirth", "spare"}


def test_blanks_belong_to_a_password(desk: Desk) -> None:
    person = desk.person(password="  a long password  ")

    assert desk.login(person.email, "a long password").code == "INVALID_CREDENTIALS"
    assert desk.login(person.email, "  a long password  ").status == 200


def test_a_link_verifies_once(desk: Desk) -> None:
    desk.register(email="ada@example.com")
    token = desk.mailed("auth.verification_requested.v1")["token"]

    verified = desk.ask("verify_email", {"token": token})
    again = desk.ask("verify_email", {"token": token})

    assert (verified.status, verified.body["emailVerified"]) == (200, True)
    assert (again.status, again.code) == (400, "INVALID_TOKEN")


def test_a_link_used_at_the_same_time_works_once(desk: Desk) -> None:
    desk.register()
    token = desk.mailed("auth.verification_requested.v1")["token"]

    def use(database: Database) -> bool:
        with database.transaction() as sql:
            return repository.use_link(sql, "VERIFY", digest(token), now()) is not None

    databases = [Database("auth") for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        won = list(pool.map(use, databases))

    assert sorted(won) == [False, False, False, True]
    for database in databases:
        database.reset()


def test_a_link_that_is_too_old_does_not_verify(desk: Desk) -> None:
    desk.register()
    desk.db.run("UPDATE email_tokens SET expires_at = now() - interval '1 second'")

    token = desk.mailed("auth.verification_requested.v1")["token"]
    assert desk.ask("verify_email", {"token": token}).code == "INVALID_TOKEN"


def test_a_link_of_one_kind_is_no_use_for_the_other(desk: Desk) -> None:
    person = desk.person()
    desk.ask("forgot_password", {"email": person.email})
    token = desk.mailed("auth.password_reset_requested.v1")["token"]

    assert desk.ask("verify_email", {"token": token}).code == "INVALID_TOKEN"


def test_the_profile_is_ones_own_and_only_names_change(desk: Desk) -> None:
    person = desk.person()
    user = desk.user(desk.signed_in(person)["accessToken"])

    changed = desk.ask("update_profile", {"lastName": "Byron"}, user=user)
    profile = desk.ask("get_profile", user=user)

    assert changed.status == 200
    assert profile.body == changed.body
    assert profile.body == {
        "userId": str(person.id),
        "email": person.email,
        "firstName": "Ada",
        "lastName": "Byron",
        "dateOfBirth": "1990-12-10",
        "emailVerified": True,
        "role": "ATTENDEE",
        "createdAt": profile.body["createdAt"],
    }
    assert profile.body["createdAt"].endswith("Z")
    last = desk.said("auth.user_changed.v1")[-1]
    assert (last["data"]["lastName"], last["sequence"]) == ("Byron", 2)
    assert desk.ask("update_profile", {"email": "x@example.com", "role": "ADMIN"}, user=user).fields == {
        "email",
        "role",
    }


def test_a_change_of_nothing_tells_nobody(desk: Desk) -> None:
    person = desk.person()
    user = desk.user(desk.signed_in(person)["accessToken"])

    assert desk.ask("update_profile", {}, user=user).body["firstName"] == "Ada"
    assert len(desk.said("auth.user_changed.v1")) == 1


def test_an_operator_grants_a_role_and_it_holds_at_once(desk: Desk) -> None:
    person = desk.person()
    token = desk.signed_in(person)["accessToken"]
    assert desk.is_let_in(token)

    assert grant_role.handler({"email": person.email.upper(), "role": "ADMIN"}, context()) == {"handled": 1}

    assert not desk.is_let_in(token), "it names the old role"
    assert desk.user(desk.signed_in(person)["accessToken"]).is_admin
    assert desk.said("auth.user_changed.v1")[-1]["data"]["role"] == "ADMIN"
    with pytest.raises(NotFound):
        grant_role.handler({"email": "nobody@example.com", "role": "ADMIN"}, context())
